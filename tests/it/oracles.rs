//! Other people's programs read what the bridge writes: a mail server and Python's mail parser, the schema of
//! Adaptive Cards, Slack's SDK, the library of Standard Webhooks.

use review_bridge::clock::Clock;
use review_bridge::destination::email::Mail;
use review_bridge::destination::{Destination, slack, teams, templates};
use review_bridge::domain::{Content, Form, Message, Outcome, Reason};
use review_bridge::presentation::{HOSTILE, Own, View, hostile_messages, sample, samples};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, LazyLock};

/// The interpreter of the oracles' venv, which is made where it is not there yet, so that `cargo test` alone is
/// enough. `REVIEW_BRIDGE_ORACLES` names another.
fn python() -> &'static Path {
    static PYTHON: LazyLock<PathBuf> = LazyLock::new(|| {
        if let Some(named) = std::env::var_os("REVIEW_BRIDGE_ORACLES") {
            return PathBuf::from(named);
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let (venv, requirements) = (root.join("target/oracles"), root.join("tests/oracles/requirements.txt"));
        let python = venv.join("bin/python");
        // Quick where everything is there already.
        let ready =
            ["aiosmtpd", "slack_sdk", "standardwebhooks", "jsonschema"].map(|name| format!("import {name}"));
        let check = |python: &Path| {
            Command::new(python).args(["-c", &ready.join("; ")]).stderr(Stdio::null()).status()
        };
        if check(&python).is_ok_and(|status| status.success()) {
            return python;
        }
        let made = Command::new("python3").args(["-m", "venv"]).arg(&venv).status();
        assert!(
            made.is_ok_and(|status| status.success()),
            "install python3 with venv (Debian: python3-venv)"
        );
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "-r"];
        let installed = Command::new(&python).args(pip).arg(&requirements).status();
        assert!(
            installed.is_ok_and(|status| status.success()),
            "cannot install tests/oracles/requirements.txt"
        );
        python
    });
    &PYTHON
}

fn start(script: &str) -> Child {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles").join(script);
    let (stdin, stdout) = (Stdio::piped(), Stdio::piped());
    Command::new(python()).arg(file).stdin(stdin).stdout(stdout).spawn().unwrap()
}

/// What a script says of `input`, which must be that it checked `count` and found nothing.
fn assert_fine(script: &str, input: &Value, count: usize) {
    let mut child = start(script);
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "{script} failed: {said}");
    assert_eq!(said.trim_end(), format!("checked {count}"));
}

pub fn view() -> View {
    let zone = jiff::tz::TimeZone::get("Europe/Amsterdam").unwrap();
    View {
        destination: "support".into(),
        zone,
        show_email: true,
        mention: slack::parse_mention("<!here>"),
        template: None,
        own: Own::default(),
    }
}

/// Every sample and every hostile message in both forms, and hostile texts of every length in the fields of a review.
pub fn messages() -> Vec<(String, Message)> {
    let mut messages: Vec<(String, Message)> = samples()
        .into_iter()
        .chain(hostile_messages())
        .map(|(name, message)| (name.to_owned(), message))
        .collect();
    let long =
        ["😀".repeat(5_000), "é\n".repeat(5_000), "\"\\{{<&>}}\n".repeat(2_000), "\u{301}".repeat(9_000)];
    for text in HOSTILE.iter().map(|text| (*text).to_owned()).chain(long) {
        let mut message = sample("everything");
        if let Content::Review { subject, .. } = &mut message.content {
            (subject.review.title, subject.review.text) = (Some(text.clone()), Some(text.clone()));
            subject.review.author = Some(text.clone());
        }
        messages.push((text.chars().take(20).collect(), message));
    }
    let plain: Vec<_> = messages
        .iter()
        .map(|(name, message)| (format!("{name}, plain"), Message { form: Form::Plain, ..message.clone() }))
        .collect();
    messages.extend(plain);
    messages
}

#[test]
fn teams_cards_are_valid_by_the_schema() {
    let (renderer, view) = (templates(None).unwrap(), view());
    let cases: Vec<Value> = messages()
        .iter()
        .map(|(name, message)| json!({"name": name, "payload": renderer.payload(&teams::FORMAT, message, &view).payload}))
        .collect();
    let count = cases.len();
    assert_fine("teams.py", &cases.into(), count);
}

#[test]
fn slack_messages_are_valid_by_its_sdk() {
    let (renderer, view) = (templates(None).unwrap(), view());
    let cases: Vec<Value> = messages()
        .iter()
        .map(|(name, message)| json!({"name": name, "payload": renderer.payload(&slack::FORMAT, message, &view).payload}))
        .collect();
    let count = cases.len();
    assert_fine("slack.py", &cases.into(), count);
}

/// The destination `support` of a configuration.
fn destination(folder: &Path, toml: &str) -> Arc<dyn Destination> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let file = folder.join("config.toml");
    let rules = "[[rules]]\nname = \"all\"\nto = [\"support\"]\n";
    std::fs::write(&file, format!("{toml}\n[accounts.main]\ntoken = \"t\"\n{rules}")).unwrap();
    let none: [(String, String); 0] = [];
    let loaded = review_bridge::config::load(Some(&file), none, folder).unwrap();
    let settings = &loaded.settings.destinations["support"];
    settings.make.make("support", &settings.common, templates(None).unwrap()).unwrap()
}

#[tokio::test]
async fn signatures_are_those_of_standard_webhooks() {
    let secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, requests) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = sender.send(request(&mut stream));
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let toml = format!(
        "[destinations.support]\ntype = \"webhook\"\nurl = \"http://127.0.0.1:{port}/\"\nsecret = \"{secret}\""
    );
    let destination = destination(folder.path(), &toml);
    let mut cases = Vec::new();
    for (name, message) in messages() {
        // The library refuses what is older than five minutes.
        let message = Message { now: Clock::System.now(), ..message };
        let payload = destination.render(&message);
        assert_eq!(destination.send(&message, &payload).await.outcome, Outcome::Delivered);
        let (headers, body) = requests.recv().unwrap();
        cases.push(json!({"name": name, "headers": headers, "body": body}));
    }
    let count = cases.len();
    assert_fine("webhook.py", &json!({"secret": secret, "cases": cases}), count);
}

/// The headers and the body of one request, which is answered and closed.
fn request(stream: &mut std::net::TcpStream) -> (Value, String) {
    let mut reader = BufReader::new(&mut *stream);
    let (mut headers, mut line) = (serde_json::Map::new(), String::new());
    while reader.read_line(&mut line).unwrap() > 2 {
        if let Some((name, value)) = line.trim_end().split_once(": ") {
            headers.insert(name.to_lowercase(), value.into());
        }
        line.clear();
    }
    let length = headers["content-length"].as_str().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    stream.write_all(b"HTTP/1.1 204 x\r\nconnection: close\r\n\r\n").unwrap();
    (headers.into(), String::from_utf8(body).unwrap())
}

/// A mail server in Python. It ends when this is dropped, or its input does.
struct MailServer {
    port: u64,
    lines: BufReader<ChildStdout>,
    child: Child,
    _stdin: ChildStdin,
}

impl MailServer {
    fn start(mode: &str, folder: &Path) -> Self {
        authority(folder);
        let mut child = start("smtp.py");
        let (mut stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let settings = json!({
            "mode": mode,
            "certificate": folder.join("server.pem"),
            "key": folder.join("server.key"),
            "username": "reviews",
            "password": "pa55 \u{e9}\"word",
        });
        writeln!(stdin, "{settings}").unwrap();
        let mut server = Self { port: 0, lines: BufReader::new(stdout), child, _stdin: stdin };
        server.port = server.next()["port"].as_u64().unwrap();
        server
    }

    /// What it says next.
    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("the mail server failed: {line}"))
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        // A test that failed leaves it writing, and it would not notice the end of its input.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A certificate authority and a certificate of it for `localhost`, made anew.
fn authority(folder: &Path) {
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let root = authority.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let server = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let server = server.signed_by(&key, &issuer).unwrap();
    std::fs::write(folder.join("ca.pem"), root.pem()).unwrap();
    std::fs::write(folder.join("server.pem"), server.pem()).unwrap();
    std::fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
}

fn smtp(mode: &str, port: u64, more: &str) -> String {
    format!(
        "[smtp]\nhost = \"localhost\"\nport = {port}\ntls = \"{mode}\"\nusername = \"reviews\"\n\
         password = 'pa55 é\"word'\nfrom = \"Reviews of “Shop, NL” <reviews@shop.example>\"\n{more}\n\
         [destinations.support]\ntype = \"email\"\nto = [\"owner@shop.example\", \"jürgen@bücher.example\"]\nshow_email = true\n"
    )
}

#[tokio::test]
async fn mails_arrive_encrypted_and_read_as_they_were_written() {
    for mode in ["starttls", "implicit"] {
        let folder = tempfile::tempdir().unwrap();
        let mut server = MailServer::start(mode, folder.path());
        let destination = destination(folder.path(), &smtp(mode, server.port, "ca_file = \"ca.pem\""));
        let (renderer, zone) = (templates(None).unwrap(), jiff::tz::TimeZone::UTC);
        let view = View {
            destination: "support".into(),
            zone,
            show_email: true,
            mention: None,
            template: None,
            own: Own::default(),
        };
        for (index, (name, message)) in messages().into_iter().enumerate() {
            let recipient = destination.recipients()[index % 2].clone();
            let message = Message { recipient: recipient.clone(), ..message };
            let payload = destination.render(&message);
            let mail = Mail::of(&renderer, &message, &view);
            let attempt = destination.send(&message, &payload).await;
            assert_eq!(attempt.outcome, Outcome::Delivered, "{name}: {}", attempt.detail);
            let read = server.next();
            assert_eq!(read["to"], json!([recipient]));
            assert_eq!((&read["encrypted"], &read["authenticated"]), (&json!(true), &json!(true)));
            assert_eq!(read["from"], "reviews@shop.example");
            assert_eq!(read["sender"], json!(["Reviews of “Shop, NL”"]));
            assert_eq!(read["date"], json!(message.now.as_millis() as f64 / 1_000.0));
            assert_eq!(read["defects"], json!([]), "{name}");
            let lines = |text: &str| text.replace("\r\n", "\n").trim_end().to_owned();
            let part = |kind: &str| read[kind].as_str().map(lines);
            assert_eq!(part("text"), Some(lines(&mail.text)), "{name}");
            assert_eq!(part("html"), mail.html.as_deref().map(lines), "{name}");
            let header = |name: &str| {
                let headers = read["headers"].as_array().unwrap().iter();
                let found: Vec<_> = headers.filter(|header| header[0] == name).collect();
                assert!(found.len() <= 1, "{name} is there twice");
                found.first().map(|header| header[1].as_str().unwrap().to_owned())
            };
            assert_eq!(header("Subject"), Some(mail.subject), "{name}");
            assert_eq!(header("Message-ID").as_deref(), Some("<msg_sample@shop.example>"));
            assert_eq!(header("MIME-Version").as_deref(), Some("1.0"));
            let known = [
                "From",
                "To",
                "Subject",
                "Date",
                "Message-ID",
                "Auto-Submitted",
                "X-Auto-Response-Suppress",
                "References",
                "In-Reply-To",
                "Precedence",
                "List-Id",
                "X-Review-Bridge-Repeat",
                "MIME-Version",
                "Content-Type",
                "Content-Transfer-Encoding",
            ];
            for header in read["headers"].as_array().unwrap() {
                assert!(known.contains(&header[0].as_str().unwrap()), "{name}: {header}");
            }
        }
        let nobody = Message { recipient: "nobody@shop.example".into(), ..sample("everything") };
        let attempt = destination.send(&nobody, &destination.render(&nobody)).await;
        assert_eq!(attempt.outcome, Outcome::Dead { reason: Reason::RecipientUnknown });
    }
}

#[tokio::test]
async fn a_wrong_password_or_authority_is_told_apart() {
    for mode in ["starttls", "implicit"] {
        let folder = tempfile::tempdir().unwrap();
        let server = MailServer::start(mode, folder.path());
        for (from, to, reason) in [
            ("pa55", "other", Reason::CredentialsRefused),
            ("ca_file = \"ca.pem\"", "", Reason::CertificateRefused),
        ] {
            let toml = smtp(mode, server.port, "ca_file = \"ca.pem\"").replace(from, to);
            let destination = destination(folder.path(), &toml);
            let message = sample("everything");
            let attempt = destination.send(&message, &destination.render(&message)).await;
            assert_eq!(attempt.outcome, Outcome::Broken { reason }, "{}", attempt.detail);
        }
    }
}
