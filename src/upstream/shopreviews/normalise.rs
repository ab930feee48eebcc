//! Texts of the API made readable and safe, once, where they come in. How names and texts are cleaned is in
//! [`crate::spelling`], which reads names of rules in the same way.

use crate::spelling::clean::decode;
pub(super) use crate::spelling::clean::{MAX_NAME, line, text};

use crate::domain::text::is_unsafe;

/// The maximum of characters kept of a title.
pub(super) const MAX_TITLE: usize = 500;
/// Longer links are dropped.
const MAX_LINK: usize = 2000;

/// A link that a message may show: http or https, without a user name, not overlong.
pub(super) fn link(raw: &str) -> Option<String> {
    // Decoded as texts are: `&amp;` in an address is a platform's or a collector's encoding.
    let url = url::Url::parse(decode(raw).trim()).ok()?;
    let fit = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.as_str().len() <= MAX_LINK;
    fit.then(|| url.into())
}

/// Whether `text` is nothing but one e-mail address.
pub(super) fn is_email(text: &str) -> bool {
    let text = text.trim();
    text.len() <= 320
        && !text.contains(|c: char| c.is_whitespace() || is_unsafe(c) || matches!(c, '<' | '>' | ',' | ';'))
        && text.split_once('@').is_some_and(|(user, host)| {
            !user.is_empty() && host.contains('.') && !host.contains('@') && !host.starts_with('.')
        })
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_web_pages_only() {
        assert_eq!(link(" https://a.example/b?c ").as_deref(), Some("https://a.example/b?c"));
        // S1
        for raw in [
            "https://a.example/?a=1&amp;b=%26",
            "https://a.example/?a=1&amp;amp;b=%26",
            "https://a.example/?a=1&b=%26",
        ] {
            assert_eq!(link(raw).as_deref(), Some("https://a.example/?a=1&b=%26"), "{raw}");
        }
        assert_eq!(link("java&#115;cript:alert(1)"), None);
        for bad in
            ["javascript:alert(1)", "ftp://a", "https://u:p@a.example", "", "//a.example", "data:text/html,x"]
        {
            assert_eq!(link(bad), None, "{bad}");
        }
        assert_eq!(link(&format!("https://a.example/{}", "a".repeat(2000))), None);
    }

    #[test]
    fn an_address_is_told_from_a_name() {
        assert!(is_email(" jan@shop.example "));
        for name in [
            "a\u{202E}b@shop.example",
            "Jan",
            "@jan",
            "jan@",
            "jan@home",
            "mail jan@shop.example",
            "a@b@c.example",
        ] {
            assert!(!is_email(name), "{name}");
        }
    }
}
