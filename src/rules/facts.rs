//! What the conditions check: a candidate, and what is derived from it once for all rules.

use super::Candidate;
use crate::domain::{Named, Subject, Timestamp};
use crate::spelling::{fold, key, plain_form};
use std::cell::OnceCell;
use unicode_segmentation::UnicodeSegmentation;

/// A candidate while rules check it. There may be hundreds of rules: its text and its names are folded at
/// most once.
#[derive(Debug)]
pub struct Facts<'a> {
    candidate: Candidate<'a>,
    folded: OnceCell<Vec<String>>,
    plain: OnceCell<Vec<String>>,
    length: OnceCell<u64>,
    account: OnceCell<Vec<String>>,
    websites: OnceCell<Vec<String>>,
    source: OnceCell<Vec<String>>,
    platform: OnceCell<Vec<String>>,
    author: OnceCell<Option<String>>,
}

/// The kinds of names that a rule can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// An account of the configuration.
    Account,
    /// A website of the account.
    Website,
    /// A source of reviews.
    Source,
    /// A platform.
    Platform,
}

impl NameKind {
    /// The word for one.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Website => "website",
            Self::Source => "source",
            Self::Platform => "platform",
        }
    }
}

impl<'a> Facts<'a> {
    /// Nothing is derived until a condition needs it.
    pub fn new(candidate: Candidate<'a>) -> Self {
        Self {
            candidate,
            folded: OnceCell::new(),
            plain: OnceCell::new(),
            length: OnceCell::new(),
            account: OnceCell::new(),
            websites: OnceCell::new(),
            source: OnceCell::new(),
            platform: OnceCell::new(),
            author: OnceCell::new(),
        }
    }

    /// The review with its names and rating.
    pub fn subject(&self) -> &'a Subject {
        self.candidate.subject
    }

    /// The time of matching.
    pub fn now(&self) -> Timestamp {
        self.candidate.now
    }

    /// What the customer wrote: title and text, each where it is not blank.
    pub fn texts(&self) -> impl Iterator<Item = &'a str> {
        let review = &self.candidate.subject.review;
        let parts = [review.title.as_deref(), review.text.as_deref()];
        parts.into_iter().flatten().map(str::trim).filter(|text| !text.is_empty())
    }

    /// The same, folded. Apart, so that no phrase is found across them.
    pub fn folded(&self) -> &[String] {
        self.folded.get_or_init(|| self.texts().map(fold).collect())
    }

    /// The same in a plain form, for patterns.
    pub fn plain(&self) -> &[String] {
        self.plain.get_or_init(|| self.texts().map(plain_form).collect())
    }

    /// How many characters the customer wrote, counted as people count them: `👍🏽` is one.
    pub fn length(&self) -> u64 {
        *self.length.get_or_init(|| self.texts().map(|text| text.graphemes(true).count() as u64).sum())
    }

    /// The author's name, folded.
    pub fn author(&self) -> Option<&str> {
        let author = || self.subject().review.author.as_deref().map(key).filter(|name| !name.is_empty());
        self.author.get_or_init(author).as_deref()
    }

    /// Names and uuids of that kind, folded.
    pub fn keys(&self, kind: NameKind) -> &[String] {
        let subject = self.subject();
        match kind {
            NameKind::Account => self.account.get_or_init(|| vec![key(&subject.review.account)]),
            NameKind::Website => self.websites.get_or_init(|| keys(&subject.websites)),
            NameKind::Source => self.source.get_or_init(|| keys(&subject.source)),
            NameKind::Platform => self.platform.get_or_init(|| keys(&subject.platform)),
        }
    }

    /// The names of that kind as people know them.
    pub fn names(&self, kind: NameKind) -> Vec<&'a str> {
        fn of<'a>(named: impl IntoIterator<Item = &'a Named>) -> Vec<&'a str> {
            named.into_iter().map(|named| named.name.as_str()).collect()
        }
        let subject = self.subject();
        match kind {
            NameKind::Account => vec![&subject.review.account],
            NameKind::Website => of(&subject.websites),
            NameKind::Source => of(&subject.source),
            NameKind::Platform => of(&subject.platform),
        }
    }

    /// Whether all names of that kind are known. If not, a name that was not found may still apply; a uuid in place
    /// of a name is what `Subject::resolve` gives an unknown one.
    pub fn are_known(&self, kind: NameKind) -> bool {
        let subject = self.subject();
        match kind {
            NameKind::Account => true,
            NameKind::Website => subject.websites_known && !subject.websites.iter().any(is_unnamed),
            NameKind::Source => !subject.source.iter().any(is_unnamed),
            NameKind::Platform => match &subject.platform {
                Some(platform) => !is_unnamed(platform),
                // A platform may be known only through the source.
                None => self.are_known(NameKind::Source),
            },
        }
    }
}

fn is_unnamed(named: &Named) -> bool {
    named.name == named.uuid
}

fn keys<'a>(named: impl IntoIterator<Item = &'a Named>) -> Vec<String> {
    let both = named.into_iter().flat_map(|named| [key(&named.name), key(&named.uuid)]);
    both.filter(|key| !key.is_empty()).collect()
}
