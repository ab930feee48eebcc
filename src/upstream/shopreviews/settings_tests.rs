//! Tests of the API's settings, through the table that configuration hands over.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::settings::{Problems, Source};
use figment::value::Dict;

/// Reads `toml` as an account's table; the settings, and each problem as `path: what`.
fn read(toml: &str) -> (Option<Settings>, Vec<String>) {
    let dict: Dict = toml::from_str(toml).unwrap();
    let source = Source {
        folder: "/nowhere".into(),
        file: "config.toml".into(),
        environment: Vec::new(),
        problems: Problems::default(),
    };
    let settings = Settings::read(&Table::new("accounts.main", &dict, &source));
    let problems = source.problems.into_vec();
    (settings, problems.into_iter().map(|problem| format!("{}: {}", problem.path, problem.what)).collect())
}

#[test]
fn defaults_are_those_of_the_official_client() {
    let (settings, problems) = read("token = 's3cret'");
    let settings = settings.unwrap();
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(settings.base_url.as_str(), DEFAULT_BASE_URL);
    assert_eq!(settings.requests_per_minute, 30);
    assert_eq!(settings.max_page_bytes, 134_217_728);
    assert!(!settings.allow_http);
    assert_eq!(settings.endpoints.path(Endpoint::UnreadReviews), "reviews/unread");
    assert!(!format!("{settings:?}").contains("s3cret"));
}

#[test]
fn exactly_one_way_to_authenticate() {
    assert_eq!(read("").1, ["accounts.main.token: is missing"]);
    assert_eq!(
        read("token = 'a'\nemail = 'b@c.example'\npassword = 'd'").1,
        ["accounts.main.token: is set together with a login"]
    );
    assert_eq!(read("email = 'b@c.example'").1, ["accounts.main.password: is missing"]);
    assert_eq!(read("password = 'd'").1, ["accounts.main.email: is missing"]);
    let (settings, problems) = read("email = 'b@c.example'\npassword = 'd'");
    assert_eq!(problems, Vec::<String>::new());
    assert!(
        matches!(settings.unwrap().credentials, Credentials::Login { email, .. } if email == "b@c.example")
    );
}

#[test]
fn the_base_url_is_https_unless_it_stays_on_this_machine() {
    for good in ["http://127.0.0.1:9/api/v1", "http://localhost/x", "http://[::1]:9", "https://a.example/b/"]
    {
        assert_eq!(read(&format!("token = 'a'\nbase_url = '{good}'")).1, Vec::<String>::new(), "{good}");
    }
    for (bad, what) in [
        ("http://a.example", "is not encrypted"),
        ("http://127.0.0.1.a.example", "is not encrypted"),
        ("ftp://a.example", "is not an https URL"),
        ("app.shopreviews.com/api/v1", "is not a URL"),
        ("https://u:p@a.example", "contains a user name or password"),
        ("https://a.example/?x=1", "has a query or a fragment"),
    ] {
        let (settings, problems) = read(&format!("token = 'a'\nbase_url = '{bad}'"));
        assert_eq!(problems, [format!("accounts.main.base_url: {what}")], "{bad}");
        assert!(settings.is_none());
    }
    assert!(read("token = 'a'\nbase_url = 'http://a.example'\nallow_http = true").0.is_some());
}

#[test]
fn paths_stay_below_the_base_url_and_keep_their_placeholders() {
    let (settings, problems) = read(
        "token = 'a'\n[endpoints]\nunread_reviews = 'reviews?unread=1'\nmark_review_read = 'reviews/read'",
    );
    assert_eq!(problems, Vec::<String>::new());
    let settings = settings.unwrap();
    assert_eq!(settings.endpoints.path(Endpoint::UnreadReviews), "reviews?unread=1");
    assert_eq!(settings.endpoints.path(Endpoint::MarkReviewRead), "reviews/read");
    for bad in [
        "",
        "/reviews",
        "https://evil.example/x",
        "//evil.example",
        "a/../b",
        "a/%2e%2E/b",
        "a b",
        "a#b",
        "a\\\\b",
    ] {
        let (settings, problems) = read(&format!("token = 'a'\nendpoints = {{ websites = \"{bad}\" }}"));
        assert_eq!(problems.len(), 1, "{bad}: {problems:?}");
        assert!(problems[0].starts_with("accounts.main.endpoints.websites: must be a path"), "{problems:?}");
        assert!(settings.is_none());
    }
    let wrong = read("token = 'a'\nendpoints = { review = 'reviews', sources = 's/{uuid}', sauces = 'x' }").1;
    assert_eq!(
        wrong,
        [
            "accounts.main.endpoints.sources: contains an unknown placeholder",
            "accounts.main.endpoints.review: is missing its placeholder",
            "accounts.main.endpoints.sauces: unknown key",
        ]
    );
}

#[test]
fn a_wrong_number_is_reported_and_not_replaced_by_the_default() {
    let (settings, problems) = read("token = 'a'\nrequests_per_minute = 0\nmax_page_bytes = 'x'");
    assert!(settings.is_none());
    assert_eq!(problems.len(), 2, "{problems:?}");
}

#[test]
fn the_size_of_a_page_has_a_unit_or_is_in_bytes() {
    for (value, bytes) in
        [("'128MiB'", 134_217_728), ("'64 MiB'", 67_108_864), ("1048576", 1_048_576), ("'2048'", 2_048)]
    {
        let settings = read(&format!("token = 'a'\nmax_page_bytes = {value}")).0.unwrap();
        assert_eq!(settings.max_page_bytes, bytes, "{value}");
    }
    for bad in ["'1'", "'9999GiB'", "12", "true"] {
        let (settings, problems) = read(&format!("token = 'a'\nmax_page_bytes = {bad}"));
        assert!(settings.is_none() && problems.len() == 1, "{bad}: {problems:?}");
    }
}
