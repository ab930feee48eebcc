//! `languages`: codes such as `nl` or `nl_BE`, compared by BCP 47 with the review's `local_code`, which comes as `nl`,
//! `nl_NL`, `nl-NL`, `NL`, `nl_NL.UTF-8`, empty or not at all. Old and other codes of a language are one (`iw` is `he`,
//! `no` is `nb`); a script counts only where a rule names one.

use super::{Condition, Truth, any_of, list, shown};
use crate::rules::extent::Extent;
use crate::rules::facts::Facts;
use crate::settings::Table;
use icu_locale::subtags::{Language, Region, Script};
use icu_locale::{LanguageIdentifier, Locale, LocaleCanonicalizer, LocaleExpander};

/// The Norwegian of most texts.
const NORWEGIAN: Language = icu_locale::subtags::language!("nb");

struct Languages {
    written: Vec<String>,
    codes: Vec<Code>,
}

/// A code, its parts as Unicode spells them today.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Code {
    language: Language,
    script: Option<Script>,
    region: Option<Region>,
    /// What else it says, such as a dialect.
    variants: Vec<String>,
    /// Written `no`: both ways of writing Norwegian.
    norwegian: bool,
}

/// Reads `languages`.
pub(super) fn read(table: &Table<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    const HINT: &str = "write codes such as \"nl\" or \"nl_BE\"";
    let written = list(table, key, HINT)?;
    let codes: Vec<Option<Code>> = written.iter().map(|code| Code::strict(code)).collect();
    if let Some(index) = codes.iter().position(Option::is_none) {
        let what = format!("{} is not a language code", shown(&written[index]));
        table.problem(key, what, HINT);
        return None;
    }
    Some(Box::new(Languages { written, codes: codes.into_iter().flatten().collect() }))
}

impl Code {
    /// A code of a rule: every part of it must have the shape of one.
    fn strict(text: &str) -> Option<Self> {
        let plain = without_suffix(text);
        let is_part =
            |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
        if plain.split(['-', '_']).all(is_part) { Self::read(text) } else { None }
    }

    /// Whatever of `text` can be read: a language of two or three letters, then perhaps script, region and more.
    fn read(text: &str) -> Option<Self> {
        let plain = without_suffix(text).to_ascii_lowercase();
        let mut parts = plain.split(['-', '_']);
        let first = parts.next().filter(|first| matches!(first.len(), 2 | 3))?;
        let mut code = Self {
            language: Language::try_from_str(first).ok()?,
            script: modifier(text),
            region: None,
            variants: Vec::new(),
            norwegian: first == "no" || first == "nor",
        };
        for part in parts.filter(|part| !part.is_empty()) {
            // As .NET and some shops name the two ways of writing Chinese.
            let part = match part {
                "chs" if first == "zh" => "hans",
                "cht" if first == "zh" => "hant",
                part => part,
            };
            match (part.len(), Script::try_from_str(part), Region::try_from_str(part)) {
                (4, Ok(script), _) if code.script.is_none() => code.script = Some(script),
                (2 | 3, _, Ok(region)) if code.region.is_none() => code.region = Some(region),
                _ => code.variants.push(part.to_owned()),
            }
        }
        let id: LanguageIdentifier = (code.language, code.script, code.region).into();
        let mut locale = Locale::from(id);
        LocaleCanonicalizer::new_extended().canonicalize(&mut locale);
        let id = locale.id;
        (code.language, code.script, code.region) = (id.language, id.script, id.region);
        // CLDR keeps both; whoever writes `no` writes Bokmål.
        if code.language.as_str() == "no" {
            code.language = NORWEGIAN;
        }
        Some(code)
    }

    /// Whether it is `wanted` or a variety of it.
    fn is_a(&self, wanted: &Self) -> bool {
        let nynorsk = wanted.norwegian && self.language.as_str() == "nn";
        (self.language == wanted.language || nynorsk)
            && wanted.region.is_none_or(|region| self.region == Some(region))
            && wanted.script.is_none_or(|script| self.likely_script() == Some(script))
            && wanted.variants.iter().all(|variant| self.variants.contains(variant))
    }

    /// The script it names, else the one that its language is written in there: Taiwan's Chinese is traditional.
    fn likely_script(&self) -> Option<Script> {
        let mut id: LanguageIdentifier = (self.language, self.script, self.region).into();
        LocaleExpander::new_extended().maximize(&mut id);
        id.script
    }
}

/// Without what POSIX appends: `pt_BR.UTF-8`, `de_DE@euro`.
fn without_suffix(text: &str) -> &str {
    let text = text.trim();
    text.split_once(['.', '@']).map_or(text, |(code, _)| code)
}

/// The script that a POSIX modifier names: `sr_RS@latin`.
fn modifier(text: &str) -> Option<Script> {
    let (_, modifier) = text.trim().split_once('@')?;
    let script = match modifier.to_ascii_lowercase().as_str() {
        "latin" => "Latn",
        "cyrillic" => "Cyrl",
        "devanagari" => "Deva",
        _ => return None,
    };
    Script::try_from_str(script).ok()
}

impl std::fmt::Debug for Languages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Languages").field(&self.written).finish()
    }
}

impl Condition for Languages {
    fn truth(&self, facts: &Facts<'_>) -> Truth {
        let code = facts.subject().review.language.as_deref().and_then(Code::read);
        code.is_some_and(|code| self.codes.iter().any(|wanted| code.is_a(wanted))).into()
    }

    fn extent(&self) -> Extent {
        Extent::any_of(self.codes.iter().map(|code| format!("{code:?}")))
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
        for code in ["en_NL", "", "nλ", "nlx", "C", "POSIX", "-", "n-l"] {
            assert!(!is(Some(code), "nl"), "{code:?}");
        }
        assert!(!is(None, "nl"));
    }

    // J8
    #[test]
    fn codes_that_mean_the_same_match() {
        for (code, wanted) in [
            ("nb_NO", "no"),
            ("no_NO", "nb"),
            ("no_NO", "nb_NO"),
            ("nn_NO", "no"),
            ("he_IL", "iw"),
            ("iw", "he"),
            ("in_ID", "id"),
            ("id", "in"),
            ("ji", "yi"),
            ("fil_PH", "tl"),
            ("ro_MD", "mo"),
            ("sh", "sr"),
            ("nld", "nl"),
            ("dut", "nl"),
            ("ger_DE", "de"),
            ("fre", "fr"),
            ("en_UK", "en_GB"),
            ("zh_TW", "zh-Hant-TW"),
            ("zh-Hant-TW", "zh_TW"),
            ("zh_TW", "zh-Hant"),
            ("zh_HK", "zh_Hant"),
            ("zh", "zh-Hans"),
            ("zh_CN", "zh-CHS"),
            ("zh-CHT", "zh-Hant"),
            ("sr_RS@latin", "sr-Latn"),
            ("sr_RS", "sr-Cyrl"),
            ("pt_BR.UTF-8", "pt-BR"),
            ("pt-BR", "pt_BR.UTF-8"),
            ("de_DE@euro", "de"),
            ("de_DE.ISO-8859-15@euro", "de_DE"),
            ("ca_ES_valencia", "ca"),
            ("ca-valencia", "ca_valencia"),
            ("es_419", "es-419"),
        ] {
            assert!(is(Some(code), wanted), "{code} is {wanted}");
        }
        for (code, wanted) in [
            ("nn", "nb"),
            ("zh_CN", "zh_TW"),
            ("zh_CN", "zh-Hant"),
            ("zh", "zh-Hant"),
            ("sr", "sr-Latn"),
            ("pt_PT", "pt_BR"),
            ("ca", "ca-valencia"),
            ("no", "nb_NO"),
            ("da", "no"),
            ("es_ES", "es-419"),
        ] {
            assert!(!is(Some(code), wanted), "{code} is not {wanted}");
        }
    }

    #[test]
    fn what_is_no_code_is_a_problem() {
        for wrong in ["Dutch", "n", "nl_", "nl__BE", "", "nl BE", "*", "12", "nl_überall"] {
            assert_eq!(problems(&format!("{{ languages = ['{wrong}'] }}")).len(), 1, "{wrong:?}");
        }
    }
}
