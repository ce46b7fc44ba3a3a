//! Misbehaviour that a test asks for.
//!
//! Plain data; others obey it. It comes before the model: a forced answer is not one of the simulated service.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Behaviour {
    /// New connections are reset and kept ones closed, unless they ask for `/_target/`.
    pub(crate) refuse: bool,
    pub(crate) delay_ms: u64,
    pub(crate) status: Option<u16>,
    /// For this long nobody listens at all; then everything is as the other fields say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) down_ms: Option<u64>,
}

#[derive(Debug, Default)]
pub(crate) struct Manner {
    now: Mutex<(Behaviour, bool)>,
    pub(crate) went_down: Notify,
}

impl Manner {
    pub(crate) fn now(&self) -> Behaviour {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    pub(crate) fn set(&self, behaviour: Behaviour) {
        let down = behaviour.down_ms.is_some();
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = (behaviour, down);
        if down {
            self.went_down.notify_one();
        }
    }

    /// Whether a request is to be left without an answer.
    pub(crate) fn is_silent(&self) -> bool {
        let (behaviour, down) = *self.now.lock().unwrap_or_else(PoisonError::into_inner);
        behaviour.refuse || down
    }

    /// For how long nobody listens.
    pub(crate) fn down_for(&self) -> Option<Duration> {
        let (behaviour, down) = *self.now.lock().unwrap_or_else(PoisonError::into_inner);
        behaviour.down_ms.filter(|_| down).map(Duration::from_millis)
    }

    pub(crate) fn is_up(&self) {
        self.now.lock().unwrap_or_else(PoisonError::into_inner).1 = false;
    }
}
