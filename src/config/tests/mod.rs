//! Tests of the configuration as a whole: a folder, a file, an environment, and what comes of them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod files;
mod layering;
mod reading;
mod secrets;
mod starter;

use super::{Failure, Loaded, load};
use std::path::Path;

/// The least that loads.
const LEAST: &str = r#"
[accounts.main]
token = "s3cret-token"
[destinations.ops]
type = "slack"
webhook_url = "https://hooks.slack.com/services/s3cret"
[[rules]]
name = "all"
to = ["ops"]
"#;

/// A folder of its own with a `config.toml`.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(config: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("config.toml", config);
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        std::fs::write(self.path().join(name), contents).unwrap();
    }

    fn load(&self, environment: &[(&str, &str)]) -> Result<Loaded, Failure> {
        load(None, environment.iter().copied(), self.path())
    }

    /// Each problem as `origin|path|what`.
    fn problems(&self, environment: &[(&str, &str)]) -> Vec<String> {
        let problems = self.load(environment).map_or_else(|failure| failure.problems, |_| Vec::new());
        problems.iter().map(|p| format!("{}|{}|{}", p.origin, p.path, p.what)).collect()
    }
}

/// What [`LEAST`] is without its account.
const WITHOUT_ACCOUNT: &str = r#"
[destinations.ops]
type = "slack"
webhook_url = "https://hooks.slack.com/services/s3cret"
[[rules]]
name = "all"
to = ["ops"]
"#;

/// Loads `LEAST` with `more` behind it.
fn with(more: &str) -> Folder {
    Folder::new(&format!("{LEAST}{more}"))
}
