//! What the fuzz targets feed with bytes of a stranger's, in virtual time. Each asserts what has to hold.

#![allow(clippy::missing_panics_doc, reason = "a panic is what a fuzzer looks for")]

use std::cell::RefCell;

use futures_util::{FutureExt, StreamExt};
use rtc::stun::{
    fingerprint::FINGERPRINT,
    message::{Message as StunMessage, Setter},
};

use super::{
    stranger::{attribute, integrity},
    *,
};
use crate::{channel::Message, engine::stun::Stun};

/// Short times, so that every input can be waited for.
const HASTY: Limits =
    Limits { check_timeout: SECOND, open_timeout: SECOND.saturating_mul(2), ..Limits::new() };

/// An offer of one data channel, as Chromium writes it.
pub(super) const OFFER: &str = "v=0\r\no=- 4215775240449105457 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
    a=group:BUNDLE 0\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:sXP5\r\n\
    a=ice-pwd:7m8BnJuxq5jPxQFzYSVoJfCk\r\na=ice-options:trickle\r\na=fingerprint:sha-256 \
    3A:1B:5C:77:90:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF\r\n\
    a=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n";

/// What the program takes as an offer.
const MAX_OFFER: usize = 64 * 1024;

fn stranger() -> SocketAddr {
    offerer_address(60_000)
}

/// The body of `POST /offer`: an offer is refused and leaves nothing, or it is answered and draws no datagram,
/// whatever addresses it names. Returns whether it is answered.
pub fn offer(data: &[u8]) -> bool {
    thread_local!(static WORLD: RefCell<World> = World::with_limits(MS, HASTY).into());
    let Ok(offer) = std::str::from_utf8(data) else { return false };
    if offer.len() > MAX_OFFER || offer.lines().count() > HASTY.max_offer_lines {
        return false;
    }
    WORLD.with_borrow_mut(|world| {
        let answered = world.try_answer(offer);
        let is_answered = answered.is_ok();
        match answered {
            Ok(answered) => {
                let candidates = answered.sdp.lines().filter(|line| line.starts_with("a=candidate:"));
                assert_eq!(candidates.count(), 1, "{}", answered.sdp);
                assert!(answered.sdp.contains("a=setup:active"), "{}", answered.sdp);
                assert!(attribute(&answered.sdp, "ice-pwd").len() >= 22, "{}", answered.sdp);
                world.run(HASTY.check_timeout + 2 * MS);
                assert!(world.from_server.is_empty(), "the server contacts {:?}", world.from_server);
            }
            Err(AnswerError::Internal(why)) => panic!("{why}"),
            Err(_) => {}
        }
        assert_eq!(world.residue(), 0);
        is_answered
    })
}

/// Bits of the first byte of [`first_stun`]'s input.
pub(crate) mod first_stun {
    /// The rest is a whole datagram, else it is attributes.
    pub(crate) const RAW: u8 = 1;
    /// USERNAME comes first and names the session.
    pub(crate) const NAMED: u8 = 2;
    /// MESSAGE-INTEGRITY comes behind, by the session's password.
    pub(crate) const SIGNED: u8 = 4;
    /// FINGERPRINT ends it.
    pub(crate) const FINGERPRINT: u8 = 8;
    /// It comes twice.
    pub(crate) const AGAIN: u8 = 16;
}

/// The first datagram of an unknown address, to a session that waits for its peer. It finds the session only by its
/// fragment, draws nothing unless it is signed with its password, and then three times its length at most. Returns how
/// many bytes it draws.
pub fn first_stun(data: &[u8]) -> usize {
    thread_local!(static WORLD: RefCell<World> = World::with_limits(MS, HASTY).into());
    let Some((&flags, rest)) = data.split_first() else { return 0 };
    WORLD.with_borrow_mut(|world| {
        let answer = world.answer(OFFER).sdp;
        let (ufrag, password) = (attribute(&answer, "ice-ufrag"), attribute(&answer, "ice-pwd"));
        let (bytes, is_signed) = compose(flags, rest, ufrag, password);
        let datagram = |bytes: &[u8]| Datagram {
            local: server_address().ip(),
            remote: stranger(),
            bytes: BytesMut::from(bytes),
        };
        let names_it = bytes.windows(ufrag.len() + 1).any(|name| name == format!("{ufrag}:").as_bytes());
        if let Some(stun) = Stun::parse(&bytes) {
            let _ = (stun.is_success(), stun.uses_candidate(), stun.transaction());
            assert!(names_it || stun.ufrag() != Some(ufrag));
        }
        assert!(names_it || world.registry.find(&datagram(&bytes)).is_none());

        let mut came = 0;
        for _ in 0..=usize::from(flags & first_stun::AGAIN != 0) {
            world.receive(stranger(), Received::Datagram(datagram(&bytes)));
            came += bytes.len();
        }
        let (end, mut went) = (world.now + HASTY.open_timeout + 2 * MS, 0);
        while world.now < end {
            for reply in world.flush() {
                assert_eq!(reply.remote, stranger());
                went += reply.bytes.len();
            }
            world.now += 10 * MS;
        }
        assert!(is_signed || went == 0, "{went} bytes for what nobody signed: {bytes:?}");
        assert!(went <= 3 * came, "{went} bytes for {came}: {bytes:?}");
        assert_eq!(world.residue(), 0);
        went
    })
}

fn compose(flags: u8, rest: &[u8], ufrag: &str, password: &str) -> (Vec<u8>, bool) {
    use first_stun::{NAMED, RAW, SIGNED};
    if flags & RAW != 0 {
        return (rest.to_vec(), false);
    }
    let mut message = crate::engine::stun::indication([7; 12]).to_vec();
    message[1] = 1;
    if flags & NAMED != 0 {
        let name = format!("{ufrag}:{}", attribute(OFFER, "ice-ufrag"));
        message.extend([0, 6, 0, u8::try_from(name.len()).unwrap()]);
        message.extend(name.bytes());
        message.resize(message.len().next_multiple_of(4), 0);
    }
    // Attributes as they come, with lengths that fit: those that do not are for raw datagrams.
    let mut rest = &rest[..rest.len().min(1200)];
    while let Some((&[t0, t1, _, length], behind)) = rest.split_first_chunk() {
        let (value, behind) = behind.split_at(usize::from(length).min(behind.len()));
        message.extend([t0, t1, 0, u8::try_from(value.len()).unwrap()]);
        message.extend(value);
        message.resize(message.len().next_multiple_of(4), 0);
        rest = &behind[behind.len().min(value.len().next_multiple_of(4) - value.len())..];
    }
    let length = u16::try_from(message.len() - 20).unwrap();
    message[2..4].copy_from_slice(&length.to_be_bytes());
    let mut built = StunMessage { raw: message.clone(), ..StunMessage::default() };
    // What the protocol core cannot read either goes out as it is.
    if built.decode().is_err() {
        return (message, false);
    }
    let is_signed = flags & SIGNED != 0 && integrity(password).add_to(&mut built).is_ok();
    if flags & first_stun::FINGERPRINT != 0 {
        let _ = FINGERPRINT.add_to(&mut built);
    }
    (built.raw, is_signed)
}

/// Two connections, and what an eavesdropper has of them.
struct Live {
    world: World,
    peers: [(SocketAddr, Session, crate::channel::Channel); 2],
    overheard: Vec<BytesMut>,
    residue: usize,
    said: u32,
}

impl Live {
    fn start() -> Self {
        let mut world = World::new(MS);
        let mut overheard = Vec::new();
        let mut connect = |world: &mut World, number| {
            let address = world.begin(number, "x");
            let opened = world.run_until(5 * SECOND, |world| {
                for datagram in world.in_flight.values() {
                    if let InFlight::ToServer(_, bytes) = datagram {
                        overheard.push(bytes.clone());
                    }
                }
                !world.sessions.is_empty() && world.offerer(address).is_open()
            });
            assert!(opened);
            let session = world.sessions.remove(0);
            let channel = session.accept_channel().now_or_never().unwrap().unwrap();
            (address, session, channel)
        };
        let peers = [connect(&mut world, 0), connect(&mut world, 1)];
        overheard.dedup();
        world.run(SECOND);
        let residue = world.residue();
        Self { world, peers, overheard, residue, said: 0 }
    }

    /// Both peers say something, and are heard.
    fn talk(&mut self) {
        self.said += 1;
        let now = self.world.now;
        let said = Message::Text(self.said.to_string());
        for (address, ..) in &self.peers {
            self.world.offerer(*address).send(now, said.clone());
        }
        let channels = self.peers.each_mut().map(|(.., channel)| channel);
        for channel in channels {
            let mut heard = None;
            self.world.run_until(5 * SECOND, |_| {
                heard = heard.take().or_else(|| channel.next().now_or_never());
                heard.is_some()
            });
            assert_eq!(heard, Some(Some(said.clone())));
        }
    }
}

/// Datagrams and ICMP errors at a port with two live connections, from their peers' addresses and from a stranger's:
/// new ones, and overheard ones whole, cut off or changed. The connections go on.
///
/// Each takes four bytes of the input, and as many as the last of them says:
/// the source, what is sent again (or nothing, if there is no such datagram), where it is changed or cut, the number.
pub fn datagrams(data: &[u8]) {
    thread_local!(static LIVE: RefCell<Live> = Live::start().into());
    LIVE.with_borrow_mut(|live| {
        let (mut came, mut rest) = (0, data);
        let before = live.world.from_server.len();
        while let Some((&[source, again, place, length], behind)) = rest.split_first_chunk() {
            let (bytes, behind) = behind.split_at(usize::from(length).min(behind.len()));
            rest = behind;
            let remote = match source % 4 {
                number @ 0..=1 => live.peers[usize::from(number)].0,
                _ => stranger(),
            };
            if source & 0x80 != 0 {
                live.world.unreachable(remote);
                continue;
            }
            let mut datagram = live.overheard.get(usize::from(again)).cloned().unwrap_or_default();
            if source & 0x40 != 0 {
                datagram.truncate(usize::from(place));
            }
            datagram.resize(datagram.len().max(bytes.len()), 0);
            let start = usize::from(place).min(datagram.len() - bytes.len());
            for (old, new) in datagram[start..].iter_mut().zip(bytes) {
                *old ^= new;
            }
            came += usize::from(remote == stranger());
            live.world.deliver(remote, datagram);
        }
        live.world.run(2 * MS);
        live.talk();
        let to_stranger = live.world.from_server[before..].iter().filter(|to| **to == stranger()).count();
        // To each check that is sent again, a reply and a check.
        assert!(to_stranger <= 2 * came, "{to_stranger} datagrams for {came}");
        live.world.from_server.clear();
        // Until all is acknowledged. What stays is the stranger's path at each session.
        live.world.run(300 * MS);
        assert!(live.world.residue() <= live.residue + 4, "{} {}", live.world.residue(), live.residue);
    });
}
