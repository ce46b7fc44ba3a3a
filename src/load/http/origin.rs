//! Where a target is: the parts of its address.

use http::Uri;
use http::uri::Scheme;

use crate::load::error::LoadError;

/// A target's address, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) is_tls: bool,
    /// Without the brackets of an IPv6 address.
    pub(super) host: String,
    pub(super) port: u16,
    /// For the `Host` header: without the port when it is the scheme's own.
    pub(super) authority: String,
    /// Before every path; without a trailing slash.
    pub(super) base: String,
}

impl Origin {
    /// Reads `https://host:port/base`.
    pub(super) fn parse(url: &str) -> Result<Self, LoadError> {
        let error = |reason: &str| LoadError::Address {
            url: url.to_owned(),
            reason: reason.to_owned(),
        };
        let uri: Uri = url.parse().map_err(|parse: http::uri::InvalidUri| error(&parse.to_string()))?;
        let is_tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(error("it begins with neither `http://` nor `https://`")),
        };
        let authority = uri.authority().ok_or_else(|| error("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(error("credentials do not belong into an address; use a header"));
        }
        let own_port = if is_tls { 443 } else { 80 };
        let port = match authority
            .as_str()
            .strip_prefix(authority.host())
            .and_then(|rest| rest.strip_prefix(':'))
        {
            Some(port) => port.parse().map_err(|_| error("its port is not a number below 65536"))?,
            None => own_port,
        };
        if uri.query().is_some() {
            return Err(error("a query belongs to a step"));
        }
        Ok(Self {
            is_tls,
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port,
            authority: if port == own_port {
                authority.host().to_owned()
            } else {
                authority.as_str().to_owned()
            },
            base: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        for (url, is_tls, host, port, authority, base) in [
            ("http://localhost:8080", false, "localhost", 8080, "localhost:8080", ""),
            (
                "https://api.example.com/prod/",
                true,
                "api.example.com",
                443,
                "api.example.com",
                "/prod",
            ),
            (
                "https://api.example.com:443/a/b",
                true,
                "api.example.com",
                443,
                "api.example.com",
                "/a/b",
            ),
            ("http://[::1]:9/", false, "::1", 9, "[::1]:9", ""),
        ] {
            let origin = Origin::parse(url).unwrap();
            assert_eq!(
                (
                    origin.is_tls,
                    origin.host.as_str(),
                    origin.port,
                    origin.authority.as_str(),
                    origin.base.as_str()
                ),
                (is_tls, host, port, authority, base),
                "{url}"
            );
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_a_reason() {
        for url in [
            "",
            "localhost",
            "/path",
            "ftp://x",
            "http://u:p@x",
            "http://x/?a=b",
            "http://x:99999",
        ] {
            assert!(matches!(Origin::parse(url), Err(LoadError::Address { .. })), "{url}");
        }
    }
}
