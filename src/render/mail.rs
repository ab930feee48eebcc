//! E-mail: a subject, a text and an HTML part from three templates, and what they can name beside the context
//! of every kind: the whole text of a review.

use super::context::{self, View};
use super::files::{Files, TemplateFile};
use super::lines::Lines;
use super::mail_template::Part;
use super::partials;
use super::payload::{named, names, of_kinds};
use super::shown_digest::Room;
use super::trial::{Trial, Tried};
use super::words::{ZERO_WIDTH, clean, cut, cut_line, legible, unlinked};
use super::{TemplateProblem, helpers};
use crate::domain::text::is_visible;
use crate::domain::{Content, Form, Message, MessageKind};
use handlebars::{Context, Handlebars, html_escape};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// Its folder among the templates.
pub(super) const FOLDER: &str = "email";
/// The ends of the files of one e-mail.
const ENDS: [&str; 3] = [".subject.txt", ".txt", ".html"];
/// HTML of an e-mail, in bytes: Gmail cuts what is longer than about 102 KB.
pub const MAX_HTML_BYTES: usize = 80 * 1024;
/// A subject, in graphemes.
const MAX_SUBJECT: usize = 150;
/// How much is shown of one review, in graphemes, and of many: the first with which the HTML is within its limit.
/// The last holds hardly any text of customers, so that it always is.
const SHOWN: &[(usize, Room)] = &[
    (10_000, Room { attention: 20, lines: 40, groups: 40, quote: 600, short: 160 }),
    (2_500, Room { attention: 15, lines: 25, groups: 40, quote: 280, short: 120 }),
    (600, Room { attention: 10, lines: 12, groups: 40, quote: 160, short: 80 }),
    (600, Room { attention: 6, lines: 6, groups: 40, quote: 120, short: 60 }),
    (600, Room { attention: 3, lines: 3, groups: 40, quote: 80, short: 40 }),
    (600, Room { attention: 3, lines: 3, groups: 12, quote: 80, short: 40 }),
    (600, Room { attention: 1, lines: 0, groups: 20, quote: 80, short: 40 }),
    (600, Room { attention: 0, lines: 0, groups: 6, quote: 40, short: 40 }),
];
/// What an inbox shows beside the subject, in graphemes.
const MAX_REST: usize = 150;
/// As much of a review as a subject and [`MAX_REST`] can show.
const MAX_LINE: usize = MAX_SUBJECT + MAX_REST;
/// Lines of a review, each a paragraph.
const MAX_LINES: usize = 300;

/// A rendered e-mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// One line.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part; none in the plain form.
    pub html: Option<String>,
    /// Why the plain form stands in, where a template failed.
    pub fallback: Option<String>,
}

/// What the templates of e-mail can name under `mail`, beside all that other templates can.
#[derive(Clone, Debug, Default, Serialize)]
struct Whole {
    /// What the customer wrote, as paragraphs: up to 10,000 characters of it.
    lines: Vec<String>,
    /// `… (1,340 more characters)`, where not all of it is there.
    more: Option<String>,
    /// What of it follows the part that the subject shows, in one line; null where that is all.
    rest: Option<String>,
}

/// The templates.
pub(super) struct Mails {
    files: Files,
    literal: Handlebars<'static>,
    escaped: Handlebars<'static>,
    /// By the name of the templates, empty for the usual ones, and the kind of message.
    templates: BTreeMap<(String, &'static str), OnceLock<Result<Parts, Vec<TemplateProblem>>>>,
}

struct Parts {
    subject: Part,
    text: Part,
    html: Part,
}

impl Mails {
    /// Those that `trial` wants, or that include a partial that it wants, are compiled and tried. All problems at once.
    pub(super) fn load(files: Files, trial: &mut Trial, problems: &mut Vec<TemplateProblem>) -> Self {
        let literal = helpers::registry(|text| text.to_owned());
        let escaped = helpers::registry(html_escape);
        let mut mails = Self { files, literal, escaped, templates: BTreeMap::new() };
        // A name that has one of the three files has the usual ones for the others.
        let found: BTreeSet<(&'static str, String)> = ENDS
            .iter()
            .flat_map(|end| of_kinds(&mails.files, FOLDER, end))
            .filter(|(_, name, _)| name != "partials")
            .map(|(kind, name, _)| (kind.as_str(), name))
            .collect();
        for (kind, name) in found {
            let compiled = OnceLock::new();
            if let Some(kind) = MessageKind::parse(kind).filter(|kind| mails.is_tried(*kind, &name, trial)) {
                let enrich = |data: &mut Value, message: &Message, view: &View| {
                    enrich(data, message, view, &SHOWN[0]);
                };
                let Tried { contexts, shape } = trial.of(kind, enrich);
                let parts = mails.compile(kind.as_str(), &name, Some(&shape));
                match &parts {
                    Err(found) => add(problems, found.iter().cloned()),
                    Ok(parts) => add(problems, mails.try_out(parts, contexts).err()),
                }
                drop(compiled.set(parts));
            }
            mails.templates.insert((name, kind), compiled);
        }
        if problems.is_empty() {
            problems.extend(mails.unused_partials());
        }
        mails
    }

    /// The files of one e-mail: subject, text, HTML.
    fn files_of(&self, kind: &str, name: &str) -> [Option<&TemplateFile>; 3] {
        ENDS.map(|end| {
            let own = (!name.is_empty()).then(|| format!("{FOLDER}/{name}/{kind}{end}"));
            let own = own.and_then(|own| self.files.get(&own));
            own.or_else(|| self.files.get(&format!("{FOLDER}/{kind}{end}")))
        })
    }

    fn is_tried(&self, kind: MessageKind, name: &str, trial: &Trial) -> bool {
        let files = self.files_of(kind.as_str(), name);
        let wanted = |path: &String| self.files.get(path).is_some_and(|partial| trial.wants(partial));
        files.iter().flatten().any(|file| trial.wants(file))
            || self.has_own_partials()
                && files[2].is_some_and(|html| match partials::Whole::of(html, &self.files) {
                    Ok(whole) => whole.used.iter().any(wanted),
                    Err(_) => true,
                })
    }

    fn has_own_partials(&self) -> bool {
        self.files.iter().any(|(name, file)| name.starts_with(partials::FOLDER) && !file.is_built_in())
    }

    /// Compiles all three, so that the mistakes of all three are told.
    fn compile(&self, kind: &str, name: &str, shape: Option<&Value>) -> Result<Parts, Vec<TemplateProblem>> {
        let mut problems = Vec::new();
        let [subject, text, html] = self.files_of(kind, name);
        let mut part = |file: Option<&TemplateFile>, partials: Option<&Files>| {
            Part::compile(file?, partials, shape).map_err(|found| add(&mut problems, found)).ok()
        };
        match (part(subject, None), part(text, None), part(html, Some(&self.files))) {
            (Some(subject), Some(text), Some(html)) => Ok(Parts { subject, text, html }),
            _ => Err(problems),
        }
    }

    /// Partials that people wrote and no template names: their names are likely misspelt.
    fn unused_partials(&self) -> Vec<TemplateProblem> {
        // A template that includes one of them has been compiled.
        let compiled = self.templates.values().filter_map(|parts| parts.get()?.as_ref().ok());
        let used: BTreeSet<&String> = compiled.flat_map(|parts| parts.html.partials()).collect();
        let unused = self.files.iter().filter(|(name, file)| {
            name.starts_with(partials::FOLDER) && !file.is_built_in() && !used.contains(name)
        });
        let problem = |(_, file): (_, &TemplateFile)| TemplateProblem {
            file: file.shown.clone(),
            line: 0,
            column: 0,
            what: "is named by no template".into(),
        };
        unused.map(problem).collect()
    }

    /// The e-mail of `message`: by its templates, or in the plain form where `message` asks for it or a
    /// template fails.
    pub(super) fn render(&self, message: &Message, view: &View) -> Mail {
        if message.form == Form::Plain {
            return plain(message, view);
        }
        match self.by_template(message, view) {
            Ok(mail) => mail,
            Err(what) => Mail { fallback: Some(what), ..plain(message, view) },
        }
    }

    fn by_template(&self, message: &Message, view: &View) -> Result<Mail, String> {
        let kind = message.content.kind().as_str();
        let (name, parts) = named(&self.templates, view, kind)
            .ok_or_else(|| format!("there is no template email/{kind}.html"))?;
        let parts = parts.get_or_init(|| self.compile(kind, name, None)).as_ref();
        let parts =
            parts.map_err(|problems| problems.first().map(ToString::to_string).unwrap_or_default())?;
        let mut context = Context::from(context_of(message, view, &SHOWN[0]));
        for shown in SHOWN {
            put_shown(context.data_mut(), message, view, shown);
            let mail = self.fill(parts, &mut context).map_err(|problem| problem.to_string())?;
            if mail.html.as_ref().is_none_or(|html| html.len() <= MAX_HTML_BYTES) {
                return Ok(mail);
            }
        }
        Err(parts.html.wrong("gives more than the 80 KB that mail programs show").to_string())
    }

    /// The names of its templates, beside the usual ones.
    pub(super) fn names(&self) -> Vec<&str> {
        names(&self.templates)
    }

    /// Fills `context` in: its `mail.rest` is the beginning of the review, until the subject is known.
    fn fill(&self, parts: &Parts, context: &mut Context) -> Result<Mail, TemplateProblem> {
        let subject = parts.subject.render(&self.literal, context)?.replace(ZERO_WIDTH, "");
        let subject = cut_line(&clean(&subject), MAX_SUBJECT);
        if subject.is_empty() {
            return Err(parts.subject.wrong("gives an empty subject"));
        }
        if let Some(line) = context.data_mut().pointer_mut("/mail/rest") {
            *line = line.as_str().and_then(|line| rest(line, &subject)).into();
        }
        let text = parts.text.render(&self.literal, context)?;
        let html = parts.html.render(&self.escaped, context)?;
        Ok(Mail { subject, text, html: Some(html), fallback: None })
    }

    fn try_out(&self, parts: &Parts, contexts: Vec<(&'static str, Value)>) -> Result<(), TemplateProblem> {
        for (sample, context) in contexts {
            self.fill(parts, &mut Context::from(context)).map_err(|problem| TemplateProblem {
                what: format!("{} (with the sample “{sample}”)", problem.what),
                ..problem
            })?;
        }
        Ok(())
    }
}

fn add(problems: &mut Vec<TemplateProblem>, found: impl IntoIterator<Item = TemplateProblem>) {
    for problem in found {
        // A mistake in a partial is one of each file that names it.
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
}

/// The context of every kind, and `mail`.
fn context_of(message: &Message, view: &View, shown: &(usize, Room)) -> Value {
    let mut data = context::context(message, view);
    enrich(&mut data, message, view, shown);
    data
}

/// Adds `mail` to a context, and takes what would become a link from what customers wrote.
fn enrich(data: &mut Value, message: &Message, view: &View, shown: &(usize, Room)) {
    if tells_reviews(message) {
        unlink(data, &addresses(message, view));
    }
    put_shown(data, message, view, shown);
}

/// Puts into a context what depends on how much is shown.
fn put_shown(data: &mut Value, message: &Message, view: &View, (graphemes, room): &(usize, Room)) {
    let whole = match &message.content {
        Content::Review { subject, .. } => {
            let text = subject.review.text.as_deref().filter(|text| is_visible(text));
            text.map(|text| Whole::of(text, *graphemes)).unwrap_or_default()
        }
        _ => Whole::default(),
    };
    let shown = context::shown_in(room, message, view).map(|shown| ("shown", shown));
    for (name, mut value) in [("mail", super::body::json(&whole))].into_iter().chain(shown) {
        if tells_reviews(message) {
            unlink(&mut value, &addresses(message, view));
        }
        if let Some(fields) = data.as_object_mut() {
            fields.insert(name.into(), value);
        }
    }
}

fn tells_reviews(message: &Message) -> bool {
    !matches!(message.content, Content::Operator(_) | Content::Test { .. })
}

/// The addresses of customers that are shown on purpose, for people to copy.
fn addresses(message: &Message, view: &View) -> Vec<String> {
    let reviews = message.content.reviews().into_iter();
    reviews
        .filter_map(|(subject, _)| subject.review.email.as_deref())
        .filter(|address| view.show_email && is_plain(address))
        .map(str::to_owned)
        .collect()
}

/// Whether `address` is nothing but an address.
pub(crate) fn is_plain(address: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '.' | '-' | '_' | '+');
    address.len() <= 120 && address.chars().all(known) && address.matches('@').count() == 1
}

/// Mail programs make links of whatever looks like an address; of a review they must not.
fn unlink(value: &mut Value, but: &[String]) {
    match value {
        Value::String(text) => {
            let shown = but.iter().filter(|address| text.contains(*address));
            let safe = unlinked(text);
            *text = shown.fold(safe, |safe, address| safe.replace(&unlinked(address), address));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| unlink(item, but)),
        // Links have been checked, and times are for helpers to read.
        Value::Object(fields) => fields
            .iter_mut()
            .filter(|(key, _)| !["url", "timestamp", "reviewed_at"].contains(&key.as_str()))
            .for_each(|(_, value)| unlink(value, but)),
        _ => {}
    }
}

impl Whole {
    fn of(text: &str, graphemes: usize) -> Self {
        let text = legible(text);
        let cut = cut(&text, graphemes, graphemes * 2, MAX_LINES);
        let lines = cut.shown.lines().map(str::trim).filter(|line| is_visible(line));
        Self {
            lines: lines.map(str::to_owned).collect(),
            more: cut.more(),
            rest: Some(cut_line(&text, MAX_LINE)),
        }
    }
}

/// What of `line` follows the part of it that `subject` shows; `None` where that is all.
fn rest(line: &str, subject: &str) -> Option<String> {
    let ends = line.char_indices().map(|(at, c)| at + c.len_utf8());
    let shown = ends.rev().find(|end| subject.contains(&line[..*end].replace(ZERO_WIDTH, "")));
    let rest = line[shown.unwrap_or(0)..].trim();
    (!rest.is_empty()).then(|| cut_line(rest, MAX_REST))
}

/// The plain form: text alone. Never fails, whatever the message says.
fn plain(message: &Message, view: &View) -> Mail {
    let Lines { mut lines, link } = Lines::of(message, view);
    let subject = cut_line(lines.first().map_or("Message", String::as_str), MAX_SUBJECT);
    if tells_reviews(message) {
        lines.iter_mut().for_each(|line| *line = unlinked(line));
    }
    lines.extend(link.map(|(title, url)| format!("{}: {url}", unlinked(&title))));
    Mail { subject, text: lines.join("\n\n") + "\n", html: None, fallback: None }
}
