//! Changes in the words of the screens: `unset → 100`, `none → 5–100@70%`.

use crate::setting::{Capacity, Scalable, Setting, State, Units};

/// A setting in a column: `lambda webhook-handler reserved`.
#[must_use]
pub fn setting(setting: &Setting) -> String {
    let resource = setting.resource();
    format!("{} {} {}", resource.kind(), resource.name(), aspect(setting))
}

/// What of the resource is set, short enough for a column.
#[must_use]
pub fn aspect(setting: &Setting) -> String {
    match setting {
        Setting::ScalableTarget { target } => format!("{}range", dimension(target)),
        // The name is AWS's key, but the dimension says it to people.
        Setting::ScalingPolicy { target, .. } => format!("{}policy", dimension(target)),
        other => other.aspect(),
    }
}

fn dimension(target: &Scalable) -> String {
    match target {
        Scalable::Table { dimension, .. } => format!("{dimension} "),
        Scalable::Index { index, dimension, .. } => format!("{index} {dimension} "),
        Scalable::Service { .. } => "scaling ".to_owned(),
    }
}

/// A value in a column. Capacities show only what differs from `beside`, the other value of the same change.
#[must_use]
pub fn value(setting: &Setting, state: &State, beside: Option<&State>) -> String {
    match (setting, state) {
        (Setting::LambdaReserved { .. }, State::Absent) => "unset".to_owned(),
        (_, State::Capacity(capacity)) => match beside {
            Some(State::Capacity(other)) if other != capacity => differing(capacity, other),
            _ => capacity.to_string(),
        },
        (_, state) => state.to_string(),
    }
}

fn differing(capacity: &Capacity, other: &Capacity) -> String {
    let mut parts = Vec::new();
    if capacity.table != other.table {
        parts.push(units(capacity.table, other.table));
    }
    for (index, own) in &capacity.indexes {
        let beside = other.indexes.get(index).copied().unwrap_or(Units { read: 0, write: 0 });
        if *own != beside {
            parts.push(format!("{index} {}", units(*own, beside)));
        }
    }
    parts.join(", ")
}

fn units(own: Units, beside: Units) -> String {
    match (own.read == beside.read, own.write == beside.write) {
        (true, false) => format!("{}w", own.write),
        (false, true) => format!("{}r", own.read),
        _ => own.to_string(),
    }
}
