//! A secret stays one, whatever the mistake: in problems, in warnings, in `Debug` and in `config show`.

use super::super::show;
use super::{Folder, LEAST, with};
use proptest::prelude::*;

const MARKER: &str = "MARKERqhxwzj";
/// The tables that hold secrets, and their secrets.
const SECRETS: [(&str, &[&str]); 5] = [
    ("accounts.main", &["token", "password"]),
    ("destinations.ops", &["webhook_url"]),
    ("destinations.crm", &["url", "secret"]),
    ("state", &["url"]),
    ("operator", &["heartbeat_url"]),
];

/// Loads, and checks everything that could be printed of it.
fn assert_silent(folder: &Folder, environment: &[(&str, &str)], what: &str) {
    let printed = match folder.load(environment) {
        Ok(loaded) => format!("{loaded:?}\n{}\n{:?}", show(&loaded), loaded.warnings),
        Err(failure) => format!("{failure}\n{failure:?}"),
    };
    assert!(!printed.contains(MARKER), "{what}\n----\n{printed}");
}

/// Everything one can do to a key whose value is a secret.
fn mistakes(key: &str) -> Vec<String> {
    let forms = [
        "KEY = \"M\"",
        "KEY = \"M",
        "KEY = 'M",
        "KEY = M",
        "KEY = M = M",
        "KEY == \"M\"",
        "KEY \"M\"",
        "KEY: \"M\"",
        "KEY = \"M\" M",
        "KEY = \"M\\q\"",
        "KEY = \"\\u{M}\"",
        "KEY = \"\"\"M",
        "KEY = '''M\n'''",
        "KEY = \"M\\nM\"",
        "KEY = [\"M\"]",
        "KEY = [\"M\"",
        "KEY = [[\"M\"]]",
        "KEY = { M = \"M\" }",
        "KEY = { x = \"M\"",
        "KEY.x = \"M\"",
        "KEY = \"M\"\nKEY = \"M\"",
        "KEY = \"M\"\nKEY_file = \"M\"",
        "KEY_file = \"M\"",
        "KEY_file = [\"M\"]",
        "KEY_file = \"holds-two-lines\"",
        "KEY_file = \"holds-bytes\"",
        "KEY_file = \"holds-one\"",
        "KEY_file = \"M/M\"",
        "KEY = 2020-01-01 # M",
        "KEY = 1 # M",
        "KEY = \"https://u:M@h.example/M?M#M\"",
        "KEY = \"http://M.example/M\"",
        "KEY = \"postgres://M:M@h/M\"",
        "KEY = \"sqlite:M?M\"",
        "KEY = \"mysql://M\"",
        "KEYS = \"M\"",
        "x_KEY = \"M\"",
        "KEY_fil = \"M\"",
        "\u{FEFF}KEY = \"M\"",
        "KEY = \"M\u{0}\"",
        "KEY = “M”",
        "KEY = \"\u{1b}M\"",
    ];
    forms.iter().map(|form| form.replace("KEY", key).replace("M", MARKER)).collect()
}

fn folder(contents: &str) -> Folder {
    let folder = Folder::new(contents);
    folder.write("holds-one", format!("{MARKER}\n"));
    folder.write("holds-two-lines", format!("{MARKER}\n{MARKER}\n"));
    folder.write("holds-bytes", [MARKER.as_bytes(), b"\xff"].concat());
    folder
}

#[test]
fn no_mistake_in_the_file_prints_a_secret() {
    for (table, keys) in SECRETS {
        for key in keys {
            for mistake in mistakes(key) {
                let mistake =
                    format!("{}{mistake}", if *key == "webhook_url" { "type = 'slack'\n" } else { "" });
                let contents = format!("[{table}]\n{mistake}\n");
                assert_silent(&folder(&contents), &[], &contents);
                // And beside a problem elsewhere, so that the whole is refused.
                let contents = format!("nonsense = 1\n[{table}]\n{mistake}\n[log]\nlevel = 1\n");
                assert_silent(&folder(&contents), &[], &contents);
            }
        }
    }
    for contents in
        ["[smtp]\npassword = 'M'", "[http]\npassword = 'M'", "accounts = 'M'", "accounts.main = ['M']"]
    {
        let contents = contents.replace("'M'", &format!("'{MARKER}'"));
        assert_silent(&Folder::new(&contents), &[], &contents);
    }
}

#[test]
fn no_mistake_in_the_environment_prints_a_secret() {
    for (table, keys) in SECRETS {
        for key in keys {
            for ending in ["", "_FILE", "__X", "S", "_"] {
                let path = format!("{table}.{key}").to_uppercase().replace('.', "__");
                let name = format!("REVIEW_BRIDGE__{path}{ending}");
                for value in
                    [MARKER, &format!("\"{MARKER}"), &format!("{{ x = '{MARKER}' }}"), &format!("{MARKER}\n")]
                {
                    for contents in [LEAST, "nonsense = 1"] {
                        assert_silent(&folder(contents), &[(&name, value)], &name);
                    }
                }
            }
        }
    }
    let table = format!(
        "{{ type = 'webhook', url = 'https://{MARKER}.example', secret = '{MARKER}', x_{MARKER} = 1 }}"
    );
    assert_silent(
        &with(""),
        &[("REVIEW_BRIDGE__DESTINATIONS__CRM", &table.replace(&format!(", x_{MARKER} = 1"), ""))],
        "table",
    );
}

#[test]
fn a_secrets_file_holds_it_alone() {
    let folder = folder(&LEAST.replace("token = \"s3cret-token\"", "token_file = 'secret'"));
    for (contents, fault) in [
        ("x\n", None),
        ("\u{FEFF}x\r\n", None),
        ("", Some("is empty")),
        (" \n", Some("is empty")),
        ("x\n\n", Some("contains a line break or another control character")),
        ("x\ty", Some("contains a line break or another control character")),
        (&"x".repeat(64 * 1024 + 1), Some("the file is not text, or is larger than 64 KiB")),
    ] {
        folder.write("secret", contents);
        let expected: Vec<String> =
            fault.iter().map(|fault| format!("config.toml|accounts.main.token_file|{fault}")).collect();
        assert_eq!(folder.problems(&[]), expected);
    }
    std::fs::remove_file(folder.path().join("secret")).unwrap();
    let text = folder.load(&[]).unwrap_err().to_string();
    assert!(text.contains("`accounts.main.token_file`: the file cannot be read: no such file"), "{text}");
}

#[test]
fn show_is_toml_with_origins_and_without_secrets() {
    let folder = folder(&format!(
        "{}[accounts.main.rating_scales]\n\"Shop \\\"nl\\\"\" = 2.5\n[state]\nurl_file = 'url'\n[http]\nlisten = ''\n",
        LEAST.replace("s3cret", MARKER)
    ));
    folder.write("url", "sqlite:x.db");
    let secret = format!("https://{MARKER}.example/");
    let loaded = folder
        .load(&[
            ("REVIEW_BRIDGE__OPERATOR__HEARTBEAT_URL", &secret),
            ("REVIEW_BRIDGE__ACCOUNTS__MAIN__REQUESTS_PER_MINUTE", "5"),
            ("REVIEW_BRIDGE__LOG__LEVEL", "debug"),
        ])
        .unwrap();
    let text = show(&loaded);
    assert!(!text.contains(MARKER), "{text}");
    for line in [
        "token = \"[redacted]\" # config.toml",
        "webhook_url = \"[redacted]\" # config.toml",
        "heartbeat_url = \"[redacted]\" # REVIEW_BRIDGE__OPERATOR__HEARTBEAT_URL",
        "requests_per_minute = 5 # REVIEW_BRIDGE__ACCOUNTS__MAIN__REQUESTS_PER_MINUTE",
        "level = \"debug\" # REVIEW_BRIDGE__LOG__LEVEL",
        "poll_interval = \"1m\" # default",
        "backfill = \"24h\" # default",
        "base_url = \"https://app.shopreviews.com/api/v1\" # default",
        "max_page_bytes = 134217728 # default",
        "unread_reviews = \"reviews/unread\" # default",
        "mark_review_read = \"reviews/{uuid}/read\" # default",
        "rate_limit = \"1/s\" # default",
        "timeout = \"10s\" # default",
        "give_up_after = \"2d\" # default",
        "timezone = \"UTC\" # default",
        "show_email = false # default",
        "skip_if_read = false # default",
        "retention = \"180d\" # default",
        "listen = \"\" # config.toml",
        "url_file = \"url\" # config.toml",
        "\"Shop \\\"nl\\\"\" = 2.5 # config.toml",
        "[[rules]]",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
    }
    assert!(!text.contains("sqlite:review-bridge.db"), "{text}");
    // What it shows can be loaded again and means the same, but for the secrets.
    let again =
        Folder::new(&text.replace("url_file", "# url_file").replace("[redacted]", "https://x.example"));
    let again = again.load(&[]).unwrap();
    assert_eq!(again.settings.log, loaded.settings.log);
    assert_eq!(again.settings.accounts["main"].policy, loaded.settings.accounts["main"].policy);
}

proptest! {
    /// One line of a good file is damaged anywhere, in any way: what is told of it is no secret.
    #[test]
    fn no_damage_prints_a_secret(good in any::<bool>(), line in 0usize..32, from in 0usize..80, to in 0usize..80, into in "[\"'=\\[\\]{}#.,\\\\a\n\u{0}é ]{0,3}") {
        let state = if good { "sqlite:x".into() } else { format!("postgres://x:{MARKER}@x") };
        let text = format!("[accounts.main]\ntoken = \"{MARKER}\"\npassword = '{MARKER}'\n[destinations.ops]\n\
            type = \"slack\"\nwebhook_url = \"https://x.example/{MARKER}\"\n[destinations.crm]\ntype = \"webhook\"\n\
            secret = \"\"\"{MARKER}\"\"\"\nurl = '''{MARKER}'''\n\
            [state]\nurl = \"{state}\"\n[operator]\nheartbeat_url = \"https://{MARKER}.example/{MARKER}\"\nnotify = [\"ops\"]\n");
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let count = lines.len();
        let damaged = &mut lines[line % count];
        let length = damaged.len() + 1;
        let (from, to) = (from % length, to % length);
        damaged.replace_range(from.min(to)..from.max(to), &into);
        let contents = lines.join("\n");
        assert_silent(&Folder::new(&contents), &[], &contents);
    }
}
