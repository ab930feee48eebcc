//! One configuration, reloaded when it changes: the file found at the start, with the environment of the start.

use super::contents::Contents;
use super::environment::{self, Environment};
use super::file::{self, Found};
use super::{Failure, Loaded, Settings, compose, layers, show};
use crate::settings::{Problem, Table};
use figment::value::Dict;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Knows where the configuration is.
#[derive(Debug)]
pub struct Loader {
    environment: Environment,
    found: Found,
}

/// A configuration, or its problems, and what its files contained when they were read, or just before: a change
/// in between is noticed later.
#[derive(Debug)]
pub struct Reading {
    /// The configuration.
    pub result: Result<Loaded, Failure>,
    /// What to compare with.
    pub contents: Contents,
}

impl Loader {
    /// Finds the configuration of this process: its environment, its working directory.
    ///
    /// # Errors
    /// There is none.
    #[expect(clippy::disallowed_methods, reason = "the owner of the environment")]
    pub fn here(explicit: Option<&Path>) -> Result<Self, Failure> {
        let folder = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        Self::new(explicit, std::env::vars_os(), &folder)
    }

    /// Finds the file `explicit` (else the one `REVIEW_BRIDGE_CONFIG` names, else `config.toml` in `folder`,
    /// else `/etc/review-bridge/config.toml`), to be read with the variables of `environment` above it.
    ///
    /// # Errors
    /// There is none.
    pub fn new<K, V>(
        explicit: Option<&Path>,
        environment: impl IntoIterator<Item = (K, V)>,
        folder: &Path,
    ) -> Result<Self, Failure>
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        let environment = environment::read(environment);
        match file::find(explicit, environment.config.as_deref(), folder, Path::new(file::SYSTEM_FILE)) {
            Ok(found) => Ok(Self { environment, found }),
            Err(problem) => {
                let problems = [problem].into_iter().chain(environment.problems).collect();
                Err(Failure { problems, watched: Vec::new() })
            }
        }
    }

    /// Loads it as it is now.
    ///
    /// # Errors
    /// All problems found.
    pub fn load(&self) -> Result<Loaded, Failure> {
        self.assemble(file::read(&self.found))
    }

    /// What of a configuration with problems can be read: for commands that only look at what a running bridge does,
    /// and find its state by this.
    pub fn as_far_as_readable(&self) -> Settings {
        let Self { environment, found } = self;
        let dict = file::read(found).or_else(|_| file::read_state_table(found)).unwrap_or_default();
        let layers = layers::merge(dict, &environment.assignments, found);
        compose::compose(Table::new("", &layers.dict, &layers.source))
    }

    /// The file `config.toml` in `folder`, whether it is there or not, with no environment above it.
    pub(super) fn alone(folder: &Path) -> Self {
        Self { environment: Environment::default(), found: Found::in_folder(folder) }
    }

    /// Loads it as if its file held `contents`.
    pub(super) fn load_contents(&self, contents: Vec<u8>) -> Result<Loaded, Failure> {
        self.assemble(file::values(&self.found, contents))
    }

    /// Puts the layers together, the file's being `values`, and reads them as a whole.
    fn assemble(&self, values: Result<Dict, Vec<Problem>>) -> Result<Loaded, Failure> {
        let Self { environment, found } = self;
        let dict = values.map_err(|problems| self.failed(problems))?;
        let layers = layers::merge(dict, &environment.assignments, found);
        for problem in &environment.problems {
            layers.source.problems.push(problem.clone());
        }
        let settings = compose::compose(Table::new("", &layers.dict, &layers.source));
        let mut resolved = show::resolve(&layers);
        // One that is no folder is watched as well: it may become one.
        let named = layers.dict.get("templates_dir").and_then(|value| layers.source.as_read(value).as_str());
        let templates = named.map(|name| layers.source.folder.join(name));
        let watched = file::watched(&found.path, &resolved.files, templates.as_deref());
        if !layers.source.problems.is_empty() {
            return Err(Failure { problems: layers.source.problems.into_vec(), watched });
        }
        let mut warnings = compose::warnings(&settings, &resolved);
        warnings.extend(environment.warnings());
        Ok(Loaded {
            warnings,
            watched,
            file: Some(found.path.clone()),
            shown: show::render(&settings, &mut resolved),
            settings,
        })
    }

    /// Loads it, and notes what its files hold. Which files there are is in it, so it is loaded twice, unless
    /// it comes out of a pipe.
    pub fn read(&self) -> Reading {
        let result = self.load();
        let watched = match &result {
            Ok(loaded) => &loaded.watched,
            Err(failure) => &failure.watched,
        };
        let contents = Contents::of(watched);
        let result = if contents.can_be_read_again() { self.load() } else { result };
        Reading { result, contents }
    }

    fn failed(&self, mut problems: Vec<Problem>) -> Failure {
        problems.extend(self.environment.problems.iter().cloned());
        Failure { problems, watched: vec![self.found.path.clone()] }
    }
}
