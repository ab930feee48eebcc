//! How a review reads to a person: ratings in words, cut texts, dates, edits. Pure functions, English.

use crate::clock;
use crate::domain::text::{is_unsafe, is_visible};
use crate::domain::{Change, Subject, Timestamp};
use jiff::tz::TimeZone;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

/// How much of a text one message shows, in what a reader calls characters.
pub const SHOWN_GRAPHEMES: usize = 600;
/// One grapheme can be thousands of code points (stacked accents), so these have their own limit.
const SHOWN_CODE_POINTS: usize = 2_400;
/// Beyond this many lines a text of line ends would push everything else off the screen.
const SHOWN_LINES: usize = 20;

/// A text that may have been cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// What is shown.
    pub shown: String,
    /// How many characters (graphemes) are not.
    pub missing: usize,
}

impl Cut {
    /// `… (1,340 more characters)`; `None` where nothing is missing.
    pub fn more(&self) -> Option<String> {
        (self.missing > 0).then(|| {
            let unit = if self.missing == 1 { "character" } else { "characters" };
            format!("… ({} more {unit})", thousands(self.missing as u64))
        })
    }
}

/// `text` without the characters that control a terminal or the reading direction.
pub fn clean(text: &str) -> String {
    text.chars().filter(|c| !is_unsafe(*c)).collect()
}

/// [`clean`] text as people can read it: of marks that are stacked on a letter, and so on the lines around it, only as
/// many as a language has.
pub fn legible(text: &str) -> String {
    let mut marks = 0;
    let mut few = |c: &char| {
        marks = if is_combining_mark(*c) { marks + 1 } else { 0 };
        marks <= MOST_MARKS
    };
    text.chars().filter(|c| !is_unsafe(*c)).filter(|c| few(c)).collect()
}

/// Marks on one letter; Hebrew with vowels and accents has the most.
const MOST_MARKS: usize = 5;

/// `text` with “quotes” in place of backticks, which are for terminals.
pub fn in_quotes(text: &str) -> String {
    if !text.matches('`').count().is_multiple_of(2) {
        return text.to_owned();
    }
    let mut open = false;
    let quote = |c: char| match c {
        '`' => {
            open = !open;
            if open { '“' } else { '”' }
        }
        c => c,
    };
    text.chars().map(quote).collect()
}

/// `text` beginning with a capital letter.
pub fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// `text` with zero-width spaces in addresses, so that no program makes links of them: `https:​//shop​.example`.
pub fn unlinked(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut before = ' ';
    while let Some(c) = characters.next() {
        let next = characters.peek().copied().unwrap_or(' ');
        let host = c == '.' && before.is_alphanumeric() && next.is_alphabetic();
        if host {
            safe.push(ZERO_WIDTH);
        }
        safe.push(c);
        if (c == ':' && next == '/') || (c == '@' && next.is_alphanumeric()) {
            safe.push(ZERO_WIDTH);
        }
        before = c;
    }
    safe
}

/// A space without a width.
pub const ZERO_WIDTH: char = '\u{200B}';

/// The part of `text` that one message shows.
pub fn cut_text(text: &str) -> Cut {
    cut(text, SHOWN_GRAPHEMES, SHOWN_CODE_POINTS, SHOWN_LINES)
}

/// `text` on one line, cut to `limit` graphemes with `…` as the last.
pub fn cut_line(text: &str, limit: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.graphemes(true).nth(limit).is_none() && line.chars().nth(limit * 4).is_none() {
        return line;
    }
    format!("{}…", cut(&line, limit.saturating_sub(1), limit * 4, 1).shown)
}

/// `text` cut to so many graphemes, code points and lines, whichever ends first.
pub fn cut(text: &str, graphemes: usize, code_points: usize, lines: usize) -> Cut {
    let (mut end, mut points, mut line) = (0, 0, 1);
    for (index, (start, grapheme)) in text.grapheme_indices(true).enumerate() {
        points += grapheme.chars().count();
        line += usize::from(grapheme.contains('\n'));
        if index == graphemes || points > code_points || line > lines {
            // Back to the last space, so that no word is cut in two; only a little, some scripts have none.
            let between_words = text[start..].starts_with(char::is_whitespace);
            let near = text[..start].rfind(char::is_whitespace);
            let near = near.filter(|space| !between_words && start - space <= (start / 4).min(40));
            end = near.unwrap_or(start);
            break;
        }
        end = start + grapheme.len();
    }
    Cut { shown: text[..end].trim_end().to_owned(), missing: text[end..].trim().graphemes(true).count() }
}

/// Whether `address` is an e-mail address and nothing but that.
pub fn is_plain_address(address: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '.' | '-' | '_' | '+');
    address.len() <= 120 && address.chars().all(known) && address.matches('@').count() == 1
}

/// `1340` as `1,340`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `★★★★☆` for a rating of 0..=5, rounded to whole stars.
pub fn stars(rating: f64) -> String {
    (1..=5).map(|star| if rating.round() >= f64::from(star) { '★' } else { '☆' }).collect()
}

/// One sign a severity: 🔴 up to 2, 🟡 below 4, 🟢 from 4, ⚪ unknown.
pub fn severity(rating: Option<f64>) -> &'static str {
    match rating {
        Some(rating) if rating <= 2.0 => "🔴",
        Some(rating) if rating < 4.0 => "🟡",
        Some(_) => "🟢",
        None => "⚪",
    }
}

/// A severity as a colour's name, in the words of Adaptive Cards.
pub fn tone(rating: Option<f64>) -> &'static str {
    match rating {
        Some(rating) if rating <= 2.0 => "attention",
        Some(rating) if rating < 4.0 => "warning",
        Some(_) => "good",
        None => "default",
    }
}

/// `1 of 5 stars`, or `Unknown rating`.
pub fn rating(subject: &Subject) -> String {
    match subject.rating.shown() {
        Some(shown) => format!("{shown} of 5 stars"),
        None => "Unknown rating".into(),
    }
}

/// `2/10 on Kiyoh`: the native value, where it says something else than the normalised one.
pub fn native(subject: &Subject) -> Option<String> {
    let shown = subject.rating.native_differs().then(|| subject.rating.native_shown()).flatten()?;
    let shown = cut_line(&legible(&shown), 40);
    let platform = subject.platform.as_ref().filter(|platform| is_visible(&platform.name));
    Some(match platform {
        Some(platform) => format!("{shown} on {}", cut_line(&legible(&platform.name), 40)),
        None => shown,
    })
}

/// `14 Mar 2026 18:02 CET` on the clocks of `zone`; `None` beyond the calendar's end.
pub fn date(time: Timestamp, zone: &TimeZone) -> Option<String> {
    clock::in_zone(time, zone).map(|time| time.strftime("%-d %b %Y %H:%M %Z").to_string())
}

/// `14 Mar 2026 18:02 CET (3 h ago)`, or `date unknown`.
pub fn date_and_age(time: Option<Timestamp>, now: Timestamp, zone: &TimeZone) -> String {
    let Some((time, date)) = time.and_then(|time| Some((time, date(time, zone)?))) else {
        return "date unknown".into();
    };
    let minutes = now.since(time).as_secs() / 60;
    let age = match minutes {
        _ if time > now => return date,
        0 => "just now".to_owned(),
        1..60 => format!("{minutes} min ago"),
        60..2_880 => format!("{} h ago", minutes / 60),
        _ => format!("{} days ago", thousands(minutes / 1_440)),
    };
    format!("{date} ({age})")
}

/// `after 3 days`: how long a review had stood as it was before; `None` where that is not known.
fn after(subject: &Subject) -> Option<String> {
    let minutes = subject.previous.as_ref()?.stood_ms? / 60_000;
    let (number, unit) = match minutes {
        0 => return Some(", within a minute".into()),
        1..60 => (minutes, "minute"),
        60..2_880 => (minutes / 60, "hour"),
        _ => (minutes / 1_440, "day"),
    };
    Some(format!(", after {} {unit}{}", thousands(number), if number == 1 { "" } else { "s" }))
}

/// `nl-NL` for `nl_NL`: a language as HTML names it; `None` for what names none.
pub fn language_tag(code: &str) -> Option<String> {
    let parts: Vec<&str> = code.trim().split(['_', '-']).collect();
    let good = |(index, part): (usize, &&str)| match index {
        0 => (2..=3).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphabetic()),
        _ => (2..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric()),
    };
    (parts.len() <= 4 && parts.iter().enumerate().all(good)).then(|| parts.join("-"))
}

/// What it said before, where its text is another one now.
pub fn before(subject: &Subject) -> Option<&str> {
    let before = subject.previous.as_ref()?.text.as_deref()?;
    (subject.change != Change::New && subject.review.text.as_deref() != Some(before)).then_some(before)
}

/// `Edited: 2 to 5 stars, after 3 days.`; `None` for a review nobody was told of yet.
pub fn edit(subject: &Subject) -> Option<String> {
    let before = subject.previous.as_ref();
    let text_differs = before.is_some_and(|before| before.text != subject.review.text);
    let stars = |shown: Option<String>| shown.unwrap_or_else(|| "unknown".into());
    let after = after(subject).unwrap_or_default();
    Some(match subject.change {
        Change::New => return None,
        Change::Rating => {
            let Some(before) = before else {
                return Some("Edited: the rating changed; the previous one is no longer stored.".into());
            };
            let old = stars(before.rating_on(subject.rating.scale).shown());
            let new = stars(subject.rating.shown());
            let unit = match new.as_str() {
                _ if subject.rating.normalised.is_none() => "",
                "1" => " star",
                _ => " stars",
            };
            let too = if text_differs { "; the text changed too" } else { "" };
            format!("Edited: {old} to {new}{unit}{after}{too}.")
        }
        Change::TextAdded => format!("Edited: a text was added to the rating{after}."),
        Change::Text if subject.review.text.is_none() => format!("Edited: the text was removed{after}."),
        Change::Text => format!("Edited: the text changed{after}."),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_text_says_how_much_is_missing() {
        let cut = cut_text(&"word ".repeat(1_000));
        assert!(cut.shown.graphemes(true).count() <= SHOWN_GRAPHEMES);
        assert!(cut.shown.ends_with("word"), "no word is cut in two: {:?}", cut.shown);
        assert_eq!(cut.shown.len() + 1 + cut.missing, 4_999);
        assert_eq!(cut.more().as_deref(), Some("… (4,399 more characters)"));
        assert_eq!(cut_text("short").more(), None);
        let family = "👨‍👩‍👧‍👦".repeat(700);
        assert_eq!(cut_text(&family).missing + cut_text(&family).shown.graphemes(true).count(), 700);
        assert!(
            cut_text(&format!("a{}", "\u{301}".repeat(50_000))).shown.chars().count() <= SHOWN_CODE_POINTS
        );
        assert_eq!(cut_text(&"x\n".repeat(300)).shown.lines().count(), SHOWN_LINES);
        assert_eq!(cut_line("a\nb   c", 40), "a b c");
        assert_eq!(cut_line("abcdef", 4), "abc…");
    }

    #[test]
    fn an_edit_says_how_long_it_stood() {
        let sample = crate::presentation::sample("edited rating");
        let crate::domain::Content::Review { mut subject, .. } = sample.content else { panic!("no review") };
        for (stood_ms, expected) in [
            (None, "Edited: 1.5 to 5 stars; the text changed too."),
            (Some(59_999), "Edited: 1.5 to 5 stars, within a minute; the text changed too."),
            (Some(60_000), "Edited: 1.5 to 5 stars, after 1 minute; the text changed too."),
            (Some(7_200_000), "Edited: 1.5 to 5 stars, after 2 hours; the text changed too."),
            (Some(3 * 86_400_000), "Edited: 1.5 to 5 stars, after 3 days; the text changed too."),
        ] {
            subject.previous.as_mut().unwrap().stood_ms = stood_ms;
            assert_eq!(edit(&subject).unwrap(), expected);
        }
        subject.rating.normalised = Some(1.0);
        assert!(edit(&subject).unwrap().starts_with("Edited: 1.5 to 1 star, after 3 days;"));
        assert_eq!(before(&subject), Some("Parcel broken, nobody answers."));
        subject.review.text = Some("Parcel broken, nobody answers.".into());
        assert_eq!(before(&subject), None);
    }

    #[test]
    fn languages_are_those_of_html() {
        for (code, tag) in
            [("nl_NL", "nl-NL"), ("de", "de"), ("zh-Hant-TW", "zh-Hant-TW"), (" en_GB", "en-GB")]
        {
            assert_eq!(language_tag(code).as_deref(), Some(tag));
        }
        for code in ["", "Dutch", "n", "nl_", "nl__NL", "nl\" x", "e\u{301}n", "a-b-c-d-e"] {
            assert_eq!(language_tag(code), None, "{code}");
        }
    }

    #[test]
    fn stacked_marks_stay_on_their_line() {
        let zalgo = format!("a{}b", "\u{301}\u{316}".repeat(20));
        assert_eq!(legible(&zalgo), "a\u{301}\u{316}\u{301}\u{316}\u{301}b");
        for whole in ["Ź̂̃", "שָׁ֑לוֹם", "Việt", "สวัสดีครับ นี้", "हिन्दी", "1️⃣👨‍👩‍👧‍👦🏳️‍🌈"]
        {
            assert_eq!(legible(whole), whole);
        }
    }

    #[test]
    fn addresses_are_no_links() {
        for (text, expected) in [
            ("see https://evil.example/x", "see https:|//evil|.example/x"),
            ("www.evil.example", "www|.evil|.example"),
            ("a@evil.example", "a@|evil|.example"),
            ("4.5 stars. Nice... A. Customer, 10:30", "4.5 stars. Nice... A. Customer, 10:30"),
        ] {
            assert_eq!(unlinked(text), expected.replace('|', "\u{200B}"));
        }
    }

    #[test]
    fn what_is_for_terminals_reads_well_elsewhere() {
        assert_eq!(in_quotes("put it into `a.b`, or `c`"), "put it into “a.b”, or “c”");
        assert_eq!(in_quotes("one ` alone"), "one ` alone");
        assert_eq!(sentence("éen `x`"), "Éen `x`");
        assert_eq!(sentence(""), "");
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_340), "1,340");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(stars(4.4), "★★★★☆");
        assert_eq!(severity(Some(2.0)), "🔴");
        assert_eq!(severity(Some(2.1)), "🟡");
        assert_eq!(severity(Some(4.0)), "🟢");
        assert_eq!(severity(None), "⚪");
    }

    #[test]
    fn a_date_is_shown_in_its_zone_or_as_unknown() {
        let zone = TimeZone::get("Europe/Amsterdam").unwrap();
        let at = clock::parse("2026-03-14T17:02:00Z").unwrap();
        let hours = |hours: i64| Timestamp(at.0 + hours * 3_600_000);
        assert_eq!(date_and_age(Some(at), hours(3), &zone), "14 Mar 2026 18:02 CET (3 h ago)");
        assert_eq!(date_and_age(Some(at), hours(72), &zone), "14 Mar 2026 18:02 CET (3 days ago)");
        assert_eq!(date_and_age(Some(at), hours(-1), &zone), "14 Mar 2026 18:02 CET");
        assert_eq!(date_and_age(None, at, &zone), "date unknown");
        assert_eq!(date_and_age(Some(Timestamp(i64::MAX)), at, &zone), "date unknown");
    }
}
