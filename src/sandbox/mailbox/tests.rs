//! The mailbox over real sockets.
#![allow(clippy::unwrap_used)]

use super::*;
use std::future::pending;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

struct Client {
    stream: BufReader<TcpStream>,
    _server: Group<()>,
}

impl Client {
    async fn of(mailbox: &Arc<Mailbox>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut server = Group::default();
        server.start(serve_mailbox(listener, mailbox.clone(), pending()));
        let stream = BufReader::new(TcpStream::connect(address).await.unwrap());
        Self { stream, _server: server }
    }

    /// The code of the next reply; 0 where the connection is closed.
    async fn reply(&mut self) -> u16 {
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return 0;
            }
            if line.as_bytes().get(3) == Some(&b' ') {
                return line[..3].parse().unwrap();
            }
        }
    }

    async fn say(&mut self, text: &str) -> u16 {
        // The other side may have closed: the reply tells.
        let _ = self.stream.write_all(format!("{text}\r\n").as_bytes()).await;
        self.reply().await
    }

    async fn send(&mut self, message: &str) -> u16 {
        for (command, code) in
            [("MAIL FROM:<a@shop.example> SIZE=10", 250), ("RCPT TO:<b@shop.example>", 250), ("DATA", 354)]
        {
            assert_eq!(self.say(command).await, code, "{command}");
        }
        self.say(message).await
    }
}

fn mailbox() -> Arc<Mailbox> {
    Mailbox::new(Clock::manual(Timestamp(1_000)))
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_sent() {
    let mailbox = mailbox();
    let mut client = Client::of(&mailbox).await;
    assert_eq!(client.reply().await, 220);
    assert_eq!(client.say("EHLO client").await, 250);
    assert_eq!(client.say("AUTH PLAIN AGEAYg==").await, 235);
    // The dots of the transfer are taken away, and a lone one after a bare LF ends nothing.
    assert_eq!(client.send("Subject: hi\r\n\r\n..one\r\ntwo\n.\nthree\r\n.").await, 250);
    assert_eq!(client.say("QUIT").await, 221);
    let mails = mailbox.received();
    assert_eq!(mails.len(), 1);
    assert_eq!((&*mails[0].sender, &*mails[0].recipients[0]), ("a@shop.example", "b@shop.example"));
    assert_eq!(mails[0].parsed.header("Subject"), Some("hi"));
    assert_eq!(mails[0].raw, b"Subject: hi\r\n\r\n.one\r\ntwo\n.\nthree\r\n");
    assert!(mailbox.received_from(1).is_empty());
}

#[tokio::test]
async fn replies_come_as_they_were_asked_for_and_what_is_refused_is_not_kept() {
    let mailbox = mailbox();
    mailbox.reply(Stage::Recipient, Reply::Line("550 5.1.1 Unknown".into()));
    mailbox.reply(Stage::Message, Reply::Line("451 4.3.0 Later".into()));
    mailbox.reply(Stage::Message, Reply::CloseAfterKeeping);
    let mut client = Client::of(&mailbox).await;
    client.reply().await;
    client.say("EHLO client").await;
    assert_eq!(client.say("MAIL FROM:<>").await, 250);
    assert_eq!(client.say("RCPT TO:<b@shop.example>").await, 550);
    assert_eq!(client.say("RSET").await, 250);
    assert_eq!(client.send("x\r\n.").await, 451);
    assert!(mailbox.received().is_empty());
    assert_eq!(client.send("y\r\n.").await, 0);
    assert_eq!(mailbox.received().len(), 1);
}

#[tokio::test]
async fn odd_replies_are_as_configured_and_their_mails_are_kept() {
    let mailbox = mailbox();
    mailbox.reply(Stage::Greeting, Reply::Bytes(b"220 h\xe9\r\n220 x\r\n".to_vec()));
    mailbox.reply(Stage::Message, Reply::Bytes(b"250 accept\r\n".to_vec()));
    mailbox.reply(Stage::Message, Reply::Late(Duration::ZERO));
    mailbox.reply(Stage::Message, Reply::Silence);
    let mut client = Client::of(&mailbox).await;
    let mut first = Vec::new();
    client.stream.read_until(b'\n', &mut first).await.unwrap();
    assert_eq!(first, b"220 h\xe9\r\n");
    assert_eq!(client.reply().await, 220);
    client.say("EHLO client").await;
    assert_eq!(client.say("MAIL FROM:<\"a > b\\\"\"@shop.example> SIZE=1").await, 250);
    client.say("RSET").await;
    assert_eq!((client.send("x\r\n.").await, client.send("y\r\n.").await), (250, 250));
    assert_eq!(mailbox.received().len(), 2);
    let mut client = Client::of(&mailbox).await;
    client.reply().await;
    client.say("EHLO client").await;
    let silent = tokio::time::timeout(Duration::from_millis(50), client.send("z\r\n.")).await;
    assert!(silent.is_err() && mailbox.received().len() == 2);
    assert_eq!(super::session::path("TO:<\"a > b\"@x> y", "TO:").as_deref(), Some("\"a > b\"@x"));
}

#[tokio::test]
async fn the_order_of_commands_is_held_and_hostile_clients_are_cut_off() {
    let mailbox = mailbox();
    let mut client = Client::of(&mailbox).await;
    client.reply().await;
    assert_eq!(client.say("MAIL FROM:<a@b>").await, 503);
    client.say("EHLO client").await;
    for (command, code) in [("DATA", 503), ("RCPT TO:<a@b>", 503), ("MAIL FROM a@b", 501), ("BDAT 3", 502)] {
        assert_eq!(client.say(command).await, code, "{command}");
    }
    let mut cut_off = false;
    for _ in 0..40 {
        cut_off |= client.say("NONSENSE").await == 0;
    }
    assert!(cut_off);
    let mut client = Client::of(&mailbox).await;
    client.reply().await;
    assert_eq!(client.say(&"x".repeat(100_000)).await, 0, "a line that never ends");
}

#[tokio::test]
async fn a_message_beyond_the_limit_is_refused_and_costs_no_memory_beyond_it() {
    let mailbox = mailbox();
    let mut client = Client::of(&mailbox).await;
    client.reply().await;
    client.say("EHLO client").await;
    let large = format!("{}\r\n.", "x".repeat(5 * 1024 * 1024));
    assert_eq!(client.send(&large).await, 552);
    assert_eq!(client.send("small\r\n.").await, 250);
    assert_eq!(mailbox.received().len(), 1);
}
