//! The model behind HTTP, in real time, in step with the control plane.

mod behaviour;
mod control;
mod counts;
mod http;
mod hub;
mod listener;
mod route;
mod socket;

pub(crate) use control::Control;
pub(crate) use http::Service;
pub(crate) use hub::Hub;
pub(crate) use listener::{accept, listen};

#[cfg(test)]
mod fake_control;
#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
