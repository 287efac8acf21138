//! A box between an offerer and the server, as a NAT is one.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tokio::{net::UdpSocket, task::JoinHandle};

use crate::stand::LOCALHOST;

/// The first bytes of DTLS records are from this one on, those of STUN below (RFC 7983, 7).
const DTLS: u8 = 20;

/// The first byte of a DTLS handshake record (RFC 7983, 7 and RFC 6347, 4.1).
const HANDSHAKE: u8 = 22;

/// Where the type of a handshake message stands, in a record that is not encrypted.
const HANDSHAKE_TYPE: usize = 13;

const CLIENT_HELLO: u8 = 1;

/// Forwards datagrams between one offerer and the server. Its socket towards the server is connected, so that the
/// system drops whatever comes from another address than the one the offerer was told.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    client_hellos: Arc<AtomicUsize>,
    is_cut: Arc<AtomicBool>,
    loses_dtls: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Relay {
    /// A relay on the loopback that forwards to the server, from this address of the host.
    pub(crate) async fn between(from: IpAddr, server: SocketAddr) -> Self {
        let front = UdpSocket::bind((LOCALHOST, 0)).await.unwrap();
        let back = UdpSocket::bind((from, 0)).await.unwrap();
        back.connect(server).await.unwrap();
        let address = front.local_addr().unwrap();
        let client_hellos = Arc::new(AtomicUsize::new(0));
        let counter = client_hellos.clone();
        let is_cut = Arc::<AtomicBool>::default();
        let drops = is_cut.clone();
        let loses_dtls = Arc::<AtomicBool>::default();
        let loses = loses_dtls.clone();
        let task = tokio::spawn(async move {
            let (mut up, mut down) = ([0; 2048], [0; 2048]);
            let mut offerer = None;
            loop {
                tokio::select! {
                    Ok((length, from)) = front.recv_from(&mut up) => {
                        offerer = Some(from);
                        if up[0] >= DTLS && loses.load(Ordering::Relaxed) {
                            continue;
                        }
                        let _ = back.send(&up[..length]).await;
                    }
                    Ok(length) = back.recv(&mut down) => {
                        if drops.load(Ordering::Relaxed) || (down[0] >= DTLS && loses.load(Ordering::Relaxed)) {
                            continue;
                        }
                        if down[0] == HANDSHAKE && down[HANDSHAKE_TYPE] == CLIENT_HELLO {
                            counter.fetch_add(1, Ordering::Relaxed);
                        }
                        if let Some(offerer) = offerer {
                            let _ = front.send_to(&down[..length], offerer).await;
                        }
                    }
                }
            }
        });
        Self { address, client_hellos, is_cut, loses_dtls, task }
    }

    /// From now on nothing reaches the offerer any more.
    pub(crate) fn cut_down(&self) {
        self.is_cut.store(true, Ordering::Relaxed);
    }

    /// From now on nothing passes but STUN.
    pub(crate) fn lose_dtls(&self) {
        self.loses_dtls.store(true, Ordering::Relaxed);
    }

    /// How many records with a `ClientHello` the server has sent.
    pub(crate) fn client_hellos(&self) -> usize {
        self.client_hellos.load(Ordering::Relaxed)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}
