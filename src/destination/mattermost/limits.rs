//! Mattermost's limits: <https://developers.mattermost.com/integrate/webhooks/incoming/#parameters> and
//! <https://developers.mattermost.com/integrate/reference/message-attachments/>.

use crate::destination::chat::parts::SizeBudget;

/// A text; what is longer than 16,383 is split into several posts.
pub const TEXT: usize = 8_000;
/// A title, of an attachment or a field.
pub const TITLE: usize = 300;
/// What notifications show.
pub const FALLBACK: usize = 1_000;
/// All texts together.
pub const BUDGET: SizeBudget =
    SizeBudget { parts: 20, units: 11_500, texts: &["fallback", "title", "text", "value", "footer"] };
