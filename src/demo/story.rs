//! What happens in the demo, and when: reviews arrive, customers change their minds, Slack has a bad moment.
//! Pure: no clock, no I/O; the same seed gives the same story.

use super::sample_reviews::{FIRST, MORE, SampleReview};
use crate::clock::rfc3339;
use crate::domain::Timestamp;
use fastrand::Rng;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::time::Duration;

/// How long Slack is out.
pub(super) const OUTAGE: Duration = Duration::from_secs(10);
/// When it is out first, and how long it works between two outages.
const FIRST_OUTAGE: Duration = Duration::from_secs(18);
const BETWEEN_OUTAGES: Duration = Duration::from_secs(70);
/// How long after its arrival an unhappy customer thinks again, at least.
const SECOND_THOUGHTS: Duration = Duration::from_secs(20);
/// How many customers who may think again are remembered.
const MAX_WAITING: usize = 20;

/// Something that happens.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Beat {
    /// This review arrives.
    Arrives(Value),
    /// One arrives that the sandbox makes up.
    Another,
    /// The customer changes the review: it is unread again.
    Changes {
        /// Which.
        uuid: String,
        /// What is new about it.
        patch: Value,
    },
    /// Slack answers 503 from now on.
    SlackFails,
    /// Slack works again.
    SlackWorks,
}

/// The story so far.
#[derive(Debug)]
pub(super) struct Story {
    rng: Rng,
    /// What is left of [`MORE`]; shuffled again when it runs out.
    deck: Vec<&'static SampleReview>,
    /// Customers who will think again: when, which review, how.
    waiting: VecDeque<(Timestamp, String, Value)>,
    out_until: Option<Timestamp>,
    next_outage: Timestamp,
}

impl Story {
    /// A story that begins at `now`.
    pub(super) fn new(seed: u64, now: Timestamp) -> Self {
        Self {
            rng: Rng::with_seed(seed),
            deck: Vec::new(),
            waiting: VecDeque::new(),
            out_until: None,
            next_outage: now.plus(FIRST_OUTAGE),
        }
    }

    /// The reviews that are unread at first.
    pub(super) fn opening(&mut self, now: Timestamp) -> Vec<Value> {
        let count = u64::try_from(FIRST.len()).unwrap_or(1);
        let ages = (0..count).rev().map(|index| Duration::from_secs(90 + index * 23 * 60));
        FIRST.iter().zip(ages).map(|(sample, age)| self.arrival(sample, now.minus(age), now)).collect()
    }

    /// What happens now, and how long nothing happens after it.
    pub(super) fn next(&mut self, now: Timestamp) -> (Vec<Beat>, Duration) {
        let mut beats = Vec::new();
        self.outages(now, &mut beats);
        if self.waiting.front().is_some_and(|(at, ..)| *at <= now)
            && let Some((_, uuid, patch)) = self.waiting.pop_front()
        {
            beats.push(Beat::Changes { uuid, patch });
        } else if self.rng.u32(..10) < 4 {
            beats.push(Beat::Another);
        } else {
            let sample = self.deal();
            let at = now.minus(Duration::from_secs(self.rng.u64(20..400)));
            beats.push(Beat::Arrives(self.arrival(sample, at, now)));
        }
        let pause = Duration::from_millis(self.rng.u64(1_000..3_000));
        // An outage ends on time.
        let pause = self.out_until.map_or(pause, |until| pause.min(until.since(now)));
        (beats, pause.max(Duration::from_millis(50)))
    }

    /// Until when Slack is out.
    pub(super) fn out_until(&self) -> Option<Timestamp> {
        self.out_until
    }

    fn outages(&mut self, now: Timestamp, beats: &mut Vec<Beat>) {
        match self.out_until {
            Some(until) if until <= now => {
                self.out_until = None;
                self.next_outage = now.plus(BETWEEN_OUTAGES);
                beats.push(Beat::SlackWorks);
            }
            None if self.next_outage <= now => {
                self.out_until = Some(now.plus(OUTAGE));
                beats.push(Beat::SlackFails);
                // An outage that nobody writes in would show nothing.
                let unhappy: Vec<&SampleReview> =
                    MORE.iter().filter(|sample| sample.source == "01" && sample.rating == "1").collect();
                if let Some(sample) = self.rng.choice(unhappy) {
                    beats.push(Beat::Arrives(self.arrival(sample, now.minus(Duration::from_secs(60)), now)));
                }
            }
            _ => {}
        }
    }

    fn deal(&mut self) -> &'static SampleReview {
        if self.deck.is_empty() {
            self.deck = MORE.iter().collect();
            self.rng.shuffle(&mut self.deck);
        }
        self.deck.pop().unwrap_or(&FIRST[0])
    }

    /// The review as the API lists it, written at `at`.
    fn arrival(&mut self, sample: &'static SampleReview, at: Timestamp, now: Timestamp) -> Value {
        let uuid = uuid(&mut self.rng);
        if let Some((rating, text)) = sample.later
            && self.waiting.len() < MAX_WAITING
        {
            let wait = SECOND_THOUGHTS + Duration::from_secs(self.rng.u64(..25));
            let then = self.waiting.back().map_or(now.plus(wait), |(last, ..)| now.plus(wait).max(*last));
            self.waiting.push_back((then, uuid.clone(), json!({"rating": value(rating), "body": text})));
        }
        json!({
            "uuid": uuid,
            "name": sample.author,
            "email": null,
            "body": sample.text,
            "rating": value(sample.rating),
            "source_uuid": format!("50a2ce00-0000-4000-8000-0000000000{}", sample.source),
            "platform_uuid": null,
            "company_uuid": null,
            "local_code": sample.language,
            "review_at": rfc3339(Timestamp(at.as_millis().div_euclid(1000) * 1000)),
        })
    }
}

/// A rating as the API has it: a number where it is one.
fn value(rating: &str) -> Value {
    rating.parse::<u32>().map_or_else(|_| json!(rating), |number| json!(number))
}

fn uuid(rng: &mut Rng) -> String {
    let hex = format!("{:032x}", rng.u128(..));
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const START: Timestamp = Timestamp(1_700_000_000_000);

    /// Ten minutes of the story: what happened when.
    fn ten_minutes(seed: u64) -> Vec<(Timestamp, Beat)> {
        let mut story = Story::new(seed, START);
        let mut beats: Vec<_> =
            story.opening(START).into_iter().map(|review| (START, Beat::Arrives(review))).collect();
        let mut now = START;
        while now < START.plus(Duration::from_secs(600)) {
            let (next, pause) = story.next(now);
            beats.extend(next.into_iter().map(|beat| (now, beat)));
            now = now.plus(pause);
        }
        beats
    }

    #[test]
    fn the_same_seed_tells_the_same_story() {
        assert_eq!(ten_minutes(1), ten_minutes(1));
        assert_ne!(ten_minutes(1), ten_minutes(2));
    }

    #[test]
    fn there_is_something_to_see() {
        let beats = ten_minutes(1);
        let count = |of: fn(&Beat) -> bool| beats.iter().filter(|(_, beat)| of(beat)).count();
        assert!(count(|beat| matches!(beat, Beat::Arrives(_))) > 100);
        assert!(count(|beat| matches!(beat, Beat::Another)) > 50);
        assert!(count(|beat| matches!(beat, Beat::Changes { .. })) >= 10);
        assert!(count(|beat| matches!(beat, Beat::SlackFails)) >= 6);
    }

    #[test]
    fn every_outage_ends_and_a_change_is_of_a_review_that_arrived() {
        let (mut out_since, mut known) = (None, BTreeSet::new());
        for (now, beat) in ten_minutes(3) {
            match beat {
                Beat::SlackFails => assert_eq!(out_since.replace(now), None),
                Beat::SlackWorks => {
                    let lasted = now.since(out_since.take().unwrap());
                    assert!(lasted >= OUTAGE && lasted < OUTAGE * 2, "{lasted:?}");
                }
                Beat::Arrives(review) => {
                    assert!(known.insert(review["uuid"].as_str().unwrap().to_owned()), "twice");
                }
                Beat::Changes { uuid, .. } => assert!(known.contains(&uuid)),
                Beat::Another => {}
            }
        }
    }
}
