//! The seam to AWS: the two things tidegate does to settings, and the looks it takes around them.
//!
//! Two implementations: `aws` and the fake of the tests.

use crate::setting::{Facts, Resource, Setting, State};
use crate::units::Timestamp;

/// The two things tidegate does to settings. `set` is idempotent; reverting is `set(before)`.
pub trait Cloud {
    /// Looks at settings, batched, in the order asked for.
    fn observe(&self, settings: &[Setting]) -> impl Future<Output = Vec<Result<Observed, CloudError>>> + Send;

    /// Makes one write call (or none when AWS already has it so). A returned `Ok` says that AWS accepted it, not that
    /// it is in force: look until it is.
    fn set(&self, setting: &Setting, want: &State) -> impl Future<Output = Result<(), CloudError>> + Send;
}

/// What the preflight asks about resources and about the caller.
pub trait Surroundings {
    /// Who calls, from STS.
    fn caller(&self) -> impl Future<Output = Result<Caller, CloudError>> + Send;

    /// What AWS says of resources, in the order asked for; keys are the profile's `require` keys.
    fn facts(&self, resources: &[Resource]) -> impl Future<Output = Vec<Result<Facts, CloudError>>> + Send;

    /// The region's Lambda limits.
    fn concurrency(&self) -> impl Future<Output = Result<Concurrency, CloudError>> + Send;

    /// The address behind a REST API or a balancer, without a trailing slash.
    fn address(&self, resource: &Resource) -> impl Future<Output = Result<String, CloudError>> + Send;

    /// Target-tracking policies and scheduled actions of a scalable target, so that a plan can name them.
    fn scaling(&self, target: &crate::setting::Scalable) -> impl Future<Output = Result<ScalingNow, CloudError>> + Send;
}

/// One setting as AWS has it now.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// Its value.
    pub state: State,
    /// Table id, ARN: what tells a re-created resource from the old one.
    pub identity: String,
    /// Why its value may still move by itself (`UPDATING`, an activity in progress); `None` when at rest.
    pub busy: Option<String>,
    /// Decreases that DynamoDB has already counted today, the largest of table and indexes.
    pub decreases_today: Option<u32>,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    /// Account id.
    pub account: String,
    /// Of the user or session.
    pub arn: String,
    /// When the session ends, if it does.
    pub expires: Option<Timestamp>,
}

/// Lambda's limits of the region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concurrency {
    /// All functions together.
    pub account: u32,
    /// What no function has reserved.
    pub unreserved: u32,
}

/// What scales a target now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScalingNow {
    /// Name and configuration of each target-tracking policy on a predefined metric.
    pub tracking: Vec<(String, crate::setting::Tracking)>,
    /// Names of other policies, which are left alone.
    pub others: Vec<String>,
    /// Names of scheduled actions, suspended during the test.
    pub scheduled: Vec<String>,
}

/// Why a call did not succeed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CloudError {
    /// AWS answered no: nothing happened.
    #[error("AWS refused: {message} ({code})")]
    Rejected {
        /// AWS's error code.
        code: String,
        /// AWS's message.
        message: String,
    },
    /// Permission, expired or wrong credentials: nothing happened.
    #[error("AWS denied it: {message} ({code})")]
    Denied {
        /// AWS's error code.
        code: String,
        /// AWS's message.
        message: String,
        /// The IAM action or the credentials to look at.
        help: String,
    },
    /// Too many calls, or the resource is busy: nothing happened, try again.
    #[error("AWS is busy: {message} ({code})")]
    Throttled {
        /// AWS's error code.
        code: String,
        /// AWS's message.
        message: String,
    },
    /// AWS will allow it from this time on. A part may have been accepted already, as the message says.
    #[error("AWS refuses until {until}: {message}")]
    NotBefore {
        /// From when.
        until: Timestamp,
        /// AWS's message.
        message: String,
    },
    /// The resource does not exist.
    #[error("{what} does not exist")]
    Missing {
        /// Which.
        what: String,
    },
    /// The answer was lost: it may or may not have happened.
    #[error("no answer: {message}")]
    Unknown {
        /// What was seen instead.
        message: String,
    },
}
