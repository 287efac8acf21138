//! Several workers behind one port.

use std::{collections::HashSet, net::SocketAddr, num::NonZeroUsize};

use futures_util::future::join_all;
use hola_webrtc_offerer::connect;
use hola_webrtc_server::{RtcServer, echo};
use tokio::runtime::Handle;

use crate::{Stand, soon};

const WORKERS: NonZeroUsize = NonZeroUsize::new(4).unwrap();

fn engine() -> RtcServer {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    RtcServer::builder().listen(listen).workers(WORKERS).start().unwrap()
}

#[tokio::test]
async fn sessions_spread_over_the_workers_and_each_is_echoed() {
    const CLIENTS: usize = 40;
    let stand = Stand::of(engine()).await;
    let server = stand.server.clone();
    let (sender, mut runtimes) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(session) = server.accept().await {
            let sender = sender.clone();
            session.spawner().spawn(async move {
                let _ = sender.send(Handle::current().id());
                while let Some(channel) = session.accept_channel().await {
                    let _ = echo::echo(channel).await;
                }
            });
        }
    });
    let talk = async |number: usize| {
        let (_connection, line) = connect(&stand.url).await.unwrap();
        for turn in 0..20 {
            line.send(format!("{number} {turn}")).await.unwrap();
            assert_eq!(line.receive().await, Some(format!("{number} {turn}").into()));
        }
    };
    soon(join_all((0..CLIENTS).map(talk))).await;
    let mut used = HashSet::new();
    for _ in 0..CLIENTS {
        used.insert(soon(runtimes.recv()).await.unwrap());
    }
    assert!(used.len() > 1, "the kernel gives every client to the same worker");
}

#[tokio::test]
async fn a_port_that_another_program_has_is_not_shared_with_it() {
    let first = engine();
    let second = RtcServer::builder().listen(first.local_addr()).workers(WORKERS).start();
    assert_eq!(second.unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
}
