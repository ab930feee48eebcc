//! What the page shows: the reviews as the bridge's state has them, the messages as their receivers got
//! them, and figures. Bounded, however long the demo runs.

use super::watch::Watch;
use crate::clock::Clock;
use crate::destination::Settings as Destination;
use crate::domain::{AccountPolicy, Catalog, Subject, Timestamp};
use crate::sandbox::{Inbox, Mailbox, Sandbox};
use crate::store::{DeliveryFilter, DeliveryRow, ReviewFilter, ReviewRow, SharedStore, StoreError};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many reviews are shown.
const REVIEWS: u32 = 40;
/// How many deliveries are read for them.
const DELIVERIES: u32 = 400;
/// How many characters of a text are shown in the list; the messages show more.
const TEXT: usize = 180;
/// State is read at most this often, however many pages are open.
const FRESH: Duration = Duration::from_millis(250);
/// The story pauses when nobody has watched for this long.
const ATTENTION: Duration = Duration::from_secs(60);

/// The demo's account.
pub(super) const ACCOUNT: &str = "shop";

/// A destination as the page shows it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Place {
    /// Its kind: `slack`.
    pub(super) kind: &'static str,
    /// Its name.
    pub(super) name: String,
    /// What its window is called.
    pub(super) title: String,
    /// Whether it gets digests.
    pub(super) digest: bool,
}

impl Place {
    /// A destination of the configuration.
    pub(super) fn new(destination: &Destination) -> Self {
        let (kind, name) = (destination.kind.name, destination.name.clone());
        Self { kind, title: title(kind, &name), name, digest: destination.common.digest.is_some() }
    }
}

/// Everything the page can request.
pub(super) struct Feed {
    pub(super) store: SharedStore,
    pub(super) sandbox: Arc<Sandbox>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) clock: Clock,
    pub(super) policy: AccountPolicy,
    pub(super) places: Vec<Place>,
    started_at: Timestamp,
    watched_at: AtomicI64,
    out_until: AtomicI64,
    watch: Mutex<Watch>,
    fresh: tokio::sync::Mutex<Option<(Timestamp, Value)>>,
}

/// What a feed reads from.
pub(super) struct Origin {
    pub(super) store: SharedStore,
    pub(super) sandbox: Arc<Sandbox>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) mailbox: Arc<Mailbox>,
}

impl Feed {
    /// A feed of a demo that starts now.
    pub(super) fn new(origin: Origin, clock: Clock, policy: AccountPolicy, places: Vec<Place>) -> Self {
        let now = clock.now();
        let Origin { store, sandbox, inbox, mailbox } = origin;
        Self {
            store,
            sandbox,
            inbox,
            mailbox,
            policy,
            places,
            started_at: now,
            watched_at: AtomicI64::new(now.as_millis()),
            out_until: AtomicI64::new(0),
            watch: Mutex::default(),
            fresh: tokio::sync::Mutex::default(),
            clock,
        }
    }

    /// Whether somebody watched recently.
    pub(super) fn is_watched(&self) -> bool {
        self.clock.now().since(Timestamp(self.watched_at.load(Ordering::Relaxed))) < ATTENTION
    }

    /// Slack is out until then; `None` once it works.
    pub(super) fn set_out_until(&self, until: Option<Timestamp>) {
        self.out_until.store(until.map_or(0, Timestamp::as_millis), Ordering::Relaxed);
    }

    /// Records what the receivers got since the last time.
    pub(super) fn look(&self) {
        self.watch().look(&self.sandbox, &self.inbox, &self.mailbox);
    }

    /// The HTML of a mail that is still shown.
    pub(super) fn mail_html(&self, id: u64) -> Option<String> {
        self.watch().html(id).map(str::to_owned)
    }

    /// Everything the page shows; of the messages, those after number `after`.
    pub(super) async fn since(&self, after: u64) -> Result<Value, StoreError> {
        let now = self.clock.now();
        self.watched_at.store(now.as_millis(), Ordering::Relaxed);
        let mut news = {
            let mut fresh = self.fresh.lock().await;
            match &*fresh {
                Some((at, state)) if now.since(*at) < FRESH => state.clone(),
                _ => {
                    let state = self.state(now).await?;
                    *fresh = Some((now, state.clone()));
                    state
                }
            }
        };
        self.look();
        let watch = self.watch();
        let out_until = self.out_until.load(Ordering::Relaxed);
        news["run"] = json!(self.started_at.as_millis());
        news["now"] = json!(now.as_millis());
        news["out_until"] = if out_until > now.as_millis() { json!(out_until) } else { Value::Null };
        news["tally"] = json!(watch.tally());
        news["unread"] = json!(self.sandbox.unread_count());
        news["posts"] = json!(watch.posts_after(after));
        Ok(news)
    }

    /// What the database has: the reviews with their deliveries, and how many were seen.
    async fn state(&self, now: Timestamp) -> Result<Value, StoreError> {
        let filter = ReviewFilter { limit: REVIEWS, ..ReviewFilter::default() };
        let reviews = self.store.list_reviews(&filter).await?;
        let filter = DeliveryFilter { limit: DELIVERIES, ..DeliveryFilter::default() };
        let mut deliveries: HashMap<String, Vec<DeliveryRow>> = HashMap::new();
        for row in self.store.list_deliveries(&filter).await? {
            deliveries.entry(row.uuid.clone()).or_default().push(row);
        }
        let catalog = self.store.catalog(ACCOUNT).await?.map(|(catalog, _)| catalog).unwrap_or_default();
        let seen: u64 = self.store.count_reviews().await?.iter().map(|count| count.count).sum();
        let shown: Vec<Value> = reviews
            .into_iter()
            .map(|row| {
                let own = deliveries.remove(&row.uuid).unwrap_or_default();
                self.review(row, &own, &catalog, now)
            })
            .collect();
        Ok(json!({ "seen": seen, "reviews": shown }))
    }

    fn review(&self, row: ReviewRow, deliveries: &[DeliveryRow], catalog: &Catalog, now: Timestamp) -> Value {
        let scales = crate::rules::Scales::new(self.policy.rating_scales.clone(), []);
        let change = crate::domain::Change::New;
        let subject = row.review.clone().map(|review| {
            let scale = scales.of_review(&review, catalog).top;
            Subject::resolve(review, catalog, scale, change, None)
        });
        let names = |list: &[crate::domain::Named]| -> Vec<String> {
            list.iter().map(|named| named.name.clone()).collect()
        };
        let text = subject.as_ref().and_then(|subject| subject.review.text.as_deref());
        json!({
            "uuid": row.uuid,
            "revision": row.revision,
            "state": row.state,
            "age": now.since(row.changed_at).as_millis() as u64,
            "author": subject.as_ref().and_then(|subject| subject.review.author.clone()),
            "text": text.map(|text| crate::domain::text::one_line(text, TEXT)),
            "rating": subject.as_ref().and_then(|subject| subject.rating.rounded()),
            "native": subject.as_ref().filter(|subject| subject.rating.native_differs())
                .and_then(|subject| subject.rating.native_shown()),
            "platform": subject.as_ref().and_then(|subject| subject.platform.clone()).map(|named| named.name),
            "websites": subject.as_ref().map(|subject| names(&subject.websites)),
            "marked": row.mark == "done",
            "deliveries": newest(deliveries).into_iter().map(|row| delivery(row, now)).collect::<Vec<_>>(),
        })
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The newest delivery to each destination and recipient, in the order of creation.
fn newest(rows: &[DeliveryRow]) -> Vec<&DeliveryRow> {
    let mut newest: Vec<&DeliveryRow> = Vec::new();
    for row in rows {
        let same =
            |known: &&DeliveryRow| known.destination == row.destination && known.recipient == row.recipient;
        if !newest.iter().any(same) {
            newest.push(row);
        }
    }
    newest.sort_by_key(|row| row.id);
    newest
}

fn delivery(row: &DeliveryRow, now: Timestamp) -> Value {
    let because = row.rules.iter().map(|hit| json!({"rule": hit.rule, "because": hit.because}));
    json!({
        "destination": row.destination,
        "recipient": row.recipient,
        "revision": row.revision,
        "state": row.state,
        "rules": because.collect::<Vec<_>>(),
        "attempts": row.attempts,
        "detail": row.last_detail,
        "wait": row.next_at.map(|at| at.since(now).as_millis() as u64),
    })
}

/// What a destination is called on the page.
fn title(kind: &str, name: &str) -> String {
    match kind {
        "slack" => format!("#{name}"),
        "webhook" => name.to_uppercase(),
        _ => {
            let mut letters = name.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
        }
    }
}
