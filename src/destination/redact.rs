//! Keeps a destination's secrets out of everything that is shown or stored.

use crate::domain::text::{is_unsafe, one_line};

const MAX_EXCERPT: usize = 300;

/// What must not appear in a text.
pub struct Secrets(Vec<String>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Secrets {
    /// The URL, its path, query and their longer parts, and `more`.
    pub fn new(url: &url::Url, more: &[&str]) -> Self {
        let mut found = vec![url.as_str().to_owned(), url.path().to_owned()];
        found.extend(url.path().split('/').map(str::to_owned));
        found.extend(url.query().map(str::to_owned));
        for (name, value) in url.query_pairs() {
            found.extend([name.into_owned(), value.into_owned()]);
        }
        for secret in more {
            found.extend([(*secret).to_owned(), secret.trim_start_matches("whsec_").to_owned()]);
        }
        let decoded = |text: &String| {
            let bytes =
                url::form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned());
            bytes.unwrap_or_default()
        };
        found.extend(found.iter().map(decoded).collect::<Vec<_>>());
        Self::of(found)
    }

    /// These, but for what is short.
    pub fn of(mut found: Vec<String>) -> Self {
        // Shorter parts (`services`, `T1`) are no secrets, and their absence would garble texts.
        found.retain(|part| part.len() > 8);
        found.sort_by_key(|part| std::cmp::Reverse(part.len()));
        found.dedup();
        Self(found)
    }

    /// The start of an answer, for the ledger.
    pub fn excerpt(&self, text: &str) -> String {
        self.excerpt_of(text, MAX_EXCERPT)
    }

    /// `text` on one line without secrets, then cut: the other way round half of one could remain.
    pub fn excerpt_of(&self, text: &str, limit: usize) -> String {
        let mut line: String = text.chars().filter(|c| !is_unsafe(*c)).collect();
        line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        for secret in &self.0 {
            line = replace_without_case(&line, secret, "[redacted]");
        }
        one_line(&line, limit)
    }
}

fn replace_without_case(text: &str, part: &str, with: &str) -> String {
    // ASCII only: lengths stay, so that places in the one are places in the other.
    let (lower, part) = (text.to_ascii_lowercase(), part.to_ascii_lowercase());
    let mut replaced = String::new();
    let mut done = 0;
    for (at, _) in lower.match_indices(&part) {
        replaced.push_str(&text[done..at]);
        replaced.push_str(with);
        done = at + part.len();
    }
    replaced.push_str(&text[done..]);
    replaced
}
