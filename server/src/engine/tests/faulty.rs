//! Protocols that panic. What makes them do so is not known yet, or it would be mended: the test does it.

use futures_util::{FutureExt, StreamExt};

use super::{
    super::stack::Fault,
    greedy::{assert_lives, channel_of},
    *,
};
use crate::session::Closed;

#[test]
fn a_session_whose_protocols_panic_fails_alone_and_counts() {
    for fault in [Fault::Datagram, Fault::Timer] {
        let mut world = World::new(MS);
        let (other, mut others) = world.connect(1, "x");
        let mut other_channel = channel_of(&mut others);
        let (_, mut session) = world.connect(0, "x");
        let mut channel = channel_of(&mut session);
        world.cores[0].break_down(session.id(), fault);

        assert!(world.run_until(5 * SECOND, |_| session.closed().now_or_never().is_some()), "{fault:?}");
        assert_eq!(session.closed().now_or_never(), Some(Closed::Failed), "{fault:?}");
        assert_eq!(channel.next().now_or_never(), Some(None), "its handler hears of it");
        assert_lives(&mut world, other, &mut other_channel);
        let metrics = world.registry.metrics().encode();
        for line in [
            "hola_webrtc_sessions_ended_total{reason=\"failed\"} 1\n",
            "hola_webrtc_sessions{state=\"open\"} 1\n",
        ] {
            assert!(metrics.contains(line), "{fault:?}: {line} is not in {metrics}");
        }
        assert_eq!(world.registry.count(), 1);

        assert!(world.close(others.id()));
        world.run(SECOND);
        assert_eq!(world.residue(), 0, "{fault:?}");
    }
}
