//! One peer, and its channels' work by their labels (README.md).

use std::{
    collections::{HashMap, VecDeque},
    net::UdpSocket,
    time::Instant,
};

use str0m::{
    Event, IceConnectionState, Input, Output, Rtc,
    channel::{ChannelData, ChannelId},
};

/// When there is to be more to send.
const LOW: usize = crate::HIGH / 2;

pub struct Peer {
    rtc: Rtc,
    pub due: Instant,
    works: HashMap<ChannelId, Work>,
}

#[derive(Default)]
struct Work {
    label: String,
    received: usize,
    /// What str0m did not take yet; the flag says whether it is binary.
    waiting: VecDeque<(bool, Vec<u8>)>,
    /// What is still to be made: messages of a size, and how many.
    source: (usize, usize),
}

impl Peer {
    pub fn new(rtc: Rtc) -> Self {
        Self { rtc, due: Instant::now(), works: HashMap::new() }
    }

    pub fn accepts(&self, input: &Input) -> bool {
        self.rtc.accepts(input)
    }

    pub fn handle(&mut self, input: Input) {
        if let Err(error) = self.rtc.handle_input(input) {
            eprintln!("a peer ends: {error}");
            self.rtc.disconnect();
        }
    }

    /// Lets it do what is due after a datagram. Its ICE agent answers a check at one turn and sends its own at the next, for which
    /// it would wait 50 ms.
    pub fn advance(&mut self) {
        let now = Instant::now();
        if !self.rtc.is_connected() {
            self.handle(Input::Timeout(now));
        }
        self.handle(Input::Timeout(now));
    }

    /// Sends what there is to send. `false` once the peer has ended.
    pub fn poll(&mut self, socket: &UdpSocket) -> bool {
        while self.rtc.is_alive() {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(due)) => {
                    self.due = due;
                    return true;
                }
                Ok(Output::Transmit(transmit)) => {
                    // What the kernel does not take is lost like any datagram.
                    let _ = socket.send_to(&transmit.contents, transmit.destination);
                }
                Ok(Output::Event(event)) => self.attend(event),
                Err(error) => {
                    eprintln!("a peer ends: {error}");
                    self.rtc.disconnect();
                }
            }
        }
        false
    }

    fn attend(&mut self, event: Event) {
        match event {
            Event::ChannelOpen(id, label) => {
                if let Some(mut channel) = self.rtc.channel(id) {
                    channel.set_buffered_amount_low_threshold(LOW);
                }
                self.works.insert(id, Work { label, ..Work::default() });
            }
            Event::ChannelData(data) => {
                if let Some(work) = self.works.get_mut(&data.id) {
                    let id = data.id;
                    work.take(data);
                    work.send(&mut self.rtc, id);
                }
            }
            Event::ChannelBufferedAmountLow(id) => {
                if let Some(work) = self.works.get_mut(&id) {
                    work.send(&mut self.rtc, id);
                }
            }
            Event::ChannelClose(_) | Event::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                self.rtc.disconnect();
            }
            _ => {}
        }
    }
}

impl Work {
    fn take(&mut self, ChannelData { binary, data, .. }: ChannelData) {
        match (&*self.label, binary) {
            ("sink", true) => self.received += data.len(),
            ("sink", false) => self.waiting.push_back((false, self.received.to_string().into_bytes())),
            ("source", _) => {
                let text = String::from_utf8_lossy(&data);
                let mut numbers = text.split(' ').filter_map(|number| number.parse().ok());
                let (size, count) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
                self.source = (size, self.source.1 + count);
            }
            _ => self.waiting.push_back((binary, data)),
        }
    }

    /// Writes until str0m takes no more; it then tells when there is room.
    fn send(&mut self, rtc: &mut Rtc, id: ChannelId) {
        let Some(mut channel) = rtc.channel(id) else { return };
        while let Some((binary, data)) = self.waiting.front() {
            if !channel.write(*binary, data).unwrap_or(false) {
                return;
            }
            self.waiting.pop_front();
        }
        let message = vec![1; self.source.0];
        while self.source.1 > 0 && channel.write(true, &message).unwrap_or(false) {
            self.source.1 -= 1;
        }
    }
}
