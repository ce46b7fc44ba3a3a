//! The seam between what a user does and how it travels: one request out, one answer back.
//!
//! `http` implements it with sockets, tests with arithmetic.

use std::cell::Cell;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::check::Answer;
use super::sample::Failure;

/// A request, rendered.
pub(super) struct Request<'a> {
    /// Index into the script's steps; what is fixed about the step is known to the transport.
    pub(super) step: usize,
    /// Path and query, when they are not fixed.
    pub(super) address: Option<&'a str>,
    /// Values of the headers that are not fixed, in their order.
    pub(super) headers: &'a [String],
    /// What is sent.
    pub(super) body: Bytes,
    /// A moment just now, so that the clock need not be read again.
    pub(super) now: Instant,
    /// Whether the answer's body is wanted.
    pub(super) wants_body: bool,
    /// Lower-case names of the answer's headers that are wanted.
    pub(super) wants_headers: &'a [String],
    /// Over the whole request, connecting included.
    pub(super) timeout: Duration,
}

/// Why no answer came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Loss {
    /// Its class.
    pub(super) failure: Failure,
    /// What the system said.
    pub(super) text: String,
}

/// One user's way to the target.
pub(super) trait Line: 'static {
    /// Sends a request and reads the whole answer. `sent` is set when the first byte is handed to the socket, so that
    /// it is known even when the future is dropped in between.
    async fn exchange(&mut self, request: &Request<'_>, answer: &mut Answer, sent: &Cell<Option<Instant>>) -> Result<(), Loss>;
}

/// A thread's way to the target.
pub(super) trait Transport: 'static {
    /// One user's.
    type Line: Line;

    /// A line for a new user; connects when it is first used.
    fn line(&self) -> Self::Line;

    /// What has to go on beside the requests, such as looking addresses up again; never ends by itself.
    async fn upkeep(&self);
}
