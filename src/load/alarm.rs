//! Waking up on time: tokio's timer is one to two milliseconds late, which an open arrival must not be.

use tokio::time::Instant;

/// Something that wakes at a moment.
pub(super) enum Alarm {
    /// A timer of the kernel's own, good to some tens of microseconds.
    #[cfg(target_os = "linux")]
    Fine(fine::Timer),
    /// tokio's timer, which tests can pause.
    #[cfg(any(test, not(target_os = "linux")))]
    Coarse,
}

impl Alarm {
    /// The best that the system has. Needs a runtime.
    pub(super) fn fine() -> std::io::Result<Self> {
        #[cfg(target_os = "linux")]
        return fine::Timer::new().map(Self::Fine);
        #[cfg(not(target_os = "linux"))]
        Ok(Self::Coarse)
    }

    /// Waits until a moment; returns at once when it has passed.
    pub(super) async fn until(&self, at: Instant) {
        match self {
            #[cfg(target_os = "linux")]
            Self::Fine(timer) => {
                // A kernel that refuses its own timer is served by tokio's.
                if timer.until(at).await.is_err() {
                    tokio::time::sleep_until(at).await;
                }
            }
            #[cfg(any(test, not(target_os = "linux")))]
            Self::Coarse => tokio::time::sleep_until(at).await,
        }
    }
}

#[cfg(target_os = "linux")]
mod fine {
    use std::io;
    use std::os::fd::OwnedFd;

    use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime};
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;
    use tokio::time::Instant;

    /// A `timerfd` that the runtime polls together with the sockets.
    pub(in super::super) struct Timer(AsyncFd<OwnedFd>);

    impl Timer {
        pub(super) fn new() -> io::Result<Self> {
            let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
            #[expect(deprecated, reason = "the only safe constructor, and an `OwnedFd` is what it asks for")]
            let polled = AsyncFd::with_interest(timer, Interest::READABLE)?;
            Ok(Self(polled))
        }

        pub(super) async fn until(&self, at: Instant) -> io::Result<()> {
            loop {
                let wait = at.saturating_duration_since(Instant::now());
                if wait.is_zero() {
                    return Ok(());
                }
                let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
                let value = Timespec {
                    tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
                    tv_nsec: i64::from(wait.subsec_nanos()),
                };
                let once = Itimerspec {
                    it_interval: zero,
                    it_value: value,
                };
                timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &once)?;
                let mut guard = self.0.readable().await?;
                // Reading takes the expiry away; an earlier one that was still pending only means another round.
                let read = guard.try_io(|timer| Ok(rustix::io::read(timer.get_ref(), &mut [0_u8; 8])?));
                if let Ok(Err(error)) = read {
                    return Err(error);
                }
            }
        }
    }
}
