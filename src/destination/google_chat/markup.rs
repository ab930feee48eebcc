//! Google Chat's two markups. Texts of a card are HTML with a few tags; its titles, labels and buttons are shown as they
//! are. The `text` beside it formats by `*` and pings by `<users/…>`, and nothing there can be escaped: look-alikes take
//! the place of what would.

use crate::presentation::safe_url;
use crate::presentation::words::{Cut, ZERO_WIDTH, unlinked};
use unicode_segmentation::UnicodeSegmentation;

/// The tags that texts may have, beside links and colours.
const TAGS: &[&str] = &["b", "i", "u", "s", "font", "a"];

/// `text` as HTML in which nothing is a tag, and nothing becomes a link by itself.
pub fn escape(text: &str) -> String {
    let text = unlinked(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('\n', "<br>")
}

/// Whether `html` shows nothing.
pub fn is_blank(html: &str) -> bool {
    parts(html).iter().all(|part| is_tag(part) || part.trim().is_empty())
}

/// `html` with whole tags that Google Chat knows, and at most `limit` characters, followed by how many are missing.
pub fn cut_html(html: &str, limit: usize, longest_link: usize) -> String {
    let (mut shown, mut open) = (String::with_capacity(html.len().min(4_096)), Vec::new());
    let (mut count, mut points, mut missing) = (0, 0, 0);
    for part in parts(html) {
        if is_tag(part) {
            if missing == 0 {
                shown.extend(known_tag(part, &mut open, longest_link));
            }
            continue;
        }
        points += if part.starts_with('&') { 1 } else { part.chars().count() };
        if missing == 0 && count < limit && points <= limit.saturating_mul(2) {
            count += 1;
            shown.push_str(&part.replace('<', "&lt;"));
        } else {
            missing += 1;
        }
    }
    for name in open.iter().rev() {
        shown.push_str(&format!("</{name}>"));
    }
    shown + &Cut { shown: String::new(), missing }.more().unwrap_or_default()
}

/// The tags, entities and graphemes that `html` is made of.
fn parts(html: &str) -> Vec<&str> {
    let (mut parts, mut rest) = (Vec::new(), html);
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '<' if rest[1..].starts_with(|c: char| c == '/' || c.is_ascii_alphabetic()) => rest.find('>'),
            '&' => rest.char_indices().take(8).find(|(_, c)| *c == ';').map(|(at, _)| at),
            _ => None,
        };
        let end = match end {
            Some(end) => {
                parts.push(&rest[..=end]);
                end + 1
            }
            None => {
                let begin = first.len_utf8();
                let end = rest[begin..].find(['<', '&']).map_or(rest.len(), |at| begin + at);
                parts.extend(rest[..end].graphemes(true));
                end
            }
        };
        rest = &rest[end..];
    }
    parts
}

fn is_tag(part: &str) -> bool {
    part.len() > 1 && part.starts_with('<') && part.ends_with('>')
}

/// `tag` where it is one that may stand here; those that are open are in `open`.
fn known_tag<'a>(tag: &'a str, open: &mut Vec<&'a str>, longest_link: usize) -> Option<String> {
    let inner = tag.strip_prefix('<')?.strip_suffix('>')?;
    if matches!(inner.trim_end_matches(['/', ' ']), "br") {
        return Some("<br>".into());
    }
    if let Some(name) = inner.strip_prefix('/') {
        return open.pop_if(|last| *last == name).map(|_| tag.to_owned());
    }
    let (name, rest) = inner.split_once(' ').unwrap_or((inner, ""));
    let value = |attribute: &str| rest.strip_prefix(attribute)?.strip_prefix("=\"")?.strip_suffix('"');
    let tag = match name {
        "a" => {
            // An address is no text in which a link must be broken.
            let url = safe_url(&value("href")?.replace(ZERO_WIDTH, "").replace("&amp;", "&"))?;
            let fits = url.len() <= longest_link && !url.contains(['"', '\'', ' ']);
            fits.then(|| format!("<a href=\"{}\">", url.replace('&', "&amp;")))?
        }
        "font" => {
            let colour = value("color")?.strip_prefix('#')?;
            let fits = colour.len() == 6 && colour.chars().all(|c| c.is_ascii_hexdigit());
            fits.then(|| tag.to_owned())?
        }
        name => (rest.is_empty() && TAGS.contains(&name)).then(|| tag.to_owned())?,
    };
    open.push(name);
    Some(tag)
}

/// `text` without what would ping or link: for our own words, with names of settings to copy.
pub fn tokenless(text: &str) -> String {
    text.replace('<', "‹").replace('>', "›")
}

/// `text` on one line, with look-alikes for what formats: for a customer's words in `text`.
pub fn inert(text: &str) -> String {
    let swap = |(index, c): (usize, char)| match c {
        '*' => '∗',
        '_' => 'ˍ',
        '~' => '˜',
        '`' => 'ˋ',
        '-' if index == 0 => '‐',
        '|' => '∣',
        c if c.is_whitespace() => ' ',
        c => c,
    };
    tokenless(&unlinked(&text.chars().enumerate().map(swap).collect::<String>()))
}
