//! Tests of reloads, look by look.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::clock::Clock;
use crate::config::Loader;
use crate::domain::Timestamp;
use crate::store::sqlite::{Access, SqliteStore};
use std::collections::BTreeSet;

const GOOD: &str = r#"
[accounts.main]
token_file = "token"
base_url = "http://127.0.0.1:9/api/v1"
[accounts.other]
token = "s3cret-other"
base_url = "http://127.0.0.1:9/api/v1"
rating_scales = { Kiyoh = 10 }
[destinations.crm]
type = "webhook"
url = "http://127.0.0.1:9/crm"
[[rules]]
name = "all"
to = ["crm"]
"#;

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let place = Self(tempfile::tempdir().unwrap());
        place.write("token", "s3cret-main");
        place.write("config.toml", GOOD);
        place
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).unwrap();
    }

    fn loader(&self) -> Loader {
        let none: [(String, String); 0] = [];
        Loader::new(None, none, self.0.path()).unwrap()
    }

    fn reloader(&self) -> Reloader {
        let loader = self.loader();
        let contents = loader.read().contents;
        Reloader::new(Box::new(move || loader.read()), contents)
    }

    fn built(&self, shared: &Shared, before: Option<&Wiring>) -> Wiring {
        let settings = self.loader().load().unwrap().settings;
        let targets = build_targets(&settings).unwrap();
        Wiring::build(settings, targets, shared, before).unwrap()
    }

    async fn shared(&self) -> Shared {
        let store = SqliteStore::open(&self.0.path().join("s.db"), Access::Own).await.unwrap();
        let store = Arc::new(store);
        Shared { budgets: store.clone(), store, clock: Clock::manual(Timestamp(0)), seed: 1 }
    }
}

/// What `count` looks show: `.` nothing, `x` refused, `n` new.
fn looks(reloader: &mut Reloader, count: usize) -> String {
    let shown = |look| match look {
        Look::Nothing => '.',
        Look::Refused { .. } => 'x',
        Look::New { .. } => 'n',
    };
    (0..count).map(|_| shown(reloader.tick())).collect()
}

#[test]
fn a_change_counts_once_it_stands_and_then_once() {
    let place = Place::new();
    let mut reloader = place.reloader();
    assert_eq!(looks(&mut reloader, 3), "...");
    place.write("config.toml", &format!("{GOOD}\n"));
    assert_eq!(looks(&mut reloader, 4), ".n..");
    // Something else each time: it is being written.
    for length in 0..5 {
        place.write("config.toml", &GOOD[..length]);
        assert_eq!(looks(&mut reloader, 1), ".");
    }
    place.write("config.toml", &format!("{GOOD}\n"));
    assert_eq!(looks(&mut reloader, 3), "...", "it is as it was");
    place.write("token", "s3cret-new");
    assert_eq!(looks(&mut reloader, 3), ".n.");
}

#[test]
fn a_bad_one_is_refused_once_for_each_content_until_it_is_mended() {
    let place = Place::new();
    let mut reloader = place.reloader();
    place.write("config.toml", "[accounts.main]\ntoken = s3cret\n");
    assert_eq!(looks(&mut reloader, 5), ".x...");
    place.write("config.toml", &GOOD.replace("\"crm\"]", "\"crn\"]"));
    assert_eq!(looks(&mut reloader, 1), ".");
    let Look::Refused { why, changed } = reloader.tick() else { panic!("it is not refused") };
    assert!(why.contains("rules[0].to") && !why.contains('\n') && !why.contains("s3cret"), "{why}");
    assert!(named(&changed).contains("config.toml"), "{changed:?}");
    // A secret where the name of its file belongs is never shown, neither now nor after it is fixed.
    place.write("config.toml", &GOOD.replace("\"token\"", "\"s3cret-main\""));
    let told = |look| match look {
        Look::Nothing => String::new(),
        Look::Refused { why, changed } => why + &named(&changed),
        Look::New { changed, .. } => named(&changed),
    };
    let refused = told(reloader.now());
    place.write("config.toml", GOOD);
    let mended = told(reloader.now());
    assert!(refused.contains("token_file") && mended.contains("config.toml"), "{refused} {mended}");
    assert!(!format!("{refused}{mended}").contains("s3cret"), "{refused} {mended}");
    // What mends it need not have been watched before.
    place.write("config.toml", &GOOD.replace("\"token\"", "\"later\""));
    assert_eq!(looks(&mut reloader, 3), ".x.");
    place.write("later", "s3cret-later");
    assert_eq!(looks(&mut reloader, 3), ".n.");
    std::fs::remove_file(place.0.path().join("config.toml")).unwrap();
    assert_eq!(looks(&mut reloader, 3), ".x.");
    place.write("config.toml", GOOD);
    assert_eq!(looks(&mut reloader, 3), ".n.");
}

#[test]
fn a_template_with_a_mistake_and_a_folder_that_is_not_there_are_refused() {
    let place = Place::new();
    let mut reloader = place.reloader();
    place.write("config.toml", &format!("templates_dir = \"mine\"\n{GOOD}"));
    assert_eq!(looks(&mut reloader, 3), ".x.");
    std::fs::create_dir_all(place.0.path().join("mine/slack")).unwrap();
    assert_eq!(looks(&mut reloader, 3), ".n.");
    place.write("mine/slack/review.json", "{\"text\": \"{{#if}}\"}");
    assert_eq!(looks(&mut reloader, 3), ".x.");
    std::fs::remove_file(place.0.path().join("mine/slack/review.json")).unwrap();
    assert_eq!(looks(&mut reloader, 3), ".n.");
}

#[test]
fn who_asks_for_a_reload_gets_one_at_once_and_each_time() {
    let place = Place::new();
    let mut reloader = place.reloader();
    assert!(matches!(reloader.now(), Look::New { .. }));
    place.write("config.toml", "");
    assert!(matches!(reloader.now(), Look::Refused { .. }));
    assert!(matches!(reloader.now(), Look::Refused { .. }));
    assert_eq!(looks(&mut reloader, 3), "...", "it was told");
}

#[test]
fn what_needs_a_restart_is_named_and_stays() {
    let place = Place::new();
    let running = place.loader().load().unwrap().settings;
    let mut same = running.clone();
    assert!(keep_fixed(&mut same, &running).is_empty());
    place.write(
        "config.toml",
        &format!(
            "{GOOD}[state]\nurl = \"sqlite:x.db\"\nretention = \"30d\"\n[http]\nlisten = \"\"\n[log]\nformat = \"json\"\nlevel = \"warn\"\n"
        ),
    );
    let mut changed = place.loader().load().unwrap().settings;
    assert_eq!(
        keep_fixed(&mut changed, &running),
        ["state.url", "state.retention", "http.listen", "log.format"]
    );
    assert_eq!((&changed.state, &changed.http), (&running.state, &running.http));
    assert_eq!((changed.log.format, &*changed.log.level), (running.log.format, "warn"));
}

#[tokio::test]
async fn an_account_keeps_its_client_unless_it_is_reached_in_another_way() {
    let place = Place::new();
    let shared = place.shared().await;
    let first = place.built(&shared, None);
    let kept = |before: &Wiring, after: &Wiring| -> BTreeSet<String> {
        let same = |name: &&String| {
            after
                .accounts
                .get(*name)
                .is_some_and(|own| Arc::ptr_eq(&own.upstream, &before.accounts[*name].upstream))
        };
        before.accounts.keys().filter(same).cloned().collect()
    };
    place.write("config.toml", &GOOD.replace("\"all\"", "\"every one\""));
    let rules = place.built(&shared, Some(&first));
    assert_eq!(kept(&first, &rules).len(), 2);
    assert_eq!(&*rules.accounts["main"].plan.rules[0].name, "every one");
    place.write("token", "s3cret-new");
    let token = place.built(&shared, Some(&rules));
    assert_eq!(kept(&rules, &token), BTreeSet::from(["other".to_owned()]));
    place.write("config.toml", &GOOD.replace(":9/api/v1\"\nrating", ":8/api/v1\"\nrating"));
    let moved = place.built(&shared, Some(&token));
    assert_eq!(kept(&token, &moved), BTreeSet::from(["main".to_owned()]));
    let from = GOOD.find("[accounts.other]").unwrap();
    let to = GOOD.find("[destinations.crm]").unwrap();
    place.write("config.toml", &format!("{}{}", &GOOD[..from], &GOOD[to..]));
    let alone = place.built(&shared, Some(&moved));
    assert!(!alone.accounts.contains_key("other"));
    assert_eq!(alone.targets.scales.get("other"), first.targets.scales.get("other"), "for what still waits");
}
