//! E-mails about many reviews: both parts say the same, sizes hold whatever the reviews say, and partials.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::destination::email::Mail;
use crate::destination::email::limits::MAX_HTML_BYTES;
use crate::destination::{built_in_templates, templates};
use crate::domain::{Cause, Content, Digest, Member, Message, Named, Summary};
use crate::presentation::{HOSTILE, Own, View, sample, samples};
use crate::template::Renderer;
use std::sync::{Arc, LazyLock};

static RENDERER: LazyLock<Arc<Renderer>> = LazyLock::new(built_in_templates);

fn view() -> View {
    let zone = jiff::tz::TimeZone::get("Europe/Amsterdam").unwrap();
    View {
        destination: "owner".into(),
        zone,
        show_email: true,
        mention: None,
        template: None,
        own: Own::default(),
    }
}

/// What a mail program shows of `html`, links with their addresses behind them.
fn visible(html: &str) -> String {
    let (_, mut rest) = html.split_once("</head>").unwrap();
    let mut shown = String::new();
    while let Some((text, tail)) = rest.split_once('<') {
        shown.push_str(text);
        if tail.starts_with("!--") {
            rest = tail.split_once("-->").unwrap().1;
        } else if tail.starts_with("div style=\"display:none") {
            rest = tail.split_once("</div>").unwrap().1;
        } else {
            let (tag, after) = tail.split_once('>').unwrap();
            rest = after;
            if let Some(link) = tag.split("href=\"").nth(1) {
                let (title, after) = rest.split_once("</a>").unwrap();
                shown.push_str(&format!("{title}: {}", link.split('"').next().unwrap()));
                rest = after;
            }
            shown.push(' ');
        }
    }
    let entities =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&#x60;", "`"), ("&#x3D;", "=")];
    let shown = entities.iter().fold(shown, |shown, (entity, c)| shown.replace(entity, c));
    shown.replace("&nbsp;", " ").replace("&amp;", "&")
}

/// The words and figures of a text in any order; the table's heads and what stands for them in text count for nothing.
fn facts(text: &str) -> Vec<String> {
    const HEADS: [&str; 6] = ["review", "reviews", "average", "low", "website", "platform"];
    let text = text.to_lowercase();
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut words: Vec<String> = words.filter(|word| !HEADS.contains(word)).map(str::to_owned).collect();
    words.sort();
    words
}

fn of_all(subjects: Vec<crate::domain::Subject>) -> [(&'static str, Message); 2] {
    let Content::Digest(digest) = sample("digest").content else { panic!("no digest") };
    let members = subjects.into_iter().map(|subject| Member { subject, rules: Vec::new() }).collect();
    let reviews = Digest { members, ..*digest };
    let summary = Summary { cause: Cause::Backlog, reviews: reviews.clone() };
    let of = |content| Message { content, ..sample("digest") };
    [("digest", of(Content::Digest(Box::new(reviews)))), ("summary", of(Content::Summary(Box::new(summary))))]
}

/// 500 reviews that say `text` over and over in every field, new and edited, over 30 websites and 12 platforms.
fn hostile(text: &str, length: usize) -> Vec<crate::domain::Subject> {
    let subject = |name: &str| match sample(name).content {
        Content::Review { subject, .. } => *subject,
        _ => panic!("no review"),
    };
    let (new, edit) = (subject("everything"), subject("edited text"));
    let named = |what: &str, number: usize| {
        let name = format!("{what} {number} {}", text.chars().take(200).collect::<String>());
        Named { uuid: name.clone(), name }
    };
    let told = |index: usize| {
        let mut told = if index.is_multiple_of(3) { edit.clone() } else { new.clone() };
        let rating = crate::domain::NativeRating::Number(((index + index / 30) % 5 + 1) as f64);
        told.rating = crate::domain::Rating::evaluate(rating, 5.0);
        told.websites = vec![named("shop", index % 30)];
        told.platform = Some(named("platform", index % 12));
        let repeated = |length| text.chars().cycle().take(length).collect::<String>();
        told.review.text = Some(repeated(length));
        (told.review.title, told.review.author) = (Some(repeated(500)), Some(repeated(500)));
        told.review.email = Some(repeated(500));
        if let Some(previous) = &mut told.previous {
            previous.text = Some(format!("x{}", repeated(length)));
        }
        let query = repeated(2_900);
        told.url = Some(format!("https://reviews.example/?{}", query.replace(|c: char| !c.is_ascii(), "&")));
        told
    };
    (0..500).map(told).collect()
}

#[test]
fn the_parts_of_every_mail_say_the_same() {
    let real = of_all(
        (0..41)
            .map(|_| sample("digest"))
            .flat_map(|message| {
                let Content::Digest(digest) = message.content else { panic!("no digest") };
                digest.members.into_iter().map(|member| member.subject)
            })
            .collect(),
    );
    let real = real.into_iter().chain(samples());
    for (name, message) in real {
        let mail = Mail::of(&RENDERER, &message, &view());
        assert_eq!(facts(&mail.text), facts(&visible(&mail.html.unwrap())), "{name}:\n{}", mail.text);
    }
}

#[test]
fn many_hostile_reviews_show_fewer_lines_and_fit() {
    for (text, length) in [
        ("lang genoeg ", 2_000),
        (&*HOSTILE.join(" "), 20_000),
        ("\"'&<", 2_000),
        ("\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}", 1_000),
        ("a\u{1E8D0}\u{1E8D1}\u{1E8D2}", 1_000),
    ] {
        for (name, message) in of_all(hostile(text, length)) {
            let mail = Mail::of(&RENDERER, &message, &view());
            assert_eq!(mail.fallback, None, "{name} {text}");
            let html = mail.html.unwrap();
            assert!(html.len() <= MAX_HTML_BYTES, "{name} {text}: {}", html.len());
            assert_eq!(facts(&mail.text), facts(&visible(&html)), "{name} {text}");
            assert!(mail.text.contains("\nand ") && mail.text.contains(" more"), "{name} {text}");
            let groups = mail.text.matches(" average, ").count();
            assert!(groups >= 12, "{name} {text}: {groups}");
            if text.starts_with("lang") {
                assert_eq!(groups, 42, "all websites and platforms");
            }
        }
    }
}

/// The built-in templates with other files in place of some, or what is wrong with them.
fn with_files(files: &[(&str, &str)]) -> Result<Arc<Renderer>, Vec<String>> {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = dir.path().join("email").join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let folder = format!("{}/email/", dir.path().display());
    templates(Some(dir.path()))
        .map_err(|problems| problems.iter().map(|problem| problem.to_string().replace(&folder, "")).collect())
}

#[test]
fn a_partial_is_replaced_for_all_mails_and_added_for_own_ones() {
    let renderer = with_files(&[
        ("partials/style.html", "<style>.own { color: red; }</style>\n"),
        ("partials/foot.html", "<p>{{destination}} & co</p>"),
        ("test.html", "<p>{{text}}</p>{{> foot}}"),
    ]);
    let renderer = renderer.unwrap();
    let html = |name: &str| Mail::of(&renderer, &sample(name), &view()).html.unwrap();
    assert!(
        html("everything").contains(".own { color: red; }")
            && !html("digest").contains("prefers-color-scheme")
    );
    assert_eq!(html("test"), "<p>A test of &#x60;support&#x60;, sent by a person.</p><p>owner & co</p>");
    assert!(!renderer.template_names("email").contains(&"partials"));
}

#[test]
fn mistakes_in_partials_are_told_once_with_their_place() {
    for (files, expected) in [
        (
            &[("partials/style.html", "<style>\n{{nope}}</style>")][..],
            "partials/style.html:2:1: unknown name `nope`",
        ),
        (&[("partials/stile.html", "")], "partials/stile.html: is not included by any template"),
        (
            &[("test.html", "x\n {{> stile}}")],
            "test.html:2:2: there is no partial `email/partials/stile.html`; did you mean `{{> style}}`?",
        ),
        (
            &[("partials/style.html", "\n{{> style}}")],
            "partials/style.html:2:1: includes itself: style > style",
        ),
        (
            &[("partials/style.html", "{{> other}}"), ("partials/other.html", "x {{> style}}")],
            "partials/other.html:1:3: includes itself: style > other > style",
        ),
        (&[("partials/style.html", "{{#if nope}}")], "test.html:"),
        (
            &[("partials/style.html", "<p title={{destination}}>")],
            "partials/style.html:1:10: inside a tag, a value needs quotes",
        ),
        (&[("test.txt", "{{> style}}")], "test.txt:1:1: partials are only allowed in HTML files"),
        (&[("test.html", "{{#> style}}{{/style}}")], "test.html:1:1: partials are only allowed"),
        (&[("partials/Style.html", "")], "replaces no built-in template"),
    ] {
        let problems = with_files(files).unwrap_err();
        let told = problems.iter().filter(|problem| problem.contains(expected)).count();
        assert_eq!(told, 1, "{expected}: {problems:?}");
    }
}

#[test]
fn a_preview_goes_on_where_the_subject_ends() {
    let preview = |name: &str, text: Option<String>| {
        let mut message = sample(name);
        if let (Content::Review { subject, .. }, Some(text)) = (&mut message.content, text) {
            subject.review.text = Some(text);
        }
        let mail = Mail::of(&RENDERER, &message, &view());
        let html = mail.html.unwrap();
        let preview = html.split_once("display:none").unwrap().1.split_once('>').unwrap().1;
        (mail.subject, preview.split('\n').next().unwrap().trim().to_owned())
    };
    let words: Vec<String> = (0..200).map(|number| format!("w{number}")).collect();
    let (subject, shown) = preview("everything", Some(words.join("\n")));
    let last =
        subject.trim_end_matches(['…', '”']).rsplit(' ').next().unwrap()[1..].parse::<usize>().unwrap();
    assert!(shown.starts_with(&format!("w{} w{} ", last + 1, last + 2)), "{subject} {shown}");
    let long = "长".repeat(400);
    let (subject, shown) = preview("everything", Some(long.clone()));
    let shown = shown.trim_end_matches("&#847;&zwnj;&nbsp;").trim();
    assert_eq!((subject.matches('长').count(), shown.matches('长').count()), (115, 149), "{subject} {shown}");
    let (_, shown) = preview("everything", None);
    assert_eq!(shown.split(" · ").next(), Some("Kiyoh"), "all of the text is in the subject");
}
