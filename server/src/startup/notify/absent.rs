//! Service managers that want to be told things exist on Unix.

use hola_webrtc_server::RtcServer;

pub(crate) fn ready() {}

pub(crate) fn reloading() {}

pub(crate) fn stopping() {}

pub(crate) async fn watch(_server: RtcServer) {}
