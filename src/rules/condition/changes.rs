//! `changes`: the kind of the revision. A rule that does not say reacts to all but an edited text.

use super::{Condition, Truth, list, shown};
use crate::domain::Change;
use crate::rules::extent::Extent;
use crate::rules::facts::Facts;
use crate::settings::Table;
use crate::settings::table::{nearest, quoted};

#[derive(Debug)]
struct Changes(Vec<Change>);

/// The condition of a rule that does not name `changes`.
pub(in crate::rules) fn implied() -> Box<dyn Condition> {
    Box::new(Changes(Change::DEFAULT.to_vec()))
}

/// Reads `changes`.
pub(super) fn read(table: &Table<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    let names = Change::ALL.map(Change::as_str);
    let hint = format!("use any of: {}", quoted(&names));
    let written = list(table, key, &hint)?;
    let mut changes = Vec::with_capacity(written.len());
    for name in &written {
        match Change::parse(name) {
            Some(change) => changes.push(change),
            None => {
                let hint =
                    nearest(name, names).map_or(hint.clone(), |near| format!("did you mean `{near}`?"));
                table.problem(key, format!("unknown change {}", shown(name)), hint);
            }
        }
    }
    (changes.len() == written.len()).then(|| Box::new(Changes(changes)) as Box<dyn Condition>)
}

impl Condition for Changes {
    fn truth(&self, facts: &Facts<'_>) -> Truth {
        self.0.contains(&facts.subject().change).into()
    }

    fn extent(&self) -> Extent {
        Extent::any_of(self.0.iter().map(|change| change.as_str()))
    }

    fn because(&self, facts: &Facts<'_>, _: Truth) -> String {
        match facts.subject().change {
            Change::New => "the review is new",
            Change::Rating => "its rating changed",
            Change::TextAdded => "it got its first text",
            Change::Text => "its text changed",
        }
        .into()
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::Change;
    use crate::rules::Draft;
    use crate::rules::condition::Truth::{No, Yes};
    use crate::rules::testing::{check, problems};

    #[test]
    fn the_kind_of_the_revision() {
        let edited = Draft { change: Some(Change::Text), ..Draft::default() };
        assert_eq!(check("changes = ['text']", &edited), (Yes, "its text changed".into()));
        assert_eq!(check("changes = ['text']", &Draft::default()), (No, "the review is new".into()));
    }

    #[test]
    fn an_unknown_kind_names_the_nearest() {
        let found = problems("{ changes = ['text_aded', 'deleted'] }");
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].hint, "did you mean `text_added`?");
        assert_eq!(found[1].hint, "use any of: `new`, `rating`, `text_added`, `text`");
    }
}
