//! Tables give back the room of a wave once it is over.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash},
};

/// Below so many entries a table is not worth it.
const SMALL: usize = 256;

/// Halves a table's room where less than an eighth of it is used: seldom enough that entries which come and go do not
/// pay for it.
pub(super) fn shrink<K: Hash + Eq, V, S: BuildHasher>(table: &mut HashMap<K, V, S>) {
    if table.capacity() > SMALL && table.len() < table.capacity() / 8 {
        table.shrink_to(table.capacity() / 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_follows_a_wave_down_and_keeps_what_is_in_it() {
        let mut table: HashMap<u32, u32> = (0..10_000).map(|number| (number, number)).collect();
        let room = table.capacity();
        let mut shrunk = 0;
        for number in 10..10_000 {
            table.remove(&number);
            let before = table.capacity();
            shrink(&mut table);
            shrunk += usize::from(table.capacity() < before);
            assert!(table.len() <= table.capacity());
        }
        assert!(table.capacity() <= 2 * SMALL && shrunk < 10, "{room} to {} in {shrunk}", table.capacity());
        assert!((0..10).all(|number| table[&number] == number));
    }
}
