//! Requests as hyper takes them: what is fixed about a step is built once.

use bytes::Bytes;
use http::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use http::{Method as Verb, Uri};
use http_body_util::Full;

use super::origin::Origin;
use crate::load::error::LoadError;
use crate::load::exchange::{Loss, Request};
use crate::load::sample::Failure;
use crate::load::script::{Address, Header, StepScript};
use crate::scenario::Method;

/// What is fixed about a step's request.
pub(super) struct Message {
    verb: Verb,
    /// `None` when the address is rendered.
    uri: Option<Uri>,
    headers: HeaderMap,
    /// Names of the rendered headers, in their order.
    rendered: Vec<HeaderName>,
}

impl Message {
    /// Builds what is fixed.
    pub(super) fn new(step: &StepScript, origin: &Origin) -> Result<Self, LoadError> {
        let mut headers = HeaderMap::new();
        let mut rendered = Vec::new();
        let host = HeaderValue::from_str(&origin.authority).map_err(|error| refused(step, "host", &error.to_string()))?;
        headers.insert(HOST, host);
        for (name, header) in &step.headers {
            let key = HeaderName::from_bytes(name.as_bytes()).map_err(|error| refused(step, name, &error.to_string()))?;
            match header {
                Header::Fixed(value) => {
                    let value = HeaderValue::from_str(value).map_err(|error| refused(step, name, &error.to_string()))?;
                    headers.insert(key, value);
                }
                Header::Rendered(_) => rendered.push(key),
            }
        }
        let uri = match &step.address {
            Address::Fixed(address) => Some(uri(&origin.base, address).map_err(|reason| LoadError::Address {
                url: address.clone(),
                reason,
            })?),
            Address::Rendered { .. } => None,
        };
        Ok(Self {
            verb: verb(step.method),
            uri,
            headers,
            rendered,
        })
    }

    /// The whole request. `spare` is an empty map whose memory is used again.
    pub(super) fn request(&self, origin: &Origin, request: &Request<'_>, mut spare: HeaderMap) -> Result<http::Request<Full<Bytes>>, Loss> {
        let unusable = |text: String| Loss {
            failure: Failure::Data,
            text,
        };
        let mut message = http::Request::new(Full::new(request.body.clone()));
        *message.method_mut() = self.verb.clone();
        *message.uri_mut() = match (&self.uri, request.address) {
            (Some(uri), _) => uri.clone(),
            (None, address) => uri(&origin.base, address.unwrap_or_default())
                .map_err(|reason| unusable(format!("the rendered address is not valid: {reason}")))?,
        };
        for (name, value) in &self.headers {
            spare.insert(name.clone(), value.clone());
        }
        for (name, value) in self.rendered.iter().zip(request.headers) {
            let value = HeaderValue::from_str(value).map_err(|_| unusable(format!("the rendered header `{name}` is not valid")))?;
            spare.insert(name, value);
        }
        *message.headers_mut() = spare;
        Ok(message)
    }
}

fn refused(step: &StepScript, name: &str, reason: &str) -> LoadError {
    LoadError::Header {
        step: step.name.clone(),
        name: name.to_owned(),
        reason: reason.to_owned(),
    }
}

fn uri(base: &str, address: &str) -> Result<Uri, String> {
    let slash = if address.starts_with('/') || (address.is_empty() && !base.is_empty()) {
        ""
    } else {
        "/"
    };
    let whole = [base, slash, address].concat();
    Uri::from_maybe_shared(Bytes::from(whole)).map_err(|error| error.to_string())
}

fn verb(method: Method) -> Verb {
    match method {
        Method::Get => Verb::GET,
        Method::Post => Verb::POST,
        Method::Put => Verb::PUT,
        Method::Patch => Verb::PATCH,
        Method::Delete => Verb::DELETE,
        Method::Head => Verb::HEAD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_path_stands_before_every_path() {
        for (base, address, whole) in [
            ("", "/a", "/a"),
            ("", "", "/"),
            ("", "a", "/a"),
            ("/prod", "/a?b=c", "/prod/a?b=c"),
            ("/prod", "", "/prod"),
        ] {
            assert_eq!(uri(base, address).unwrap().to_string(), whole);
        }
        assert!(uri("", "/a b").is_err());
    }
}
