//! Drives the page in real browsers against the real server: what the tests in `tests/` are written with.
//!
//! They are run by `cargo xtask test --only e2e`, which builds the server, and installs browsers and drivers.

mod browser;
mod devtools;
mod element;
mod page;
mod processes;
mod site;
mod stage;

pub use browser::{Browser, Driven, SNAP, Setup};
pub use element::Element;
pub use page::{Field, Message, Notice, Page, Snapshot, Step, Watched};
pub use site::Site;
pub use stage::{Stage, in_browser, in_browser_as};
