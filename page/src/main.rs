//! The page of hola-webrtc: the eight steps of a WebRTC connection as they happen, and a chat over it.
//!
//! It holds no WebRTC logic. The client makes the connection and traces it; [`steps`] folds the trace into what
//! is shown, and the components draw that.

#![allow(
    unreachable_pub,
    reason = "the component macro makes public items, and a binary has no other kind of public"
)]

mod address;
mod app;
mod chat;
mod chat_log;
mod controls;
mod data_view;
mod demo;
mod echo;
mod failure;
mod format;
mod header;
mod language;
mod notice;
mod step_data;
mod step_item;
mod step_list;
mod steps;
mod watch;
mod watched;
mod wording;

use leptos::prelude::{document, mount_to_body};

fn main() {
    // What stood there while the page was loading.
    if let Some(shell) = document().get_element_by_id("shell") {
        shell.remove();
    }
    mount_to_body(app::App);
}
