//! The messages every template is tried on: each kind, everything filled in, everything missing,
//! and texts that try to break out. Invented data; also what previews and outside validators can use.

use crate::domain::{
    Cause, Change, Content, Digest, Figures, Form, Member, Message, Named, NativeRating, Notice, NoticeState,
    Previous, Rating, Review, RuleHit, Subject, Summary, Timestamp,
};

/// 2026-03-14T20:05:00Z.
pub(super) const NOW: Timestamp = Timestamp(1_773_518_700_000);
const WRITTEN: Timestamp = Timestamp(NOW.0 - 3 * 3_600_000 - 180_000);

/// Texts that try to ping, link, format, run as a template, break JSON or HTML, or hide text.
pub const HOSTILE: &[&str] = &[
    "<!channel> <!here> <!everyone> <@U12345678> <#C12345678> <!subteam^S12345678|@team>",
    "<https://evil.example|Log in> &lt;!here&gt; <mailto:a@b.example|x> @channel @here",
    "*bold* _italic_ ~strike~ `code` ```block``` > quote [link](https://evil.example) :tada:",
    "\"}],\"blocks\":[{\"type\":\"divider\"}], \\\" \\u0022 \\ ' \r\n\t\u{0}\u{1b}[31m",
    "{{7*7}} {{{review.email}}} {{#each this}}x{{/each}} {% raw %} ${7*7} <script>alert(1)</script>",
    "\u{202E}desrever\u{202C} \u{2066}isolated\u{2069} \u{200F}mark\u{FEFF} \u{2028}line",
    "=HYPERLINK(\"https://evil.example\") \u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467} Z\u{301}\u{302}\u{303}",
];

/// Every sample with its name.
pub fn samples() -> Vec<(&'static str, Message)> {
    let mut samples = vec![
        ("everything", review(everything(), true)),
        ("bare", review(bare(), false)),
        ("rating only", review(rating_only(), false)),
        ("native word", review(native_word(), false)),
        ("edited rating", review(edited(Change::Rating, Some(previous())), true)),
        ("text added", review(edited(Change::TextAdded, Some(Previous { text: None, ..previous() })), false)),
        ("edited text", review(edited(Change::Text, Some(previous())), false)),
        ("edited, before unknown", review(edited(Change::Rating, None), false)),
        ("hostile", review(hostile(HOSTILE.join("\n")), true)),
        ("20,000 characters", review(hostile("lang genoeg ".repeat(1_667)), false)),
        ("problem", message(Content::Operator(notice(NoticeState::Started, "")), false)),
        ("problem resolved", message(Content::Operator(notice(NoticeState::Over, "")), true)),
        (
            "hostile problem",
            message(Content::Operator(notice(NoticeState::Started, &HOSTILE.join("\n"))), false),
        ),
        ("digest", digest(0)),
        ("long digest", digest(60)),
        ("empty digest", message(Content::Digest(Box::new(digest_of(Vec::new()))), true)),
        ("summary", summary(Cause::Burst, subjects(0), true)),
        ("long summary", summary(Cause::Backlog, subjects(60), false)),
        ("small summary", summary(Cause::Burst, vec![bare()], false)),
        ("test", message(Content::Test { text: "A test of `support`, sent by a person.".into() }, false)),
        ("hostile test", message(Content::Test { text: HOSTILE.join("\n") }, true)),
    ];
    for (index, text) in HOSTILE.iter().enumerate() {
        let name = ["pings", "links", "formatting", "quotes", "templates", "directions", "formulas"][index];
        samples.push((name, review(hostile((*text).to_owned()), false)));
    }
    samples
}

/// The sample of that name, or the first.
pub fn sample(name: &str) -> Message {
    let mut samples = samples();
    let index = samples.iter().position(|(known, _)| *known == name).unwrap_or(0);
    samples.swap_remove(index).1
}

pub(super) fn message(content: Content, possible_repeat: bool) -> Message {
    Message {
        id: "msg_sample".into(),
        recipient: String::new(),
        content,
        form: Form::Full,
        possible_repeat,
        now: NOW,
    }
}

pub(super) fn review(subject: Subject, possible_repeat: bool) -> Message {
    let because = vec!["rating 1 is at most 2".to_owned(), "website is `Shop NL`".to_owned()];
    let rules = vec![RuleHit { rule: "unhappy customers".into(), because }];
    message(Content::Review { subject: Box::new(subject), rules }, possible_repeat)
}

/// One of each kind of review, and `more` hostile ones.
fn subjects(more: usize) -> Vec<Subject> {
    let mut subjects = vec![everything(), edited(Change::Rating, Some(previous())), rating_only(), bare()];
    subjects.extend((0..more).map(|index| hostile(HOSTILE[index % HOSTILE.len()].to_owned())));
    subjects
}

fn digest(more: usize) -> Message {
    message(Content::Digest(Box::new(digest_of(subjects(more)))), false)
}

fn summary(cause: Cause, subjects: Vec<Subject>, possible_repeat: bool) -> Message {
    let digest = digest_of(subjects);
    let reviews = Digest { from: Timestamp(NOW.0 - 300_000), troubles: Vec::new(), ..digest };
    message(Content::Summary(Box::new(Summary { cause, reviews })), possible_repeat)
}

pub(super) fn digest_of(subjects: Vec<Subject>) -> Digest {
    let rules = vec![RuleHit { rule: "everything, every morning".into(), because: Vec::new() }];
    let members = subjects.into_iter().map(|subject| Member { subject, rules: rules.clone() }).collect();
    let from = Timestamp(NOW.0 - 86_400_000);
    let troubles = vec!["destination `support` has not worked for 15 minutes".to_owned()];
    let before = Some(Figures::of(&members));
    Digest { destination: "owner".into(), from, to: NOW, before, members, troubles, part: None }
}

fn named(name: &str) -> Named {
    Named { uuid: format!("uuid-of-{}", name.to_lowercase().replace(' ', "-")), name: name.into() }
}

fn previous() -> Previous {
    Previous {
        rating: NativeRating::Number(3.0),
        text: Some("Parcel broken, nobody answers.".into()),
        stood_ms: Some(3 * 86_400_000),
    }
}

pub(super) fn everything() -> Subject {
    let review = Review {
        account: "main".into(),
        uuid: "6f1c0a52-0001".into(),
        title: Some("Never again".into()),
        text: Some("Parcel broken, nobody answers the phone.\nThree weeks now.".into()),
        author: Some("A. Customer".into()),
        email: Some("customer@mail.example".into()),
        language: Some("en_GB".into()),
        reviewed_at: Some(WRITTEN),
        ..Review::default()
    };
    Subject {
        rating: Rating::evaluate(NativeRating::Number(2.0), 10.0),
        source: Some(named("Kiyoh profile")),
        websites_known: true,
        platform: Some(named("Kiyoh")),
        websites: vec![named("Shop NL"), named("Shop BE")],
        url: Some("https://reviews.example/shop".into()),
        change: Change::New,
        previous: None,
        review,
    }
}

fn bare() -> Subject {
    let review = Review { account: "main".into(), uuid: "6f1c0a52-0002".into(), ..Review::default() };
    Subject {
        rating: Rating::evaluate(NativeRating::Missing, 5.0),
        source: None,
        websites_known: false,
        platform: None,
        websites: Vec::new(),
        url: None,
        change: Change::New,
        previous: None,
        review,
    }
}

fn rating_only() -> Subject {
    let review = Review { reviewed_at: Some(WRITTEN), ..bare().review };
    Subject {
        rating: Rating::evaluate(NativeRating::Number(5.0), 5.0),
        platform: Some(named("Google")),
        websites: vec![named("Shop NL")],
        review,
        ..bare()
    }
}

fn native_word() -> Subject {
    let rating = NativeRating::Word("recommended".into());
    Subject { rating: Rating::evaluate(rating, 5.0), platform: Some(named("Facebook")), ..everything() }
}

fn edited(change: Change, previous: Option<Previous>) -> Subject {
    let mut subject = everything();
    subject.review.title = None;
    subject.review.text = Some("They called me and fixed it.".into());
    let rating = if change == Change::Rating { 10.0 } else { 3.0 };
    Subject { rating: Rating::evaluate(NativeRating::Number(rating), 10.0), change, previous, ..subject }
}

fn hostile(text: String) -> Subject {
    let name = |length: usize| Named { uuid: text.clone(), name: text.chars().take(length).collect() };
    let mut review = everything().review;
    for field in [&mut review.title, &mut review.author, &mut review.language, &mut review.email] {
        *field = Some(text.chars().take(500).collect());
    }
    review.uuid = text.chars().take(200).collect();
    review.text = Some(text.clone());
    Subject {
        rating: Rating::evaluate(NativeRating::Word(text.chars().take(64).collect()), 5.0),
        source: Some(name(300)),
        platform: Some(name(300)),
        websites: vec![name(300); 12],
        url: Some(format!("https://reviews.example/{}", text.chars().take(100).collect::<String>())),
        change: Change::Text,
        previous: Some(Previous {
            rating: NativeRating::Word(text.clone()),
            text: Some(text.clone()),
            stood_ms: Some(u64::MAX),
        }),
        review,
        ..everything()
    }
}

fn notice(state: NoticeState, more: &str) -> Notice {
    Notice {
        kind: "destination_broken".into(),
        state,
        text: format!("Slack says that the webhook of `support` was removed. {more}"),
        hint: format!("Put a new URL into `destinations.support.webhook_url`. {more}"),
    }
}
