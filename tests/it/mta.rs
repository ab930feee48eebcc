//! Mail through a mail server that is not ours: OpenSMTPD as Debian has it, on a free port of this machine,
//! delivering to Maildirs in a temporary folder. What is looked at is what a reader would open.

use crate::harness::component;
use crate::harness::process::until;
use crate::harness::*;
use review_bridge::clock::Clock;
use review_bridge::sandbox::{Mail, Mailbox, serve_mailbox};
use std::collections::BTreeSet;
use std::fs::{File, Permissions};
use std::future::pending;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const PATIENCE: Duration = Duration::from_secs(20);
/// Debian's `nobody`, who may write nowhere else.
const NOBODY: u32 = 65_534;

/// What a mail server, a header or a mail program could take for something else.
const HOSTILE: &str = "Café crème 😡 质量 שלום\n.\nQUIT\n..two dots\nFrom here on\nBcc: all@evil.example\n\
    <script>alert(1)</script> =?utf-8?q?no?= a=3Db";

/// A running server; stopped when dropped.
struct Mta {
    folder: tempfile::TempDir,
    port: u16,
    child: Child,
    /// OpenSMTPD has one queue and one control socket a machine: tests take turns.
    _turn: File,
}

impl Mta {
    /// `None` where a person's machine has no OpenSMTPD, or the tests run without root, which it needs; in CI
    /// that is a failure.
    async fn start() -> Option<Self> {
        if !component::MAIL_SERVER.is_here() {
            return None;
        }
        let program = component::mail_server()?;
        let turn = std::env::temp_dir().join("review-bridge-opensmtpd.lock");
        let turn = File::options().create(true).append(true).open(turn).unwrap();
        turn.lock().unwrap();
        let folder = tempfile::tempdir().unwrap();
        // Whom mail is delivered as has to get to the Maildirs.
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = write_config(folder.path(), port);
        let log = File::create(folder.path().join("log")).unwrap();
        let child = Command::new(program)
            .args(["-d", "-f"])
            .arg(config)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap();
        let mut mta = Self { folder, port, child, _turn: turn };
        until("OpenSMTPD listens", PATIENCE, || {
            let ended = mta.child.try_wait().unwrap();
            assert!(ended.is_none(), "OpenSMTPD ended: {}", mta.log());
            std::net::TcpStream::connect(("127.0.0.1", mta.port)).is_ok()
        })
        .await;
        Some(mta)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// The files in the Maildir of a user.
    fn files(&self, user: &str) -> Vec<PathBuf> {
        let folder = self.folder.path().join("mail").join(user).join("new");
        std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
    }

    /// Waits for exactly so many mails to all users together.
    async fn mails(&self, count: usize) -> Vec<Opened> {
        let files = || [self.files("owner"), self.files("other")].concat();
        until("the mails are delivered", PATIENCE, || files().len() >= count).await;
        let mut opened = Vec::new();
        for file in files() {
            let user = file.ancestors().nth(2).unwrap().file_name().unwrap().to_str().unwrap().to_owned();
            opened.push(Opened { user, mail: open(&file).await });
        }
        assert_eq!(opened.len(), count, "{}", self.log());
        opened
    }
}

impl Drop for Mta {
    fn drop(&mut self) {
        // The whole group: the server is seven processes.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-TERM", "--", &group]).status();
        let _ = self.child.wait();
    }
}

fn write_config(folder: &Path, port: u16) -> PathBuf {
    let mail = folder.join("mail");
    std::fs::create_dir(&mail).unwrap();
    chown(&mail, Some(NOBODY), Some(NOBODY)).unwrap();
    let (users, mail) = (folder.join("users"), mail.display());
    let lines = ["owner", "other"].map(|user| format!("{user}:{NOBODY}:{NOBODY}:{mail}\n"));
    std::fs::write(&users, lines.concat()).unwrap();
    let text = format!(
        "table users file:{}\nlisten on 127.0.0.1 port {port} hostname mail.shop.example\n\
         action \"keep\" maildir \"{mail}/%{{user.username}}\" userbase <users>\n\
         match from any for domain \"shop.example\" action \"keep\"\n",
        users.display()
    );
    let path = folder.join("smtpd.conf");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path
}

/// A delivered mail and whose it is.
struct Opened {
    user: String,
    mail: Mail,
}

impl Opened {
    fn header(&self, name: &str) -> &str {
        self.mail.parsed.header(name).unwrap_or_default()
    }

    /// How often a header is there.
    fn count(&self, name: &str) -> usize {
        self.mail.parsed.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).count()
    }

    fn text(&self) -> &str {
        self.mail.parsed.text.as_deref().unwrap()
    }

    fn html(&self) -> &str {
        self.mail.parsed.html.as_deref().unwrap()
    }

    /// What holds for every mail of the bridge.
    fn assert_usual(&self) {
        let to = format!("{}@shop.example", self.user);
        assert_eq!((self.header("To"), self.header("Delivered-To")), (to.as_str(), to.as_str()));
        assert_eq!(self.header("From"), "Reviews <reviews@shop.example>");
        assert_eq!(self.header("Return-Path"), "<reviews@shop.example>");
        assert_eq!(self.header("Auto-Submitted"), "auto-generated");
        assert!(self.header("Content-Type").starts_with("multipart/alternative"));
        for once in ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version"] {
            assert_eq!(self.count(once), 1, "{once}");
        }
        assert_eq!(self.count("Bcc"), 0);
        let long = self.mail.raw.split(|byte| *byte == b'\n').map(<[u8]>::len).max();
        assert!(long <= Some(999), "a line of {long:?} bytes");
    }

    /// That the hostile text came through, as text in both parts.
    fn assert_hostile_text(&self) {
        // Zero-width spaces keep mail programs from making links of what a customer wrote.
        let text = self.text().replace('\u{200B}', "");
        for words in ["Café crème 😡 质量 שלום", "Bcc: all@evil.example", "=?utf-8?q?no?="] {
            assert!(text.contains(words), "{words}: {text}");
            assert!(self.html().contains("Café crème 😡 质量 שלום"), "{}", self.html());
        }
        assert!(!self.html().contains("<script>"), "{}", self.html());
    }
}

/// Reads a file as a mail program would: with the sandbox's mailbox, which takes mail by SMTP.
async fn open(file: &Path) -> Mail {
    let mailbox = Mailbox::new(Clock::manual(NOW));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(serve_mailbox(listener, mailbox.clone(), pending()));
    let mut stream = BufReader::new(TcpStream::connect(address).await.unwrap());
    let raw = std::fs::read_to_string(file).unwrap().replace('\n', "\r\n").replace("\r\n.", "\r\n..");
    let content = format!("{}\r\n.", raw.trim_end());
    let talk = ["HELO test", "MAIL FROM:<>", "RCPT TO:<a@b.example>", "DATA", content.as_str(), "QUIT"];
    for line in talk {
        // The answer to the line before; the answer to `HELO` is of one line.
        stream.read_line(&mut String::new()).await.unwrap();
        stream.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
    }
    stream.read_to_end(&mut Vec::new()).await.unwrap();
    server.abort();
    mailbox.received().pop().unwrap()
}

/// A way to `port` that breaks once, just when the server says that it has taken a message.
async fn breaking_once(port: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let way = listener.local_addr().unwrap().port();
    let broke = Arc::new(AtomicBool::new(false));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass(client, port, broke.clone()));
        }
    });
    way
}

async fn pass(mut client: TcpStream, port: u16, broke: Arc<AtomicBool>) {
    let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut from_client, mut to_client) = client.split();
    let (from_server, mut to_server) = server.split();
    let there = tokio::io::copy(&mut from_client, &mut to_server);
    let back = async {
        let mut lines = BufReader::new(from_server);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
            let taken = String::from_utf8_lossy(&line).contains("Message accepted for delivery");
            if taken && !broke.swap(true, Ordering::SeqCst) || to_client.write_all(&line).await.is_err() {
                return;
            }
            line.clear();
        }
    };
    tokio::select! {
        _ = there => {}
        () = back => {}
    }
}

async fn bench(port: u16, destination: &str) -> Bench {
    let mut bench = Bench::new().await;
    bench.rest = format!(
        "[smtp]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n\
         from = \"Reviews <reviews@shop.example>\"\n[destinations.shop]\ntype = \"email\"\n\
         rate_limit = \"10000/s\"\n{destination}\n[[rules]]\nname = \"all\"\nto = [\"shop\"]\n"
    );
    bench
}

#[tokio::test]
async fn an_alert_arrives_whole_once_for_each_recipient_and_a_repeat_says_so() {
    let Some(mta) = Mta::start().await else { return };
    let to = "to = [\"owner@shop.example\", \"other@shop.example\"]";
    let bench = bench(breaking_once(mta.port).await, to).await;
    bench.review("a", GOOGLE_NL, 1.0, HOSTILE);
    bench.settle().await;
    // One of the two was taken without the bridge hearing of it, and so came twice.
    let mails = mta.mails(3).await;
    for mail in &mails {
        mail.assert_usual();
        mail.assert_hostile_text();
        assert!(mail.header("Subject").contains("Café crème 😡"), "{}", mail.header("Subject"));
    }
    let (repeats, firsts): (Vec<_>, Vec<_>) =
        mails.iter().partition(|mail| mail.header("X-Review-Bridge-Repeat") == "possible");
    assert_eq!((repeats.len(), firsts.len()), (1, 2));
    let ids: BTreeSet<_> = firsts.iter().map(|mail| mail.header("Message-ID")).collect();
    let users: BTreeSet<_> = firsts.iter().map(|mail| mail.user.as_str()).collect();
    assert_eq!((ids.len(), users.len()), (2, 2), "one each, of its own identity");
    let first = firsts.iter().find(|mail| mail.user == repeats[0].user).unwrap();
    assert_eq!(first.header("Message-ID"), repeats[0].header("Message-ID"));
    assert!(first.header("Message-ID").ends_with("@shop.example>"));
    assert_eq!(bench.marked(), ["a"]);
}

#[tokio::test]
async fn a_digest_arrives_whole() {
    let Some(mta) = Mta::start().await else { return };
    let digest = "to = [\"owner@shop.example\"]\n\
        digest = { schedule = \"0 8 * * *\", timezone = \"Europe/Amsterdam\" }";
    let bench = bench(mta.port, digest).await;
    bench.review("a", GOOGLE_NL, 1.0, HOSTILE);
    bench.review("b", GOOGLE_DE, 5.0, "Schöne Grüße");
    bench.once().await;
    bench.clock.advance(Duration::from_secs(19 * 3600));
    bench.once().await;
    let mails = mta.mails(1).await;
    mails[0].assert_usual();
    mails[0].assert_hostile_text();
    assert!(mails[0].header("Subject").contains("2 new reviews"), "{}", mails[0].header("Subject"));
    assert!(mails[0].text().contains("Schöne Grüße") && mails[0].html().contains("Schöne Grüße"));
    assert_eq!((mails[0].header("Precedence"), mails[0].count("List-Id")), ("bulk", 1));
    assert_eq!(bench.marked().len(), 2);
}
