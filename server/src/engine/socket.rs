//! The UDP port, bound once for each worker.

use std::{
    io,
    net::{SocketAddr, UdpSocket as StdUdpSocket},
};

use socket2::{Domain, Protocol, SockRef, Socket as RawSocket, Type};

use super::port::Port;

/// The kernel's buffers: a burst of a few thousand datagrams while the engine is busy elsewhere.
const KERNEL_BUFFER: usize = 4 * 1024 * 1024;

/// Whether the kernel spreads the peers over sockets that share a port.
const CAN_SHARE: bool = cfg!(any(target_os = "android", target_os = "linux"));

/// A bound port, not yet watched by a runtime.
pub(crate) struct Socket {
    socket: StdUdpSocket,
}

impl Socket {
    /// Binds an address as many times as told. The kernel spreads the peers over the sockets; where it cannot, there
    /// is one socket. An unspecified IPv6 address takes IPv4 as well.
    pub(crate) fn bind(address: SocketAddr, number: usize) -> io::Result<(SocketAddr, Vec<Self>)> {
        // Without sharing, so that a port that another program has is not taken from it.
        let first = Self::open(address)?;
        first.bind(&address.into())?;
        let first = StdUdpSocket::from(first);
        let bound = first.local_addr()?;
        let mut sockets = vec![Self { socket: first }];
        if CAN_SHARE && number > 1 {
            SockRef::from(&sockets[0].socket).set_reuse_port(true)?;
            for _ in 1..number {
                let socket = Self::open(bound)?;
                socket.set_reuse_port(true)?;
                socket.bind(&bound.into())?;
                sockets.push(Self { socket: socket.into() });
            }
        }
        Ok((bound, sockets))
    }

    fn open(address: SocketAddr) -> io::Result<RawSocket> {
        let socket = RawSocket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(false)?;
        }
        socket.set_nonblocking(true)?;
        // The kernel grants what its limits allow.
        let _ = socket.set_recv_buffer_size(KERNEL_BUFFER);
        let _ = socket.set_send_buffer_size(KERNEL_BUFFER);
        Ok(socket)
    }

    /// Lets the current runtime watch the socket.
    pub(super) fn watch(self) -> io::Result<Port> {
        Port::new(self.socket)
    }
}
