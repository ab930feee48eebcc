//! The real binary over ways that fail: between it, the API and its destinations, every connection may break at
//! any point.

use crate::harness::process::{Process, command, run, until};
use crate::harness::proxy::{Fault, Proxy, shuffled};
use crate::harness::*;
use review_bridge::domain::{DeliveryState, Timestamp};
use review_bridge::sandbox::Options;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

const LONG: Duration = Duration::from_secs(120);
const REVIEWS: usize = 60;
/// The same seed gives the same faults in the same order.
const SEED: u64 = 20_260_301;

fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").split('/').next().unwrap().parse().unwrap()
}

/// A bench whose bridge reaches all it talks to over proxies.
struct Ways {
    bench: Bench,
    api: Proxy,
    slack: Proxy,
    crm: Proxy,
}

impl Ways {
    async fn new() -> Self {
        let mut bench = Bench::real(Options { page_size: 25, ..Options::default() }).await;
        for index in 0..REVIEWS {
            bench.review(&uuid(index), GOOGLE_NL, 1.0, &format!("Review {}.", uuid(index)));
        }
        let api = Proxy::start(address(&bench.api), api_faults()).await;
        let inbox = address(&bench.inbox_url);
        let slack = Proxy::start(inbox, shuffled(&Fault::ALL, 4, SEED)).await;
        let crm = Proxy::start(inbox, shuffled(&Fault::ALL, 4, SEED + 1)).await;
        bench.api = bench.api.replace(&address(&bench.api).to_string(), &api.address.to_string());
        bench.account = "poll_interval = \"5s\"".into();
        let way = |proxy: &Proxy, path: &str| format!("http://{}/{path}", proxy.address);
        bench.rest = format!("[http]\nlisten = \"\"\n{USUAL}")
            .replace("INBOX/slack", &way(&slack, "slack"))
            .replace("INBOX/webhook", &way(&crm, "webhook"))
            .replace("rate_limit", "timeout = \"4s\"\nrate_limit");
        Self { bench, api, slack, crm }
    }
}

fn uuid(index: usize) -> String {
    format!("r{index:03}")
}

/// The names come, and two pages of three; then everything happens to marks and listings once, but nothing that
/// takes the API's long time-outs. More would take long, too: a poll that fails is tried again ever later.
fn api_faults() -> Vec<Fault> {
    use Fault::*;
    let mut faults = vec![Pass, Slow, Pass, Slow, CutEnd, Pass];
    let short: Vec<Fault> = Fault::ALL.into_iter().filter(|fault| *fault != Hang).collect();
    faults.extend(shuffled(&short, 1, SEED + 2));
    faults
}

/// What arrived of one review at one destination, oldest first: when, and whether it said that it may be a repeat.
type Arrivals = BTreeMap<String, Vec<(Timestamp, bool)>>;

fn arrivals(bench: &Bench, path: &str, is_repeat: fn(&str) -> bool) -> Arrivals {
    let mut arrivals = Arrivals::new();
    for received in bench.inbox.received_at(path) {
        let of = (0..REVIEWS).map(uuid).find(|uuid| received.body.contains(&format!("Review {uuid}.")));
        arrivals.entry(of.unwrap()).or_default().push((received.at, is_repeat(&received.body)));
    }
    arrivals
}

#[tokio::test]
async fn over_ways_that_break_anywhere_none_is_lost_or_marked_early_and_only_what_is_doubtful_repeats() {
    let ways = Ways::new().await;
    let Ways { bench, .. } = &ways;
    let process = Process::start(bench, &["run"]);
    until("all are told and marked", LONG, || bench.sandbox.unread().is_empty()).await;
    assert!(process.terminate().await.success());
    let rows = bench.deliveries().await;
    assert_eq!(rows.len(), 2 * REVIEWS);
    assert!(rows.iter().all(|row| row.state == DeliveryState::Delivered));
    let slack = arrivals(bench, "/slack/support", |body| body.contains("Possibly a repeat"));
    let crm = arrivals(bench, "/webhook/crm", |body| body.contains("\"repeat\":true"));
    for (name, proxy, arrivals) in [("support", &ways.slack, &slack), ("crm", &ways.crm, &crm)] {
        assert_eq!(arrivals.len(), REVIEWS, "{name}: none is lost");
        let passed = proxy.passed();
        let (mut doubts, mut repeats) = (0, 0);
        for row in rows.iter().filter(|row| row.destination == name) {
            let doubtful = doubtful_attempts(bench, row.message_id.as_deref().unwrap()).await;
            let of = &arrivals[&row.uuid];
            let text = format!("{name} {}: {of:?}, {doubtful} doubtful attempts", row.uuid);
            assert!(of.len() <= 1 + doubtful, "told again without need: {text}");
            assert!(of[1..].iter().all(|(_, repeat)| *repeat), "a repeat that does not say so: {text}");
            assert!(doubtful > 0 || !of[0].1, "says that it may be a repeat, and cannot be: {text}");
            let refused = passed.iter().filter(|one| one.request.contains(&format!("Review {}.", row.uuid)));
            assert!(refused.filter(|one| one.fault.swallows()).count() >= of.len() - 1, "{text}");
            doubts += doubtful;
            repeats += of.len() - 1;
        }
        let doubtful = passed.iter().filter(|one| one.fault.is_doubtful()).count();
        assert!(doubts <= doubtful, "{name}: {doubts} attempts called doubtful of {doubtful}");
        assert!(repeats > 0 && passed.len() > REVIEWS, "{name}: too little happened");
    }
    for (uuid, at) in bench.sandbox.marks() {
        assert!(slack[&uuid][0].0 <= at && crm[&uuid][0].0 <= at, "{uuid} was marked before it was told");
    }
    assert!(ways.api.passed().iter().filter(|one| one.fault.is_doubtful()).count() == 8);
}

/// How many attempts of a message ended so that nobody can know whether it arrived.
async fn doubtful_attempts(bench: &Bench, message: &str) -> usize {
    use review_bridge::store::Store;
    let store = bench.store().await;
    let attempts = store.list_attempts(message).await.unwrap();
    store.close().await;
    let is_doubtful = |reason: &str| matches!(reason, "connection_lost" | "timed_out");
    attempts.iter().filter(|attempt| attempt.reason.as_deref().is_some_and(is_doubtful)).count()
}

/// A server on this machine, called `localhost`, with a certificate of its own that is good until `until`; and
/// that certificate as PEM. It only shakes hands.
async fn tls_server(until: i32) -> (SocketAddr, String) {
    let mut wanted = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    wanted.not_after = rcgen::date_time_ymd(until, 1, 1);
    let key = rcgen::KeyPair::generate().unwrap();
    let made = wanted.self_signed(&key).unwrap();
    let private = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.der().clone()], private)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let _ = acceptor.accept(client).await;
        }
    });
    (address, made.pem())
}

/// Runs a command with the API and `crm` at these addresses; what it said, which is not that all is well.
async fn said(bench: &mut Bench, api: &str, crm: &str, arguments: &[&str]) -> String {
    bench.api = api.to_owned();
    bench.rest = format!(
        "[http]\nlisten = \"\"\n[operator]\nnotify = [\"crm\"]\n[destinations.crm]\ntype = \"webhook\"\nurl = {crm}\n\
         [[rules]]\nname = \"all\"\nto = [\"crm\"]\n"
    );
    let mut command = command(bench);
    command.arg("--config").arg(bench.write_config()).args(arguments);
    let (code, said) = run(command).await;
    assert_eq!(code, 1, "{said}");
    said
}

#[tokio::test]
async fn a_name_that_is_not_found_is_said_and_what_waits_for_it_is_no_repeat() {
    let mut bench = Bench::real(Options::default()).await;
    let api = bench.api.clone();
    bench.review("a", GOOGLE_NL, 5.0, "x");
    let good = format!("\"{}/webhook/crm\"", bench.inbox_url);
    // Longer than a part of a name may be: known to be no name without asking anybody.
    let name = format!("{}.invalid", "x".repeat(64));
    let missing = format!("http://{name}/api/v1");
    bench.account = "allow_http = true".into();
    for arguments in [&["check"][..], &["run", "--once"]] {
        let said = said(&mut bench, &missing, &good, arguments).await;
        assert!(
            said.contains(&format!("`{name}`: cannot connect: its host name cannot be resolved (")),
            "{said}"
        );
    }
    let nowhere = format!("\"http://{name}/\"\nallow_http = true");
    let text = said(&mut bench, &api, &nowhere, &["run", "--once"]).await;
    assert!(
        text.contains(&format!("Could not connect to {name}: its host name cannot be resolved (")),
        "{text}"
    );
    let text = said(&mut bench, &api, &nowhere, &["check"]).await;
    assert!(text.contains(&format!("{name}:80: the name was not found")), "{text}");
    bench.rest = bench.rest.replace(&nowhere, &good);
    let process = Process::start(&bench, &["run"]);
    until("it is told", LONG, || bench.sandbox.unread().is_empty()).await;
    assert!(process.terminate().await.success());
    let repeats: Vec<_> = bench.webhook("crm").iter().map(|body| body["data"]["repeat"].clone()).collect();
    assert_eq!(repeats, [false], "nothing was sent before");
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_said_with_what_to_do() {
    let mut bench = Bench::real(Options::default()).await;
    let api = bench.api.clone();
    let plain = address(&bench.inbox_url);
    let (good, good_pem) = tls_server(2999).await;
    let (old, old_pem) = tls_server(2001).await;
    for (name, pem) in [("good.pem", good_pem), ("old.pem", old_pem)] {
        std::fs::write(bench.folder.path().join(name), pem).unwrap();
    }
    let unknown = "an authority that this machine does not trust";
    // J14: each has advice of its own.
    for (host, ca_file, words, advice) in [
        (format!("localhost:{}", good.port()), "", unknown, "set `destinations.crm.ca_file`"),
        (
            good.to_string(),
            "ca_file = \"good.pem\"",
            "its certificate is for another host name (it is for `localhost`)",
            "Set `destinations.crm.url` to a name",
        ),
        (
            format!("localhost:{}", old.port()),
            "ca_file = \"old.pem\"",
            "its certificate has expired (on ",
            "must renew it",
        ),
        (plain.to_string(), "", "it does not speak TLS (https)", "Check `destinations.crm.url`"),
    ] {
        let crm = format!("\"https://{host}/\"\n{ca_file}");
        let text = said(&mut bench, &api, &crm, &["destinations", "test", "crm"]).await;
        assert!(
            text.contains(&format!("No trusted connection to {host}: ")) && text.contains(words),
            "{text}"
        );
        assert!(text.contains(advice), "{text}");
        if ca_file.is_empty() {
            let text = said(&mut bench, &format!("https://{host}/"), &crm, &["check"]).await;
            assert!(text.contains("cannot connect: ") && text.contains(words), "{text}");
            assert!(text.contains("accounts.main.base_url"), "{text}");
        }
    }
}
