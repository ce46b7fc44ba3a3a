//! The requests under way, by ticket.
//!
//! Knows nothing of what a flight is; a ticket's number is reused once its flight has landed.

use super::agenda::Ticket;

#[derive(Debug)]
pub(crate) struct Flights<T> {
    slots: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Flights<T> {
    pub(crate) fn start(&mut self, flight: T) -> Ticket {
        let ticket = self.free.pop().map_or_else(
            || {
                self.slots.push(None);
                Ticket(self.slots.len() - 1)
            },
            Ticket,
        );
        self.put(ticket, flight);
        ticket
    }

    /// Takes a flight out, to go on with it; its ticket stays reserved until `put` or `land`.
    pub(crate) fn take(&mut self, ticket: Ticket) -> Option<T> {
        self.slots.get_mut(ticket.0)?.take()
    }

    pub(crate) fn put(&mut self, ticket: Ticket, flight: T) {
        if let Some(slot) = self.slots.get_mut(ticket.0) {
            *slot = Some(flight);
        }
    }

    /// Gives the ticket of a flight that was taken out free for the next.
    pub(crate) fn land(&mut self, ticket: Ticket) {
        self.free.push(ticket.0);
    }
}
