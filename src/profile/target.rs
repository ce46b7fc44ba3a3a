//! `[target]` and `[aws]`: where the load goes, and which account is meant.
//!
//! Owns both tables. The address of a selected resource is looked up by others.

use std::collections::BTreeSet;
use std::time::Duration;

use super::fields::{Fields, Text};
use super::resource;
use super::template::{self, Reach};
use super::{Aws, Place, Target};
use crate::scenario::Feeder;
use crate::setting::Resource;

/// How long a request may take when the profile does not say.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

/// Reads `[target]`.
pub(super) fn read(root: &Fields<'_>, resources: &[Resource], feeders: &[Feeder]) -> Option<Target> {
    let fields = root.table("target", "target")?;
    let on = fields.text("on");
    let url = fields.text("url");
    let place = match (on, url) {
        (Some(_), Some(url)) => {
            fields.problems.add(url.at, "`on` and `url` exclude each other", "keep one of them");
            None
        }
        (Some(on), None) => selected(&fields, on, resources).map(Place::Resource),
        (None, Some(url)) => address(&fields, url).map(Place::Url),
        (None, None) => {
            if fields.key_at("on").is_none() && fields.key_at("url").is_none() {
                fields.missing("on", "write `on = \"rest-api/NAME\"`, `on = \"alb/NAME\"` or `url = \"https://…\"`");
            }
            None
        }
    };
    let timeout = fields.duration("timeout").unwrap_or(TIMEOUT);
    if timeout.is_zero() {
        fields
            .problems
            .add(fields.at_of("timeout"), "a timeout of 0 fails every request", "write such as `30s`");
    }
    let nothing = BTreeSet::new();
    let reach = Reach {
        feeders,
        user: &nothing,
        saved: &nothing,
    };
    let headers = fields
        .table("headers", "headers")
        .map(|table| template::table(table.every(), "headers", reach, fields.problems))
        .unwrap_or_default();
    fields.finish();
    Some(Target {
        place: place?,
        timeout,
        headers,
    })
}

fn selected(fields: &Fields<'_>, on: Text<'_>, resources: &[Resource]) -> Option<Resource> {
    let help = "point at one `rest-api/NAME` or `alb/NAME`, or give a `url`";
    if on.text.starts_with("http-api/") {
        fields
            .problems
            .add(on.at, "an `http-api` is not supported by this version", "give its address as `url`");
        return None;
    }
    let found = resource::select(fields, on, resources)?;
    match found.as_slice() {
        [one @ (Resource::RestApi { .. } | Resource::Alb { .. })] => Some((*one).clone()),
        [other] => {
            fields
                .problems
                .add(on.at, format!("`{other}` has no address that load can go to"), help);
            None
        }
        _ => {
            fields
                .problems
                .add(on.at, format!("`{}` points at {} resources", on.text, found.len()), help);
            None
        }
    }
}

fn address(fields: &Fields<'_>, url: Text<'_>) -> Option<String> {
    let rest = url.text.strip_prefix("https://").or_else(|| url.text.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port.parse::<u16>().is_ok()),
        _ => (host, true),
    };
    let clean = !url
        .text
        .contains(|c: char| c.is_whitespace() || c.is_control() || "?#{}@\"<>\\".contains(c));
    if name.is_empty() || !port || !clean {
        fields.problems.add(
            url.at,
            format!("`{}` is not an address", url.text),
            "write scheme and host, such as `https://staging.example.com`, without query and user",
        );
        return None;
    }
    Some(url.text.trim_end_matches('/').to_owned())
}

/// Reads `[aws]`.
pub(super) fn aws(root: &Fields<'_>) -> Option<Aws> {
    let fields = root.table("aws", "aws")?;
    let region = fields.required("region", "name the region, such as `region = \"eu-west-1\"`");
    let account = fields.required(
        "account",
        "name the only account this profile may touch: `account = \"123456789012\"`",
    );
    if let Some(text) = region
        && !is_region(text.text)
    {
        fields.problems.add(
            text.at,
            format!("`{}` is not a region", text.text),
            "write its code, such as `eu-west-1`",
        );
    }
    if let Some(text) = account
        && (text.text.len() != 12 || !text.text.chars().all(|c| c.is_ascii_digit()))
    {
        fields.problems.add(
            text.at,
            format!("`{}` is not an account", text.text),
            "write its 12 digits in quotes, such as `\"123456789012\"`",
        );
    }
    fields.finish();
    Some(Aws {
        region: region?.text.to_owned(),
        account: account?.text.to_owned(),
    })
}

fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let word = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase());
    match parts.as_slice() {
        [words @ .., number] => words.len() >= 2 && words.iter().all(word) && number.parse::<u8>().is_ok(),
        [] => false,
    }
}
