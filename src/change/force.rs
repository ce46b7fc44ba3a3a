//! Whether what was prepared is in force, as observed.

use super::owned::OwnedRanges;
use super::{Cloud, CloudError};
use crate::journal::Journal;
use crate::setting::Setting;

/// Looks at everything outstanding in a journal: the setting, and whether its value is tidegate's (autoscaling may have
/// moved a capacity within the applied range).
pub async fn in_force<C: Cloud>(cloud: &C, journal: &Journal) -> Vec<(Setting, Result<bool, CloudError>)> {
    let outstanding = journal.outstanding();
    let settings: Vec<Setting> = outstanding.iter().map(|entry| entry.setting.clone()).collect();
    let ranges = OwnedRanges::of(journal.records());
    let observed = cloud.observe(&settings).await;
    outstanding
        .into_iter()
        .zip(observed)
        .map(|(entry, observed)| {
            let ours = observed.map(|seen| ranges.explains(&entry.setting, &[&entry.applied], &seen.state));
            (entry.setting, ours)
        })
        .collect()
}
