//! A connection as its user sees it.

use std::{fmt, net::IpAddr, sync::Arc};

use hola_webrtc_protocol::sdp;
use hyper::{HeaderMap, Uri};
use rtc::peer_connection::sdp::RTCSessionDescription;

use crate::{
    Channel, ChannelOptions, Closed, ConnectError, SendError, core::Core, line::LineState, link::Link,
};

/// A connection to a server. Dropping it closes it, and tells the server.
pub struct Connection {
    link: Arc<Link>,
    pub(crate) reply: Reply,
}

/// What the server replied to the offer.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// The answer.
    pub answer: String,
    /// The header fields, such as `Server-Timing` and `Link`.
    pub headers: HeaderMap,
    /// The URL of the session, if the server has named one.
    pub session: Option<Uri>,
}

/// What has gone over a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Messages sent on data channels.
    pub messages_sent: u64,
    /// Messages received on data channels.
    pub messages_received: u64,
    /// Their payload sent, in bytes.
    pub bytes_sent: u64,
    /// Their payload received, in bytes.
    pub bytes_received: u64,
    /// UDP datagrams sent.
    pub datagrams_sent: u64,
    /// UDP datagrams received.
    pub datagrams_received: u64,
}

impl Connection {
    pub(crate) fn new(link: Arc<Link>) -> Self {
        Self { link, reply: Reply::default() }
    }

    /// What the server replied to the offer; empty if the answer came another way.
    pub fn reply(&self) -> &Reply {
        &self.reply
    }

    /// Opens one more channel, and waits until it is open.
    pub async fn open_channel(&self, options: &ChannelOptions) -> Result<Channel, SendError> {
        let id = self.link.act(|core, _| core.create(options))?;
        let channel = Channel::new(self.link.clone(), id).ok_or(SendError::Closed)?;
        match channel.reach(LineState::Open).await {
            LineState::Open => Ok(channel),
            _ => Err(SendError::Closed),
        }
    }

    /// The next channel that the server opens; `None` once the connection has ended.
    pub async fn accept_channel(&self) -> Option<Channel> {
        loop {
            let changed = self.link.changed.notified();
            let (id, ended) = self.link.act(|core, _| (core.offered.pop_front(), core.ended));
            if let Some(id) = id {
                return Channel::new(self.link.clone(), id);
            }
            if ended.is_some() {
                return None;
            }
            changed.await;
        }
    }

    /// Waits until the connection has ended.
    pub async fn closed(&self) -> Closed {
        loop {
            let changed = self.link.changed.notified();
            if let Some(reason) = self.link.act(|core, _| core.ended) {
                return reason;
            }
            changed.await;
        }
    }

    /// Closes the connection at once and tells the server. What is not acknowledged yet may be lost; to wait for
    /// it there is [`Channel::flush`].
    pub fn close(&self) {
        self.link.act(|core, _| core.end(Closed::Local, true));
    }

    /// Ends the connection without a word, like a browser that is killed.
    pub fn kill(&self) {
        self.link.act(|core, _| core.end(Closed::Local, false));
    }

    /// What has gone over the connection.
    pub fn stats(&self) -> Stats {
        self.link.act(|core, _| core.stats)
    }

    /// The offer, or the latest one of a restart.
    pub fn offer(&self) -> String {
        self.link.act(|core, _| core.peer.local_description()).map_or_else(String::new, |offer| offer.sdp)
    }

    /// Begins an ICE restart (RFC 8445, 9): an offer with new credentials, whose answer
    /// [`Connection::accept_restart`] takes. Until then everything stays as it was.
    pub fn restart_ice(&self) -> Result<String, ConnectError> {
        let make = |core: &mut Core, now| {
            core.peer.restart_ice();
            let offer = core.peer.create_offer(None)?;
            core.peer.set_local_description(now, offer)?;
            Ok(())
        };
        let outcome = self.link.act(make);
        outcome.map_err(|error: rtc::shared::error::Error| ConnectError::Internal(error.to_string()))?;
        Ok(self.offer())
    }

    /// Ends an ICE restart with the server's new answer.
    pub fn accept_restart(&self, answer: &str) -> Result<(), ConnectError> {
        self.accept(answer, None)
    }

    /// Takes the answer. Of its candidates those of one address are enough, if there are any.
    pub(crate) fn accept(&self, answer: &str, server: Option<IpAddr>) -> Result<(), ConnectError> {
        let answer = server.map_or_else(|| answer.to_owned(), |server| narrowed(answer, server));
        let take = |core: &mut Core, now| {
            let answer = RTCSessionDescription::answer(answer)?;
            core.peer.set_remote_description(now, answer)
        };
        self.link.act(take).map_err(|error| ConnectError::BadAnswer(error.to_string()))
    }
}

/// The answer without the candidates of other addresses, if it names this one: a server on this machine names all
/// that the machine has, and checking each would cost more than the rest.
fn narrowed(answer: &str, server: IpAddr) -> String {
    let is_of_server = |address: &str| address.parse() == Ok(server);
    if !sdp::candidates(answer).any(|candidate| is_of_server(&candidate.address)) {
        return answer.to_owned();
    }
    let is_kept =
        |line: &&str| sdp::candidates(line).next().is_none_or(|candidate| is_of_server(&candidate.address));
    answer.split_inclusive('\n').filter(is_kept).collect()
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("session", &self.reply.session).finish_non_exhaustive()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_candidates_those_of_the_server_are_kept_if_there_are_any() {
        let line = |ip: &str| format!("a=candidate:1 1 udp 1 {ip} 9 typ host\r\n");
        let answer = format!("v=0\r\n{}{}a=mid:0\r\n", line("10.0.0.1"), line("127.0.0.1"));
        let kept = narrowed(&answer, [127, 0, 0, 1].into());
        assert_eq!(kept, format!("v=0\r\n{}a=mid:0\r\n", line("127.0.0.1")));
        assert_eq!(narrowed(&answer, [192, 0, 2, 1].into()), answer);
    }
}
