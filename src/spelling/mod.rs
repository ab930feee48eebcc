//! How names and words are spelt: the one cleaning of what comes from outside, and the one folding by which names and
//! words are compared. What the API shows, a rule, a scale, a test and an option of a command all pass through here, so
//! a name copied from anywhere is found.

pub mod clean;
pub mod fold;

pub use fold::{fold, joins, plain_form};

/// Rounds after which a name is cleaned enough: each undoes one encoding of entities.
const ROUNDS: usize = 8;

/// A name or uuid as it is compared: cleaned like a name of the API, then folded. The same for a name as the API sends
/// it, as the bridge shows it, and as a person types it.
pub fn key(name: &str) -> String {
    if is_plain(name) {
        return name.to_ascii_lowercase();
    }
    let cleaned = cleaned(name);
    let folded = fold(&cleaned);
    // A name of signs only, such as `™`, still has to be found.
    if folded.is_empty() { cleaned.to_lowercase() } else { folded }
}

/// Whether there is nothing to clean, and nothing to fold but its case; so are most names and all uuids.
fn is_plain(name: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'-' | b'_' | b'.');
    name.bytes().all(is_letter)
        && name.len() <= clean::MAX_NAME
        && !name.contains("  ")
        && name.trim_matches(' ').len() == name.len()
}

/// `name` cleaned until there is nothing left to clean.
fn cleaned(name: &str) -> String {
    let mut name = name.to_owned();
    for _ in 0..ROUNDS {
        match clean::line(&name, clean::MAX_NAME) {
            Some(next) if next != name => name = next,
            Some(_) => break,
            None => return String::new(),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // J2
    #[test]
    fn a_name_is_the_same_however_it_was_copied() {
        let same = [
            ("Shop\u{A0}NL", "shop nl"),
            ("Shop\u{202F}\u{2009} NL\u{200B}", "Shop NL"),
            ("Wine &amp; Dine", "Wine & Dine"),
            ("Wine &amp;amp; Dine", "wine & dine"),
            ("O’Connor", "O'Connor"),
            ("O&#39;Connor", "O’CONNOR"),
            ("Caf\u{65}\u{301}", "cafe"),
            ("Shop – NL", "Shop - NL"),
            ("„Shop“", "\"Shop\""),
            ("<b>Shop</b>&nbsp;NL", "Shop NL"),
            ("0190-AB", "0190-ab"),
        ];
        for (a, b) in same {
            assert_eq!(key(a), key(b), "{a:?} and {b:?}");
        }
        assert_ne!(key("Shop NL"), key("Shop BE"));
        assert!(!key("™").is_empty());
    }

    proptest! {
        #[test]
        fn a_plain_name_has_the_key_of_any_other(name in "[A-Za-z0-9 ._-]{0,40}") {
            prop_assert_eq!(key(&name), fold(&cleaned(&name)));
        }

        #[test]
        fn a_name_as_sent_and_as_shown_has_one_key(sent in prop_oneof![
            any::<String>(),
            "[A-Za-zé ’'&;<>/#0-9\u{A0}\u{200B}\u{301}-]{0,60}",
            "(&amp;|&nbsp;|&#39;|&lt;b&gt;|Shop|NL| |é|ß|\u{2019}){0,12}",
        ]) {
            if let Some(shown) = clean::line(&sent, clean::MAX_NAME) {
                prop_assert_eq!(key(&sent), key(&shown), "shown as {:?}", shown);
                prop_assert!(!key(&shown).is_empty());
            }
        }
    }
}
