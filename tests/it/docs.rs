//! Holds the documents to the code: names, links, commands and examples in them are real.

mod commands;
mod generated;
mod states;

use crate::harness::*;
use crate::tidy::{files_below, root};
use regex::Regex;
use review_bridge::destination::{TABLE, slack, teams};
use review_bridge::domain::MessageKind;
use review_bridge::presentation::{Body, Own, View, context, samples};
use review_bridge::template::helpers;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

fn document(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The documents, with their names.
fn documents() -> Vec<(String, String)> {
    let files =
        files_below(root()).into_iter().filter(|path| path.extension().is_some_and(|end| end == "md"));
    let name = |path: &std::path::Path| path.strip_prefix(root()).unwrap().display().to_string();
    files.map(|path| (name(&path), std::fs::read_to_string(&path).unwrap())).collect()
}

/// The text below the heading `heading`, up to the next heading.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no {heading}"));
    rest.split("\n#").next().unwrap()
}

/// The blocks of `language` in a document, without the indentation of a list that they are in.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let pattern = Regex::new(&format!(r"(?ms)^( *)```{language}\n(.*?)^ *```$")).unwrap();
    let own = |block: regex::Captures<'_>| {
        let lines = block[2].lines().map(|line| line.strip_prefix(&block[1]).unwrap_or(line));
        lines.fold(String::new(), |text, line| text + line + "\n")
    };
    pattern.captures_iter(text).map(own).collect()
}

/// The first column of the tables in `text`.
fn first_column(text: &str) -> BTreeSet<String> {
    let row = Regex::new(r"(?m)^\| `([^`]+)` \|").unwrap();
    row.captures_iter(text).map(|row| row[1].to_owned()).collect()
}

/// Every name in `value`, such as `review.uuid`. What always has a value of its own is named by its parts only.
fn names(value: &Value, before: &str, found: &mut BTreeSet<String>) {
    for (key, value) in value.as_object().unwrap() {
        let name = format!("{before}{key}");
        match value {
            Value::Object(_) => names(value, &format!("{name}."), found),
            _ => {
                found.insert(name);
            }
        }
    }
}

#[test]
fn the_names_for_templates_are_those_of_the_code() {
    let zone = jiff::tz::TimeZone::UTC;
    // What Slack's templates can name of it is all that any can.
    let mention = slack::parse_mention("<!here>");
    let own = Own::default();
    let view = View { destination: "support".into(), zone, show_email: true, mention, template: None, own };
    let text = document("docs/templates.md");
    for (kind, heading) in [
        (MessageKind::Review, "## Names in a review"),
        (MessageKind::Digest, "## Names in a digest"),
        (MessageKind::Summary, "## Names in a summary"),
        (MessageKind::Operator, "## Names in a notice to the operator"),
        (MessageKind::Test, "## Names in a test message"),
    ] {
        let mut found = BTreeSet::new();
        for (_, message) in samples().into_iter().filter(|(_, message)| message.content.kind() == kind) {
            names(&context::context(&message, &view), "", &mut found);
            names(&context::context(&message, &View { mention: None, ..view.clone() }), "", &mut found);
        }
        let (own, parts) =
            section(&text, heading).split_once("\nA *").unwrap_or((section(&text, heading), ""));
        assert_eq!(first_column(own), found, "{heading}");
        // A digest has lists of objects, whose parts have tables of their own.
        if kind == MessageKind::Digest {
            let (_, digest) = samples().into_iter().find(|(name, _)| *name == "digest").unwrap();
            let shown = &context::context(&digest, &view)["shown"];
            for (list, part) in [("bars", "bar"), ("websites", "group"), ("attention", "member")] {
                let mut found = BTreeSet::new();
                names(&shown[list][0], "", &mut found);
                let table = format!("\nA *{parts}")
                    .split_once(&format!("\nA *{part}* has these:\n"))
                    .unwrap()
                    .1
                    .to_owned();
                let table = table.split("\nA *").next().unwrap();
                assert_eq!(first_column(table), found, "{heading}: {part}");
            }
        }
    }
}

#[test]
fn the_names_of_webhooks_are_those_of_the_code() {
    let text = document("docs/webhooks.md");
    for (kind, heading) in [
        (MessageKind::Review, "### Data of a review"),
        (MessageKind::Digest, "### Data of a digest"),
        (MessageKind::Summary, "### Data of a summary"),
        (MessageKind::Operator, "### Data of a notice to the operator"),
        (MessageKind::Test, "### Data of a test"),
    ] {
        let mut found = BTreeSet::new();
        for (_, message) in samples().into_iter().filter(|(_, message)| message.content.kind() == kind) {
            let body = Body::of(&message, true).to_json();
            assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["data", "timestamp", "type"]);
            names(&body["data"], "", &mut found);
        }
        assert_eq!(first_column(section(&text, heading)), found, "{heading}");
    }
}

#[test]
fn the_example_of_a_body_is_a_real_one() {
    let shown: Value = serde_json::from_str(&blocks(&document("docs/webhooks.md"), "json")[0]).unwrap();
    let samples = samples();
    let (_, message) = samples.iter().find(|(name, _)| *name == "edited rating").unwrap();
    assert_eq!(shown, Body::of(message, false).to_json());
}

#[test]
fn the_helpers_and_types_of_templates_are_those_of_the_code() {
    let text = document("docs/templates.md");
    let shown = first_column(section(&text, "## Helpers"));
    assert_eq!(shown, helpers::TABLE.iter().map(|row| row.usage.to_owned()).collect());
    for name in
        slack::DIALECT.types.iter().chain(teams::DIALECT.types).chain(helpers::BLOCKS).chain(helpers::VALUES)
    {
        assert!(text.contains(&format!("`{name}`")), "`{name}` is not documented");
    }
    let email = section(&text, "## E-mail");
    for partial in files_below(&root().join("templates/email/partials")) {
        let name = partial.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(email.contains(&format!("`{name}`")), "the partial `{name}` is not documented");
    }
}

#[test]
fn the_example_of_a_template_is_a_good_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("slack")).unwrap();
    let example = &blocks(&document("docs/templates.md"), "json")[0];
    std::fs::write(folder.path().join("slack/review.json"), example).unwrap();
    let loaded = review_bridge::destination::templates(Some(folder.path()));
    assert!(loaded.is_ok(), "{:?}", loaded.unwrap_err());
}

#[tokio::test]
async fn the_documented_check_of_a_signature_accepts_ours_and_no_other() {
    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let mut bench = Bench::new().await;
    bench.rest = USUAL.replace("INBOX/webhook/crm\"", &format!("INBOX/webhook/crm\"\nsecret = \"{SECRET}\""));
    bench.review("one", GOOGLE_NL, 4.0, "Prima – ünïcödé \u{1F389}");
    bench.once().await;
    let received = bench.inbox.received_at("/webhook/crm");
    let [received] = received.as_slice() else { panic!("{received:?}") };
    let snippet = &blocks(&document("docs/webhooks.md"), "python")[0];
    // The bench's clock stands in the past, and what is old is rightly refused.
    let program = format!(
        "{snippet}\nimport json, sys\ncase = json.load(sys.stdin)\nsent = int(case['headers']['webhook-timestamp'])\n\
         body = case['body'].encode()\ntime.time = lambda: sent + case['late']\n\
         print(verify(case['secret'], case['headers'], body))\n"
    );
    let verify = |secret: &str, body: &str, late: i64| {
        let case =
            serde_json::json!({"secret": secret, "headers": received.headers, "body": body, "late": late});
        let mut python = Command::new("python3")
            .args(["-c", &program])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this test runs the documented Python: install python3");
        python.stdin.take().unwrap().write_all(case.to_string().as_bytes()).unwrap();
        let output = python.wait_with_output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(verify(SECRET, &received.body, 299), "True");
    assert_eq!(verify(SECRET, &received.body, 301), "False");
    assert_eq!(verify(SECRET, &received.body.replace("Prima", "Prime"), 0), "False");
    assert_eq!(verify("whsec_AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHH", &received.body, 0), "False");
}

#[test]
fn links_in_documents_lead_somewhere() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    for (name, text) in documents() {
        for target in link.captures_iter(&text).map(|link| link[1].to_owned()) {
            if target.starts_with("https://") || target.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let file = root().join(&name);
            let file = if path.is_empty() { file } else { file.parent().unwrap().join(path) };
            assert!(file.exists(), "{name} links to {target}, which is not there");
            if !anchor.is_empty() {
                let text = std::fs::read_to_string(&file).unwrap();
                assert!(anchors(&text).contains(anchor), "{name} links to {target}: no such heading");
            }
        }
    }
}

/// The anchors that headings get: lower case, spaces as hyphens, without punctuation.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn names_of_code_in_the_architecture_exist() {
    let code: String = crate::tidy::source::production().into_iter().map(|file| file.code).collect();
    let architecture = document("ARCHITECTURE.md");
    let path = Regex::new(r"`(?:\w+::)+(\w+)`|`([A-Z][a-z]\w+)`").unwrap();
    for found in path.captures_iter(&architecture) {
        let name = found.get(1).or(found.get(2)).unwrap().as_str();
        let item = format!(r"\b(fn|struct|enum|trait|type|mod|static|const) {name}\b");
        assert!(Regex::new(&item).unwrap().is_match(&code), "ARCHITECTURE.md names {}", &found[0]);
    }
}

/// What an example that is not a whole configuration is completed with.
const BASE: &str = r#"
[accounts.base]
token = "t"
[destinations.base]
type = "webhook"
url = "https://base.example"
[[rules]]
name = "base"
to = ["base"]
"#;

#[test]
fn examples_of_the_configuration_load() {
    let twin = Regex::new(r#"(?m)^(\w+)_file = "[^"]*""#).unwrap();
    let mut seen = 0;
    for (name, text) in documents() {
        for example in blocks(&text, "toml") {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir(folder.path().join("templates")).unwrap();
            std::fs::write(folder.path().join("secret"), "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap();
            std::fs::write(folder.path().join("url"), "https://receiver.example/hooks/x").unwrap();
            // Files of secrets are not on this machine.
            let example = twin.replace_all(&example, |twin: &regex::Captures<'_>| {
                let file = if twin[1].ends_with("url") { "url" } else { "secret" };
                format!("{}_file = \"{file}\"", &twin[1])
            });
            let parts = ["[accounts.", "[destinations.", "[[rules]]"];
            let is_whole = parts.iter().all(|part| example.contains(part));
            let whole = if is_whole { example.to_string() } else { complete(&example) };
            let path = folder.path().join("config.toml");
            std::fs::write(&path, &whole).unwrap();
            let none: [(String, String); 0] = [];
            if let Err(failure) = review_bridge::config::load(Some(&path), none, folder.path()) {
                panic!("{name}: {failure}\n{whole}");
            }
            seen += 1;
        }
    }
    assert!(seen >= 15, "{seen} examples");
}

fn complete(example: &str) -> String {
    let mut whole = format!("{example}{BASE}");
    if example.contains("type = \"email\"") && !example.contains("\n[smtp]") {
        whole.push_str("\n[smtp]\nhost = \"mail.example\"\nfrom = \"reviews@shop.example\"\n");
    }
    // `to` of rules, `expect` of tests, `notify`: destinations that stand elsewhere.
    let wanted = Regex::new(r"(?m)^(?:to|expect|notify) = \[([^\]]*)\]").unwrap();
    let mut named = BTreeSet::new();
    for list in wanted.captures_iter(example) {
        named.extend(list[1].split(',').map(|name| name.trim().trim_matches('"').to_owned()));
    }
    // `to` of an e-mail destination holds addresses.
    for name in named.iter().filter(|name| !name.is_empty() && !name.contains('@')) {
        if !example.contains(&format!("[destinations.{name}]")) && name != "base" {
            whole.push_str(&format!(
                "\n[destinations.{name}]\ntype = \"webhook\"\nurl = \"https://x.example\"\n"
            ));
        }
    }
    whole
}

#[test]
fn the_readme_is_short() {
    let readme = document("README.md");
    assert!(readme.lines().count() <= 150, "README.md has {} lines of at most 150", readme.lines().count());
    let promises = section(&readme, "## What it promises");
    assert_eq!(promises.lines().filter(|line| line.starts_with("* **")).count(), 6);
    for (name, _) in documents().into_iter().filter(|(name, _)| name.starts_with("docs/")) {
        let reached = readme.contains(&format!("]({name})"));
        // For those who write: CONTRIBUTING.md leads there.
        assert!(reached || name == "docs/style.md", "README.md does not lead to {name}");
    }
}

#[test]
fn the_change_log_has_the_next_release() {
    let log = document("CHANGELOG.md");
    let version = env!("CARGO_PKG_VERSION");
    assert!(log.contains("\n## [Unreleased]") || log.contains(&format!("\n## [{version}]")));
}

#[test]
fn every_guarantee_names_tests_and_they_exist() {
    let text = document("docs/guarantees.md");
    let column = |text: &str, pattern: &str| -> Vec<String> {
        let found = Regex::new(pattern).unwrap();
        found.captures_iter(text).map(|one| one[1].trim_matches([',', '.']).to_owned()).collect()
    };
    let promised = column(text.split("\n## ").next().unwrap(), r"(?m)^\* \*\*([^*]+)\*\*");
    assert!(promised.len() >= 11, "{promised:?}");
    let table = section(&text, "## Held by tests");
    assert_eq!(column(table, r"(?m)^\| ([^|`]+) \| `"), promised, "a row of tests for each guarantee");
    let named = Regex::new(r"`((?:tests|src)/[\w/]+\.rs)::(\w+)`").unwrap();
    for test in documents().iter().flat_map(|(_, text)| named.captures_iter(text)) {
        let code = document(&test[1]);
        let item = format!(r"#\[(?:tokio::)?test[^\]]*\]\n\s*(?:async )?fn {}\(", &test[2]);
        assert!(Regex::new(&item).unwrap().is_match(&code), "there is no test {}", &test[0]);
    }
}

/// `just gallery` makes it: a kind whose messages people read has its pictures there.
#[test]
fn the_gallery_shows_every_kind() {
    let text = document("docs/gallery.md");
    for kind in TABLE.iter().filter(|kind| kind.format.is_some()) {
        for name in ["review", "edited", "digest", "summary", "operator", "test"] {
            let picture = format!("](gallery/{}-{name}.png)", kind.name);
            assert!(text.contains(&picture), "docs/gallery.md lacks {picture}: run `just gallery`");
        }
    }
}
