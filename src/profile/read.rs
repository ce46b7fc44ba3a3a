//! From a text to a profile: the sections in the order in which they need each other.
//!
//! Owns what concerns several sections at once. Each section is read by the file named after it.

use std::collections::BTreeMap;

use super::criterion::{self, Known};
use super::diagnose::{At, Diagnostics, Problems, Source};
use super::fields::Fields;
use super::overrides::Override;
use super::{Profile, data, document, journey, phases, resource, target};

/// Reads a profile; every mistake in it is reported at once.
pub fn parse(file_name: &str, source: &str) -> Result<Profile, Diagnostics> {
    with_overrides(file_name, source, &[])
}

/// Reads a profile with some of its settings replaced by flags.
pub fn with_overrides(file_name: &str, source: &str, overrides: &[Override]) -> Result<Profile, Diagnostics> {
    let file = Source {
        name: file_name.to_owned(),
        text: source.to_owned(),
    };
    let flags = overrides.iter().map(Override::source);
    let problems = Problems::new(std::iter::once(file.clone()).chain(flags).collect());
    let mut document = document::read(source, &problems);
    for (index, flag) in overrides.iter().enumerate() {
        flag.apply(index + 1, &mut document, &problems);
    }
    let first_line = At {
        source: 0,
        start: 0,
        end: source.lines().next().map_or(0, str::len),
    };
    let profile = profile(Fields::new("", first_line, &document, &problems), file);
    problems.into_result(profile)
}

fn profile(root: Fields<'_>, source: Source) -> Profile {
    let name = root.required("name", "begin the file with `name = \"…\"`");
    if let Some(text) = name
        && !text.text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    {
        root.problems.add(
            text.at,
            format!("`{}` cannot name files", text.text),
            "use letters, digits, `-`, `_` and `.`: runs are filed under this name",
        );
    }
    let name = name.map(|text| text.text.to_owned()).unwrap_or_default();
    let description = root.text("description").map(|text| text.text.to_owned()).unwrap_or_default();
    let aws = target::aws(&root);
    let resources = resource::read(&root);
    let data = data::read(&root);
    let target = target::read(&root, &resources.all, &data);
    let journeys = journey::read(&root, &data);
    let scenarios = phases::read(&root);
    let known = Known {
        resources: &resources.all,
        scenarios: &scenarios,
        journeys: &journeys,
    };
    let criteria = criterion::read(&root, &known);
    whole(&root);
    let mut places: BTreeMap<String, At> = resources.places.into_iter().rev().collect();
    places.extend(criteria.places);
    for scenario in &scenarios {
        places.insert(format!("scenario/{}", scenario.name), scenario.at);
    }
    for (place, table, key) in PLACES {
        places.extend(root.inner_at(table, key).map(|at| ((*place).to_owned(), at)));
    }
    places.retain(|_, at| at.source == 0);
    root.finish();
    Profile {
        name,
        description,
        aws,
        target,
        resources: resources.all,
        requirements: resources.requirements,
        wishes: resources.wishes,
        criteria: criteria.all,
        asks: criteria.asks,
        scenarios,
        journeys,
        data,
        source,
        places,
    }
}

/// Places of single tables that later errors may point at.
const PLACES: &[(&str, &str, &str)] = &[
    ("aws.region", "aws", "region"),
    ("aws.account", "aws", "account"),
    ("target", "target", "on"),
    ("target", "target", "url"),
];

/// What only shows when the sections are seen together.
fn whole(root: &Fields<'_>) {
    let there = |key: &str| root.key_at(key);
    if let Some(kind) = resource::KINDS.iter().find(|kind| there(kind).is_some())
        && there("aws").is_none()
    {
        root.problems.add(
            root.at_of(kind),
            "resources are listed, but no account",
            "add `[aws]` with `region` and `account`: any other account is refused",
        );
    }
    if let Some(at) = there("scenario") {
        if there("target").is_none() {
            root.problems.add(
                at,
                "there is a scenario, but no `[target]`",
                "say where the load goes: `[target]` with `on` or `url`",
            );
        }
        if there("journey").is_none() {
            root.problems.add(
                at,
                "there is a scenario, but no journey",
                "say what users do: `[[journey]]` with `[[journey.step]]`",
            );
        }
    }
}
