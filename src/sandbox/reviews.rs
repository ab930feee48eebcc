//! Reviews as customers write them: seeded, with the ratings, lengths, languages, locales, names and dates
//! that real ones have.

use super::catalog::{COMPANY, SOURCES, Scale, Source};
use super::phrases::{LANGUAGES, Language};
use crate::clock::rfc3339;
use crate::domain::Timestamp;
use fastrand::Rng;
use serde_json::{Value, json};
use std::time::Duration;

/// How happy a customer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Good,
    Mixed,
    Bad,
}

/// A review written at `at`, as the API lists it.
pub(super) fn review(rng: &mut Rng, at: Timestamp) -> Value {
    let source = &SOURCES[index_weighted(rng, SOURCES.iter().map(|source| source.weight))];
    let language = language(rng, source);
    let (rating, mood) = rating(rng, source.platform.scale);
    let (name, email) = author(rng, source, language);
    json!({
        "uuid": uuid(rng),
        "name": name,
        "email": email,
        "body": body(rng, language, mood),
        "rating": rating,
        "source_uuid": source.uuid,
        "platform_uuid": source.platform.uuid,
        "company_uuid": COMPANY,
        "local_code": locale(rng, language),
        "review_at": date(rng, at),
    })
}

/// How long before `now` a review of the first listing was written: half within four days, none over 30.
pub(super) fn first_age(rng: &mut Rng) -> Duration {
    Duration::from_secs_f64(rng.f64().powi(3) * 30.0 * 86_400.0)
}

/// How long before now a review that arrives was written: minutes, now and then three weeks.
pub(super) fn arrival_age(rng: &mut Rng) -> Duration {
    let late = rng.u32(..100) < 2;
    Duration::from_secs(if late { 21 * 86_400 } else { rng.u64(5..600) })
}

fn uuid(rng: &mut Rng) -> String {
    let n = rng.u128(..);
    let hex = format!("{n:032x}");
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

fn language(rng: &mut Rng, source: &Source) -> &'static Language {
    let home = LANGUAGES.iter().copied().find(|language| language.code == source.language);
    match home {
        Some(home) if rng.u32(..100) < 82 => home,
        _ => LANGUAGES[index_weighted(rng, LANGUAGES.iter().map(|language| language.weight))],
    }
}

/// J-shaped, as ratings are: mostly the best, some of the worst, little between.
fn rating(rng: &mut Rng, scale: Scale) -> (Value, Mood) {
    let (weights, top): (&[u32], usize) = match scale {
        Scale::Five => (&[3, 2, 4, 13, 78], 5),
        Scale::OpenFive => (&[15, 4, 5, 10, 66], 5),
        Scale::Ten => (&[2, 1, 1, 1, 1, 3, 6, 21, 29, 35], 10),
        Scale::YesNo => (&[8, 92], 2),
        Scale::Feedback => (&[4, 4, 92], 3),
    };
    let step = 1 + index_weighted(rng, weights.iter().copied());
    let mood = match step as f64 / top as f64 {
        _ if matches!(scale, Scale::YesNo | Scale::Feedback) && step == top => Mood::Good,
        _ if scale == Scale::Feedback && step == 2 => Mood::Mixed,
        share if share > 0.7 => Mood::Good,
        share if share > 0.5 && scale != Scale::YesNo => Mood::Mixed,
        _ => Mood::Bad,
    };
    let value = match scale {
        Scale::YesNo => json!(if step == 2 { "yes" } else { "no" }),
        Scale::Feedback => json!(["negative", "neutral", "positive"][step - 1]),
        Scale::Ten if step == 8 && rng.u32(..6) == 0 => json!(8.3),
        Scale::Ten if step == 7 && rng.u32(..6) == 0 => json!("7,5"),
        _ if rng.u32(..20) == 0 => json!(step.to_string()),
        _ => json!(step),
    };
    (value, mood)
}

/// A quarter without a text, 15 in a hundred a few words, most some sentences, a few a long story; the
/// unhappy write about three times as much.
fn body(rng: &mut Rng, language: &Language, mood: Mood) -> Value {
    let wordless = if mood == Mood::Bad { 10 } else { 27 };
    let kind = rng.u32(..100);
    if kind < wordless {
        return if rng.u32(..4) == 0 { json!("") } else { Value::Null };
    }
    if kind < wordless + 15 && mood != Mood::Mixed {
        let words = if mood == Mood::Good { language.short_good } else { language.short_bad };
        return json!(pick(rng, words));
    }
    let sentences = match (rng.u32(..100), mood) {
        (0..75, Mood::Bad) => rng.usize(2..=5),
        (0..75, _) => rng.usize(1..=3),
        (75..94, _) => rng.usize(4..=8),
        _ => rng.usize(12..=24),
    };
    json!(compose(rng, language, mood, sentences))
}

fn compose(rng: &mut Rng, language: &Language, mood: Mood, count: usize) -> String {
    let main = match mood {
        Mood::Good => language.good,
        Mood::Mixed => language.mixed,
        Mood::Bad => language.bad,
    };
    let mut pool: Vec<&str> = main.to_vec();
    rng.shuffle(&mut pool);
    if count > pool.len() || rng.u32(..6) == 0 {
        // Nobody is only happy or only unhappy over a whole page.
        pool.extend(if mood == Mood::Mixed { language.good } else { language.mixed });
    }
    let product = pick(rng, language.products);
    let mut text = String::new();
    for (index, sentence) in pool.iter().take(count).enumerate() {
        if index > 0 {
            text.push_str(if index % 5 == 0 { "\n\n" } else { language.space });
        }
        text.push_str(&sentence.replace("{p}", product).replace("{n}", &rng.u32(2..=4).to_string()));
    }
    match rng.u32(..30) {
        0 => text + " 👍",
        1 if mood == Mood::Good => text + " ⭐⭐⭐⭐⭐",
        // Platforms that encode, and collectors that encode again.
        2 => text.replace('\'', "&#39;").replace('&', "&amp;").replace("\n\n", "<br /><br />"),
        3 => text.replace("\n\n", "\r\n\r\n"),
        _ => text,
    }
}

fn author(rng: &mut Rng, source: &Source, language: &Language) -> (Value, Value) {
    let first = pick(rng, language.first_names);
    let surname = pick(rng, language.surnames);
    let initial: String = surname.chars().take(1).collect::<String>().to_uppercase();
    let name = match (rng.u32(..100), source.platform.name) {
        (0..3, _) => Value::Null,
        (3..5, _) => json!(""),
        (5..12, "Kiyoh" | "WebwinkelKeur" | "Feedback Company") => json!("anoniem"),
        (5..9, "Google") => json!("A Google User"),
        (5..7, _) => json!("Klant"),
        (12..14, _) => json!(format!("{first} 🌸")),
        (14..35, _) => json!(format!("{first} {initial}.")),
        (35..42, _) => json!(first),
        _ => json!(format!("{first} {surname}")),
    };
    // Most platforms pass no address on.
    let number = rng.u32(100..1000);
    let email =
        if rng.u32(..100) < 35 { json!(format!("customer{number}@mail.example")) } else { Value::Null };
    (name, email)
}

fn locale(rng: &mut Rng, language: &Language) -> Value {
    let (code, country) = (language.code, language.country);
    match rng.u32(..100) {
        0..2 => Value::Null,
        2 => json!(""),
        // A wrong one.
        3 => json!("en_US"),
        4..14 => json!(code),
        14..19 => json!(format!("{code}-{country}")),
        19..21 => json!(code.to_uppercase()),
        _ => json!(format!("{code}_{country}")),
    }
}

/// `at` in one of the forms that dates come in; a bare date loses the time, as it does in life.
fn date(rng: &mut Rng, at: Timestamp) -> Value {
    let whole = Timestamp(at.as_millis().div_euclid(1000) * 1000);
    let text = rfc3339(whole);
    let seconds = text.trim_end_matches('Z');
    match rng.u32(..100) {
        0..8 => json!(seconds.replace('T', " ")),
        8..11 => json!(seconds.split('T').next()),
        11..14 => json!(format!("{seconds}.123456789Z")),
        14..17 => json!(format!("{seconds}+00:00")),
        17..19 => Value::Null,
        _ => json!(format!("{seconds}.000000Z")),
    }
}

fn pick<T: Copy>(rng: &mut Rng, items: &[T]) -> T {
    items[rng.usize(..items.len())]
}

/// An index, each as likely as its weight says.
fn index_weighted(rng: &mut Rng, weights: impl Iterator<Item = u32> + Clone) -> usize {
    let mut left = rng.u32(..weights.clone().sum::<u32>().max(1));
    for (index, weight) in weights.enumerate() {
        if left < weight {
            return index;
        }
        left -= weight;
    }
    0
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn thousand() -> Vec<Value> {
        let mut rng = Rng::with_seed(7);
        (0..1000).map(|_| review(&mut rng, NOW)).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_reviews() {
        assert_eq!(thousand(), thousand());
    }

    #[test]
    fn reviews_are_as_mixed_as_real_ones() {
        let reviews = thousand();
        let share = |of: &dyn Fn(&Value) -> bool| reviews.iter().filter(|review| of(review)).count();
        let wordless = share(&|review| review["body"].as_str().is_none_or(str::is_empty));
        assert!((180..320).contains(&wordless), "{wordless}");
        let best = share(&|review| matches!(&review["rating"], Value::Number(n) if n.as_u64() == Some(5)));
        assert!((250..700).contains(&best), "{best}");
        let long = share(&|review| review["body"].as_str().is_some_and(|body| body.chars().count() > 200));
        assert!((50..300).contains(&long), "{long}");
        let locales: BTreeSet<&str> =
            reviews.iter().filter_map(|review| review["local_code"].as_str()).collect();
        assert!(locales.len() > 25, "{locales:?}");
        let ratings: BTreeSet<String> = reviews.iter().map(|review| review["rating"].to_string()).collect();
        for word in ["\"yes\"", "\"no\"", "\"positive\"", "10", "1"] {
            assert!(ratings.contains(word), "{word} of {ratings:?}");
        }
    }

    #[test]
    fn texts_do_not_repeat_visibly() {
        let reviews = thousand();
        let texts: Vec<&str> = reviews
            .iter()
            .filter_map(|review| review["body"].as_str())
            .filter(|body| body.len() > 80)
            .collect();
        let distinct: BTreeSet<&&str> = texts.iter().collect();
        assert!(distinct.len() * 100 >= texts.len() * 97, "{} of {}", distinct.len(), texts.len());
        let uuids: BTreeSet<&str> = reviews.iter().filter_map(|review| review["uuid"].as_str()).collect();
        assert_eq!(uuids.len(), reviews.len());
    }

    #[test]
    fn ages_fit_what_they_are_for() {
        let mut rng = Rng::with_seed(1);
        let ages: Vec<Duration> = (0..1000).map(|_| first_age(&mut rng)).collect();
        let day = ages.iter().filter(|age| age.as_secs() < 86_400).count();
        assert!((200..450).contains(&day), "{day}");
        assert!(ages.iter().all(|age| age.as_secs() <= 30 * 86_400));
    }
}
