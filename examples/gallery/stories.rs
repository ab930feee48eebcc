//! What invented customers of an invented shop say, as one message of every kind. All times are fixed.

use review_bridge::domain::{
    Cause, Change, Content, Digest, Figures, Form, Member, Message, Named, NativeRating, Notice, NoticeState,
    Previous, Rating, Review, RuleHit, Subject, Summary, Timestamp,
};

/// 2026-03-16T08:00:00Z, a Monday: nine in the morning in Amsterdam.
const NOW: Timestamp = Timestamp(1_773_648_000_000);
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// A message, the name of its picture, and what is to be seen.
pub struct Story {
    /// `review`, `edited`, …: the end of a file's name.
    pub name: &'static str,
    /// One sentence, without a full stop.
    pub caption: &'static str,
    /// The message.
    pub message: Message,
}

/// A review in one line.
struct Tale {
    minutes_ago: i64,
    platform: &'static str,
    website: &'static str,
    language: &'static str,
    rating: &'static str,
    author: &'static str,
    text: &'static str,
}

macro_rules! tales {
    ($($ago:literal $platform:literal $website:literal $language:literal $rating:literal $author:literal $text:literal;)*) => {
        &[$(Tale {
            minutes_ago: $ago,
            platform: $platform,
            website: $website,
            language: $language,
            rating: $rating,
            author: $author,
            text: $text,
        },)*]
    };
}

/// The reviews of one day, oldest first.
const DAY: &[Tale] = tales! {
    1390 "Kiyoh" "Lumen NL" "nl_NL" "10" "Marieke V." "Voor de derde keer besteld en weer de volgende dag in huis.";
    1310 "Trustpilot" "Lumen UK" "en_GB" "5" "Tom H." "Ordered before lunch, arrived the next morning, fits perfectly.";
    1225 "Google" "Lumen DE" "de_DE" "5" "Jonas Weber" "Schnelle Lieferung, sorgfältig verpackt, sehr freundlicher Kontakt.";
    1180 "Trustpilot" "Lumen UK" "en_GB" "4" "Priya S." "Lovely lamp and a fair price. Delivery took two days longer than promised.";
    1004 "Kiyoh" "Lumen NL" "nl_NL" "9" "Ineke" "Vriendelijk geholpen aan de telefoon, echt meegedacht.";
    960 "Google" "Lumen DE" "de_DE" "5" "" "";
    911 "Trustpilot" "Lumen UK" "en_GB" "2" "Gareth P." "Two of four wall lights arrived scratched. I have sent photos twice and am still waiting for a reply.";
    845 "Facebook" "Lumen NL" "nl_NL" "yes" "Lotte B." "Super leuke winkel, er zat zelfs een handgeschreven kaartje bij!";
    700 "Google" "Lumen UK" "en_GB" "5" "Amélie R." "Shipped to three countries without a hitch. Impressed. 👏";
    233 "Google" "Lumen DE" "de_DE" "1" "H. Brandt" "Seit drei Wochen warte ich auf die Erstattung. Niemand antwortet.";
    118 "Kiyoh" "Lumen NL" "nl_NL" "10" "Familie Jansen" "De vierde keer dat we hier bestellen, en het gaat altijd goed.";
    41 "Trustpilot" "Lumen UK" "en_GB" "5" "Chloe" "Honestly the best customer service I have had this year.";
};

/// What a bad batch brings within minutes, oldest first.
const BURST: &[Tale] = tales! {
    14 "Trustpilot" "Lumen UK" "en_GB" "1" "R. Okafor" "My parcel is marked as delivered, but nothing came.";
    11 "Google" "Lumen UK" "en_GB" "2" "Hannah" "“Delivered”, says the app. To whom?";
    9 "Trustpilot" "Lumen UK" "en_GB" "1" "D. Evans" "Second lamp this month that the courier has lost. Nobody picks up the phone.";
    6 "Trustpilot" "Lumen UK" "en_GB" "1" "" "";
    2 "Google" "Lumen UK" "en_GB" "2" "Moira K." "Still waiting, and the tracking has not moved since Friday.";
};

/// One of every kind of message.
pub fn stories() -> Vec<Story> {
    let story = |name, caption, content| Story { name, caption, message: message(content) };
    vec![
        story(
            "review",
            "A bad review, sent minutes after it was written",
            review(bad(), "unhappy customers"),
        ),
        story("edited", "The customer edited the review", review(mended(), "second thoughts")),
        story("digest", "A digest of the day before, every morning", Content::Digest(Box::new(digest()))),
        story(
            "summary",
            "Many reviews in a short time, grouped into one message",
            Content::Summary(Box::new(summary())),
        ),
        story("operator", "A notice of a problem, with what to do", Content::Operator(notice())),
        story("test", "A test message", Content::Test { text: TEST.into() }),
    ]
}

/// What `review-bridge destinations test` says.
const TEST: &str = "This is a test of the destination `support`, asked for with `review-bridge destinations test`. Nothing is \
    to be done about it.";

fn message(content: Content) -> Message {
    let (id, recipient) = ("msg_gallery".into(), "support@lumen.example".into());
    Message { id, recipient, content, form: Form::Full, possible_repeat: false, now: NOW }
}

fn review(subject: Subject, rule: &str) -> Content {
    let rating = subject.rating.shown().unwrap_or_default();
    let because = match subject.change {
        Change::New => vec![format!("rating {rating} is at most 2"), "website is `Lumen UK`".to_owned()],
        _ => vec!["change is `rating`".to_owned()],
    };
    Content::Review { subject: Box::new(subject), rules: vec![RuleHit { rule: rule.into(), because }] }
}

fn bad() -> Subject {
    let text = "The lamp arrived in pieces, and after three e-mails and an hour on hold I still have no answer.\n\
        I just want my money back.";
    let tale = Tale {
        minutes_ago: 4,
        platform: "Trustpilot",
        website: "Lumen UK",
        language: "en_GB",
        rating: "1",
        author: "Sandra Deacon",
        text,
    };
    let mut subject = subject(0, &tale);
    subject.review.title = Some("Broken on arrival, nobody replies".into());
    subject
}

fn mended() -> Subject {
    let tale = Tale {
        minutes_ago: 12,
        platform: "Kiyoh",
        website: "Lumen UK",
        language: "en_GB",
        rating: "9",
        author: "Karin de Wit",
        text: "Update: Fatima called me, and the right shade came two days later. That is how to do it!",
    };
    let previous = Previous {
        rating: NativeRating::Number(3.0),
        text: Some("Wrong colour, and swapping it has taken three weeks so far.".into()),
        stood_ms: Some(5 * 24 * HOUR as u64),
    };
    Subject { change: Change::Rating, previous: Some(previous), ..subject(0, &tale) }
}

fn subject(index: usize, tale: &Tale) -> Subject {
    let named = |name: &str| Named { uuid: name.to_lowercase().replace(' ', "-"), name: name.into() };
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let scale = if tale.platform == "Kiyoh" { 10.0 } else { 5.0 };
    let uuid = format!("0195a000-{index:04}");
    let review = Review {
        account: "main".into(),
        text: given(tale.text),
        author: given(tale.author),
        language: Some(tale.language.into()),
        reviewed_at: Some(Timestamp(NOW.0 - tale.minutes_ago * MINUTE)),
        uuid,
        ..Review::default()
    };
    Subject {
        rating: Rating::evaluate(NativeRating::from_text(tale.rating), scale),
        source: Some(named(&format!("{} profile", tale.platform))),
        websites_known: true,
        platform: Some(named(tale.platform)),
        websites: vec![named(tale.website)],
        url: Some(format!("https://reviews.example/{}", review.uuid)),
        change: Change::New,
        previous: None,
        review,
    }
}

fn members(tales: &[Tale], rule: &str) -> Vec<Member> {
    let rules = vec![RuleHit { rule: rule.into(), because: Vec::new() }];
    let member = |(index, tale)| Member { subject: subject(index, tale), rules: rules.clone() };
    tales.iter().enumerate().map(member).collect()
}

fn digest() -> Digest {
    let mut members = members(DAY, "everything, every morning");
    let rules = members[0].rules.clone();
    members.push(Member { subject: mended(), rules });
    let from = Timestamp(NOW.0 - 24 * HOUR);
    let before = Some(Figures::of(members.iter().skip(4)));
    Digest { destination: "owner".into(), from, to: NOW, before, members, troubles: Vec::new(), part: None }
}

fn summary() -> Summary {
    let members = members(BURST, "unhappy customers");
    let from = Timestamp(NOW.0 - 15 * MINUTE);
    let (destination, troubles) = ("support".into(), Vec::new());
    let reviews = Digest { destination, from, to: NOW, before: None, members, troubles, part: None };
    Summary { cause: Cause::Burst, reviews }
}

/// As `operator::problem` words it.
fn notice() -> Notice {
    Notice {
        kind: "destination_broken".into(),
        state: NoticeState::Started,
        text: "shop bridge: destination `support` has been broken since 2026-03-01 11:48 UTC: the webhook was disabled \
               or removed. 56 reviews are queued"
            .into(),
        hint: "fix it, then run `review-bridge destinations resume support`; it is also retried every 15 minutes"
            .into(),
    }
}
