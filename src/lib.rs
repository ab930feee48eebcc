//! `review-bridge`: delivers customer reviews from ShopReviews to the right people, once, in time, and never loses one.
//!
//! The modules in the order the data takes. `ARCHITECTURE.md` is the long form of this map.
//!
//! | module | owns |
//! |---|---|
//! | [`domain`] | pure vocabulary: review, rating, change, delivery, message, outcome |
//! | [`config`] | layers, problems with their paths, secrets that cannot be printed |
//! | [`upstream`] | the ShopReviews API: client, wire types, request budget |
//! | [`poller`] | one listing of an account, page by page, handed to intake |
//! | [`intake`] | diff against state, match, enqueue: one store transaction |
//! | [`rules`] | rules, conditions, and the reasons of a match |
//! | [`store`] | durable state; the only place with SQL |
//! | [`outbox`] | lease, send, retry, settle, mark read |
//! | [`presentation`] | what messages say: words, figures, the body of webhooks |
//! | [`template`] | the engine of templates: compiling, checking, helpers |
//! | [`destination`] | Slack, webhooks, …: one folder a kind |
//! | [`operator`] | trouble noticed, notices sent, heartbeat |
//! | [`web`] | health and readiness |
//! | [`sandbox`] | a faithful fake of the API and of the receivers |
//! | [`app`] | composition root |
//! | [`demo`] | the bridge between fakes, and a page that shows it live |
//! | [`cli`] | the commands |
//!
//! All of them stand on:
//!
//! | module | owns |
//! |---|---|
//! | [`spelling`] | how names and words are cleaned and compared |
//! | [`settings`] | how a module reads its keys: types, units, problems, secrets |
//! | [`clock`] | the time |
//! | [`causes`] | why a connection failed, in words |
//! | [`outbound`] | what calls to elsewhere share: TLS configurations, HTTP clients |
//! | [`task`] | spawning: groups of tasks that end with their owner |
//! | [`telemetry`] | the log |

pub mod app;
pub mod causes;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod destination;
pub mod domain;
pub mod intake;
pub mod operator;
pub mod outbound;
pub mod outbox;
pub mod poller;
pub mod presentation;
pub mod rules;
pub mod sandbox;
pub mod settings;
pub mod spelling;
pub mod store;
pub mod task;
pub mod telemetry;
pub mod template;
pub mod upstream;
pub mod web;

#[cfg(test)]
#[path = "../tests/tier/mod.rs"]
mod tier;
