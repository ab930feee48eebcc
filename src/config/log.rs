//! `[log]`: how much is logged, and in which form.

use crate::settings::Table;
use crate::settings::hint::nearest;
use tracing_subscriber::EnvFilter;

/// What is logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// A directive that [`EnvFilter`] accepts: `info`, `info,review_bridge::upstream=debug`.
    pub level: String,
    /// Its form.
    pub format: LogFormat,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::default() }
    }
}

/// The form of a line of log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// Its name in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Reads `[log]`.
pub(super) fn read(root: &Table) -> LogSettings {
    let mut settings = LogSettings::default();
    let Some(table) = root.table("log") else { return settings };
    if let Some(level) = table.text("level") {
        match validate(&level) {
            Ok(()) => settings.level = level,
            Err(hint) => table.problem("level", "is not a log level", hint),
        }
    }
    let json = LogFormat::Json;
    if table.one_of("format", &[LogFormat::Text.as_str(), json.as_str()]) == Some(json.as_str()) {
        settings.format = json;
    }
    table.finish();
    settings
}

/// The filter takes any word for the name of a module to trace, so `inof` would silence everything else.
fn validate(level: &str) -> Result<(), String> {
    let word = level
        .split(',')
        .map(str::trim)
        .find(|part| !part.contains(['=', '[', ']', '}', '_', ':']) && !is_level(part));
    let near = word.and_then(|word| nearest(word, LEVELS));
    match (near, word) {
        (Some(near), _) => Err(format!("did you mean `{near}`?")),
        (None, None) if EnvFilter::builder().parse(level).is_ok() => Ok(()),
        _ => Err("use off, error, warn, info, debug or trace, or a filter as in RUST_LOG: \
                  \"info,review_bridge::upstream=debug\""
            .into()),
    }
}

fn is_level(word: &str) -> bool {
    LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::validate;

    #[test]
    fn a_misspelt_level_is_not_taken_for_a_module() {
        for good in ["info", "WARN", "off", "info,review_bridge::upstream=debug", "review_bridge=trace"] {
            assert_eq!(validate(good), Ok(()), "{good}");
        }
        assert_eq!(validate("inof"), Err("did you mean `info`?".into()));
        for bad in ["", "loud", "info,", "hyper=loud", "a=b=c", "[{"] {
            assert!(validate(bad).is_err(), "{bad:?}");
        }
    }
}
