//! What templates of people's own are tried on: every sample under views that show everything and nothing. Made
//! once for each kind of message, and only where there is a file to try; the built-in templates are tried by a test.

use super::files::TemplateFile;
use super::format::Format;
use super::shape::shape;
use crate::domain::{Message, MessageKind};
use crate::presentation::{Mention, Own, View, context::context, samples};
use serde_json::Value;
use std::collections::BTreeMap;

/// Which files are tried, and on what.
pub(super) struct Trial {
    built_in_too: bool,
    made: BTreeMap<&'static str, Made>,
}

/// The samples of one kind of message, as templates of every kind can name them.
struct Made {
    everything: Vec<Sample>,
    nothing: Vec<Sample>,
}

/// A sample as a destination would show it.
#[derive(Clone)]
pub(super) struct Sample {
    /// Its name.
    pub name: &'static str,
    /// The message.
    pub message: Message,
    /// The destination's view.
    pub view: View,
    /// What its template can name.
    pub context: Value,
}

/// What one template is tried on.
pub(super) struct Tried {
    /// The samples.
    pub samples: Vec<Sample>,
    /// What the contexts of all of them hold.
    pub shape: Value,
}

impl Trial {
    /// Of the files that people wrote, and of built-in ones only if `built_in_too`.
    pub fn new(built_in_too: bool) -> Self {
        Self { built_in_too, made: BTreeMap::new() }
    }

    /// Whether `file` is tried.
    pub fn wants(&self, file: &TemplateFile) -> bool {
        self.built_in_too || !file.is_built_in()
    }

    /// What templates of `format` for `kind` are tried on.
    pub fn of(&mut self, kind: MessageKind, format: &Format) -> Tried {
        let made = self.made.entry(kind.as_str()).or_insert_with(|| Made::of(kind));
        let mut samples = Vec::new();
        for mention in (format.mentions)() {
            samples.extend(made.everything.iter().cloned().map(|sample| sample.with(mention.clone())));
        }
        samples.extend(made.nothing.iter().cloned());
        for Sample { message, view, context, .. } in &mut samples {
            (format.enrich)(context, message, view, 0);
        }
        let shape = shape(samples.iter().map(|sample| sample.context.clone()));
        Tried { samples, shape }
    }
}

impl Made {
    fn of(kind: MessageKind) -> Self {
        let zone = jiff::tz::TimeZone::UTC;
        let nothing = View {
            destination: "support".into(),
            zone,
            show_email: false,
            mention: None,
            template: None,
            own: Own::default(),
        };
        let everything = View { show_email: true, mention: Some(Mention::new("@here")), ..nothing.clone() };
        let messages: Vec<_> =
            samples().into_iter().filter(|(_, message)| message.content.kind() == kind).collect();
        let under = |view: &View| {
            let sample = |(name, message): &(&'static str, Message)| Sample {
                name,
                context: context(message, view),
                message: message.clone(),
                view: view.clone(),
            };
            messages.iter().map(sample).collect()
        };
        Self { everything: under(&everything), nothing: under(&nothing) }
    }
}

impl Sample {
    /// With another mention, where it pings anybody.
    fn with(mut self, mention: Mention) -> Self {
        if let Some(pinged) = self.context.get_mut("mention").filter(|pinged| !pinged.is_null()) {
            *pinged = serde_json::to_value(&mention).unwrap_or_default();
        }
        self.view.mention = Some(mention);
        self
    }
}
