//! Reviews that are hard to show, each with a name: texts without anything to see or far too much of it, markup of every
//! receiver, broken encodings, odd authors, ratings, dates and links. What tests and outside validators try messages on.

use super::samples::{NOW, digest_of, everything, message, review};
use crate::clock;
use crate::domain::{
    Cause, Change, Content, Digest, Message, Named, NativeRating, Previous, Rating, Subject, Summary,
    Timestamp,
};

/// A review that is hard to show, with its name.
type Case = (&'static str, Subject);

/// Every case as a message of its own, and a digest and a summary of all of them.
pub fn hostile_messages() -> Vec<(&'static str, Message)> {
    let cases = cases();
    let all: Vec<Subject> = cases.iter().map(|(_, subject)| subject.clone()).collect();
    let reviews = Digest { from: Timestamp(NOW.0 - 300_000), troubles: Vec::new(), ..digest_of(all.clone()) };
    let burst = Summary { cause: Cause::Burst, reviews };
    let mut all_cases: Vec<_> =
        cases.into_iter().map(|(name, subject)| (name, review(subject, false))).collect();
    all_cases.push(("digest of all", message(Content::Digest(Box::new(digest_of(all))), false)));
    all_cases.push(("summary of all", message(Content::Summary(Box::new(burst)), true)));
    all_cases
        .push(("digest of long links", message(Content::Digest(Box::new(digest_of(long_links()))), false)));
    all_cases
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(bodies().into_iter().map(|(name, text)| (name, with_text(text))));
    cases.extend(edited_bodies());
    cases.extend(markup().into_iter().map(|(name, text)| (name, everywhere(text))));
    cases.extend(encodings().into_iter().map(|(name, text)| (name, with_text(Some(text.to_owned())))));
    cases.extend(authors().into_iter().map(|(name, author)| (name, with_author(author))));
    cases.extend(ratings().into_iter().map(|(name, native, scale)| (name, with_rating(native, scale))));
    cases.extend(dates().into_iter().map(|(name, date)| (name, with_date(date))));
    cases.extend(references());
    cases.extend(links().into_iter().map(|(name, url)| (name, Subject { url, ..everything() })));
    cases
}

fn with_text(text: Option<String>) -> Subject {
    let mut subject = everything();
    (subject.review.title, subject.review.text) = (None, text);
    subject
}

/// `text` in every field that somebody outside fills.
fn everywhere(text: &str) -> Subject {
    let text = Some(text.to_owned());
    let named = || text.clone().map(|name| Named { uuid: name.clone(), name });
    let mut subject = everything();
    for field in [
        &mut subject.review.title,
        &mut subject.review.text,
        &mut subject.review.author,
        &mut subject.review.email,
        &mut subject.review.language,
    ] {
        field.clone_from(&text);
    }
    (subject.source, subject.platform) = (named(), named());
    subject.websites = named().into_iter().collect();
    subject
}

fn with_author(author: Option<String>) -> Subject {
    let mut subject = everything();
    subject.review.author = author;
    subject
}

fn with_rating(native: NativeRating, scale: f64) -> Subject {
    Subject { rating: Rating::evaluate(native, scale), ..everything() }
}

fn with_date(date: Option<Timestamp>) -> Subject {
    let mut subject = everything();
    subject.review.reviewed_at = date;
    subject
}

/// Texts with nothing to see, or too much.
fn bodies() -> Vec<(&'static str, Option<String>)> {
    let zalgo: String =
        "broken".chars().map(|c| format!("{c}{}", "\u{300}\u{316}\u{489}".repeat(12))).collect();
    let texts = [
        ("empty", String::new()),
        ("spaces", "   ".into()),
        ("no-break spaces", "\u{A0}\u{A0}".into()),
        ("zero-width only", "\u{200B}\u{200D}\u{2060}\u{FEFF}".into()),
        ("dot", ".".into()),
        ("thumb", "👍".into()),
        ("skin tones", "👍🏽👍🏽👍🏽".into()),
        ("family", "👨‍👩‍👧‍👦 loved it".into()),
        ("400 families", "👨‍👩‍👧‍👦".repeat(400)),
        ("flags", "🇳🇱🇧🇪🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}🏳️‍🌈".into()),
        ("keycaps", "1️⃣2️⃣#️⃣*️⃣".into()),
        ("zalgo", zalgo.clone()),
        ("endless zalgo", format!("a{}", zalgo.repeat(300))),
        ("right to left", "הזמנתי 3 פריטים ב-12.5.2026 וקיבלתי 1, אישור ABC-123".into()),
        ("Arabic", "المنتج رائع، وصل في 2 أيام (طلب #4521).".into()),
        ("override", "Nice \u{202E}gnp.exe\u{202C} shop \u{2066}hidden\u{2069}".into()),
        ("hidden by tags", "hi\u{E0001}\u{E0068}\u{E0069}".into()),
        ("without spaces", "质量非常好物流也很快客服态度特别好以后还会再来购买".repeat(40)),
        ("one long line", "x".repeat(20_000)),
        ("many long words", "never again ".repeat(1_667)),
        ("300 newlines", format!("top{}bottom", "\n".repeat(300))),
        ("300 lines", "line\n".repeat(300)),
        ("line ends", "one\r\ntwo\rthree\r\n".into()),
        ("tabs", "a\tb\t\tc".into()),
        ("nul", "before\u{0}after".into()),
        ("terminal", "\u{1b}[2J\u{1b}]0;title\u{7}red\u{9b}31m\u{85}next".into()),
        ("separators", "a\u{2028}b\u{2029}c".into()),
        ("lone surrogate", "half \u{FFFD}\u{FFFD} a pair".into()),
        ("private use", "\u{E000}\u{F8FF}\u{10FFFD}".into()),
    ];
    let texts = texts.into_iter().map(|(name, text)| (name, Some(text)));
    [("no text", None)].into_iter().chain(texts).collect()
}

/// Edits of what is hard to show.
fn edited_bodies() -> Vec<Case> {
    let edit = |change, text: Option<&str>, before: Option<&str>| {
        let rating = NativeRating::Number(10.0);
        let previous = Previous { rating, text: before.map(str::to_owned), stood_ms: Some(40_000) };
        Subject { change, previous: Some(previous), ..with_text(text.map(str::to_owned)) }
    };
    vec![
        ("text added", edit(Change::TextAdded, Some("<!here> now with a text"), None)),
        ("text taken away", edit(Change::Text, None, Some("It said @everyone *loudly*."))),
        (
            "text before was markup",
            edit(Change::Rating, Some("Fine."), Some("<b>no</b> [x](https://evil.example)")),
        ),
    ]
}

/// Texts that would like to be something else.
fn markup() -> Vec<(&'static str, &'static str)> {
    vec![
        ("line breaks as tags", "one<br />two<BR>three<br/>"),
        ("paragraphs as tags", "<p>one</p><p class=\"x\">two</p>"),
        ("entities", "it&amp;#39;s &quot;fine&quot; &lt;3 &amp;amp; more&nbsp;"),
        ("entities twice", "&amp;lt;script&amp;gt;alert(1)&amp;lt;/script&amp;gt;"),
        ("script", "<script>alert(1)</script><img src=x onerror=alert(1)>"),
        ("style", "</td></table><style>*{display:none}</style><!-- x"),
        ("pings of Slack", "<!channel> <!here|@here> <!subteam^S1> <@U12345678> <#C12345678>"),
        ("pings of Google Chat", "<users/all> <users/112233>"),
        ("pings of Teams", "<at>everyone</at> <at id=\"0\">x</at>"),
        ("pings by name", "@everyone @here @channel @all"),
        ("pings of Discord", "<@&1234> <@1234> <#1234> <:a:1> <t:0:R>"),
        ("link of Slack", "<https://evil.example|Log in> <mailto:a@evil.example|x>"),
        (
            "link of Markdown",
            "[Log in](https://evil.example) ![x](https://evil.example/p.png) <https://evil.example>",
        ),
        ("link as it is", "see https://evil.example/x?y=z and www.evil.example or evil@evil.example"),
        ("link of HTML", "<a href=\"https://evil.example\">Log in</a>"),
        ("formatting", "*bold* _italic_ ~gone~ **b** __u__ ~~s~~ ||spoiler|| `code` ```block```"),
        ("blocks", "> quote\n# title\n- item\n1. first\n| a | b |\n|---|---|\n---\n```\ncode"),
        ("backticks", "``` ` `` ``````"),
        ("templates", "{{7*7}} {{{review.email}}} {% for x in y %} ${7*7} #{7*7} {{#each this}}"),
        ("functions of cards", "{{DATE(2026-01-01T00:00:00Z,SHORT)}} {{TIME(2026-01-01T00:00:00Z)}} ${user}"),
        ("formula", "=cmd|' /C calc'!A0 +1 -1 @SUM(1)"),
        ("JSON", "\"}],\"text\":\"<!channel>\",\"x\":[{\"y\":\"\\\\ \\u0022"),
        ("headers", "Sam\r\nBcc: everyone@mail.example\r\n\r\n<html>"),
        ("codes of emoji", ":tada: :warning::skin-tone-2: :simple_smile:"),
    ]
}

/// Encodings that went wrong, and those that only look so.
fn encodings() -> Vec<(&'static str, &'static str)> {
    vec![
        ("mojibake", "fantastisch â€“ cafÃ©"),
        ("composed", "Café crème"),
        ("decomposed", "Cafe\u{301} cre\u{300}me"),
        ("smart quotes", "“Great” – it’s ‘fine’…"),
        ("translated", "(Translated by Google) Very good!\n\n(Original)\nHeel goed!"),
        ("half a translation", "(Translated by Google) \n\n(Original)\n👍"),
    ]
}

/// Authors that are none, or would like to be something else.
fn authors() -> Vec<(&'static str, Option<String>)> {
    let names = [
        ("author empty", String::new()),
        ("author of spaces", " \u{200B} ".into()),
        ("author anoniem", "anoniem".into()),
        ("author of Google", "A Google User".into()),
        ("author Klant", "Klant".into()),
        ("author by address", "sam@mail.example".into()),
        ("author by emoji", "🌸✨".into()),
        ("author with a tag", "Smith & Sons <Ltd>".into()),
        ("author with lines", "Sam\r\nBcc: everyone@mail.example".into()),
        ("author of 300 characters", "Name ".repeat(60)),
        ("author turned round", "\u{202E}nimdA\u{202C}".into()),
        ("same author", "Same Name".into()),
        ("same author again", "Same Name".into()),
    ];
    let names = names.into_iter().map(|(name, author)| (name, Some(author)));
    [("author unknown", None)].into_iter().chain(names).collect()
}

/// Ratings that are none, or on another scale than one thinks.
fn ratings() -> Vec<(&'static str, NativeRating, f64)> {
    let text = NativeRating::from_text;
    vec![
        ("rating missing", NativeRating::Missing, 5.0),
        ("rating 5 as text", text("5"), 5.0),
        ("rating with comma", text("4,5"), 5.0),
        ("rating with a half", NativeRating::Number(4.5), 5.0),
        ("rating 0", NativeRating::Number(0.0), 5.0),
        ("rating 6", NativeRating::Number(6.0), 5.0),
        ("rating 10 of 5", NativeRating::Number(10.0), 5.0),
        ("rating 11 of 10", NativeRating::Number(11.0), 10.0),
        ("rating below 0", NativeRating::Number(-1.0), 5.0),
        ("rating not a number", text("NaN"), 5.0),
        ("rating in words", text("FIVE"), 5.0),
        ("rating recommended", text("recommended"), 5.0),
        ("rating yes", text("yes"), 5.0),
        ("rating as markup", text("<!here> *5*"), 5.0),
        ("rating of a third", NativeRating::Number(10.0 / 3.0), 10.0),
        ("rating as small as can be", NativeRating::Number(1e-300), 5.0),
        ("rating as large as can be", NativeRating::Number(f64::MAX), 5.0),
        ("scale of nothing", NativeRating::Number(3.0), 0.0),
        ("scale turned round", NativeRating::Number(3.0), -5.0),
        ("scale not a number", NativeRating::Number(3.0), f64::NAN),
    ]
}

/// Dates that are unlikely, or hard for a clock.
fn dates() -> Vec<(&'static str, Option<Timestamp>)> {
    vec![
        ("no date", None),
        ("in five minutes", Some(Timestamp(NOW.0 + 300_000))),
        ("in years", clock::parse("2031-01-01T00:00:00Z")),
        ("beyond the calendar", Some(Timestamp(i64::MAX))),
        ("before the calendar", Some(Timestamp(i64::MIN))),
        ("1970", Some(Timestamp(0))),
        ("2009", clock::parse("2009-05-04T10:00:00+02:00")),
        ("three weeks late", Some(Timestamp(NOW.0 - 21 * 86_400_000))),
        ("nine digits of a second", clock::parse("2026-03-01T12:00:00.123456789Z")),
        ("before the clocks skip", clock::parse("2025-03-30T00:59:59Z")),
        ("after the clocks skipped", clock::parse("2025-03-30T01:00:00Z")),
        ("first 02:30 of two", clock::parse("2025-10-26T00:30:00Z")),
        ("second 02:30 of two", clock::parse("2025-10-26T01:30:00Z")),
        ("this very moment", Some(NOW)),
    ]
}

/// Sources, platforms and websites that are unknown, or many.
fn references() -> Vec<Case> {
    let unknown = || Named { uuid: "f00d-uuid".into(), name: "0b6f1c0a-52aa-4b1e-9a58-0d9f5d1f2c3e".into() };
    let website = |number: u32| Named {
        uuid: format!("w{number}"),
        name: format!("Shop {number} of many, with a long name"),
    };
    vec![
        ("source without website", Subject { websites: Vec::new(), ..everything() }),
        (
            "source unknown",
            Subject { source: Some(unknown()), websites: Vec::new(), websites_known: false, ..everything() },
        ),
        ("no source at all", Subject { source: None, platform: None, websites: Vec::new(), ..everything() }),
        ("nine websites", Subject { websites: (1..=9).map(website).collect(), ..everything() }),
        ("platform unknown", Subject { platform: Some(unknown()), ..everything() }),
        (
            "website without a name",
            Subject { websites: vec![Named { name: String::new(), ..unknown() }], ..everything() },
        ),
        (
            "platform without a name",
            Subject { platform: Some(Named { name: "\u{200B}".into(), ..unknown() }), ..everything() },
        ),
    ]
}

/// Links that are none, long, or to names that look like others.
fn links() -> Vec<(&'static str, Option<String>)> {
    let link = |text: &str| Some(text.to_owned());
    vec![
        ("no link", None),
        ("link by http", link("http://reviews.example/shop")),
        ("link of 2,000 characters", Some(long_link(0))),
        ("link to an IDN", link("https://bücher.example/ü?q=ä#ö")),
        ("link to a look-alike", link("https://rеviews.example/")),
        ("link with a name", link("https://reviews.example@evil.example/")),
        ("link to a script", link("javascript:alert(1)")),
        ("link to data", link("data:text/html,<script>alert(1)</script>")),
        ("link with markup", link("https://reviews.example/a|b>c<!here>\"'`)](x)*_~{{7*7}} d")),
        ("link to nowhere", link("nothing")),
    ]
}

fn long_link(number: usize) -> String {
    let begin = format!("https://reviews.example/{number:02}/");
    let rest = 2_000 - begin.len();
    begin + &"x".repeat(rest)
}

/// As many low ratings as a digest shows, each with a link as long as can be.
fn long_links() -> Vec<Subject> {
    (0..15).map(|number| Subject { url: Some(long_link(number)), ..everything() }).collect()
}
