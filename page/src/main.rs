//! The page of hola-webrtc.

fn main() {}
