//! `languages`: codes such as `nl` or `nl_BE`, compared with the review's `local_code`, which comes as `nl`,
//! `nl_NL`, `nl-NL`, `NL`, empty or not at all.

use super::{Condition, Truth, any_of, list, shown};
use crate::rules::facts::Facts;
use crate::settings::Table;

#[derive(Debug)]
struct Languages {
    written: Vec<String>,
    codes: Vec<String>,
}

/// Reads `languages`.
pub(super) fn read(table: &Table<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    const HINT: &str = "write codes such as \"nl\" or \"nl_BE\"";
    let written = list(table, key, HINT)?;
    let codes: Vec<String> = written.iter().map(|code| plain(code)).collect();
    if let Some(index) = codes.iter().position(|code| !is_code(code)) {
        let what = format!("{} is not a language code", shown(&written[index]));
        table.problem(key, what, HINT);
        return None;
    }
    Some(Box::new(Languages { written, codes }))
}

fn plain(code: &str) -> String {
    code.trim().to_ascii_lowercase().replace('-', "_")
}

/// Two or three letters, then perhaps script or region.
fn is_code(code: &str) -> bool {
    let mut parts = code.split('_');
    let language = parts.next().unwrap_or_default();
    matches!(language.len(), 2 | 3)
        && language.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Whether `code` is `wanted` or a variety of it, without case, `-` being `_`.
fn is_a(code: &str, wanted: &str) -> bool {
    let code = code.trim().as_bytes();
    let same = |(a, b): (&u8, &u8)| match a {
        b'-' => *b == b'_',
        a => a.eq_ignore_ascii_case(b),
    };
    code.len() >= wanted.len()
        && code.iter().zip(wanted.as_bytes()).all(same)
        && matches!(code.get(wanted.len()), None | Some(b'-' | b'_'))
}

impl Condition for Languages {
    fn truth(&self, facts: &Facts<'_>) -> Truth {
        let code = facts.subject().review.language.as_deref().unwrap_or_default();
        self.codes.iter().any(|wanted| is_a(code, wanted)).into()
    }

    fn because(&self, facts: &Facts<'_>, truth: Truth) -> String {
        let code = facts.subject().review.language.as_deref().map(str::trim).unwrap_or_default();
        match truth {
            _ if code.is_empty() => "the review has no language".into(),
            Truth::Yes => format!("language is {}", shown(code)),
            _ => format!("language is {}, not {}", shown(code), any_of(&self.written)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::Draft;
    use crate::rules::condition::Truth;
    use crate::rules::testing::{check, problems};

    fn is(code: Option<&str>, wanted: &str) -> bool {
        let draft = Draft { language: code.map(str::to_owned), ..Draft::default() };
        check(&format!("languages = ['{wanted}']"), &draft).0 == Truth::Yes
    }

    #[test]
    fn a_language_holds_its_varieties() {
        for code in ["nl", "NL", "nl_NL", "nl-NL", "nl_BE", "Nl-be", " nl "] {
            assert!(is(Some(code), "nl"), "{code}");
            assert!(is(Some(code), "NL"), "{code}");
        }
        assert!(is(Some("nl-be"), "nl_BE"));
        assert!(is(Some("zh_Hant_TW"), "zh-hant"));
        for code in ["nl", "nl_NL", "nl_BEL", "n"] {
            assert!(!is(Some(code), "nl_BE"), "{code}");
        }
        for code in ["nld", "en_NL", "", "nλ"] {
            assert!(!is(Some(code), "nl"), "{code:?}");
        }
        assert!(!is(None, "nl"));
    }

    #[test]
    fn what_is_no_code_is_a_problem() {
        for wrong in ["Dutch", "n", "nl_", "nl__BE", "", "nl BE", "*"] {
            assert_eq!(problems(&format!("{{ languages = ['{wrong}'] }}")).len(), 1, "{wrong:?}");
        }
    }
}
