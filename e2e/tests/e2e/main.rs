//! The page against the server, in real browsers. Each test has a server and a browser of its own.

mod by_hand;
mod conversation;
mod element;
mod embed;
mod facade;
mod language;
mod many;
mod memory;
mod snap;
mod talk;
mod teller;
mod trouble;
mod worker;
