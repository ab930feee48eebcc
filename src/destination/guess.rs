//! Whether a part of a URL is a word that people chose, or was generated: only the latter can be a secret.

/// How common each pair of letters is in English (and a little Dutch and German) words, from 0 to 9: by the first
/// letter, then by the second. Counted over the words of free documentation.
const PAIRS: [&[u8; 26]; 26] = [
    b"05651250503767050767532331",
    b"52215003420510400331402020",
    b"60426206506521710536410020",
    b"42237211611412410442410020",
    b"64675542301657454876255640",
    b"40115400600401500333400030",
    b"30106133400324310541300000",
    b"50006000400210500334200010",
    b"54656550001658650566040324",
    b"20002000000000200010200000",
    b"20016210400301100041200000",
    b"62247210701612630144420050",
    b"63116000501331550041300010",
    b"61566472514313520167440030",
    b"34551332315567550755545200",
    b"60226113501500540645400040",
    b"00000000000100000010400000",
    b"62458330704454630566441040",
    b"50527215603432552167512030",
    b"61438316700432640665412050",
    b"44424230400546240555000100",
    b"50106000500000300000000000",
    b"40005003400103400340000000",
    b"10304000300010040004000010",
    b"11202010200322350133000000",
    b"30004000200000000000000000",
];

/// Words of URLs that look generated.
const KNOWN: &[&str] =
    &["webhook", "webhooks", "webhookb", "workflow", "workflows", "kiyoh", "zapier", "integrations"];

/// A longer run of letters is no word.
const LONGEST_WORD: usize = 15;

/// Whether `part` was likely generated, and not chosen by people: words, short numbers, dates and versions are chosen.
pub fn is_generated(part: &str) -> bool {
    part.split(|c: char| !c.is_alphanumeric()).any(|piece| !is_chosen(piece))
}

/// Whether a run of letters and digits is one or several words, perhaps with a short number behind.
fn is_chosen(piece: &str) -> bool {
    let letters = piece.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = piece.len() - letters.len();
    if letters.is_empty() {
        // A year, a date, a port.
        return digits <= 5;
    }
    if !letters.is_ascii() {
        return letters.chars().all(char::is_alphabetic) && letters.chars().count() <= LONGEST_WORD;
    }
    digits <= 2 && letters.bytes().all(|byte| byte.is_ascii_alphabetic()) && humps(letters).all(is_word)
}

/// The words of `incomingWebHook`: a capital behind a small letter begins one.
fn humps(letters: &str) -> impl Iterator<Item = &str> {
    let bytes = letters.as_bytes();
    let begins = move |at: &usize| {
        bytes[*at].is_ascii_uppercase()
            && at.checked_sub(1).is_some_and(|before| bytes[before].is_ascii_lowercase())
    };
    let mut starts: Vec<usize> = (0..bytes.len()).filter(begins).collect();
    starts.insert(0, 0);
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([bytes.len()]).collect();
    let short = starts.len() > 1 && starts.iter().zip(&ends).any(|(start, end)| end - start < 3);
    // `aBcD` is no row of words.
    let all = if short { vec![(0, usize::MAX)] } else { starts.into_iter().zip(ends).collect() };
    all.into_iter().map(move |(start, end)| if end == usize::MAX { "\0" } else { &letters[start..end] })
}

fn is_word(word: &str) -> bool {
    let capitals = word.bytes().skip(1).filter(u8::is_ascii_uppercase).count();
    if word == "\0" || word.len() > LONGEST_WORD || (capitals > 0 && capitals + 1 < word.len()) {
        return false;
    }
    let lower = word.to_ascii_lowercase();
    let least = match lower.len() {
        0..=5 => 0,
        6 | 7 => 33,
        _ => 40,
    };
    KNOWN.contains(&lower.as_str()) || score(lower.as_bytes()) >= least
}

/// Ten times how common the pairs of letters of `word` are on average.
fn score(word: &[u8]) -> usize {
    let index = |letter: u8| usize::from(letter.saturating_sub(b'a')).min(25);
    let pair = |pair: &[u8]| usize::from(PAIRS[index(pair[0])][index(pair[1])] - b'0');
    let pairs = word.len().saturating_sub(1).max(1);
    word.windows(2).map(pair).sum::<usize>() * 10 / pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_chosen_and_tokens_are_generated() {
        for chosen in [
            "services",
            "workflows",
            "powerautomate",
            "automations",
            "direct",
            "triggers",
            "manual",
            "paths",
            "invoke",
            "mattermost",
            "hooks",
            "webhookb2",
            "incoming-webhook",
            "IncomingWebhook",
            "webhooks",
            "messages",
            "spaces",
            "2016-06-01",
            "1.0",
            "v10",
            "api",
            "api-version",
            "klantenservice",
            "beoordelingen",
            "reviews_nl",
            "kundendienst",
            "catch",
            "teams",
            "slack",
            "discord",
            "customer-reviews",
            "REVIEWS",
            "shop",
            "environments",
            "bewertungen",
            "récents",
            "отзывы",
            "8080",
            "T0",
            "x",
        ] {
            assert!(!is_generated(chosen), "{chosen}");
        }
        for generated in [
            "XXXXsecretpathXXXXsecret",
            "T00000000",
            "b7d1c0f2e5",
            "aB3dE5fG",
            "6f1c0a52-0001-4f1e-9a3b-0c2d4e6f8a1b",
            "xkzqvbtrw",
            "AbCdEfGhIj",
            "qwrtzpsdfg",
            "000000000000000000",
            "1234567",
            "pass1word2",
            "MDQ6VXNlcjU4MzIzMQ",
            "kltrbdnqhsmwcxyzpvgj",
            "thisisaverylongrunofwordsthatisasecret",
            "8f3kd02mx",
            "Zx81Qm3tTopic",
        ] {
            assert!(is_generated(generated), "{generated}");
        }
    }
}
