//! Whatever is in a file, reading it ends with a profile or with carets that lie within the text.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::{Override, library, parse, with_overrides};

fn sources() -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    library::shipped()
        .map(|name| library::find(directory.path(), name).unwrap().source)
        .collect()
}

/// Reads, and renders whatever is wrong.
fn survives(source: &str, flags: &[Override]) {
    if let Err(diagnostics) = with_overrides("test.toml", source, flags) {
        assert!(!diagnostics.mistakes().is_empty());
        let mut text = String::new();
        write!(text, "{:?}", miette::Report::new(diagnostics.clone())).unwrap();
        for mistake in diagnostics.mistakes() {
            assert!(!mistake.advice().is_empty(), "{mistake}");
        }
        assert!(!text.contains("Failed to read"), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_text_makes_it_panic(source in "\\PC{0,200}") {
        survives(&source, &[]);
    }

    #[test]
    fn no_toml_makes_it_panic(
        keys in prop::collection::vec(("(\\[\\[)?[a-z.-]{1,12}(\\]\\])?", "[0-9]{1,3}|\"[^\"\\\\]{0,12}\"|true|\\[\\]|\\{ \\}"), 0..8),
    ) {
        let mut source = String::from("name = \"x\"\n");
        for (key, value) in keys {
            let line = if key.starts_with("[[") && key.ends_with("]]") { key } else { format!("{key} = {value}") };
            source.push_str(&line);
            source.push('\n');
        }
        survives(&source, &[]);
    }

    #[test]
    fn no_mutation_of_a_shipped_profile_makes_it_panic(
        which in 0_usize..3,
        cuts in prop::collection::vec((0.0_f64..1.0, 0_usize..12, "\\PC{0,3}|[?{}\\[\\]\"'.=<>0-9 %é]{0,4}"), 1..4),
    ) {
        let mut source = sources().remove(which);
        for (at, length, insert) in cuts {
            #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a small file")]
            let start = source.floor_char_boundary((at * source.len() as f64) as usize);
            let end = source.floor_char_boundary((start + length).min(source.len())).max(start);
            source.replace_range(start..end, &insert);
        }
        survives(&source, &[]);
    }

    #[test]
    fn no_string_of_a_shipped_profile_makes_it_panic(which in 0_usize..3, nth in 0_usize..200, with in "\\PC{0,12}|[?{}()$.=<> 0-9a-z%é]{0,12}") {
        let source = sources().remove(which);
        let quotes: Vec<usize> = source.match_indices('"').map(|(at, _)| at).collect();
        let pair = nth % (quotes.len() / 2);
        let mut changed = source.clone();
        changed.replace_range(quotes[pair * 2] + 1..quotes[pair * 2 + 1], &with);
        survives(&changed, &[]);
    }

    #[test]
    fn no_flag_makes_it_panic(kind in "lambda|dynamodb|ecs|alb|[a-z]{0,5}", rest in "\\PC{0,20}|(\\*|[a-z.-]{0,8})\\.(read|autoscale|reserved-concurrency|[a-z.]{1,8})=(\\PC{0,6}|[0-9.]{1,6})") {
        if let Ok(flag) = format!("{kind}/{rest}").parse::<Override>() {
            for source in sources() {
                survives(&source, std::slice::from_ref(&flag));
            }
        }
    }
}

#[test]
fn an_empty_file_says_what_is_missing() {
    survives("", &[]);
    assert_eq!(parse("x", "").unwrap_err().mistakes()[0].to_string(), "`name` is missing");
}
