//! A bad network in user space: datagrams between clients and one server, each delayed by the same time, no faster than a
//! wire brings them, and some of them lost, always the same ones by the order in which they come. It needs no rights and no
//! module of the kernel.

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    os::fd::AsFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use nix::{
    poll::{PollFd, PollFlags, ppoll},
    sys::socket::{
        setsockopt,
        sockopt::{RcvBuf, SndBuf},
    },
};

/// How often a link looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(100);

/// What the wire brings each way: a gigabit per second. Without a bound, what is sent in a round trip would come all at once,
/// and most of it be lost in a receiver's socket, as over no real network.
const BYTES_PER_SECOND: f64 = 125e6;

/// What the losses begin with.
const SEED: u64 = 1;

/// Larger than any datagram.
const DATAGRAM: usize = 65_536;

/// What the kernel may keep for a socket of a link, where nothing is to be lost but by the dice.
const KERNEL_BUFFER: usize = 4 * 1024 * 1024;

/// What a link does to datagrams.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weather {
    /// How long each is on its way.
    pub(crate) delay: Duration,
    /// How many of a thousand are lost.
    pub(crate) loss: u64,
}

/// A running link. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Link {
    /// Where clients reach the server now.
    pub(crate) address: SocketAddr,
    ended: Arc<AtomicBool>,
}

impl Link {
    /// Leads to the server from a free port of the same address.
    pub(crate) fn to(server: SocketAddr, weather: Weather) -> Result<Self> {
        let front = socket(server.ip())?;
        let address = front.local_addr()?;
        let ended = Arc::new(AtomicBool::new(false));
        let mover = Mover {
            server,
            weather,
            sockets: vec![front],
            clients: Vec::new(),
            ways: Default::default(),
            dice: Dice(SEED),
        };
        let until = ended.clone();
        thread::spawn(move || mover.run(&until));
        Ok(Self { address, ended })
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

struct Mover {
    server: SocketAddr,
    weather: Weather,
    /// The first is what clients send to. The others stand for one client each towards the server.
    sockets: Vec<UdpSocket>,
    clients: Vec<SocketAddr>,
    /// To the server, and from it.
    ways: [Way; 2],
    dice: Dice,
}

/// One direction.
#[derive(Default)]
struct Way {
    /// When the wire has brought what was sent so far.
    free: Option<Instant>,
    /// What is due, in order: through which socket, to whom.
    queue: VecDeque<(Instant, usize, SocketAddr, Vec<u8>)>,
}

impl Way {
    fn take(&mut self, delay: Duration, through: usize, to: SocketAddr, datagram: &[u8]) {
        let now = Instant::now();
        #[expect(clippy::cast_precision_loss, reason = "a datagram's length")]
        let wire = Duration::from_secs_f64(datagram.len() as f64 / BYTES_PER_SECOND);
        let free = self.free.unwrap_or(now).max(now) + wire;
        self.free = Some(free);
        self.queue.push_back((free + delay, through, to, datagram.to_vec()));
    }
}

impl Mover {
    fn run(mut self, ended: &AtomicBool) {
        let mut buffer = vec![0; DATAGRAM];
        while !ended.load(Ordering::Relaxed) {
            self.wait();
            for index in 0..self.sockets.len() {
                while let Ok((length, source)) = self.sockets[index].recv_from(&mut buffer) {
                    self.take(index, source, &buffer[..length]);
                }
            }
            self.deliver();
        }
    }

    /// Until there is something to read, or something is due.
    fn wait(&self) {
        let next = self.ways.iter().filter_map(|way| way.queue.front()).map(|(due, ..)| *due).min();
        let due = next.map(|due| due.saturating_duration_since(Instant::now()));
        let mut readable: Vec<PollFd<'_>> =
            self.sockets.iter().map(|socket| PollFd::new(socket.as_fd(), PollFlags::POLLIN)).collect();
        // A signal only means one more turn.
        let _ = ppoll(&mut readable, Some(due.unwrap_or(LOOK).min(LOOK).into()), None);
    }

    fn take(&mut self, index: usize, source: SocketAddr, datagram: &[u8]) {
        if self.dice.roll(1000) < self.weather.loss {
            return;
        }
        let (through, to) = match index {
            0 => match self.stand_in(source) {
                Some(through) => (through, self.server),
                None => return,
            },
            _ => (0, self.clients[index - 1]),
        };
        self.ways[usize::from(index > 0)].take(self.weather.delay, through, to, datagram);
    }

    /// The socket that stands for a client.
    fn stand_in(&mut self, client: SocketAddr) -> Option<usize> {
        let known = self.clients.iter().position(|known| *known == client);
        if let Some(position) = known {
            return Some(position + 1);
        }
        self.sockets.push(socket(Ipv4Addr::UNSPECIFIED.into()).ok()?);
        self.clients.push(client);
        Some(self.clients.len())
    }

    fn deliver(&mut self) {
        let now = Instant::now();
        for way in &mut self.ways {
            while let Some((_, through, to, datagram)) = way.queue.pop_front_if(|(due, ..)| *due <= now) {
                // What the kernel does not take is lost like any datagram.
                let _ = self.sockets[through].send_to(&datagram, to);
            }
        }
    }
}

fn socket(ip: IpAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((ip, 0))?;
    socket.set_nonblocking(true)?;
    // The kernel grants what its limits allow.
    let _ = setsockopt(&socket, RcvBuf, &KERNEL_BUFFER);
    let _ = setsockopt(&socket, SndBuf, &KERNEL_BUFFER);
    Ok(socket)
}

/// Numbers that look random and are always the same ([SplitMix64](https://doi.org/10.1145/2660193.2660195)).
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    /// A number below this one.
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client that has sent so many datagrams through the link to a server; the numbers of those that came.
    fn sent_through(weather: Weather, count: u8) -> (Vec<u8>, Duration) {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        server.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        let link = Link::to(server.local_addr().unwrap(), weather).unwrap();
        let begun = Instant::now();
        let mut buffer = [0; 8];
        let mut came = Vec::new();
        for number in 0..count {
            client.send_to(&[number], link.address).unwrap();
        }
        while let Ok((_, source)) = server.recv_from(&mut buffer) {
            came.push(buffer[0]);
            server.send_to(&buffer[..1], source).unwrap();
            if came.len() == usize::from(count) {
                break;
            }
        }
        if weather.loss == 0 {
            client.recv_from(&mut buffer).unwrap();
        }
        (came, begun.elapsed())
    }

    #[test]
    fn datagrams_come_in_order_and_not_before_their_time() {
        let weather = Weather { delay: Duration::from_millis(20), loss: 0 };
        let (came, took) = sent_through(weather, 50);
        assert_eq!(came, (0..50).collect::<Vec<_>>());
        assert!(took >= Duration::from_millis(40), "{took:?}");
    }

    #[test]
    fn a_share_of_the_datagrams_is_lost() {
        let (came, _) = sent_through(Weather { loss: 500, ..Weather::default() }, 200);
        assert!((50..150).contains(&came.len()), "{}", came.len());
        assert!(came.is_sorted());
    }

    #[test]
    fn the_dice_fall_the_same_way_each_time_and_evenly() {
        let rolls = |seed| {
            let mut dice = Dice(seed);
            std::iter::repeat_with(move || dice.roll(1000)).take(10_000).collect::<Vec<_>>()
        };
        assert_eq!(rolls(1), rolls(1));
        assert_ne!(rolls(1), rolls(2));
        let below = rolls(1).into_iter().filter(|roll| *roll < 100).count();
        assert!((900..1100).contains(&below), "{below}");
    }
}
