//! Why a load cannot be driven at all. A request that fails is data, never one of these.

use std::path::PathBuf;
use std::time::Duration;

/// Why a load could not start, or its record could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The target's address is no address.
    #[error("use `{url}` as a target: {reason}")]
    Address {
        /// As in the profile.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// A header of a step or of the target is no header.
    #[error("use `{name}` as a header of step `{step}`: {reason}")]
    Header {
        /// The step, as `journey/step`.
        step: String,
        /// The header.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A `JSONPath` does not parse.
    #[error("use `{path}` in step `{step}`: {reason}")]
    JsonPath {
        /// The step, as `journey/step`.
        step: String,
        /// As in the profile.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// The scenario holds nothing to do.
    #[error("run scenario `{scenario}`: {reason}")]
    Empty {
        /// Its name.
        scenario: String,
        /// What is missing.
        reason: &'static str,
    },
    /// The target's name has no address.
    #[error("find the address of `{host}`: {reason}")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        reason: String,
    },
    /// Nothing accepts connections there.
    #[error("connect to {address}: {reason}")]
    Connect {
        /// Name and port.
        address: String,
        /// What the system said.
        reason: String,
    },
    /// No connection in time.
    #[error("connect to {address}: no answer within {after:?}")]
    Timeout {
        /// Name and port.
        address: String,
        /// How long was waited.
        after: Duration,
    },
    /// The TLS handshake failed.
    #[error("agree on TLS with {address}: {reason}")]
    Tls {
        /// Name and port.
        address: String,
        /// What is wrong.
        reason: String,
    },
    /// Too few open files are allowed.
    #[error(
        "open {needed} connections: the system allows this process {allowed} open files (hard limit {hard}); raise it with `ulimit -n {needed}`"
    )]
    Files {
        /// Open files that the load needs.
        needed: u64,
        /// The soft limit.
        allowed: u64,
        /// What the soft limit could be raised to.
        hard: u64,
    },
    /// The system gave no thread, timer or runtime.
    #[error("start a load thread")]
    Thread(#[source] std::io::Error),
    /// The collector's thread is gone and took the record with it.
    #[error("collect what the load threads recorded")]
    Collector,
    /// A file of the record could not be handled.
    #[error("{step} the recording `{path}`")]
    Store {
        /// write, sync, rename, read.
        step: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file of the record is none.
    #[error("understand the recording `{path}`")]
    Format {
        /// Which file.
        path: PathBuf,
        /// Where it is wrong.
        #[source]
        source: serde_json::Error,
    },
}
