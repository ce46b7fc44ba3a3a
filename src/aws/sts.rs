//! STS: who calls, and until when.

use aws_credential_types::provider::ProvideCredentials;

use crate::change::{Caller, CloudError};
use crate::units::Timestamp;

use super::connect::Aws;
use super::error::{Call, credentials_error};

/// Account and ARN from STS, which needs no permission; the end of the session from whoever provides the credentials.
pub(super) async fn caller(aws: &Aws) -> Result<Caller, CloudError> {
    let expires = expiry(aws).await?;
    let call = Call::new("sts:GetCallerIdentity", "the credentials");
    let answer = aws.sts.get_caller_identity().send().await.map_err(|error| call.error(&error))?;
    Ok(Caller {
        account: answer.account().unwrap_or_default().to_owned(),
        arn: answer.arn().unwrap_or_default().to_owned(),
        expires,
    })
}

async fn expiry(aws: &Aws) -> Result<Option<Timestamp>, CloudError> {
    let Some(provider) = &aws.credentials else {
        return Ok(None);
    };
    let credentials = provider.provide_credentials().await.map_err(|error| credentials_error(&error))?;
    Ok(credentials.expiry().and_then(|at| Timestamp::try_from(at).ok()))
}
