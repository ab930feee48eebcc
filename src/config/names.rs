//! The names that users give: accounts and destinations.

use crate::settings::Table;

/// The tables below `key` with valid names; an invalid name is a problem.
///
/// A name is `[a-z][a-z0-9_]*` without `__` and without `_` at its end, so that a variable of the environment
/// (`REVIEW_BRIDGE__ACCOUNTS__MAIN__TOKEN`) can be read in one way only.
pub(super) fn named_tables<'a>(root: &Table<'a>, key: &str) -> Vec<(String, Table<'a>)> {
    let Some(parent) = root.table(key) else { return Vec::new() };
    let mut tables = Vec::new();
    for name in parent.keys() {
        if is_name(name) {
            tables.extend(parent.table(name).map(|table| (name.to_owned(), table)));
        } else {
            parent.problem(
                name,
                "is not a valid name",
                "use a-z, 0-9 and single underscores, starting with a letter and not ending in _: `shop_nl`",
            );
        }
    }
    tables
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !name.contains("__")
        && !name.ends_with('_')
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn names_survive_a_variable() {
        for good in ["a", "main", "shop_nl", "shop2", "s_2_x"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "_a", "a_", "a__b", "2a", "Main", "shop-nl", "shop nl", "é", "a.b", "a\n"] {
            assert!(!is_name(bad), "{bad:?}");
        }
    }
}
