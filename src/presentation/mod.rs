//! What messages say, for all kinds of destination: words, figures, ready-made texts, the body of webhooks, and what a
//! template may name. Pure; knows no template and no receiver.

pub mod body;
pub mod context;
pub mod digest;
pub mod figures;
mod hostile_messages;
pub mod lines;
pub mod review;
mod samples;
pub mod short;
pub mod words;

pub use body::{
    Body, Counts, Data, DigestData, OperatorData, PartBody, PreviousBody, ReviewBody, ReviewData, TestData,
    safe_url,
};
pub use context::{Mention, Own, View};
pub use hostile_messages::hostile_messages;
pub use lines::Lines;
pub use samples::{HOSTILE, sample, samples};
pub use short::shortened;
