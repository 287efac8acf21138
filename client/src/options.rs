//! What may be chosen when one connects.

use std::{fmt, future::Future, rc::Rc, time::Duration};

use futures_util::{FutureExt, future::LocalBoxFuture};
use hola_webrtc_protocol::{CHAT_LABEL, Step};
use wasm_bindgen::JsCast;
use web_sys::{RtcConfiguration, RtcDataChannelInit};

use crate::{
    ChannelOptions, IceServer, dictionaries,
    object::Plain,
    observer::{Native, Observer},
};

/// How to connect. The default suits a hola-webrtc server; each method changes one thing.
///
/// ```no_run
/// use std::time::Duration;
/// use hola_webrtc_client::{ChannelOptions, ConnectOptions};
///
/// let options = ConnectOptions::default()
///     .label("telemetry")
///     .channel(&ChannelOptions::default().unordered().max_retransmits(0))
///     .deadline(Duration::from_secs(5));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct ConnectOptions {
    pub(crate) gathering: Gathering,
    pub(crate) configuration: RtcConfiguration,
    pub(crate) label: String,
    pub(crate) channel: RtcDataChannelInit,
    pub(crate) headers: Plain,
    pub(crate) deadline: Duration,
    pub(crate) patience: Duration,
    pub(crate) gate: Option<Gate>,
    pub(crate) observer: Rc<dyn Observer>,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            gathering: Gathering::Immediate,
            configuration: js_sys::Object::new().unchecked_into(),
            label: CHAT_LABEL.to_owned(),
            channel: js_sys::Object::new().unchecked_into(),
            headers: Plain::empty(),
            deadline: Duration::from_secs(15),
            patience: Duration::from_secs(5),
            gate: None,
            observer: Rc::new(Native),
        }
    }
}

impl ConnectOptions {
    /// When the offer leaves.
    #[must_use]
    pub fn gathering(self, gathering: Gathering) -> Self {
        Self { gathering, ..self }
    }

    /// STUN and TURN servers, none by default: a server that can be reached needs none of them.
    #[must_use]
    pub fn ice_servers(self, ice_servers: impl IntoIterator<Item = IceServer>) -> Self {
        self.configuration(dictionaries::configuration(ice_servers.into_iter().collect()))
    }

    /// All that the browser takes, in place of [`ice_servers`](Self::ice_servers) alone
    /// ([W3C, `RTCConfiguration`](https://www.w3.org/TR/webrtc/#dom-rtcconfiguration)).
    #[must_use]
    pub fn configuration(self, configuration: RtcConfiguration) -> Self {
        Self { configuration, ..self }
    }

    /// The label of the channel, "chat" by default. On any other label the server only echoes.
    #[must_use]
    pub fn label(self, label: impl Into<String>) -> Self {
        Self { label: label.into(), ..self }
    }

    /// The options of the channel.
    #[must_use]
    pub fn channel(self, channel: &ChannelOptions) -> Self {
        Self { channel: dictionaries::channel(channel), ..self }
    }

    /// The language in which the server should speak, as in `Accept-Language`: `"es"`, `"en-GB, en;q=0.8"`.
    #[must_use]
    pub fn language(self, language: impl Into<String>) -> Self {
        self.header("Accept-Language", &language.into())
    }

    /// The token that the server asks for ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750#section-2.1)).
    #[must_use]
    pub fn token(self, token: impl Into<String>) -> Self {
        self.header("Authorization", &format!("Bearer {}", token.into()))
    }

    /// How long all steps together may take, 15 s by default, and the reply to an ICE restart. Time spent at the
    /// [gate](Self::gate) does not count.
    #[must_use]
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// How long a connection may stay disconnected, once open, before it counts as lost; 5 s by default.
    ///
    /// A browser sees that nothing comes any more after about 5 s, and calls it `disconnected`. It may
    /// recover, so the patience begins then. What the browser itself calls `failed` is lost at once.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Waits before each step.
    #[must_use]
    pub fn gate(self, gate: Gate) -> Self {
        Self { gate: Some(gate), ..self }
    }

    /// What no header can hold would throw, and is left out.
    fn header(self, name: &str, value: &str) -> Self {
        if !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return self;
        }
        // A copy: clones of these options have the same object.
        let headers: Plain = js_sys::Object::assign(&Plain::empty(), &self.headers).unchecked_into();
        headers.set_text(name, value);
        Self { headers, ..self }
    }
}

/// Without the token, which is a secret, and what the browser is given.
impl fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectOptions")
            .field("gathering", &self.gathering)
            .field("label", &self.label)
            .field("deadline", &self.deadline)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

/// When the offer leaves, and with which candidates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
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

/// What is awaited before each step, so that a person may look at the last one first.
#[derive(Clone)]
pub struct Gate(Rc<dyn Fn(Step) -> LocalBoxFuture<'static, ()>>);

impl Gate {
    /// A gate that lets a step begin when its future ends.
    pub fn new<F: Future<Output = ()> + 'static>(gate: impl Fn(Step) -> F + 'static) -> Self {
        Self(Rc::new(move |step| gate(step).boxed_local()))
    }

    pub(crate) fn pass(&self, step: Step) -> LocalBoxFuture<'static, ()> {
        (self.0)(step)
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}
