//! Which addresses a message may link to: the review's own page, or below a host that the template fixes.

/// The value that may be a whole address: checked to be a plain http(s) link.
pub const OWN_LINK: &str = "{{review.url}}";

/// Whether `address`, up to its first value, fixes where a link leads: `https://host/`.
pub fn is_fixed(address: &str) -> bool {
    let fixed = address.split("{{").next().unwrap_or_default();
    let host = fixed.strip_prefix("https://").or(fixed.strip_prefix("http://"));
    let host = host.and_then(|rest| rest.split_once('/')).map(|(host, _)| host);
    host.is_some_and(|host| !host.is_empty() && !host.contains(['@', '?', '#', '\\']))
}
