//! Google Chat's limits: of a message <https://developers.google.com/workspace/chat/create-messages>, of a card
//! <https://developers.google.com/workspace/chat/api/reference/rest/v1/cards>.

/// A message as it is sent, in bytes; Google takes 32,000, and counts them in a way of its own.
pub const MAX_BYTES: usize = 24_000;
/// Widgets of a card; Google drops a whole section that goes beyond.
pub const MAX_WIDGETS: usize = 100;
/// A line that is shown as it is, in graphemes.
pub const MAX_LINE: usize = 150;
/// How long a text and the address of a link in it may be: the first at which the whole fits.
pub const SHORTER: &[(usize, usize)] = &[
    (usize::MAX, 3_000),
    (1_200, 3_000),
    (600, 3_000),
    (600, 200),
    (300, 200),
    (150, 200),
    (75, 200),
    (30, 200),
];
