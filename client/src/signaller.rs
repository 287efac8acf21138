//! How the offer reaches the other side and the answer comes back.

use std::{fmt, future::Future, rc::Rc, time::Duration};

use futures_util::{FutureExt, future::LocalBoxFuture};

use hola_webrtc_protocol::{SessionDescription, SessionId, Step};

use crate::{RtcError, Trace};

/// Carries the offer there and the answer back: step 5. [`connect`](crate::connect) does it by HTTP; with
/// [`connect_with`](crate::connect_with) it can be anything else.
pub trait Signaller {
    /// Sends the offer and waits for the reply. Dropping the future gives up.
    ///
    /// What is worth knowing of the way there and back goes into the trace.
    fn exchange(
        &self,
        offer: &SessionDescription,
        trace: &Trace,
    ) -> impl Future<Output = Result<Reply, RtcError>>;
}

/// What the other side replied to an offer.
#[derive(Debug)]
#[non_exhaustive]
pub struct Reply {
    /// The answer.
    pub answer: SessionDescription,
    /// The session's name, if it has one.
    pub session: Option<SessionId>,
    /// How long the parts of step 6 took on the other side, as far as it tells.
    pub timings: Vec<(Step, Duration)>,
    /// Ends the session on the other side.
    pub end: Option<EndSession>,
    /// Restarts ICE on the other side, if it can.
    pub restart: Option<RestartIce>,
}

impl Reply {
    /// A reply with an answer and nothing else.
    pub fn new(answer: SessionDescription) -> Self {
        Self { answer, session: None, timings: Vec::new(), end: None, restart: None }
    }
}

/// Takes an SDP fragment with new ICE credentials to the other side, and brings back the fragment with that side's
/// ([RFC 8840, 9](https://www.rfc-editor.org/rfc/rfc8840#section-9)).
#[derive(Clone)]
pub struct RestartIce(Rc<Exchange>);

type Exchange = dyn Fn(String) -> LocalBoxFuture<'static, Result<String, RtcError>>;

impl RestartIce {
    /// How to do it.
    pub fn new<F>(exchange: impl Fn(String) -> F + 'static) -> Self
    where
        F: Future<Output = Result<String, RtcError>> + 'static,
    {
        Self(Rc::new(move |fragment| exchange(fragment).boxed_local()))
    }

    pub(crate) fn send(&self, fragment: String) -> LocalBoxFuture<'static, Result<String, RtcError>> {
        (self.0)(fragment)
    }
}

impl fmt::Debug for RestartIce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RestartIce")
    }
}

/// Tells the other side that the session is over; called at most once, when this side closes.
pub struct EndSession(Box<dyn FnOnce()>);

impl EndSession {
    /// What to do then. It must not wait: the page may be on its way out.
    pub fn new(end: impl FnOnce() + 'static) -> Self {
        Self(Box::new(end))
    }

    pub(crate) fn tell(self) {
        (self.0)();
    }
}

impl fmt::Debug for EndSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EndSession")
    }
}
