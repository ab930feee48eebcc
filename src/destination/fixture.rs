//! What is known of a kind's receiver and of its payload, by which the sandbox, the gallery, fuzzing and the tests of
//! all kinds treat it without knowing it.

use crate::domain::Outcome;
use serde_json::Value;

/// What is known of a kind.
#[derive(Debug)]
pub struct Fixture {
    /// Its own keys in TOML; `{url}` stands where it sends to.
    pub config: &'static str,
    /// An address as its vendor gives them.
    pub url: &'static str,
    /// What of that configuration nobody may see, beside the address.
    pub secrets: &'static [&'static str],
    /// What its receiver answers when all is well; none where that is no web server.
    pub answer: Option<FineAnswer>,
    /// What it adds to the query of its address.
    pub query: &'static str,
    /// For how many seconds it is left alone after a 429 that names no time.
    pub pause: Option<u64>,
    /// A payload's size as sent, in bytes.
    pub max_bytes: usize,
    /// Who is pinged by that configuration, as it stands in a text.
    pub mention: &'static str,
    /// Whether a string is read as markup: by its key, the object it is in, and whether that is the outermost.
    pub is_markup: fn(&str, &Value, bool) -> bool,
    /// What of a mention or of markup must not stand in such a string.
    pub banned: &'static [&'static str],
    /// Whether addresses in the texts of a full message can be clicked; those of the plain form always can.
    pub clicked: bool,
    /// What a payload says, in one line.
    pub said: fn(&Value) -> Option<String>,
    /// How a page draws a message: a script that sets `DRAW[kind]`, after templates/web/draw.js.
    pub draw: &'static str,
    /// Who drew the pictures of the gallery.
    pub drawn_by: &'static str,
}

/// What a receiver answers when all is well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FineAnswer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: &'static str,
    /// What that settles.
    pub outcome: Outcome,
}

/// Drawn by the gallery, for who is not drawn by a program of the vendor's.
pub const OWN_DRAWING: &str = "Drawn by the gallery from the message's payload, not by the vendor.";

impl Fixture {
    /// Its configuration, sending to `url`.
    pub fn config(&self, url: &str) -> String {
        self.config.replace("{url}", url)
    }
}

/// The text at the first of some places of a payload that has one.
pub fn text_at<'a>(body: &'a Value, places: &[&str]) -> Option<&'a str> {
    places.iter().find_map(|place| body.pointer(place)?.as_str())
}
