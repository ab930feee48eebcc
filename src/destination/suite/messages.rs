//! Messages whose fields all hold one text, texts that are hard on every receiver, and template files that are tried.

use crate::destination::templates;
use crate::domain::{Content, Message, Named};
use crate::presentation::{HOSTILE, sample};
use crate::template::{Renderer, TemplateProblem};
use proptest::prelude::*;
use std::sync::Arc;

/// The usual review with `text` in every field.
pub fn with_text(text: &str) -> Message {
    let mut message = sample("everything");
    if let Content::Review { subject, .. } = &mut message.content {
        let named = Named { uuid: text.into(), name: text.into() };
        (subject.review.text, subject.review.title) = (Some(text.into()), Some(text.into()));
        (subject.review.author, subject.review.language) = (Some(text.into()), Some(text.into()));
        (subject.review.email, subject.review.uuid) = (Some(text.into()), text.into());
        (subject.source, subject.platform) = (Some(named.clone()), Some(named.clone()));
        subject.websites = vec![named; 3];
    }
    message
}

/// The built-in templates, but `contents` in place of `name`.
pub fn with_file(name: &str, contents: &str) -> Result<Arc<Renderer>, Vec<TemplateProblem>> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(name);
    std::fs::create_dir(file.parent().unwrap()).unwrap();
    std::fs::write(file, contents).unwrap();
    templates(Some(dir.path()))
}

/// Any text, likely one that is hard on receivers.
pub fn hostile_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(HOSTILE).prop_map(str::to_owned),
        prop::sample::select(
            &["<", ">", "&", "&amp", "\\", "\"", "{{", "}}}", "\n", "|", "<!here", "\u{202e}", "😀", "é"][..]
        )
        .prop_map(str::to_owned),
        any::<String>(),
        "[a-z ]{0,900}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}
