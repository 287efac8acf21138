//! The socket's queue of ICMP errors, which tell of peers that are gone. Linux has one; elsewhere such peers
//! are found by their silence.

use std::net::SocketAddr;

use tokio::net::UdpSocket;

#[cfg(not(any(target_os = "android", target_os = "linux")))]
pub(super) fn read(_socket: &UdpSocket, _refused: impl FnMut(SocketAddr)) {}

/// Reports the addresses at which nobody listens, ports included: the errors carry the destination of the
/// datagram that drew them.
#[cfg(any(target_os = "android", target_os = "linux"))]
pub(super) fn read(socket: &UdpSocket, mut refused: impl FnMut(SocketAddr)) {
    use std::{io::IoSliceMut, os::fd::AsRawFd};

    use nix::{
        errno::Errno,
        sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg},
    };

    /// Whoever forges errors does not keep the engine from its work.
    const AT_ONCE: usize = 64;

    let mut control = nix::cmsg_space!([u8; 256]);
    let mut byte = [0];
    for _ in 0..AT_ONCE {
        let mut slices = [IoSliceMut::new(&mut byte)];
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        let message = recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut slices, Some(&mut control), flags);
        let Ok(message) = message else { break };
        let is_refusal = message.cmsgs().is_ok_and(|mut cmsgs| {
            cmsgs.any(|cmsg| match cmsg {
                ControlMessageOwned::Ipv4RecvErr(error, _) | ControlMessageOwned::Ipv6RecvErr(error, _) => {
                    error.ee_errno == Errno::ECONNREFUSED as u32
                }
                _ => false,
            })
        });
        if is_refusal && let Some(remote) = message.address.as_ref().and_then(socket_addr) {
            refused(remote);
        }
    }
}

#[cfg(any(target_os = "android", target_os = "linux"))]
fn socket_addr(address: &nix::sys::socket::SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| SocketAddr::from((v4.ip(), v4.port())));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| SocketAddr::from((v6.ip(), v6.port()))))
}
