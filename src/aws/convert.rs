//! Between the SDK's types and ours: moments and whole numbers.

use aws_smithy_types::DateTime;

use crate::change::CloudError;
use crate::units::Timestamp;

/// The SDK's moment as ours; `None` when it is beyond the calendar.
pub(super) fn timestamp(at: &DateTime) -> Option<Timestamp> {
    let nanos = i32::try_from(at.subsec_nanos()).ok()?;
    Timestamp::new(at.secs(), nanos).ok()
}

/// Our moment as the SDK's, in whole seconds.
pub(super) fn moment(at: Timestamp) -> DateTime {
    DateTime::from_secs(at.as_second())
}

/// A count that AWS gives as a signed number. AWS has no negative counts; one would be read as 0.
pub(super) fn count(value: impl TryInto<u32>) -> u32 {
    value.try_into().unwrap_or(0)
}

/// A count as AWS takes it.
pub(super) fn amount(value: u32) -> Result<i32, CloudError> {
    i32::try_from(value).map_err(|_| CloudError::Rejected {
        code: "ValueTooLarge".to_owned(),
        message: format!("{value} is more than AWS can take"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_survives_the_way_there_and_back() {
        let at = Timestamp::new(1_790_000_040, 0).unwrap();
        assert_eq!(timestamp(&moment(at)), Some(at));
        assert_eq!(timestamp(&DateTime::from_secs_and_nanos(1, 5)), Timestamp::new(1, 5).ok());
        assert_eq!(timestamp(&DateTime::from_secs(i64::MAX)), None);
    }

    #[test]
    fn a_count_is_never_negative_and_an_amount_never_too_large() {
        assert_eq!(count(-1_i32), 0);
        assert_eq!(count(7_i64), 7);
        assert_eq!(amount(7), Ok(7));
        assert!(amount(u32::MAX).is_err());
    }
}
