//! The TLS handshakes in flight.
//!
//! An honest handshake takes two round trips; one that is meant to last until its deadline would hold a place for
//! seconds. So a new one never waits and is never refused: at the limit the oldest one of the client that has most of
//! them in flight gives way.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use hola_webrtc_server::{Limit, Metrics, client_network};
use tokio::sync::Notify;

#[derive(Debug)]
pub(super) struct Handshakes {
    max: usize,
    metrics: Arc<Metrics>,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    /// By age, the oldest first.
    in_flight: BTreeMap<u64, (IpAddr, Arc<Notify>)>,
}

impl Handshakes {
    pub(super) fn new(max: usize, metrics: Arc<Metrics>) -> Self {
        Self { max, metrics, table: Mutex::default() }
    }

    /// A handshake with this client begins.
    pub(super) fn begin(self: &Arc<Self>, client: IpAddr) -> Handshake {
        let gives_way = Arc::<Notify>::default();
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let number = table.next;
        table.next += 1;
        table.in_flight.insert(number, (client_network(client), gives_way.clone()));
        self.metrics.handshake_began();
        if table.in_flight.len() > self.max
            && let Some((_, victim)) = table.greediest().and_then(|victim| table.in_flight.remove(&victim))
        {
            victim.notify_one();
            self.metrics.limit_reached(Limit::MaxHandshakes);
        }
        Handshake { handshakes: self.clone(), number, gives_way }
    }
}

impl Table {
    /// The oldest handshake of the client that has most of them.
    fn greediest(&self) -> Option<u64> {
        let mut of_clients = HashMap::<IpAddr, (usize, u64)>::new();
        for (number, (client, _)) in &self.in_flight {
            of_clients.entry(*client).or_insert((0, *number)).0 += 1;
        }
        let greediest = of_clients.into_values().max_by_key(|(count, oldest)| (*count, u64::MAX - oldest));
        greediest.map(|(_, oldest)| oldest)
    }
}

/// A handshake in flight, until this is dropped.
#[derive(Debug)]
pub(super) struct Handshake {
    handshakes: Arc<Handshakes>,
    number: u64,
    gives_way: Arc<Notify>,
}

impl Handshake {
    /// Waits until it has to give way to another.
    pub(super) async fn gives_way(&self) {
        self.gives_way.notified().await;
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        let mut table = self.handshakes.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.in_flight.remove(&self.number);
        self.handshakes.metrics.handshake_ended();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn gave_way(handshake: &Handshake) -> bool {
        handshake.gives_way().now_or_never().is_some()
    }

    #[test]
    fn at_the_limit_the_oldest_of_the_greediest_client_gives_way() {
        let handshakes = Arc::new(Handshakes::new(4, Arc::default()));
        let begin = |client: &str| handshakes.begin(client.parse().unwrap());
        let honest = begin("192.0.2.1");
        let flood = [begin("192.0.2.66"), begin("192.0.2.66"), begin("192.0.2.66")];
        let late = begin("192.0.2.2");
        assert_eq!(flood.each_ref().map(gave_way), [true, false, false]);
        let more = begin("192.0.2.66");
        assert_eq!(flood.each_ref().map(gave_way), [false, true, false]);
        assert!(![&honest, &late, &more].into_iter().any(gave_way));

        drop((honest, flood, late, more));
        assert!(handshakes.table.lock().unwrap().in_flight.is_empty());
    }

    #[test]
    fn among_equals_the_oldest_gives_way() {
        let handshakes = Arc::new(Handshakes::new(2, Arc::default()));
        let all = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|ip| handshakes.begin(ip.parse().unwrap()));
        assert_eq!(all.each_ref().map(gave_way), [true, false, false]);
    }
}
