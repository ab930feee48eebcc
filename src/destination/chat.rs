//! What chat kinds share: a webhook that takes one JSON payload, rendered from a template. What an answer means is
//! each kind's own.

use super::http::{Answer, Sender};
use super::settings::Common;
use super::{Destination, Make, Payload};
use crate::domain::{Attempt, Message, Outcome, Reason};
use crate::render::{Format, Mention, Renderer, View};
use crate::settings::Secret;
use async_trait::async_trait;
use std::sync::Arc;

/// What an answer means for a message.
pub(super) type Judge = fn(&Sender, &Answer) -> Attempt;

/// The webhook of a chat.
#[derive(Clone, Debug)]
pub(super) struct Chat {
    /// How its payload is made.
    pub format: &'static Format,
    /// Its URL.
    pub url: Secret,
    /// Who is pinged.
    pub mention: Option<Mention>,
    /// What its answers mean.
    pub judge: Judge,
}

impl Make for Chat {
    /// The destination `name`; its URL is in its key `webhook_url`.
    fn make(
        &self,
        name: &str,
        common: &Common,
        renderer: Arc<Renderer>,
    ) -> Result<Arc<dyn Destination>, String> {
        let sender = Sender::new(name, "webhook_url", self.url.expose(), &[], common)?;
        let view = common.view(name, self.mention.clone());
        Ok(Arc::new(Room { format: self.format, sender, view, renderer, judge: self.judge }))
    }
}

struct Room {
    format: &'static Format,
    sender: Sender,
    view: View,
    renderer: Arc<Renderer>,
    judge: Judge,
}

#[async_trait]
impl Destination for Room {
    fn render(&self, message: &Message) -> Payload {
        let rendered = self.renderer.payload(self.format, message, &self.view);
        Payload {
            media_type: "application/json",
            body: rendered.payload.to_string(),
            fallback: rendered.fallback,
        }
    }

    async fn send(&self, message: &Message, payload: &Payload) -> Attempt {
        match self.sender.post(payload.media_type, &[], payload.body.clone(), message.now).await {
            Ok(answer) => (self.judge)(&self.sender, &answer),
            Err(attempt) => attempt,
        }
    }

    async fn reach(&self) -> Result<(), String> {
        self.sender.reach().await
    }

    fn address(&self) -> String {
        self.sender.host().to_owned()
    }
}

impl Sender {
    /// The attempt that ended in a success told by something else, which shows `how`: a login page, or a proxy that is
    /// in the way. It may have arrived, so it is not sent again.
    pub(super) fn taken_by_another(&self, how: &str, answer: &Answer) -> Attempt {
        let detail = format!(
            "{} answered {} {how}: check the URL. It is not sent again by itself, since it may have arrived. {}.",
            self.host(),
            answer.status,
            self.refused_for_good()
        );
        self.attempt(Outcome::Dead { reason: Reason::UnexpectedAnswer }, answer, detail)
    }
}
