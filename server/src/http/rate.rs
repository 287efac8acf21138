//! How many requests of a kind a client address may send.

use std::{
    net::IpAddr,
    num::NonZeroU32,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    state::keyed::HashMapStateStore,
};
use hola_webrtc_protocol::ProblemCode;

use super::{client::Client, problem::Refusal, signalling::Shared};
use crate::{Limit, limits::client_network};

/// From how many addresses on those that have been quiet are forgotten.
const SWEEP_FROM: usize = 1024;

/// Counts the requests of each client address.
pub(super) struct Rate {
    limiter: Option<RateLimiter<IpAddr, HashMapStateStore<IpAddr>, DefaultClock>>,
    /// The number of addresses known at which the quiet ones are forgotten.
    sweep_at: AtomicUsize,
}

impl Rate {
    /// So many a second on average, 0 for any number, and so many at once.
    pub(super) fn new(per_second: u32, burst: u32) -> Self {
        let quota = NonZeroU32::new(per_second).map(|rate| {
            let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
            Quota::per_second(rate).allow_burst(burst)
        });
        Self { limiter: quota.map(RateLimiter::hashmap), sweep_at: SWEEP_FROM.into() }
    }

    /// Counts a request. If it is one too many, tells how long to wait.
    pub(super) fn check(&self, client: IpAddr) -> Result<(), Duration> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        self.forget_the_quiet(limiter.len(), || {
            limiter.retain_recent();
            limiter.len()
        });
        limiter
            .check_key(&client_network(client))
            .map_err(|until| until.wait_time_from(limiter.clock().now()))
    }

    /// Twice as many addresses as have sent requests within the time of a burst are remembered at most.
    fn forget_the_quiet(&self, known: usize, sweep: impl FnOnce() -> usize) {
        let sweep_at = self.sweep_at.load(Ordering::Relaxed);
        if known >= sweep_at
            // One request does it, the others go on.
            && self.sweep_at.compare_exchange(sweep_at, usize::MAX, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            self.sweep_at.store(SWEEP_FROM.max(sweep() * 2), Ordering::Relaxed);
        }
    }
}

impl Shared {
    /// Counts an offer of this client, or a request that costs as much.
    pub(super) fn ensure_offer_rate(&self, client: Client) -> Result<(), Refusal> {
        self.ensure(&self.offer_rate, Limit::OffersPerSecond, client)
    }

    /// Counts a `PATCH` request of this client.
    pub(super) fn ensure_patch_rate(&self, client: Client) -> Result<(), Refusal> {
        self.ensure(&self.patch_rate, Limit::PatchesPerSecond, client)
    }

    fn ensure(&self, rate: &Rate, limit: Limit, Client(client): Client) -> Result<(), Refusal> {
        let Some(client) = client else { return Ok(()) };
        rate.check(client.ip()).map_err(|wait| {
            self.server.metrics().limit_reached(limit);
            let detail = "send fewer, or wait as long as the header Retry-After says";
            Refusal::new(ProblemCode::TooManyRequests, detail).retry_after(wait)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_burst_is_let_through_and_then_the_wait_is_named() {
        // So slow that no test waits for the next.
        let rate = Rate::new(1, 3);
        for _ in 0..3 {
            assert_eq!(rate.check(ip("192.0.2.1")), Ok(()));
        }
        let wait = rate.check(ip("192.0.2.1")).unwrap_err();
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
        assert_eq!(rate.check(ip("192.0.2.2")), Ok(()));
    }

    #[test]
    fn an_ipv6_network_counts_as_one_client() {
        let rate = Rate::new(1, 1);
        assert!(rate.check(ip("2001:db8::1")).is_ok());
        assert!(rate.check(ip("2001:db8::ffff:1")).is_err());
        assert!(rate.check(ip("2001:db8:0:1::1")).is_ok());
        assert!(rate.check(ip("::ffff:192.0.2.1")).is_ok());
        assert!(rate.check(ip("192.0.2.1")).is_err());
    }

    #[test]
    fn nought_is_no_limit() {
        let rate = Rate::new(0, 0);
        assert!((0..1000).all(|_| rate.check(ip("192.0.2.1")).is_ok()));
    }

    #[test]
    fn quiet_addresses_are_forgotten() {
        // Each address is quiet again after a nanosecond.
        let rate = Rate::new(1_000_000_000, 1);
        for number in 0..10_000_u32 {
            assert!(rate.check(IpAddr::from(number.to_be_bytes())).is_ok());
        }
        assert!(rate.limiter.unwrap().len() <= 2 * SWEEP_FROM);
    }
}
