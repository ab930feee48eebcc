//! What templates of people's own are tried on: every sample under views that show everything and nothing. Made
//! once for each kind of message, and only where there is a file to try; the built-in templates are tried by a test.

use super::context::{Mention, View, context};
use super::files::TemplateFile;
use super::shape::shape;
use super::{samples, slack};
use crate::domain::{Message, MessageKind};
use serde_json::Value;
use std::collections::BTreeMap;

/// Which files are tried, and on what.
pub(super) struct Trial {
    built_in_too: bool,
    made: BTreeMap<&'static str, Vec<Sample>>,
}

/// A sample as a destination would show it.
pub(super) struct Sample {
    /// Its name.
    pub name: &'static str,
    /// The message.
    pub message: Message,
    /// The destination's view.
    pub view: View,
    /// What templates of every kind can name.
    pub context: Value,
}

/// What one template is tried on.
pub(super) struct Tried {
    /// Each sample's name and context.
    pub contexts: Vec<(&'static str, Value)>,
    /// What all of them hold.
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

    /// What templates of `kind` are tried on, with what `enrich` adds to each context.
    pub fn of(&mut self, kind: MessageKind, enrich: fn(&mut Value, &Message, &View)) -> Tried {
        let samples = self.made.entry(kind.as_str()).or_insert_with(|| make(kind));
        let enriched = |sample: &Sample| {
            let mut context = sample.context.clone();
            enrich(&mut context, &sample.message, &sample.view);
            (sample.name, context)
        };
        let contexts: Vec<_> = samples.iter().map(enriched).collect();
        let shape = shape(contexts.iter().map(|(_, context)| context.clone()));
        Tried { contexts, shape }
    }
}

fn make(kind: MessageKind) -> Vec<Sample> {
    let zone = jiff::tz::TimeZone::UTC;
    let nothing =
        View { destination: "support".into(), zone, show_email: false, mention: None, template: None };
    let views = ["<!here>", "<@U12345678>", "<!subteam^S12345678>"].map(|mention| View {
        mention: slack::parse_mention(mention)
            .map(|mention| Mention { token: Some("@here".into()), ..mention }),
        show_email: true,
        ..nothing.clone()
    });
    let messages: Vec<_> =
        samples().into_iter().filter(|(_, message)| message.content.kind() == kind).collect();
    let of_view = |view: &View| {
        let sample = |(name, message): &(&'static str, Message)| Sample {
            name,
            context: context(message, view),
            message: message.clone(),
            view: view.clone(),
        };
        messages.iter().map(sample).collect::<Vec<_>>()
    };
    views.iter().chain([&nothing]).flat_map(of_view).collect()
}
