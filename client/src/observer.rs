//! Who is told of everything at once. Rust's own API waits for changes, and [`Native`] keeps what it will ask for; the
//! JavaScript API tells a page. Each build carries what its own needs.

use std::rc::Rc;

use hola_webrtc_protocol::{Step, TraceData, TraceEvent};
use wasm_bindgen_futures::spawn_local;

use crate::{Closed, Trace, channel_core::ChannelCore, peer::Peer, stats::Report};

/// Whoever is told must not come back before it returns.
pub(crate) trait Observer {
    /// Something happened.
    fn recorded(&self, trace: &Trace, event: TraceEvent);

    /// The channel of step 2 is made.
    fn made(&self, peer: &Rc<Peer>, channel: &Rc<ChannelCore>);

    /// Either side has made a channel.
    fn adopted(&self, channel: &Rc<ChannelCore>);

    /// The other side has made a channel.
    fn incoming(&self, peer: &Rc<Peer>, channel: Rc<ChannelCore>);

    /// ICE has found a path.
    fn path_found(&self, peer: &Rc<Peer>);

    /// The state of the connection may have moved.
    fn changed(&self, peer: &Rc<Peer>);

    /// All is over.
    fn ended(&self, how: &Closed);
}

/// Rust's own API.
pub(crate) struct Native;

impl Observer for Native {
    fn recorded(&self, trace: &Trace, event: TraceEvent) {
        trace.keep(event);
    }

    fn made(&self, _: &Rc<Peer>, _: &Rc<ChannelCore>) {}

    fn adopted(&self, channel: &Rc<ChannelCore>) {
        channel.keep_messages();
    }

    fn incoming(&self, peer: &Rc<Peer>, channel: Rc<ChannelCore>) {
        peer.incoming().push(channel);
    }

    /// Asks the browser which path it is, and tells it as soon as it knows; nobody waits for it.
    fn path_found(&self, peer: &Rc<Peer>) {
        let (pc, trace) = (peer.raw().clone(), peer.trace().clone());
        spawn_local(async move {
            if let Ok(report) = Report::of(&pc).await
                && let Some(pair) = report.pair_in_use()
            {
                let (local, remote) = (Box::new(pair.local), Box::new(pair.remote));
                let data = TraceData::CandidatePair { local, remote };
                trace.client(Step::CheckConnectivity, data);
            }
        });
    }

    fn changed(&self, _: &Rc<Peer>) {}

    fn ended(&self, _: &Closed) {}
}
