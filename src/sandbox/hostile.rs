//! Every hostile item that a review may be, by name: a list for the sandbox and for tests that torture.
//!
//! Items of cases that are not about dates carry none, so that they count as recent.

use super::catalog::{COMPANY, SOURCES};
use serde_json::{Value, json};

/// Every case: its name and the item as the API would send it. Unless a case is about the uuid, the item's
/// uuid is `hostile-` and its name.
pub fn cases() -> Vec<(&'static str, String)> {
    let mut cases = Vec::new();
    for (field, list) in [("body", bodies()), ("body", markup()), ("name", authors()), ("rating", ratings())]
    {
        cases.extend(list.into_iter().map(|(name, value)| (name, item(name, field, value))));
    }
    cases.extend(dates().into_iter().map(|(name, value)| (name, item(name, "review_at", value))));
    cases.extend(references().into_iter().map(|(name, field, value)| (name, item(name, field, value))));
    cases.extend(raw());
    cases
}

fn item(name: &str, field: &str, value: Value) -> String {
    let source = &SOURCES[0];
    let mut item = json!({
        "uuid": format!("hostile-{name}"), "name": "Sam", "email": "sam@mail.example", "body": "A text.", "rating": 2,
        "source_uuid": source.uuid, "platform_uuid": source.platform.uuid, "company_uuid": COMPANY,
        "local_code": "en_GB", "review_at": null,
    });
    item[field] = value;
    item.to_string()
}

type Case = (&'static str, Value);

/// Texts that are hard to show.
fn bodies() -> Vec<Case> {
    let zalgo: String = "broken"
        .chars()
        .flat_map(|c| [c].into_iter().chain("\u{300}\u{316}\u{489}".repeat(12).chars().collect::<Vec<_>>()))
        .collect();
    vec![
        ("body-null", Value::Null),
        ("body-empty", json!("")),
        ("body-spaces", json!("   ")),
        ("body-nbsp", json!("\u{A0}\u{A0}")),
        ("body-zero-width", json!("\u{200B}\u{200D}\u{FEFF}")),
        ("body-dot", json!(".")),
        ("body-thumb", json!("👍")),
        ("body-thumbs", json!("👍🏽👍🏽👍🏽")),
        ("body-family", json!("👨‍👩‍👧‍👦 loved it")),
        ("body-flags", json!("🇳🇱🇧🇪🏴󠁧󠁢󠁥󠁮󠁧󠁿 1️⃣2️⃣")),
        ("body-zalgo", json!(zalgo)),
        ("body-rtl-numbers", json!("הזמנתי 3 פריטים ב-12.5.2026 וקיבלתי 1, אישור ABC-123")),
        ("body-override", json!("Nice \u{202E}gnp.exe\u{202C} shop \u{2066}hidden\u{2069}")),
        ("body-cjk", json!("质量非常好物流也很快客服态度特别好以后还会再来购买".repeat(12))),
        ("body-long-line", json!("x".repeat(20_000))),
        ("body-long-words", json!("never again ".repeat(1_700))),
        ("body-newlines", json!(format!("top{}bottom", "\n".repeat(300)))),
        ("body-crlf", json!("one\r\ntwo\rthree\r\n")),
        ("body-tabs", json!("a\tb\t\tc")),
        ("body-nul", json!("before\u{0}after")),
        ("body-escapes", json!("\u{1b}[2J\u{1b}]0;title\u{7}red\u{9b}31m\u{85}next")),
        ("body-separators", json!("a\u{2028}b\u{2029}c")),
        ("body-tags-block", json!("hi\u{E0001}\u{E0068}\u{E0069}")),
        ("body-number", json!(12345)),
        ("body-list", json!(["a", "b"])),
    ]
}

/// Texts that would like to be something else.
fn markup() -> Vec<Case> {
    vec![
        ("markup-br", json!("one<br />two<BR>three<br/>")),
        ("markup-p", json!("<p>one</p><p class=\"x\">two</p>")),
        ("markup-entities", json!("it&amp;#39;s &quot;fine&quot; &lt;3 &amp;amp; more&nbsp;")),
        ("markup-double", json!("&amp;lt;script&amp;gt;alert(1)&amp;lt;/script&amp;gt;")),
        ("markup-script", json!("<script>alert(1)</script><img src=x onerror=alert(1)>")),
        ("markup-channel", json!("<!channel> <!here> <!everyone>")),
        ("markup-user", json!("<@U12345678> <#C12345678> <!subteam^S1>")),
        ("markup-slack-link", json!("<https://evil.example|Log in>")),
        ("markup-everyone", json!("@everyone @here @channel")),
        ("markup-style", json!("*bold* _italic_ ~gone~ `code` ```block```\n> quote\n# title\n- item")),
        ("markup-link", json!("[Log in](https://evil.example) ![x](https://evil.example/p.png)")),
        (
            "markup-bare-link",
            json!("see https://evil.example/x?y=z and www.evil.example or evil@evil.example"),
        ),
        ("markup-template", json!("{{7*7}} {{{rating}}} {% for x in y %} ${7*7} #{7*7} {{#each this}}")),
        ("markup-formula", json!("=cmd|' /C calc'!A0")),
        ("markup-json", json!("\"}],\"text\":\"<!channel>\",\"x\":[{\"y\":\"\\\\")),
        ("markup-at-tag", json!("<at>everyone</at> <at id=\"0\">x</at>")),
        ("mojibake", json!("fantastisch â€“ cafÃ©")),
        ("form-nfd", json!("Cafe\u{301} cre\u{300}me")),
        ("form-nfc", json!("Café crème")),
        ("smart-quotes", json!("“Great” – it’s ‘fine’…")),
        ("translated", json!("(Translated by Google) Very good!\n\n(Original)\nHeel goed!")),
    ]
}

/// Authors that are none, or worse.
fn authors() -> Vec<Case> {
    vec![
        ("name-null", Value::Null),
        ("name-empty", json!("")),
        ("name-anoniem", json!("anoniem")),
        ("name-google", json!("A Google User")),
        ("name-klant", json!("Klant")),
        ("name-email", json!("sam@mail.example")),
        ("name-emoji", json!("🌸✨")),
        ("name-markup", json!("Smith & Sons <Ltd>")),
        ("name-crlf", json!("Sam\r\nBcc: everyone@mail.example")),
        ("name-long", json!("Name ".repeat(60))),
        ("name-channel", json!("<!channel>")),
        ("name-same-1", json!("Same Name")),
        ("name-same-2", json!("Same Name")),
        ("name-object", json!({"first": "Sam"})),
    ]
}

/// Ratings that are none, or on another scale than one thinks.
fn ratings() -> Vec<Case> {
    vec![
        ("rating-null", Value::Null),
        ("rating-text", json!("5")),
        ("rating-comma", json!("4,5")),
        ("rating-half", json!(4.5)),
        ("rating-zero", json!(0)),
        ("rating-six", json!(6)),
        ("rating-ten", json!(10)),
        ("rating-eleven", json!(11)),
        ("rating-negative", json!(-1)),
        ("rating-nan", json!("NaN")),
        ("rating-word", json!("FIVE")),
        ("rating-recommended", json!("recommended")),
        ("rating-yes", json!("yes")),
        ("rating-true", json!(true)),
        ("rating-object", json!({"value": 5, "max": 5})),
        ("rating-tiny", json!(1e-300)),
    ]
}

/// Dates of every form, and some that cannot be.
fn dates() -> Vec<Case> {
    vec![
        ("date-offset", json!("2026-03-01T12:00:00+05:30")),
        ("date-naive", json!("2026-03-01 12:00:00")),
        ("date-only", json!("2026-03-01")),
        ("date-nanos", json!("2026-03-01T12:00:00.123456789Z")),
        ("date-epoch", json!(1_772_366_400)),
        ("date-epoch-text", json!("1772366400")),
        ("date-future", json!("2099-01-01T00:00:00Z")),
        ("date-1970", json!("1970-01-01T00:00:00.000000Z")),
        ("date-2009", json!("2009-05-05T10:00:00Z")),
        ("date-gap", json!("2026-03-29T02:30:00+01:00")),
        ("date-overlap", json!("2026-10-25T02:30:00+02:00")),
        ("date-same-1", json!("2026-03-01T12:00:00Z")),
        ("date-same-2", json!("2026-03-01T12:00:00Z")),
        ("date-word", json!("yesterday")),
        ("date-empty", json!("")),
        ("date-huge", json!(9_007_199_254_740_993_u64)),
        ("date-list", json!([2026, 3, 1])),
    ]
}

/// References that lead nowhere, or to something odd.
fn references() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("source-null", "source_uuid", Value::Null),
        ("source-unknown", "source_uuid", json!("50a2ce00-dead-4000-8000-000000000000")),
        ("source-null-name", "source_uuid", json!("odd-null-name")),
        ("source-many-websites", "source_uuid", json!("odd-many-websites")),
        ("source-odd-link", "source_uuid", json!("odd-inactive")),
        ("source-without-website", "source_uuid", json!(SOURCES[SOURCES.len() - 1].uuid)),
        ("source-control", "source_uuid", json!("a\u{1b}[31m\n\u{202E}b")),
        ("platform-unknown", "platform_uuid", json!("91a7f0a0-dead-4000-8000-000000000000")),
        ("platform-number", "platform_uuid", json!(7)),
        ("websites-text", "website_uuids", json!("[\"3eb51e00-0000-4000-8000-000000000002\"]")),
        ("websites-null", "website_uuids", Value::Null),
        ("url-script", "url", json!("javascript:alert(1)")),
        ("url-long", "url", json!(format!("https://reviews.example/{}", "a".repeat(3000)))),
        ("url-fine", "url", json!("https://reviews.example/r/1")),
        ("locale-odd", "local_code", json!("xx-\u{202E}YY\n")),
        ("locale-number", "local_code", json!(5)),
        ("same-text-1", "body", json!("The same text on several platforms.")),
        ("same-text-2", "body", json!("The same text on several platforms.")),
    ]
}

/// What no JSON writer would write, and items without a usable identity.
fn raw() -> Vec<(&'static str, String)> {
    let bomb = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    vec![
        ("raw-missing-fields", r#"{"uuid":"hostile-raw-missing-fields"}"#.into()),
        (
            "raw-lone-surrogate",
            r#"{"uuid":"hostile-raw-lone-surrogate","body":"half \uD83D an emoji \uDE00","rating":1}"#.into(),
        ),
        ("raw-nul", r#"{"uuid":"hostile-raw-nul","body":"a\u0000b","name":"\u0000","rating":1}"#.into()),
        ("raw-huge-number", r#"{"uuid":"hostile-raw-huge-number","body":"Big.","rating":1e999}"#.into()),
        ("raw-depth", format!(r#"{{"uuid":"hostile-raw-depth","body":"Deep.","rating":1,"extra":{bomb}}}"#)),
        (
            "raw-duplicate-keys",
            r#"{"uuid":"hostile-raw-first","uuid":"hostile-raw-duplicate-keys","rating":1,"rating":5}"#
                .into(),
        ),
        ("raw-duplicate", r#"{"uuid":"hostile-raw-duplicate","body":"Twice.","rating":1}"#.into()),
        ("raw-duplicate", r#"{"uuid":"hostile-raw-duplicate","body":"Twice.","rating":1}"#.into()),
        ("raw-null", "null".into()),
        ("raw-number", "7".into()),
        ("raw-text", "\"just text\"".into()),
        ("raw-list", "[]".into()),
        ("raw-empty", "{}".into()),
        ("uuid-missing", r#"{"name":"Sam","email":"sam@mail.example","body":"No uuid.","rating":1}"#.into()),
        ("uuid-null", r#"{"uuid":null,"body":"Null uuid.","rating":1}"#.into()),
        ("uuid-empty", r#"{"uuid":"","body":"Empty uuid.","rating":1}"#.into()),
        ("uuid-path", r#"{"uuid":"../../user","body":"Up and out.","rating":1}"#.into()),
        ("uuid-dots", r#"{"uuid":"..","body":"Dots.","rating":1}"#.into()),
        ("uuid-control", r#"{"uuid":"a\u001b[31mb","body":"Red.","rating":1}"#.into()),
        ("uuid-long", format!(r#"{{"uuid":"{}","body":"Long uuid.","rating":1}}"#, "a".repeat(10_000))),
        ("uuid-number", r#"{"uuid":123456,"body":"A number.","rating":1}"#.into()),
        ("uuid-odd", r#"{"uuid":"KIYNL-1:2_3.4","body":"A migrated id.","rating":8}"#.into()),
    ]
}
