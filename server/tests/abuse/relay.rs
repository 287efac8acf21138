//! Between a client and the server: it passes everything on, remembers it, and can speak with the client's address.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{net::UdpSocket, task::JoinHandle};

/// How many datagrams are remembered.
const MEMORY: usize = 200;

pub(crate) struct Relay {
    front: SocketAddr,
    back: Arc<UdpSocket>,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
    task: JoinHandle<()>,
}

impl Relay {
    pub(crate) async fn start(server: SocketAddr) -> Self {
        let front = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let back = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        back.connect(server).await.unwrap();
        let address = front.local_addr().unwrap();
        let heard = Arc::<Mutex<Vec<Vec<u8>>>>::default();
        let (to_server, memory) = (back.clone(), heard.clone());
        let task = tokio::spawn(async move {
            let (mut up, mut down) = ([0; 2048], [0; 2048]);
            let mut client = None;
            loop {
                tokio::select! {
                    Ok((length, from)) = front.recv_from(&mut up) => {
                        client = Some(from);
                        remember(&memory, &up[..length]);
                        let _ = to_server.send(&up[..length]).await;
                    }
                    Ok(length) = to_server.recv(&mut down) => {
                        if let Some(client) = client {
                            let _ = front.send_to(&down[..length], client).await;
                        }
                    }
                }
            }
        });
        Self { front: address, back, heard, task }
    }

    /// The answer with the relay as its one candidate.
    pub(crate) fn stand_in_for_the_server(&self, answer: &str) -> String {
        let is_other = |line: &&str| !line.starts_with("a=candidate:") && !line.starts_with("a=end-of-c");
        let rest: String = answer.split_inclusive("\r\n").filter(is_other).collect();
        let (ip, port) = (self.front.ip(), self.front.port());
        format!("{rest}a=candidate:1 1 udp 2130706431 {ip} {port} typ host\r\na=end-of-candidates\r\n")
    }

    /// What the client has sent.
    pub(crate) fn heard(&self) -> Vec<Vec<u8>> {
        self.heard.lock().unwrap().clone()
    }

    /// Sends the server a datagram of the client's address.
    pub(crate) async fn forge(&self, datagram: &[u8]) {
        let _ = self.back.send(datagram).await;
    }
}

fn remember(memory: &Mutex<Vec<Vec<u8>>>, datagram: &[u8]) {
    let mut memory = memory.lock().unwrap();
    if memory.len() < MEMORY {
        memory.push(datagram.to_vec());
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}
