//! ntfy's limits: <https://docs.ntfy.sh/publish/#limitations>, and what a JSON body may hold
//! (<https://github.com/binwiederhier/ntfy/blob/main/server/server.go>, `transformBodyJSON`).

/// A message, in bytes: from 4,096 on it becomes an attachment.
pub const MAX_MESSAGE: usize = 4_000;
/// The body, in bytes: 413 from twice 4,096 on.
pub const MAX_BYTES: usize = 8_000;
/// A title, in graphemes.
pub const MAX_TITLE: usize = 150;
/// An address, in bytes; a longer one is left out.
pub const MAX_CLICK: usize = 2_000;
/// How long a message may be, in bytes: the first with which the body is within its limit.
pub const SHORTER: &[usize] = &[MAX_MESSAGE, 3_000, 2_000, 1_000, 500];
