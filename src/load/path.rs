//! `JSONPath`s, compiled once.

use serde_json::Value as Json;
use serde_json_path::JsonPath;

/// A `JSONPath`. Plain member and index steps, which is what nearly all are, need no general evaluation.
#[derive(Debug)]
pub(super) enum Path {
    Plain(Vec<Hop>),
    General(Box<JsonPath>),
}

/// One step of a plain path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hop {
    Member(String),
    Index(usize),
}

impl Path {
    /// Compiles a path.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        // The general parser judges every path, so that the plain ones are exactly those that it accepts.
        let general = JsonPath::parse(text).map_err(|error| error.to_string())?;
        Ok(plain(text).map_or_else(|| Self::General(Box::new(general)), Self::Plain))
    }

    /// The first node.
    pub(super) fn first<'a>(&self, document: &'a Json) -> Option<&'a Json> {
        match self {
            Self::Plain(hops) => hops.iter().try_fold(document, |at, hop| match hop {
                Hop::Member(name) => at.as_object()?.get(name),
                Hop::Index(index) => at.as_array()?.get(*index),
            }),
            Self::General(path) => path.query(document).first(),
        }
    }
}

/// The hops of a path such as `$.items[0].id`; `None` when it is anything more.
fn plain(path: &str) -> Option<Vec<Hop>> {
    let mut rest = path.strip_prefix('$')?;
    let mut hops = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let name = &after[..end];
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(is_name) {
                return None;
            }
            hops.push(Hop::Member(name.to_owned()));
            rest = &after[end..];
        } else {
            let (index, after) = rest.strip_prefix('[')?.split_once(']')?;
            if index.is_empty() || !index.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            hops.push(Hop::Index(index.parse().ok()?));
            rest = after;
        }
    }
    Some(hops)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_paths_are_walked_without_the_general_evaluation() {
        assert_eq!(plain("$.a[0].b_2").map(|hops| hops.len()), Some(3));
        assert_eq!(plain("$"), Some(Vec::new()));
        for path in ["$..a", "$[*]", "$['a']", "$.a[-1]", "$.*", "$.ä"] {
            assert_eq!(plain(path), None, "{path}");
        }
    }
}
