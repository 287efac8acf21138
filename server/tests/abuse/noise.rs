//! Random, overheard and changed datagrams from several addresses, the client's own among them.

use std::time::Duration;

use tokio::net::UdpSocket;

use crate::site::{Site, resident_mb, within};

const DATAGRAMS: usize = 100_000;
const STRANGERS: usize = 5;
/// How many are sent before the server is waited for, so that the kernel drops none.
const BATCH: usize = 200;

/// A generator of numbers that is the same everywhere (Knuth's MMIX).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end.max(1)
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }

    /// A datagram: random, or one that was overheard, whole, cut off, or with a few bytes changed.
    fn datagram(&mut self, heard: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = heard[self.below(heard.len())].clone();
        match self.below(4) {
            0 => {
                let length = self.below(1400);
                bytes = (0..length).map(|_| self.byte()).collect();
            }
            1 => bytes.truncate(self.below(bytes.len())),
            2 => {
                for _ in 0..=self.below(3) {
                    let at = self.below(bytes.len());
                    bytes[at] ^= 1 << self.below(8);
                }
            }
            _ => {}
        }
        bytes
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_bad_datagrams_harm_nobody() {
    let site = Site::start(|_| {}).await;
    let (mut overheard, relay) = site.connect_overheard().await;
    let mut other = site.connect("echo").await;
    overheard.go_on(50).await;
    other.go_on(50).await;
    let heard = relay.heard();

    let mut strangers = Vec::new();
    for _ in 0..STRANGERS {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(site.server.local_addr()).await.unwrap();
        strangers.push(socket);
    }
    let mut dice = Dice(1);
    let (mut from_strangers, mut to_strangers) = (0, 0);
    let (begun, memory) = (site.datagrams_in(), resident_mb());
    for batch in 0..DATAGRAMS / BATCH {
        let before = site.datagrams_in();
        for number in 0..BATCH {
            let datagram = dice.datagram(&heard);
            match strangers.get(number % (STRANGERS + 1)) {
                Some(stranger) => {
                    from_strangers += datagram.len();
                    let _ = stranger.send(&datagram).await;
                }
                None => relay.forge(&datagram).await,
            }
        }
        // What the kernel drops nevertheless does not come.
        within(Duration::from_millis(500), || site.datagrams_in() >= before + BATCH as u64).await;
        let mut buffer = [0; 2048];
        for stranger in &strangers {
            while let Ok(length) = stranger.try_recv(&mut buffer) {
                to_strangers += length;
            }
        }
        if batch % 10 == 0 {
            overheard.go_on(5).await;
            other.go_on(5).await;
        }
    }
    let came = usize::try_from(site.datagrams_in() - begun).unwrap();
    assert!(came > DATAGRAMS * 9 / 10, "{came} datagrams came");
    assert!(to_strangers <= 3 * from_strangers, "{to_strangers} bytes for {from_strangers}");
    overheard.go_on(50).await;
    other.go_on(50).await;
    assert_eq!(site.server.session_count(), 2);
    let grown = resident_mb().saturating_sub(memory);
    assert!(grown < 16, "{grown} MB more");
    eprintln!("{came} came, {to_strangers} bytes drawn by {from_strangers}, {grown} MB more");
    site.server.shutdown().await;
}
