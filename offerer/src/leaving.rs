//! Channels that are closed here, whose streams must rest until the server has closed them as well (RFC 8831, 6.7).
//!
//! `rtc` says that a channel is closed as soon as it has asked for it, and gives its stream to the next one, which the server's
//! part of the closing then closes. So each such stream is taken at once, as if both sides had agreed on it, by a keeper
//! that ends with that.

use std::collections::{BTreeMap, BTreeSet};

use rtc::{
    data_channel::{RTCDataChannelId, RTCDataChannelInit},
    peer_connection::RTCPeerConnection,
};
use tracing::debug;

#[derive(Default)]
pub(crate) struct Leaving {
    /// The channels that are being closed, and their streams.
    streams: BTreeMap<RTCDataChannelId, u16>,
    keepers: BTreeSet<RTCDataChannelId>,
}

impl Leaving {
    /// Closes a channel.
    pub(crate) fn close(&mut self, peer: &mut RTCPeerConnection, id: RTCDataChannelId) {
        let Some(mut channel) = peer.data_channel(id) else { return };
        let stream = channel.stream_id();
        // One that is closed already stays so.
        let _ = channel.close();
        self.streams.extend(stream.map(|stream| (id, stream)));
    }

    /// Something is closed. Returns whether it is a channel.
    pub(crate) fn closed(&mut self, peer: &mut RTCPeerConnection, id: RTCDataChannelId) -> bool {
        if self.keepers.remove(&id) {
            return false;
        }
        if let Some(stream) = self.streams.remove(&id) {
            let init = RTCDataChannelInit { negotiated: Some(stream), ..RTCDataChannelInit::default() };
            match peer.create_data_channel("", Some(init)) {
                Ok(keeper) => drop(self.keepers.insert(keeper.id())),
                Err(error) => debug!("the stream {stream} is not kept: {error}"),
            }
        }
        true
    }

    /// Whether this is no channel, but keeps a stream.
    pub(crate) fn keeps(&self, id: RTCDataChannelId) -> bool {
        self.keepers.contains(&id)
    }
}
