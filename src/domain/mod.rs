//! The vocabulary of the bridge: plain data and pure functions.
//!
//! Nothing here does I/O, reads a clock or is async; every other module may import it and it imports none.

pub mod catalog;
pub mod change;
pub mod delivery;
pub mod digest;
pub mod health;
pub mod ledger;
pub mod message;
pub mod outcome;
pub mod policy;
pub mod problem;
pub mod queue;
pub mod rating;
pub mod receipt;
pub mod review;
pub mod text;
pub mod time;

pub use catalog::{Catalog, Named, Platform, Source, Website};
pub use change::{Change, Previous};
pub use delivery::{DeliveryState, RuleHit};
pub use digest::{Cause, Digest, Figures, Member, Part, Summary};
pub use health::{Health, HealthState};
pub use message::{Content, Form, Message, MessageKind, Notice, NoticeState};
pub use outcome::{About, Attempt, Outcome, Reason};
pub use policy::{AccountPolicy, Backfill, MarkRead, Unmatched};
pub use problem::{Concern, ProblemKind, Repeat, Severity};
pub use rating::{NativeRating, Rating, RatingScales, Scale, ScaleReason, SeenRatings};
pub use receipt::{Called, Receipt};
pub use review::{Review, Subject};
pub use time::Timestamp;
