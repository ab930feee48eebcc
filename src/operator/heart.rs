//! When the heart beats: once every account has been polled well, and not while the operator is alarmed. Pure.

use std::collections::BTreeSet;

/// Decides when the heartbeat is called.
#[derive(Debug, Default)]
pub struct Heart {
    polled: BTreeSet<String>,
}

impl Heart {
    /// `account`, one of `accounts`, was polled well: whether the heart beats. It does once for each round of all
    /// accounts; a round that ends while the operator `is_alarmed` is silent.
    pub fn polled<'a>(
        &mut self,
        account: &str,
        mut accounts: impl Iterator<Item = &'a String>,
        is_alarmed: bool,
    ) -> bool {
        self.polled.insert(account.to_owned());
        let complete = accounts.all(|account| self.polled.contains(account));
        if complete {
            self.polled.clear();
        }
        complete && !is_alarmed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heart_beats_once_for_each_round_of_all_accounts() {
        let mut heart = Heart::default();
        let (one, both) = (["a".to_owned()], ["a".to_owned(), "b".to_owned()]);
        let mut polled = |account: &str, accounts: &[String]| heart.polled(account, accounts.iter(), false);
        assert_eq!([polled("a", &both), polled("a", &both), polled("b", &both)], [false, false, true]);
        assert_eq!([polled("b", &both), polled("a", &both)], [false, true]);
        // An account that was removed does not hold up the call.
        assert!(!polled("a", &both) && polled("a", &one));
    }

    // first-use 1
    #[test]
    fn it_is_silent_while_the_operator_is_alarmed() {
        let (mut heart, one) = (Heart::default(), ["a".to_owned()]);
        assert!(!heart.polled("a", one.iter(), true));
        assert!(heart.polled("a", one.iter(), false));
    }
}
