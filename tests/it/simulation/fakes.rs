//! The API and the destinations as the bridge sees them, with the faults of the world.

use super::world::{Arrival, Fault, Reader, World};
use async_trait::async_trait;
use review_bridge::app::StoreBudget;
use review_bridge::destination::{Destination, Payload};
use review_bridge::domain::{
    Attempt, Catalog, Message, Named, NativeRating, Outcome, Reason, Source, Subject,
};
use review_bridge::upstream::{
    Budget, Cursor, Denied, ErrorKind, Item, Page, Purpose, Upstream, UpstreamError,
};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub type SharedWorld = Arc<Mutex<World>>;

pub struct SimulatedApi {
    pub world: SharedWorld,
    pub budget: Arc<StoreBudget>,
}

fn error(kind: ErrorKind) -> UpstreamError {
    UpstreamError { kind, setting: "", detail: "simulated".into() }
}

impl SimulatedApi {
    async fn ask(&self, purpose: Purpose) -> Result<(), UpstreamError> {
        self.budget.take(purpose).await.map_err(|denied| match denied {
            Denied::Until(at) => error(ErrorKind::Budget(at)),
            Denied::State(failure) => error(ErrorKind::State(failure)),
        })?;
        let slow_down = {
            let mut world = self.world.lock().unwrap();
            let pause = Duration::from_millis(world.random.u64(1..800));
            world.pass(pause);
            if world.api_down {
                return Err(error(ErrorKind::Unreachable));
            }
            match world.draw(&[
                Fault::LostBefore,
                Fault::Delayed,
                Fault::SlowDown,
                Fault::ServerError,
                Fault::TokenExpired,
            ]) {
                Some(Fault::LostBefore) => return Err(error(ErrorKind::Unreachable)),
                Some(Fault::Delayed) => {
                    world.pass(Duration::from_secs(30));
                    return Err(error(ErrorKind::TimedOut));
                }
                Some(Fault::ServerError) => return Err(error(ErrorKind::Unavailable)),
                Some(Fault::TokenExpired) => return Err(error(ErrorKind::Unauthenticated)),
                Some(_) => world.clock.now().plus(Duration::from_secs(world.random.u64(1..120))),
                None => return Ok(()),
            }
        };
        self.budget.hold(slow_down).await;
        Err(error(ErrorKind::RateLimited(slow_down)))
    }
}

#[async_trait]
impl Upstream for SimulatedApi {
    async fn unread_page(&self, cursor: Option<&Cursor>) -> Result<Page, UpstreamError> {
        self.ask(Purpose::Listing).await?;
        let mut world = self.world.lock().unwrap();
        let number = match cursor {
            Some(Cursor::Page(number)) => *number as usize,
            _ => 1,
        };
        let size = world.page_size;
        let unread: Vec<String> = world.unread().into_iter().cloned().collect();
        let mut uuids: Vec<String> = unread.iter().skip((number - 1) * size).take(size).cloned().collect();
        let more = unread.len() > number * size;
        match world.draw(&[Fault::LostAfter, Fault::Truncated, Fault::Duplicated, Fault::Emptied]) {
            Some(Fault::Duplicated) => uuids.extend(uuids.clone()),
            Some(Fault::Emptied) => return Ok(Page::default()),
            // A body that is cut is no page.
            Some(_) => return Err(error(ErrorKind::Unavailable)),
            None => {}
        }
        let mut items = Vec::new();
        for uuid in uuids {
            let said = world.reviews[&uuid].now().clone();
            items.push(Item::Review(Box::new(world.item(&uuid))));
            world.listing.push((uuid, said));
        }
        let next = more.then(|| Cursor::Page(u32::try_from(number).unwrap() + 1));
        Ok(Page { items, next, total: Some(unread.len() as u64) })
    }

    async fn catalog(&self) -> Result<Catalog, UpstreamError> {
        self.ask(Purpose::Names).await?;
        let named = |uuid: String| Named { name: uuid.clone(), uuid };
        let mut catalog = Catalog::default();
        for index in 0..3 {
            let uuid = format!("source-{index}");
            let source = Source {
                named: named(uuid.clone()),
                url: None,
                review_link: None,
                platform_uuid: None,
                website_uuids: vec!["site".into()],
                last_sync_at: None,
                next_sync_at: None,
                average: None,
                reviews: None,
            };
            catalog.sources.insert(uuid, source);
        }
        catalog.websites.insert("site".into(), named("site".into()));
        Ok(catalog)
    }

    async fn mark_read(&self, uuid: &str) -> Result<(), UpstreamError> {
        self.ask(Purpose::Mark).await?;
        let mut world = self.world.lock().unwrap();
        world.mark(uuid);
        match world.draw(&[Fault::LostAfter]) {
            Some(_) => Err(error(ErrorKind::TimedOut)),
            None => Ok(()),
        }
    }
}

pub struct SimulatedDestination {
    pub name: &'static str,
    pub recipients: Vec<&'static str>,
    pub world: SharedWorld,
}

fn attempt(outcome: Outcome) -> Attempt {
    Attempt { outcome, status: None, detail: "simulated".into(), excerpt: None }
}

fn retry(reason: Reason, after: Option<Duration>, ambiguous: bool) -> Attempt {
    attempt(Outcome::Retry { reason, after, ambiguous })
}

fn said(subject: &Subject) -> (String, (i64, Option<String>)) {
    let rating = match subject.review.rating {
        NativeRating::Number(number) => number as i64,
        _ => 0,
    };
    (subject.review.uuid.clone(), (rating, subject.review.text.clone()))
}

impl SimulatedDestination {
    fn reader(&self, message: &Message) -> Reader {
        let recipient = self.recipients.iter().find(|recipient| **recipient == message.recipient);
        (self.name, recipient.expect("a recipient of this destination"))
    }

    fn told(message: &Message) -> Vec<(String, (i64, Option<String>))> {
        message.content.reviews().into_iter().map(|(subject, _)| said(subject)).collect()
    }
}

#[async_trait]
impl Destination for SimulatedDestination {
    fn render(&self, _: &Message) -> Payload {
        Payload { media_type: "text/plain", body: String::new(), fallback: None }
    }

    async fn send(&self, message: &Message, _: &Payload) -> Attempt {
        let mut world = self.world.lock().unwrap();
        let pause = Duration::from_millis(world.random.u64(1..300));
        world.pass(pause);
        if world.broken.contains(self.name) {
            return attempt(Outcome::Broken { reason: Reason::Revoked });
        }
        if world.down.contains(self.name) {
            return retry(Reason::Unreachable, None, false);
        }
        let told = Self::told(message);
        let refused = |(uuid, _): &(String, _)| world.reviews.get(uuid).is_some_and(|truth| truth.refused);
        if self.name == "support" && told.iter().any(refused) {
            return attempt(Outcome::Dead { reason: Reason::PayloadRefused });
        }
        let fault = world.draw(&[
            Fault::LostBefore,
            Fault::LostAfter,
            Fault::Delayed,
            Fault::SlowDown,
            Fault::ServerError,
        ]);
        match fault {
            Some(Fault::LostBefore) => return retry(Reason::ConnectionLost, None, true),
            Some(Fault::SlowDown) => {
                let after = Duration::from_secs(world.random.u64(1..600));
                return retry(Reason::RateLimited, Some(after), false);
            }
            Some(Fault::ServerError) => return retry(Reason::ServerError, None, false),
            _ => {}
        }
        let reader = self.reader(message);
        world.tell(|| format!("{reader:?} got {} {told:?}", message.id));
        let arrival = Arrival {
            reader,
            message: message.id.clone(),
            repeat: message.possible_repeat,
            told: told.clone(),
        };
        world.arrivals.push(arrival);
        match fault {
            Some(_) => {
                for (uuid, _) in told {
                    *world.ambiguous.entry((reader, uuid)).or_default() += 1;
                }
                retry(
                    if fault == Some(Fault::Delayed) { Reason::TimedOut } else { Reason::ConnectionLost },
                    None,
                    true,
                )
            }
            None => attempt(Outcome::Delivered),
        }
    }

    async fn reach(&self) -> Result<(), String> {
        Ok(())
    }

    fn address(&self) -> String {
        "simulated".into()
    }

    fn recipients(&self) -> Vec<String> {
        self.recipients.iter().map(|recipient| (*recipient).to_owned()).collect()
    }
}
