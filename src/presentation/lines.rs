//! A message as plain lines of text: what is left where no template can be used.

use super::body::safe_url;
use super::context::View;
use super::digest::{ListBudget, ShownDigest, ShownMember, ShownSummary};
use super::figures::more;
use super::review::{ShownNotice, ShownReview};
use super::words::cut_line;
use crate::domain::{Content, Message};

/// A message without any layout. Its lines hold no line end; a receiver escapes them as it must.
pub struct Lines {
    /// What it says, what matters most first.
    pub lines: Vec<String>,
    /// Where to look at it: what the link says, and its address.
    pub link: Option<(String, String)>,
}

impl Lines {
    /// The lines of `message`. Never fails, whatever the message says.
    pub fn of(message: &Message, view: &View) -> Self {
        match &message.content {
            Content::Review { subject, rules } => {
                let shown = ShownReview::of(subject, rules, message, view);
                let url = subject.url.as_deref().and_then(safe_url);
                let link = url.map(|url| (shown.link.clone(), url));
                Self { lines: review(shown), link }
            }
            Content::Digest(content) => {
                Self { lines: digest(ShownDigest::of(content, message, view, &ListBudget::CHAT)), link: None }
            }
            Content::Summary(content) => Self {
                lines: summary(ShownSummary::of(content, message, view, &ListBudget::CHAT)),
                link: None,
            },
            content => Self { lines: notice(ShownNotice::of(content, message.possible_repeat)), link: None },
        }
    }
}

fn review(shown: ShownReview) -> Vec<String> {
    let native = shown.native.map(|native| format!(" ({native})")).unwrap_or_default();
    let mut lines = vec![format!("{} {}{native} · {}", shown.severity, shown.rating, shown.place)];
    lines.extend(shown.edit);
    let said = shown.text.or(shown.title);
    let said = said.map_or(shown.quote, |said| format!("“{}”", cut_line(&said, 600)));
    lines.push(said + &shown.more.unwrap_or_default());
    lines.push(shown.details);
    lines.extend(shown.repeat.map(str::to_owned));
    lines
}

fn digest(shown: ShownDigest) -> Vec<String> {
    let mut lines = vec![format!("📬 {} · {}", shown.title, shown.period)];
    lines.extend(shown.headline);
    // There is room for the worst and the largest; the figures above are of all.
    lines.extend(shown.attention.iter().take(6).map(|said| member(said, 120)));
    lines.extend(more(shown.attention_count, 6, " that need attention"));
    lines.extend(shown.websites.into_iter().take(8).map(|group| group.line));
    lines.push(shown.health);
    lines.extend(shown.repeat.map(str::to_owned));
    lines
}

fn summary(shown: ShownSummary) -> Vec<String> {
    let mut lines =
        vec![format!("{} {} · {}", shown.symbol, shown.title, shown.period), shown.reason.to_owned()];
    lines.extend(shown.headline);
    lines.extend(shown.worst.iter().map(|said| member(said, 280)));
    lines.extend(shown.worst_more);
    lines.extend(shown.websites.into_iter().take(8).map(|group| group.line));
    lines.extend(shown.repeat.map(str::to_owned));
    lines
}

fn member(said: &ShownMember, graphemes: usize) -> String {
    let quote = cut_line(&said.quote, graphemes);
    format!("{} {} · {}: {quote}", said.severity, said.rating, said.place)
}

fn notice(shown: ShownNotice) -> Vec<String> {
    let mut lines = vec![format!("{} {}", shown.symbol, shown.title), cut_line(&shown.text, 600)];
    lines.extend(shown.hint.map(|hint| cut_line(&hint, 600)));
    lines.extend(shown.repeat.map(str::to_owned));
    lines
}
