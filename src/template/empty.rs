//! Whether HTML shows anything: a message that shows nothing would count as delivered.

use crate::domain::text::is_visible;

/// The elements whose content is not shown, and how they end.
const HIDDEN: &[(&str, &str)] = &[
    ("<!--", "-->"),
    ("<style", "</style"),
    ("<script", "</script"),
    ("<title", "</title"),
    ("<template", "</template"),
];
/// Entities that have no width, or are spaces.
const BLANK: &[&str] =
    &["nbsp", "ensp", "emsp", "thinsp", "zwnj", "zwj", "shy", "lrm", "rlm", "zerowidthspace"];

/// Whether anything of `html` can be seen.
pub fn shows(html: &str) -> bool {
    let mut rest = html;
    while !rest.is_empty() {
        let end = rest.find('<').unwrap_or(rest.len());
        if text_shows(&rest[..end]) {
            return true;
        }
        rest = behind_tag(&rest[end..]);
    }
    false
}

/// What follows the tag, or the hidden element, that `html` begins with.
fn behind_tag(html: &str) -> &str {
    let begins = |start: &str| html.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start));
    let close = HIDDEN.iter().find(|(open, _)| begins(open)).map_or(">", |(_, close)| close);
    let lower = html.to_ascii_lowercase();
    let Some(at) = lower.find(close) else { return "" };
    let behind = &html[at + close.len()..];
    // `</style >` has an end of its own.
    match close.starts_with("</") {
        true => behind.split_once('>').map_or("", |(_, behind)| behind),
        false => behind,
    }
}

fn text_shows(text: &str) -> bool {
    let mut parts = text.split('&');
    let first = parts.next().unwrap_or_default();
    is_visible(first)
        || parts.any(|part| match part.split_once(';') {
            Some((entity, rest)) => entity_shows(entity) || is_visible(rest),
            None => true,
        })
}

fn entity_shows(entity: &str) -> bool {
    let code = entity.strip_prefix('#').and_then(|number| match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => number.parse().ok(),
    });
    match code.and_then(char::from_u32) {
        Some(c) => is_visible(c.encode_utf8(&mut [0; 4])),
        None => !BLANK.contains(&entity.to_ascii_lowercase().as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // J5
    #[test]
    fn only_what_can_be_seen_counts() {
        for empty in [
            "",
            " \n\t",
            "<p></p>",
            "<!DOCTYPE html><html><head><title>Reviews</title><STYLE>p { color: red }</STYLE ></head><body> </body></html>",
            "<p>&nbsp;&#160;&#x200b;\u{200b}&zwnj;</p><!-- reviews > -->",
            "<div><br><hr></div><script>1 < 2</script>",
            "<p",
        ] {
            assert!(!shows(empty), "{empty}");
        }
        for shown in [
            "a",
            "<p>a</p>",
            "<style>x</style>a",
            "&lt;",
            "&#9733;",
            "a & b",
            "<p>&nbsp;.</p>",
            "<!-- x -->a",
        ] {
            assert!(shows(shown), "{shown}");
        }
    }
}
