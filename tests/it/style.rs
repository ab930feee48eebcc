//! Holds what people read to the writing rules of docs/style.md: texts in the code, help, documents, templates.

pub mod literals;

use crate::tidy::{files_below, root, source};
use clap::CommandFactory;
use regex::Regex;
use std::path::Path;

/// A word or phrase that is not written.
pub struct Banned {
    /// What finds it: a regular expression, without case, where a space is any white space.
    pattern: &'static str,
    /// As docs/style.md shows it.
    pub shown: &'static str,
    /// What to write.
    pub instead: &'static str,
}

const fn banned(pattern: &'static str, shown: &'static str, instead: &'static str) -> Banned {
    Banned { pattern, shown, instead }
}

/// What is not written.
pub const BANNED: &[Banned] = &[
    banned(r"told|tells?|telling", "tell, told", "notify (people); send, deliver (messages); report, show"),
    banned(r"hears?", "hear, hears of", "is notified"),
    banned(r"mend(s|ed|ing)?", "mend", "fix"),
    banned(r"troubles?", "trouble", "problem"),
    banned(r"in the way", "what is in the way", "problem, error"),
    banned(
        r"(is|are|was|were) not asked|nobody asked|asks? (no|nobody|nothing)",
        "was not asked",
        "skipped, not checked",
    ),
    banned(r"(tried|tries|try) again by itself|tried again", "tried again", "retried"),
    banned(r"by (itself|themselves)", "by itself", "automatically, on its own"),
    banned(r"the one before( it)?", "the one before it", "the previous one"),
    banned(r"in force", "in force", "active"),
    banned(r"made of", "made of", "created from, built from"),
    banned(r"rules? (wants?|wanted)|(no|a) rule wants", "a rule wants it", "a rule matches"),
    banned(
        r"beside (a running|whatever|whoever|it|them)",
        "beside a running bridge",
        "while a bridge is running",
    ),
    banned(r"at once", "at once", "immediately; together; at the same time"),
    banned(r"all that is", "all that is wrong", "every error, everything"),
    banned(r"anew", "anew", "again"),
    banned(r"in vain", "in vain", "timed out, failed"),
    banned(r"tak(es?|en|ing) up", "taken up", "applied, reloaded"),
    banned(r"not known here", "is not known here", "unknown"),
    banned(r"of use", "too short to be of use", "must be at least …"),
    banned(
        r"(at most|at least) so (many|much|long)|so many (characters|reviews|messages)",
        "at most so many",
        "at most this many; up to",
    ),
    banned(r"(is|are|to be) had", "is to be had", "is available"),
    banned(r"whoever|whatever", "whoever, whatever", "the person who; anything that"),
    banned(r"so that nobody", "so that nobody", "to avoid …"),
    banned(r"bur(y|ies|ied)", "bury", "move to dead letters"),
    banned(r"stands? in( for)?", "stand in for", "replace, be used instead"),
    banned(r"kept apart", "kept apart", "separate"),
    banned(r"brought to a scale", "brought to a scale", "normalised to"),
    banned(r"without case", "without case", "case-insensitive"),
    banned(r"for (good|ever)", "for good, for ever", "permanently, forever"),
    banned(r"likewise|hence|thus", "likewise, hence, thus", "also, so, because"),
    banned(r"go(es|ing)? on", "go on", "continue"),
    banned(r"how the bridge is", "how the bridge is", "health, status"),
    banned(r"as you like", "as you like", "of your choice, at your option"),
];

/// What may say something banned: where, what, and why.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("docs/style.md", "", "it lists what is banned"),
    ("docs/gallery.md", "", "`just gallery` makes it, with the messages of the day it was run"),
    ("src/sandbox/phrases/", "", "what customers write"),
    ("src/sandbox/hostile.rs", "", "what customers write"),
    ("src/demo/story.rs", "", "what customers write"),
    ("src/demo/sample_reviews.rs", "", "what customers write"),
    ("src/presentation/samples.rs", "", "what customers write"),
];

/// A piece of text that people read.
struct Text {
    place: String,
    line: usize,
    text: String,
}

fn literals_of_the_code() -> Vec<Text> {
    let of_file = |file: &source::File| -> Vec<Text> {
        let place = format!("src/{}", file.path);
        // A single word is a name, or a column, and no sentence.
        let found = literals::of(&file.text).into_iter().filter(|one| one.text.trim().contains(' '));
        // Statements hold the names of columns.
        let statement =
            Regex::new(r"^\s*(SELECT|INSERT|UPDATE|DELETE|WITH|PRAGMA|CREATE)\b|\b(FROM|WHERE|AND) [a-z(]")
                .unwrap();
        let found = found.filter(|one| !(place.starts_with("src/store/") && statement.is_match(&one.text)));
        found.map(|one| Text { place: place.clone(), line: one.line, text: one.text }).collect()
    };
    source::production().iter().flat_map(of_file).collect()
}

fn help_of_the_commands() -> Vec<Text> {
    fn of(command: &mut clap::Command, path: &str, texts: &mut Vec<Text>) {
        let text = command.render_long_help().to_string();
        texts.push(Text { place: format!("help of `{path}`"), line: 1, text });
        // A command that is not in this version yet is not shown.
        for sub in command.get_subcommands_mut().filter(|sub| !sub.is_hide_set()) {
            let path = format!("{path} {}", sub.get_name());
            of(sub, &path, texts);
        }
    }
    let mut texts = Vec::new();
    of(&mut review_bridge::cli::Cli::command(), "review-bridge", &mut texts);
    texts
}

/// Documents, the starter file and templates.
fn files() -> Vec<Text> {
    let name = |path: &Path| path.strip_prefix(root()).unwrap().display().to_string();
    // Tables that are made from the code are held there, where they are written.
    let generated = Regex::new(r"(?s)<!-- generated: .*?<!-- end -->").unwrap();
    // Names of tests, and of what the code has, are not prose.
    let code = Regex::new(r"`[a-zA-Z_:./]+`").unwrap();
    let blank = |found: &regex::Captures<'_>| {
        found[0].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect::<String>()
    };
    let all = files_below(root()).into_iter().map(|path| (name(&path), path));
    let read = all.filter(|(name, _)| {
        name.ends_with(".md") || name == "config.toml.example" || name.starts_with("templates/")
    });
    let text = |(place, path): (String, std::path::PathBuf)| {
        let text = std::fs::read_to_string(path).unwrap();
        let text = generated.replace_all(&text, blank);
        Text { place, line: 1, text: code.replace_all(&text, blank).into_owned() }
    };
    read.map(text).collect()
}

/// What is wrong with `text`, as `file:line: what it says; write …`.
fn findings(text: &Text, patterns: &[(Regex, &Banned)]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (pattern, banned) in patterns {
        for found in pattern.find_iter(&text.text) {
            let allowed = ALLOWED.iter().any(|(place, what, _)| {
                text.place.starts_with(place)
                    && (what.is_empty() || found.as_str().eq_ignore_ascii_case(what))
            });
            if !allowed {
                let line = text.line + text.text[..found.start()].matches('\n').count();
                let words = found.as_str().split_whitespace().filter(|word| *word != "#");
                let said = words.collect::<Vec<_>>().join(" ");
                wrong.push(format!("{}:{line}: \"{said}\"; write: {}", text.place, banned.instead));
            }
        }
    }
    wrong
}

fn patterns() -> Vec<(Regex, &'static Banned)> {
    let compile = |banned: &'static Banned| {
        let pattern = banned.pattern.replace(' ', r"\s+(?:# )?");
        (Regex::new(&format!(r"(?i)\b(?:{pattern})\b")).unwrap(), banned)
    };
    BANNED.iter().map(compile).collect()
}

#[test]
fn what_people_read_is_plain_english() {
    let patterns = patterns();
    let texts = literals_of_the_code().into_iter().chain(help_of_the_commands()).chain(files());
    let wrong: Vec<String> = texts.flat_map(|text| findings(&text, &patterns)).collect();
    assert!(wrong.is_empty(), "docs/style.md says what to write:\n{}", wrong.join("\n"));
}

#[test]
fn banned_words_are_found_over_ends_of_lines_and_in_no_longer_word() {
    let patterns = patterns();
    let find = |text: &str| {
        let text = Text { place: "x.md".into(), line: 3, text: text.into() };
        findings(&text, &patterns)
            .iter()
            .map(|one| one.split(';').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(find("one\nis Told at\n  once"), ["x.md:4: \"Told\"", "x.md:4: \"at once\""]);
    assert_eq!(find("# at\n# once"), ["x.md:3: \"at once\""]);
    assert!(find("stellar amendment, told_at, `x`, heartbeat, enthusiast, troubleshooting").is_empty());
}

/// An exception that nothing needs any more hides what comes later.
#[test]
fn every_exception_is_about_something() {
    for (place, _, why) in ALLOWED {
        assert!(!why.is_empty(), "{place}");
        assert!(root().join(place).exists(), "{place} is not there");
    }
}
