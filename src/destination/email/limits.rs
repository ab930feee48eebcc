//! How much an e-mail shows. Of HTML beyond about 102 KB Gmail shows a part
//! (<https://github.com/hteumeuleu/email-bugs/issues/41>); the others are what inboxes show.

use crate::presentation::digest::ListBudget;

/// HTML of an e-mail, in bytes: Gmail cuts what is longer than about 102 KB.
pub const MAX_HTML_BYTES: usize = 80 * 1024;
/// A subject, in graphemes.
pub const MAX_SUBJECT: usize = 150;
/// How much is shown of one review, in graphemes, and of many: the first with which the HTML is within its limit.
/// The last holds hardly any text of customers, so that it always is.
pub const SHOWN: &[(usize, ListBudget)] = &[
    (10_000, ListBudget { attention: 200, lines: 40, groups: 40, quote: 600, short: 160 }),
    (2_500, ListBudget { attention: 200, lines: 12, groups: 40, quote: 160, short: 80 }),
    (600, ListBudget { attention: 100, lines: 6, groups: 20, quote: 60, short: 60 }),
    (600, ListBudget { attention: 30, lines: 12, groups: 40, quote: 160, short: 80 }),
    (600, ListBudget { attention: 10, lines: 12, groups: 40, quote: 160, short: 80 }),
    (600, ListBudget { attention: 6, lines: 6, groups: 40, quote: 120, short: 60 }),
    (600, ListBudget { attention: 3, lines: 3, groups: 40, quote: 80, short: 40 }),
    (600, ListBudget { attention: 3, lines: 3, groups: 12, quote: 80, short: 40 }),
    (600, ListBudget { attention: 1, lines: 0, groups: 20, quote: 80, short: 40 }),
    (600, ListBudget { attention: 0, lines: 0, groups: 6, quote: 40, short: 40 }),
];
/// What an inbox shows beside the subject, in graphemes.
pub const MAX_REST: usize = 150;
/// As much of a review as a subject and [`MAX_REST`] can show.
pub const MAX_LINE: usize = MAX_SUBJECT + MAX_REST;
/// Lines of a review, each a paragraph.
pub const MAX_LINES: usize = 300;
