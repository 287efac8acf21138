//! Every seed, and some thousand mutations of each target's, always the same ones.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// What mutations are made of: a generator of numbers that is the same everywhere (Knuth's MMIX).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end.max(1)
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        start..start + self.below(length - start + 1).min(64)
    }
}

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target)
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = folder(target);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Changes a few places: a bit, a byte, a cut, a repetition, or a piece of another seed.
fn mutated(dice: &mut Dice, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[dice.below(seeds.len())].clone();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len());
        match dice.below(7) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << dice.below(8),
            1 if !bytes.is_empty() => bytes[at] = [0, 0xff, b'\r', b'\n', b' ', b'9', b':'][dice.below(7)],
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(dice.range(bytes.len()))),
            4 => {
                let piece = bytes[dice.range(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
            5 => {
                let other = &seeds[dice.below(seeds.len())];
                let piece = other[dice.range(other.len())].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => bytes.insert(at, u8::try_from(dice.below(256)).unwrap()),
        }
    }
    bytes
}

fn run<T>(target: &str, mutations: usize, entry: fn(&[u8]) -> T) {
    let seeds = seeds(target);
    assert!(!seeds.is_empty());
    for seed in &seeds {
        entry(seed);
    }
    let mut dice = Dice(1);
    for _ in 0..mutations {
        entry(&mutated(&mut dice, &seeds));
    }
}

#[test]
fn fragments_bear_mutation() {
    run("sdp_fragment", 20_000, super::sdp_fragment);
}

#[test]
fn framed_channels_bear_mutation() {
    run("framing", 20_000, super::framing);
}

#[test]
fn offers_bear_mutation() {
    run("offer", 5000, super::offer);
}

#[test]
fn first_datagrams_bear_mutation() {
    run("first_stun", 1000, super::first_stun);
}

/// What is found out about inputs that draw nothing is worth something only where others draw what they should.
#[test]
fn seeds_reach_what_they_are_there_for() {
    let seed = |target: &str, name: &str| fs::read(folder(target).join(name)).unwrap();
    for name in
        ["aiortc", "chromium", "chromium-bare", "chromium-snap", "firefox", "firefox-bare", "libdatachannel"]
    {
        assert!(super::offer(&seed("offer", name)), "{name}");
    }
    for (name, draws) in [
        ("chromium-signed", true),
        ("chromium-unsigned", false),
        ("chromium-raw", false),
        ("firefox-signed", true),
        ("firefox-unsigned", false),
        ("controlled", false),
        ("dtls", false),
    ] {
        let drawn = super::first_stun(&seed("first_stun", name));
        assert_eq!(drawn > 0, draws, "{name}");
    }
}

#[test]
fn live_connections_bear_mutated_datagrams() {
    run("datagrams", 2000, super::datagrams);
}
