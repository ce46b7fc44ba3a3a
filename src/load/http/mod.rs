//! HTTP/1.1 over TCP and TLS: the only place that knows hyper and rustls.
//!
//! A user has a connection of its own, kept alive, as real clients do. The connection is driven by the user's task
//! itself, so that a request costs no hand-over between tasks. HTTP/2 is not offered yet: `http/1.1` is the only
//! protocol named in the TLS handshake, so a server never picks another.

mod connect;
mod gate;
mod line;
mod message;
mod names;
mod origin;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::TlsConnector;

use self::connect::Stream;
use self::line::HttpLine;
use self::message::Message;
use self::names::Names;
use self::origin::Origin;
use super::error::LoadError;
use super::exchange::{Loss, Transport};
use super::sample::Failure;
use super::script::Script;
use crate::scenario::Target;

/// How long `reach` waits for a connection.
const REACH: Duration = Duration::from_secs(10);

/// What is known before the run, read by every thread.
pub(super) struct Client {
    origin: Origin,
    tls: Option<TlsConnector>,
    messages: Vec<Message>,
}

impl Client {
    /// Prepares every step of a script.
    pub(super) fn new(script: &Script) -> Result<Self, LoadError> {
        let origin = Origin::parse(&script.url)?;
        let messages = script
            .steps
            .iter()
            .map(|step| Message::new(step, &origin))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            tls: connect::connector(&origin)?,
            origin,
            messages,
        })
    }
}

/// A thread's share of the client.
pub(super) struct Http {
    client: Arc<Client>,
    names: Names,
}

/// What the lines of a thread hold.
pub(super) struct ThreadHttp(Rc<Http>);

impl ThreadHttp {
    pub(super) fn new(client: Arc<Client>) -> Self {
        let names = Names::new(&client.origin);
        Self(Rc::new(Http { client, names }))
    }
}

impl Transport for ThreadHttp {
    type Line = HttpLine;

    fn line(&self) -> HttpLine {
        HttpLine::new(Rc::clone(&self.0))
    }

    async fn upkeep(&self) {
        self.0.names.keep_fresh().await;
    }
}

/// Connects to the target once, TLS included, so that an unreachable one is said before anything is changed or loaded.
pub async fn reach(target: &Target) -> Result<(), LoadError> {
    let origin = Origin::parse(&target.url)?;
    let address = origin.authority.clone();
    let client = Client {
        tls: connect::connector(&origin)?,
        origin,
        messages: Vec::new(),
    };
    let names = Names::new(&client.origin);
    let found = names.lookup().await;
    found.map_err(|loss| LoadError::Resolve {
        host: client.origin.host.clone(),
        reason: loss.text,
    })?;
    let connected = tokio::time::timeout(REACH, Stream::connect(&client, &names)).await;
    match connected {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(Loss {
            failure: Failure::Tls,
            text: reason,
        })) => Err(LoadError::Tls { address, reason }),
        Ok(Err(Loss { text: reason, .. })) => Err(LoadError::Connect { address, reason }),
        Err(_) => Err(LoadError::Timeout { address, after: REACH }),
    }
}
