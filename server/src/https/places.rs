//! How many connections there may be, in all and of each client.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use hola_webrtc_server::{IpNet, Limit, Metrics, client_network};

use super::Bounds;

/// The places for connections.
#[derive(Debug)]
pub(super) struct Places {
    max: usize,
    max_per_address: usize,
    proxies: Vec<IpNet>,
    metrics: Arc<Metrics>,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    total: usize,
    by_network: HashMap<IpAddr, usize>,
}

impl Places {
    pub(super) fn new(bounds: &Bounds, metrics: Arc<Metrics>) -> Self {
        Self {
            max: bounds.max_connections,
            max_per_address: bounds.max_connections_per_address,
            proxies: bounds.trusted_proxies.clone(),
            metrics,
            taken: Mutex::default(),
        }
    }

    /// A place for a connection of this client, unless there is none. A proxy may have them all.
    pub(super) fn take(self: &Arc<Self>, client: IpAddr) -> Result<Place, Limit> {
        let network = client_network(client);
        let is_proxy = self.proxies.iter().any(|proxy| proxy.contains(&client.to_canonical()));
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.total >= self.max {
            return Err(Limit::MaxConnections);
        }
        let of_network = taken.by_network.get(&network).copied().unwrap_or_default();
        if of_network >= self.max_per_address && !is_proxy {
            return Err(Limit::MaxConnectionsPerAddress);
        }
        taken.by_network.insert(network, of_network + 1);
        taken.total += 1;
        self.metrics.connection_opened();
        Ok(Place { places: self.clone(), network })
    }
}

/// The place of one connection, free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    network: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.total -= 1;
        if let Some(of_network) = taken.by_network.get_mut(&self.network) {
            *of_network -= 1;
            if *of_network == 0 {
                taken.by_network.remove(&self.network);
            }
        }
        self.places.metrics.connection_closed();
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::bounds, *};

    fn places(change: impl FnOnce(&mut Bounds)) -> Arc<Places> {
        let mut bounds = bounds();
        change(&mut bounds);
        Arc::new(Places::new(&bounds, Arc::default()))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_client_does_not_take_the_places_of_another() {
        let places = places(|bounds| bounds.max_connections_per_address = 2);
        let one = [places.take(ip("192.0.2.1")).unwrap(), places.take(ip("::ffff:192.0.2.1")).unwrap()];
        assert_eq!(places.take(ip("192.0.2.1")).unwrap_err(), Limit::MaxConnectionsPerAddress);
        places.take(ip("192.0.2.2")).unwrap();
        drop(one);
        places.take(ip("192.0.2.1")).unwrap();
        assert!(places.taken.lock().unwrap().by_network.is_empty());
    }

    #[test]
    fn a_client_that_may_have_no_connection_leaves_nothing() {
        let places = places(|bounds| bounds.max_connections_per_address = 0);
        places.take(ip("192.0.2.1")).unwrap_err();
        assert!(places.taken.lock().unwrap().by_network.is_empty());
    }

    #[test]
    fn an_ipv6_client_counts_by_its_network() {
        let places = places(|bounds| bounds.max_connections_per_address = 1);
        let _one = places.take(ip("2001:db8::1")).unwrap();
        places.take(ip("2001:db8::2:0:0:1")).unwrap_err();
        places.take(ip("2001:db8:0:1::1")).unwrap();
    }

    #[test]
    fn a_proxy_brings_many_clients_but_not_more_than_there_are_places() {
        let places = places(|bounds| {
            bounds.max_connections = 3;
            bounds.max_connections_per_address = 1;
            bounds.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
        });
        let _taken: Vec<_> = (0..3).map(|_| places.take(ip("10.1.2.3")).unwrap()).collect();
        assert_eq!(places.take(ip("10.1.2.3")).unwrap_err(), Limit::MaxConnections);
        assert_eq!(places.take(ip("192.0.2.1")).unwrap_err(), Limit::MaxConnections);
    }
}
