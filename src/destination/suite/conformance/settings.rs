//! What every kind's settings accept, default to and refuse.

use super::*;
use crate::settings::Rate;

#[test]
fn settings_have_their_defaults() {
    let (settings, problems) = read(
        "type = \"slack\"\nwebhook_url = \"https://hooks.slack.com/services/T/B/x\"\nskip_if_read = false",
    );
    assert!(problems.is_empty(), "{problems:?}");
    let settings = settings.unwrap();
    assert_eq!((settings.name.as_str(), settings.kind.name), ("support", "slack"));
    let common = settings.common;
    assert_eq!(common.rate_limit, Rate::per_second(1));
    assert_eq!(common.timeout, Duration::from_secs(10));
    assert_eq!(common.give_up_after, Duration::from_secs(48 * 3_600));
    assert_eq!(common.timezone, jiff::tz::TimeZone::UTC);
    assert!(common.active_hours.is_none() && !common.show_email && !common.allow_http);
    let (settings, problems) = read(
        "type = \"webhook\"\nurl = \"https://x.example/\"\nrate_limit = \"30/m\"\ntimezone = \"Europe/Amsterdam\"\n\
         active_hours = { days = [\"mon-fri\"], from = \"08:00\", to = \"18:00\" }",
    );
    assert!(problems.is_empty(), "{problems:?}");
    let common = settings.unwrap().common;
    assert_eq!(common.rate_limit.to_string(), "30/m");
    assert_eq!(common.active_hours.unwrap().zone, jiff::tz::TimeZone::get("Europe/Amsterdam").unwrap());
}

#[test]
fn every_mistake_is_told_at_once_and_no_secret_with_it() {
    let hook = "webhook_url = \"https://hooks.slack.com/services/T/B/secretpath\"";
    assert_refused(&[
        ("x = 1", "support.type: is missing"),
        ("type = \"slak\"", "type: unknown kind `slak`"),
        ("type = \"discrod\"", "type: unknown kind `discrod`"),
        ("type = \"slack\"", "webhook_url: is missing"),
        ("type = \"slack\"\nwebhook_url = \"secretpath\"", "webhook_url: is not a URL"),
        ("type = \"slack\"\nwebhook_url = \"http://hooks.example/secretpath\"", "webhook_url: is http"),
        (
            "type = \"slack\"\nwebhook_url = \"ftp://hooks.example/secretpath\"",
            "webhook_url: is not an https URL",
        ),
        (
            "type = \"slack\"\nwebhook_url = \"https://a:secretpath@hooks.example/\"",
            "webhook_url: contains a username or password",
        ),
        (
            "type = \"slack\"\nwebhook_url = \"https://hooks.example/#secretpath\"",
            "webhook_url: contains a `#` part",
        ),
        ("type = \"slack\"\nwebhook_url_file = \"/nowhere\"", "webhook_url_file: the file cannot be read"),
        (&format!("type = \"slack\"\n{hook}\nmention = \"@here\""), "mention: is not a valid Slack mention"),
        (&format!("type = \"slack\"\n{hook}\nurl = \"x\""), "url: unknown key"),
        (
            &format!(
                "type = \"slack\"
{hook}
digest = {{ schedule = \"8:00\" }}"
            ),
            "digest.schedule: is not a valid schedule",
        ),
        (&format!("type = \"slack\"\n{hook}\nburst = {{ limit = 2 }}"), "burst.window: is missing"),
        (&format!("type = \"slack\"\n{hook}\ntemplate = \"X/\""), "template: is not a valid name"),
        (&format!("type = \"slack\"\n{hook}\nskip_if_read = \"yes\""), "skip_if_read: must be true or false"),
        (&format!("type = \"slack\"\n{hook}\ntimeout = \"500ms\""), "timeout: is not in range"),
        (&format!("type = \"slack\"\n{hook}\ntimeout = \"3m\""), "timeout: is not in range"),
        (&format!("type = \"slack\"\n{hook}\nca_file = \"Cargo.toml\""), "ca_file: "),
        (&format!("type = \"slack\"\n{hook}\nca_file = \"nowhere.pem\""), "ca_file: cannot read"),
        (
            &format!("type = \"slack\"\n{hook}\nactive_hours = {{ from = \"8\", to = \"18:00\" }}"),
            "active_hours.from: is not a time of day",
        ),
        (
            &format!("type = \"slack\"\n{hook}\nactive_hours = {{ from = \"08:00\", to = \"08:00\" }}"),
            "active_hours.to: is the same",
        ),
        (
            &format!(
                "type = \"slack\"\n{hook}\nactive_hours = {{ from = \"08:00\", to = \"18:00\", days = [\"work\"] }}"
            ),
            "active_hours.days: is not a list of days",
        ),
        (
            &format!(
                "type = \"slack\"\n{hook}\nactive_hours = {{ from = \"08:00\", to = \"18:00\", day = [] }}"
            ),
            "active_hours.day: unknown key",
        ),
    ]);
    let (_, problems) = read("type = \"webhook\"\ntimeout = \"x\"\nsecret = \"y\"\nrate_limit = 1\nnope = 2");
    assert_eq!(problems.len(), 5, "{problems:?}");
    for url in ["http://localhost/x", "http://127.0.0.1:1/x", "http://[::1]/x"] {
        assert!(read(&format!("type = \"webhook\"\nurl = \"{url}\"")).1.is_empty(), "{url}");
    }
    assert!(read("type = \"webhook\"\nurl = \"http://x.example\"\nallow_http = true").1.is_empty());
}
