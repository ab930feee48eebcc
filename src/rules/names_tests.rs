//! Tests of names that nothing bears.

use super::super::testing::{parse, read, rules};
use super::*;
use crate::domain::{Source, Website};

fn named(uuid: &str, name: &str) -> Named {
    Named { uuid: uuid.into(), name: name.into() }
}

fn catalog(websites: &[Website]) -> Catalog {
    let source = Source { named: named("s1", "Google Amsterdam"), ..Source::default() };
    Catalog {
        sources: BTreeMap::from([("s1".into(), source)]),
        websites: websites.iter().map(|named| (named.uuid.clone(), named.clone())).collect(),
        platforms: BTreeMap::from([("p1".into(), named("p1", "Google"))]),
        former: Vec::new(),
    }
}

fn catalogs() -> BTreeMap<String, Catalog> {
    BTreeMap::from([
        ("main".to_owned(), catalog(&[named("w1", "Shop NL"), named("w2", "Shop BE")])),
        ("other".to_owned(), catalog(&[named("w3", "Garden Centre Outlet")])),
    ])
}

fn unknown(rules: &[Rule], catalogs: &BTreeMap<String, Catalog>) -> Vec<NameProblem> {
    let scales = ["main", "other"].map(|name| (name.to_owned(), RatingScales::default()));
    unknown_names(Configured { rules, scales: &scales.into(), tests: &[] }, catalogs)
}

fn problems_of(when: &str) -> Vec<String> {
    unknown(&rules(when), &catalogs()).iter().map(ToString::to_string).collect()
}

#[test]
fn a_name_that_nothing_bears_is_reported_with_the_nearest() {
    assert_eq!(
        problems_of("{ websites = ['shop nl', 'W2'], platforms = ['google'], sources = ['s1'] }"),
        [""; 0]
    );
    assert_eq!(
        problems_of("{ websites = ['Shop N'] }"),
        ["rule `r`: no website is called `Shop N`; did you mean `Shop NL` or `Shop BE`?"]
    );
    assert_eq!(
        problems_of("{ websites = ['garden'] }"),
        ["rule `r`: no website is called `garden`; did you mean `Garden Centre Outlet`?"]
    );
    assert_eq!(
        problems_of("{ websites = ['Google'] }"),
        ["rule `r`: no website is called `Google`; it is a platform, so write platforms = [\"…\"]"]
    );
    assert_eq!(
        problems_of("{ platforms = ['Trustpilot'] }"),
        ["rule `r`: no platform is called `Trustpilot`"]
    );
}

// J2
#[test]
fn a_name_is_known_however_it_is_spelt() {
    assert_eq!(problems_of("{ websites = [\"Shop\\u00A0NL\", 'SHOP&nbsp;be', 'shop\u{200B} nl'] }"), [""; 0]);
}

// J1
#[test]
fn a_name_that_was_is_answered_with_the_name_of_today() {
    let mut catalogs = catalogs();
    let before = catalogs["main"].clone();
    let mut now = catalog(&[named("w1", "Shop Netherlands")]);
    now.succeed(&before);
    catalogs.insert("main".into(), now);
    let texts: Vec<String> = unknown(&rules("{ websites = ['shop nl', 'Shop BE'] }"), &catalogs)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        texts,
        [
            "rule `r`: no website is called `shop nl`; it is now called `Shop Netherlands`",
            "rule `r`: no website is called `Shop BE`; the one that was called so is gone",
        ]
    );
}

// J1
#[test]
fn scales_and_tests_have_names_too() {
    let config =
        "tests = [{ name = 't', review = { website = 'Shop N', platform = 'Google' }, expect = [] }]";
    let (tests, problems) = read(config, super::super::read_cases);
    assert_eq!(problems, []);
    let scale = |name: &str| RatingScales::new([(key(name), name.to_owned(), 10.0)]);
    let scales =
        [("main".to_owned(), scale("Gogle")), ("other".to_owned(), scale("google amsterdam"))].into();
    let rules = parse("rules = [{ name = 'a', to = ['owner'], when = { websites = ['SHOP N'] } }]");
    let found = unknown_names(Configured { rules: &rules, scales: &scales, tests: &tests }, &catalogs());
    let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "rule `a`, test `t`: no website is called `SHOP N`; did you mean `Shop NL` or `Shop BE`?",
            "accounts.main.rating_scales: no platform or source is called `Gogle`; did you mean `Google`?",
        ]
    );
}

#[test]
fn only_the_accounts_of_the_rule_count() {
    assert_eq!(problems_of("{ websites = ['Shop NL'], accounts = ['MAIN'] }"), [""; 0]);
    assert_eq!(problems_of("{ websites = ['Shop NL'], accounts = ['other'] }").len(), 1);
    assert_eq!(problems_of("{ websites = ['x'], accounts = ['third'] }"), [""; 0], "nothing is known of it");
    let one = catalogs().into_iter().filter(|(name, _)| name == "main").collect();
    assert_eq!(unknown(&rules("{ websites = ['x'] }"), &one), [], "the other may have it");
}

#[test]
fn names_in_unless_count_too() {
    let rules = parse("rules = [{ name = 'a', to = ['owner'], unless = { platforms = ['Kiyo'] } }]");
    assert_eq!(unknown(&rules, &catalogs())[0].kind, "platform");
}
