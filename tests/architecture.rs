//! Who may import whom: every `use` and path of `src` against the table of the design.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::support::repository;

/// Module, the crate's modules it may use, and the external crates that have their home there.
const MAY_USE: [(&str, &[&str]); 14] = [
    ("units", &[]),
    ("scenario", &["units"]),
    ("setting", &["units"]),
    ("exit", &[]),
    ("profile", &["units", "scenario", "setting"]),
    ("journal", &["setting", "units"]),
    ("change", &["setting", "journal", "units"]),
    ("load", &["units", "scenario"]),
    ("metrics", &["units", "setting"]),
    ("analysis", &["units", "scenario", "metrics", "load", "exit"]),
    ("aws", &["setting", "change", "metrics", "units"]),
    ("report", &["units", "scenario", "analysis", "metrics", "load", "setting"]),
    ("ui", &["report", "setting", "scenario", "units", "change", "journal"]),
    ("cli", &["units"]),
];

/// External crates and the only places that may name them.
const HOMES: [(&str, &[&str]); 10] = [
    ("aws_sdk_", &["aws"]),
    ("aws_config", &["aws"]),
    ("aws_smithy_", &["aws"]),
    ("hyper", &["load/http"]),
    ("rustls", &["load/http"]),
    ("tokio_rustls", &["load/http"]),
    ("clap", &["cli", "commands", "main"]),
    ("askama", &["report"]),
    ("indicatif", &["ui"]),
    ("toml", &["profile"]),
];

fn sources() -> BTreeMap<PathBuf, String> {
    let root = repository().join("src");
    let mut found = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.insert(path.strip_prefix(&root).unwrap().to_owned(), text);
            }
        }
    }
    assert!(found.len() > 30, "the sources are found: {}", found.len());
    found
}

fn module(path: &Path) -> String {
    path.components()
        .next()
        .unwrap()
        .as_os_str()
        .to_str()
        .unwrap()
        .trim_end_matches(".rs")
        .to_owned()
}

/// The code of a file without its tests and comments.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn crate_paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let group = &group[..group.find(';').unwrap_or(group.len())];
            let mut depth = 0;
            for part in group.split_inclusive([',', '{', '}']) {
                if depth == 0 {
                    found.push(
                        part.trim()
                            .trim_end_matches([',', '{', '}'])
                            .split("::")
                            .next()
                            .unwrap()
                            .trim()
                            .to_owned(),
                    );
                }
                depth += part.matches('{').count();
                depth = depth.saturating_sub(part.matches('}').count());
            }
        } else {
            found.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

#[test]
fn modules_use_only_what_the_table_allows() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_USE.into_iter().collect();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if path.ends_with("fixture.rs") || path.starts_with("report/fixtures") {
            continue; // Only compiled for tests.
        }
        let module = module(&path);
        if ["lib", "main", "commands"].contains(&module.as_str()) {
            continue; // They wire everything together.
        }
        let Some(allowed) = allowed.get(module.as_str()) else {
            wrong.push(format!("{} is in no row of the table", path.display()));
            continue;
        };
        for used in crate_paths(&code(&text)) {
            if used != module && !allowed.contains(&used.as_str()) {
                wrong.push(format!("{} uses crate::{used}", path.display()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn each_external_crate_has_one_home() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if path.ends_with("load/testing.rs") {
            continue; // The server of the engine's own tests.
        }
        let code = code(&text);
        for (name, homes) in HOMES {
            let at_home = homes
                .iter()
                .any(|home| path.starts_with(home) || path.with_extension("") == Path::new(home));
            let names = code.match_indices(name).any(|(at, _)| {
                let before = code[..at].chars().next_back();
                let after = code[at + name.len()..].trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
                after.starts_with("::") && before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':' && c != '"')
            });
            if names && !at_home {
                wrong.push(format!("{} names {name}", path.display()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_check_sees_what_it_should() {
    assert_eq!(
        crate_paths("use crate::{aws::Aws, load};\nuse crate::units;"),
        ["aws", "load", "units"]
    );
    assert_eq!(crate_paths("use crate::load::{self, Cell};"), ["load"]);
}
