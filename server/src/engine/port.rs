//! Datagrams in and out in batches, each with the local address it uses.

use std::{
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr, UdpSocket as StdUdpSocket},
};

use bytes::BytesMut;
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use tokio::{io::Interest, net::UdpSocket};
use tracing::debug;

use super::{Datagram, Received, errors};

/// A datagram that carries DTLS or STUN fits into an Ethernet frame.
const MAX_DATAGRAM: usize = 1500;

/// How many bytes go to the kernel in one call: a little less than a UDP payload may have.
const MAX_BATCH: usize = 65_000;

/// How many bytes come from the kernel in one slot at most: what a UDP payload may have.
const MAX_PAYLOAD: usize = 65_535;

/// How many batches of datagrams one read takes.
const SLOTS: usize = 8;

/// The port of a worker.
pub(super) struct Port {
    io: UdpSocket,
    state: UdpSocketState,
    address: SocketAddr,
    /// How many bytes a batch may have.
    slot: usize,
    /// As many slots as are read at once; empty until there is something to read.
    buffer: Vec<u8>,
    /// Datagrams of one size for one peer, joined for one system call (GSO).
    run: Vec<u8>,
}

impl Port {
    /// Lets the current runtime watch the socket.
    pub(super) fn new(socket: StdUdpSocket) -> io::Result<Self> {
        let address = socket.local_addr()?;
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        // Without reports of unreachable ports a killed peer is found by its silence only.
        if let Err(error) = state.enable_transport_errors(UdpSockRef::from(&socket)) {
            debug!("ICMP errors are not reported: {error}");
        }
        let slot = (state.gro_segments().max(1) * MAX_DATAGRAM).min(MAX_PAYLOAD);
        Ok(Self {
            io: UdpSocket::from_std(socket)?,
            state,
            address,
            slot,
            buffer: Vec::new(),
            run: Vec::new(),
        })
    }

    /// Gives back what it keeps for the next datagrams: half a megabyte, where the kernel joins those that come.
    pub(super) fn rest(&mut self) {
        (self.buffer, self.run) = (Vec::new(), Vec::new());
    }

    /// Waits for datagrams or ICMP errors.
    pub(super) async fn readable(&self) {
        // An error shows in the read that follows.
        let _ = self.io.ready(Interest::READABLE | Interest::ERROR).await;
    }

    /// Reads one batch. `false` if nothing is left to read.
    pub(super) fn receive(&mut self, mut sink: impl FnMut(Received)) -> bool {
        let _ = self.io.try_io(Interest::ERROR, || {
            self.read_errors(&mut sink);
            // Tells tokio that the queue is empty now.
            Err::<(), _>(io::ErrorKind::WouldBlock.into())
        });
        let Self { io, state, slot, buffer, .. } = self;
        let mut metas = [RecvMeta::default(); SLOTS];
        let mut batches = 0;
        let read = io.try_io(Interest::READABLE, || {
            if buffer.is_empty() {
                *buffer = vec![0; SLOTS * *slot];
            }
            let mut slots = buffer.chunks_exact_mut(*slot);
            let mut slices: [IoSliceMut<'_>; SLOTS] =
                std::array::from_fn(|_| IoSliceMut::new(slots.next().unwrap_or_default()));
            batches = state.recv(UdpSockRef::from(&*io), &mut slices, &mut metas)?;
            // Where there was room for more, nothing is left. To say so spares the call that would find it out; what
            // has come since wakes the worker again.
            if batches < SLOTS.min(BATCH_SIZE) { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        match read {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                // The socket hands out a pending ICMP error once instead of a datagram.
                self.read_errors(&mut sink);
                true
            }
            read => {
                for (meta, slice) in metas.iter().zip(buffer.chunks_exact(*slot)).take(batches) {
                    let local = meta.dst_ip.unwrap_or(self.address.ip()).to_canonical();
                    let remote = canonical(meta.addr);
                    for bytes in slice[..meta.len].chunks(meta.stride.max(1)) {
                        sink(Received::Datagram(Datagram { local, remote, bytes: BytesMut::from(bytes) }));
                    }
                }
                read.is_ok()
            }
        }
    }

    /// Sends datagrams in order, and waits where the kernel's buffer is full. Returns how many it could not send.
    pub(super) async fn send(&mut self, datagrams: &[Datagram], mut sink: impl FnMut(Received)) -> usize {
        let mut failed = 0;
        let mut rest = datagrams;
        while let Some((first, _)) = rest.split_first() {
            let (run, after) = rest.split_at(run_length(rest, self.state.max_gso_segments()));
            rest = after;
            let contents = if run.len() == 1 {
                &first.bytes[..]
            } else {
                self.run.clear();
                for datagram in run {
                    self.run.extend_from_slice(&datagram.bytes);
                }
                &self.run[..]
            };
            let transmit = Transmit {
                destination: self.native(first.remote),
                ecn: None,
                contents,
                segment_size: (run.len() > 1).then_some(first.bytes.len()),
                src_ip: self.address.ip().is_unspecified().then_some(first.local),
            };
            if let Err(error) = self.send_one(&transmit).await {
                self.read_errors(&mut sink);
                // It may have been an error of an earlier datagram: then this one still has to go.
                if let Err(error) = self.send_one(&transmit).await {
                    debug!("a datagram cannot be sent: {error}");
                    failed += run.len();
                }
                tracing::trace!("the socket had reported: {error}");
            }
        }
        failed
    }

    async fn send_one(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        loop {
            let attempt = || self.state.try_send(UdpSockRef::from(&self.io), transmit);
            match self.io.try_io(Interest::WRITABLE, attempt) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.io.writable().await?,
                done => return done,
            }
        }
    }

    fn read_errors(&self, sink: &mut impl FnMut(Received)) {
        errors::read(&self.io, |remote| sink(Received::Unreachable(canonical(remote))));
    }

    /// The address as the socket's family writes it.
    fn native(&self, remote: SocketAddr) -> SocketAddr {
        match remote.ip() {
            IpAddr::V4(ip) if self.address.is_ipv6() => (ip.to_ipv6_mapped(), remote.port()).into(),
            _ => remote,
        }
    }
}

/// How many datagrams from the first on go in one call: same path, same size, only the last may be shorter.
fn run_length(datagrams: &[Datagram], max_segments: usize) -> usize {
    let first = &datagrams[0];
    let mut total = first.bytes.len();
    let mut length = 1;
    for pair in datagrams.windows(2).take(max_segments.saturating_sub(1)) {
        let [previous, next] = pair else { break };
        let fits = next.remote == first.remote
            && next.local == first.local
            && previous.bytes.len() == first.bytes.len()
            && next.bytes.len() <= first.bytes.len()
            && total + next.bytes.len() <= MAX_BATCH;
        if !fits {
            break;
        }
        total += next.bytes.len();
        length += 1;
    }
    length
}

/// An IPv4 address as such, even if an IPv6 socket wraps it.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datagram(remote: u16, length: usize) -> Datagram {
        let remote = SocketAddr::from(([127, 0, 0, 1], remote));
        Datagram { local: [127, 0, 0, 1].into(), remote, bytes: BytesMut::zeroed(length) }
    }

    fn port(address: SocketAddr) -> io::Result<Port> {
        super::super::Socket::bind(address, 1)?.1.remove(0).watch()
    }

    #[test]
    fn a_run_ends_at_another_peer_after_a_shorter_datagram_and_at_the_limits() {
        let lengths = |lengths: &[(u16, usize)], max| {
            run_length(&lengths.iter().map(|&(port, len)| datagram(port, len)).collect::<Vec<_>>(), max)
        };
        assert_eq!(lengths(&[(1, 9)], 8), 1);
        assert_eq!(lengths(&[(1, 9), (1, 9), (2, 9)], 8), 2);
        assert_eq!(lengths(&[(1, 9), (1, 5), (1, 5)], 8), 2);
        assert_eq!(lengths(&[(1, 5), (1, 9)], 8), 1);
        assert_eq!(lengths(&[(1, 9), (1, 9), (1, 9)], 2), 2);
        assert_eq!(lengths(&[(1, 9), (1, 9)], 1), 1);
        assert_eq!(lengths(&[(1, 30_000), (1, 30_000), (1, 30_000)], 8), 2);
    }

    #[tokio::test]
    async fn datagrams_arrive_in_order_on_the_address_they_were_sent_to() {
        let mut port = port(([0; 8], 0).into()).unwrap();
        let server = SocketAddr::from(([127, 0, 0, 1], port.address.port()));
        let client = StdUdpSocket::bind("127.0.0.1:0").unwrap();
        for number in 0..100_u8 {
            client.send_to(&[number; 40], server).unwrap();
        }
        let mut received = Vec::new();
        let keep = |received: &mut Vec<Datagram>, found| match found {
            Received::Datagram(datagram) => received.push(datagram),
            Received::Unreachable(address) => panic!("{address}"),
        };
        while received.len() < 100 {
            port.readable().await;
            while port.receive(|found| keep(&mut received, found)) {}
        }
        assert!(received.iter().all(|datagram| datagram.local == server.ip()));
        assert!(received.iter().map(|datagram| datagram.bytes[0]).eq(0..100));

        port.send(&received, |_| {}).await;
        let mut buffer = [0; 64];
        for number in 0..100 {
            assert_eq!(client.recv_from(&mut buffer).unwrap(), (40, server));
            assert_eq!(buffer[0], number);
        }

        port.rest();
        assert_eq!((port.buffer.capacity(), port.run.capacity()), (0, 0));
        client.send_to(&[100; 40], server).unwrap();
        while received.len() < 101 {
            port.readable().await;
            port.receive(|found| keep(&mut received, found));
        }
        assert_eq!(received[100].bytes[..], [100; 40]);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_port_without_a_listener_is_reported_with_its_number() {
        for address in ["127.0.0.1:0", "[::1]:0", "[::]:0"] {
            let Ok(mut port) = port(address.parse().unwrap()) else {
                continue;
            };
            let local = if address.contains("::1") { "[::1]:0" } else { "127.0.0.1:0" };
            let closed = StdUdpSocket::bind(local).unwrap().local_addr().unwrap();
            let probe = Datagram { local: closed.ip(), remote: closed, bytes: BytesMut::zeroed(20) };
            let mut reported = None;
            while reported.is_none() {
                port.send(std::slice::from_ref(&probe), |_| {}).await;
                port.readable().await;
                port.receive(|found| {
                    if let Received::Unreachable(address) = found {
                        reported = Some(address);
                    }
                });
            }
            assert_eq!(reported, Some(closed));
        }
    }
}
