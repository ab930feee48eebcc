//! Odd replies: other characters, no text, no end, half of one; and servers that know less than most.

use super::*;

/// One message to a server that does this at this step.
async fn at(step: &'static str, what: Do) -> Attempt {
    once(Box::leak(Box::new([(step, what)]))).await
}

#[tokio::test]
async fn the_code_alone_decides_whatever_the_text_is() {
    // H6
    for step in ["", "EHLO", "AUTH", "MAIL", "RCPT", "."] {
        let code: &[u8] = match step {
            "" => b"220",
            "AUTH" => b"235",
            _ => b"250",
        };
        for text in
            [b" accept\xe9\r\n" as &[u8], b"\r\n", b" \r\n", b"\n", b"-a\xff\r\n", b" \xf0\x9f\x8d\r\n"]
        {
            let mut said = [code, text].concat();
            if text.starts_with(b"-") {
                said.extend([code, b" b\r\n".as_slice()].concat());
            }
            if step == "EHLO" {
                said = [b"250-fake\xe9\r\n250-AUTH PLAIN\r\n".as_slice(), &said].concat();
            }
            let attempt = at(step, Do::Bytes(said.leak())).await;
            assert_eq!(attempt.outcome, Outcome::Delivered, "{step} {text:?}: {}", attempt.detail);
        }
    }
    let attempt = at(".", Do::Bytes(b"550 refus\xe9\r\n")).await;
    assert_eq!(
        (attempt.outcome, attempt.status),
        (Outcome::Dead { reason: Reason::PayloadRefused }, Some(550))
    );
    let attempt = at("RCPT", Do::Bytes(b"550 5.1.1 inconnu \xe9\r\n")).await;
    assert_eq!(attempt.outcome, Outcome::Dead { reason: Reason::RecipientUnknown });
    let attempt = at("", Do::Bytes(b"421 occup\xe9\r\n")).await;
    assert_eq!(attempt.outcome, retry(Reason::ServerError, false), "{}", attempt.detail);
}

#[tokio::test]
async fn a_message_that_was_taken_is_delivered_though_the_sentence_was_cut_off() {
    // H6
    for said in [b"250 2.0.0 queu" as &[u8], b"250", b"25", b"2", b"250-queued\r\n250", b"250 ok\r"] {
        let attempt = at(".", Do::LastBytes(said)).await;
        assert_eq!(attempt.outcome, Outcome::Delivered, "{said:?}: {}", attempt.detail);
    }
    for said in [b"" as &[u8], b"3", b"4", b"45"] {
        let attempt = at(".", Do::LastBytes(said)).await;
        assert_eq!(attempt.outcome, retry(Reason::ConnectionLost, true), "{said:?}: {}", attempt.detail);
    }
    let attempt = at(".", Do::LastBytes(b"550 no such")).await;
    assert_eq!(attempt.outcome, Outcome::Dead { reason: Reason::PayloadRefused });
    let attempt = at("MAIL", Do::LastBytes(b"421")).await;
    assert_eq!(attempt.outcome, retry(Reason::ServerError, false));
    let attempt = at("MAIL", Do::LastBytes(b"250 o")).await;
    assert_eq!(attempt.outcome, retry(Reason::ConnectionLost, false));
}

#[tokio::test]
async fn replies_are_bounded_and_long_ones_are_read() {
    // S10
    let line: &'static str = Box::leak(format!("450 4.2.0 {}", "x".repeat(3_000)).into_boxed_str());
    let attempt = at("RCPT", Do::Say(line)).await;
    assert_eq!((attempt.outcome, attempt.status), (retry(Reason::Deferred, false), Some(450)));
    let lines: &'static str =
        Box::leak(format!("{}250 ok", "250-all is well here\r\n".repeat(2_500)).into_boxed_str());
    assert_eq!(at(".", Do::Say(lines)).await.outcome, Outcome::Delivered);
    // H7
    const FILL: &[u8] = &[b'x'; 4096];
    for (step, said) in
        [("", b"220 " as &[u8]), ("EHLO", b"250-"), ("RCPT", b"250 "), (".", b"250 "), (".", b"550 ")]
    {
        let endless: &'static [u8] = [said, FILL].concat().leak();
        let fake = Fake::start(Box::leak(Box::new([(step, Do::Endless(endless))])));
        let attempt = send(&*plain(fake.port), &message()).await;
        let expected = match (step, said[0]) {
            (".", b'2') => Outcome::Delivered,
            (".", _) => Outcome::Dead { reason: Reason::PayloadRefused },
            ("RCPT", _) => retry(Reason::ServerError, false),
            _ => Outcome::Broken { reason: Reason::UnexpectedAnswer },
        };
        assert_eq!(attempt.outcome, expected, "{step}: {}", attempt.detail);
        assert!(attempt.detail.len() < 1_000);
        // What the kernels of both sides hold beside what is read.
        assert!(fake.endless_bytes() < 16 * 1024 * 1024, "{}", fake.endless_bytes());
    }
}

#[tokio::test]
async fn a_server_without_ehlo_gets_helo_and_one_that_refuses_the_name_is_said_to() {
    // S7
    let open = |port: u16, helo: &str| {
        toml(port, &format!("{PLAIN}\n{helo}"), "")
            .replace("username = \"reviews\"\n", "")
            .replace(&format!("password = \"{PASSWORD}\"\n"), "")
    };
    for answer in ["502 5.5.2 unknown", "500 what?", "504 no", "550 no"] {
        let fake = Fake::start(Box::leak(Box::new([("EHLO", Do::Say(answer))])));
        let destination = make(&open(fake.port, "helo = \"Bridge.Shop.example\""));
        assert_eq!(send(&*destination, &message()).await.outcome, Outcome::Delivered, "{answer}");
        assert_eq!(fake.commands()[..2], ["EHLO bridge.shop.example", "HELO bridge.shop.example"]);
    }
    // S6
    let named: Script =
        &[("RCPT", Do::Say("504 5.5.2 <x>: Helo command rejected: need fully-qualified hostname"))];
    let both: Script = &[("EHLO", Do::Say("501 bad")), ("HELO", Do::Say("501 5.5.4 bad name"))];
    let later: Script = &[("MAIL", Do::Say("450 4.7.1 <x>: Helo command rejected: Host not found"))];
    for (script, outcome) in [
        (named, Outcome::Broken { reason: Reason::Forbidden }),
        (both, Outcome::Broken { reason: Reason::Forbidden }),
        (later, retry(Reason::ServerError, false)),
    ] {
        let fake = Fake::start(script);
        let attempt = send(&*make(&open(fake.port, "helo = \"bridge\"")), &message()).await;
        assert_eq!(attempt.outcome, outcome, "{}", attempt.detail);
        assert!(
            attempt.detail.contains("`bridge`") && attempt.detail.contains("`smtp.helo`"),
            "{}",
            attempt.detail
        );
        assert!(!attempt.detail.contains("sender"), "{}", attempt.detail);
        let attempt = send(&*make(&open(fake.port, "")), &message()).await;
        assert!(attempt.detail.contains("IP address"), "{}", attempt.detail);
    }
    let fake = Fake::start(&[]);
    let destination = make(&open(fake.port, "helo = \"[IPv6:2001:DB8::1]\""));
    send(&*destination, &message()).await;
    assert_eq!(fake.commands()[0], "EHLO [IPv6:2001:db8::1]");
}

#[tokio::test]
async fn logins_that_cannot_work_say_why() {
    // J10
    let refused = Outcome::Broken { reason: Reason::CredentialsRefused };
    for offer in ["250 AUTH XOAUTH2 OAUTHBEARER", "250 auth xoauth2 oauthbearer"] {
        let attempt = at("EHLO", Do::Say(Box::leak(format!("250-fake\r\n{offer}").into_boxed_str()))).await;
        assert_eq!(attempt.outcome, refused);
        for part in ["XOAUTH2, OAUTHBEARER", "PLAIN and LOGIN", "app password"] {
            assert!(attempt.detail.contains(part), "{}", attempt.detail);
        }
        assert!(!attempt.detail.contains("`smtp.port`"), "{}", attempt.detail);
    }
    let attempt =
        at("AUTH", Do::Say("535 5.7.139 Authentication unsuccessful, basic authentication is disabled."))
            .await;
    assert_eq!(attempt.outcome, refused);
    assert!(attempt.detail.contains("switched password logins off"), "{}", attempt.detail);
    for offer in ["250 auth plain", "250 AUTH=PLAIN LOGIN", "250 Auth Login"] {
        let attempt = at("EHLO", Do::Say(Box::leak(format!("250-fake\r\n{offer}").into_boxed_str()))).await;
        // The fake takes LOGIN at its first word.
        assert_eq!(attempt.outcome, Outcome::Delivered, "{offer}: {}", attempt.detail);
    }
    // J4
    for (answer, reason) in [
        ("454 4.7.0 Too many login attempts", Reason::LoginDeferred),
        ("421 4.7.0 Too many login attempts", Reason::ServerError),
        ("454 Throttling failure: Daily message quota exceeded.", Reason::Quota),
    ] {
        let attempt = at("AUTH", Do::Say(answer)).await;
        assert_eq!(attempt.outcome, retry(reason, false), "{}", attempt.detail);
    }
    // A login that expires while the connection is kept.
    let attempt = at("MAIL", Do::Say("535 5.7.8 session expired")).await;
    assert_eq!(attempt.outcome, refused);
    // F11: our own sentences are whole, even where the password is a word of them.
    let fake = Fake::start(&[("AUTH", Do::Say("535 5.7.8 wrong: providers"))]);
    let text = toml(fake.port, PLAIN, "").replace(PASSWORD, "providers");
    let destination = make(&text);
    let payload = destination.render(&message());
    let attempt = destination.send(&message(), &payload).await;
    assert!(
        attempt.detail.contains("some providers require") && attempt.detail.contains("wrong: [redacted]")
    );
    assert_eq!(attempt.excerpt.as_deref(), Some("5.7.8 wrong: [redacted]"));
}

#[tokio::test]
async fn a_limit_that_is_used_up_and_a_sender_that_is_refused_cost_no_message() {
    // F2
    for step in ["MAIL", "RCPT", "DATA", "."] {
        for answer in
            ["550 5.4.5 Daily user sending limit exceeded", "554 5.2.0 x:SubmissionQuotaExceededException"]
        {
            let attempt = at(step, Do::Say(answer)).await;
            assert_eq!(attempt.outcome, retry(Reason::Quota, false), "{step}: {}", attempt.detail);
            assert!(attempt.detail.contains("sending limit is reached"), "{}", attempt.detail);
        }
    }
    // F6
    for step in ["MAIL", "RCPT", "."] {
        for answer in [
            "554 5.2.252 SendAsDenied; a@b not allowed to send as c@d",
            "550 5.7.1 Sender Signature not found",
        ] {
            let attempt = at(step, Do::Say(answer)).await;
            assert_eq!(
                attempt.outcome,
                Outcome::Broken { reason: Reason::SenderRefused },
                "{}",
                attempt.detail
            );
            assert!(attempt.detail.contains("`destinations.support.from`"), "{}", attempt.detail);
        }
    }
}

#[tokio::test]
async fn the_size_is_said_before_and_what_is_too_large_is_not_sent() {
    let sizes = |size: &str| -> Script {
        Box::leak(Box::new([(
            "EHLO",
            Do::Say(format!("250-fake\r\n250-AUTH PLAIN\r\n250 SIZE{size}").leak()),
        )]))
    };
    let fake = Fake::start(sizes(" 100"));
    let attempt = send(&*plain(fake.port), &message()).await;
    assert_eq!(attempt.outcome, Outcome::Dead { reason: Reason::TooLarge }, "{}", attempt.detail);
    assert!(!fake.commands().iter().any(|command| command.starts_with("MAIL")));
    for unlimited in ["", " 0", " many"] {
        let fake = Fake::start(sizes(unlimited));
        assert_eq!(send(&*plain(fake.port), &message()).await.outcome, Outcome::Delivered);
        let mail = fake.commands().into_iter().find(|command| command.starts_with("MAIL")).unwrap();
        let size: usize = mail.rsplit_once("SIZE=").unwrap().1.parse().unwrap();
        assert_eq!(size, fake.mails()[0].len(), "the dot included");
    }
}

#[tokio::test]
async fn quoted_addresses_and_literals_are_sent_as_they_are_written() {
    // J11
    let fake = Fake::start(&[]);
    let to = "[support]\ntype = \"email\"\nto = [\"\\\"John Doe\\\"@shop.example\", \"a@[IPv6:2001:db8::1]\", \"Owner@shop.example\"]\n";
    let smtp = toml(fake.port, PLAIN, "");
    let destination = make(&format!("{}{to}", smtp.split("[support]").next().unwrap()));
    let recipients = destination.recipients();
    assert_eq!(recipients, ["\"john doe\"@shop.example", "a@[ipv6:2001:db8::1]", "owner@shop.example"]);
    for recipient in recipients {
        let message = Message { recipient, ..message() };
        assert_eq!(send(&*destination, &message).await.outcome, Outcome::Delivered);
    }
    let sent: Vec<String> =
        fake.commands().into_iter().filter(|command| command.starts_with("RCPT")).collect();
    let expected = [
        "RCPT TO:<\"John Doe\"@shop.example>",
        "RCPT TO:<a@[IPv6:2001:db8::1]>",
        "RCPT TO:<Owner@shop.example>",
    ];
    assert_eq!(sent, expected);
    assert_eq!(header(&fake.mails()[0], "To").as_deref(), Some("\"John Doe\"@shop.example"));
}

#[tokio::test]
async fn a_large_message_goes_in_blocks() {
    let fake = Fake::start(&[]);
    let destination = plain(fake.port);
    let payload = Payload {
        body: format!("Subject: x\r\n\r\n{}", ".words\r\n".repeat(40_000)),
        ..destination.render(&message())
    };
    assert!(payload.body.len() > 4 * 64 * 1024);
    let attempt = destination.send(&message(), &payload).await;
    assert_eq!(attempt.outcome, Outcome::Delivered, "{}", attempt.detail);
    assert_eq!(fake.mails()[0].len(), payload.body.len() + 40_000 + ".\r\n".len());
}
