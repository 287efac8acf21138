//! What was said over the channel.

use std::collections::VecDeque;

use crate::echo::{Echoes, Origin};

/// How many messages are kept; the oldest make room.
const CAPACITY: usize = 500;

/// Who said it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Author {
    /// The person at the page.
    Me,
    /// The server, repeating it.
    Echo {
        /// Milliseconds between sending and receiving.
        round_trip: f64,
    },
    /// The server, of its own accord.
    Server,
}

impl Author {
    /// The word for it in the `data-from` attribute.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Me => "me",
            Self::Echo { .. } => "echo",
            Self::Server => "server",
        }
    }
}

/// What was said: text, or a number of bytes that are none.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    Text(String),
    Binary(u32),
}

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Tells it from every other one in the log.
    pub id: u64,
    pub author: Author,
    pub content: Content,
}

/// The messages of one connection. Times are in milliseconds, on any one clock.
#[derive(Debug, Default)]
pub struct ChatLog {
    entries: VecDeque<Entry>,
    count: u64,
    echoes: Echoes,
}

impl ChatLog {
    /// The messages, the oldest first.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// How many messages there were in all.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Adds a text of ours that has just been sent.
    pub fn sent(&mut self, text: String, at: f64) {
        self.echoes.sent(&text, at);
        self.push(Author::Me, Content::Text(text));
    }

    /// Adds a text that has just come.
    pub fn received(&mut self, text: String, at: f64) {
        let author = match self.echoes.received(&text, at) {
            Origin::Echo { round_trip } => Author::Echo { round_trip },
            Origin::Server => Author::Server,
        };
        self.push(author, Content::Text(text));
    }

    /// Adds a message that is no text. The page sends none, so it is no echo.
    pub fn received_binary(&mut self, bytes: usize) {
        self.push(Author::Server, Content::Binary(u32::try_from(bytes).unwrap_or(u32::MAX)));
    }

    fn push(&mut self, author: Author, content: Content) {
        if self.entries.len() == CAPACITY {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry { id: self.count, author, content });
        self.count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greeting_message_and_echo_are_told_apart() {
        let mut log = ChatLog::default();
        log.received("Welcome".to_owned(), 0.0);
        log.sent("hola".to_owned(), 10.0);
        log.received("hola".to_owned(), 10.5);
        let authors: Vec<Author> = log.entries().map(|entry| entry.author).collect();
        assert_eq!(authors, [Author::Server, Author::Me, Author::Echo { round_trip: 0.5 }]);
    }

    #[test]
    fn the_oldest_messages_make_room_and_no_id_comes_twice() {
        let mut log = ChatLog::default();
        for _ in 0..CAPACITY + 2 {
            log.received_binary(3);
        }
        assert_eq!(log.entries().count(), CAPACITY);
        assert_eq!(log.entries().next().map(|entry| entry.id), Some(2));
        assert_eq!(log.count(), CAPACITY as u64 + 2);
    }
}
