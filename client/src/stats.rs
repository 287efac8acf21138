//! What the browser counts, in the few figures that matter for data channels
//! ([W3C](https://www.w3.org/TR/webrtc-stats/)).

use std::time::Duration;

use hola_webrtc_protocol::{Candidate, CandidateType, Step, sdp};
use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{RtcPeerConnection, RtcSessionDescription, RtcStatsReport};

use crate::{RtcError, read, sys};

/// How a connection goes. A figure that the browser does not tell is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ConnectionStats {
    /// The pair of candidates in use.
    pub pair: Option<CandidatePair>,
    /// The last measured round trip, of an ICE check.
    pub round_trip: Option<Duration>,
    /// Bytes sent over the pair, with the headers inside UDP.
    pub bytes_sent: Option<u64>,
    /// Bytes received over the pair, with the headers inside UDP.
    pub bytes_received: Option<u64>,
    /// Messages sent on all channels.
    pub messages_sent: u64,
    /// Messages received on all channels.
    pub messages_received: u64,
}

/// The two ends of the path that ICE chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CandidatePair {
    /// This side's candidate.
    pub local: Candidate,
    /// The other side's.
    pub remote: Candidate,
}

/// The stats of this peer connection.
pub(crate) async fn of(pc: &RtcPeerConnection) -> Result<ConnectionStats, RtcError> {
    let report = JsFuture::from(pc.get_stats())
        .await
        .map_err(|thrown| RtcError::js(Step::CheckConnectivity, &thrown))?;
    let report: RtcStatsReport = report.unchecked_into();
    let entries: Vec<Entry> = Array::from(&report.values()).iter().map(|value| Entry::read(&value)).collect();
    let mut stats = summary(&entries);
    if let Some(pair) = &mut stats.pair {
        name_address(&mut pair.local, sys::description(pc, "localDescription"));
        name_address(&mut pair.remote, sys::description(pc, "remoteDescription"));
    }
    Ok(stats)
}

/// Browsers keep an address that mDNS hides out of the stats, but not out of the SDP, where its name stands.
fn name_address(candidate: &mut Candidate, description: Option<RtcSessionDescription>) {
    if candidate.address.is_empty()
        && let Some(description) = description
        && let Some(known) = sdp::candidates(&description.sdp())
            .find(|known| (known.port, known.kind) == (candidate.port, candidate.kind))
    {
        candidate.address = known.address;
    }
}

/// An entry of the report, of any type. All is optional: browsers differ.
#[derive(Clone, Debug, Default)]
struct Entry {
    id: String,
    r#type: String,
    selected_candidate_pair_id: Option<String>,
    nominated: Option<bool>,
    selected: Option<bool>,
    state: Option<String>,
    local_candidate_id: Option<String>,
    remote_candidate_id: Option<String>,
    current_round_trip_time: Option<f64>,
    bytes_sent: Option<f64>,
    bytes_received: Option<f64>,
    messages_sent: Option<f64>,
    messages_received: Option<f64>,
    foundation: Option<String>,
    protocol: Option<String>,
    priority: Option<f64>,
    address: Option<String>,
    ip: Option<String>,
    port: Option<f64>,
    candidate_type: Option<CandidateType>,
}

fn summary(entries: &[Entry]) -> ConnectionStats {
    let by_id = |id: Option<&String>| entries.iter().find(|entry| Some(&entry.id) == id);
    let of_type = |name: &'static str| entries.iter().filter(move |entry| entry.r#type == name);
    let pair = of_type("transport")
        .find_map(|transport| by_id(transport.selected_candidate_pair_id.as_ref()))
        .or_else(|| of_type("candidate-pair").find(|pair| pair.selected == Some(true)))
        .or_else(|| {
            let in_use =
                |pair: &&Entry| pair.nominated == Some(true) && pair.state.as_deref() == Some("succeeded");
            of_type("candidate-pair").find(in_use)
        });
    let channels = || of_type("data-channel");
    ConnectionStats {
        pair: pair.and_then(|pair| {
            Some(CandidatePair {
                local: by_id(pair.local_candidate_id.as_ref())?.candidate()?,
                remote: by_id(pair.remote_candidate_id.as_ref())?.candidate()?,
            })
        }),
        round_trip: pair
            .and_then(|pair| pair.current_round_trip_time)
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
        bytes_sent: pair.and_then(|pair| pair.bytes_sent).map(count),
        bytes_received: pair.and_then(|pair| pair.bytes_received).map(count),
        messages_sent: channels().filter_map(|channel| channel.messages_sent).map(count).sum(),
        messages_received: channels().filter_map(|channel| channel.messages_received).map(count).sum(),
    }
}

impl Entry {
    fn read(value: &JsValue) -> Self {
        let text = |name| read::text(value, name);
        let number = |name| read::property(value, name).as_f64();
        let flag = |name| read::property(value, name).as_bool();
        Self {
            id: text("id").unwrap_or_default(),
            r#type: text("type").unwrap_or_default(),
            selected_candidate_pair_id: text("selectedCandidatePairId"),
            nominated: flag("nominated"),
            selected: flag("selected"),
            state: text("state"),
            local_candidate_id: text("localCandidateId"),
            remote_candidate_id: text("remoteCandidateId"),
            current_round_trip_time: number("currentRoundTripTime"),
            bytes_sent: number("bytesSent"),
            bytes_received: number("bytesReceived"),
            messages_sent: number("messagesSent"),
            messages_received: number("messagesReceived"),
            foundation: text("foundation"),
            protocol: text("protocol"),
            priority: number("priority"),
            address: text("address"),
            ip: text("ip"),
            port: number("port"),
            candidate_type: read::named(value, "candidateType"),
        }
    }

    fn candidate(&self) -> Option<Candidate> {
        Some(Candidate {
            foundation: self.foundation.clone().unwrap_or_default(),
            component: 1,
            transport: self.protocol.as_ref()?.to_ascii_lowercase(),
            priority: u32::try_from(count(self.priority.unwrap_or_default())).ok()?,
            // A browser may keep the address of a peer-reflexive candidate to itself.
            address: self.address.clone().or_else(|| self.ip.clone()).unwrap_or_default(),
            port: u16::try_from(count(self.port?)).ok()?,
            kind: self.candidate_type?,
        })
    }
}

/// Counters are JavaScript numbers.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
fn count(number: f64) -> u64 {
    number as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(id: &str, port: f64) -> Entry {
        Entry {
            id: id.to_owned(),
            r#type: "local-candidate".to_owned(),
            protocol: Some("udp".to_owned()),
            address: Some("192.0.2.1".to_owned()),
            port: Some(port),
            priority: Some(2_122_260_223.0),
            candidate_type: Some(CandidateType::Host),
            ..Entry::default()
        }
    }

    fn pair(id: &str, local: &str) -> Entry {
        Entry {
            id: id.to_owned(),
            r#type: "candidate-pair".to_owned(),
            local_candidate_id: Some(local.to_owned()),
            remote_candidate_id: Some("remote".to_owned()),
            ..Entry::default()
        }
    }

    #[test]
    fn the_pair_in_use_is_found_as_each_browser_tells_it() {
        let entries = |first: Entry, second: Entry| {
            [candidate("a", 1.0), candidate("b", 2.0), candidate("remote", 9.0), first, second]
        };
        let port = |entries: &[Entry]| summary(entries).pair.map(|pair| pair.local.port);

        let selected = Entry { selected: Some(true), ..pair("2", "b") };
        assert_eq!(port(&entries(pair("1", "a"), selected)), Some(2));

        let nominated =
            Entry { nominated: Some(true), state: Some("succeeded".to_owned()), ..pair("2", "b") };
        assert_eq!(port(&entries(pair("1", "a"), nominated.clone())), Some(2));

        let transport = Entry {
            r#type: "transport".to_owned(),
            selected_candidate_pair_id: Some("1".to_owned()),
            ..Entry::default()
        };
        let mut with_transport = entries(pair("1", "a"), nominated).to_vec();
        with_transport.push(transport);
        assert_eq!(port(&with_transport), Some(1));

        assert_eq!(port(&entries(pair("1", "a"), pair("2", "b"))), None);
    }
}
