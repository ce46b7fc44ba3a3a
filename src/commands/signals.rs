//! Signals: the first stops gently, the second at once, the third gives up.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::exit::Exit;

/// The three stages, each a token that is cancelled when it is reached.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    /// No new requests, no new changes.
    pub(crate) first: CancellationToken,
    /// What is in flight is dropped.
    pub(crate) second: CancellationToken,
    /// Even putting back is given up.
    pub(crate) third: CancellationToken,
    number: Arc<AtomicI32>,
}

impl Signals {
    /// Listens to SIGINT, SIGTERM and SIGHUP from now on.
    pub(crate) fn listen() -> std::io::Result<Self> {
        let signals = Self::default();
        for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
            let mut stream = signal(kind)?;
            let signals = signals.clone();
            tokio::spawn(async move {
                while stream.recv().await.is_some() {
                    signals.receive(kind.as_raw_value());
                }
            });
        }
        Ok(signals)
    }

    fn receive(&self, number: i32) {
        let _ = self.number.compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed);
        let stages = [&self.first, &self.second, &self.third];
        if let Some(stage) = stages.into_iter().find(|stage| !stage.is_cancelled()) {
            stage.cancel();
        }
    }

    /// The number of the first signal; 0 when there was none.
    pub(crate) fn number(&self) -> i32 {
        self.number.load(Ordering::Relaxed)
    }

    /// How the command ends by a signal; `Done` without one.
    pub(crate) fn exit(&self) -> Exit {
        match self.number() {
            0 => Exit::Done,
            2 => Exit::Interrupted,
            _ => Exit::Terminated,
        }
    }
}
