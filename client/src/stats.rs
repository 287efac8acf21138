//! What the browser counts, in the few figures that matter for data channels
//! ([W3C](https://www.w3.org/TR/webrtc-stats/)).

use std::time::Duration;

use hola_webrtc_protocol::{Candidate, CandidateType, Step, sdp};
use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{RtcPeerConnection, RtcStatsReport};

use crate::{RtcError, object, offer::settled};

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
#[non_exhaustive]
pub struct CandidatePair {
    /// This side's candidate.
    pub local: Candidate,
    /// The other side's.
    pub remote: Candidate,
}

/// How a connection goes.
pub(crate) async fn of(pc: &RtcPeerConnection) -> Result<ConnectionStats, RtcError> {
    let report = Report::of(pc).await?;
    let pair = report.pair();
    let figure = |name| pair.and_then(|pair| object::number(pair, name));
    let sum = |name| {
        report.of_type("data-channel").filter_map(|channel| object::number(channel, name)).map(count).sum()
    };
    Ok(ConnectionStats {
        pair: report.pair_in_use(),
        round_trip: figure("currentRoundTripTime")
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
        bytes_sent: figure("bytesSent").map(count),
        bytes_received: figure("bytesReceived").map(count),
        messages_sent: sum("messagesSent"),
        messages_received: sum("messagesReceived"),
    })
}

/// What the browser counts: entries of many types. All of their members are optional, because browsers differ.
pub(crate) struct Report {
    entries: Vec<JsValue>,
    /// The descriptions of both sides.
    local: Option<String>,
    remote: Option<String>,
}

impl Report {
    pub(crate) async fn of(pc: &RtcPeerConnection) -> Result<Self, RtcError> {
        let report = settled(Step::CheckConnectivity, pc.get_stats()).await?;
        let sdp = |name| object::text(&object::property(pc, name), "sdp");
        let report: RtcStatsReport = report.unchecked_into();
        Ok(Self {
            entries: Array::from(&report.values()).iter().collect(),
            local: sdp("localDescription"),
            remote: sdp("remoteDescription"),
        })
    }

    /// The path that ICE chose, if the browser tells it.
    pub(crate) fn pair_in_use(&self) -> Option<CandidatePair> {
        let pair = self.pair()?;
        let candidate =
            |id, sdp: &Option<String>| candidate(self.by_id(&object::text(pair, id)?)?, sdp.as_deref());
        Some(CandidatePair {
            local: candidate("localCandidateId", &self.local)?,
            remote: candidate("remoteCandidateId", &self.remote)?,
        })
    }

    /// The standard's way first, then Firefox', then by what every pair says of itself.
    fn pair(&self) -> Option<&JsValue> {
        let pairs = || self.of_type("candidate-pair");
        let is = |pair: &&JsValue, name| object::property(pair, name).is_truthy();
        let of_transport = |transport| self.by_id(&object::text(transport, "selectedCandidatePairId")?);
        self.of_type("transport")
            .find_map(of_transport)
            .or_else(|| pairs().find(|pair| is(pair, "selected")))
            .or_else(|| pairs().find(|pair| is(pair, "nominated") && has(pair, "state", "succeeded")))
    }

    fn by_id(&self, id: &str) -> Option<&JsValue> {
        self.entries.iter().find(|entry| has(entry, "id", id))
    }

    fn of_type(&self, name: &'static str) -> impl Iterator<Item = &JsValue> {
        self.entries.iter().filter(move |entry| has(entry, "type", name))
    }
}

fn has(entry: &JsValue, name: &str, value: &str) -> bool {
    object::property(entry, name) == *value
}

/// Browsers keep an address that mDNS hides out of the report, but not out of the SDP, where its name stands. That of a
/// peer-reflexive candidate they may keep to themselves altogether.
fn candidate(entry: &JsValue, sdp: Option<&str>) -> Option<Candidate> {
    let text = |name| object::text(entry, name);
    let (port, kind) =
        (object::u16(object::number(entry, "port")?)?, CandidateType::from_name(&text("candidateType")?)?);
    let address =
        text("address").or_else(|| text("ip")).filter(|address| !address.is_empty()).or_else(|| {
            let known = sdp::candidates(sdp?).find(|known| (known.port, known.kind) == (port, kind))?;
            Some(known.address)
        });
    Some(Candidate {
        foundation: text("foundation").unwrap_or_default(),
        component: 1,
        transport: text("protocol")?.to_ascii_lowercase(),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
        priority: object::number(entry, "priority").unwrap_or_default() as u32,
        address: address.unwrap_or_default(),
        port,
        kind,
    })
}

/// Counters are JavaScript numbers.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
fn count(number: f64) -> u64 {
    number as u64
}

#[cfg(all(test, target_family = "wasm"))]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test")]

    use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

    use super::*;

    wasm_bindgen_test_configure!(run_in_browser);

    #[wasm_bindgen_test]
    fn the_pair_in_use_is_found_as_each_browser_tells_it() {
        let port = |entries: &str| {
            let candidates = "
                { id: 'a', type: 'local-candidate', protocol: 'udp', address: '192.0.2.1', port: 1, candidateType: 'host' },
                { id: 'b', type: 'local-candidate', protocol: 'udp', address: '192.0.2.1', port: 2, candidateType: 'host' },
                { id: 'remote', type: 'remote-candidate', protocol: 'UDP', ip: '192.0.2.1', port: 9, candidateType: 'host' },
                { id: '1', type: 'candidate-pair', localCandidateId: 'a', remoteCandidateId: 'remote' },
                { id: '2', type: 'candidate-pair', localCandidateId: 'b', remoteCandidateId: 'remote'";
            let entries: Array = js_sys::eval(&format!("[{candidates}{entries}]")).unwrap().unchecked_into();
            let report = Report { entries: entries.iter().collect(), local: None, remote: None };
            report.pair_in_use().map(|pair| pair.local.port)
        };
        assert_eq!(port(", selected: true }"), Some(2));
        assert_eq!(port(", nominated: true, state: 'succeeded' }"), Some(2));
        let transport = "{ type: 'transport', selectedCandidatePairId: '1' }";
        assert_eq!(port(&format!(", nominated: true, state: 'succeeded' }}, {transport}")), Some(1));
        assert_eq!(port(" }"), None);
    }

    #[wasm_bindgen_test]
    fn an_address_that_the_report_keeps_back_is_found_in_the_description() {
        let entry =
            js_sys::eval("({ protocol: 'udp', address: '', port: 7, candidateType: 'host' })").unwrap();
        let sdp = "a=candidate:1 1 udp 1 elsewhere.local 8 typ host\r\na=candidate:1 1 udp 1 here.local 7 typ host\r\n";
        assert_eq!(candidate(&entry, Some(sdp)).unwrap().address, "here.local");
        assert_eq!(candidate(&entry, None).unwrap().address, "");
    }
}
