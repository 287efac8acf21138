//! From a URL to a connection.

use std::{
    fmt,
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use futures_util::{FutureExt, future::LocalBoxFuture};
use hola_webrtc_protocol::{Side, TraceData};

use crate::{ConnectOptions, Connection, RtcError, Signaller, Trace, http::Http, negotiation, steps::Steps};

/// Connects to a hola-webrtc server, or to any that takes `POST /offer`.
///
/// `url` is the server's address, or the one to which the offer is posted, if its path ends in `/offer`. It may
/// be relative to the page; "" and "/" mean the page's own origin.
pub fn connect(url: impl Into<String>, options: ConnectOptions) -> Connecting {
    let signaller = Http::new(url.into(), &options);
    connect_with(signaller, options)
}

/// Connects through a signaller of one's own.
pub fn connect_with(signaller: impl Signaller + 'static, options: ConnectOptions) -> Connecting {
    let trace = Trace::new(options.observer.clone());
    let steps = Steps::new(&options, trace.clone());
    let connecting = async move {
        let negotiation = pin!(negotiation::negotiate(&steps, &signaller, &options));
        steps.run(negotiation).await
    };
    Connecting { trace, connecting: Some(connecting.boxed_local()) }
}

/// A connection that is being made; resolves to the [`Connection`] when its channel is open.
///
/// Nothing happens until it is polled. Dropping it closes everything: the request is aborted, the peer
/// connection closed, a session that the server already holds ended, and no listener or timer is left.
#[must_use = "nothing happens until it is awaited"]
pub struct Connecting {
    trace: Trace,
    /// Gone once it has resolved.
    connecting: Option<LocalBoxFuture<'static, Result<Connection, RtcError>>>,
}

impl Connecting {
    /// What happens meanwhile, and later to the connection.
    pub fn trace(&self) -> Trace {
        self.trace.clone()
    }
}

impl Future for Connecting {
    type Output = Result<Connection, RtcError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(connecting) = &mut self.connecting else {
            return Poll::Pending;
        };
        let result = ready!(connecting.poll_unpin(context));
        self.connecting = None;
        Poll::Ready(result)
    }
}

impl Drop for Connecting {
    fn drop(&mut self) {
        if self.connecting.is_some() {
            if let Some(step) = self.trace.last_step() {
                self.trace.client(step, TraceData::Closed { by: Side::Client, reason: None });
            }
            self.trace.end();
        }
    }
}

impl fmt::Debug for Connecting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connecting").field("trace", &self.trace).finish_non_exhaustive()
    }
}
