//! `contains_any`, `contains_all`: words and phrases in what the customer wrote.

use super::{Condition, NO_TEXT, Truth, all_of, any_of, list, shown};
use crate::rules::extent::Extent;
use crate::rules::facts::Facts;
use crate::rules::phrase::Phrase;
use crate::settings::Table;

#[derive(Debug)]
struct Words {
    written: Vec<String>,
    phrases: Vec<Phrase>,
    all: bool,
}

/// Reads `contains_any`.
pub(super) fn any(table: &Table<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    read(table, key, false)
}

/// Reads `contains_all`.
pub(super) fn all(table: &Table<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    read(table, key, true)
}

fn read(table: &Table<'_>, key: &'static str, all: bool) -> Option<Box<dyn Condition>> {
    const HINT: &str = "list words or phrases such as \"broken\" or \"never again\"; `*` is allowed only at the \
                        end: \"broke*\" matches words that start with \"broke\"";
    let written = list(table, key, HINT)?;
    let mut phrases = Vec::with_capacity(written.len());
    for text in &written {
        match Phrase::read(text) {
            Ok(phrase) => phrases.push(phrase),
            Err(fault) => table.problem(key, format!("{} {fault}", shown(text)), HINT),
        }
    }
    (phrases.len() == written.len()).then(|| Box::new(Words { written, phrases, all }) as Box<dyn Condition>)
}

impl Words {
    /// What was written for the phrases that the text has (or has not).
    fn those(&self, facts: &Facts<'_>, present: bool) -> Vec<&str> {
        let both = self.phrases.iter().zip(&self.written);
        both.filter(|(phrase, _)| is_in(phrase, facts) == present).map(|(_, text)| text.as_str()).collect()
    }
}

fn is_in(phrase: &Phrase, facts: &Facts<'_>) -> bool {
    facts.folded().iter().any(|text| phrase.is_in(text))
}

impl Condition for Words {
    fn truth(&self, facts: &Facts<'_>) -> Truth {
        let mut phrases = self.phrases.iter();
        Truth::from(match self.all {
            true => phrases.all(|phrase| is_in(phrase, facts)),
            false => phrases.any(|phrase| is_in(phrase, facts)),
        })
    }

    fn extent(&self) -> Extent {
        let phrases = self.phrases.iter().map(|phrase| format!("{phrase:?}")).collect();
        if self.all { Extent::AllOf(phrases) } else { Extent::AnyOf(phrases) }
    }

    fn because(&self, facts: &Facts<'_>, truth: Truth) -> String {
        if facts.folded().is_empty() {
            return NO_TEXT.into();
        }
        match (truth, self.all) {
            (Truth::Yes, _) => format!("text contains {}", all_of(&self.those(facts, true))),
            (_, true) => format!("text does not contain {}", any_of(&self.those(facts, false))),
            (_, false) => format!("text does not contain {}", any_of(&self.written)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::Draft;
    use crate::rules::condition::Truth::{No, Yes};
    use crate::rules::testing::{check, problems};

    #[test]
    fn words_of_title_and_text() {
        let draft = Draft {
            title: Some("Kapotte doos".into()),
            text: Some("Nooit meer!\nDe café-kop was STUK.".into()),
            ..Draft::default()
        };
        for (when, truth, because) in [
            ("contains_any = ['broken', 'cafe', 'stuk']", Yes, "text contains `cafe` and `stuk`"),
            ("contains_any = ['kapot*']", Yes, "text contains `kapot*`"),
            ("contains_any = ['kapot', 'stukken']", No, "text does not contain `kapot` or `stukken`"),
            ("contains_any = ['doos nooit']", No, "text does not contain `doos nooit`"),
            ("contains_all = ['nooit meer', 'DOOS']", Yes, "text contains `nooit meer` and `DOOS`"),
            ("contains_all = ['doos', 'geld', 'terug']", No, "text does not contain `geld` or `terug`"),
        ] {
            assert_eq!(check(when, &draft), (truth, because.into()), "{when}");
        }
        for when in ["contains_any = ['a']", "contains_all = ['a']"] {
            assert_eq!(check(when, &Draft::default()), (No, "the review has no text".into()));
        }
    }

    #[test]
    fn each_bad_phrase_is_a_problem() {
        assert_eq!(problems("{ contains_any = ['*', 'ok', 'a*b'] }").len(), 2);
        assert_eq!(problems("{ contains_all = [] }").len(), 1);
    }
}
