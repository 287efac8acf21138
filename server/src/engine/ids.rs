//! Tables by session.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use hola_webrtc_protocol::SessionId;

/// Each datagram looks its session up several times.
pub(super) type ById<T> = HashMap<SessionId, T, BuildHasherDefault<IdHasher>>;

/// Ids are drawn at random by this server, so they are their own hashes: nobody chooses some that collide.
#[derive(Default)]
pub(super) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for half in bytes.as_chunks().0 {
            self.0 ^= u64::from_ne_bytes(*half);
        }
    }

    /// All ids have the same length.
    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, BuildHasherDefault};

    use super::*;

    #[test]
    fn both_halves_of_an_id_count() {
        let hash = |bytes| BuildHasherDefault::<IdHasher>::default().hash_one(SessionId::from_bytes(bytes));
        let hashes = [0, 7, 8, 15].map(|at| {
            let mut bytes = [0; 16];
            bytes[at] = 1;
            hash(bytes)
        });
        assert!(hashes.iter().all(|one| *one != 0));
        assert_ne!(hashes[0], hashes[1]);
    }
}
