//! Names and scales over time: what is not known yet is matched when it is, and nothing is sent twice for it.

use crate::harness::{KIYOH_NL, NOW, folder};
use review_bridge::domain::{
    AccountPolicy, Backfill, Catalog, DeliveryState, Named, NativeRating, RatingScales, Review, ScaleReason,
    Source as Origin, Timestamp, Unmatched,
};
use review_bridge::intake::{Audience, Intake, Plan};
use review_bridge::rules::read_rules;
use review_bridge::settings::{Problems, Source, Table};
use review_bridge::spelling::key;
use review_bridge::store::sqlite::{Access, SqliteStore};
use review_bridge::store::*;
use review_bridge::upstream::Item;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A source of a platform whose scale nobody documents.
const STAMPED: &str = "50a2ce00-0000-4000-8000-000000000014";
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

fn plan(rules: &str, policy: AccountPolicy) -> Plan {
    let dict = toml::from_str(rules).unwrap();
    let problems = Problems::default();
    let source = Source { folder: ".".into(), file: "config.toml".into(), environment: Vec::new(), problems };
    let rules = read_rules(&Table::new("", &dict, &source), &["support".to_owned()]);
    assert_eq!(source.problems.into_vec(), []);
    let audience = Audience { recipients: vec![String::new()], at_once: true, skip_if_read: false };
    Plan { policy, rules: rules.into(), audiences: Arc::new([("support".to_owned(), audience)].into()) }
}

const UNHAPPY: &str = "rules = [{ name = 'unhappy', when = { max_rating = 2 }, to = ['support'] }]";
const OF_SHOP: &str = "rules = [{ name = 'shop', when = { websites = ['Shop NL'] }, to = ['support'] }]";

fn named(uuid: &str, name: &str) -> Named {
    Named { uuid: uuid.into(), name: name.into() }
}

/// A source `s1` of a platform that nobody documents, on `Shop NL`.
fn catalog() -> Catalog {
    let source = Origin {
        named: named("s1", "Reviewer NL"),
        platform_uuid: Some("p1".into()),
        website_uuids: vec!["w1".into()],
        ..Origin::default()
    };
    Catalog {
        sources: [("s1".to_owned(), source)].into(),
        websites: [("w1".to_owned(), named("w1", "Shop NL"))].into(),
        platforms: [("p1".to_owned(), named("p1", "Reviewer"))].into(),
        ..Catalog::default()
    }
}

struct Bench {
    store: SqliteStore,
    plan: Plan,
    catalog: Option<Catalog>,
    baseline: bool,
    now: Timestamp,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn new(plan: Plan) -> Self {
        let folder = folder();
        let store = SqliteStore::open(&folder.path().join("state.db"), Access::Beside).await.unwrap();
        Self { store, plan, catalog: Some(catalog()), baseline: false, now: NOW, _folder: folder }
    }

    fn intake(&self) -> Intake<'_> {
        Intake {
            account: "main",
            plan: &self.plan,
            catalog: self.catalog.as_ref(),
            baseline: self.baseline,
            now: self.now,
        }
    }

    async fn take(&self, reviews: &[(&str, f64)]) -> IntakeReport {
        let item = |(uuid, rating): &(&str, f64)| {
            Item::Review(Box::new(Review {
                account: "main".into(),
                uuid: (*uuid).into(),
                rating: NativeRating::Number(*rating),
                source_uuid: Some("s1".into()),
                reviewed_at: Some(NOW),
                ..Review::default()
            }))
        };
        self.intake().take(&self.store, reviews.iter().map(item).collect()).await.unwrap()
    }

    async fn route_waiting(&self) -> IntakeReport {
        self.intake().route_waiting(&self.store, 500).await.unwrap()
    }

    async fn names_loaded(&mut self, catalog: Catalog) {
        self.store.save_catalog("main", &catalog, self.now).await.unwrap();
        self.catalog = Some(catalog);
    }

    /// The reviews that have deliveries, each as often as it has some.
    async fn sent(&self) -> Vec<String> {
        let filter = DeliveryFilter { limit: 1_000, ..DeliveryFilter::default() };
        let rows = self.store.list_deliveries(&filter).await.unwrap();
        let mut uuids: Vec<String> = rows.into_iter().map(|row| row.uuid).collect();
        uuids.sort();
        uuids
    }

    async fn review(&self, uuid: &str) -> ReviewRow {
        let filter = ReviewFilter { uuid: Some(uuid.into()), limit: 1, account: None, state: None };
        self.store.list_reviews(&filter).await.unwrap().remove(0)
    }

    async fn scale_of(&self, uuid: &str) -> Option<f64> {
        let id = self.review(uuid).await.id;
        self.store.list_revisions(id).await.unwrap().last().unwrap().scale
    }
}

// F8
#[tokio::test]
async fn an_undecided_review_is_matched_when_its_source_is_known() {
    let mut bench = Bench::new(plan(OF_SHOP, AccountPolicy::default())).await;
    bench.catalog = Some(Catalog::default());
    let report = bench.take(&[("late", 5.0)]).await;
    assert_eq!((report.unmatched, report.undecided), (1, 1));
    assert_eq!(bench.route_waiting().await, IntakeReport::default(), "nothing has changed");
    // Other names change nothing for it: it stays undecided.
    bench.names_loaded(Catalog::default()).await;
    assert_eq!(bench.route_waiting().await.undecided, 1);
    assert_eq!(bench.route_waiting().await, IntakeReport::default(), "once for each load");
    bench.names_loaded(catalog()).await;
    let report = bench.route_waiting().await;
    assert_eq!((report.matched, report.undecided, report.deliveries), (1, 0, 1));
    assert_eq!(bench.sent().await, ["late"]);
    assert!(!bench.review("late").await.undecided);
    bench.names_loaded(catalog()).await;
    assert_eq!(bench.route_waiting().await, IntakeReport::default());
    assert_eq!(bench.sent().await, ["late"], "once");
}

// F8
#[tokio::test]
async fn an_undecided_review_that_is_too_old_is_given_up() {
    let policy = AccountPolicy { max_age: DAY, ..AccountPolicy::default() };
    let mut bench = Bench::new(plan(OF_SHOP, policy)).await;
    bench.catalog = Some(Catalog::default());
    bench.take(&[("old", 5.0)]).await;
    bench.now = NOW.plus(DAY + MINUTE);
    bench.names_loaded(catalog()).await;
    bench.route_waiting().await;
    let review = bench.review("old").await;
    assert_eq!((review.state, review.undecided), (ReviewState::Unmatched, false));
    assert!(bench.sent().await.is_empty());
}

// F8
#[tokio::test]
async fn an_edit_that_cannot_be_decided_is_matched_later_too() {
    let rules = "rules = [{ name = 'shop', when = { websites = ['Shop NL'] }, to = ['support'] },
                          { name = 'unhappy', when = { max_rating = 2 }, to = ['support'] }]";
    let mut bench = Bench::new(plan(rules, AccountPolicy::default())).await;
    bench.catalog = Some(Catalog::default());
    bench.take(&[("edited", 1.0)]).await;
    assert_eq!(bench.sent().await, ["edited"]);
    bench.take(&[("edited", 4.0)]).await;
    let review = bench.review("edited").await;
    assert_eq!((review.state, review.undecided), (ReviewState::Matched, true));
    bench.names_loaded(catalog()).await;
    bench.route_waiting().await;
    assert_eq!(bench.sent().await, ["edited", "edited"]);
    assert!(!bench.review("edited").await.undecided);
}

// first-use 2
#[tokio::test]
async fn a_first_listing_is_held_until_its_scales_can_be_known() {
    let policy = AccountPolicy { backfill: Backfill::All, ..AccountPolicy::default() };
    let mut bench = Bench::new(plan(UNHAPPY, policy)).await;
    bench.baseline = true;
    let report = bench.take(&[("four", 4.0), ("two", 2.0), ("six", 6.0)]).await;
    assert_eq!(report.waiting, 3);
    bench.take(&[("nine", 9.0), ("ten", 10.0)]).await;
    assert!(bench.sent().await.is_empty());
    // The listing ends.
    bench.baseline = false;
    let report = bench.route_waiting().await;
    assert_eq!((report.matched, report.unmatched), (2, 3));
    assert_eq!(bench.sent().await, ["four", "two"], "4 of 10 is 2 of 5");
    assert_eq!(bench.scale_of("four").await, Some(10.0));
    let facts = bench.store.problem_facts(NOW).await.unwrap();
    assert_eq!(facts.scales[0].scale.unwrap().reason, ScaleReason::Learnt);
}

// first-use 2
#[tokio::test]
async fn a_first_listing_holds_nothing_longer_than_ten_minutes() {
    let policy = AccountPolicy { backfill: Backfill::All, ..AccountPolicy::default() };
    let mut bench = Bench::new(plan(UNHAPPY, policy)).await;
    bench.baseline = true;
    bench.take(&[("two", 2.0)]).await;
    bench.now = NOW.plus(MINUTE * 9);
    bench.take(&[("one", 1.0)]).await;
    assert!(bench.sent().await.is_empty());
    bench.now = NOW.plus(MINUTE * 10);
    let report = bench.take(&[("three", 3.0)]).await;
    assert_eq!((report.matched, report.waiting), (1, 0), "one of those that wait is gone, one has come");
    assert_eq!(bench.sent().await, ["two"]);
}

// first-use 2
#[tokio::test]
async fn a_learnt_scale_matches_again_what_no_rule_matched_and_repeats_nothing() {
    let policy = AccountPolicy { unmatched: Unmatched::MarkRead, ..AccountPolicy::default() };
    let bench = Bench::new(plan(UNHAPPY, policy)).await;
    bench.take(&[("two", 2.0), ("four", 4.0), ("five", 5.0)]).await;
    assert_eq!(bench.sent().await, ["two"]);
    assert_eq!(bench.scale_of("two").await, Some(5.0));
    bench.take(&[("six", 6.0), ("seven", 7.0)]).await;
    assert_eq!(bench.route_waiting().await, IntakeReport::default(), "two say nothing");
    bench.take(&[("eight", 8.0)]).await;
    let report = bench.route_waiting().await;
    assert_eq!((report.matched, report.deliveries), (1, 1));
    assert_eq!(bench.sent().await, ["four", "two"]);
    assert_eq!(bench.scale_of("four").await, Some(10.0));
    assert_eq!(bench.scale_of("two").await, Some(5.0), "its messages go on as they began");
    assert_eq!(bench.route_waiting().await, IntakeReport::default());
    bench.take(&[("two", 2.0), ("four", 4.0)]).await;
    assert_eq!(bench.sent().await, ["four", "two"]);
    let filter = DeliveryFilter { limit: 9, ..DeliveryFilter::default() };
    let rows = bench.store.list_deliveries(&filter).await.unwrap();
    assert!(rows.iter().all(|row| row.state == DeliveryState::Pending));
}

// first-use 2
#[tokio::test]
async fn a_scale_that_is_set_matches_again_too() {
    let mut bench = Bench::new(plan(UNHAPPY, AccountPolicy::default())).await;
    bench.take(&[("four", 4.0), ("two", 2.0)]).await;
    assert_eq!(bench.sent().await, ["two"]);
    let scales = RatingScales::new([(key("REVIEWER"), "REVIEWER".to_owned(), 10.0)]);
    let policy = AccountPolicy { rating_scales: scales, ..AccountPolicy::default() };
    bench.plan = plan(UNHAPPY, policy);
    bench.take(&[("four", 4.0), ("two", 2.0)]).await;
    bench.route_waiting().await;
    assert_eq!(bench.sent().await, ["four", "two"]);
    assert_eq!((bench.scale_of("four").await, bench.scale_of("two").await), (Some(10.0), Some(5.0)));
}

// first-use 2
#[tokio::test]
async fn a_message_uses_the_scale_of_its_revision() {
    let bench = Bench::new(plan(UNHAPPY, AccountPolicy::default())).await;
    bench.take(&[("two", 2.0)]).await;
    bench.take(&[("six", 6.0), ("seven", 7.0), ("eight", 8.0)]).await;
    let request = LeaseRequest {
        destination: "support".into(),
        limit: 9,
        without_reviews: false,
        is_probe: false,
        except: Vec::new(),
        only: None,
        hold: MINUTE,
    };
    let leased = bench.store.lease(&[request], bench.now, "test").await.unwrap();
    assert_eq!(leased[0].reviews[0].scale, Some(5.0));
}

// J1
#[tokio::test]
async fn unknown_names_are_kept_for_the_operator_until_they_exist() {
    let bench = Bench::new(plan(UNHAPPY, AccountPolicy::default())).await;
    let unknown = |text: &str| UnknownName { account: "main".into(), text: text.into() };
    let kept = || async { bench.store.problem_facts(NOW).await.unwrap().unknown_names };
    bench.store.save_unknown_names(&[unknown("b"), unknown("a"), unknown("a")]).await.unwrap();
    assert_eq!(kept().await, [unknown("a"), unknown("b")]);
    bench.store.save_unknown_names(&[unknown("b")]).await.unwrap();
    assert_eq!(kept().await, [unknown("b")]);
    bench.store.save_unknown_names(&[]).await.unwrap();
    assert_eq!(kept().await, []);
}

// first-use 2
#[tokio::test]
async fn a_ten_point_platform_needs_no_setting() {
    let bench = crate::harness::Bench::new().await;
    bench.review("four", KIYOH_NL, 4.0, "achteraf toch niet leverbaar");
    bench.review("five", KIYOH_NL, 5.0, "3 keer gemaild, geen enkele reactie");
    bench.review("nine", KIYOH_NL, 9.0, "Goed");
    bench.once().await;
    assert_eq!(bench.slack("support").len(), 1, "4 of 10 is 2 of 5");
    let ratings: BTreeMap<String, f64> = bench
        .webhook("crm")
        .iter()
        .map(|body| &body["data"]["review"])
        .map(|review| (review["uuid"].as_str().unwrap().to_owned(), review["rating"].as_f64().unwrap()))
        .collect();
    let expected = [("five", 2.5), ("four", 2.0), ("nine", 4.5)];
    assert_eq!(ratings, expected.map(|(uuid, rating)| (uuid.to_owned(), rating)).into());
}

// first-use 2
#[tokio::test]
async fn a_first_listing_is_sent_by_the_scale_that_it_shows() {
    let bench = crate::harness::Bench::new().await;
    for (uuid, rating) in [("two", 2.0), ("four", 4.0), ("eight", 8.0), ("nine", 9.0), ("ten", 10.0)] {
        bench.review(uuid, STAMPED, rating, "x");
    }
    bench.once().await;
    let sent = bench.slack("support").len();
    assert_eq!(sent, 2, "2 and 4 of 10, though nobody documents the platform");
    assert_eq!(bench.told("crm").len(), 5);
}

// J1
#[tokio::test]
async fn a_misspelt_name_is_reported_when_names_load() {
    let mut bench = crate::harness::Bench::new().await;
    bench.rest = bench.rest.replace("when = { max_rating = 2 }", "when = { websites = [\"Shop N\"] }");
    bench.once().await;
    let unknown = bench.store().await.problem_facts(bench.clock.now()).await.unwrap().unknown_names;
    assert_eq!(unknown.len(), 1);
    assert!(unknown[0].text.contains("no website is called `Shop N`; did you mean `Shop NL`"), "{unknown:?}");
    bench.rest = bench.rest.replace("Shop N\"", "shop&nbsp;nl\"");
    bench.once().await;
    assert_eq!(bench.store().await.problem_facts(bench.clock.now()).await.unwrap().unknown_names, []);
}
