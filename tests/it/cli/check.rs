//! `check`, against the sandbox over a real socket.

use super::{CONFIG, MARKER, Place, seed};
use review_bridge::clock::Clock;
use review_bridge::sandbox::{self, Fault, Inbox, Options, Sandbox};
use review_bridge::store::sqlite::{Access, SqliteStore};
use review_bridge::upstream::Endpoint;
use serde_json::Value;
use std::future::pending;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Everything in order: an operator, rules whose names are borne, a test that passes.
const GOOD: &str = r#"
[accounts.main]
token = "MARKERqhxwzj"
base_url = "BASE/api/v1"
rating_scales = { kiyoh = 10 }
[http]
listen = ""
[operator]
notify = ["support"]
[destinations.support]
type = "slack"
webhook_url = "BASE/inbox/slack/MARKERqhxwzj"
[[rules]]
name = "unhappy"
when = { max_rating = 2, websites = ["shop nl"] }
to = ["support"]
[[tests]]
name = "one star"
review = { rating = 1, website = "Shop NL" }
expect = ["support"]
"#;

async fn place(config: &str, options: Options) -> (Place, Arc<Sandbox>) {
    let sandbox = Sandbox::new(Options { token: MARKER.into(), reviews: 3, ..options }, Clock::System);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let inbox = Inbox::new(Clock::System);
    tokio::spawn(sandbox::serve_with_inbox(listener, sandbox.clone(), inbox, pending()));
    (Place::new(&config.replace("BASE", &base)), sandbox)
}

/// Each check as `check: result`.
fn results(json: &Value) -> Vec<String> {
    let checks = json["checks"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    checks.map(|check| format!("{}: {}", text(&check["check"]), text(&check["result"]))).collect()
}

fn detail(json: &Value, check: &str) -> String {
    let found = json["checks"].as_array().unwrap().iter().filter(|one| one["check"] == check);
    found.map(|one| format!("{}\n{}\n", one["detail"].as_str().unwrap(), one["hint"])).collect()
}

#[tokio::test]
async fn what_is_in_order_passes_and_the_mark_waits_for_its_first_use() {
    let (place, _sandbox) = place(GOOD, Options::default()).await;
    let json = place.run(&["check", "--json"]).await.ok().json();
    assert_eq!(json["ok"], true);
    let expected = [
        "configuration: ok",
        "configuration file: ok",
        // Its only destination for notices is one that rules use.
        "configuration: warn",
        "templates: ok",
        "test `one star`: ok",
        "state: ok",
        "account main: token: ok",
        "account main: unread-reviews: ok",
        "account main: sources: ok",
        "account main: websites: ok",
        "account main: platforms: ok",
        "account main: mark-review-read: unverified",
        "names in rules: ok",
        // Set, documented, assumed, documented.
        "rating scales of main: ok",
        "rating scales of main: ok",
        "rating scales of main: ok",
        "rating scales of main: ok",
        "destination support (slack): ok",
        "http: ok",
    ];
    assert_eq!(results(&json), expected);
    assert!(detail(&json, "account main: unread-reviews").starts_with("3 reviews on the first page"));
    let out = place.run(&["check"]).await.ok().out;
    assert!(out.ends_with("\n1 warning, 1 unverified\n"), "{out}");
    assert!(out.lines().take(19).all(|line| line.chars().count() <= 120), "{out}");
    // Once a mark has succeeded with this setting, it is verified.
    place.run(&["run", "--once"]).await.ok();
    let store = place.store().await;
    let mark = review_bridge::store::DueMark {
        review_id: 1,
        uuid: "a".into(),
        revision: 1,
        attempts: 0,
        refused: false,
    };
    let setting = Some("reviews/{uuid}/read".to_owned());
    let result = review_bridge::store::MarkResult {
        mark,
        result: Ok(()),
        refused: false,
        setting,
        account_error: None,
    };
    review_bridge::store::Store::record_marks(&store, "main", &[result], Clock::System.now()).await.unwrap();
    let out = place.run(&["check"]).await.ok().out;
    assert!(out.ends_with("\n1 warning\n"), "{out}");
}

#[tokio::test]
async fn a_refused_token_is_reported_and_the_rest_is_skipped() {
    let (place, sandbox) = place(GOOD, Options::default()).await;
    sandbox.revoke_tokens();
    let ran = place.run(&["check", "--json"]).await;
    assert_eq!(ran.code, 1);
    let json = ran.json();
    assert_eq!(json["ok"], false);
    let results = results(&json);
    for expected in [
        "account main: token: failed",
        "account main: sources: unverified",
        "destination support (slack): ok",
    ] {
        assert!(results.iter().any(|one| one == expected), "{expected}: {results:?}");
    }
    assert!(detail(&json, "account main: token").contains("accounts.main.token_file"));
    assert_eq!(sandbox.requests().len(), 1);
    let text = place.fails(1, &["check"]).await;
    assert!(text.contains("FAILED      account main: token"), "{text}");
}

#[tokio::test]
async fn each_endpoint_is_reported_on_its_own() {
    let (place, sandbox) = place(GOOD, Options::default()).await;
    sandbox.fault(Endpoint::Websites, Fault::status(500, "{}"));
    let ran = place.run(&["check", "--json"]).await;
    assert_eq!(ran.code, 1);
    let results = results(&ran.json());
    for expected in [
        "account main: unread-reviews: ok",
        "account main: sources: ok",
        "account main: websites: failed",
        "account main: platforms: unverified",
        "names in rules: unverified",
    ] {
        assert!(results.iter().any(|one| one == expected), "{expected}: {results:?}");
    }
    std::fs::write(
        place.folder.path().join("config.toml"),
        std::fs::read_to_string(place.folder.path().join("config.toml"))
            .unwrap()
            .replace("[http]", "[accounts.main.endpoints]\nunread_reviews = \"reviews/new\"\n[http]"),
    )
    .unwrap();
    let ran = place.run(&["check", "--json"]).await;
    let json = ran.json();
    let told = detail(&json, "account main: unread-reviews");
    assert!(told.contains("endpoints.unread_reviews") && told.contains("reviews/new"), "{told}");
    assert!(self::results(&json).contains(&"account main: platforms: ok".to_owned()));
}

#[tokio::test]
async fn a_budget_that_is_spent_is_not_waited_for() {
    let (place, sandbox) =
        place(&GOOD.replace("rating_scales", "requests_per_minute = 2\nrating_scales"), Options::default())
            .await;
    // `check` creates no state, and only one that exists holds a budget.
    place.run(&["destinations", "pause", "support"]).await.ok();
    place.run(&["destinations", "resume", "support"]).await.ok();
    let json = place.run(&["check", "--json"]).await.ok().json();
    assert!(
        detail(&json, "account main: sources").contains("request budget used up; next request in "),
        "{json}"
    );
    let before = sandbox.requests();
    let json = place.run(&["check", "--json"]).await.ok().json();
    assert!(
        detail(&json, "account main: unread-reviews").contains("request budget used up; next request in "),
        "{json}"
    );
    assert_eq!(sandbox.requests(), before, "the budget is that of the state");
}

#[tokio::test]
async fn what_the_configuration_gets_wrong_is_told_with_what_to_do() {
    let config = GOOD
        .replace("shop nl", "Shop N")
        .replace("kiyoh = 10", "kiyo = 10")
        .replace("notify = [\"support\"]", "")
        .replace("[[tests]]", "[[rules]]\nname = \"all\"\nto = [\"support\"]\nstop = true\n[[rules]]\nname = \"never\"\nto = [\"support\"]\n[[tests]]")
        .replace("expect = [\"support\"]", "expect = []");
    let config = format!("{config}[accounts.second]\ntoken = \"{MARKER}\"\nbase_url = \"BASE/api/v1\"\n");
    let (place, _sandbox) = place(&config, Options::default()).await;
    let text = place.fails(1, &["check"]).await;
    for expected in [
        "no website is called `Shop N`; did you mean `Shop NL`",
        "accounts.main.rating_scales",
        "did you mean `Kiyoh`",
        "reaches support, expected nobody",
        "never reached: rule `all` above it",
        "have the same address and credentials",
        "add destinations to `operator.notify`",
        "1 FAILED, 5 warnings, 2 unverified",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[tokio::test]
async fn two_accounts_that_read_the_same_sources_are_told() {
    let config = format!(
        "{GOOD}[accounts.second]\nemail = \"reviews@shop.example\"\npassword = \"sandbox-password\"\nbase_url = \"BASE/api/v1\"\n"
    );
    let (place, _sandbox) = place(&config, Options::default()).await;
    let out = place.run(&["check"]).await.ok().out;
    assert!(out.contains("accounts main and second") && out.contains("read the same sources: "), "{out}");
    assert!(out.contains("account second: login") && out.contains("accepted; expires in 2"), "{out}");
}

#[tokio::test]
async fn what_cannot_be_reached_fails_and_is_skipped_offline() {
    let place = Place::new(CONFIG);
    let text = place.fails(1, &["check"]).await;
    for expected in [
        "accounts.main.base_url",
        "FAILED      destination crm (webhook)",
        "cannot be reached: 127.0.0.1:9: connection refused",
        "4 FAILED",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let place = Place::new(CONFIG);
    let out = place.run(&["check", "--offline"]).await.ok().out;
    assert!(out.contains("API skipped (--offline)"), "{out}");
    assert!(out.contains("does not exist yet"), "{out}");
    assert!(!place.state().exists());
    seed(&place).await;
    let owner = SqliteStore::open(&place.state(), Access::Own).await.unwrap();
    let out = place.run(&["check", "--offline"]).await.ok().out;
    for expected in
        [&format!("(process {})", std::process::id())[..], "broken (first seen", "destinations resume crm"]
    {
        assert!(out.contains(expected), "{expected}: {out}");
    }
    drop(owner);
}

#[tokio::test]
async fn a_state_that_does_not_open_and_a_template_with_a_mistake_are_told() {
    let (place, sandbox) =
        place(&GOOD.replace("[http]", "[state]\nurl = \"sqlite:none/state.db\"\n[http]"), Options::default())
            .await;
    let text = place.fails(1, &["check"]).await;
    assert!(text.contains("does not exist") && text.contains("create the folder"), "{text}");
    assert!(sandbox.requests().is_empty(), "without a state there is no request budget");
    let place = Place::new(&format!("templates_dir = \"mine\"\n{CONFIG}"));
    std::fs::create_dir_all(place.folder.path().join("mine/slack")).unwrap();
    std::fs::write(place.folder.path().join("mine/slack/review.json"), "{\n\"text\": \"{{revew.text}}\"\n}")
        .unwrap();
    std::fs::write(place.state(), "this is no database, however long one looks at it").unwrap();
    let text = place.fails(1, &["check", "--offline"]).await;
    for expected in ["FAILED      templates", "revew", "FAILED      state", "restore a backup"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[tokio::test]
async fn a_configuration_that_does_not_load_is_a_usage_error() {
    let place = Place::new(&CONFIG.replace("[http]", "[htpt]"));
    let text = place.fails(2, &["check"]).await;
    assert!(text.contains("did you mean `http`?"), "{text}");
}

#[tokio::test]
async fn names_that_try_to_break_a_terminal_do_not() {
    let options = Options { hostile: true, ..Options::default() };
    let (place, _sandbox) = place(&GOOD.replace("shop nl", "nothing like it"), options).await;
    place.fails(1, &["check"]).await;
    place.fails(1, &["check", "--json"]).await;
    place.run(&["run", "--once"]).await;
    for command in [&["reviews", "list"][..], &["status"], &["deliveries", "list"]] {
        place.run(command).await.ok();
        place.run(&[command, &["--json"]].concat()).await.ok().json();
    }
}

// J19, J23
#[tokio::test]
async fn one_url_in_two_destinations_and_fixed_mentions_are_warnings() {
    let more = r#"
[destinations.again]
type = "slack"
webhook_url = "BASE/inbox/slack/MARKERqhxwzj"
[destinations.other]
type = "slack"
webhook_url = "BASE/inbox/slack/other"
"#;
    let config = format!("templates_dir = \"own\"\n{GOOD}{more}");
    let (place, _sandbox) = place(&config, Options::default()).await;
    let folder = place.folder.path().join("own/slack");
    std::fs::create_dir_all(&folder).unwrap();
    let template = r#"{"text": "<!channel> {{shown.rating}} at {{shown.place}}"}"#;
    std::fs::write(folder.join("review.json"), template).unwrap();
    let json = place.run(&["check", "--offline", "--json"]).await.ok().json();
    // Sorted by name, the second one is reported.
    let same = detail(&json, "destination support (slack)");
    assert!(same.contains("sends to the same URL as `again`"), "{same}");
    assert!(!detail(&json, "destination other (slack)").contains("same URL"));
    let mention = detail(&json, "templates");
    assert!(mention.contains("review.json:1:11: contains the fixed mention `<!channel>`"), "{mention}");
}
