//! A target's addresses: looked up again and again, and used in turn.
//!
//! A balancer that scales out answers with new addresses. Whoever looks up once, or keeps every connection for ever,
//! never measures them: so connections to addresses that are gone move, and when new ones come, a fair share of the
//! others does.

use std::cell::{Cell, RefCell};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::time::Instant;

use super::origin::Origin;
use crate::load::exchange::Loss;
use crate::load::sample::Failure;

/// A name is looked up this often.
const AGAIN: Duration = Duration::from_secs(30);
/// An address that no answer named this long is gone; balancers with many addresses name only some in each answer.
const FORGET: Duration = Duration::from_secs(100);

/// What a thread knows about the target's addresses.
pub(super) struct Names {
    host: String,
    port: u16,
    /// With the time of the last answer that named them.
    known: RefCell<Vec<(SocketAddr, Instant)>>,
    looked: Cell<Option<Instant>>,
    turn: Cell<usize>,
    /// Grows whenever the set of addresses changes.
    generation: Cell<u32>,
    /// Addresses that came with the newest generation, of all.
    fresh: Cell<(u32, u32)>,
    /// The family that answers, once it is known that the other does not.
    family: Cell<Option<Family>>,
}

/// IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Four,
    Six,
}

fn family(address: &SocketAddr) -> Family {
    if address.is_ipv4() { Family::Four } else { Family::Six }
}

impl Names {
    pub(super) fn new(origin: &Origin) -> Self {
        Self {
            host: origin.host.clone(),
            port: origin.port,
            known: RefCell::default(),
            looked: Cell::new(None),
            turn: Cell::new(0),
            generation: Cell::new(0),
            fresh: Cell::new((0, 0)),
            family: Cell::new(None),
        }
    }

    /// The number of the present set of addresses.
    pub(super) fn generation(&self) -> u32 {
        self.generation.get()
    }

    /// Whether a connection of an earlier generation should be made anew: its address is gone, or the draw (0 to 1)
    /// falls into the share of the new addresses.
    pub(super) fn moves(&self, peer: SocketAddr, draw: f64) -> bool {
        let (fresh, all) = self.fresh.get();
        let gone = !self.known.borrow().iter().any(|(address, _)| *address == peer);
        gone || draw * f64::from(all) < f64::from(fresh)
    }

    /// The next address in turn.
    pub(super) async fn next(&self) -> Result<SocketAddr, Loss> {
        let is_due = self.looked.get().is_none_or(|looked| looked.elapsed() >= 2 * AGAIN);
        if is_due {
            self.lookup().await?;
        }
        let known = self.known.borrow();
        let preferred = self.family.get().or_else(|| known.first().map(|(address, _)| family(address)));
        let candidates: Vec<SocketAddr> = known
            .iter()
            .map(|(address, _)| *address)
            .filter(|address| Some(family(address)) == preferred)
            .collect();
        let turn = self.turn.replace(self.turn.get().wrapping_add(1));
        candidates
            .get(turn % candidates.len().max(1))
            .copied()
            .ok_or_else(|| lost(&format!("`{}` has no address", self.host)))
    }

    /// An address of the other family, to be tried when this one refused; `None` when there is none, or when it is
    /// known which family answers.
    pub(super) fn other_family(&self, refused: SocketAddr) -> Option<SocketAddr> {
        if self.family.get().is_some() {
            return None;
        }
        let known = self.known.borrow();
        known
            .iter()
            .map(|(address, _)| *address)
            .find(|address| family(address) != family(&refused))
    }

    /// That address answered, so its family does.
    pub(super) fn answers(&self, address: SocketAddr) {
        self.family.set(Some(family(&address)));
    }

    /// Looks the name up now.
    pub(super) async fn lookup(&self) -> Result<(), Loss> {
        let found: Vec<SocketAddr> = match self.host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, self.port)],
            Err(_) => tokio::net::lookup_host((self.host.as_str(), self.port))
                .await
                .map_err(|error| lost(&error.to_string()))?
                .collect(),
        };
        if found.is_empty() {
            return Err(lost(&format!("`{}` has no address", self.host)));
        }
        self.learn(&found, Instant::now());
        Ok(())
    }

    fn learn(&self, found: &[SocketAddr], now: Instant) {
        self.looked.set(Some(now));
        let mut known = self.known.borrow_mut();
        let is_first = known.is_empty();
        let mut fresh = 0;
        for address in found {
            if let Some(old) = known.iter_mut().find(|(old, _)| old == address) {
                old.1 = now;
            } else {
                known.push((*address, now));
                fresh += 1;
            }
        }
        let before = known.len();
        known.retain(|(_, named)| now.saturating_duration_since(*named) < FORGET);
        if fresh > 0 || known.len() < before {
            self.generation.set(self.generation.get() + 1);
            let fresh = if is_first { 0 } else { fresh };
            self.fresh.set((fresh, u32::try_from(known.len()).unwrap_or(u32::MAX)));
        }
    }

    /// Looks the name up again and again; a failed look-up keeps what is known.
    pub(super) async fn keep_fresh(&self) {
        if self.host.parse::<IpAddr>().is_ok() {
            return;
        }
        loop {
            tokio::time::sleep(AGAIN).await;
            let _ = self.lookup().await;
        }
    }
}

fn lost(text: &str) -> Loss {
    Loss {
        failure: Failure::Connect,
        text: text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names::new(&Origin::parse("http://balancer.invalid").unwrap())
    }

    fn address(last: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, last], 80))
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_are_used_in_turn() {
        let names = names();
        names.learn(&[address(1), address(2)], Instant::now());
        let mut used = Vec::new();
        for _ in 0..4 {
            used.push(names.next().await.unwrap());
        }
        assert_eq!(used, [address(1), address(2), address(1), address(2)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_address_draws_its_share_of_connections_and_a_gone_one_loses_all() {
        let names = names();
        let start = Instant::now();
        names.learn(&[address(1)], start);
        let generation = names.generation();
        names.learn(&[address(1)], start + AGAIN);
        assert_eq!(names.generation(), generation, "nothing has changed");
        names.learn(&[address(1), address(2)], start + 2 * AGAIN);
        assert_ne!(names.generation(), generation);
        assert!(names.moves(address(1), 0.49));
        assert!(!names.moves(address(1), 0.51));
        names.learn(&[address(2)], start + 2 * AGAIN + FORGET);
        assert!(names.moves(address(1), 0.99));
        assert!(!names.moves(address(2), 0.0));
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_one_answer_left_out_is_kept() {
        let names = names();
        let start = Instant::now();
        names.learn(&[address(1), address(2)], start);
        names.learn(&[address(2)], start + AGAIN);
        assert!(!names.moves(address(1), 0.99));
    }
}
