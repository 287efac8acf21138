//! What the policy and its host say to each other, as they stand in JavaScript.

use wasm_bindgen::prelude::*;

/// What has happened. The network's have the names of the browser's events.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug)]
pub enum News {
    /// The session has a connection.
    Connected = "connected",
    /// Nothing comes on it.
    Disconnected = "disconnected",
    /// The page's network is another one.
    Changed = "change",
    /// The page is online again.
    Online = "online",
    /// The page is offline.
    Offline = "offline",
    /// The ICE restart is over.
    Restarted = "restarted",
    /// The connection, or the attempt at one, is over.
    Failed = "failed",
    /// The session is.
    Closed = "closed",
}

/// What to do, by the name of the host's function.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug)]
pub enum Task {
    /// Restart ICE.
    RestartIce = "restartIce",
    /// Wait for the next attempt.
    Wait = "wait",
    /// Make it.
    Connect = "connect",
    /// Make none any more.
    GiveUp = "giveUp",
}
