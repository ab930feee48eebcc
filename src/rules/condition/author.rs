//! `authors`: names of customers, case- and accent-insensitive.

use super::{Condition, Truth, any_of, list, shown};
use crate::rules::extent::Extent;
use crate::rules::facts::Facts;
use crate::settings::Table;
use crate::spelling::key as folded;

#[derive(Debug)]
struct Authors {
    written: Vec<String>,
    folded: Vec<String>,
}

/// Reads `authors`.
pub(super) fn read(table: &Table<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    let written = list(table, key, "list names of customers, or remove the key to match all")?;
    let folded = written.iter().map(|name| folded(name)).collect();
    Some(Box::new(Authors { written, folded }))
}

impl Condition for Authors {
    fn truth(&self, facts: &Facts<'_>) -> Truth {
        facts.author().is_some_and(|author| self.folded.iter().any(|name| name == author)).into()
    }

    fn extent(&self) -> Extent {
        Extent::any_of(self.folded.clone())
    }

    fn because(&self, facts: &Facts<'_>, truth: Truth) -> String {
        let author = facts.author().and(facts.subject().review.author.as_deref());
        match (author, truth) {
            (None, _) => "the customer is anonymous".into(),
            (Some(author), Truth::Yes) => format!("author is {}", shown(author)),
            (Some(author), _) => format!("author is {}, not {}", shown(author), any_of(&self.written)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::Draft;
    use crate::rules::condition::Truth::{No, Yes};
    use crate::rules::testing::check;

    #[test]
    fn names_whatever_case_and_accents() {
        let by = |name: &str| Draft { author: Some(name.into()), ..Draft::default() };
        let when = "authors = ['Renée  Groß', 'علي']";
        assert_eq!(check(when, &by("RENE\u{301}E GROSS")).0, Yes);
        assert_eq!(check(when, &by("علي")), (Yes, "author is `علي`".into()));
        assert_eq!(check(when, &by("Renée")), (No, "author is `Renée`, not `Renée  Groß` or `علي`".into()));
        for anonymous in [Draft::default(), by(" "), by("\u{200B}")] {
            assert_eq!(check(when, &anonymous), (No, "the customer is anonymous".into()));
        }
    }
}
