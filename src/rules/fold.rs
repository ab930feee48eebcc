//! Folding: text as words are compared, without case, accents, hidden characters and typographic variety.
//!
//! Accents are those of Latin, Greek, Cyrillic, Hebrew and Arabic. The marks of other scripts are vowels or
//! letters of their own (が is not か), so they stay.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// `text` folded: compatibility forms (`ﬁ`, full width) unfolded, accents and invisible characters gone, lower
/// case, `ß` as `ss`, typographic quotes and dashes plain, every run of white space one space.
pub fn fold(text: &str) -> String {
    let visible = text.chars().filter(|c| !is_invisible(*c)).map(plain);
    let mut letters = String::with_capacity(text.len());
    // Plain once more: decomposition leaves an apostrophe of `ŉ`.
    for c in visible.nfkd().map(plain).filter(|c| !is_accent(*c)).flat_map(char::to_lowercase) {
        match letter(c) {
            Some(spelt) => letters.push_str(spelt),
            None => letters.push(c),
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

/// Whether `a` directly before `b` is the inside of a word. Scripts written without spaces have no such
/// insides; Korean counts with them, because particles cling to its words.
pub fn joins(a: char, b: char) -> bool {
    is_word(a) && is_word(b) && !is_unspaced(a) && !is_unspaced(b)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || is_combining_mark(c)
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
        | '\u{06EA}'..='\u{06ED}')
}

/// Before decomposition: it would turn `´` into a space and `Shop™` into another word.
fn plain(c: char) -> char {
    match c {
        '‘' | '’' | '‚' | '‛' | 'ʼ' | '′' | '´' | '`' => '\'',
        '“' | '”' | '„' | '‟' | '«' | '»' => '"',
        '‐'..='―' | '−' => '-',
        '™' | '℠' => ' ',
        c => c,
    }
}

/// Letters whose variety no decomposition knows.
fn letter(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'ı' => "i",
        'ς' => "σ",
        'ø' => "o",
        'ł' => "l",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ŧ' => "t",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        _ => return None,
    })
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

    #[test]
    fn folding_twice_is_folding_once() {
        for c in '\0'..='\u{2FFFF}' {
            let once = fold(c.encode_utf8(&mut [0; 4]));
            assert_eq!(fold(&once), once, "U+{:04X}", u32::from(c));
        }
    }
}
