//! What the operations are about: accounts with rules of their own, names, reviews, notices.

use super::ops::{ACCOUNTS, DESTINATIONS, Says};
use review_bridge::domain::{
    AccountPolicy, Backfill, Catalog, MessageKind, Named, NativeRating, ProblemKind, Review,
    Source as Origin, Timestamp, Unmatched,
};
use review_bridge::intake::{Audience, Plan};
use review_bridge::rules::{Rule, read_rules};
use review_bridge::settings::{Problems, Source, Table};
use review_bridge::store::{NewMessage, ProblemRecord};
use review_bridge::upstream::{Item, Malformed};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// When everything begins.
pub const START: Timestamp = Timestamp(1_772_366_400_000);

const RULES: &str = r#"
[[rules]]
name = "bad"
when = { max_rating = 2 }
to = ["chat"]
[[rules]]
name = "German"
when = { websites = ["Shop DE"] }
to = ["mail"]
[[rules]]
name = "every word"
when = { has_text = true, changes = ["new", "rating", "text_added", "text"] }
to = ["daily", "chat"]
"#;

const OTHER_RULES: &str = r#"
[[rules]]
name = "good"
when = { min_rating = 4 }
to = ["mail", "daily"]
[[rules]]
name = "bad"
when = { max_rating = 2, has_text = true }
to = ["chat"]
"#;

fn rules(text: &str) -> Arc<[Rule]> {
    let dict = toml::from_str(text).unwrap();
    let source = Source {
        folder: ".".into(),
        file: "config.toml".into(),
        environment: Vec::new(),
        problems: Problems::default(),
    };
    let rules = read_rules(&Table::new("", &dict, &source), &DESTINATIONS.map(str::to_owned));
    assert_eq!(source.problems.into_vec(), []);
    rules.into()
}

/// Who is behind the destination of that number.
pub fn recipients(destination: usize) -> Vec<String> {
    if destination == 0 {
        vec![String::new()]
    } else {
        vec!["a@shop.example".into(), "b@shop.example".into()]
    }
}

/// The plans of the accounts, with these rules and with others.
pub fn plans() -> [[Plan; 2]; 2] {
    let audience = |index: usize| Audience {
        recipients: recipients(index),
        at_once: index < 2,
        skip_if_read: index == 0,
    };
    let audiences =
        DESTINATIONS.iter().enumerate().map(|(index, name)| ((*name).to_owned(), audience(index)));
    let audiences: Arc<BTreeMap<String, Audience>> = Arc::new(audiences.collect());
    let policies = [
        AccountPolicy { unmatched: Unmatched::MarkRead, ..AccountPolicy::default() },
        AccountPolicy {
            settle: Duration::from_secs(5),
            backfill: Backfill::All,
            unmatched: Unmatched::MarkRead,
            ..AccountPolicy::default()
        },
    ];
    [RULES, OTHER_RULES].map(|text| {
        let rules = rules(text);
        policies.clone().map(|policy| Plan { policy, rules: rules.clone(), audiences: audiences.clone() })
    })
}

/// Names that know two sources, one of them on a website.
pub fn catalog() -> Catalog {
    let named = |uuid: &str, name: &str| Named { uuid: uuid.into(), name: name.into() };
    let source = |uuid: &str, websites: &[&str]| Origin {
        named: named(uuid, "Google"),
        url: None,
        review_link: None,
        platform_uuid: None,
        website_uuids: websites.iter().map(|uuid| (*uuid).to_owned()).collect(),
        last_sync_at: None,
        next_sync_at: None,
        average: None,
        reviews: None,
    };
    Catalog {
        sources: [("s0".to_owned(), source("s0", &[])), ("s1".to_owned(), source("s1", &["w1"]))].into(),
        websites: [("w1".to_owned(), named("w1", "Shop DE"))].into(),
        ..Catalog::default()
    }
}

/// A review as it is listed at `now`.
pub fn item(account: usize, says: Says, now: Timestamp) -> Item {
    let ago = |days: u64| now.minus(Duration::from_secs(days * 86_400));
    Item::Review(Box::new(Review {
        account: ACCOUNTS[account].into(),
        uuid: format!("u{}", says.uuid),
        rating: NativeRating::Number(f64::from(says.rating) * 2.0 + 1.0),
        text: [None, Some("gut"), Some("kaputt")][usize::from(says.text)].map(str::to_owned),
        author: (says.author == 1).then(|| "Kim".into()),
        source_uuid: [Some("s0"), Some("s1"), Some("s2")][usize::from(says.source)].map(str::to_owned),
        reviewed_at: [None, Some(ago(0)), Some(START), Some(ago(400))][usize::from(says.age)],
        ..Review::default()
    }))
}

/// An item without a uuid.
pub fn malformed() -> Item {
    Item::Malformed(Malformed { hash: "0a".into(), reason: "it has no `uuid`".into(), payload: "{}".into() })
}

/// A notice or a test, one of few.
pub fn notice(destination: &str, which: u8) -> NewMessage {
    NewMessage {
        id: format!("msg_{destination}{which}"),
        destination: destination.to_owned(),
        recipient: String::new(),
        kind: if which.is_multiple_of(2) { MessageKind::Operator } else { MessageKind::Test },
        content: "{}".into(),
    }
}

/// A problem, one of few.
pub fn problem(which: u8, now: Timestamp) -> ProblemRecord {
    ProblemRecord {
        kind: ProblemKind::DestinationBroken,
        subject: DESTINATIONS[usize::from(which % 3)].into(),
        text: format!("it is broken ({which})"),
        hint: "fix it".into(),
        since: now,
        notified_at: which.is_multiple_of(2).then_some(now),
        over_at: None,
    }
}
