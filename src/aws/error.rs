//! What a failed call means: the only place that turns the SDK's errors into `CloudError`.
//!
//! Whoever reads a `CloudError` must be able to trust "nothing happened". So an error counts as an answer only when
//! AWS answered; a lost connection, a time-out, an unreadable answer and AWS's own failures are all `Unknown`.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::change::CloudError;
use crate::units::Timestamp;

use super::decreases;

/// What to do about credentials that AWS or the SDK does not take.
const SIGN_IN: &str = "sign in again (for example `aws sso login`), or name other credentials with AWS_PROFILE or AWS_ACCESS_KEY_ID";

/// Application Auto Scaling tries these with the caller's permissions before it does anything.
const PROBES: &str = "Application Auto Scaling also needs `cloudwatch:PutMetricAlarm`, `cloudwatch:DescribeAlarms`, \
                      `cloudwatch:DeleteAlarms` and the target service's describe and update actions";

/// One call: what IAM calls it, and which thing it was made on.
#[derive(Clone, Debug)]
pub(super) struct Call {
    action: &'static str,
    what: String,
}

/// What AWS answered, as far as it matters.
struct Answer<'a> {
    code: Option<&'a str>,
    message: &'a str,
    status: u16,
}

impl Call {
    /// `action` is IAM's name, such as `lambda:PutFunctionConcurrency`; `what` is named to people.
    pub(super) fn new(action: &'static str, what: impl Into<String>) -> Self {
        Self { action, what: what.into() }
    }

    /// What a failure of this call means.
    pub(super) fn error<E>(&self, error: &SdkError<E, HttpResponse>) -> CloudError
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match error {
            SdkError::ServiceError(answered) => {
                let answer = Answer {
                    code: answered.err().code(),
                    message: answered.err().message().unwrap_or("AWS gave no reason"),
                    status: answered.raw().status().as_u16(),
                };
                self.judge(&answer, Timestamp::now())
            }
            SdkError::ConstructionFailure(_) => credentials_missing(error).unwrap_or_else(|| CloudError::Rejected {
                code: "NotSent".to_owned(),
                message: format!("{} on {} could not be built: {}", self.action, self.what, chain(error)),
            }),
            _ => credentials_missing(error).unwrap_or_else(|| CloudError::Unknown {
                message: format!("{} on {}: {}", self.action, self.what, chain(error)),
            }),
        }
    }

    /// The thing is not there although AWS's answer was no error.
    pub(super) fn missing(&self) -> CloudError {
        CloudError::Missing { what: self.what.clone() }
    }

    fn judge(&self, answer: &Answer<'_>, now: Timestamp) -> CloudError {
        let code = answer.code.unwrap_or("");
        let shown = if code.is_empty() {
            format!("HTTP {}", answer.status)
        } else {
            code.to_owned()
        };
        let message = format!("{} on {}: {}", self.action, self.what, answer.message);
        if code == "LimitExceededException" && decreases::refused(answer.message) {
            let until = decreases::named(answer.message).unwrap_or_else(|| decreases::by_rule(None, now));
            return CloudError::NotBefore { until, message };
        }
        match class(code, answer) {
            Class::Credentials => CloudError::Denied {
                code: shown,
                message,
                help: SIGN_IN.to_owned(),
            },
            Class::Denied => CloudError::Denied {
                code: shown,
                message,
                help: self.permission(),
            },
            Class::Busy => CloudError::Throttled { code: shown, message },
            Class::Missing => self.missing(),
            Class::Broken => CloudError::Unknown {
                message: format!("{message} ({shown})"),
            },
            Class::Refused => CloudError::Rejected { code: shown, message },
        }
    }

    fn permission(&self) -> String {
        let allow = format!("allow `{}` on {} to the role that calls", self.action, self.what);
        if self.action.starts_with("application-autoscaling:") {
            format!("{allow}; {PROBES}")
        } else {
            allow
        }
    }
}

enum Class {
    Credentials,
    Denied,
    Busy,
    Missing,
    Broken,
    Refused,
}

/// The code decides before the status: services answer throttling with 400, 429 and 503 alike.
fn class(code: &str, answer: &Answer<'_>) -> Class {
    let message = answer.message;
    match code {
        "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException" => Class::Credentials,
        "UnauthorizedOperation" | "NotAuthorized" | "OptInRequired" | "FailedResourceAccessException" => Class::Denied,
        _ if code.starts_with("AccessDenied") || code.starts_with("AuthorizationError") => Class::Denied,
        // Application Auto Scaling reports a denied probe as an invalid request.
        "ValidationException" if message.contains("not authorized") || message.contains("AccessDenied") => Class::Denied,
        // Its service-linked role needs a moment after it was made.
        "ValidationException" if message.contains("Unable to assume IAM role") => Class::Busy,
        // DynamoDB's 500 table operations at a time.
        "LimitExceededException" if message.contains("concurrent") || message.contains("simultaneous") => Class::Busy,
        "RequestLimitExceeded"
        | "BandwidthLimitExceeded"
        | "SlowDown"
        | "PriorRequestNotComplete"
        | "ProvisionedThroughputExceededException"
        | "TooManyRequestsException"
        | "TooManyRequests"
        | "ResourceInUseException"
        | "ConcurrentUpdateException"
        | "UpdateInProgressException" => Class::Busy,
        _ if code.contains("Throttl") || code.contains("Conflict") => Class::Busy,
        "NotFoundException" | "ServiceNotActiveException" => Class::Missing,
        _ if code.contains("NotFound") => Class::Missing,
        "InternalFailure"
        | "InternalServerError"
        | "InternalServiceException"
        | "InternalServiceError"
        | "ServiceException"
        | "ServerException"
        | "ServiceUnavailable"
        | "ServiceUnavailableException" => Class::Broken,
        _ if answer.status >= 500 => Class::Broken,
        "" if answer.status == 429 => Class::Busy,
        "" if matches!(answer.status, 401 | 403) => Class::Denied,
        _ => Class::Refused,
    }
}

/// No call is sent without credentials, so that this is certain.
fn credentials_missing(error: &(dyn Error + 'static)) -> Option<CloudError> {
    let mut source = Some(error);
    while let Some(error) = source {
        if let Some(credentials) = error.downcast_ref::<CredentialsError>() {
            return Some(credentials_error(credentials));
        }
        source = error.source();
    }
    None
}

/// What it means that the SDK has no credentials.
pub(super) fn credentials_error(error: &CredentialsError) -> CloudError {
    let (code, message) = match error {
        CredentialsError::CredentialsNotLoaded(_) => ("NoCredentials", "no AWS credentials were found".to_owned()),
        other => (
            "CredentialsFailed",
            format!("the AWS credentials could not be had: {}", chain(other)),
        ),
    };
    CloudError::Denied {
        code: code.to_owned(),
        message,
        help: SIGN_IN.to_owned(),
    }
}

/// An error and its sources in one line, each once.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut source = Some(error);
    while let Some(error) = source {
        let text = error.to_string();
        if parts.last() != Some(&text) {
            parts.push(text);
        }
        source = error.source();
    }
    parts.join(": ")
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    fn judge(code: &str, status: u16, message: &str) -> CloudError {
        let answer = Answer {
            code: (!code.is_empty()).then_some(code),
            message,
            status,
        };
        Call::new("lambda:PutFunctionConcurrency", "lambda/orders").judge(&answer, now())
    }

    fn kind(error: &CloudError) -> &'static str {
        match error {
            CloudError::Rejected { .. } => "rejected",
            CloudError::Denied { .. } => "denied",
            CloudError::Throttled { .. } => "throttled",
            CloudError::NotBefore { .. } => "not-before",
            CloudError::Missing { .. } => "missing",
            CloudError::Unknown { .. } => "unknown",
        }
    }

    #[test]
    fn every_answer_of_aws_has_one_meaning() {
        for (code, status, message, want) in [
            ("AccessDeniedException", 400, "", "denied"),
            ("AccessDenied", 403, "", "denied"),
            ("ExpiredTokenException", 400, "", "denied"),
            ("ExpiredToken", 403, "", "denied"),
            ("UnrecognizedClientException", 400, "", "denied"),
            ("InvalidClientTokenId", 403, "", "denied"),
            ("FailedResourceAccessException", 400, "", "denied"),
            (
                "ValidationException",
                400,
                "User is not authorized to perform: dynamodb:UpdateTable",
                "denied",
            ),
            ("ThrottlingException", 400, "", "throttled"),
            ("Throttling", 503, "", "throttled"),
            ("TooManyRequestsException", 429, "", "throttled"),
            ("RequestLimitExceeded", 503, "", "throttled"),
            ("ResourceInUseException", 400, "Table IOPS are currently being updated", "throttled"),
            ("ResourceConflictException", 409, "", "throttled"),
            ("ConcurrentUpdateException", 500, "", "throttled"),
            ("ConflictException", 409, "", "throttled"),
            (
                "ValidationException",
                400,
                "Unable to assume IAM role: arn:aws:iam::1:role/x",
                "throttled",
            ),
            (
                "LimitExceededException",
                400,
                "limit of 500 concurrent table operations",
                "throttled",
            ),
            (
                "LimitExceededException",
                400,
                "decreases are limited within a given UTC day",
                "not-before",
            ),
            ("LimitExceededException", 400, "per-table limits exceeded", "rejected"),
            ("ResourceNotFoundException", 404, "", "missing"),
            ("ObjectNotFoundException", 400, "", "missing"),
            ("ServiceNotFoundException", 400, "", "missing"),
            ("ClusterNotFoundException", 400, "", "missing"),
            ("LoadBalancerNotFound", 400, "", "missing"),
            ("NotFoundException", 404, "", "missing"),
            ("ServiceException", 500, "", "unknown"),
            ("InternalServiceException", 500, "", "unknown"),
            ("SomethingElse", 502, "", "unknown"),
            ("", 500, "", "unknown"),
            ("", 404, "", "rejected"),
            ("", 403, "", "denied"),
            ("", 429, "", "throttled"),
            ("ValidationException", 400, "1 validation error", "rejected"),
            (
                "InvalidParameterValueException",
                400,
                "below its minimum value of [100].",
                "rejected",
            ),
        ] {
            assert_eq!(kind(&judge(code, status, message)), want, "{code} {status} {message}");
        }
    }

    #[test]
    fn a_denial_says_what_to_allow_and_expired_credentials_how_to_sign_in() {
        let CloudError::Denied { help, message, .. } = judge("AccessDeniedException", 400, "no") else {
            panic!("not denied");
        };
        assert!(help.contains("`lambda:PutFunctionConcurrency`"), "{help}");
        assert_eq!(message, "lambda:PutFunctionConcurrency on lambda/orders: no");
        let CloudError::Denied { help, .. } = judge("ExpiredToken", 403, "expired") else {
            panic!("not denied");
        };
        assert!(help.contains("aws sso login"), "{help}");
    }

    #[test]
    fn a_refused_decrease_carries_its_time() {
        let named = judge(
            "LimitExceededException",
            400,
            "decreases are limited. Next decrease can be made at Saturday, November 21, 2026 at 12:41:00 PM Coordinated Universal Time",
        );
        assert!(matches!(named, CloudError::NotBefore { until, .. } if until == "2026-11-21T12:41:00Z".parse().unwrap()));
    }

    type Failure = SdkError<aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError, HttpResponse>;

    #[test]
    fn a_lost_answer_is_unknown_and_an_unsent_call_is_not() {
        let call = Call::new("sts:GetCallerIdentity", "the account");
        let lost: Failure = SdkError::timeout_error("too late");
        assert_eq!(kind(&call.error(&lost)), "unknown");
        let broken: Failure = SdkError::dispatch_failure(ConnectorError::io("connection closed".into()));
        assert_eq!(kind(&call.error(&broken)), "unknown");
        let unsent: Failure = SdkError::construction_failure("no such name");
        assert_eq!(kind(&call.error(&unsent)), "rejected");
        let nobody: Failure = SdkError::dispatch_failure(ConnectorError::other(CredentialsError::not_loaded_no_source().into(), None));
        assert!(matches!(call.error(&nobody), CloudError::Denied { code, .. } if code == "NoCredentials"));
    }

    #[test]
    fn a_chain_says_nothing_twice() {
        let error = aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError::generic(
            ErrorMetadata::builder().code("X").message("why").build(),
        );
        let text = chain(&error);
        assert_eq!(text.matches("why").count().max(1), 1, "{text}");
    }
}
