//! The page against the server, in real browsers. Each test has a server and a browser of its own.

mod conversation;
mod language;
mod trouble;
