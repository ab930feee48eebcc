//! What holds for any review, any attempt, and any order: diff, intake and retry.

use crate::harness::{NOW, folder};
use proptest::prelude::*;
use review_bridge::config;
use review_bridge::domain::*;
use review_bridge::intake::{Audience, Intake, Plan, diff};
use review_bridge::outbox::retry::{FIRST_DELAY, LONGEST_DELAY, Situation, delay, verdict};
use review_bridge::store::sqlite::{Access, SqliteStore};
use review_bridge::store::*;
use review_bridge::upstream::{Item, read_item};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const CONFIG: &str = r#"
accounts.main.token = "t"
[destinations]
low = { type = "webhook", url = "https://low.example" }
all = { type = "webhook", url = "https://all.example" }
[[rules]]
name = "low"
when = { max_rating = 3, changes = ["new", "rating", "text_added", "text"] }
to = ["low"]
[[rules]]
name = "with a text"
when = { has_text = true }
to = ["all"]
"#;

/// The rules above, everything told at once.
pub fn plan() -> Plan {
    let loaded = config::read(CONFIG.into(), Path::new(".")).unwrap_or_else(|failure| panic!("{failure}"));
    let audience = Audience { recipients: vec![String::new()], at_once: true, ..Audience::default() };
    let names = loaded.settings.destinations.into_keys();
    Plan {
        policy: AccountPolicy { backfill: Backfill::All, ..loaded.settings.accounts["main"].policy.clone() },
        rules: loaded.settings.rules,
        audiences: Arc::new(names.map(|name| (name, audience.clone())).collect()),
    }
}

fn rating() -> impl Strategy<Value = NativeRating> {
    prop_oneof![
        (0..8u8).prop_map(|number| NativeRating::Number(f64::from(number) / 2.0)),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(NativeRating::Number),
        "yes|no|neutral|FIVE|\\PC{1,8}".prop_map(NativeRating::Word),
        Just(NativeRating::Missing),
    ]
}

/// A review of a few uuids, so that some meet again.
fn review() -> impl Strategy<Value = Review> {
    let text = || prop::option::of("[abc]{1,2}|\\PC{1,20}");
    (0..12u8, rating(), text(), text(), text(), prop::option::of(0..400u64)).prop_map(
        |(uuid, rating, text, author, title, days)| Review {
            account: "main".into(),
            uuid: format!("r{uuid}"),
            reviewed_at: days.map(|days| NOW.minus(Duration::from_secs(days * 86_400))),
            rating,
            text,
            author,
            title,
            ..Review::default()
        },
    )
}

/// What state knows of one, whose text may be kept no longer.
fn known() -> impl Strategy<Value = Known> {
    let states = prop::sample::select(ReviewState::ALL.to_vec());
    (prop::option::of(review()), states, any::<bool>()).prop_map(|(review, state, attempted)| Known {
        state,
        review,
        content_hash: String::new(),
        change: Change::New,
        previous: None,
        attempted,
        first_seen_at: NOW,
        changed_at: NOW,
    })
}

fn item(review: &Review) -> Item {
    Item::Review(Box::new(review.clone()))
}

/// What the state holds of reviews and deliveries, without what depends on the order they came in.
async fn held(store: &SqliteStore) -> BTreeMap<String, (ReviewState, u32, Option<Review>, BTreeSet<String>)> {
    let reviews =
        store.list_reviews(&ReviewFilter { limit: 1_000, ..ReviewFilter::default() }).await.unwrap();
    let filter = DeliveryFilter { limit: 1_000, ..DeliveryFilter::default() };
    let deliveries = store.list_deliveries(&filter).await.unwrap();
    let deliveries_of = |uuid: &str| -> BTreeSet<String> {
        let of = deliveries.iter().filter(|row| row.uuid == uuid);
        of.map(|row| format!("{} {} {:?}", row.destination, row.revision, row.state)).collect()
    };
    let held = reviews.into_iter().map(|row| {
        let deliveries = deliveries_of(&row.uuid);
        (row.uuid, (row.state, row.revision, row.review, deliveries))
    });
    held.collect()
}

/// What is held after `pages` have been taken in.
async fn after(
    pages: &[Vec<Review>],
) -> BTreeMap<String, (ReviewState, u32, Option<Review>, BTreeSet<String>)> {
    let folder = folder();
    let store = SqliteStore::open(&folder.path().join("state.db"), Access::Own).await.unwrap();
    let (plan, catalog) = (plan(), Catalog::default());
    let intake = Intake { account: "main", plan: &plan, catalog: Some(&catalog), baseline: false, now: NOW };
    for page in pages {
        intake.take(&store, page.iter().map(item).collect()).await.unwrap();
    }
    let held = held(&store).await;
    store.close().await;
    held
}

fn wait_for<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_change_is_of_rating_or_text_and_seen_from_both_sides(before in review(), after in review()) {
        prop_assert_eq!(diff::change(&before, &before), None);
        let differs = before.rating != after.rating || before.text != after.text;
        prop_assert_eq!(diff::change(&before, &after).is_some(), differs);
        prop_assert_eq!(diff::change(&after, &before).is_some(), differs);
        let told = Review { rating: before.rating.clone(), text: before.text.clone(), ..after };
        prop_assert_eq!(diff::change(&before, &told), None, "no other field makes an edit");
        let previous = diff::previous(&before, None);
        prop_assert_eq!((previous.rating, previous.text), (before.rating, before.text));
    }

    #[test]
    fn what_is_decided_of_a_review_knows_no_order(
        reviews in prop::collection::vec((review(), "[ab]\\.[ab]", prop::option::of((known(), "[ab]\\.[ab]"))), 1..8),
        start in any::<prop::sample::Index>(),
    ) {
        let (plan, catalog) = (plan(), Catalog::default());
        let intake = Intake { account: "main", plan: &plan, catalog: Some(&catalog), baseline: false, now: NOW };
        let scales = review_bridge::rules::Scales::default();
        let known = |(known, content_hash): (Known, String)| Known { content_hash, ..known };
        let arrivals: Vec<_> = reviews.into_iter().map(|(review, hash, before)| (review, hash, before.map(known))).collect();
        let decide = |(review, hash, known): &(Review, String, Option<Known>)| {
            intake.decide(Arrival { review, content_hash: hash, known: known.as_ref() }, &scales)
        };
        let decided: Vec<Decision> = arrivals.iter().map(decide).collect();
        let start = start.index(arrivals.len());
        for index in (start..arrivals.len()).chain(0..start).rev() {
            prop_assert_eq!(&decide(&arrivals[index]), &decided[index]);
        }
    }

    #[test]
    fn state_keeps_a_review_as_it_is(review in review()) {
        let kept: Review = serde_json::from_str(&serde_json::to_string(&review).unwrap()).unwrap();
        prop_assert_eq!(diff::change(&review, &kept), None, "{:?} {:?}", review, kept);
        prop_assert_eq!(review, kept);
    }

    #[test]
    fn a_pause_grows_up_to_an_hour(attempt in 1..u32::MAX, random in -1.0..2.0f64, more in 0.0..1.0f64) {
        let pause = delay(attempt, random);
        prop_assert!(pause >= FIRST_DELAY.mul_f64(0.75) && pause <= LONGEST_DELAY);
        prop_assert!(delay(attempt + 1, random) >= pause, "with the attempt");
        prop_assert!(delay(attempt, random + more) >= pause, "with chance");
        // The shortest after one attempt is no shorter than the longest before it, until the hour is reached.
        prop_assert!(delay(attempt + 1, 0.0) >= delay(attempt, 1.0).min(LONGEST_DELAY.mul_f64(0.75)));
    }

    #[test]
    fn what_follows_from_an_attempt_is_bounded_and_forgets_nothing(
        situation in situation(), outcome in outcome(),
    ) {
        let follows = verdict(&outcome, &situation);
        let now = situation.now;
        prop_assert!(follows.next_at >= now && follows.next_at <= now.plus(LONGEST_DELAY));
        prop_assert!(!situation.possible_repeat || follows.possible_repeat, "what may have arrived may have arrived");
        prop_assert!(situation.form == Form::Full || follows.form != Form::Full, "refused once is refused");
        prop_assert_eq!(follows.reason.is_some(), follows.state == DeliveryState::Dead);
        if let Some(until) = follows.hold {
            prop_assert!(until >= now && until <= now.plus(LONGEST_DELAY));
        }
        if matches!(follows.evidence, Outcome::Broken { .. }) {
            prop_assert!(follows.state == DeliveryState::Pending, "a broken destination keeps its messages");
        }
        let over = situation.elapsed >= situation.give_up_after && !situation.was_stopped;
        if let Outcome::Retry { after, .. } = outcome {
            prop_assert_eq!(follows.state == DeliveryState::Dead, over);
            let asked = after.unwrap_or_default().min(LONGEST_DELAY);
            prop_assert!(over || follows.next_at >= now.plus(asked), "not before it was asked for");
        }
    }

    #[test]
    fn trying_ends_and_not_before_its_time(
        outcomes in prop::collection::vec(failing(), 1..8), hours in 0..100u64, random in 0.0..1.0f64,
    ) {
        let give_up_after = Duration::from_secs(hours * 3600);
        let mut situation = Situation { give_up_after, random, ..first_try() };
        for outcome in outcomes.iter().cycle() {
            let follows = verdict(outcome, &situation);
            prop_assert!(situation.elapsed <= give_up_after + LONGEST_DELAY);
            if follows.state == DeliveryState::Dead {
                break;
            }
            prop_assert!(situation.elapsed < give_up_after);
            // It is due then, and every pause is long enough that trying ends.
            prop_assert!(follows.next_at >= situation.now.plus(FIRST_DELAY.mul_f64(0.75)));
            situation.elapsed += follows.next_at.since(situation.now);
            situation.now = follows.next_at;
            situation.attempt += 1;
        }
    }
}

proptest! {
    // Each case is four states on disk.
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_taken_in_knows_no_order_and_no_pages_and_twice_is_once(
        reviews in prop::collection::btree_map("r[0-9]{1,2}", review(), 1..20),
        edits in prop::collection::btree_map("r[0-9]{1,2}", review(), 0..20),
        size in 1..8usize,
    ) {
        let named = |map: BTreeMap<String, Review>| -> Vec<Review> {
            map.into_iter().map(|(uuid, review)| Review { uuid, ..review }).collect()
        };
        let (first, then) = (named(reviews), named(edits));
        let backwards = |list: &[Review]| list.iter().rev().cloned().collect::<Vec<_>>();
        let pages = |list: &[Review]| list.chunks(size).map(<[Review]>::to_vec).collect::<Vec<_>>();
        let plainly = [first.clone(), then.clone()];
        let otherwise = [pages(&backwards(&first)), pages(&backwards(&then))].concat();
        let twice = [first.clone(), first.clone(), then.clone(), then.clone()];
        let (plainly, otherwise, twice) =
            wait_for(async { (after(&plainly).await, after(&otherwise).await, after(&twice).await) });
        prop_assert_eq!(&plainly, &otherwise);
        prop_assert_eq!(&plainly, &twice);
    }
}

fn first_try() -> Situation {
    Situation {
        attempt: 1,
        elapsed: Duration::ZERO,
        give_up_after: Duration::ZERO,
        form: Form::Full,
        reviews: 1,
        is_summary: false,
        possible_repeat: false,
        was_stopped: false,
        now: NOW,
        random: 0.0,
    }
}

fn situation() -> impl Strategy<Value = Situation> {
    let times = (1..100_000u32, 0..400_000u64, 0..400_000u64, 0.0..1.0f64);
    (times, any::<[bool; 3]>()).prop_map(
        |((attempt, elapsed, give_up_after, random), [plain, repeat, stopped])| Situation {
            attempt,
            elapsed: Duration::from_secs(elapsed),
            give_up_after: Duration::from_secs(give_up_after),
            form: if plain { Form::Plain } else { Form::Full },
            is_summary: attempt % 3 == 0,
            possible_repeat: repeat,
            reviews: (attempt % 4) as usize,
            was_stopped: stopped,
            now: NOW,
            random,
        },
    )
}

fn failing() -> impl Strategy<Value = Outcome> {
    let asked = prop::option::of((0..1_000_000u64).prop_map(Duration::from_secs));
    (prop::sample::select(Reason::ALL), asked, any::<bool>())
        .prop_map(|(reason, after, ambiguous)| Outcome::Retry { reason, after, ambiguous })
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let reason = || prop::sample::select(Reason::ALL);
    prop_oneof![
        Just(Outcome::Delivered),
        Just(Outcome::Accepted),
        failing(),
        reason().prop_map(|reason| Outcome::Dead { reason }),
        reason().prop_map(|reason| Outcome::Broken { reason }),
    ]
}

/// What the API might write as a date, of any type.
fn written_date() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::json;
    prop_oneof![
        any::<i64>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        any::<i64>().prop_map(|number| json!(number.to_string())),
        (-300_000_000_000_i64..5_000_000_000).prop_map(|seconds| json!(seconds)),
        "[0-9]{1,4}-[0-9]{1,2}-[0-9]{1,2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
            .prop_map(|text| json!(text)),
        "\\PC{0,30}".prop_map(|text| json!(text)),
    ]
}

/// The date of a review that was written so, as intake sees it.
fn read_date(written: &serde_json::Value) -> Option<Timestamp> {
    let raw = serde_json::json!({ "uuid": "a", "review_at": written }).to_string();
    match read_item(&raw, "main", false) {
        Item::Review(review) => ledger::believable(review.reviewed_at, NOW),
        Item::Malformed(_) => panic!("{raw}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    // F5
    #[test]
    fn no_review_is_of_before_2000_or_of_the_future(written in written_date()) {
        if let Some(date) = read_date(&written) {
            prop_assert!(date >= ledger::EARLIEST_DATE && date <= NOW.plus(ledger::LATEST_DATE), "{written}");
        }
    }

    // F5
    #[test]
    fn a_date_is_the_same_in_every_form(seconds in 946_684_800_i64..1_772_366_400) {
        let date = Timestamp(seconds * 1000);
        let text = review_bridge::clock::rfc3339(date);
        let forms = [
            serde_json::json!(text),
            serde_json::json!(text.replace('T', " ").trim_end_matches('Z')),
            serde_json::json!(text.replace('Z', ".000000Z")),
            serde_json::json!(text.replace('Z', "+00:00")),
            serde_json::json!(seconds),
            serde_json::json!(seconds * 1000),
            serde_json::json!(seconds.to_string()),
            serde_json::json!((seconds * 1000).to_string()),
        ];
        for form in forms {
            prop_assert_eq!(read_date(&form), Some(date), "{}", form);
        }
    }
}
