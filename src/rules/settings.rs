//! Reads `[[rules]]`. Every problem is recorded with its path; a rule with a problem is left out, because dropping
//! a condition would widen it.

use super::condition::{TABLE, implied_changes};
use super::extent::excludes_all;
use super::{Conditions, Entry, Rule};
use crate::domain::text::is_unsafe;
use crate::settings::Table;
use crate::settings::table::{nearest, quoted};
use crate::spelling::key;
use std::collections::BTreeSet;

/// The rules of a configuration, in order. `destinations` are the names that exist. Problems are recorded with
/// `root`; then the rules must not be used.
pub fn read_rules(root: &Table<'_>, destinations: &[String]) -> Vec<Rule> {
    let tables = root.table_list("rules");
    if tables.is_empty() {
        root.problem(
            "rules",
            "no rules, so nothing would ever be delivered",
            "add [[rules]] with a name and its destinations: to = [\"…\"]",
        );
    }
    let accounts = accounts(root);
    let mut names = BTreeSet::new();
    tables.into_iter().filter_map(|table| read_rule(table, destinations, &accounts, &mut names)).collect()
}

/// The names of the accounts that the same configuration has.
pub(super) fn accounts(root: &Table<'_>) -> Vec<String> {
    if !root.has("accounts") {
        return Vec::new();
    }
    root.table("accounts").map_or(Vec::new(), |table| table.keys().into_iter().map(str::to_owned).collect())
}

fn read_rule(
    table: Table<'_>,
    destinations: &[String],
    accounts: &[String],
    names: &mut BTreeSet<String>,
) -> Option<Rule> {
    let name = read_name(&table, names, "name = \"unhappy customers\"");
    let when = read_optional(&table, "when", |when| read_conditions(when, accounts));
    let unless = read_optional(&table, "unless", |unless| read_unless(unless, accounts));
    let to = read_to(&table, destinations);
    let stop = table.boolean("stop").unwrap_or(false);
    let when = when.map(with_implied);
    if let (Some(when), Some(unless)) = (&when, &unless)
        && (excludes_all(when, unless) || excludes_accounts(unless, accounts))
    {
        table.problem(
            "unless",
            "excludes everything that `when` matches, so the rule never matches",
            "narrow it, or remove the rule",
        );
    }
    table.finish();
    Some(Rule { name: name?, when: when?, unless: unless?, to: to?, stop })
}

/// The conditions under `key`, none where it is absent; `None` where they are wrong.
fn read_optional(
    table: &Table<'_>,
    key: &str,
    read: impl FnOnce(Table<'_>) -> Option<Conditions>,
) -> Option<Conditions> {
    match table.table(key) {
        Some(conditions) => read(conditions),
        None => (!table.has(key)).then(Conditions::default),
    }
}

/// A name that is one line, and new.
pub(super) fn read_name(table: &Table<'_>, names: &mut BTreeSet<String>, example: &str) -> Option<String> {
    let name = table.required_text("name", &format!("write the name that messages show: {example}"))?;
    if name.chars().any(|c| is_unsafe(c) || matches!(c, '\n' | '\t')) {
        table.problem("name", "contains a line break or a control character", "write it on one line");
        return None;
    }
    if !names.insert(key(&name)) {
        let what = format!("`{name}` is already used above");
        table.problem("name", what, "choose a unique name; case and accents do not count");
        return None;
    }
    Some(name)
}

fn read_to(table: &Table<'_>, destinations: &[String]) -> Option<Vec<String>> {
    let hint = match destinations {
        [] => "define a destination first: [destinations.NAME]".to_owned(),
        some => format!("list where the reviews go, any of: {}", quoted(some)),
    };
    let names = read_destinations(table, "to", destinations, &hint)?;
    if names.is_empty() {
        table.problem("to", "lists no destination", hint);
        return None;
    }
    Some(names)
}

/// A list of existing destinations, each once; `None` where there is none, or it is wrong.
pub(super) fn read_destinations(
    table: &Table<'_>,
    key: &str,
    destinations: &[String],
    hint: &str,
) -> Option<Vec<String>> {
    if !table.has(key) {
        table.problem(key, "is missing", hint);
    }
    let mut known = Vec::new();
    let written = table.texts(key)?;
    for name in &written {
        if !destinations.contains(name) {
            unknown(table, key, name, "destination", destinations);
        } else if !known.contains(name) {
            known.push(name.clone());
        }
    }
    written.iter().all(|name| known.contains(name)).then_some(known)
}

/// Records that `name` is none of `all`.
pub(super) fn unknown(table: &Table<'_>, key: &str, name: &str, what: &str, all: &[String]) {
    let hint = match (nearest(name, all.iter().map(String::as_str)), all) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, []) => format!("define one first: [{what}s.NAME]"),
        (None, all) => format!("known {what}s: {}", quoted(all)),
    };
    let name = crate::domain::text::one_line(name, 60);
    table.problem(key, format!("unknown {what} `{name}`"), hint);
}

fn read_unless(table: Table<'_>, accounts: &[String]) -> Option<Conditions> {
    if table.keys().is_empty() {
        table.problem("", "has no conditions, so it excludes nothing", "add one, or remove it");
        return None;
    }
    read_conditions(table, accounts)
}

fn read_conditions(table: Table<'_>, accounts: &[String]) -> Option<Conditions> {
    let mut entries = Vec::new();
    for kind in TABLE {
        if let Some(condition) = (kind.read)(&table, kind.key) {
            entries.push(Entry { key: kind.key, implied: false, condition });
        }
    }
    let conditions = Conditions(entries);
    check_accounts(&table, &conditions, accounts);
    check_contradictions(&table, &conditions);
    let is_whole = conditions.0.len() == table.keys().len();
    table.finish();
    is_whole.then_some(conditions)
}

/// Whether `unless` names nothing but accounts, and all of them.
fn excludes_accounts(unless: &Conditions, accounts: &[String]) -> bool {
    let named = unless.get("accounts").map_or(&[][..], |condition| condition.names());
    let is_named = |account: &String| named.iter().any(|name| key(name) == key(account));
    unless.0.len() == 1 && !accounts.is_empty() && accounts.iter().all(is_named)
}

/// What in `rules` can be read and is probably a mistake, for people.
pub fn warnings(rules: &[Rule]) -> Vec<String> {
    let of_rule = |rule: &Rule| {
        let entries = [&rule.when, &rule.unless].into_iter().flat_map(|conditions| &conditions.0);
        let texts = entries.filter_map(|entry| Some((entry.key, entry.condition.warning()?)));
        texts.map(|(key, text)| format!("rule `{}`: `{key}` {text}", rule.name)).collect::<Vec<_>>()
    };
    rules.iter().flat_map(of_rule).collect()
}

fn with_implied(mut when: Conditions) -> Conditions {
    if when.get("changes").is_none() {
        when.0.push(Entry { key: "changes", implied: true, condition: implied_changes() });
    }
    when
}

fn check_accounts(table: &Table<'_>, conditions: &Conditions, accounts: &[String]) {
    let names = conditions.get("accounts").map_or(&[][..], |condition| condition.names());
    // Without any account the configuration is refused elsewhere, for that.
    for name in names.iter().filter(|_| !accounts.is_empty()) {
        if !accounts.iter().any(|account| key(account) == key(name)) {
            unknown(table, "accounts", name, "account", accounts);
        }
    }
}

/// Conditions that can never match together. Only valid ones are compared, so reading them again records no
/// problem twice.
fn check_contradictions(table: &Table<'_>, conditions: &Conditions) {
    let has = |key: &str| conditions.get(key).is_some();
    let crossed = |min: &str, max: &str, is_crossed: &dyn Fn() -> bool| {
        if has(min) && has(max) && is_crossed() {
            table.problem(
                min,
                format!("is above `{max}`, so no review can match both"),
                "swap them, or widen the range",
            );
        }
    };
    crossed("min_rating", "max_rating", &|| table.number("min_rating") > table.number("max_rating"));
    let any = 0..=u64::MAX;
    crossed("min_length", "max_length", &|| {
        table.integer("min_length", any.clone()) > table.integer("max_length", any.clone())
    });
    crossed("min_age", "max_age", &|| table.duration("min_age") > table.duration("max_age"));
    let denied = |key: &str, needing: &[&str]| {
        if !has(key) || table.boolean(key) != Some(false) {
            return;
        }
        for other in needing.iter().filter(|other| has(other)) {
            table.problem(
                other,
                format!("can never match together with `{key} = false`"),
                "remove one of them",
            );
        }
    };
    denied("has_rating", &["min_rating", "max_rating"]);
    denied("has_text", &["min_length", "contains_any", "contains_all", "matches_regex"]);
}

#[cfg(test)]
mod tests {
    use super::super::read_rules;
    use super::super::testing::{problems, problems_of, read, rules};

    fn text(problem: &crate::settings::Problem) -> String {
        format!("{}: {}; {}", problem.path, problem.what, problem.hint)
    }

    fn texts_of(config: &str) -> Vec<String> {
        problems_of(config).iter().map(text).collect()
    }

    fn texts_of_any(config: &str) -> Vec<String> {
        read(config, read_rules).1.iter().map(text).collect()
    }

    #[test]
    fn no_rule_at_all_is_a_problem() {
        for config in ["", "rules = []"] {
            assert_eq!(
                texts_of(config),
                ["rules: no rules, so nothing would ever be delivered; add [[rules]] with a name and its \
                  destinations: to = [\"…\"]"]
            );
        }
    }

    #[test]
    fn all_problems_of_all_rules_are_reported_together() {
        let config = r#"
            [[rules]]
            name = "a"
            when = { max_ratng = 2, websites = [] }
            to = ["suport", "nowhere"]
            [[rules]]
            name = "a"
            to = []
            unless = {}
            stop = "yes"
            then = 1
            [[rules]]
            when = 3
        "#;
        let expected = [
            "rules[0].when.websites: is an empty list, so it would never match; list names or uuids, or remove the \
             key to match all",
            "rules[0].when.max_ratng: unknown key; did you mean `max_rating`?",
            "rules[0].to: unknown destination `suport`; did you mean `support`?",
            "rules[0].to: unknown destination `nowhere`; known destinations: `support`, `managers`, `owner`",
            "rules[1].name: `a` is already used above; choose a unique name; case and accents do not count",
            "rules[1].unless: has no conditions, so it excludes nothing; add one, or remove it",
            "rules[1].to: lists no destination; list where the reviews go, any of: `support`, `managers`, \
             `owner`",
            "rules[1].stop: must be true or false; write stop = true",
            "rules[1].then: unknown key; did you mean `when`?",
            "rules[2].name: is missing; write the name that messages show: name = \"unhappy customers\"",
            "rules[2].when: is not a table; write when = { … } or [rules[2].when]",
            "rules[2].to: is missing; list where the reviews go, any of: `support`, `managers`, `owner`",
        ];
        assert_eq!(texts_of(config), expected);
    }

    #[test]
    fn a_rule_that_was_not_read_whole_is_left_out() {
        for wrong in
            ["when = { max_rating = 9 }", "when = { max_ratng = 1 }", "unless = { languages = ['?'] }"]
        {
            let config = format!("rules = [{{ name = 'a', to = ['owner'], {wrong} }}]");
            let (rules, problems) = read(&config, read_rules);
            assert_eq!((rules.len(), problems.len()), (0, 1), "{wrong}");
        }
    }

    #[test]
    fn what_can_never_hold_is_a_problem() {
        for (when, path) in [
            ("min_rating = 4, max_rating = 2", "min_rating"),
            ("min_length = 9, max_length = 8", "min_length"),
            ("min_age = '2h', max_age = '1h'", "min_age"),
            ("has_rating = false, max_rating = 2", "max_rating"),
            ("has_text = false, contains_any = ['a']", "contains_any"),
        ] {
            let found = problems(&format!("{{ {when} }}"));
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!(found[0].path, format!("rules[0].when.{path}"));
        }
        for fine in ["min_rating = 2, max_rating = 2", "has_rating = true, max_rating = 2"] {
            assert!(problems(&format!("{{ {fine} }}")).is_empty(), "{fine}");
        }
        assert_eq!(problems("{ min_rating = 9, max_rating = 2 }").len(), 1, "reported once, for its range");
    }

    #[test]
    fn accounts_are_those_of_the_configuration() {
        let rule = "[[rules]]\nname = 'a'\nto = ['support']\nwhen = { accounts = ['Main', 'mains'] }\n";
        assert!(texts_of(rule).is_empty(), "no account is a problem of its own");
        assert_eq!(
            texts_of(&format!("{rule}[accounts.main]\n[accounts.other]\n")),
            ["rules[0].when.accounts: unknown account `mains`; did you mean `main`?"]
        );
    }

    // J24
    #[test]
    fn names_that_differ_in_case_only_are_one() {
        let config = "rules = [{ name = 'r', to = ['owner'] }, { name = 'R', to = ['owner'] }]";
        assert_eq!(problems_of(config)[0].path, "rules[1].name");
    }

    // J24
    #[test]
    fn an_unless_as_wide_as_its_when_is_refused() {
        let refused = |when: &str, unless: &str| {
            let config = format!(
                "[accounts.main]\n[[rules]]\nname = 'r'\nto = ['owner']\nwhen = {{ {when} }}\nunless = {{ {unless} }}\n"
            );
            texts_of_any(&config).iter().any(|text| text.contains("never matches"))
        };
        for (when, unless) in [
            ("max_rating = 2", "max_rating = 2"),
            ("max_rating = 2", "max_rating = 3"),
            ("max_rating = 2", "has_rating = true"),
            ("max_rating = 2, websites = ['a']", "websites = ['A', 'b']"),
            ("contains_any = ['a']", "has_text = true"),
            ("contains_all = ['a', 'b']", "contains_any = ['b', 'c']"),
            ("contains_all = ['a', 'b']", "contains_all = ['A']"),
            ("", "changes = ['new', 'rating', 'text_added']"),
            ("", "accounts = ['main']"),
            ("max_age = '1h'", "max_age = '2h'"),
            ("languages = ['no']", "languages = ['no', 'nl']"),
            ("matches_regex = 'a'", "matches_regex = 'a'"),
        ] {
            assert!(refused(when, unless), "{when} unless {unless}");
        }
        for (when, unless) in [
            ("max_rating = 2", "max_rating = 1"),
            ("max_rating = 2", "max_rating = 2, has_text = false"),
            ("websites = ['a', 'b']", "websites = ['a']"),
            ("", "changes = ['new']"),
            ("contains_all = ['a']", "contains_all = ['a', 'b']"),
            ("", "has_text = true"),
        ] {
            assert!(!refused(when, unless), "{when} unless {unless}");
        }
    }

    #[test]
    fn a_name_is_one_printable_line() {
        for name in [r"a\nb", r"a\u001b[31m", r"a\u202eb"] {
            let config = format!("rules = [{{ name = \"{name}\", to = ['support'] }}]");
            assert_eq!(problems_of(&config)[0].path, "rules[0].name", "{name}");
        }
    }

    #[test]
    fn changes_are_implied_where_none_are_named() {
        assert_eq!(rules("{}")[0].when.keys().collect::<Vec<_>>(), ["changes"]);
        assert_eq!(rules("{ changes = ['text'] }")[0].when.keys().collect::<Vec<_>>(), ["changes"]);
    }
}
