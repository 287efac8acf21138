//! Which of the incoming messages are echoes of ours.
//!
//! The channel is ordered, so echoes come back in the order in which the messages left: an incoming message that
//! equals the oldest one not yet echoed is its echo; every other one the server said of its own accord.

use std::collections::VecDeque;

/// Where an incoming message comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Origin {
    /// It is the echo of our own message.
    Echo {
        /// Milliseconds between sending and receiving.
        round_trip: f64,
    },
    /// The server said it of its own accord.
    Server,
}

/// Our messages whose echo has not come back yet.
#[derive(Debug, Default)]
pub struct Echoes {
    pending: VecDeque<(String, f64)>,
}

impl Echoes {
    /// Notes that we sent this, at this time in milliseconds.
    pub fn sent(&mut self, text: &str, at: f64) {
        self.pending.push_back((text.to_owned(), at));
    }

    /// Tells where this message, received at this time in milliseconds, comes from.
    pub fn received(&mut self, text: &str, at: f64) -> Origin {
        match self.pending.pop_front_if(|(sent, _)| sent == text) {
            Some((_, sent_at)) => Origin::Echo { round_trip: at - sent_at },
            None => Origin::Server,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn echoes_are_matched_in_order_with_their_own_round_trip() {
        let mut echoes = Echoes::default();
        echoes.sent("hola", 10.0);
        echoes.sent("hola", 11.0);
        assert_eq!(echoes.received("hola", 12.0), Origin::Echo { round_trip: 2.0 });
        assert_eq!(echoes.received("hola", 14.0), Origin::Echo { round_trip: 3.0 });
        assert_eq!(echoes.received("hola", 15.0), Origin::Server);
    }

    #[test]
    fn what_the_server_says_between_two_echoes_is_its_own() {
        let mut echoes = Echoes::default();
        echoes.sent("one", 0.0);
        echoes.sent("two", 0.0);
        assert_eq!(echoes.received("one", 1.0), Origin::Echo { round_trip: 1.0 });
        assert_eq!(echoes.received("I am still here", 1.5), Origin::Server);
        assert_eq!(echoes.received("two", 2.0), Origin::Echo { round_trip: 2.0 });
    }

    #[test]
    fn an_empty_message_has_an_echo_too() {
        let mut echoes = Echoes::default();
        assert_eq!(echoes.received("", 0.0), Origin::Server);
        echoes.sent("", 1.0);
        assert_eq!(echoes.received("", 1.25), Origin::Echo { round_trip: 0.25 });
    }
}
