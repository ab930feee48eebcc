//! Keeps a destination's secrets out of everything that is shown or stored.

use super::guess::is_generated;
use crate::domain::text::{is_unsafe, one_line};

const MAX_EXCERPT: usize = 300;
/// A longer one that somebody set as a secret is not shown, whatever it looks like.
const LONGEST_SHOWN: usize = 8;
/// What is shorter stands in other words, too.
const SHORTEST: usize = 6;

/// What must not appear in a text.
pub struct Secrets(Vec<String>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Secrets {
    /// What is secret of `url`: parts of its path, query and user info that were generated, and where there is one the
    /// whole path and query; and `more`. Never a word that people chose, which would garble advice, and nothing of the
    /// host, which is shown.
    pub fn new(url: &url::Url, more: &[&str]) -> Self {
        let path = url.path().split('/');
        let query =
            url.query().unwrap_or_default().split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let user = [url.username(), url.password().unwrap_or_default()];
        let parts = path.chain(query.flat_map(|(name, value)| [name, value])).chain(user);
        let mut found: Vec<String> = parts.filter(|part| is_secret(part)).map(str::to_owned).collect();
        if !found.is_empty() {
            found.extend([url.as_str().to_owned(), url.path().to_owned()]);
            found.extend(url.query().map(str::to_owned));
        }
        for secret in more {
            found.extend([(*secret).to_owned(), secret.trim_start_matches("whsec_").to_owned()]);
        }
        let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
        let mut secrets = Self::of(with_variants(found));
        secrets.0.retain(|part| !host.contains(&part.to_ascii_lowercase()));
        secrets
    }

    /// These, but for what is short and looks chosen.
    pub fn of(mut found: Vec<String>) -> Self {
        // The absence of words would garble texts.
        found.retain(|part| part.len() > LONGEST_SHOWN || is_secret(part));
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

/// Whether a part of a URL is a secret by its looks.
fn is_secret(part: &str) -> bool {
    part.len() >= SHORTEST && is_generated(&decoded(part))
}

/// `found` as receivers may give it back: decoded, with the slashes of JSON escaped, and each generated run of it.
fn with_variants(found: Vec<String>) -> Vec<String> {
    let mut all = Vec::new();
    for part in found {
        let plain = decoded(&part);
        let runs =
            plain.split(|c: char| !c.is_alphanumeric()).filter(|run| is_secret(run)).map(str::to_owned);
        all.extend(runs.collect::<Vec<_>>());
        all.extend([
            part.replace('/', "\\/"),
            plain.replace('/', "\\/"),
            plain.replace('&', "&amp;"),
            plain,
            part,
        ]);
    }
    all
}

/// `part` without percent-encoding.
fn decoded(part: &str) -> String {
    let plain = part.replace('+', "%2B");
    let plain = url::form_urlencoded::parse(plain.as_bytes()).next();
    plain
        .map(|(name, value)| if value.is_empty() { name.into_owned() } else { format!("{name}={value}") })
        .unwrap_or_default()
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secrets(url: &str) -> Secrets {
        Secrets::new(&url::Url::parse(url).unwrap(), &[])
    }

    // F11, J18
    #[test]
    fn secrets_are_hidden_and_words_hosts_and_sub_paths_are_not() {
        const ADVICE: &str = "In Teams, open Workflows, copy the URL of the Workflow again. Mattermost at \
                              example.com/mattermost refuses this: its webhooks, hooks, services, triggers, manual paths, \
                              environments, messages and powerautomate automations.";
        for (url, hidden) in [
            (
                "https://hooks.slack.com/services/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",
                &["x9Kd83jfnQpL20vbTTzzrr1A"][..],
            ),
            (
                "https://example.com/mattermost/hooks/y7n3k1p9q8r5t2w4x6z1a3b5c7",
                &["y7n3k1p9q8r5t2w4x6z1a3b5c7"],
            ),
            (
                "https://default0a1b2c3d4e5f67890a1b2c3d4e5f67.89.environment.api.powerplatform.com:443/powerautomate/\
                 automations/direct/workflows/0a1b2c3d4e5f67890a1b2c3d4e5f6789/triggers/manual/paths/invoke?\
                 api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=aB-cDk39vX_Qw%2B9z2Lm%3D",
                &["0a1b2c3d4e5f67890a1b2c3d4e5f6789", "aB-cDk39vX_Qw%2B9z2Lm%3D", "aB-cDk39vX_Qw+9z2Lm="],
            ),
            ("https://discord.com/api/webhooks/112233445566778899/Ab-3kd_93kfLLq01", &["Ab-3kd_93kfLLq01"]),
            (
                "https://chat.googleapis.com/v1/spaces/AAAA1b2c3d4/messages?key=AIzaSyD-9tSrke72PouQ&token=k3Jd_8s-Q2z",
                &["AIzaSyD-9tSrke72PouQ", "k3Jd_8s-Q2z", "AAAA1b2c3d4"],
            ),
            ("https://hooks.zapier.com/hooks/catch/1234567/b3kd92x/", &["b3kd92x"]),
            ("https://crm.example/in/customer-reviews?apikey=9f8e7d6c5b4a", &["9f8e7d6c5b4a"]),
            ("https://user:p4ssw0rdX9@crm.example/services/reviews", &["p4ssw0rdX9"]),
        ] {
            let secrets = secrets(url);
            assert_eq!(secrets.excerpt_of(ADVICE, 600), ADVICE, "{url}");
            let path = url.split_once(".com").map_or(url, |(_, path)| path);
            for echo in
                [url.to_owned(), path.replace('/', "\\/"), url.to_uppercase(), url.replace('&', "&amp;")]
            {
                let shown = secrets.excerpt_of(&format!("no such hook: {echo}"), 2_000);
                assert!(shown.contains("[redacted]"), "{url}: {shown}");
                for part in hidden {
                    assert!(!shown.to_lowercase().contains(&part.to_lowercase()), "{part}: {shown}");
                }
            }
            for part in hidden {
                assert!(
                    !secrets.excerpt_of(&format!("no hook {part} here"), 600).contains(part),
                    "{url}: {part}"
                );
            }
        }
    }

    #[test]
    fn a_url_without_a_secret_hides_nothing() {
        let plain = secrets("https://crm.example/webhooks/customer-reviews/incoming?source=reviews&lang=nl");
        let text = "https://crm.example/webhooks/customer-reviews/incoming?source=reviews&lang=nl says: no incoming webhooks";
        assert_eq!(plain.excerpt_of(text, 600), text);
        let named =
            Secrets::new(&url::Url::parse("https://ntfy.sh/").unwrap(), &["reviews", "reviews-of-our-shop"]);
        assert_eq!(named.excerpt_of("reviews in reviews-of-our-shop", 600), "reviews in [redacted]");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_token_is_ever_shown(token in "[A-Za-z0-9_-]{7}[0-9][A-Za-z][A-Za-z0-9_-]{9,40}", place in 0_usize..4) {
            let url = match place {
                0 => format!("https://shop.example/mattermost/hooks/{token}"),
                1 => format!("https://shop.example/in?token={token}&x=1"),
                2 => format!("https://shop.example/in/{token}/reviews"),
                _ => format!("https://{token}@shop.example/in"),
            };
            let shown = secrets(&url).excerpt_of(&format!("{url} {token} hooks"), 2_000);
            prop_assert!(!shown.contains(&token) && shown.ends_with("hooks"), "{shown}");
        }
    }
}
