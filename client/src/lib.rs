//! The offerer's half of hola-webrtc, for web pages.
