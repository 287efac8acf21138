//! The hola-webrtc server.

fn main() {}
