//! What holds of the tables and of the STUN parser whatever comes, in any order.

use std::collections::HashMap;

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{
    engine::{
        registry::{Place, Resident},
        routes::Path,
        stun::Stun,
    },
    limits::client_network as network,
};

const HEADER: usize = 20;
const USERNAME: u16 = 6;
const USE_CANDIDATE: u16 = 0x25;

fn message(kind: u16, attributes: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut message = crate::engine::stun::indication([9; 12]).to_vec();
    message[..2].copy_from_slice(&kind.to_be_bytes());
    for (kind, value) in attributes {
        message.extend(kind.to_be_bytes());
        message.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        message.extend(value);
        message.resize(message.len().next_multiple_of(4), 0xaa);
    }
    let length = u16::try_from(message.len() - HEADER).unwrap();
    message[2..4].copy_from_slice(&length.to_be_bytes());
    message
}

fn attributes() -> impl Strategy<Value = Vec<(u16, Vec<u8>)>> {
    let kind = prop_oneof![Just(USERNAME), Just(USE_CANDIDATE), any::<u16>()];
    let value =
        prop_oneof!["[a-zA-Z0-9+/]{0,20}:[a-z]{0,9}".prop_map(String::into_bytes), vec(any::<u8>(), 0..40)];
    vec((kind, value), 0..8)
}

fn session(world: &mut World) -> Arc<Resident> {
    let id = world.answer(fuzzing::OFFER).id;
    world.registry.resident(id).unwrap()
}

#[derive(Clone, Debug)]
enum Happening {
    Claim { session: usize, remote: u16, has_answered: bool },
    Heard { session: usize },
    Passes(u64),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        (0..3_usize, 0..3_u16, any::<bool>()).prop_map(|(session, remote, has_answered)| Happening::Claim {
            session,
            remote,
            has_answered
        }),
        (0..3_usize).prop_map(|session| Happening::Heard { session }),
        (0..3000_u64).prop_map(Happening::Passes),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn stun_is_read_as_it_was_written(kind: u16, attributes in attributes(), cut in 0..400_usize) {
        let whole = message(kind & 0x3ff, &attributes);
        let stun = Stun::parse(&whole).unwrap();
        prop_assert_eq!(stun.is_request(), kind & 0x3ff == 1);
        prop_assert_eq!(stun.transaction(), [9; 12]);
        let value_of = |wanted| attributes.iter().find(|(kind, _)| *kind == wanted).map(|(_, value)| value);
        let name = value_of(USERNAME).and_then(|value| std::str::from_utf8(value).ok());
        prop_assert_eq!(stun.ufrag(), name.and_then(|name| name.split_once(':')).map(|(ours, _)| ours));
        prop_assert_eq!(stun.uses_candidate(), value_of(USE_CANDIDATE).is_some());
        // A part of it, or with something behind it, is none.
        prop_assert!(whole.get(..cut).is_none_or(|part| part.len() == whole.len() || Stun::parse(part).is_none()));
        prop_assert!(Stun::parse(&[&whole[..], b"x"].concat()).is_none());
    }

    #[test]
    fn any_bytes_are_read_within_their_bounds(mut bytes in vec(any::<u8>(), 0..300)) {
        if let Some(header) = bytes.get_mut(..HEADER) {
            header[0] &= 3;
            header[4..8].copy_from_slice(&[0x21, 0x12, 0xa4, 0x42]);
            let length = u16::try_from(bytes.len() - HEADER).unwrap();
            bytes[2..4].copy_from_slice(&length.to_be_bytes());
        }
        if let Some(stun) = Stun::parse(&bytes) {
            let _ = (stun.ufrag(), stun.uses_candidate(), stun.transaction());
        }
    }

    #[test]
    fn no_more_sessions_live_than_may_of_any_address_and_in_all(
        steps in vec((any::<bool>(), 0..6_u8, 0..20_usize), 0..120)
    ) {
        let limits = Limits { max_sessions: 9, max_sessions_per_address: 3, ..LIMITS };
        let registry = Arc::new(Registry::new(limits, Instant::now()));
        let mut places: Vec<(u8, Place)> = Vec::new();
        for (comes, client, number) in steps {
            if comes {
                let of_client = places.iter().filter(|(other, _)| *other == client).count();
                let place = registry.admit(Some([192, 0, 2, client].into()));
                prop_assert_eq!(place.is_ok(), places.len() < 9 && of_client < 3);
                places.extend(place.ok().map(|place| (client, place)));
            } else if !places.is_empty() {
                places.swap_remove(number % places.len());
            }
            prop_assert_eq!(registry.count(), places.len());
        }
        drop(places);
        prop_assert_eq!(registry.residue(), 0);
    }

    #[test]
    fn an_ipv6_network_counts_as_one_client(prefix: u64, one: u64, other: u64) {
        let address = |host| std::net::Ipv6Addr::from_bits((u128::from(prefix) << 64) | u128::from(host));
        prop_assume!(address(one).to_ipv4_mapped().is_none() && address(other).to_ipv4_mapped().is_none());
        prop_assert_eq!(network(address(one).into()), network(address(other).into()));
        prop_assert_eq!(network(network(address(one).into())), network(address(one).into()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_path_stays_with_who_has_answered_on_it_while_it_is_heard(happenings in vec(happening(), 0..60)) {
        let mut world = World::new(MS);
        let sessions = [(); 3].map(|()| session(&mut world));
        let paths = |remote| Path { local: server_address().ip(), remote: offerer_address(remote) };
        let mut now = world.now + 10 * SECOND;
        let mut heard = [None; 3];
        let mut owners: HashMap<u16, (usize, bool)> = HashMap::new();
        for happening in happenings {
            match happening {
                Happening::Claim { session, remote, has_answered } => {
                    world.registry.claim(paths(remote), &sessions[session], has_answered, now);
                    let is_taken = owners.get(&remote).is_some_and(|&(owner, has_answered)| {
                        let is_fresh = heard[owner].is_some_and(|heard| now < heard + 2 * SECOND);
                        owner != session && has_answered && is_fresh
                    });
                    if !is_taken {
                        owners.insert(remote, (session, has_answered));
                    }
                }
                Happening::Heard { session } => {
                    world.registry.heard(&sessions[session], now);
                    heard[session] = Some(now);
                }
                Happening::Passes(millis) => now += Duration::from_millis(millis),
            }
            for remote in 0..3 {
                let datagram =
                    Datagram { local: server_address().ip(), remote: offerer_address(remote), bytes: BytesMut::new() };
                let found = world.registry.find(&datagram).map(|(id, _)| id);
                prop_assert_eq!(found, owners.get(&remote).map(|&(owner, _)| sessions[owner].id));
            }
        }
        for (number, session) in sessions.iter().enumerate() {
            let its = owners.iter().filter(|(_, (owner, _))| *owner == number);
            world.registry.remove(session, its.map(|(remote, _)| paths(*remote)).collect::<Vec<_>>().into_iter());
        }
        prop_assert_eq!(world.registry.residue(), sessions.len(), "the places of the peers");
    }
}
