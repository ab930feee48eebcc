//! What every kind must do, against a real server on this machine: each row of the TABLE is tried with every
//! status, broken connections, slow answers, redirects and wrong certificates.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod answers;
mod server;
mod settings;

use super::*;
use crate::domain::{Outcome, Reason};
use crate::render::{sample, samples};
use crate::settings::{Problem, Problems, Source};
use figment::providers::{Format, Toml};
use server::{Reply, Server, answer};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

static RENDERER: LazyLock<Arc<Renderer>> = LazyLock::new(|| templates(None).unwrap());
const TOKEN: &str = "XXXXsecretpathXXXXsecret";
const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// Reads a destination from TOML.
fn read(toml: &str) -> (Option<Settings>, Vec<Problem>) {
    let dict: figment::value::Dict = figment::Figment::from(Toml::string(toml)).extract().unwrap();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let source =
        Source { folder, file: "config.toml".into(), environment: Vec::new(), problems: Problems::default() };
    let settings =
        Settings::read("support", Table::new("destinations.support", &dict, &source), &Shared::default());
    (settings, source.problems.into_vec())
}

/// The configuration of `kind` that sends to `url`: its first key is where.
fn config(kind: &Kind, url: &str) -> String {
    let more = match kind.name {
        "slack" => "mention = \"<!here>\"".to_owned(),
        "teams" => String::new(),
        "discord" => "mention = \"<@&123456789012345678>\"".to_owned(),
        "mattermost" => "mention = \"@here\"".to_owned(),
        "google_chat" => "mention = \"<users/all>\"".to_owned(),
        _ => format!("secret = \"{SECRET}\""),
    };
    format!("type = \"{}\"\n{} = \"{url}\"\n{more}\n", kind.name, kind.keys[0].name)
}

fn make(toml: &str) -> Arc<dyn Destination> {
    make_with(toml, |_| {})
}

fn make_with(toml: &str, change: impl Fn(&mut Common)) -> Arc<dyn Destination> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (settings, problems) = read(toml);
    assert!(problems.is_empty(), "{problems:?}");
    let mut settings = settings.unwrap();
    change(&mut settings.common);
    assert!(!format!("{settings:?}").contains("secretpath"), "no secret in Debug");
    assert!(!format!("{settings:?}").contains("C2FVsBQ"), "no secret in Debug");
    let renderer = RENDERER.clone();
    settings.make.make("support", &settings.common, renderer).unwrap()
}

async fn send(destination: &dyn Destination) -> Attempt {
    let message = sample("everything");
    let payload = destination.render(&message);
    let attempt = destination.send(&message, &payload).await;
    for text in [Some(&attempt.detail), attempt.excerpt.as_ref()].into_iter().flatten() {
        assert!(!text.to_lowercase().contains("secretpath"), "{text}");
        assert!(!text.contains("C2FVsBQ"), "{text}");
        assert!(!text.contains(|c: char| c.is_control()), "{text:?}");
        assert!(text.chars().count() <= 600, "{text}");
    }
    assert!(attempt.detail.ends_with('.') && attempt.detail.len() > 20, "{}", attempt.detail);
    attempt
}

/// Sends once to a server that does `reply`, for every kind.
async fn each_kind(reply: Reply, check: impl Fn(&Kind, Attempt)) {
    for kind in by_http() {
        let server = Server::start(reply.clone());
        check(kind, send(&*make(&config(kind, &server.url()))).await);
    }
}

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
        let attempt = send(&*destination).await;
        (kind, server, attempt)
    });
    futures::future::join_all(sends).await
}

/// The kinds that post to a URL; e-mail is tried in its own folder.
fn by_http() -> impl Iterator<Item = &'static Kind> {
    TABLE.iter().copied().filter(|kind| kind.name != "email")
}

/// How `kind` settles what was taken.
fn success(kind: &Kind) -> Outcome {
    if kind.name == "teams" { Outcome::Accepted } else { Outcome::Delivered }
}

fn retry(reason: Reason, after: Option<u64>, ambiguous: bool) -> Outcome {
    Outcome::Retry { reason, after: after.map(Duration::from_secs), ambiguous }
}

#[tokio::test]
async fn every_status_has_its_meaning() {
    use Outcome::{Broken, Dead};
    each_kind(answer(200, "", "ok"), |kind, attempt| {
        assert_eq!((attempt.outcome, attempt.status), (success(kind), Some(200)));
    })
    .await;
    let cases = [
        (301, Broken { reason: Reason::Redirected }),
        (308, Broken { reason: Reason::Redirected }),
        (400, Dead { reason: Reason::PayloadRefused }),
        (401, Broken { reason: Reason::CredentialsRefused }),
        (403, Broken { reason: Reason::Forbidden }),
        (404, Broken { reason: Reason::NotFound }),
        (405, Broken { reason: Reason::NotFound }),
        (408, retry(Reason::ServerError, None, false)),
        (410, Broken { reason: Reason::Revoked }),
        (413, Dead { reason: Reason::TooLarge }),
        (415, Dead { reason: Reason::PayloadRefused }),
        (422, Dead { reason: Reason::PayloadRefused }),
        (425, retry(Reason::ServerError, None, false)),
        (500, retry(Reason::ServerError, None, false)),
        (503, retry(Reason::ServerError, None, false)),
        (599, retry(Reason::ServerError, None, false)),
        (600, Dead { reason: Reason::UnexpectedAnswer }),
    ];
    for (status, expected) in cases {
        each_kind(answer(status, "location: https://elsewhere.example/x\r\n", ""), |kind, attempt| {
            assert_eq!(attempt.outcome, expected, "{} {status}", kind.name);
            assert_eq!(attempt.status, Some(status));
            assert_eq!(attempt.detail.contains("elsewhere.example"), (300..400).contains(&status));
        })
        .await;
    }
    for status in [201, 202, 204] {
        let server = Server::start(answer(status, "", ""));
        let attempt = send(&*make(&config(&webhook::KIND, &server.url()))).await;
        assert_eq!(attempt.outcome, Outcome::Delivered, "any 2xx is success of a webhook");
    }
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
                let own = match (kind.name, status) {
                    ("slack", 429) => Some(30),
                    ("teams", 429) => Some(60),
                    _ => None,
                };
                assert_eq!(attempt.outcome, retry(reason, after.or(own), false), "{header} {}", kind.name);
            })
            .await;
        }
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
        let attempt = send(&*make(&config(kind, &url))).await;
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
        let attempt = send(&*make(&config(kind, &server.url()))).await;
        assert_eq!(attempt.outcome, Outcome::Broken { reason: Reason::Redirected });
        server.request();
        assert!(server.requests.try_recv().is_err() && target.requests.try_recv().is_err());
    }
}

#[tokio::test]
async fn an_answer_that_echoes_secrets_is_kept_without_them() {
    for kind in by_http() {
        let secret = if kind.name == "webhook" { SECRET } else { "" };
        let echo = format!(
            "\u{1b}[31mno such hook http:\\/\\/127.0.0.1\\/services\\/T00000000\\/{TOKEN} {} {secret} {} key={TOKEN}\r\n\u{202e}end {}",
            TOKEN.to_lowercase(),
            secret.trim_start_matches("whsec_"),
            "x".repeat(200_000)
        );
        for status in [200, 400, 404, 500] {
            let server = Server::start(answer(status, "", &echo));
            let attempt = send(&*make(&config(kind, &server.url()))).await;
            let excerpt = attempt.excerpt.unwrap();
            assert!(excerpt.starts_with("[31mno such hook"), "{excerpt}");
            assert!(excerpt.contains("[redacted]") && excerpt.chars().count() <= 301, "{excerpt}");
            if matches!(kind.name, "slack" | "mattermost") && status == 200 {
                assert_eq!(attempt.outcome, Outcome::Dead { reason: Reason::UnexpectedAnswer });
            }
        }
    }
}

#[tokio::test]
async fn slacks_words_count_before_its_status() {
    use Outcome::{Broken, Dead};
    for (status, body, expected) in [
        (400, "invalid_payload", Dead { reason: Reason::PayloadRefused }),
        (400, "invalid_blocks\n", Dead { reason: Reason::PayloadRefused }),
        (400, "{\"ok\":false,\"error\":\"msg_blocks_too_long\"}", Dead { reason: Reason::PayloadRefused }),
        (400, "user_not_found", Broken { reason: Reason::RecipientUnknown }),
        (403, "channel_not_found", Broken { reason: Reason::ChannelGone }),
        (404, "Channel_Not_Found", Broken { reason: Reason::ChannelGone }),
        (410, "channel_is_archived", Broken { reason: Reason::ChannelGone }),
        (403, "invalid_token", Broken { reason: Reason::CredentialsRefused }),
        (403, "action_prohibited", Broken { reason: Reason::Forbidden }),
        (404, "no_service", Broken { reason: Reason::Revoked }),
        (400, "no_service", Broken { reason: Reason::Revoked }),
        (404, "no_team", Broken { reason: Reason::Revoked }),
        (500, "rollup_error", retry(Reason::ServerError, None, false)),
        (429, "rate_limited", retry(Reason::RateLimited, Some(30), false)),
        (404, "<html>no_service</html>", Broken { reason: Reason::NotFound }),
        (200, "no_service", Dead { reason: Reason::UnexpectedAnswer }),
        (200, "", Dead { reason: Reason::UnexpectedAnswer }),
        (200, " OK\n", Outcome::Delivered),
    ] {
        let server = Server::start(answer(status, "", body));
        let attempt = send(&*make(&config(&slack::KIND, &server.url()))).await;
        assert_eq!(attempt.outcome, expected, "{status} {body}");
        if body == "no_service" && status == 404 {
            assert!(attempt.detail.contains("Create a new incoming webhook in Slack"), "{}", attempt.detail);
            assert!(attempt.detail.contains("`destinations.support.webhook_url`"), "{}", attempt.detail);
        }
    }
}

#[tokio::test]
async fn the_answers_of_workflows_decide() {
    use Outcome::{Accepted, Broken, Dead};
    let relayed = |status: u16| {
        format!(
            "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error {status} with x."
        )
    };
    let error = |code: &str| format!(r#"{{"error":{{"code":"{code}","message":"What is wrong."}}}}"#);
    for (status, body, expected, part) in [
        (202, String::new(), Accepted, "cannot be seen"),
        (200, "1".into(), Accepted, "cannot be seen"),
        (200, r#"{"anything": true}"#.into(), Accepted, "cannot be seen"),
        (200, "<!DOCTYPE html><html>".into(), Dead { reason: Reason::UnexpectedAnswer }, "a web page"),
        (200, relayed(429), retry(Reason::RateLimited, Some(60), false), "slow down (429)"),
        (200, relayed(503), retry(Reason::ServerError, None, false), "(503)"),
        (200, relayed(413), Dead { reason: Reason::TooLarge }, "too large"),
        (200, relayed(400), Dead { reason: Reason::PayloadRefused }, "refused the message"),
        (200, relayed(404), Broken { reason: Reason::NotFound }, "copy the URL"),
        (
            400,
            error("InvalidRequestContent"),
            Dead { reason: Reason::PayloadRefused },
            "`InvalidRequestContent`: What is wrong",
        ),
        (400, error("WorkflowTriggerIsNotEnabled"), Broken { reason: Reason::Revoked }, "switch it on"),
        (404, error("WorkflowNotFound"), Broken { reason: Reason::NotFound }, "no such Workflow"),
        (
            401,
            error("DirectApiAuthorizationRequired"),
            Broken { reason: Reason::CredentialsRefused },
            "“Anyone”",
        ),
        (401, error("Other"), Broken { reason: Reason::CredentialsRefused }, "“Who can trigger the flow”"),
        (403, String::new(), Broken { reason: Reason::Forbidden }, "`destinations.support.webhook_url`"),
        (410, String::new(), Broken { reason: Reason::Revoked }, "its owner has left"),
    ] {
        let server = Server::start(answer(status, "", &body));
        let attempt = send(&*make(&config(&teams::KIND, &server.url()))).await;
        assert_eq!(attempt.outcome, expected, "{status} {body}");
        assert_eq!(attempt.status, Some(status));
        assert!(attempt.detail.contains(part), "{status} {body}: {}", attempt.detail);
    }
}

#[tokio::test]
async fn the_errors_of_google_chat_say_whose_fault_it_is() {
    use Outcome::{Broken, Dead, Delivered};
    let error = |status: &str, message: &str, reason: &str| {
        format!(
            r#"{{"error":{{"code":1,"message":"{message}","status":"{status}","details":[{{"@type":"x"}},{{"reason":"{reason}"}}]}}}}"#
        )
    };
    let unknown = "Invalid JSON payload received. Unknown name \\\"x\\\": Cannot find field.";
    for (status, body, expected, part) in [
        (200, r#"{"name":"spaces/A/messages/B.B"}"#.to_owned(), Delivered, "took the message"),
        (200, "<!DOCTYPE html>".into(), Dead { reason: Reason::UnexpectedAnswer }, "a web page"),
        (
            400,
            error("INVALID_ARGUMENT", unknown, ""),
            Dead { reason: Reason::PayloadRefused },
            "Google Chat says `INVALID_ARGUMENT` (400): Invalid JSON payload",
        ),
        (
            400,
            error("INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", "API_KEY_INVALID"),
            Broken { reason: Reason::CredentialsRefused },
            "copy the URL again",
        ),
        (
            401,
            error("UNAUTHENTICATED", "Request had invalid authentication credentials.", ""),
            Broken { reason: Reason::CredentialsRefused },
            "`UNAUTHENTICATED` (401)",
        ),
        (
            403,
            error("PERMISSION_DENIED", "This webhook is disabled.", ""),
            Broken { reason: Reason::Forbidden },
            "`destinations.support.webhook_url`",
        ),
        (
            404,
            error("NOT_FOUND", "Requested entity was not found.", ""),
            Broken { reason: Reason::NotFound },
            "Apps & integrations > Webhooks",
        ),
        (404, String::new(), Broken { reason: Reason::NotFound }, "does not take messages at this URL (404)"),
        (
            429,
            error("RESOURCE_EXHAUSTED", "Quota exceeded.", "RATE_LIMIT_EXCEEDED"),
            retry(Reason::RateLimited, None, false),
            "tried again by itself",
        ),
        (
            503,
            error("UNAVAILABLE", "Try later.", ""),
            retry(Reason::ServerError, None, false),
            "tried again by itself",
        ),
    ] {
        let server = Server::start(answer(status, "", &body));
        let attempt = send(&*make(&config(&google_chat::KIND, &server.url()))).await;
        assert_eq!(attempt.outcome, expected, "{status} {body}");
        assert!(attempt.detail.contains(part), "{status} {body}: {}", attempt.detail);
    }
}

#[tokio::test]
async fn the_url_is_asked_for_byte_for_byte() {
    let query = "api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=aB-c_D%2B9%2f%3D~x";
    for kind in by_http() {
        let server = Server::start(answer(202, "", ""));
        let target = format!("/workflows/0a/triggers/manual/paths/invoke?{query}");
        send(&*make(&config(kind, &format!("http://127.0.0.1:{}{target}", server.port)))).await;
        // Discord is asked to wait, and nothing else of its URL changes.
        let more = if kind.name == "discord" { "&wait=true" } else { "" };
        assert_eq!(server.request().target, format!("{target}{more}"));
    }
}

#[tokio::test]
async fn what_is_sent_is_json_signed_over_exactly_its_bytes() {
    for kind in by_http() {
        let server = Server::start(answer(200, "", "ok"));
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
            let signed = request.head.contains("webhook-signature: v1,");
            assert_eq!(signed, kind.name == "webhook");
            assert_eq!(request.head.contains("webhook-timestamp: 1773518700\r\n"), kind.name == "webhook");
            assert_eq!(request.head.contains("webhook-id: msg_sample\r\n"), kind.name == "webhook");
        }
    }
    let server = Server::start(answer(200, "", ""));
    let unsigned = make(&format!("type = \"webhook\"\nurl = \"{}\"", server.url()));
    send(&*unsigned).await;
    assert!(!server.request().head.contains("webhook-signature"));
}

/// A TLS server on `localhost` with a certificate of its own, and that certificate as PEM.
fn tls_server() -> (Server, String) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let server = Server::start_with(answer(200, "", "ok"), move |mut tcp| {
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
        let (server, pem) = tls_server();
        std::fs::write(file.path(), pem).unwrap();
        let toml = config(kind, &format!("https://localhost:{}/services/{TOKEN}", server.port));
        let attempt = send(&*make(&toml)).await;
        assert_eq!(
            attempt.outcome,
            Outcome::Broken { reason: Reason::CertificateRefused },
            "{}",
            attempt.detail
        );
        assert!(attempt.detail.contains("`destinations.support.ca_file`"), "{}", attempt.detail);
        assert!(server.requests.try_recv().is_err(), "nothing was sent");
        let attempt = send(&*make(&format!("{toml}ca_file = \"{}\"", file.path().display()))).await;
        assert_eq!(attempt.outcome, success(kind), "{}", attempt.detail);

        let plain = Server::start(answer(200, "", "ok"));
        let toml = config(kind, &format!("https://localhost:{}/services/{TOKEN}", plain.port));
        let attempt = send(&*make(&toml)).await;
        let ambiguous = matches!(attempt.outcome, Outcome::Retry { ambiguous: true, .. });
        let failed = matches!(attempt.outcome, Outcome::Retry { .. } | Outcome::Broken { .. });
        assert!(failed && !ambiguous, "nothing can have arrived without TLS: {}", attempt.detail);
    }
}

#[test]
fn every_kind_describes_itself() {
    for kind in TABLE {
        assert!(!kind.summary.is_empty() && kind.keys.iter().all(|key| !key.summary.is_empty()));
        assert!(kind.keys[0].secret || kind.name == "email", "the first key is where it sends");
        let common: Vec<&str> = COMMON_KEYS.iter().map(|key| key.name).collect();
        assert!(kind.keys.iter().all(|key| !common.contains(&key.name)));
    }
}
