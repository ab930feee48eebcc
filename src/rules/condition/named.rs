//! `accounts`, `websites`, `sources`, `platforms`: names or uuids, folded. If a name is not known (yet),
//! the answer is unknown rather than no.

use super::{Condition, Truth, all_of, any_of, list};
use crate::rules::extent::Extent;
use crate::rules::facts::{Facts, NameKind};
use crate::settings::Table;
use crate::spelling::key as folded;

#[derive(Debug)]
struct Named {
    kind: NameKind,
    names: Vec<String>,
    keys: Vec<String>,
}

/// Reads `accounts`.
pub(super) fn accounts(table: &Table<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    read(table, key, NameKind::Account)
}

/// Reads `websites`.
pub(super) fn websites(table: &Table<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    read(table, key, NameKind::Website)
}

/// Reads `sources`.
pub(super) fn sources(table: &Table<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    read(table, key, NameKind::Source)
}

/// Reads `platforms`.
pub(super) fn platforms(table: &Table<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    read(table, key, NameKind::Platform)
}

fn read(table: &Table<'_>, key: &'static str, kind: NameKind) -> Option<Box<dyn Condition>> {
    let names = list(table, key, "list names or uuids, or remove the key to match all")?;
    let keys = names.iter().map(|name| folded(name)).collect();
    Some(Box::new(Named { kind, names, keys }))
}

impl Condition for Named {
    fn truth(&self, facts: &Facts<'_>) -> Truth {
        if facts.keys(self.kind).iter().any(|key| self.keys.contains(key)) {
            Truth::Yes
        } else if facts.are_known(self.kind) {
            Truth::No
        } else {
            Truth::Unknown
        }
    }

    fn extent(&self) -> Extent {
        Extent::any_of(self.keys.clone())
    }

    fn because(&self, facts: &Facts<'_>, truth: Truth) -> String {
        let word = self.kind.as_str();
        let names = facts.names(self.kind);
        match truth {
            Truth::Yes => format!("{word} is {}", super::shown(self.listed(facts, &names))),
            Truth::No if names.is_empty() => format!("the review has no {word}"),
            Truth::No => format!("{word} is {}, not {}", all_of(&names), any_of(&self.names)),
            Truth::Unknown => unknown(self.kind, facts),
        }
    }

    fn names(&self) -> &[String] {
        &self.names
    }
}

impl Named {
    /// Which of the review's `names` is listed; one listed by uuid is shown as written.
    fn listed<'a>(&'a self, facts: &'a Facts<'_>, names: &[&'a str]) -> &'a str {
        let by_name = names.iter().copied().find(|name| self.keys.contains(&folded(name)));
        let by_uuid = || {
            let known = facts.keys(self.kind);
            let index = self.keys.iter().position(|key| known.contains(key));
            index.and_then(|index| self.names.get(index)).map_or("", String::as_str)
        };
        by_name.unwrap_or_else(by_uuid)
    }
}

fn unknown(kind: NameKind, facts: &Facts<'_>) -> String {
    let subject = facts.subject();
    match (kind, &subject.source) {
        (NameKind::Website, None) => "the review names no source, so its websites are unknown".into(),
        (NameKind::Website, Some(_)) if !subject.websites_known => {
            "the source is unknown, so its websites are too".into()
        }
        (NameKind::Platform, _) if subject.platform.is_none() => {
            "the source is unknown, so its platform is too".into()
        }
        _ => format!("the name of {} {} is unknown", kind.as_str(), all_of(&facts.names(kind))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::{Named, Subject};
    use crate::rules::Draft;
    use crate::rules::testing::{check, check_subject, problems, subject};

    fn draft() -> Draft {
        Draft {
            account: Some("main".into()),
            websites: vec!["Shop NL".into(), "Shop BE".into()],
            platform: Some("Google".into()),
            source: Some("Google Amsterdam".into()),
            ..Draft::default()
        }
    }

    #[test]
    fn names_are_compared_without_case() {
        for (when, truth, because) in [
            ("websites = ['shop nl ']", Truth::Yes, "website is `Shop NL`"),
            ("websites = ['x', 'SHOP BE']", Truth::Yes, "website is `Shop BE`"),
            ("websites = ['Shop']", Truth::No, "website is `Shop NL` and `Shop BE`, not `Shop`"),
            (
                "accounts = ['a', 'b', 'c', 'd', 'e', 'f']",
                Truth::No,
                "account is `main`, not `a`, `b`, `c`, `d` or 2 more",
            ),
            ("platforms = ['gOOgle']", Truth::Yes, "platform is `Google`"),
            ("platforms = ['eBay', 'Kiyoh']", Truth::No, "platform is `Google`, not `eBay` or `Kiyoh`"),
            ("sources = ['google amsterdam']", Truth::Yes, "source is `Google Amsterdam`"),
            ("accounts = ['main']", Truth::Yes, "account is `main`"),
        ] {
            assert_eq!(check(when, &draft()), (truth, because.into()), "{when}");
        }
        assert_eq!(
            check("websites = ['a']", &Draft::default()),
            (Truth::No, "the review has no website".into())
        );
    }

    #[test]
    fn uuids_work_like_names() {
        let mut subject = subject(&draft());
        subject.websites = vec![Named { uuid: "0190-AB".into(), name: "Shop NL".into() }];
        let found = check_subject("websites = ['0190-ab']", &subject);
        assert_eq!(found, (Truth::Yes, "website is `0190-ab`".into()));
    }

    fn of_unknown_source() -> Subject {
        let unnamed = Named { uuid: "s-1".into(), name: "s-1".into() };
        Subject {
            source: Some(unnamed),
            platform: None,
            websites: Vec::new(),
            websites_known: false,
            ..subject(&draft())
        }
    }

    #[test]
    fn what_an_unknown_source_hides_is_unknown() {
        let subject = of_unknown_source();
        for (when, because) in [
            ("websites = ['Shop NL']", "the source is unknown, so its websites are too"),
            ("platforms = ['Google']", "the source is unknown, so its platform is too"),
            ("sources = ['Google Amsterdam']", "the name of source `s-1` is unknown"),
        ] {
            assert_eq!(check_subject(when, &subject), (Truth::Unknown, because.into()), "{when}");
        }
        assert_eq!(check_subject("sources = ['S-1']", &subject).0, Truth::Yes);
        let subject = Subject { source: None, ..subject };
        let because = "the review names no source, so its websites are unknown";
        assert_eq!(check_subject("websites = ['a']", &subject), (Truth::Unknown, because.into()));
        assert_eq!(
            check_subject("sources = ['a']", &subject),
            (Truth::No, "the review has no source".into())
        );
        assert_eq!(check_subject("platforms = ['a']", &subject).0, Truth::No);
    }

    // J2
    #[test]
    fn a_name_matches_as_it_was_copied() {
        let named = Named { uuid: "ABC".into(), name: "Wine & Dine – O’Connor’s Café".into() };
        let subject = Subject { websites: vec![named], ..subject(&draft()) };
        for wanted in [
            "abc",
            "Wine & Dine – O’Connor’s Café",
            "wine &amp; dine - o'connor's cafe",
            "Wine&nbsp;&amp; Dine &ndash; O&#39;Connor&rsquo;s Cafe\\u0301",
            "Wine\\u00A0& Dine\\u200B – O’Connor’s Café",
        ] {
            let when = format!("websites = [\"{wanted}\"]");
            assert_eq!(check_subject(&when, &subject).0, Truth::Yes, "{wanted}");
        }
        assert_eq!(check_subject("websites = ['Wine']", &subject).0, Truth::No);
    }

    // J2
    #[test]
    fn names_that_fold_alike_both_match() {
        for name in ["Café", "CAFE", "Cafe\u{301}"] {
            let named = Named { uuid: "w".into(), name: name.into() };
            let subject = Subject { websites: vec![named], ..subject(&draft()) };
            assert_eq!(check_subject("websites = ['cafe']", &subject).0, Truth::Yes, "{name}");
        }
    }

    #[test]
    fn hostile_names_are_shown_on_one_line() {
        let draft = Draft { platform: Some("a\u{1b}[31m\nb\u{202E}".into()), ..Draft::default() };
        assert_eq!(check("platforms = ['x']", &draft).1, "platform is `a[31m b`, not `x`");
    }

    #[test]
    fn empty_lists_and_names_are_problems() {
        for when in ["websites = []", "sources = ['']", "platforms = [' ']"] {
            assert_eq!(problems(&format!("{{ {when} }}")).len(), 1, "{when}");
        }
    }
}
