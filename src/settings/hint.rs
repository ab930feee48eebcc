//! Words for problems: names in backticks, the most similar known name, the system's reason without its number.

use strsim::osa_distance;

/// The system's text for an I/O error, without Rust's `(os error 2)`.
pub fn io_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

/// Texts in backticks, joined by commas.
pub fn quoted<T: AsRef<str>>(names: &[T]) -> String {
    names.iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>().join(", ")
}

/// The candidate nearest to `wanted` by edit distance (two neighbours swapped count once), if one is near enough to
/// be meant.
pub fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Longer than any name here; keeps the quadratic distance small for any input.
    if wanted.len() > 200 {
        return None;
    }
    let limit = (wanted.chars().count() / 3).max(1);
    let wanted = wanted.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (osa_distance(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_found_and_a_far_one_is_not() {
        let known = ["token", "token_file", "timeout"];
        assert_eq!(nearest("tokne", known), Some("token"));
        assert_eq!(nearest("Token_File", known), Some("token_file"));
        assert_eq!(nearest("inof", ["warn", "info"]), Some("info"));
        assert_eq!(nearest("", known), None);
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest(&"t".repeat(100_000), known), None);
    }
}
