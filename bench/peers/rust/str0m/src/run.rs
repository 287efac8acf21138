//! The loop: datagrams in, datagrams out, timers.

use std::{
    collections::{BTreeSet, HashMap},
    io::ErrorKind,
    net::{SocketAddr, UdpSocket},
    sync::mpsc::Receiver,
    time::{Duration, Instant},
};

use str0m::{
    Input, Rtc,
    net::{Protocol, Receive},
};

use crate::peer::Peer;

/// How long the loop waits for datagrams at most.
const PATIENCE: Duration = Duration::from_millis(100);

/// Larger than any datagram of WebRTC.
const DATAGRAM: usize = 2000;

/// The first byte of STUN is less (RFC 7983).
const STUN_END: u8 = 4;

#[derive(Default)]
struct Peers {
    all: HashMap<u64, Peer>,
    by_source: HashMap<SocketAddr, u64>,
    due: BTreeSet<(Instant, u64)>,
    next: u64,
}

pub fn run(socket: &UdpSocket, address: SocketAddr, arriving: &Receiver<Rtc>) {
    let mut peers = Peers::default();
    let mut buffer = vec![0; DATAGRAM];
    loop {
        let now = Instant::now();
        while let Some(&(due, id)) = peers.due.first().filter(|(due, _)| *due <= now) {
            peers.due.remove(&(due, id));
            peers.with(id, socket, |peer| peer.handle(Input::Timeout(now)));
        }
        let wait = peers.due.first().map_or(PATIENCE, |(due, _)| due.saturating_duration_since(now));
        // Zero would mean for ever.
        let wait = wait.clamp(Duration::from_millis(1), PATIENCE);
        if socket.set_read_timeout(Some(wait)).is_err() {
            return;
        }
        let received = socket.recv_from(&mut buffer);
        // A peer's first check may come before its place in the loop.
        while let Ok(rtc) = arriving.try_recv() {
            peers.add(rtc, socket);
        }
        let (length, source) = match received {
            Ok(received) => received,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
            // What ICMP told of a peer that is gone.
            Err(_) => continue,
        };
        let Ok(contents) = buffer[..length].try_into() else { continue };
        let receive = Receive { proto: Protocol::Udp, source, destination: address, contents };
        let input = Input::Receive(Instant::now(), receive);
        if let Some(id) = peers.of(source, &input, buffer[0] < STUN_END) {
            // The example moves the time forward after each datagram. What is due by then need not wait for the timer.
            peers.with(id, socket, |peer| {
                peer.handle(input);
                peer.advance();
            });
        }
    }
}

impl Peers {
    fn add(&mut self, rtc: Rtc, socket: &UdpSocket) {
        let id = self.next;
        self.next += 1;
        self.all.insert(id, Peer::new(rtc));
        self.with(id, socket, |_| ());
    }

    /// Whose datagram it is. `accepts` would refuse a ClientHello that comes before the answer to the peer's own check, and the
    /// offerer would wait 50 ms before it sent another. STUN tells who is meant, also from a port that is used again.
    fn of(&mut self, source: SocketAddr, input: &Input, is_stun: bool) -> Option<u64> {
        let known = self.by_source.get(&source).copied();
        let known = known.filter(|id| self.all.get(id).is_some_and(|peer| !is_stun || peer.accepts(input)));
        known.or_else(|| {
            let (id, _) = self.all.iter().find(|(_, peer)| peer.accepts(input))?;
            self.by_source.insert(source, *id);
            Some(*id)
        })
    }

    /// Does something with a peer, sends what comes of it, and remembers when it is due again.
    fn with(&mut self, id: u64, socket: &UdpSocket, act: impl FnOnce(&mut Peer)) {
        let Some(peer) = self.all.get_mut(&id) else { return };
        self.due.remove(&(peer.due, id));
        act(peer);
        if peer.poll(socket) {
            self.due.insert((peer.due, id));
        } else {
            self.all.remove(&id);
            self.by_source.retain(|_, of| *of != id);
        }
    }
}
