//! The resources of a profile: which are watched, what is required of them, and what is to be set.
//!
//! Owns `[[lambda]]`, `[[dynamodb]]`, `[[ecs]]`, `[[alb]]`, `[[rest-api]]` and selectors. Knows nothing of AWS's calls.

use super::diagnose::At;
use super::fields::{Fields, Text};
use super::names::Unique;
use super::{require, suggest, wish};
use crate::setting::{Requirement, Resource, Wish};

/// The kinds that are built, as tables and selectors name them.
pub(super) const KINDS: [&str; 5] = ["lambda", "dynamodb", "ecs", "alb", "rest-api"];

/// All resources of a profile.
#[derive(Default)]
pub(super) struct Resources {
    pub(super) all: Vec<Resource>,
    pub(super) requirements: Vec<Requirement>,
    pub(super) wishes: Vec<Wish>,
    /// What errors of later steps may point at.
    pub(super) places: Vec<(String, At)>,
}

/// Reads every resource, in the order of the text.
pub(super) fn read(root: &Fields<'_>) -> Resources {
    let mut tables = Vec::new();
    for kind in KINDS {
        for fields in root.tables(kind, kind, kind) {
            tables.push((kind, fields));
        }
    }
    tables.sort_by_key(|(_, fields)| fields.at);
    let mut unique = Unique::new("resource");
    let mut resources = Resources::default();
    for (kind, fields) in tables {
        one(kind, fields, &mut unique, &mut resources);
    }
    resources
}

fn one(kind: &'static str, fields: Fields<'_>, unique: &mut Unique, resources: &mut Resources) {
    let name = fields.required("name", "give it the name it has in AWS: `name = \"…\"`");
    if let Some(name) = name
        && name.text.contains(['*', '/'])
    {
        fields.problems.add(
            name.at,
            format!("`{}` is not a name", name.text),
            "list each resource by its own name; `*` is for selectors such as `on`",
        );
    }
    let text = name.map(|name| name.text.to_owned()).unwrap_or_default();
    let resource = identity(kind, text, &fields);
    if let Some(name) = name {
        let within = match &resource {
            Resource::Ecs { cluster, .. } => format!(" in {cluster}"),
            Resource::RestApi { stage, .. } => format!(" at {stage}"),
            _ => String::new(),
        };
        unique.give(format!("{resource}{within}"), name.at, &fields);
    }
    let address = resource.to_string();
    resources.places.push((address.clone(), fields.at_of("name")));
    for key in ["require", "set"] {
        if let Some(at) = fields.key_at(key) {
            resources.places.push((format!("{address}.{key}"), at));
        }
    }
    require::read(&fields, &resource, resources);
    resources.wishes.extend(wish::read(&fields, &resource));
    resources.all.push(resource);
    fields.finish();
}

fn identity(kind: &str, name: String, fields: &Fields<'_>) -> Resource {
    let part = |key, help| fields.required(key, help).map(|text| text.text.to_owned()).unwrap_or_default();
    match kind {
        "lambda" => Resource::Lambda { name },
        "dynamodb" => Resource::Dynamodb { name },
        "ecs" => Resource::Ecs {
            cluster: part("cluster", "name the cluster of the service: `cluster = \"…\"`"),
            name,
        },
        "alb" => Resource::Alb { name },
        _ => Resource::RestApi {
            stage: part("stage", "name the deployed stage: `stage = \"prod\"`"),
            name,
        },
    }
}

/// The listed resources that a selector points at; `None` when it is wrong, which is noted.
pub(super) fn select<'r>(fields: &Fields<'_>, selector: Text<'_>, resources: &'r [Resource]) -> Option<Vec<&'r Resource>> {
    let found: Vec<&Resource> = resources.iter().filter(|resource| resource.matches(selector.text)).collect();
    if !found.is_empty() {
        return Some(found);
    }
    let (message, help) = unmatched(selector.text, resources);
    fields.problems.add(selector.at, message, help);
    None
}

/// Why a selector points at nothing, and what to do.
pub(super) fn unmatched(selector: &str, resources: &[Resource]) -> (String, String) {
    let addresses: Vec<String> = resources.iter().map(ToString::to_string).collect();
    let known = || addresses.iter().map(String::as_str);
    match selector.split_once('/') {
        None => {
            let help = addresses
                .iter()
                .find(|address| address.split_once('/').is_some_and(|(_, name)| name == selector))
                .map_or_else(
                    || "write `KIND/NAME`, such as `lambda/orders` or `ecs/*`".to_owned(),
                    |address| format!("write `{address}`"),
                );
            (format!("`{selector}` is not a selector"), help)
        }
        Some((kind, _)) if !KINDS.contains(&kind) => (
            format!("unknown kind `{kind}` in `{selector}`"),
            suggest::help(kind, KINDS, "kinds"),
        ),
        Some(_) => (
            format!("the profile lists no `{selector}`"),
            suggest::help(selector, known(), "resources"),
        ),
    }
}
