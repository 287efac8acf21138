//! A UDP socket: datagrams in and out in batches.

use std::{
    cell::RefCell,
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr},
};

use bytes::BytesMut;
use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{io::Interest, net::UdpSocket};

/// How many batches of datagrams one system call reads.
const BATCHES: usize = 16;

/// How large a batch of one peer's datagrams may be (GRO).
const BATCH: usize = 65_536;

/// How many bytes go to the kernel in one call; a UDP payload's limit.
const MAX_RUN: usize = 65_000;

/// What the kernel may keep for a socket that is shared by many, and for one connection's: as much as its receive window lets
/// come at once. What the kernel has no room for is lost, and comes again after SCTP's second.
const KERNEL_BUFFER: usize = 8 * 1024 * 1024;
const OWN_KERNEL_BUFFER: usize = 1024 * 1024;

thread_local! {
    /// What is read goes through here: a buffer per socket would be the most that a connection costs.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; BATCHES * BATCH]);
    /// What is sent in one call is joined here.
    static RUN: RefCell<Vec<u8>> = RefCell::new(Vec::with_capacity(MAX_RUN));
}

#[derive(Debug)]
pub(crate) struct Port {
    io: UdpSocket,
    state: UdpSocketState,
}

impl Port {
    /// Binds a free port of every address of the family.
    pub(crate) fn bind(family: IpAddr, is_shared: bool) -> io::Result<Self> {
        let any = SocketAddr::new(if family.is_ipv4() { [0; 4].into() } else { [0_u16; 8].into() }, 0);
        let socket = Socket::new(Domain::for_address(any), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        let buffer = if is_shared { KERNEL_BUFFER } else { OWN_KERNEL_BUFFER };
        // The kernel grants what its limits allow.
        let _ = socket.set_recv_buffer_size(buffer);
        let _ = socket.set_send_buffer_size(buffer);
        socket.bind(&any.into())?;
        let io = UdpSocket::from_std(socket.into())?;
        let state = UdpSocketState::new(UdpSockRef::from(&io))?;
        Ok(Self { io, state })
    }

    pub(crate) fn number(&self) -> io::Result<u16> {
        Ok(self.io.local_addr()?.port())
    }

    pub(crate) async fn readable(&self) {
        // An error shows in the read that follows.
        let _ = self.io.readable().await;
    }

    pub(crate) async fn writable(&self) {
        let _ = self.io.writable().await;
    }

    /// Reads one batch: the local address, the remote one, the datagram. `false` if nothing is left to read.
    pub(crate) fn receive(&self, mut sink: impl FnMut(Option<IpAddr>, SocketAddr, &[u8])) -> bool {
        BUFFER.with_borrow_mut(|buffer| {
            let mut metas = [RecvMeta::default(); BATCHES];
            let mut chunks = buffer.chunks_exact_mut(BATCH);
            let mut slices: [IoSliceMut<'_>; BATCHES] =
                std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
            let read = || self.state.recv(UdpSockRef::from(&self.io), &mut slices, &mut metas);
            match self.io.try_io(Interest::READABLE, read) {
                Ok(batches) => {
                    for (meta, slice) in metas.iter().zip(&slices).take(batches) {
                        for datagram in slice[..meta.len].chunks(meta.stride.max(1)) {
                            sink(meta.dst_ip.map(|ip| ip.to_canonical()), meta.addr, datagram);
                        }
                    }
                    true
                }
                // A pending ICMP error comes out once, instead of a datagram.
                Err(error) => error.kind() != io::ErrorKind::WouldBlock,
            }
        })
    }

    /// Sends as many datagrams to one peer as the kernel takes now, and says how many. One that it refuses is
    /// gone.
    pub(crate) fn send(&self, from: Option<IpAddr>, to: SocketAddr, datagrams: &[BytesMut]) -> usize {
        let mut sent = 0;
        while let Some(first) = datagrams.get(sent) {
            let run = &datagrams[sent..][..run_length(&datagrams[sent..], self.state.max_gso_segments())];
            let segment = (run.len() > 1).then_some(first.len());
            let done = if run.len() == 1 {
                self.try_send(from, to, first, segment)
            } else {
                RUN.with_borrow_mut(|joined| {
                    joined.clear();
                    for datagram in run {
                        joined.extend_from_slice(datagram);
                    }
                    self.try_send(from, to, joined, segment)
                })
            };
            if done.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
                break;
            }
            sent += run.len();
        }
        sent
    }

    fn try_send(
        &self,
        src_ip: Option<IpAddr>,
        destination: SocketAddr,
        contents: &[u8],
        segment_size: Option<usize>,
    ) -> io::Result<()> {
        let transmit = Transmit { destination, ecn: None, contents, segment_size, src_ip };
        let write = || self.state.try_send(UdpSockRef::from(&self.io), &transmit);
        self.io.try_io(Interest::WRITABLE, write)
    }
}

/// How many datagrams from the first on go in one call: of one size, only the last may be shorter.
fn run_length(datagrams: &[BytesMut], max_segments: usize) -> usize {
    let size = datagrams[0].len();
    let longest = max_segments.clamp(1, (MAX_RUN / size.max(1)).max(1));
    let mut length = 1;
    while length < longest
        && datagrams[length - 1].len() == size
        && datagrams.get(length).is_some_and(|next| next.len() <= size)
    {
        length += 1;
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_after_a_shorter_datagram_and_at_the_limits() {
        let length = |sizes: &[usize], max| {
            run_length(&sizes.iter().map(|size| BytesMut::zeroed(*size)).collect::<Vec<_>>(), max)
        };
        assert_eq!(length(&[9], 8), 1);
        assert_eq!(length(&[9, 9, 5, 5], 8), 3);
        assert_eq!(length(&[5, 9], 8), 1);
        assert_eq!(length(&[9, 9, 9], 2), 2);
        assert_eq!(length(&[30_000, 30_000, 30_000], 8), 2);
        assert_eq!(length(&[0, 0], 8), 2);
    }
}
