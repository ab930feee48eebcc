//! Addresses below the base URL: built from templates, and checked so that nothing of a review, a setting or
//! an answer leads anywhere else.

use super::Endpoint;
use url::{Host, Url};

/// Whether `url` stays on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

/// Whether `path` (which may have a query) can only lead below a base URL.
pub(super) fn is_relative_path(path: &str) -> bool {
    let steps = path.split('?').next().unwrap_or_default().to_ascii_lowercase().replace("%2e", ".");
    !steps.is_empty()
        && !steps.starts_with('/')
        && !steps.contains(':')
        && !path.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '#' | '\\'))
        && !steps.split('/').any(|step| step == ".." || step == ".")
}

/// Whether `uuid` can be a review's identity: 1 to 200 of `A-Z a-z 0-9 . _ : -`, and not only dots, which
/// would lead out of a path.
pub(super) fn is_usable_uuid(uuid: &str) -> bool {
    uuid.len() <= 200
        && uuid.chars().any(|c| c != '.')
        && uuid.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '-'))
}

/// The address of `endpoint` with `path` below `base`; `value` takes the place of its placeholder.
pub(super) fn build(base: &Url, endpoint: Endpoint, path: &str, value: Option<&str>) -> Option<Url> {
    let path = match (endpoint.placeholder(), value) {
        (Some((placeholder, _)), Some(value)) => path.replace(placeholder, &segment(value)),
        _ => path.to_owned(),
    };
    below(base, &path)
}

/// `reference` resolved against `base`, where the result lies below it.
pub(super) fn below(base: &Url, reference: &str) -> Option<Url> {
    let mut folder = base.clone();
    if !folder.path().ends_with('/') {
        folder.set_path(&format!("{}/", base.path()));
    }
    let mut url = folder.join(reference).ok()?;
    url.set_fragment(None);
    let inside = url.origin() == folder.origin()
        && url.path().starts_with(folder.path())
        && url.username().is_empty()
        && url.password().is_none();
    inside.then_some(url)
}

/// `value` as one path segment.
fn segment(value: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'~');
    let encode = |byte: u8| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    value.bytes().map(encode).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_one_segment_below_the_base() {
        let base = Url::parse("https://a.example/api/v1").unwrap();
        let mark = |uuid| build(&base, Endpoint::MarkReviewRead, "reviews/{uuid}/read", Some(uuid));
        assert_eq!(mark("ab:c-1").unwrap().as_str(), "https://a.example/api/v1/reviews/ab%3Ac-1/read");
        assert_eq!(mark("a/../b?c#d").unwrap().path(), "/api/v1/reviews/a%2F..%2Fb%3Fc%23d/read");
        let plain = build(&base, Endpoint::MarkReviewRead, "reviews/read?x=1", Some("ab")).unwrap();
        assert_eq!(plain.as_str(), "https://a.example/api/v1/reviews/read?x=1");
    }

    #[test]
    fn a_link_leads_below_the_base_or_nowhere() {
        let base = Url::parse("https://a.example/api/v1/").unwrap();
        assert!(below(&base, "https://a.example/api/v1/reviews?page=2").is_some());
        assert!(below(&base, "/api/v1/reviews?page=2").is_some());
        for foreign in [
            "http://a.example/api/v1/reviews",
            "https://a.example:8443/api/v1/x",
            "https://u@a.example/api/v1/x",
            "https://evil.example/api/v1/x",
            "//evil.example/api/v1/x",
            "https://a.example/api/v1/../x",
            "https://a.example/api/v10/x",
            "file:///etc/passwd",
        ] {
            assert_eq!(below(&base, foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_uuid_of_dots_is_none() {
        for bad in ["", ".", "..", "a b", "a/b", "é", &"a".repeat(201)] {
            assert!(!is_usable_uuid(bad), "{bad:?}");
        }
        for good in ["1", "0b7c7e9e-1b1f-4d0e-9d3e-000000000001", "KIYNL-1:2_3.4"] {
            assert!(is_usable_uuid(good), "{good:?}");
        }
    }
}
