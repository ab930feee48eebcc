//! What e-mail destinations do against a real server on this machine: every reply, lost connections at every
//! step, kept connections, TLS.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod answers;
mod facts;
mod fake;
mod hostile;
mod patience;
mod replies;
mod settings;
mod tls;

use super::*;
use crate::destination::Settings;
use crate::domain::{Outcome, Reason};
use crate::presentation::{sample, samples};
use crate::settings::{Problem, Problems, Source};
use fake::{Do, Fake, Script};
use figment::providers::{Format, Toml};
use std::path::PathBuf;
use std::sync::LazyLock;

static RENDERER: LazyLock<Arc<Renderer>> = LazyLock::new(|| crate::destination::templates(None).unwrap());
const PASSWORD: &str = "hunter2-hunter2";

/// Reads the destination `support` and `[smtp]` from TOML.
fn read_toml(toml: &str) -> (Option<Settings>, Vec<Problem>) {
    let dict: figment::value::Dict = figment::Figment::from(Toml::string(toml)).extract().unwrap();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let source =
        Source { folder, file: "config.toml".into(), environment: Vec::new(), problems: Problems::default() };
    let root = Table::new("", &dict, &source);
    let shared = Shared::read(&root);
    let table = root.table("support").expect("a destination");
    let settings = Settings::read("support", table, &shared);
    (settings, source.problems.into_vec())
}

fn toml(port: u16, smtp: &str, support: &str) -> String {
    format!(
        "[smtp]\nport = {port}\nusername = \"reviews\"\npassword = \"{PASSWORD}\"\nfrom = \"Reviews <reviews@shop.example>\"\n\
         {smtp}\n[support]\ntype = \"email\"\nto = [\"owner@shop.example\", \"other@shop.example\"]\n{support}\n"
    )
}

const PLAIN: &str = "host = \"127.0.0.1\"\ntls = \"none\"";

fn make(toml: &str) -> Arc<dyn Destination> {
    let (settings, problems) = read_toml(toml);
    assert!(problems.is_empty(), "{problems:?}");
    let settings = settings.unwrap();
    assert!(!format!("{settings:?}").contains("hunter2"), "no secret in Debug");
    settings.make.make("support", &settings.common, RENDERER.clone()).unwrap()
}

fn plain(port: u16) -> Arc<dyn Destination> {
    make(&toml(port, PLAIN, ""))
}

fn message() -> Message {
    Message { recipient: "owner@shop.example".into(), ..sample("everything") }
}

async fn send(destination: &dyn Destination, message: &Message) -> Attempt {
    let payload = destination.render(message);
    assert_eq!(payload.fallback, None);
    let attempt = destination.send(message, &payload).await;
    for text in [Some(&attempt.detail), attempt.excerpt.as_ref()].into_iter().flatten() {
        assert!(!text.contains("hunter2") && !text.contains("aHVudGVyMi1"), "{text}");
        assert!(!text.contains(char::is_control) && text.chars().count() <= 600, "{text:?}");
    }
    assert!(attempt.detail.ends_with('.') && attempt.detail.len() > 20, "{}", attempt.detail);
    attempt
}

/// One message to a server with this script.
async fn once(script: Script) -> Attempt {
    let fake = Fake::start(script);
    send(&*plain(fake.port), &message()).await
}

fn retry(reason: Reason, ambiguous: bool) -> Outcome {
    Outcome::Retry { reason, after: None, ambiguous }
}

#[tokio::test]
async fn every_reply_has_its_meaning() {
    use Outcome::{Broken, Dead};
    let broken = |reason| Broken { reason };
    let dead = |reason| Dead { reason };
    let later = || retry(Reason::ServerError, false);
    let deferred = || retry(Reason::Deferred, false);
    let cases: &[(Script, Outcome, u16, &str)] = &[
        (&[("", Do::Say("421 4.3.2 busy"))], later(), 421, "asked to try later"),
        (
            &[("", Do::Say("554 5.7.1 your address is blocked"))],
            broken(Reason::Forbidden),
            554,
            "does not relay this message",
        ),
        (
            &[("AUTH", Do::Say("535 5.7.8 AHJldmlld3MAaHVudGVyMi1odW50ZXIy"))],
            broken(Reason::CredentialsRefused),
            535,
            "`smtp.password`",
        ),
        (
            &[("AUTH", Do::Say("535 5.7.8 hunter2-hunter2"))],
            broken(Reason::CredentialsRefused),
            535,
            "[redacted]",
        ),
        (
            &[("AUTH", Do::Say("534 5.7.9 use an app password"))],
            broken(Reason::CredentialsRefused),
            534,
            "app password",
        ),
        (
            &[("AUTH", Do::Say("538 5.7.11 encryption required"))],
            broken(Reason::CertificateRefused),
            538,
            "`smtp.tls`",
        ),
        (
            &[("AUTH", Do::Say("454 4.7.0 not now"))],
            retry(Reason::LoginDeferred, false),
            454,
            "a minute apart",
        ),
        (
            &[("MAIL", Do::Say("530 5.7.0 log in first"))],
            broken(Reason::CredentialsRefused),
            530,
            "does not accept the login",
        ),
        (
            &[("MAIL", Do::Say("530 5.7.0 Must issue a STARTTLS command first"))],
            broken(Reason::CertificateRefused),
            530,
            "\"starttls\" (port 587)",
        ),
        (
            &[("MAIL", Do::Say("550 5.1.8 bad sender"))],
            broken(Reason::SenderRefused),
            550,
            "`destinations.support.from`",
        ),
        (
            &[("RCPT", Do::Say("554 5.7.1 relay access denied"))],
            broken(Reason::Forbidden),
            554,
            "does not relay this message",
        ),
        (
            &[("RCPT", Do::Say("550 5.7.1 relaying denied"))],
            broken(Reason::Forbidden),
            550,
            "“5.7.1 relaying denied”",
        ),
        (
            &[("RCPT", Do::Say("550-5.1.1 no such user\r\n550 5.1.1 here"))],
            dead(Reason::RecipientUnknown),
            550,
            "owner@shop.example",
        ),
        (
            &[("RCPT", Do::Say("553 5.1.3 bad address"))],
            dead(Reason::RecipientUnknown),
            553,
            "`destinations.support.to`",
        ),
        (&[("RCPT", Do::Say("551 5.1.6 gone"))], dead(Reason::RecipientUnknown), 551, "dead letter"),
        (&[("RCPT", Do::Say("552 5.2.2 mailbox full"))], deferred(), 552, "is full"),
        (&[("RCPT", Do::Say("451 4.7.1 greylisted"))], deferred(), 451, "asked to try later"),
        (&[("RCPT", Do::Say("421 4.3.2 shutting down"))], later(), 421, "asked to try later"),
        (&[("DATA", Do::Say("451 4.3.0 not now"))], deferred(), 451, "asked to try later"),
        (&[(".", Do::Say("552 5.3.4 too big"))], dead(Reason::TooLarge), 552, "too large"),
        (
            &[(".", Do::Say("554 5.6.0 what is this"))],
            dead(Reason::PayloadRefused),
            554,
            "refused the message, perhaps as spam",
        ),
        (&[(".", Do::Say("554 5.7.1 spam"))], dead(Reason::PayloadRefused), 554, "perhaps as spam"),
        (&[(".", Do::Say("550 5.7.26 SPF did not pass"))], broken(Reason::Forbidden), 550, "SPF"),
        (&[(".", Do::Say("452 4.3.1 disk full"))], deferred(), 452, "asked to try later"),
    ];
    for (script, outcome, status, part) in cases {
        let attempt = once(script).await;
        assert_eq!(&attempt.outcome, outcome, "{}", attempt.detail);
        assert_eq!(attempt.status, Some(*status), "{}", attempt.detail);
        assert!(attempt.detail.contains(part), "{part}: {}", attempt.detail);
        assert!(attempt.excerpt.is_some(), "{}", attempt.detail);
    }
    let attempt = once(&[]).await;
    assert_eq!((attempt.outcome, attempt.status), (Outcome::Delivered, Some(250)));
    assert_eq!(attempt.excerpt.as_deref(), Some("2.0.0 queued as 42"));
}

#[tokio::test]
async fn a_connection_lost_matters_only_once_the_message_was_on_its_way() {
    let at = |step: &'static str| -> Script { Box::leak(Box::new([(step, Do::HangUp)])) };
    for step in ["", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "."] {
        let attempt = once(at(step)).await;
        assert_eq!(attempt.outcome, retry(Reason::ConnectionLost, step == "."), "{step}: {}", attempt.detail);
        assert_eq!(attempt.detail.contains("may have arrived"), step == ".", "{}", attempt.detail);
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let attempt = send(&*plain(port), &message()).await;
    assert_eq!(attempt.outcome, retry(Reason::Unreachable, false));
    assert!(
        attempt.detail.contains("refused") && attempt.detail.contains("`smtp.port`"),
        "{}",
        attempt.detail
    );
    assert!(plain(port).reach().await.unwrap_err().contains("connection refused"));
}

#[tokio::test]
async fn what_is_no_mail_server_is_said_to_be_none() {
    for script in [
        &[("", Do::Say("HTTP/1.1 400 Bad Request\r\n\r\n"))] as Script,
        &[("EHLO", Do::Say("\u{15}\u{3}\u{1}"))],
    ] {
        let attempt = once(script).await;
        assert_eq!(
            attempt.outcome,
            Outcome::Broken { reason: Reason::UnexpectedAnswer },
            "{}",
            attempt.detail
        );
        assert!(attempt.detail.contains("`smtp.host`, `smtp.port` and `smtp.tls`"), "{}", attempt.detail);
    }
    let attempt = once(&[("EHLO", Do::Say("250 fake"))]).await;
    assert_eq!(attempt.outcome, Outcome::Broken { reason: Reason::CredentialsRefused });
    assert!(attempt.detail.contains("`smtp.username`"), "{}", attempt.detail);
    let attempt = once(&[(".", Do::Say("what?"))]).await;
    assert_eq!(attempt.outcome, retry(Reason::ServerError, true));
}

#[tokio::test]
async fn connections_are_kept_and_a_refusal_ends_none() {
    let fake = Fake::start(&[("RCPT", Do::SayOnce("550 5.1.1 unknown"))]);
    let destination = plain(fake.port);
    let outcome = send(&*destination, &message()).await.outcome;
    assert_eq!(outcome, Outcome::Dead { reason: Reason::RecipientUnknown });
    for _ in 0..3 {
        assert_eq!(send(&*destination, &message()).await.outcome, Outcome::Delivered);
    }
    assert_eq!(fake.connections(), 1);
    let commands = fake.commands();
    assert_eq!(commands.iter().filter(|command| command.starts_with("AUTH")).count(), 1);
    assert!(commands.contains(&"RSET".to_owned()), "{commands:?}");
    assert!(commands[0].starts_with("EHLO [127.0.0.1]"), "{commands:?}");
}

#[tokio::test]
async fn a_kept_connection_that_has_died_costs_nothing() {
    // The server closes after the first message, or says so when the second begins.
    for script in
        [&[("MAIL", Do::SayOnce("421 4.4.2 too long idle"))] as Script, &[(".", Do::SayOnce("421 2.0.0 x"))]]
    {
        let fake = Fake::start(script);
        let destination = plain(fake.port);
        let mut outcomes = Vec::new();
        for _ in 0..3 {
            outcomes.push(send(&*destination, &message()).await.outcome);
        }
        assert_eq!(outcomes[1..], [Outcome::Delivered, Outcome::Delivered]);
        assert_eq!(fake.connections(), 2);
    }
}

#[tokio::test]
async fn there_are_never_more_than_eight_connections() {
    let fake = Fake::start(&[]);
    let destination = plain(fake.port);
    let mut all = crate::task::Group::default();
    for _ in 0..40 {
        let destination = destination.clone();
        all.start(async move { send(&*destination, &message()).await.outcome });
    }
    while let Some(outcome) = all.next().await {
        assert_eq!(outcome.unwrap(), Outcome::Delivered);
    }
    assert!(fake.most_at_a_time() <= 8, "{}", fake.most_at_a_time());
    assert_eq!(fake.mails().len(), 40);
}

/// A header of a message, unfolded.
fn header(mail: &str, name: &str) -> Option<String> {
    let head = mail.split("\r\n\r\n").next()?.replace("\r\n ", " ");
    head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned))
}

#[tokio::test]
async fn every_sample_is_a_message_with_the_headers_of_a_notification() {
    let fake = Fake::start(&[]);
    let destination = make(&toml(fake.port, PLAIN, "reply_to = \"team@shop.example\""));
    assert_eq!(destination.address(), format!("127.0.0.1:{}", fake.port));
    for (name, message) in samples() {
        let message = Message { recipient: "owner@shop.example".into(), ..message };
        assert_eq!(send(&*destination, &message).await.outcome, Outcome::Delivered, "{name}");
        let mail = fake.mails().pop().unwrap();
        let is = |header_name: &str, expected: &str| {
            assert_eq!(header(&mail, header_name).as_deref(), Some(expected), "{name} {mail}");
        };
        is("From", "Reviews <reviews@shop.example>");
        is("Reply-To", "team@shop.example");
        is("To", "owner@shop.example");
        is("Message-ID", "<msg_sample@shop.example>");
        is("Date", "Sat, 14 Mar 2026 20:05:00 +0000");
        is("Auto-Submitted", "auto-generated");
        is("X-Auto-Response-Suppress", "All");
        let many = name.ends_with("digest") || name.ends_with("summary");
        assert_eq!(header(&mail, "Precedence").is_some_and(|value| value == "bulk"), many, "{name}");
        assert_eq!(header(&mail, "List-Id").is_some_and(|id| id == "<support.reviews.shop.example>"), many);
        assert_eq!(header(&mail, "X-Review-Bridge-Repeat").is_some(), message.possible_repeat, "{name}");
        let head = mail.split("\r\n\r\n").next().unwrap();
        assert!(head.is_ascii() && !head.contains("Bcc"), "{head}");
        assert!(mail.lines().all(|line| line.len() <= 998), "{name}");
    }
    let commands = fake.commands();
    let from = "MAIL FROM:<reviews@shop.example> SIZE=";
    assert!(commands.iter().any(|command| command.starts_with(from)), "{commands:?}");
    assert!(commands.contains(&"RCPT TO:<owner@shop.example>".to_owned()), "{commands:?}");
}

#[test]
fn edits_are_shown_below_the_review_they_are_of() {
    let destination = plain(1);
    let mail =
        |name: &str, to: &str| destination.render(&Message { recipient: to.into(), ..sample(name) }).body;
    let (owner, other) = ("owner@shop.example", "other@shop.example");
    let root = header(&mail("everything", owner), "References").unwrap();
    assert!(root.starts_with("<review.") && root.ends_with("@shop.example>"), "{root}");
    assert_eq!(header(&mail("everything", owner), "In-Reply-To"), None);
    let edit = mail("edited rating", owner);
    assert_eq!(header(&edit, "References").unwrap(), root);
    assert_eq!(header(&edit, "In-Reply-To").unwrap(), root);
    assert_ne!(header(&mail("edited rating", other), "References").unwrap(), root);
    assert_ne!(header(&mail("bare", owner), "References").unwrap(), root);
    assert_eq!(header(&mail("problem", owner), "References"), None);
    assert_eq!(mail("everything", owner), mail("everything", owner), "the same bytes for the same attempt");
}

#[tokio::test]
async fn an_address_beyond_ascii_needs_a_server_that_takes_it() {
    let message = Message { recipient: "jürgen@bücher.example".into(), ..message() };
    let fake = Fake::start(&[]);
    let attempt = send(&*plain(fake.port), &message).await;
    assert_eq!(attempt.outcome, Outcome::Dead { reason: Reason::RecipientUnknown });
    assert!(attempt.detail.contains("jürgen@xn--bcher-kva.example"), "{}", attempt.detail);
    let fake =
        Fake::start(&[("EHLO", Do::Say("250-fake\r\n250-AUTH LOGIN\r\n250-8BITMIME\r\n250 SMTPUTF8"))]);
    let destination = make(
        &toml(fake.port, PLAIN, "")
            .replace("username = \"reviews\"\n", "")
            .replace(&format!("password = \"{PASSWORD}\"\n"), ""),
    );
    let attempt = send(&*destination, &message).await;
    assert_eq!(attempt.outcome, Outcome::Delivered, "{}", attempt.detail);
    assert!(fake.commands().iter().any(|command| command.contains("SMTPUTF8")), "{:?}", fake.commands());
    let nobody = Message { recipient: "no address".into(), ..message.clone() };
    let attempt = send(&*destination, &nobody).await;
    assert_eq!(attempt.outcome, Outcome::Dead { reason: Reason::RecipientUnknown });
}
