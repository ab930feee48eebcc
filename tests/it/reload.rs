//! A configuration that changes while the bridge runs: real processes, real files.

mod destinations;

use crate::harness::process::{Process, until};
use crate::harness::*;
use review_bridge::sandbox::{Answer, Options};
use review_bridge::upstream::Endpoint;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
const RELOADED: &str = "configuration reloaded";
const REFUSED: &str = "the changed configuration was rejected";

/// Only the webhook `crm`, which gets everything.
const CRM: &str = r#"
[http]
listen = ""
[destinations.crm]
type = "webhook"
url = "INBOX/webhook/crm"
rate_limit = "10000/s"
[[rules]]
name = "all"
to = ["crm"]
"#;

/// A second webhook beside it.
const OTHER: &str = r#"
[destinations.other]
type = "webhook"
url = "INBOX/webhook/other"
rate_limit = "10000/s"
[[rules]]
name = "all of it there, too"
to = ["other"]
"#;

async fn bench(rest: &str) -> Bench {
    let mut bench = Bench::real(Options::default()).await;
    bench.account = "poll_interval = \"5s\"".into();
    bench.rest = rest.into();
    bench
}

fn log(bench: &Bench) -> String {
    std::fs::read_to_string(bench.folder.path().join("log")).unwrap_or_default()
}

fn count(bench: &Bench, text: &str) -> usize {
    log(bench).matches(text).count()
}

async fn logged(bench: &Bench, text: &str, times: usize) {
    until(&format!("the log says {times} times: {text}"), LONG, || count(bench, text) >= times).await;
}

/// Adds a review and waits until the webhook `name` has it.
async fn told(bench: &Bench, uuid: &str, name: &str) {
    bench.review(uuid, GOOGLE_NL, 5.0, "Prima");
    until(&format!("{name} is told of {uuid}"), LONG, || bench.told(name).contains_key(uuid)).await;
}

#[tokio::test]
async fn a_changed_file_is_taken_up_and_a_bad_one_refused_once_while_the_old_rules_go_on() {
    let mut bench = bench(&CRM.replace("\"\"\n", "\"127.0.0.1:0\"\n")).await;
    let process = Process::start(&bench, &["run"]);
    told(&bench, "a", "crm").await;
    let address = log(&bench).split("health=").nth(1).unwrap().split("/healthz").next().unwrap().to_owned();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ready = || async {
        let answer = reqwest::get(format!("{address}/readyz")).await.unwrap();
        assert_eq!(answer.status(), 200);
        let body: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        body["configuration"].clone()
    };
    let first = ready().await;
    assert_eq!((&first["last_reload_successful"], &first["refused_at"]), (&true.into(), &().into()));

    bench.rest += "\n[[rules]]\nname = \"typo\"\nto = [\"crn\"]\n";
    bench.write_config();
    logged(&bench, REFUSED, 1).await;
    let text = log(&bench);
    let line = text.lines().find(|line| line.contains(REFUSED)).unwrap();
    assert!(line.contains("rules[1].to") && line.contains("crn") && line.contains("did you mean"), "{line}");
    assert!(line.contains("config.toml"), "it names what changed: {line}");
    let refused = ready().await;
    assert_eq!(refused["last_reload_successful"], false);
    assert_eq!(refused["loaded_at"], first["loaded_at"]);
    told(&bench, "b", "crm").await;

    bench.rest = format!("{CRM}{OTHER}");
    bench.write_config();
    logged(&bench, RELOADED, 1).await;
    told(&bench, "c", "other").await;
    assert!(!bench.told("other").contains_key("b"), "what was told before is not told again");
    let mended = ready().await;
    assert_eq!((&mended["last_reload_successful"], &mended["refused_at"]), (&true.into(), &().into()));
    // A problem is told once for each content, not at each look.
    assert_eq!(count(&bench, REFUSED), 1);
    logged(&bench, "`http.listen` changed", 1).await;
    assert!(process.terminate().await.success());
}

#[tokio::test]
async fn a_hangup_reloads_even_what_has_not_changed_and_an_account_that_has_not_keeps_its_session() {
    let mut bench = bench(CRM).await;
    bench.credentials = "email = \"reviews@shop.example\"\npassword = \"sandbox-password\"".into();
    let process = Process::start(&bench, &["run"]);
    told(&bench, "a", "crm").await;
    process.hang_up();
    logged(&bench, RELOADED, 1).await;
    bench.rest += OTHER;
    bench.write_config();
    process.hang_up();
    logged(&bench, RELOADED, 2).await;
    told(&bench, "b", "other").await;
    assert_eq!(bench.sandbox.requests()[&Endpoint::Login], 1);
    assert!(process.terminate().await.success());
}

#[tokio::test]
async fn a_new_token_in_its_file_is_used_at_once() {
    let mut bench = bench(CRM).await;
    bench.credentials = "token_file = \"token\"".into();
    bench.account = "poll_interval = \"1h\"".into();
    let token = bench.folder.path().join("token");
    std::fs::write(&token, "revoked").unwrap();
    let process = Process::start(&bench, &["run"]);
    logged(&bench, "poll failed", 1).await;
    std::fs::write(&token, "sandbox-token\n").unwrap();
    told(&bench, "a", "crm").await;
    assert!(!log(&bench).contains("sandbox-token"));
    assert!(process.terminate().await.success());
}

#[tokio::test]
async fn an_account_can_be_added_and_removed_and_what_waits_of_it_still_goes_out() {
    let mut main = bench(CRM).await;
    let other = bench(CRM).await;
    let alone = main.rest.clone();
    let process = Process::start(&main, &["run"]);
    told(&main, "a", "crm").await;

    let account = format!(
        "[accounts.other]\ntoken = \"sandbox-token\"\nbase_url = \"{}\"\nrequests_per_minute = 600000\n\
         poll_interval = \"5s\"\nrating_scales = {{ Kiyoh = 10 }}\n",
        other.api
    );
    main.rest = format!("{alone}{account}");
    main.inbox.answer_all("/webhook/crm", Answer::status(503, ""));
    other.review("b", KIYOH_NL, 8.0, "Prima");
    main.write_config();
    until("the review of the new account is sent", LONG, || main.told("crm").contains_key("b")).await;

    main.rest = alone;
    main.write_config();
    logged(&main, RELOADED, 2).await;
    main.inbox.answer_all("/webhook/crm", Answer::Fine);
    let delivered = || {
        let received = main.inbox.received_at("/webhook/crm");
        received.iter().any(|one| one.status == Some(204) && one.body.contains("\"uuid\":\"b\""))
    };
    until("what waited of the removed account is delivered", LONG, delivered).await;
    // By its own scale, which is no longer in the configuration.
    let bodies = main.webhook("crm");
    let last = bodies.iter().rfind(|body| body["data"]["review"]["uuid"] == "b").unwrap();
    assert_eq!(last["data"]["review"]["rating"], 4.0);
    let listings = |bench: &Bench| bench.sandbox.requests()[&Endpoint::UnreadReviews];
    let polls = async || {
        let before = listings(&main);
        until("the other account is polled", LONG, || listings(&main) >= before + 2).await;
    };
    polls().await;
    let before = listings(&other);
    polls().await;
    assert_eq!((listings(&other), other.marked()), (before, vec![]), "not polled, not marked");
    assert!(process.terminate().await.success());
}

#[tokio::test]
async fn what_needs_a_restart_is_said_by_name_and_the_rest_applies() {
    let mut bench = bench(CRM).await;
    let process = Process::start(&bench, &["run"]);
    told(&bench, "a", "crm").await;
    bench.rest = format!(
        "[state]\nurl = \"sqlite:new.db\"\n[log]\nformat = \"json\"\nlevel = \"debug\"\n{CRM}{OTHER}"
    )
    .replace("listen = \"\"", "listen = \"127.0.0.1:0\"");
    bench.write_config();
    // A review that is polled before goes by the rules before.
    logged(&bench, RELOADED, 1).await;
    told(&bench, "b", "other").await;
    for key in ["state.url", "http.listen", "log.format"] {
        logged(&bench, &format!("`{key}` changed"), 1).await;
    }
    assert!(!bench.folder.path().join("new.db").exists());
    logged(&bench, "DEBUG", 1).await;
    assert!(log(&bench).lines().all(|line| !line.starts_with('{')));
    assert!(process.terminate().await.success());
}
