//! The seam to whoever has the numbers.

use crate::units::Timestamp;

use super::Statistic;

/// Somebody who has metrics: CloudWatch, or a test's table.
pub trait MetricSource {
    /// Fetches all queries, batched (AWS: 500 a call) and paged, in the order asked for. An error of one query is that
    /// query's own.
    fn fetch(
        &self,
        queries: &[MetricQuery],
        window: TimeWindow,
    ) -> impl Future<Output = Vec<Result<Vec<(Timestamp, f64)>, MetricError>>> + Send;

    /// What Application Auto Scaling did in the window: when, to which resource id, in words.
    fn activities(&self, window: TimeWindow) -> impl Future<Output = Result<Vec<Activity>, MetricError>> + Send;
}

/// One series to fetch. Dimensions must match AWS's exactly and completely.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricQuery {
    /// `AWS/Lambda`.
    pub namespace: String,
    /// `Throttles`.
    pub metric: String,
    /// Name and value.
    pub dimensions: Vec<(String, String)>,
    /// What is asked for.
    pub statistic: Statistic,
    /// Seconds, a multiple of 60.
    pub period: u32,
}

/// Minutes: `from` inclusive, `to` exclusive, both on a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "see above")]
pub struct TimeWindow {
    pub from: Timestamp,
    pub to: Timestamp,
}

/// Something that Application Auto Scaling did.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Activity {
    /// When it began.
    pub at: Timestamp,
    /// As AWS names it: `table/conversations`, `service/cluster/name`.
    pub resource_id: String,
    /// `dynamodb:table:WriteCapacityUnits`.
    pub dimension: String,
    /// `Setting write capacity units to 60.`
    pub description: String,
    /// Why.
    pub cause: String,
    /// `Successful`, `Failed` …
    pub status: String,
}

/// How an error begins that may be gone the next time.
pub(super) const NO_ANSWER: &str = "no answer";

/// Why a series could not be fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetricError {
    /// AWS denied or refused it.
    #[error("AWS refused: {0}")]
    Refused(String),
    /// No answer, or a broken one.
    #[error("{NO_ANSWER}: {0}")]
    Failed(String),
}
