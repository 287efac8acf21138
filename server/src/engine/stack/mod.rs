//! The protocols of one session on top of each other, from ICE to the data channels, upon the protocol crates of
//! webrtc-rs.
//!
//! Takes datagrams and the time, gives datagrams and events; has no socket and no clock. `webrtc-rs` has a stack of its
//! own, [`rtc`](https://docs.rs/rtc), which carries media as well, and keeps to itself what a server that is open to
//! everyone needs to see: how far SCTP's receive window is used, and by what; what was sent more than once; how the peer's
//! channels are limited.

mod budget;
mod dcep;
mod dtls;
mod fingerprint;
#[cfg(test)]
mod floods;
mod ice;
mod init;
mod meter;
mod packet;
#[cfg(test)]
pub(super) mod packets;
#[cfg(test)]
mod resets;
mod sctp;
mod settings;
mod streams;
#[cfg(test)]
mod victim;
mod window;

use std::{
    collections::VecDeque,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use bytes::BytesMut;
use hola_webrtc_protocol::Candidate;
use tracing::debug;

use self::{
    dtls::{Dtls, Received},
    ice::{Check, Ice},
    sctp::Sctp,
};
pub(crate) use self::{
    fingerprint::{Fingerprint, FingerprintError},
    init::{Init, InitError},
    settings::{Settings, receive_window},
};
use super::stun::Stun;
use crate::{
    answer::IceCredentials,
    channel::{ChannelParameters, Message},
    session::ChannelClosed,
};

/// What DTLS and SCTP take for their peer's address. ICE knows the real one, which may change beneath them.
const TUNNEL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9);

/// A protocol has refused something, in its words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct StackError(String);

impl From<rtc_shared::error::Error> for StackError {
    fn from(error: rtc_shared::error::Error) -> Self {
        Self(error.to_string())
    }
}

/// What a peer says of itself in its offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remote {
    pub(crate) credentials: IceCredentials,
    /// Of its certificate: one of them has to match.
    pub(crate) fingerprints: Vec<Fingerprint>,
    /// The largest message that may be sent to it, in bytes.
    pub(crate) max_message_size: u32,
}

/// A datagram to send, between a candidate of this side and an address of the peer's.
pub(crate) struct Transmit {
    pub(crate) ours: SocketAddr,
    pub(crate) theirs: SocketAddr,
    pub(crate) bytes: BytesMut,
}

/// What has happened.
#[derive(Debug)]
pub(crate) enum Event {
    /// ICE has selected this pair.
    Selected { local: Candidate, remote: Candidate },
    /// The DTLS handshake is done.
    Secured,
    /// The SCTP association is up.
    Associated,
    /// The peer has closed the channel on this stream, and everything before has been read.
    ChannelClosed(u16),
    /// The peer has closed the connection.
    Closed,
}

/// What has come on the channels.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A channel is open: the peer has announced it, or confirmed one of ours.
    Opened(ChannelParameters),
    /// A message on this stream.
    Message(u16, Message),
    /// What closes the channel on this stream.
    Fault(u16, ChannelClosed),
}

pub(crate) struct Stack {
    settings: Arc<Settings>,
    ice: Ice,
    /// Once the peer's fingerprints are known.
    dtls: Option<Dtls>,
    /// Once DTLS is up.
    sctp: Option<Sctp>,
    /// Until then, if offer and answer have set it up.
    agreed: Option<Box<Sctp>>,
    peers_maximum: u32,
    /// The pair that ICE selected last. While it starts anew, the old one goes on to serve.
    route: Option<(SocketAddr, SocketAddr)>,
    events: VecDeque<Event>,
    #[cfg(test)]
    pub(super) fault: Option<Fault>,
}

/// Upon what a test has the protocols panic.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Datagram,
    Timer,
}

impl Stack {
    pub(crate) fn new(now: Instant, settings: Arc<Settings>) -> Result<Self, StackError> {
        Ok(Self {
            ice: Ice::new(now, &settings)?,
            dtls: None,
            sctp: None,
            agreed: None,
            peers_maximum: settings.max_message_size(),
            route: None,
            events: VecDeque::new(),
            settings,
            #[cfg(test)]
            fault: None,
        })
    }

    /// This side's.
    pub(crate) fn credentials(&self) -> IceCredentials {
        self.ice.credentials()
    }

    /// The peer is the one that its offer describes.
    pub(crate) fn set_remote(&mut self, remote: Remote) -> Result<(), StackError> {
        let Remote { credentials, fingerprints, max_message_size } = remote;
        self.ice.set_remote(credentials);
        self.dtls = Some(Dtls::new(&self.settings, fingerprints)?);
        self.peers_maximum = self.peers_maximum.min(max_message_size);
        Ok(())
    }

    /// Sets SCTP up by what the offer says of it, and returns what the answer is to say; `None` if that cannot be.
    pub(crate) fn agree(&mut self, now: Instant, init: &Init) -> Result<Option<String>, StackError> {
        let (sctp, answer) = Sctp::agree(now, &self.settings, init)?.unzip();
        self.agreed = sctp.map(Box::new);
        Ok(answer)
    }

    pub(crate) fn add_host_candidate(&mut self, candidate: &Candidate) -> Result<(), StackError> {
        Ok(self.ice.add_host_candidate(candidate)?)
    }

    /// From now on the stack waits for the peer's checks.
    pub(crate) fn start(&mut self, now: Instant) -> Result<(), StackError> {
        Ok(self.ice.start(now)?)
    }

    /// Whether ICE is at work with these credentials of the peer's.
    pub(crate) fn is_with(&self, remote: &IceCredentials) -> bool {
        self.ice.is_with(remote)
    }

    /// ICE starts anew, with these candidates of this side; what is above it goes on by the old path until there is a new one.
    /// Returns this side's new credentials.
    pub(crate) fn restart_ice(
        &mut self,
        now: Instant,
        remote: IceCredentials,
        candidates: &[Candidate],
    ) -> Result<IceCredentials, StackError> {
        Ok(self.ice.restart(now, remote, candidates)?)
    }

    /// Takes in a datagram that came to a candidate of ours.
    pub(crate) fn receive(
        &mut self,
        now: Instant,
        ours: SocketAddr,
        theirs: SocketAddr,
        datagram: BytesMut,
    ) -> Result<(), StackError> {
        #[cfg(test)]
        assert_ne!(self.fault, Some(Fault::Datagram), "as the test wants it");
        if let Some(check) = Stun::parse(&datagram).map(Check::of) {
            let received = self.ice.receive(now, (ours, theirs), &check, datagram);
            self.look_at_ice(now);
            return Ok(received?);
        }
        let Some(dtls) = self.dtls.as_mut().filter(|_| self.route.is_some()) else {
            return Err(StackError("ICE has selected no pair yet".to_owned()));
        };
        for received in dtls.receive(now, datagram)? {
            match received {
                Received::Secure => {
                    self.events.push_back(Event::Secured);
                    self.sctp = Some(self.associate(now)?);
                }
                Received::Data(packet) => {
                    if let Some(sctp) = &mut self.sctp {
                        sctp.receive(now, packet);
                    }
                }
                Received::Closed => self.events.push_back(Event::Closed),
            }
        }
        Ok(())
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front().or_else(|| self.sctp.as_mut()?.poll_event())
    }

    /// The next datagram to send. ICE goes first: a `ClientHello` that overtakes the reply to the nomination finds no
    /// pair selected at its peer, is dropped, and costs a second.
    pub(crate) fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        if let Some(transmit) = self.ice.poll_transmit() {
            return Some(transmit);
        }
        let (ours, theirs) = self.route?;
        let dtls = self.dtls.as_mut()?;
        loop {
            if let Some(bytes) = dtls.poll_transmit() {
                return Some(Transmit { ours, theirs, bytes });
            }
            let packet = self.sctp.as_mut()?.poll_transmit(now)?;
            if let Err(error) = dtls.send(now, &packet) {
                debug!("a packet cannot be sent: {error}");
            }
        }
    }

    /// When the time has to be told even if nothing happens.
    pub(crate) fn deadline(&mut self) -> Option<Instant> {
        let dtls = self.dtls.as_ref().and_then(Dtls::deadline);
        let sctp = self.sctp.as_ref().and_then(Sctp::deadline);
        [self.ice.deadline(), dtls, sctp].into_iter().flatten().min()
    }

    /// Lets every timer that is due act.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        #[cfg(test)]
        assert_ne!(self.fault, Some(Fault::Timer), "as the test wants it");
        let is_due = |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
        let mut outcome = Ok(());
        if is_due(self.ice.deadline()) {
            outcome = self.ice.handle_timeout(now);
            self.look_at_ice(now);
        }
        if let Some(dtls) = self.dtls.as_mut().filter(|dtls| is_due(dtls.deadline())) {
            outcome = outcome.and(dtls.handle_timeout(now));
        }
        if let Some(sctp) = self.sctp.as_mut().filter(|sctp| is_due(sctp.deadline())) {
            sctp.handle_timeout(now);
        }
        if let Err(error) = outcome {
            debug!("a timer fails: {error}");
        }
    }

    /// Tells the peer that the connection is over, after what is there to send has gone out. Returns the last datagrams.
    pub(crate) fn close(&mut self, now: Instant) -> Vec<Transmit> {
        let mut last: Vec<_> = std::iter::from_fn(|| self.poll_transmit(now)).collect();
        let aborted = self.sctp.as_mut().map_or(Ok(()), Sctp::abort);
        last.extend(std::iter::from_fn(|| self.poll_transmit(now)));
        let closed = self.dtls.as_mut().map_or(Ok(()), |dtls| dtls.close(now));
        last.extend(std::iter::from_fn(|| self.poll_transmit(now)));
        if let Err(error) = aborted.and(closed) {
            debug!("the connection does not close cleanly: {error}");
        }
        last
    }

    /// DTLS is up: so is what was agreed upon, and else SCTP begins.
    fn associate(&mut self, now: Instant) -> Result<Sctp, StackError> {
        let Some(mut sctp) = self.agreed.take() else { return Ok(Sctp::connect(now, &self.settings)?) };
        sctp.came_up(now, self.ice.round_trip_time(now));
        Ok(*sctp)
    }

    fn look_at_ice(&mut self, now: Instant) {
        let Some([local, remote]) = self.ice.poll_selected(now) else { return };
        let address = |of: &Candidate| Some(SocketAddr::new(of.address.parse().ok()?, of.port));
        let route = address(&local).zip(address(&remote)).or(self.route);
        if self.route != route
            && let Some(sctp) = &mut self.sctp
        {
            sctp.moved(now, self.ice.round_trip_time(now));
        }
        self.route = route;
        self.events.push_back(Event::Selected { local, remote });
        if let Some(Err(error)) = self.dtls.as_mut().map(|dtls| dtls.start(now)) {
            debug!("DTLS does not start: {error}");
        }
    }
}
