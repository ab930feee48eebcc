//! What every kind must do, against a real server on this machine: each row of the TABLE is tried with every
//! status, broken connections, slow answers, redirects and wrong certificates.

mod settings;

use super::*;
use crate::presentation::samples;
use std::net::TcpListener;

/// Like [`each_kind`], all of them together, for what takes the whole time-out: a second.
async fn each_kind_in_a_second(reply: Reply) -> Vec<(&'static Kind, Server, Attempt)> {
    let second = |common: &mut Common| common.timeout = Duration::from_secs(1);
    let tried = by_http().map(|kind| {
        let server = Server::start(reply.clone());
        // Made before any is sent: it takes a while, and the time-outs run.
        let destination = make_with(&config(kind, &server.url()), second);
        (kind, server, destination)
    });
    let sends = tried.collect::<Vec<_>>().into_iter().map(|(kind, server, destination)| async move {
        let attempt = send(kind, &*destination).await;
        (kind, server, attempt)
    });
    futures::future::join_all(sends).await
}

// J20, F4
#[tokio::test]
async fn every_status_has_its_meaning() {
    use Outcome::{Broken, Dead};
    for kind in by_http() {
        let fine = kind.fixture.answer.as_ref().unwrap();
        let server = Server::start(self::fine(kind));
        let attempt = send(kind, &*make(&config(kind, &server.url()))).await;
        assert_eq!((attempt.outcome, attempt.status), (success(kind), Some(fine.status)), "{}", kind.name);
    }
    let passing = retry(Reason::ServerError, None, false);
    let mut cases = vec![
        (301, Broken { reason: Reason::Redirected }),
        (308, Broken { reason: Reason::Redirected }),
        (400, Dead { reason: Reason::PayloadRefused }),
        (401, Broken { reason: Reason::CredentialsRefused }),
        (402, Broken { reason: Reason::PaymentRequired }),
        (403, Broken { reason: Reason::Forbidden }),
        (404, Broken { reason: Reason::NotFound }),
        (405, Broken { reason: Reason::NotFound }),
        (407, Broken { reason: Reason::ProxyRefused }),
        (410, Broken { reason: Reason::Revoked }),
        (413, Dead { reason: Reason::TooLarge }),
        (414, Broken { reason: Reason::UnexpectedAnswer }),
        (415, Dead { reason: Reason::PayloadRefused }),
        (419, Broken { reason: Reason::Forbidden }),
        (422, Dead { reason: Reason::PayloadRefused }),
        (426, Broken { reason: Reason::UnexpectedAnswer }),
        (431, Dead { reason: Reason::TooLarge }),
        (451, Broken { reason: Reason::Forbidden }),
        (496, Broken { reason: Reason::CertificateRefused }),
        (509, retry(Reason::Quota, Some(3_600), false)),
        (600, Broken { reason: Reason::UnexpectedAnswer }),
    ];
    cases.extend(
        [408, 421, 423, 425, 444, 499, 500, 503, 520, 524, 530, 599].map(|status| (status, passing.clone())),
    );
    for (status, expected) in cases {
        each_kind(answer(status, "location: https://elsewhere.example/x\r\n", ""), |kind, attempt| {
            assert_eq!(attempt.outcome, expected, "{} {status}", kind.name);
            assert_eq!(attempt.status, Some(status));
            assert_eq!(attempt.detail.contains("elsewhere.example"), (300..400).contains(&status));
        })
        .await;
    }
}

// J12, and what a proxy or a login page answers in place of a chat: its messages are kept.
#[tokio::test]
async fn a_success_without_its_sign_is_none() {
    let pages = [
        ("", "<!DOCTYPE html><title>Sign in</title>"),
        ("", "\u{feff}\n <html>"),
        ("content-type: text/html; charset=utf-8\r\n", "Please sign in"),
        ("", "{\"login\": true}"),
        ("", "accepted"),
        ("", ""),
    ];
    for (headers, body) in pages {
        for status in [200, 201] {
            each_kind(answer(status, headers, body), |kind, attempt| {
                let page = headers.contains("html") || body.contains('<');
                let bad = is_strict(kind) || (kind.name == "teams" && page);
                let expected = match bad {
                    true => Outcome::Broken { reason: Reason::UnexpectedAnswer },
                    false => success(kind),
                };
                assert_eq!(attempt.outcome, expected, "{} {status} {body}", kind.name);
                assert!(!bad || attempt.detail.contains("Messages are kept"), "{}", attempt.detail);
            })
            .await;
        }
    }
    // What is longer than is read was taken, where it may be a message.
    let long = format!("{{\"content\": \"{}\", \"id\": \"1\", \"name\": \"x\"}}", "é".repeat(60_000));
    each_kind(answer(200, "", &long), |kind, attempt| {
        let ok = ["slack", "mattermost"].contains(&kind.name);
        assert_eq!(attempt.outcome == success(kind), !ok, "{}", kind.name);
    })
    .await;
}

// F4: servers whose status does not say it.
#[tokio::test]
async fn too_large_and_quotas_are_told_by_texts_too() {
    let too_large = Outcome::Dead { reason: Reason::TooLarge };
    let quota = retry(Reason::Quota, Some(3_600), false);
    for (status, body, expected) in [
        (500, "PayloadTooLargeError: request entity too large", &too_large),
        (400, "{\"message\": \"Request body too large\"}", &too_large),
        (
            404,
            "The request filtering module is configured to deny a request that exceeds the request content length.",
            &too_large,
        ),
        (429, "Daily sending limit reached", &quota),
        (403, "{\"message\": \"Monthly quota of your plan exceeded\"}", &quota),
    ] {
        each_kind(answer(status, "", body), |kind, attempt| {
            assert_eq!(&attempt.outcome, expected, "{} {status} {body}: {}", kind.name, attempt.detail);
        })
        .await;
    }
    each_kind(
        answer(429, "retry-after: 7\r\n", "Quota exceeded: 30 requests per minute"),
        |kind, attempt| {
            assert_eq!(attempt.outcome, retry(Reason::RateLimited, Some(7), false), "{}", kind.name);
        },
    )
    .await;
}

#[tokio::test]
async fn a_wish_to_wait_is_heard_within_limits() {
    // The sample is sent on Sat, 14 Mar 2026 20:05:00 GMT.
    for (header, after) in [
        ("7", Some(7)),
        ("86400", Some(3_600)),
        ("99999999999999999999999", Some(3_600)),
        ("Sat, 14 Mar 2026 20:06:30 GMT", Some(90)),
        ("Sun, 15 Mar 2026 20:05:00 GMT", Some(3_600)),
        ("Sat, 14 Mar 2026 20:00:00 GMT", None),
        ("0", None),
        ("-5", None),
        ("soon", None),
    ] {
        for status in [429, 503] {
            each_kind(answer(status, &format!("retry-after: {header}\r\n"), ""), |kind, attempt| {
                let reason = if status == 429 { Reason::RateLimited } else { Reason::ServerError };
                let own = kind.fixture.pause.filter(|_| status == 429);
                assert_eq!(attempt.outcome, retry(reason, after.or(own), false), "{header} {}", kind.name);
            })
            .await;
        }
    }
}

// S2: the answer's own clock is twenty minutes ahead of ours.
#[tokio::test]
async fn a_date_is_reckoned_from_the_answers_own_date() {
    for (date, header, after) in [
        ("Sat, 14 Mar 2026 20:25:00 GMT", "Sat, 14 Mar 2026 20:25:30 GMT", 30),
        ("Sat, 14 Mar 2026 19:45:00 GMT", "Sat, 14 Mar 2026 19:46:00 GMT", 60),
        ("Saturday, 14-Mar-26 20:25:00 GMT", "Sat Mar 14 20:25:40 2026", 40),
        ("not a date", "Sat, 14 Mar 2026 20:06:30 GMT", 90),
        ("Sat, 14 Mar 2026 20:25:00 GMT", "1.5", 2),
    ] {
        let headers = format!("date: {date}\r\nretry-after: {header}\r\n");
        each_kind(answer(503, &headers, ""), |kind, attempt| {
            let expected = retry(Reason::ServerError, Some(after), false);
            assert_eq!(attempt.outcome, expected, "{date} {header} {}", kind.name);
        })
        .await;
    }
}

#[tokio::test]
async fn what_may_have_arrived_is_told_apart_from_what_cannot_have() {
    for reply in [Reply::ResetUnread, Reply::CloseAfterRequest] {
        each_kind(reply, |_, attempt| {
            assert_eq!(attempt.outcome, retry(Reason::ConnectionLost, None, true));
            assert!(attempt.detail.contains("may have arrived"), "{}", attempt.detail);
        })
        .await;
    }
    for kind in by_http() {
        // Bound and dropped: nobody listens there.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let url = format!("http://127.0.0.1:{port}/services/{TOKEN}");
        let attempt = send(kind, &*make(&config(kind, &url))).await;
        assert_eq!(attempt.outcome, retry(Reason::Unreachable, None, false));
        assert!(attempt.detail.contains("refused"), "{}", attempt.detail);
        assert_eq!(attempt.status, None);
    }
}

#[tokio::test]
async fn no_answer_in_time_may_have_arrived() {
    for (_, server, attempt) in each_kind_in_a_second(Reply::Silent).await {
        assert_eq!(attempt.outcome, retry(Reason::TimedOut, None, true));
        assert!(attempt.detail.contains("within 1s"), "{}", attempt.detail);
        server.request();
    }
}

#[tokio::test]
async fn once_a_success_was_read_nothing_makes_it_a_failure() {
    for reply in [Reply::Cut(200), Reply::Dribble(200)] {
        for (kind, server, attempt) in each_kind_in_a_second(reply).await {
            assert_eq!(attempt.outcome, success(kind), "{}", kind.name);
            server.request();
            assert!(server.requests.try_recv().is_err(), "sent once");
        }
    }
    each_kind(Reply::Cut(500), |_, attempt| {
        assert_eq!(attempt.outcome, retry(Reason::ServerError, None, false));
    })
    .await;
}

#[tokio::test]
async fn redirects_are_not_followed_and_nothing_is_sent_twice() {
    for kind in by_http() {
        let target = Server::start(answer(200, "", "ok"));
        let location = format!("location: http://127.0.0.1:{}/{TOKEN}\r\n", target.port);
        let server = Server::start(answer(307, &location, ""));
        let attempt = send(kind, &*make(&config(kind, &server.url()))).await;
        assert_eq!(attempt.outcome, Outcome::Broken { reason: Reason::Redirected });
        server.request();
        assert!(server.requests.try_recv().is_err() && target.requests.try_recv().is_err());
    }
}

#[tokio::test]
async fn an_answer_that_echoes_secrets_is_kept_without_them() {
    for kind in by_http() {
        let secret = kind.fixture.secrets.join(" ");
        let echo = format!(
            "\u{1b}[31mno such hook http:\\/\\/127.0.0.1\\/services\\/T00000000\\/{TOKEN} {} {secret} key={TOKEN}\r\n\u{202e}end {}",
            TOKEN.to_lowercase(),
            "x".repeat(200_000)
        );
        for status in [200, 400, 404, 500] {
            let server = Server::start(answer(status, "", &echo));
            let attempt = send(kind, &*make(&config(kind, &server.url()))).await;
            let excerpt = attempt.excerpt.unwrap();
            assert!(excerpt.starts_with("[31mno such hook"), "{excerpt}");
            assert!(excerpt.contains("[redacted]") && excerpt.chars().count() <= 301, "{excerpt}");
            if is_strict(kind) && status == 200 {
                assert_eq!(attempt.outcome, Outcome::Broken { reason: Reason::UnexpectedAnswer });
            }
        }
    }
}

#[tokio::test]
async fn the_url_is_asked_for_byte_for_byte() {
    let query = "api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=aB-c_D%2B9%2f%3D~x";
    for kind in by_http() {
        let server = Server::start(answer(202, "", ""));
        let target = format!("/workflows/0a/triggers/manual/paths/invoke?{query}");
        send(kind, &*make(&config(kind, &format!("http://127.0.0.1:{}{target}", server.port)))).await;
        // What a kind adds stands at the end, and nothing else of its URL changes.
        let more = if kind.fixture.query.is_empty() { "" } else { "&" };
        assert_eq!(server.request().target, format!("{target}{more}{}", kind.fixture.query));
    }
}

#[tokio::test]
async fn what_is_sent_is_json_and_no_header_says_anything_of_a_review() {
    for kind in by_http() {
        let server = Server::start(fine(kind));
        let destination = make(&config(kind, &server.url()));
        assert_eq!(destination.address(), format!("127.0.0.1:{}", server.port));
        assert_eq!(destination.recipients(), [""]);
        for (name, message) in samples() {
            let payload = destination.render(&message);
            assert_eq!(payload.fallback, None, "{name}");
            assert_eq!(destination.send(&message, &payload).await.outcome, success(kind));
            let request = server.request();
            assert_eq!(request.body, payload.body, "{name}");
            assert!(request.head.contains("content-type: application/json\r\n"));
            assert!(request.head.contains("user-agent: review-bridge/"));
            assert!(serde_json::from_str::<serde_json::Value>(&request.body).unwrap().is_object());
            // The head is in lower case.
            for word in ["parcel", "customer", "never again", "kiyoh", "shop nl"] {
                assert!(!request.head.contains(word), "{}: {}", kind.name, request.head);
            }
        }
    }
}

/// A TLS server on `localhost` with a certificate of its own, and that certificate as PEM.
fn tls_server(reply: Reply) -> (Server, String) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let server = Server::start_with(reply, move |mut tcp| {
        let mut tls = rustls::ServerConnection::new(config.clone()).ok()?;
        tls.complete_io(&mut tcp).ok()?;
        Some(rustls::StreamOwned::new(tls, tcp))
    });
    (server, made.cert.pem())
}

#[tokio::test]
async fn a_certificate_is_checked_and_a_private_authority_can_be_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for kind in by_http() {
        let (server, pem) = tls_server(fine(kind));
        std::fs::write(file.path(), pem).unwrap();
        let toml = config(kind, &format!("https://localhost:{}/services/{TOKEN}", server.port));
        let attempt = send(kind, &*make(&toml)).await;
        assert_eq!(
            attempt.outcome,
            Outcome::Broken { reason: Reason::CertificateRefused },
            "{}",
            attempt.detail
        );
        assert!(attempt.detail.contains("`destinations.support.ca_file`"), "{}", attempt.detail);
        assert!(server.requests.try_recv().is_err(), "nothing was sent");
        let attempt = send(kind, &*make(&format!("{toml}ca_file = \"{}\"", file.path().display()))).await;
        assert_eq!(attempt.outcome, success(kind), "{}", attempt.detail);

        let plain = Server::start(answer(200, "", "ok"));
        let toml = config(kind, &format!("https://localhost:{}/services/{TOKEN}", plain.port));
        let attempt = send(kind, &*make(&toml)).await;
        let ambiguous = matches!(attempt.outcome, Outcome::Retry { ambiguous: true, .. });
        let failed = matches!(attempt.outcome, Outcome::Retry { .. } | Outcome::Broken { .. });
        assert!(failed && !ambiguous, "nothing can have arrived without TLS: {}", attempt.detail);
    }
}

#[test]
fn every_kind_describes_itself() {
    for kind in TABLE {
        assert!(!kind.title.is_empty() && !kind.summary.is_empty());
        assert!(kind.keys.iter().all(|key| !key.summary.is_empty()));
        assert!(kind.keys.iter().any(|key| key.secret) || kind.fixture.answer.is_none(), "{}", kind.name);
        let common: Vec<&str> = COMMON_KEYS.iter().map(|key| key.name).collect();
        assert!(kind.keys.iter().all(|key| !common.contains(&key.name)));
        // Whatever is not common to all is in its example; templates are shown once.
        for key in kind.keys.iter().filter(|key| **key != super::super::settings::TEMPLATE) {
            assert!(kind.example.contains(&format!("{} = ", key.name)), "{}: {}", kind.name, key.name);
        }
        assert!(crate::config::STARTER.contains(kind.example), "config.toml.example lacks {}", kind.name);
    }
}
