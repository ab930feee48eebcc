//! Problems with names and scales: what nothing bears, what was learnt, what does not fit. Pure.

use crate::domain::{ProblemKind, ScaleReason};
use crate::store::{ProblemFacts, ScaleRecord};
use std::collections::BTreeMap;

/// How many are named in one notice.
const NAMED: usize = 5;

/// A problem as its notice words it: kind, account, what happened, what to do.
pub(super) type Worded = (ProblemKind, String, String, String);

/// All problems with names and scales.
pub(super) fn assess(facts: &ProblemFacts) -> Vec<Worded> {
    let mut problems = unknown(facts);
    let learnt = |record: &&ScaleRecord| {
        let reason = record.scale.map(|scale| scale.reason);
        matches!(reason, Some(ScaleReason::Learnt | ScaleReason::Contradicted))
    };
    problems.extend(of_scales(facts, ProblemKind::ScaleLearnt, learnt, |record, name| {
        let scale = record.scale?;
        Some(format!("`{name}` is read on a scale of {}: {}", scale.top, scale.reason.because()))
    }));
    let exceeded = |record: &&ScaleRecord| record.scale.is_some_and(|scale| record.seen.highest > scale.top);
    problems.extend(of_scales(facts, ProblemKind::RatingsUnreadable, exceeded, |record, name| {
        let (highest, scale) = (record.seen.highest, record.scale?);
        Some(format!("`{name}` shows a rating of {highest}, above its scale of {}: it is unknown", scale.top))
    }));
    problems
}

fn unknown(facts: &ProblemFacts) -> Vec<Worded> {
    let mut texts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for name in &facts.unknown_names {
        texts.entry(&name.account).or_default().push(name.text.clone());
    }
    let problem = |(account, texts): (&str, Vec<String>)| {
        let text = format!("account `{account}` has no such names: {}", joined(texts));
        let hint = "use the names as ShopReviews shows them; until then they match nothing. \
                    `review-bridge check` lists all of them";
        (ProblemKind::UnknownNames, account.to_owned(), text, hint.to_owned())
    };
    texts.into_iter().map(problem).collect()
}

fn of_scales(
    facts: &ProblemFacts,
    kind: ProblemKind,
    is_one: impl Fn(&&ScaleRecord) -> bool,
    text: impl Fn(&ScaleRecord, &str) -> Option<String>,
) -> Vec<Worded> {
    let mut texts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for record in facts.scales.iter().filter(is_one) {
        let account = facts.accounts.iter().find(|account| account.name == record.account);
        let catalog = account.and_then(|account| account.catalog.as_ref());
        let named = catalog.and_then(|catalog| catalog.named(&record.source));
        let name = named.map_or(record.source.as_str(), |named| named.name.as_str());
        texts.entry(&record.account).or_default().extend(text(record, name));
    }
    let problem = |(account, texts): (&str, Vec<String>)| {
        let text = format!("ratings of account `{account}`: {}", joined(texts));
        let hint = format!("if that is wrong, set `accounts.{account}.rating_scales`, by source or platform");
        (kind, account.to_owned(), text, hint)
    };
    texts.into_iter().map(problem).collect()
}

fn joined(mut texts: Vec<String>) -> String {
    let more = texts.len().saturating_sub(NAMED);
    texts.truncate(NAMED);
    if more > 0 {
        texts.push(format!("{more} more"));
    }
    texts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Scale, SeenRatings};
    use crate::store::UnknownName;

    fn record(top: f64, reason: ScaleReason, highest: f64) -> ScaleRecord {
        ScaleRecord {
            account: "main".into(),
            source: "s1".into(),
            seen: SeenRatings { numbers: 9, above_five: 0, highest },
            scale: Some(Scale { top, reason }),
            since: None,
        }
    }

    fn kinds(scales: Vec<ScaleRecord>) -> Vec<ProblemKind> {
        let facts = ProblemFacts { scales, ..ProblemFacts::default() };
        assess(&facts).into_iter().map(|(kind, ..)| kind).collect()
    }

    // first-use 2
    #[test]
    fn a_scale_that_was_learnt_or_is_exceeded_is_a_warning() {
        assert_eq!(kinds(vec![record(10.0, ScaleReason::Learnt, 9.0)]), [ProblemKind::ScaleLearnt]);
        assert_eq!(kinds(vec![record(5.0, ScaleReason::Contradicted, 5.0)]), [ProblemKind::ScaleLearnt]);
        assert_eq!(kinds(vec![record(5.0, ScaleReason::Documented, 9.0)]), [ProblemKind::RatingsUnreadable]);
        assert_eq!(kinds(vec![record(10.0, ScaleReason::Documented, 9.0)]), []);
    }

    // J1
    #[test]
    fn unknown_names_are_one_notice_for_each_account() {
        let name = |text: &str| UnknownName { account: "main".into(), text: text.into() };
        let facts = ProblemFacts {
            unknown_names: (0..7).map(|number| name(&format!("name {number}"))).collect(),
            ..ProblemFacts::default()
        };
        let problems = assess(&facts);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].2.contains("name 0; name 1") && problems[0].2.contains("2 more"), "{problems:?}");
    }
}
