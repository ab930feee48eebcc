//! Discord's limits: of embeds <https://discord.com/developers/docs/resources/message#embed-object-embed-limits>, of
//! `content` <https://discord.com/developers/docs/resources/webhook#execute-webhook-jsonform-params>.

use crate::destination::chat::parts::SizeBudget;

/// The text of a message.
pub const CONTENT: usize = 2_000;
/// An embed's title.
pub const TITLE: usize = 256;
/// An embed's text.
pub const DESCRIPTION: usize = 4_096;
/// A field's name.
pub const FIELD_NAME: usize = 256;
/// A field's value.
pub const FIELD_VALUE: usize = 1_024;
/// The text of an embed's footer.
pub const FOOTER: usize = 2_048;
/// An embed's address; the limit of what Discord takes as one is not documented.
pub const EMBED_URL: usize = 2_048;
/// Fields of an embed.
pub const FIELDS: usize = 25;
/// The largest colour.
pub const MAX_COLOR: u64 = 0xFF_FF_FF;
/// All embeds together; what is left of 6,000 is for how many are left out.
pub const BUDGET: SizeBudget =
    SizeBudget { parts: 10, units: 5_900, texts: &["title", "description", "name", "value", "text"] };
