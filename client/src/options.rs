//! What may be chosen when one connects.

use std::{fmt, future::Future, rc::Rc, time::Duration};

use futures_util::{FutureExt, future::LocalBoxFuture};
use hola_webrtc_protocol::{CHAT_LABEL, Step};
use serde::{Deserialize, Serialize};

/// How to connect. The default suits a hola-webrtc server.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// When the offer leaves.
    pub gathering: Gathering,
    /// STUN and TURN servers, none by default: a server that can be reached needs none of them.
    pub ice_servers: Vec<IceServer>,
    /// The label of the channel, "chat" by default. On any other label the server only echoes.
    pub label: String,
    /// The options of the channel.
    pub channel: ChannelOptions,
    /// The language in which the server should speak, as in `Accept-Language`: `"es"`, `"en-GB, en;q=0.8"`.
    pub language: Option<String>,
    /// How long all steps together may take, 15 s by default. Time spent at the [gate](Self::gate) does not count.
    pub deadline: Duration,
    /// How long a connection may stay disconnected, once open, before it counts as lost; 5 s by default.
    ///
    /// A browser sees that nothing comes any more after about 5 s, and calls it `disconnected`. It may
    /// recover, so the patience begins then. What the browser itself calls `failed` is lost at once.
    pub patience: Duration,
    /// Waits before each step, if given.
    pub gate: Option<Gate>,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            gathering: Gathering::Immediate,
            ice_servers: Vec::new(),
            label: CHAT_LABEL.to_owned(),
            channel: ChannelOptions::default(),
            language: None,
            deadline: Duration::from_secs(15),
            patience: Duration::from_secs(5),
            gate: None,
        }
    }
}

/// Each sets what the field of that name documents.
impl ConnectOptions {
    /// See [`gathering`](Self::gathering).
    #[must_use]
    pub fn gathering(self, gathering: Gathering) -> Self {
        Self { gathering, ..self }
    }

    /// See [`ice_servers`](Self::ice_servers).
    #[must_use]
    pub fn ice_servers(self, ice_servers: impl IntoIterator<Item = IceServer>) -> Self {
        Self { ice_servers: ice_servers.into_iter().collect(), ..self }
    }

    /// See [`label`](Self::label).
    #[must_use]
    pub fn label(self, label: impl Into<String>) -> Self {
        Self { label: label.into(), ..self }
    }

    /// See [`channel`](Self::channel).
    #[must_use]
    pub fn channel(self, channel: ChannelOptions) -> Self {
        Self { channel, ..self }
    }

    /// See [`language`](Self::language).
    #[must_use]
    pub fn language(self, language: impl Into<String>) -> Self {
        Self { language: Some(language.into()), ..self }
    }

    /// See [`deadline`](Self::deadline).
    #[must_use]
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// See [`patience`](Self::patience).
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// See [`gate`](Self::gate).
    #[must_use]
    pub fn gate(self, gate: Gate) -> Self {
        Self { gate: Some(gate), ..self }
    }
}

/// When the offer leaves, and with which candidates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gathering {
    /// At once, without waiting for candidates. For servers that can be reached: they learn the browser's
    /// address from its first check. Candidates are still gathered, and told by the trace.
    #[default]
    Immediate,
    /// With all candidates, as soon as gathering is complete. For servers that need them, as those of aiortc.
    Complete {
        /// How long to wait; then the offer leaves with what there is. A STUN server that does not answer
        /// would delay it by seconds.
        deadline: Duration,
    },
}

/// A STUN or TURN server ([W3C, `RTCIceServer`](https://www.w3.org/TR/webrtc/#dom-rtciceserver)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IceServer {
    /// As in `stun:stun.example.org:3478`.
    pub urls: Vec<String>,
    /// For TURN.
    #[serde(default)]
    pub username: Option<String>,
    /// For TURN.
    #[serde(default)]
    pub credential: Option<String>,
}

/// The options of a channel ([W3C, `RTCDataChannelInit`](https://www.w3.org/TR/webrtc/#dom-rtcdatachannelinit)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ChannelOptions {
    /// Whether messages arrive in the order in which they were sent; true by default.
    pub ordered: bool,
    /// How often a lost message is sent again, if not until it arrives. Not together with
    /// [`max_packet_life_time`](Self::max_packet_life_time).
    pub max_retransmits: Option<u16>,
    /// For how many milliseconds a lost message is sent again, if not until it arrives.
    pub max_packet_life_time: Option<u16>,
    /// The name of what is spoken on the channel, empty by default.
    pub protocol: String,
}

impl Default for ChannelOptions {
    fn default() -> Self {
        Self { ordered: true, max_retransmits: None, max_packet_life_time: None, protocol: String::new() }
    }
}

/// What is awaited before each step, so that a person may look at the last one first.
#[derive(Clone)]
pub struct Gate(Rc<dyn Fn(Step) -> LocalBoxFuture<'static, ()>>);

impl Gate {
    /// A gate that lets a step begin when its future ends.
    pub fn new<F: Future<Output = ()> + 'static>(gate: impl Fn(Step) -> F + 'static) -> Self {
        Self(Rc::new(move |step| gate(step).boxed_local()))
    }

    pub(crate) async fn pass(&self, step: Step) {
        (self.0)(step).await;
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}
