//! A word or phrase to find in folded text: whole words, or (`kapot*`) a prefix.

use crate::spelling::{fold, joins};

/// A word or phrase, folded once where the rules are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    needle: String,
    is_prefix: bool,
}

impl Phrase {
    /// Reads `kapot`, `nooit meer` or `kapot*`; the error says what is wrong.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let (stem, is_prefix) = match text.strip_suffix('*') {
            Some(stem) => (stem, true),
            None => (text, false),
        };
        if stem.contains('*') {
            return Err("has a `*` that is not at the end");
        }
        let needle = fold(stem);
        if needle.is_empty() { Err("contains nothing to search for") } else { Ok(Self { needle, is_prefix }) }
    }

    /// Whether the folded text has it.
    pub fn is_in(&self, folded: &str) -> bool {
        let mut from = 0;
        while let Some(at) = folded.get(from..).and_then(|rest| rest.find(&self.needle)) {
            let start = from + at;
            if self.is_whole(folded, start) {
                return true;
            }
            // On by one character, not by the match: the next one may overlap it.
            from = start + self.needle.chars().next().map_or(1, char::len_utf8);
        }
        false
    }

    fn is_whole(&self, folded: &str, start: usize) -> bool {
        let (before, rest) = folded.split_at(start);
        let after = &rest[self.needle.len()..];
        let parted = |left: Option<char>, right: Option<char>| match (left, right) {
            (Some(left), Some(right)) => !joins(left, right),
            _ => true,
        };
        parted(before.chars().next_back(), self.needle.chars().next())
            && (self.is_prefix || parted(self.needle.chars().next_back(), after.chars().next()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn finds(phrase: &str, text: &str) -> bool {
        Phrase::read(phrase).unwrap().is_in(&fold(text))
    }

    #[test]
    fn whole_words_only() {
        assert!(finds("kapot", "Alles KAPOT!"));
        assert!(!finds("kapot", "kapotte doos"));
        assert!(!finds("rat", "separate"));
        assert!(finds("kapot*", "kapotte doos"));
        assert!(!finds("kapot*", "stukkapot"));
        assert!(finds("nooit meer", "Nooit\n  méér."));
        assert!(finds("article", "l’article"));
        assert!(finds("na na", "bana na na"));
        assert!(finds("cafe", "het café."));
        assert!(finds("strasse", "Große Straße 5"));
        assert!(finds("c++", "learn c++ now"));
    }

    #[test]
    fn scripts_without_spaces_are_searched_through() {
        assert!(finds("配送", "この配送は遅い"));
        assert!(finds("遅い*", "とても遅いです"));
        assert!(finds("iPhone", "このiPhoneは"));
        assert!(finds("배송", "배송이 늦어요"));
        assert!(finds("แย่", "บริการแย่มาก"));
        assert!(finds("سيء", "منتج سيء جدا"));
        assert!(!finds("سي", "منتج سيء جدا"));
        assert!(!finds("ка", "кар"));
        assert!(finds("👎", "nee👎🏽"));
    }

    #[test]
    fn what_is_no_phrase() {
        for bad in ["", "  ", "*", "\u{200B}", "\u{301}", "ka*pot", "*pot", "**"] {
            assert!(Phrase::read(bad).is_err(), "{bad:?}");
        }
    }
}
