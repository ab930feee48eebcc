//! Many reviews in one message, by schedule (a digest) or because many came together (a summary), and the figures
//! people look at first. Pure.

use super::{RuleHit, Subject, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Averages of fewer reviews than this say nothing, and none is compared.
pub const FEWEST_FOR_AVERAGE: usize = 5;

/// What a digest says.
#[derive(Clone, Debug)]
pub struct Digest {
    /// The destination it is for.
    pub destination: String,
    /// The start of its window.
    pub from: Timestamp,
    /// The end of its window.
    pub to: Timestamp,
    /// The figures of the digest before it that was delivered, to compare with.
    pub before: Option<Figures>,
    /// Its reviews, oldest first.
    pub members: Vec<Member>,
    /// Trouble that readers should know of; empty when all is well.
    pub troubles: Vec<String>,
    /// Which part it is, where the whole was too large for the destination.
    pub part: Option<Part>,
}

/// A part of a digest or summary that was too large for its destination.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Which one, from 1.
    pub number: u32,
    /// Of how many.
    pub of: u32,
    /// The figures of the whole.
    pub whole: Figures,
}

/// Why reviews are grouped that would normally be delivered one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Too many came in a short time.
    Burst,
    /// They were pending: the destination was broken, paused or closed.
    Backlog,
}

/// The message that replaces a burst or a backlog.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Why.
    pub cause: Cause,
    /// Its reviews; without problems.
    pub reviews: Digest,
}

/// A review of a digest.
#[derive(Clone, Debug)]
pub struct Member {
    /// The review, newest revision.
    pub subject: Subject,
    /// The rules that matched, and why.
    pub rules: Vec<RuleHit>,
}

/// Counts over some reviews.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// How many.
    pub count: usize,
    /// Of these, with a known rating.
    pub rated: usize,
    /// Of these, edits of reviews delivered before.
    pub edits: usize,
    /// Low or unreadable, with text: what a person should look at.
    pub attention: usize,
    /// Rated 2 or less.
    pub low: usize,
    /// Rated 5.
    pub five: usize,
    /// By whole stars, 1 first; a rating counts to the nearest.
    pub stars: [usize; 5],
    sum: f64,
}

impl Figures {
    /// The figures of some reviews.
    pub fn of<'a>(members: impl IntoIterator<Item = &'a Member>) -> Self {
        members.into_iter().fold(Self::default(), |mut figures, member| {
            figures.add(&member.subject);
            figures
        })
    }

    /// The average of the known ratings, unrounded; `None` where none is known.
    pub fn average(&self) -> Option<f64> {
        (self.rated > 0).then(|| self.sum / self.rated as f64)
    }

    /// The share of a count among the rated, in whole percent.
    pub fn share(&self, count: usize) -> usize {
        (count * 100 + self.rated / 2).checked_div(self.rated).unwrap_or(0)
    }

    /// The shares of the stars, 1 first, in whole percent that sum to 100. None that is there is shown as 0.
    pub fn star_shares(&self) -> [usize; 5] {
        let all: usize = self.stars.iter().sum();
        let mut shares = self.stars.map(|count| (count * 100).checked_div(all).unwrap_or(0));
        for (share, count) in shares.iter_mut().zip(self.stars) {
            *share = (*share).max(usize::from(count > 0));
        }
        // What rounding left over or took too much goes to the largest, where it shows least.
        let given: usize = shares.iter().sum();
        if let Some(largest) = shares.iter_mut().max().filter(|_| all > 0) {
            *largest = (*largest + 100).saturating_sub(given);
        }
        shares
    }

    fn add(&mut self, subject: &Subject) {
        self.count += 1;
        self.edits += usize::from(subject.previous.is_some());
        self.attention += usize::from(subject.needs_attention());
        let Some(rating) = subject.rating.normalised else { return };
        self.rated += 1;
        self.sum += rating;
        self.low += usize::from(rating <= 2.0);
        self.five += usize::from(rating >= 5.0);
        let star = (rating.round() as usize).clamp(1, 5);
        if let Some(count) = self.stars.get_mut(star - 1) {
            *count += 1;
        }
    }
}

impl Digest {
    /// The figures of its reviews.
    pub fn figures(&self) -> Figures {
        Figures::of(&self.members)
    }

    /// The figures of the whole, of which it may be a part.
    pub fn whole(&self) -> Figures {
        self.part.map_or_else(|| self.figures(), |part| part.whole)
    }

    /// What a person should look at, oldest first.
    pub fn attention(&self) -> Vec<&Member> {
        let mut members: Vec<&Member> =
            self.members.iter().filter(|member| member.subject.needs_attention()).collect();
        members.sort_by_key(|member| member.subject.review.reviewed_at);
        members
    }

    /// The reviews that matter most, the worst first: what needs attention, then lower before higher ratings, with a
    /// text before without one, older before newer.
    pub fn worst(&self) -> Vec<&Member> {
        let mut members: Vec<&Member> = self.members.iter().collect();
        members.sort_by(|a, b| {
            let (a, b) = (&a.subject, &b.subject);
            // An unreadable rating with a text may be anything: it comes behind the low ones.
            let rating = |subject: &Subject| subject.rating.normalised.unwrap_or(2.5);
            let attention = b.needs_attention().cmp(&a.needs_attention());
            let text = |subject: &Subject| subject.review.text.is_none();
            attention
                .then_with(|| rating(a).total_cmp(&rating(b)))
                .then_with(|| text(a).cmp(&text(b)))
                .then_with(|| a.review.reviewed_at.cmp(&b.review.reviewed_at))
        });
        members
    }

    /// The edits of reviews delivered before that are not among [`Self::attention`].
    pub fn edits(&self) -> Vec<&Member> {
        let edit = |member: &&Member| member.subject.previous.is_some() && !member.subject.needs_attention();
        self.members.iter().filter(edit).collect()
    }

    /// The figures of each website, by name; a review on several counts for each, one on none for `None`.
    pub fn by_website(&self) -> Vec<(Option<String>, Figures)> {
        self.grouped(|subject| {
            // Websites may share a name, and a review counts once for each name.
            let names: BTreeSet<_> =
                subject.websites.iter().map(|website| Some(website.name.clone())).collect();
            if names.is_empty() { vec![None] } else { names.into_iter().collect() }
        })
    }

    /// The figures of each platform, by name; `None` where it is unknown.
    pub fn by_platform(&self) -> Vec<(Option<String>, Figures)> {
        self.grouped(|subject| vec![subject.platform.as_ref().map(|platform| platform.name.clone())])
    }

    /// Most reviews first.
    fn grouped(&self, names: impl Fn(&Subject) -> Vec<Option<String>>) -> Vec<(Option<String>, Figures)> {
        let mut groups = BTreeMap::<Option<String>, Figures>::new();
        for member in &self.members {
            for name in names(&member.subject) {
                groups.entry(name).or_default().add(&member.subject);
            }
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by(|a, b| b.1.count.cmp(&a.1.count).then_with(|| a.0.cmp(&b.0)));
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Catalog, Change, Named, NativeRating, Review};

    fn member(rating: Option<f64>, text: &str) -> Member {
        let review = Review {
            rating: rating.map_or(NativeRating::Missing, NativeRating::Number),
            text: (!text.is_empty()).then(|| text.to_owned()),
            ..Review::default()
        };
        let subject = Subject::resolve(review, &Catalog::default(), 5.0, Change::New, None);
        Member { subject, rules: Vec::new() }
    }

    #[test]
    fn an_unknown_rating_counts_but_is_in_no_average_and_no_bar() {
        let members = [member(Some(5.0), ""), member(Some(2.0), "x"), member(None, "x"), member(None, "")];
        let figures = Figures::of(&members);
        assert_eq!((figures.count, figures.rated, figures.attention), (4, 2, 2));
        assert_eq!(figures.average(), Some(3.5));
        assert_eq!(figures.stars, [0, 1, 0, 0, 1]);
        assert_eq!((figures.share(figures.low), figures.share(figures.five)), (50, 50));
        assert_eq!(Figures::default().average(), None);
        assert_eq!(Figures::default().share(0), 0);
    }

    #[test]
    fn a_review_counts_once_for_each_name_of_its_websites() {
        let named = |name: &str| Named { uuid: String::new(), name: name.into() };
        let mut member = member(Some(4.0), "x");
        member.subject.websites = vec![named("b"), named("a"), named("b")];
        let (from, to) = (Timestamp(0), Timestamp(1));
        let (before, troubles) = (None, Vec::new());
        let digest = Digest {
            destination: String::new(),
            from,
            to,
            before,
            members: vec![member],
            troubles,
            part: None,
        };
        let counts: Vec<_> =
            digest.by_website().into_iter().map(|(name, figures)| (name, figures.count)).collect();
        assert_eq!(counts, [(Some("a".into()), 1), (Some("b".into()), 1)]);
    }

    #[test]
    fn shares_sum_to_a_hundred_and_lose_no_star() {
        let shares = |stars: [usize; 5]| Figures { stars, ..Figures::default() }.star_shares();
        assert_eq!(shares([0; 5]), [0; 5]);
        assert_eq!(shares([1, 1, 1, 0, 0]), [33, 33, 34, 0, 0]);
        assert_eq!(shares([1, 0, 0, 0, 499]), [1, 0, 0, 0, 99]);
        assert_eq!(shares([1, 1, 1, 1, 9_996]), [1, 1, 1, 1, 96]);
        for seed in 0..2_000_usize {
            let stars = [seed % 7, seed % 11, seed % 13 * 40, seed % 3, seed % 17];
            let shares = shares(stars);
            assert!(stars == [0; 5] || shares.iter().sum::<usize>() == 100, "{stars:?} {shares:?}");
            assert!(stars.iter().zip(shares).all(|(count, share)| (*count > 0) == (share > 0)), "{stars:?}");
        }
    }

    #[test]
    fn stars_sum_to_the_rated() {
        let members: Vec<Member> = (1..=50).map(|step| member(Some(f64::from(step) / 10.0), "")).collect();
        let figures = Figures::of(&members);
        assert_eq!(figures.stars.iter().sum::<usize>(), figures.rated);
    }
}
