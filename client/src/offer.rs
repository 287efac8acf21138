//! The order of offer and answer, held by types: [`ReadyToOffer`], [`Offer`], [`PendingOffer`], [`Layers`].

use std::{
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use hola_webrtc_protocol::{SdpType, SessionDescription, Step, TraceData};
use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::{
    ErrorKind, Gathering, Reply, RtcError, Signaller, Trace, channel_core::ChannelCore, layers::Layers,
    object, peer::Peer, steps::millis,
};

/// A peer connection with a data channel, of which an offer can be made.
pub(crate) struct ReadyToOffer {
    peer: Rc<Peer>,
    channel: Rc<ChannelCore>,
}

/// An offer that is not set yet.
pub(crate) struct Offer {
    ready: ReadyToOffer,
    description: SessionDescription,
}

/// An offer that waits for its answer.
pub(crate) struct PendingOffer {
    ready: ReadyToOffer,
    description: SessionDescription,
}

impl ReadyToOffer {
    pub(crate) fn new(peer: Rc<Peer>, channel: Rc<ChannelCore>) -> Self {
        Self { peer, channel }
    }

    /// Step 3.
    pub(crate) async fn create_offer(self) -> Result<Offer, RtcError> {
        let offer = settled(Step::CreateOffer, self.peer.raw().create_offer()).await?;
        let description = object::description(&offer).ok_or_else(|| {
            RtcError::new(Step::CreateOffer, ErrorKind::Js, "what the browser made is no description")
        })?;
        self.peer
            .trace()
            .client(Step::CreateOffer, TraceData::Description { description: description.clone() });
        Ok(Offer { ready: self, description })
    }
}

impl Offer {
    /// Step 4.
    pub(crate) async fn set_local(self, gathering: Gathering) -> Result<PendingOffer, RtcError> {
        const STEP: Step = Step::SetLocalOffer;
        let Self { ready, mut description } = self;
        let pc = ready.peer.raw();
        let init = object::of_description(&description);
        settled(STEP, pc.set_local_description(init.unchecked_ref())).await?;
        if let Gathering::Complete { deadline } = gathering {
            gathered(&ready.peer, deadline).await;
            if let Some(local) = object::description(&object::property(pc, "localDescription")) {
                description = local.clone();
                ready.peer.trace().client(STEP, TraceData::Description { description: local });
            }
        }
        Ok(PendingOffer { ready, description })
    }
}

impl PendingOffer {
    /// Step 5.
    pub(crate) async fn send(&self, signaller: &impl Signaller, trace: &Trace) -> Result<Reply, RtcError> {
        let mut reply = signaller.exchange(&self.description, trace).await?;
        self.ready.peer.set_session(reply.session, reply.end.take(), reply.restart.take());
        Ok(reply)
    }

    /// Step 7.
    pub(crate) async fn accept(self, answer: SessionDescription) -> Result<Layers, RtcError> {
        const STEP: Step = Step::SetRemoteAnswer;
        if answer.kind != SdpType::Answer {
            let cause = "the reply to the offer is no answer";
            return Err(RtcError::new(STEP, ErrorKind::BadAnswer, cause));
        }
        let ReadyToOffer { peer, channel } = self.ready;
        let init = object::of_description(&answer);
        settled(STEP, peer.raw().set_remote_description(init.unchecked_ref()))
            .await
            .map_err(|error| RtcError::new(STEP, ErrorKind::BadAnswer, error.into_cause()))?;
        peer.watch_transports();
        Ok(Layers::new(peer, channel))
    }
}

/// Waits for all candidates, or until the deadline.
async fn gathered(peer: &Rc<Peer>, deadline: Duration) {
    let _timer = peer.late_after(millis(deadline));
    let complete = || object::text(peer.raw(), "iceGatheringState").as_deref() == Some("complete");
    peer.changes.until(|| (peer.is_late.get() || complete()).then_some(())).await;
}

/// The promise's value; a rejection is a failure of the step.
pub(crate) fn settled(step: Step, promise: Promise) -> Settled {
    Settled { step, future: promise.into() }
}

/// See [`settled`].
pub(crate) struct Settled {
    step: Step,
    future: JsFuture,
}

impl Future for Settled {
    type Output = Result<JsValue, RtcError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let step = self.step;
        Pin::new(&mut self.future).poll(context).map_err(|thrown| RtcError::js(step, &thrown))
    }
}
