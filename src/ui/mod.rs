//! The only printing: what people see on a terminal.
//!
//! Screens are made as text by pure functions; `Screen` alone writes. It knows no AWS and no load engine.

pub mod changes;
pub mod load;
pub mod plan;
pub mod progress;
pub mod restored;
pub mod screen;
pub mod status;
pub mod table;

pub use screen::Screen;
