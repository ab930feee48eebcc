//! What the store takes and gives: plain records, by subject.

mod accounts;
mod bursts;
mod destinations;
mod intake;
mod names;
mod operator;
mod people;
mod reviews;
mod sending;
mod upkeep;

pub use accounts::*;
pub use bursts::*;
pub use destinations::*;
pub use intake::*;
pub use names::*;
pub use operator::*;
pub use people::*;
pub use reviews::*;
pub use sending::*;
pub use upkeep::*;
