//! How long each step may take, what counts into that, and how many connections there are.

use super::super::dialogue::{PATIENCE, Patience};
use super::*;

const SOON: Duration = Duration::from_millis(60);
const NOW: Patience = Patience {
    greeting: SOON,
    command: SOON,
    data: SOON,
    block: SOON,
    end: SOON,
    doubt: Duration::from_millis(20),
};

/// The destination of [`toml`], whose server is waited for no longer than this.
pub fn patient(port: u16, smtp: &str, patience: Patience) -> Arc<dyn Destination> {
    let text = toml(port, smtp, "timeout = \"1s\"");
    let (settings, problems) = read_toml(&text);
    assert!(problems.is_empty(), "{problems:?}");
    let dict: figment::value::Dict = figment::Figment::from(Toml::string(&text)).extract().unwrap();
    let source = Source {
        folder: PathBuf::from("."),
        file: "".into(),
        environment: Vec::new(),
        problems: Problems::default(),
    };
    let Smtp::Set(server) = Smtp::read(&Table::new("", &dict, &source)) else { panic!("no server") };
    let mut server = Arc::into_inner(server).unwrap();
    server.patience = patience;
    let from = server.from.clone().unwrap();
    let to = ["owner@shop.example", "other@shop.example"].map(|to| to.parse().unwrap()).to_vec();
    let made = super::super::Settings { server: Arc::new(server), from, reply_to: None, to };
    made.make("support", &settings.unwrap().common, RENDERER.clone()).unwrap()
}

fn silent_at(step: &'static str) -> Script {
    Box::leak(Box::new([(step, Do::KeepSilent)]))
}

#[tokio::test]
async fn silence_at_any_step_ends_the_attempt_in_the_time_of_that_step() {
    // F3, S5
    let long = Duration::from_secs(600);
    for (step, own) in [
        ("", Patience { command: long, data: long, block: long, end: long, ..NOW }),
        ("EHLO", Patience { greeting: long, data: long, block: long, end: long, ..NOW }),
        ("AUTH", Patience { greeting: long, data: long, block: long, end: long, ..NOW }),
        ("MAIL", Patience { greeting: long, data: long, block: long, end: long, ..NOW }),
        ("RCPT", Patience { greeting: long, data: long, block: long, end: long, ..NOW }),
        ("DATA", Patience { greeting: long, command: long, block: long, end: long, ..NOW }),
        (".", Patience { greeting: long, command: long, data: long, block: long, ..NOW }),
    ] {
        let fake = Fake::start(silent_at(step));
        let attempt = send(&*patient(fake.port, PLAIN, own), &message()).await;
        assert_eq!(attempt.outcome, retry(Reason::TimedOut, step == "."), "{step}: {}", attempt.detail);
        assert!(attempt.detail.contains("within 60ms"), "{}", attempt.detail);
    }
}

#[tokio::test]
async fn a_server_that_is_slower_than_the_time_out_gets_its_message_once() {
    // F3, S5: `timeout` is one second.
    let late = |step: &'static str| -> Script {
        Box::leak(Box::new([(step, Do::Late(Duration::from_millis(1_200)))]))
    };
    let slow = ["", "EHLO", "AUTH", "RCPT", "DATA", "."].map(|step| async move {
        let fake = Fake::start(late(step));
        let attempt = send(&*patient(fake.port, PLAIN, PATIENCE), &message()).await;
        assert_eq!(attempt.outcome, Outcome::Delivered, "{step}: {}", attempt.detail);
        assert_eq!(fake.mails().len(), 1, "{step}");
    });
    futures::future::join_all(slow).await;
}

#[tokio::test]
async fn waiting_for_a_connection_counts_into_no_time() {
    // H5: forty messages share eight connections, each of which is busy for longer than any step may take in all.
    let fake = Fake::start(Box::leak(Box::new([(".", Do::Late(Duration::from_millis(40)))])));
    let step = Duration::from_millis(150);
    let patience =
        Patience { greeting: step, command: step, data: step, block: step, end: step, doubt: step };
    let destination = patient(fake.port, PLAIN, patience);
    let begun = crate::clock::Stopwatch::start();
    let sends = (0..40).map(|_| {
        let destination = destination.clone();
        async move { send(&*destination, &message()).await.outcome }
    });
    for outcome in futures::future::join_all(sends).await {
        assert_eq!(outcome, Outcome::Delivered);
    }
    assert!(begun.elapsed() > step, "nobody waited");
    assert_eq!(fake.mails().len(), 40);
    assert!(fake.most_at_a_time() <= 8, "{}", fake.most_at_a_time());
}

#[test]
fn the_outbox_knows_the_server_and_how_long_an_attempt_takes() {
    // J4, H5
    let one = plain(2525);
    let slots = one.server().unwrap();
    assert_eq!((slots.key.as_str(), slots.connections), ("smtp:reviews@127.0.0.1:2525", 8));
    assert!(!slots.key.contains(PASSWORD));
    let other_login = make(&toml(2525, PLAIN, "").replace("\"reviews\"", "\"others\""));
    assert_ne!(other_login.server().unwrap().key, slots.key);
    assert_ne!(plain(2526).server().unwrap().key, slots.key);
    assert_eq!(one.longest_attempt(), Some(Duration::from_secs(20) + PATIENCE.longest(8)));
}
