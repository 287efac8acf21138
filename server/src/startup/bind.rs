//! One port number for HTTPS (TCP) and for WebRTC (UDP).

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
};

use hola_webrtc_server::RtcServer;
use socket2::{Domain, Protocol as IpProtocol, Socket, Type};

/// How often a free port is sought whose number is free for both protocols.
const ATTEMPTS: usize = 16;

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;

/// Binds TCP at the address, then starts the engine on the same port of UDP. Port 0 stands for any that is free for both.
pub(crate) fn both(
    address: SocketAddr,
    start: impl Fn(SocketAddr) -> io::Result<RtcServer>,
) -> Result<(TcpListener, RtcServer), BindError> {
    let mut attempts = if address.port() == 0 { ATTEMPTS } else { 1 };
    loop {
        attempts -= 1;
        let listener = listen(address)?;
        let bound = listener.local_addr().map_err(|error| BindError::new(Protocol::Tcp, address, error))?;
        match start(bound) {
            Ok(server) => return Ok((listener, server)),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && attempts > 0 => {}
            Err(error) => return Err(BindError::new(Protocol::Udp, bound, error)),
        }
    }
}

/// Where IPv6 is switched off, `[::]` falls back to every address of IPv4.
fn listen(address: SocketAddr) -> Result<TcpListener, BindError> {
    let every_ipv4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()));
    listen_at(address)
        .or_else(|error| {
            let fall_back = address.is_ipv6() && address.ip().is_unspecified() && is_without_ipv6(&error);
            if fall_back { listen_at(every_ipv4) } else { Err(error) }
        })
        .map_err(|error| BindError::new(Protocol::Tcp, address, error))
}

fn listen_at(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(IpProtocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // A server that was just stopped leaves connections that would block its port for a minute.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn is_without_ipv6(error: &io::Error) -> bool {
    #[cfg(unix)]
    let unsupported = error.raw_os_error() == Some(nix::errno::Errno::EAFNOSUPPORT as i32);
    #[cfg(not(unix))]
    let unsupported = error.kind() == io::ErrorKind::Unsupported;
    unsupported || error.kind() == io::ErrorKind::AddrNotAvailable
}

/// What a port belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Tcp,
    Udp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        })
    }
}

/// Why the server cannot listen, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BindError {
    #[error(
        "{protocol} port {} is taken by another program: stop that one, or choose another port, as in --listen {}",
        address.port(), SocketAddr::new(address.ip(), next_port(address.port()))
    )]
    Taken { protocol: Protocol, address: SocketAddr },
    #[error(
        "{protocol} port {} needs a privilege, as ports below 1024 do: choose a higher one, as in --listen {}, or grant the \
         program CAP_NET_BIND_SERVICE",
        address.port(), SocketAddr::new(address.ip(), 8443)
    )]
    Privileged { protocol: Protocol, address: SocketAddr },
    #[error(
        "{} is no address of this host: listen on one that is, or on all of them with --listen [::]:{}",
        address.ip(), address.port()
    )]
    NotOurs { address: SocketAddr },
    #[error("{protocol} {address} cannot be listened on: {error}; choose another address with --listen")]
    Other { protocol: Protocol, address: SocketAddr, error: io::Error },
}

impl BindError {
    fn new(protocol: Protocol, address: SocketAddr, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::AddrInUse => Self::Taken { protocol, address },
            io::ErrorKind::PermissionDenied => Self::Privileged { protocol, address },
            io::ErrorKind::AddrNotAvailable => Self::NotOurs { address },
            _ => Self::Other { protocol, address, error },
        }
    }
}

const fn next_port(port: u16) -> u16 {
    if port == u16::MAX { 8443 } else { port + 1 }
}

#[cfg(test)]
mod tests {
    use std::{
        cell::Cell,
        net::{IpAddr, UdpSocket},
    };

    use super::*;

    fn message(kind: io::ErrorKind, address: &str) -> String {
        BindError::new(Protocol::Udp, address.parse().unwrap(), kind.into()).to_string()
    }

    #[test]
    fn every_fault_says_what_to_do() {
        assert_eq!(
            message(io::ErrorKind::AddrInUse, "[::]:8443"),
            "UDP port 8443 is taken by another program: stop that one, or choose another port, as in --listen [::]:8444"
        );
        assert_eq!(
            message(io::ErrorKind::PermissionDenied, "0.0.0.0:443"),
            "UDP port 443 needs a privilege, as ports below 1024 do: choose a higher one, as in --listen 0.0.0.0:8443, or \
             grant the program CAP_NET_BIND_SERVICE"
        );
        assert_eq!(
            message(io::ErrorKind::AddrNotAvailable, "192.0.2.1:8443"),
            "192.0.2.1 is no address of this host: listen on one that is, or on all of them with --listen [::]:8443"
        );
    }

    #[test]
    fn with_port_zero_another_port_is_tried_when_udp_clashes() {
        let calls = Cell::new(0);
        let (listener, _server) = both("127.0.0.1:0".parse().unwrap(), |address| {
            calls.set(calls.get() + 1);
            if calls.get() < 3 {
                return Err(io::ErrorKind::AddrInUse.into());
            }
            RtcServer::builder().listen(address).start()
        })
        .unwrap();
        assert_eq!(calls.get(), 3);
        assert_ne!(listener.local_addr().unwrap().port(), 0);
    }

    #[test]
    fn a_port_that_was_asked_for_is_tried_once() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let error = both(taken.local_addr().unwrap(), |_| unreachable!()).unwrap_err();
        assert!(matches!(error, BindError::Taken { protocol: Protocol::Tcp, .. }), "{error}");

        let free = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = both(free, |_| Err(io::ErrorKind::AddrInUse.into())).unwrap_err();
        assert!(matches!(error, BindError::Taken { protocol: Protocol::Udp, .. }), "{error}");
    }

    #[test]
    fn the_unspecified_address_of_ipv6_serves_ipv4_too() {
        let listener = listen("[::]:0".parse().unwrap()).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::net::TcpStream::connect((IpAddr::from([127, 0, 0, 1]), port)).unwrap();
    }
}
