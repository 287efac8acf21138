//! The order of offer and answer, held by types: [`ReadyToOffer`], [`Offer`], [`PendingOffer`], [`Layers`].

use std::{rc::Rc, time::Duration};

use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use hola_webrtc_protocol::{SdpType, SessionDescription, Step, TraceData};
use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{RtcIceGatheringState, RtcSessionDescriptionInit};

use crate::{
    ErrorKind, Gathering, Reply, RtcError, Signaller, Trace, channel::ChannelCore, layers::Layers, observe,
    peer::Peer, read, steps::millis, sys,
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
        let description = read::description(&offer).ok_or_else(|| {
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
        settled(STEP, pc.set_local_description(&init(STEP, &description)?)).await?;
        if let Gathering::Complete { deadline } = gathering {
            gathered(&ready.peer, deadline).await;
            if let Some(local) = sys::description(pc, "localDescription") {
                description.sdp = local.sdp();
                let description = description.clone();
                ready.peer.trace().client(STEP, TraceData::Description { description });
            }
        }
        Ok(PendingOffer { ready, description })
    }
}

impl PendingOffer {
    /// Step 5.
    pub(crate) async fn send(&self, signaller: &impl Signaller, trace: &Trace) -> Result<Reply, RtcError> {
        let mut reply = signaller.exchange(&self.description, trace).await?;
        self.ready.peer.set_session(reply.session, reply.end.take());
        Ok(reply)
    }

    /// Step 7.
    pub(crate) async fn accept(self, answer: SessionDescription) -> Result<Layers, RtcError> {
        const STEP: Step = Step::SetRemoteAnswer;
        let bad = |cause: &str| RtcError::new(STEP, ErrorKind::BadAnswer, cause);
        if answer.kind != SdpType::Answer {
            return Err(bad("the reply to the offer is a description, but no answer"));
        }
        let ReadyToOffer { peer, channel } = self.ready;
        settled(STEP, peer.raw().set_remote_description(&init(STEP, &answer)?))
            .await
            .map_err(|error| bad(&error.to_string()))?;
        observe::transports(&peer);
        Ok(Layers::new(peer, channel))
    }
}

/// Waits for all candidates, or until the deadline.
async fn gathered(peer: &Peer, deadline: Duration) {
    let complete = peer
        .changes
        .until(|| (peer.raw().ice_gathering_state() == RtcIceGatheringState::Complete).then_some(()));
    match select(Box::pin(complete), TimeoutFuture::new(millis(deadline))).await {
        Either::Left(_) | Either::Right(_) => {}
    }
}

/// The promise's value; a rejection is a failure of the step.
async fn settled(step: Step, promise: Promise) -> Result<JsValue, RtcError> {
    JsFuture::from(promise).await.map_err(|thrown| RtcError::js(step, &thrown))
}

/// The description as the browser takes it.
fn init(step: Step, description: &SessionDescription) -> Result<RtcSessionDescriptionInit, RtcError> {
    serde_wasm_bindgen::to_value(description)
        .map(JsCast::unchecked_into)
        .map_err(|error| RtcError::new(step, ErrorKind::Js, error.to_string()))
}
