//! Folding: text as words are compared, regardless of case, accents, hidden characters and typographic variety.
//!
//! Accents are those of Latin, Greek, Cyrillic, Hebrew and Arabic. The marks of other scripts are vowels or
//! letters of their own (が is not か), so they stay.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// `text` folded: compatibility forms (`ﬁ`, full width) unfolded, accents and invisible characters gone, lower
/// case, `ß` as `ss`, letters and digits of one meaning as one, typographic quotes and dashes plain, every run of white
/// space one space.
pub fn fold(text: &str) -> String {
    let visible = text.chars().filter(|c| !is_invisible(*c)).map(plain);
    let mut letters = String::with_capacity(text.len());
    // Plain once more: decomposition leaves an apostrophe of `ŉ`.
    for c in visible.nfkd().map(plain).filter(|c| !is_accent(*c)).flat_map(char::to_lowercase) {
        match letter(c) {
            Some(spelt) => letters.push_str(spelt),
            None => letters.push(digit(c)),
        }
    }
    // Two `เ` look like one `แ`, and are often typed for it.
    for (typed, meant) in [("เเ", "แ"), ("ເເ", "ແ")] {
        if letters.contains(typed) {
            letters = letters.replace(typed, meant);
        }
    }
    // Composed again, so that a Korean syllable is not found as the start of another.
    let mut folded = String::with_capacity(letters.len());
    for c in letters.nfc() {
        match c.is_whitespace() {
            true if folded.is_empty() || folded.ends_with(' ') => {}
            true => folded.push(' '),
            false => folded.push(c),
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// `text` in a plain form, for patterns: typographic quotes, dashes and spaces as they are typed, no invisible
/// characters, composed. Letters, case and line breaks stay.
pub fn plain_form(text: &str) -> String {
    let kept = text.chars().filter(|c| !is_invisible(*c)).map(|c| match c {
        '\n' | '\t' => c,
        c if c.is_whitespace() => ' ',
        // Not a sign that somebody typed, but one that stands for a word.
        '™' | '℠' => c,
        c => plain(c),
    });
    kept.nfc().collect()
}

/// Whether `a` directly before `b` is the inside of a word. Scripts written without spaces have no such
/// insides; Korean counts with them, because particles cling to its words.
pub fn joins(a: char, b: char) -> bool {
    is_word(a) && is_word(b) && !is_unspaced(a) && !is_unspaced(b)
}

/// `_` is none: people write `_refund_` for emphasis.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
}

fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0E00}'..='\u{0EFF}'     // Thai, Lao
        | '\u{1000}'..='\u{109F}'   // Myanmar
        | '\u{1100}'..='\u{11FF}'   // Korean letters
        | '\u{1780}'..='\u{17FF}'   // Khmer
        | '\u{3005}'..='\u{3007}'
        | '\u{3040}'..='\u{318F}'   // Kana, Bopomofo, Korean letters
        | '\u{31A0}'..='\u{31FF}'
        | '\u{3400}'..='\u{4DBF}'   // Chinese characters
        | '\u{4E00}'..='\u{9FFF}'
        | '\u{A960}'..='\u{A97F}'
        | '\u{AC00}'..='\u{D7FF}'   // Korean syllables
        | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFF}')
}

/// Characters that show nothing by themselves and would only hide a word (Default_Ignorable_Code_Point).
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
        | '\u{E0000}'..='\u{E0FFF}')
}

fn is_accent(c: char) -> bool {
    matches!(c,
        '\u{0300}'..='\u{036F}' | '\u{0483}'..='\u{0489}' | '\u{1AB0}'..='\u{1AFF}'
        | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}'
        // Hebrew points, Arabic vowel signs, hamza above and below, the lengthening stroke.
        | '\u{0591}'..='\u{05BD}' | '\u{05BF}' | '\u{05C1}' | '\u{05C2}' | '\u{05C4}' | '\u{05C5}'
        | '\u{05C7}' | '\u{0610}'..='\u{061A}' | '\u{0640}' | '\u{064B}'..='\u{065F}' | '\u{0670}'
        | '\u{06D6}'..='\u{06DC}' | '\u{06DF}'..='\u{06E4}' | '\u{06E7}' | '\u{06E8}'
        | '\u{06EA}'..='\u{06ED}'
        // The dot below of Hindi, Punjabi and Gujarati, which most people leave out: ज़ is typed ज.
        | '\u{093C}' | '\u{0A3C}' | '\u{0ABC}')
}

/// Before decomposition: it would turn `´` into a space and `Shop™` into another word.
fn plain(c: char) -> char {
    match c {
        '‘' | '’' | '‚' | '‛' | '‹' | '›' | '❛' | '❜' | '′' | '‵' | '´' | '`' => '\'',
        // Apostrophes that are letters, the Armenian one, the Hebrew geresh.
        'ʹ' | 'ʻ' | 'ʼ' | 'ʽ' | 'ʾ' | 'ʿ' | 'ˈ' | 'Ꞌ' | 'ꞌ' | '՚' | '׳' => '\'',
        '“' | '”' | '„' | '‟' | '«' | '»' | '❝' | '❞' | '〝' | '〞' | '〟' | '″' | 'ˮ' | '״' => {
            '"'
        }
        '‐'..='―' | '−' | '⁃' | '־' | '֊' | '⸺' | '⸻' => '-',
        '⁄' | '∕' | '⧸' => '/',
        '〜' | '∼' | '⁓' => '~',
        // Arabic punctuation, and the signs in its numbers.
        '،' => ',',
        '؛' => ';',
        '؟' => '?',
        '٪' => '%',
        '٫' => '.',
        '٬' => ',',
        '™' | '℠' => ' ',
        c => c,
    }
}

/// Letters whose variety no decomposition knows.
fn letter(c: char) -> Option<&'static str> {
    latin(c).or_else(|| arabic(c)).or_else(|| other(c))
}

fn latin(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'ı' => "i",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' | 'ɗ' => "d",
        'ħ' => "h",
        'ŧ' => "t",
        'ŋ' => "n",
        'ɓ' => "b",
        'ƙ' => "k",
        'ƴ' => "y",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        _ => return None,
    })
}

/// One letter each, whether an Arabic, a Persian, an Urdu or a Kurdish keyboard typed it.
fn arabic(c: char) -> Option<&'static str> {
    Some(match c {
        // Alef of the Koran; yeh without dots, Persian, Kurdish and Urdu yeh.
        '\u{0671}' => "\u{0627}",
        '\u{0649}' | '\u{06CC}' | '\u{06CD}' | '\u{06CE}' | '\u{06D0}' | '\u{06D2}' => "\u{064A}",
        // Persian, swash and other kaf; teh marbuta and the hehs.
        '\u{06A9}' | '\u{06AA}' | '\u{06AB}' | '\u{06AC}' => "\u{0643}",
        '\u{0629}' | '\u{06BE}' | '\u{06C1}' | '\u{06C3}' | '\u{06D5}' => "\u{0647}",
        // Kurdish and Uighur waw.
        '\u{06C6}' | '\u{06C7}' | '\u{06C8}' | '\u{06CB}' => "\u{0648}",
        _ => return None,
    })
}

fn other(c: char) -> Option<&'static str> {
    Some(match c {
        'ς' => "σ",
        'ґ' => "г",
        // Yiddish ligatures.
        'װ' => "וו",
        'ױ' => "וי",
        'ײ' => "יי",
        // Hindi writes a nasal with either sign.
        '\u{0901}' => "\u{0902}",
        // Bengali and Malayalam letters that have a spelling of two.
        '\u{09CE}' => "\u{09A4}\u{09CD}",
        '\u{0D7A}' => "\u{0D23}\u{0D4D}",
        '\u{0D7B}' => "\u{0D28}\u{0D4D}",
        '\u{0D7C}' => "\u{0D30}\u{0D4D}",
        '\u{0D7D}' => "\u{0D32}\u{0D4D}",
        '\u{0D7E}' => "\u{0D33}\u{0D4D}",
        '\u{0D7F}' => "\u{0D15}\u{0D4D}",
        _ => return None,
    })
}

/// The zeros of the scripts whose digits people write beside 0 to 9.
const ZEROS: [u32; 17] = [
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0E50,
    0x0ED0, 0x0F20, 0x1040, 0x17E0,
];

/// A digit of any script as 0 to 9; any other character as it is.
fn digit(c: char) -> char {
    let value = |zero: &u32| u32::from(c).checked_sub(*zero).filter(|value| *value < 10);
    let found = if u32::from(c) < ZEROS[0] { None } else { ZEROS.iter().find_map(value) };
    found.and_then(|value| char::from_digit(value, 10)).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_in_many_spellings() {
        let same = [
            ("Café", "cafe"),
            ("cafe\u{301}", "CAFÉ"),
            ("STRASSE", "straße"),
            ("STRAẞE", "strasse"),
            ("İADE", "iade"),
            ("kırık", "KIRIK"),
            ("ﬁets", "FIETS"),
            ("ＡＢＣ", "abc"),
            ("smørrebrød", "Smorrebrod"),
            ("ΟΔΟΣ", "οδός"),
            ("ёлка", "елка"),
            ("مُحَمَّد", "محمد"),
            ("أحمد", "احمد"),
            ("don’t", "don´t"),
            ("kap\u{200B}ot\u{AD}", "kapot"),
            ("a \n\t\u{A0} b ", " a b"),
            ("ｶﾞ", "ガ"),
            ("❤\u{FE0F}", "❤"),
            ("Shop™", "shop"),
            ("e‑mail", "e-mail"),
            // J16
            ("צה״ל", "צה\"ל"),
            ("צ׳יפס", "צ'יפס"),
            ("בית־ספר", "בית-ספר"),
            ("ज़रूर", "जरूर"),
            ("ख़राब", "खराब"),
            ("पाँच", "पांच"),
            ("ਜ਼ਰੂਰ", "ਜਰੂਰ"),
            ("كتاب", "کتاب"),
            ("خیلی", "خيلي"),
            ("على", "علي"),
            ("مدرسة", "مدرسه"),
            ("ٱلله", "الله"),
            ("آمد", "امد"),
            ("شیراز ۱۲۳", "شيراز ١٢٣"),
            ("٥ نجوم", "5 نجوم"),
            ("५ स्टार", "5 स्टार"),
            ("๕ ดาว", "5 ดาว"),
            ("เเย่", "แย่"),
            ("می\u{200C}خواهم", "میخواهم"),
            ("1⁄5", "1/5"),
            ("⅕", "1/5"),
            ("ґанок", "ганок"),
            ("п’ять", "пʼять"),
            ("ןָאן", "ןאן"),
            ("ৎ", "ত\u{9CD}\u{200D}"),
            ("അവൻ", "അവന\u{D4D}\u{200D}"),
        ];
        for (a, b) in same {
            assert_eq!(fold(a), fold(b), "{a:?} and {b:?}");
        }
    }

    #[test]
    fn letters_of_their_own_stay() {
        assert_ne!(fold("が"), fold("か"));
        assert_ne!(fold("की"), fold("का"));
        assert!(!fold("각").starts_with(&fold("가")));
    }

    // J9
    #[test]
    fn the_plain_form_keeps_letters_and_lines() {
        assert_eq!(plain_form("It doesn’t\u{A0}work\u{AD}ing – “é”\n\tŁ"), "It doesn't working - \"é\"\n\tŁ");
        assert_eq!(plain_form("cafe\u{301}\u{202F}5\u{200B}0"), "café 50");
    }

    #[test]
    fn folding_twice_is_folding_once() {
        for c in '\0'..='\u{2FFFF}' {
            let once = fold(c.encode_utf8(&mut [0; 4]));
            assert_eq!(fold(&once), once, "U+{:04X}", u32::from(c));
        }
    }
}
