//! "Did you mean": the known word that a mistyped one comes nearest to.
//!
//! Owns when two words are near enough. Knows nothing of what they mean.

/// The nearest of the known words, when one is near enough to be what was meant.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(1);
    let folded = fold(word);
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &fold(candidate)), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Case and the kind of dash are the commonest slips, and no distance at all.
fn fold(word: &str) -> String {
    word.to_lowercase().replace(['_', ' '], "-")
}

/// A line of help: the nearest word, else all of them.
pub(super) fn help<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone, plural: &str) -> String {
    if let Some(candidate) = nearest(word, known.clone()) {
        return format!("did you mean `{candidate}`?");
    }
    let all = list(known);
    if all.is_empty() {
        format!("there are no {plural}")
    } else {
        format!("known {plural}: {all}")
    }
}

/// A line of help: all of the known words, the nearest first where there is one.
pub(super) fn help_with_all<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone, plural: &str) -> String {
    let all = format!("known {plural}: {}", list(known.clone()));
    match nearest(word, known) {
        Some(candidate) => format!("did you mean `{candidate}`? {all}"),
        None => all,
    }
}

/// `a`, `b`, `c`, in backticks.
pub(super) fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_word_that_was_meant() {
        let known = ["reserved-concurrency", "provisioned-concurrency", "block-all"];
        assert_eq!(nearest("reserved_concurrency", known), Some("reserved-concurrency"));
        assert_eq!(nearest("reserved-concurency", known), Some("reserved-concurrency"));
        assert_eq!(nearest("weather", known), None);
        assert_eq!(help("weather", ["a", "b"], "keys"), "known keys: `a`, `b`");
    }
}
