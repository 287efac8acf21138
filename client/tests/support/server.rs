//! The running server that the tests talk to.

use hola_webrtc_client::{Channel, ConnectOptions, Connection, connect};

use super::soon;

/// Its URL.
pub const SERVER: &str = match option_env!("HOLA_WEBRTC_TEST_SERVER") {
    Some(url) => url,
    None => panic!("set HOLA_WEBRTC_TEST_SERVER to the URL of a running server to compile the server tests"),
};

/// A connection whose channel is pure echo.
pub async fn echo() -> (Connection, Channel) {
    let connection = soon(connect(SERVER, ConnectOptions::default().label("echo"))).await.unwrap();
    let channel = connection.channel();
    (connection, channel)
}
