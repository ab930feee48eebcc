//! What chat kinds share: a webhook that takes one JSON payload, rendered from a template. What an answer means is
//! each kind's own.

pub mod lookalikes;
pub mod markdown;
pub mod parts;
#[cfg(test)]
mod tests;

use super::answers::Answers;
use super::http::Sender;
use super::settings::Common;
use super::{Destination, Make, Payload, Target};
use crate::domain::{Attempt, Message};
use crate::presentation::{Mention, Own, View};
use crate::settings::Secret;
use crate::template::{Format, Renderer};
use async_trait::async_trait;
use std::sync::Arc;

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
    pub answers: &'static Answers,
    /// The key that its URL is in.
    pub key: &'static str,
    /// Who is let in, by a token in the header `Authorization`.
    pub token: Option<Secret>,
    /// What of its own settings nobody may see, beside URL and token.
    pub secrets: Vec<Secret>,
    /// What its format needs of its own settings.
    pub own: Own,
}

impl Chat {
    /// A webhook that needs nothing but its URL, in the key `webhook_url`.
    pub(super) fn webhook(
        format: &'static Format,
        url: Secret,
        mention: Option<Mention>,
        answers: &'static Answers,
    ) -> Self {
        let (token, secrets, own) = (None, Vec::new(), Own::default());
        Self { format, url, mention, answers, key: "webhook_url", token, secrets, own }
    }
}

impl Make for Chat {
    fn make(
        &self,
        name: &str,
        common: &Common,
        renderer: Arc<Renderer>,
    ) -> Result<Arc<dyn Destination>, String> {
        let secrets: Vec<&str> = self.secrets.iter().chain(&self.token).map(Secret::expose).collect();
        let sender = Sender::new(name, self.key, self.url.expose(), &secrets, common)?;
        let view = common.view(name, self.mention.clone(), self.own.clone());
        let token = self.token.clone();
        Ok(Arc::new(ChatDestination {
            format: self.format,
            sender,
            token,
            view,
            renderer,
            answers: self.answers,
        }))
    }

    fn target(&self) -> Option<Target> {
        let parts: Vec<&Secret> = [&self.url].into_iter().chain(&self.secrets).collect();
        Some(Target::of(&parts))
    }
}

struct ChatDestination {
    format: &'static Format,
    sender: Sender,
    token: Option<Secret>,
    view: View,
    renderer: Arc<Renderer>,
    answers: &'static Answers,
}

#[async_trait]
impl Destination for ChatDestination {
    fn render(&self, message: &Message) -> Payload {
        let rendered = self.renderer.payload(self.format, message, &self.view);
        Payload {
            media_type: "application/json",
            body: rendered.payload.to_string(),
            fallback: rendered.fallback,
        }
    }

    async fn send(&self, message: &Message, payload: &Payload) -> Attempt {
        let bearer = self.token.as_ref().map(|token| ("authorization", format!("Bearer {}", token.expose())));
        let headers: Vec<_> = bearer.into_iter().collect();
        match self.sender.post(payload.media_type, &headers, payload.body.clone(), message.now).await {
            Ok(answer) => self.answers.judge(&self.sender, &answer),
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
