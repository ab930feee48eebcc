//! What customers write, as fragments by language that the sandbox composes reviews from. Names are first
//! names and initials or surnames so common that they mean nobody.
//!
//! In a sentence `{p}` is a product and `{n}` a small number.

mod european;
mod western;
mod world;

/// The fragments of one language.
#[derive(Debug)]
pub(super) struct Language {
    /// ISO 639-1.
    pub(super) code: &'static str,
    /// The country that locales in this language name most.
    pub(super) country: &'static str,
    /// How many of a thousand reviews in a language other than the shop's own are in this one.
    pub(super) weight: u32,
    /// What happy customers write.
    pub(super) good: &'static [&'static str],
    /// What customers write who are neither.
    pub(super) mixed: &'static [&'static str],
    /// What unhappy customers write.
    pub(super) bad: &'static [&'static str],
    /// One to three words of praise.
    pub(super) short_good: &'static [&'static str],
    /// One to three words of complaint.
    pub(super) short_bad: &'static [&'static str],
    /// Products.
    pub(super) products: &'static [&'static str],
    /// First names.
    pub(super) first_names: &'static [&'static str],
    /// Surnames.
    pub(super) surnames: &'static [&'static str],
    /// What stands between sentences; nothing in Chinese and Japanese.
    pub(super) space: &'static str,
}

/// Every language.
pub(super) static LANGUAGES: &[&Language] = &[
    &western::DUTCH,
    &western::GERMAN,
    &western::ENGLISH,
    &western::FRENCH,
    &european::SPANISH,
    &european::ITALIAN,
    &european::POLISH,
    &european::SWEDISH,
    &european::DANISH,
    &european::TURKISH,
    &world::ARABIC,
    &world::HEBREW,
    &world::RUSSIAN,
    &world::UKRAINIAN,
    &world::GREEK,
    &world::CHINESE,
    &world::JAPANESE,
    &world::KOREAN,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_something_to_say() {
        for language in LANGUAGES {
            for list in [language.good, language.mixed, language.bad, language.products] {
                assert!(list.len() >= 3, "{}", language.code);
            }
            for list in [language.short_good, language.short_bad, language.first_names, language.surnames] {
                assert!(list.len() >= 2, "{}", language.code);
            }
            for sentence in language.good.iter().chain(language.mixed).chain(language.bad) {
                let rest = sentence.replace("{p}", "").replace("{n}", "");
                assert!(!rest.contains(['{', '}']), "{sentence}");
            }
        }
    }
}
