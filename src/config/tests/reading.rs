//! What each section means, and all that is wrong at once.

use super::super::LogFormat;
use super::{Folder, WITHOUT_ACCOUNT, with};
use crate::domain::{AccountPolicy, Backfill, MarkRead, Unmatched};
use std::time::Duration;

#[test]
fn without_settings_the_defaults_hold() {
    let loaded = with("").load(&[]).unwrap();
    let settings = &loaded.settings;
    let policy = &settings.accounts["main"].policy;
    assert_eq!(*policy, AccountPolicy::default());
    assert_eq!(policy.poll_interval, Duration::from_secs(60));
    assert_eq!(policy.backfill, Backfill::Within(Duration::from_secs(24 * 3600)));
    assert_eq!(policy.max_age, Duration::from_secs(90 * 24 * 3600));
    assert_eq!((policy.mark_read, policy.unmatched), (MarkRead::AfterDelivery, Unmatched::KeepUnread));
    assert_eq!(policy.settle, Duration::ZERO);
    assert_eq!(settings.http.listen, Some("127.0.0.1:8080".parse().unwrap()));
    assert_eq!((settings.log.level.as_str(), settings.log.format), ("info", LogFormat::Text));
    assert_eq!(settings.templates_dir, None);
    assert_eq!(loaded.warnings.len(), 1, "{:?}", loaded.warnings);
    assert!(loaded.warnings[0].contains("operator.notify"));
}

#[test]
fn settings_are_taken() {
    let loaded = Folder::new(
        "[accounts.main]\ntoken = 'x'\npoll_interval = '5s'\nbackfill = 'none'\nmax_age = '7d'\nmark_read = 'never'\n\
         unmatched = 'mark_read'\nsettle = '2m'\nrating_scales = { Kiyoh = 10, 'Shop nl' = 2.5 }\n\
         [destinations.ops]\ntype = 'webhook'\nurl = 'https://crm.example/x'\n\
         [[rules]]\nname = 'all'\nto = ['ops']\n[state]\nurl = 'sqlite:///var/lib/b.db'\n[http]\nlisten = '[::]:80'\n\
         [log]\nlevel = 'info,hyper=warn'\nformat = 'json'\n\
         [operator]\nnotify = ['ops']\nheartbeat_url = 'https://heartbeat.example/x'\n",
    )
    .load(&[])
    .unwrap();
    let settings = &loaded.settings;
    let policy = &settings.accounts["main"].policy;
    assert_eq!((policy.poll_interval.as_secs(), policy.max_age.as_secs()), (5, 7 * 86_400));
    assert_eq!((policy.backfill, policy.settle.as_secs()), (Backfill::None, 120));
    assert_eq!((policy.mark_read, policy.unmatched), (MarkRead::Never, Unmatched::MarkRead));
    assert_eq!(policy.rating_scales.of(["shop nl"]), Some(2.5));
    assert_eq!(settings.state.path.to_str(), Some("/var/lib/b.db"));
    assert_eq!(settings.http.listen, Some("[::]:80".parse().unwrap()));
    assert_eq!((settings.log.level.as_str(), settings.log.format), ("info,hyper=warn", LogFormat::Json));
    assert_eq!(settings.operator.heartbeat_url.as_ref().unwrap().expose(), "https://heartbeat.example/x");
    // Its only destination for notices is one that may fail.
    let [warning] = &*loaded.warnings else { panic!("{:?}", loaded.warnings) };
    assert!(warning.starts_with("no notice can arrive when `ops` fails"), "{warning}");
    assert!(!settings.operator.name.is_empty(), "the host has a name");
}

#[test]
fn all_problems_are_reported_together() {
    let folder = Folder::new(
        "colour = 'red'\ntemplates_dir = 'nowhere'\n\
         [accounts.main]\npoll_interval = '1s'\nbackfill = 'some'\nmark_read = 'always'\nmax_age = 90\n\
         [accounts.main.rating_scales]\nA = 0\nB = 1001\nC = nan\nD = 'ten'\ne = 5\nE = 6\nF = 2020-01-01\n\
         [accounts.Second]\n[accounts.a__b]\n[accounts.a_]\n\
         [destinations.Ops]\n[destinations.ops]\n\
         [acounts]\n[smtp]\nport = 0\n[default]\n[global]\n\
         [state]\nretention = '59m'\nurl = 'sqlite::memory:'\n\
         [http]\nlisten = 'localhost'\npassword = 'x'\npublic_url = 'https://reviews.example'\nhosts = []\n\
         [log]\nlevel = 'inof'\nformat = 1\n\
         [operator]\nnotify = ['opps']\nheartbeat_url = 'http://heartbeat.example'\n",
    );
    let mut problems = folder.problems(&[]);
    problems.sort();
    let mut expected = [
        "|accounts.Second|is not a valid name",
        "|accounts.a_|is not a valid name",
        "|accounts.a__b|is not a valid name",
        "|accounts.main.backfill|is not a duration",
        "|accounts.main.mark_read|unknown value `always`",
        "|accounts.main.max_age|is not a duration",
        "|accounts.main.poll_interval|must be at least 5s",
        "|accounts.main.rating_scales.A|is not a valid scale",
        "|accounts.main.rating_scales.B|is not a valid scale",
        "|accounts.main.rating_scales.C|is not a number",
        "|accounts.main.rating_scales.D|is not a number",
        "|accounts.main.rating_scales.F|is not a number",
        "|accounts.main.rating_scales.e|is set twice",
        "|accounts.main.token|is missing",
        "|acounts|unknown key",
        "|colour|unknown key",
        "|default|unknown key",
        "|destinations.Ops|is not a valid name",
        "|destinations.ops.type|is missing",
        "|global|unknown key",
        "|http.hosts|not in this version",
        "|http.listen|is not an address and a port",
        "|http.password|not in this version",
        "|http.public_url|not in this version",
        "|log.format|is not text",
        "|log.level|is not a log level",
        "|operator.heartbeat_url|is not an https URL",
        "|operator.notify|unknown destination `opps`",
        "|rules|no rules, so nothing would ever be delivered",
        "|smtp.host|is missing",
        "|smtp.port|is not in range",
        "|state.retention|must be at least 1h",
        "|state.url|would lose everything at a restart; old reviews would be delivered again, or not at all",
        "|templates_dir|is not a readable folder",
    ]
    .map(|problem| format!("config.toml{problem}"));
    expected.sort();
    assert_eq!(problems, expected);
    let text = folder.load(&[]).unwrap_err().to_string();
    assert!(text.starts_with("the configuration has 34 problems\n"), "{text}");
    for hint in ["did you mean `accounts`?", "did you mean `info`?", "did you mean `ops`?"] {
        assert!(text.contains(hint), "{hint}: {text}");
    }
}

#[test]
fn an_account_is_needed() {
    for none in ["", "[accounts]", "accounts = {}"] {
        let problems = Folder::new(&format!("{none}\n{WITHOUT_ACCOUNT}")).problems(&[]);
        assert_eq!(problems, ["config.toml|accounts|no account is configured"], "{none}");
    }
}

#[test]
fn states_that_would_not_last_or_are_unknown() {
    for (url, what) in [
        ("postgres://u:p@h/db", "PostgreSQL: not in this version"),
        ("postgresql:///db", "PostgreSQL: not in this version"),
        ("sqlite://:memory:", "would lose everything"),
        ("sqlite:file:x?mode=memory", "would lose everything"),
        ("sqlite:x.db?mode=ro", "contains parameters"),
        ("sqlite:", "has no file name"),
        ("mysql://h/db", "is not a supported database URL"),
        ("review-bridge.db", "is not a supported database URL"),
    ] {
        let folder = with("[state]\nurl_file = 'url'");
        folder.write("url", url);
        let problems = folder.problems(&[]);
        assert!(
            problems.len() == 1 && problems[0].starts_with(&format!("config.toml|state.url_file|{what}")),
            "{problems:?}"
        );
    }
}

#[test]
fn a_heartbeat_is_encrypted_unless_it_stays_on_this_machine() {
    for (url, good) in [
        ("https://heartbeat.example/x", true),
        ("http://127.0.0.1:9/x", true),
        ("http://localhost/x", true),
        ("http://heartbeat.example/x", false),
        ("http://localhost.evil.example/x", false),
        ("ftp://127.0.0.1/x", false),
        ("heartbeat.example", false),
        ("https://", false),
    ] {
        let folder = with(&format!("[operator]\nnotify = []\nheartbeat_url = '{url}'"));
        assert_eq!(folder.load(&[]).is_ok(), good, "{url}");
    }
}

#[test]
fn nothing_from_the_file_controls_a_terminal() {
    let text = with("\"a\\u001b[31m\\u202eb\" = 1\n[operator]\nnotify = [\"\\u001b]0;x\\u0007\"]")
        .load(&[])
        .unwrap_err()
        .to_string();
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
}

// S9
#[test]
fn a_proxy_of_the_environment_is_said_to_be_ignored() {
    let folder = with("");
    let variables =
        [("https_proxy", "http://user:s3cret@proxy.example:3128"), ("HTTP_PROXY", ""), ("NO_PROXY", "x")];
    let warnings = folder.load(&variables).unwrap().warnings;
    let said: Vec<&String> = warnings.iter().filter(|warning| warning.contains("proxy")).collect();
    assert!(said.len() == 1 && said[0].starts_with("`https_proxy` is set"), "{warnings:?}");
    assert!(!said[0].contains("s3cret"));
}
