//! One connection's requests: counts them, has them routed and ended, and answers.
//!
//! Knows hyper; knows nothing of capacity.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use serde_json::json;
use tokio::net::TcpStream;

use super::behaviour::{Behaviour, Manner};
use super::counts::Counts;
use super::hub::Hub;
use super::route;
use super::socket::{Outbox, Reply, Socket};
use crate::model::System;

/// The longest body that is read.
const LONGEST_BODY: usize = 1 << 20;
const OWN_PATHS: &str = "/_target/";

/// What every connection shares.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) system: System,
    pub(crate) hub: Hub,
    pub(crate) counts: Arc<Counts>,
    pub(crate) manner: Manner,
    conversations: AtomicU64,
}

impl Service {
    pub(crate) fn new(system: System, hub: Hub) -> Self {
        Self {
            system,
            hub,
            counts: Arc::default(),
            manner: Manner::default(),
            conversations: AtomicU64::new(0),
        }
    }

    /// Serves a connection until either side ends it.
    pub(crate) async fn serve(self: Arc<Self>, stream: TcpStream) {
        if self.manner.now().refuse && !asks_for_own_path(&stream).await {
            // A reset, not a polite end: what a client sees of a service that is not there.
            let _ = stream.set_zero_linger();
            return;
        }
        let _ = stream.set_nodelay(true);
        let outbox = Outbox::new(Arc::clone(&self.counts));
        let socket = Socket::new(stream, Arc::clone(&outbox));
        let service = service_fn(|request| self.answer(request, &outbox));
        // Malformed requests, vanished clients and connections closed on purpose all end here; none is an error.
        let _ = http1::Builder::new().serve_connection(socket, service).await;
        if outbox.is_clients() {
            self.hub.disconnected();
        }
    }

    async fn answer(&self, request: Request<Incoming>, outbox: &Arc<Outbox>) -> Result<Response<Reply>, io::Error> {
        let (head, body) = request.into_parts();
        let full_path = head.uri.path();
        if let Some(own) = full_path.strip_prefix(OWN_PATHS) {
            let body = Limited::new(body, LONGEST_BODY)
                .collect()
                .await
                .map_err(io::Error::other)?
                .to_bytes();
            let (status, words) = self.own(&head.method, own, &body);
            return Ok(response(status, Reply::new(words, None)));
        }
        let path = match self.system {
            System::HcgDemo => route::path_in_api(full_path),
            System::EcsChatbot | System::Empty => full_path,
        };
        let epoch = self.counts.request(path);
        if outbox.becomes_clients() {
            self.hub.connected();
        }
        if self.manner.is_silent() {
            return Err(io::Error::other("asked to leave requests without an answer"));
        }
        let (status, words) = match Limited::new(body, LONGEST_BODY).collect().await {
            Ok(body) => self.end(&head.method, path, &body.to_bytes()).await?,
            Err(problem) if problem.is::<http_body_util::LengthLimitError>() => {
                (413, Bytes::from_static(br#"{"message":"Request Too Long"}"#))
            }
            Err(problem) => return Err(io::Error::other(problem)),
        };
        Ok(response(status, Reply::new(words, Some((Arc::clone(outbox), epoch, status)))))
    }

    async fn end(&self, method: &Method, path: &str, body: &[u8]) -> Result<(u16, Bytes), io::Error> {
        let Behaviour { delay_ms, status, .. } = self.manner.now();
        let ended = if let Some(status) = status {
            (status, Bytes::from_static(br#"{"message":"forced by a test"}"#))
        } else {
            let routed = route::route(self.system, method, path, body);
            let number = self.conversations.fetch_add(1, Ordering::Relaxed);
            let outcome = self
                .hub
                .call(routed.call)
                .await
                .ok_or_else(|| io::Error::other("the service ends"))?;
            (outcome.status(), routed.words(outcome, number))
        };
        if delay_ms > 0 {
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
        }
        if self.manner.is_silent() {
            return Err(io::Error::other("asked to leave requests without an answer"));
        }
        Ok(ended)
    }

    /// What tests ask of the server itself; never counted.
    fn own(&self, method: &Method, path: &str, body: &[u8]) -> (u16, Bytes) {
        match (method, path) {
            (&Method::GET, "counts") => {
                let mut counts = json!(self.counts.tally());
                counts["settings_version"] = json!(self.hub.settings_version());
                (200, Bytes::from(counts.to_string()))
            }
            (&Method::POST, "reset") => {
                self.counts.reset();
                (200, Bytes::from_static(b"{}"))
            }
            (&Method::POST, "behaviour") => match serde_json::from_slice::<Behaviour>(body) {
                Ok(behaviour) => {
                    self.manner.set(behaviour);
                    (200, Bytes::from(json!(behaviour).to_string()))
                }
                Err(problem) => (400, Bytes::from(json!({"message": problem.to_string()}).to_string())),
            },
            (&Method::GET, "behaviour") => (200, Bytes::from(json!(self.manner.now()).to_string())),
            _ => (404, Bytes::from_static(br#"{"message":"no such path"}"#)),
        }
    }
}

fn response(status: u16, reply: Reply) -> Response<Reply> {
    let mut response = Response::new(reply);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Looks at a connection's first bytes without taking them.
async fn asks_for_own_path(stream: &TcpStream) -> bool {
    let mut first = [0; 64];
    let seen = stream.peek(&mut first).await.unwrap_or(0);
    first
        .get(..seen)
        .is_some_and(|bytes| bytes.windows(OWN_PATHS.len()).any(|part| part == OWN_PATHS.as_bytes()))
}
