//! The layers: the file, then each variable, every value tagged with its origin.

use super::environment::Assignment;
use super::file::{self, Found};
use crate::settings::{Problems, Source, Variable};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use std::cell::Cell;
use std::path::Path;

/// The merged values and where they came from.
#[derive(Debug)]
pub(super) struct Layers {
    pub dict: Dict,
    pub source: Source,
}

/// One layer, with the name that its values are reported under.
struct Layer {
    name: String,
    dict: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.dict.clone()))
    }
}

/// Puts the `assignments` of the environment over the file's `dict`.
pub(super) fn merge(mut dict: Dict, assignments: &[Assignment], found: &Found) -> Layers {
    for assignment in assignments {
        drop_twin(&mut dict, &assignment.path);
    }
    let mut figment = Figment::from(Layer { name: found.shown.clone(), dict });
    for Assignment { name, path, text } in assignments {
        let value = nest(path, Value::from(text.as_str()));
        figment = figment.merge(Layer { name: name.clone(), dict: value });
    }
    let dict = data(&figment);
    let variables = assignments.iter().filter_map(|assignment| {
        Some(Variable {
            name: assignment.name.clone(),
            tag: at(&dict, &assignment.path)?.tag(),
            toml: as_toml(&assignment.name, &assignment.text),
            read_as_toml: Cell::new(false),
        })
    });
    let source = Source {
        folder: found.path.parent().unwrap_or(Path::new(".")).to_path_buf(),
        file: found.shown.clone(),
        environment: variables.collect(),
        problems: Problems::default(),
    };
    Layers { dict, source }
}

/// A higher layer's `x` or `x_file` replaces both below: without this, overriding one of them would leave two.
/// If the lower layer itself has both, they stay and are reported.
fn drop_twin(dict: &mut Dict, path: &[String]) {
    let Some((key, parents)) = path.split_last() else { return };
    let mut dict = dict;
    for parent in parents {
        match dict.get_mut(parent) {
            Some(Value::Dict(_, inner)) => dict = inner,
            _ => return,
        }
    }
    let twin = match key.strip_suffix("_file") {
        Some(plain) => plain.to_owned(),
        None => format!("{key}_file"),
    };
    if !dict.contains_key(key) {
        dict.remove(&twin);
    }
}

fn nest(path: &[String], value: Value) -> Dict {
    match path.split_first() {
        Some((key, [])) => Dict::from([(key.clone(), value)]),
        Some((key, rest)) => Dict::from([(key.clone(), Value::from(nest(rest, value)))]),
        None => Dict::new(),
    }
}

fn at<'a>(dict: &'a Dict, path: &[String]) -> Option<&'a Value> {
    let (key, rest) = path.split_first()?;
    match (dict.get(key)?, rest) {
        (value, []) => Some(value),
        (Value::Dict(_, dict), rest) => at(dict, rest),
        _ => None,
    }
}

/// The one value that `text` is as TOML, under a tag of its own.
fn as_toml(name: &str, text: &str) -> Option<Value> {
    let dict = file::parse(&format!("value = {text}")).ok().filter(|dict| dict.len() == 1)?;
    data(&Figment::from(Layer { name: name.to_owned(), dict })).remove("value")
}

fn data(figment: &Figment) -> Dict {
    // The only error a figment can hold is one of its providers', and ours have none.
    figment.data().ok().and_then(|mut data| data.remove(&Profile::Default)).unwrap_or_default()
}
