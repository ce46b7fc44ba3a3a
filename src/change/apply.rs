//! The order of changes within a lane, there and back.

use std::collections::BTreeMap;

use crate::setting::{Change, Lane, Setting, State};

/// Changes by lane, in the order in which a lane applies them.
///
/// Reserved concurrency: decreases first, or the unreserved floor is broken in passing. Scaled resources: the scalable
/// target first (its clamp must not surprise a capacity just set), then the capacity, then the policy.
pub(crate) fn lanes(changes: &[Change]) -> BTreeMap<Lane, Vec<&Change>> {
    let mut lanes: BTreeMap<Lane, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        lanes.entry(change.setting.lane()).or_default().push(change);
    }
    for changes in lanes.values_mut() {
        changes.sort_by_key(|change| (forward_rank(&change.setting), reserved_growth(&change.before, &change.after)));
    }
    lanes
}

fn forward_rank(setting: &Setting) -> u8 {
    match setting {
        Setting::LambdaReserved { .. } | Setting::ScalableTarget { .. } => 0,
        Setting::TableCapacity { .. } | Setting::EcsDesired { .. } => 1,
        Setting::ScalingPolicy { .. } => 2,
    }
}

/// How much more of the account's concurrency a reservation takes; no reservation takes none.
pub(crate) fn reserved_growth(from: &State, to: &State) -> i64 {
    let taken = |state: &State| {
        if let State::Reserved { limit } = state {
            i64::from(*limit)
        } else {
            0
        }
    };
    taken(to) - taken(from)
}

/// The order of the way back: policies, then targets that tidegate made, then capacities, then targets that were there
/// before: their bounds and suspension return last, when the capacity stands where it stood.
pub(crate) fn backward_rank(setting: &Setting, original: &State) -> u8 {
    match (setting, original) {
        (Setting::LambdaReserved { .. } | Setting::ScalingPolicy { .. }, _) => 0,
        (Setting::ScalableTarget { .. }, State::Absent) => 1,
        (Setting::TableCapacity { .. } | Setting::EcsDesired { .. }, _) => 2,
        (Setting::ScalableTarget { .. }, _) => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::Undo;

    #[test]
    fn reservations_shrink_before_others_grow() {
        let change = |function: &str, before: State, limit: u32| Change {
            setting: Setting::LambdaReserved { function: function.into() },
            before,
            after: State::Reserved { limit },
            undo: Undo::Exact,
        };
        let changes = [
            change("grows", State::Absent, 100),
            change("shrinks", State::Reserved { limit: 400 }, 100),
        ];
        let lanes = lanes(&changes);
        let order: Vec<_> = lanes[&Lane::Reserved]
            .iter()
            .map(|change| change.setting.resource().name().to_owned())
            .collect();
        assert_eq!(order, ["shrinks", "grows"]);
    }
}
