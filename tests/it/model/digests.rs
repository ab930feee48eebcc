//! Digests: their windows, and the messages that gather what waits.

use super::state::State;
use review_bridge::domain::{DeliveryState, Figures, Form, MessageKind, Timestamp};
use review_bridge::store::*;
use std::collections::BTreeSet;
use std::sync::Arc;

impl State {
    pub fn save_digest_window(&mut self, window: &DigestWindow) {
        self.digests.insert(window.destination.clone(), window.clone());
    }

    pub fn make_digest(&mut self, digest: &NewDigest<'_>, now: Timestamp) -> u64 {
        let destination = &*digest.next.destination;
        let from = self.digests.get(destination).map_or(now, |window| window.from);
        let pending: Vec<i64> =
            self.deliveries.index().in_state(destination, DeliveryState::Pending).collect();
        // One who was taken out of the configuration still gets what waited.
        let mut recipients: BTreeSet<Arc<str>> =
            pending.iter().map(|id| self.delivery(*id).recipient.clone()).collect();
        recipients.extend(digest.recipients.iter().map(|recipient| Arc::from(&**recipient)));
        let mut made = 0;
        for recipient in recipients {
            let configured = digest.recipients.iter().any(|known| **known == *recipient);
            let to = (Arc::from(destination), recipient);
            made += u64::from(self.gather(&to, &pending, from, now, digest.send_empty && configured));
        }
        self.save_digest_window(digest.next);
        made
    }

    /// Gathers what waits for one recipient, and what an earlier digest did not deliver, into one message; none
    /// where there is nothing and an empty one is not wanted.
    fn gather(
        &mut self,
        to: &(Arc<str>, Arc<str>),
        pending: &[i64],
        from: Timestamp,
        now: Timestamp,
        send_empty: bool,
    ) -> bool {
        let waiting = self.messages.index().due.get(&to.0).into_iter().flatten().map(|(_, seq)| *seq);
        let earlier: Vec<i64> = waiting
            .filter(|seq| {
                let message = self.message(*seq);
                message.kind == MessageKind::Digest && message.recipient == to.1
            })
            .collect();
        let window_of = |seq: &i64| {
            serde_json::from_str::<Window>(self.message(*seq).content.as_deref().unwrap()).unwrap().from
        };
        let start = earlier.iter().map(window_of).min().unwrap_or(from).min(from);
        // What may have arrived with an earlier one is repeated by this one.
        let repeats = earlier.iter().any(|seq| self.message(*seq).possible_repeat);
        let members: Vec<i64> = pending
            .iter()
            .copied()
            .filter(|id| {
                let delivery = self.delivery(*id);
                delivery.recipient == to.1 && delivery.message.is_none_or(|seq| earlier.contains(&seq))
            })
            .collect();
        if !members.is_empty() || send_empty {
            let id =
                ids::digest_ids(&to.0, &to.1, now).find(|id| !self.message_ids.contains_key(&**id)).unwrap();
            let (from, before) = (start, self.last_figures(to));
            let content =
                serde_json::to_string(&Window { from, to: now, before, figures: None, part: None }).unwrap();
            let seq = self.add_message(id, (&to.0, &to.1), MessageKind::Digest, Some(content), now);
            self.messages.change(seq, |message| message.possible_repeat = repeats);
            for id in &members {
                self.deliveries.change(*id, |delivery| delivery.message = Some(seq));
            }
        }
        for seq in earlier {
            self.end_message(seq, DeliveryState::Superseded, now);
        }
        !members.is_empty() || send_empty
    }

    /// The figures of the last digest that was delivered.
    fn last_figures(&self, to: &(Arc<str>, Arc<str>)) -> Option<Figures> {
        let delivered = self.messages.index().ended.iter().map(|(_, seq)| self.message(*seq)).rev();
        let mut of = delivered.filter(|message| {
            let own = message.destination == to.0 && message.recipient == to.1;
            own && message.kind == MessageKind::Digest && message.state == DeliveryState::Delivered
        });
        serde_json::from_str::<Window>(of.next()?.content.as_deref()?).unwrap().figures
    }

    pub fn regroup(&mut self, digests: &[&str], now: Timestamp) {
        let names: Vec<String> =
            self.deliveries.index().by_state.iter().map(|(name, _)| name.to_owned()).collect();
        for name in names {
            let pending: Vec<i64> = self.deliveries.index().in_state(&name, DeliveryState::Pending).collect();
            for id in pending {
                if digests.contains(&&*name) {
                    self.loosen(id, now);
                } else if self.delivery(id).message.is_none() {
                    self.bind(id, now);
                }
            }
        }
    }

    /// Gives a delivery that has none a message of its own.
    pub fn bind(&mut self, id: i64, now: Timestamp) -> i64 {
        let delivery = self.delivery(id).clone();
        let (destination, recipient) = (&delivery.destination, &delivery.recipient);
        let message = self.message_id(delivery.review, delivery.revision, destination, recipient);
        let stopped = self.stopped(destination, now);
        let seq = match self.message_ids.get(&*message).copied() {
            None => self.add_message(message, (destination, recipient), MessageKind::Review, None, now),
            // The one it had before it waited for a digest, or was told with others.
            Some(seq) => {
                self.messages.change(seq, |message| {
                    message.state = DeliveryState::Pending;
                    (message.settled_at, message.next_at) = (None, now);
                    (message.form, message.admitted) = (Form::Full, false);
                    message.first_attempt_at = message.first_attempt_at.map(|_| now);
                    message.stopped_base = stopped;
                });
                seq
            }
        };
        self.deliveries.change(id, |delivery| delivery.message = Some(seq));
        seq
    }

    /// Lets a delivery whose message was never tried wait for a digest.
    fn loosen(&mut self, id: i64, now: Timestamp) {
        let Some(seq) = self.delivery(id).message else { return };
        let message = self.message(seq);
        if message.kind == MessageKind::Review && message.attempts == 0 && message.waits() {
            self.deliveries.change(id, |delivery| delivery.message = None);
            self.end_message(seq, DeliveryState::Superseded, now);
        }
    }
}
