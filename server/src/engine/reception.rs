//! Where sessions begin: an offer comes in, and is answered on the thread it came on; the peer goes to a worker.

use std::{
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, PoisonError, RwLock},
    time::Instant,
};

use hola_webrtc_protocol::{SessionId, Step, TraceData, sdp};
use tracing::{info, trace};

use super::{
    Doorbell,
    channels::Channels,
    peer::{Parts, Peer},
    registry::Registry,
};
use crate::{
    answer::{Answer, Answerer, host_candidates},
    metrics::{Limit, SessionState},
    offer::{AnswerError, Answered, OfferContext},
    session::Link,
};

pub(crate) struct Reception {
    /// Another one takes its place when the server is reached at other addresses.
    answerer: RwLock<Arc<Answerer>>,
    registry: Arc<Registry>,
}

impl Reception {
    pub(crate) fn new(answerer: Answerer, registry: Arc<Registry>) -> Self {
        Self { answerer: RwLock::new(Arc::new(answerer)), registry }
    }

    /// Offers are answered by another answerer from now on. The sessions that live go on with what they agreed upon.
    pub(crate) fn replace(&self, answerer: Answerer) {
        *self.answerer.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(answerer);
    }

    /// The addresses that answers name.
    pub(crate) fn candidates(&self) -> Arc<[SocketAddr]> {
        self.answerer().candidates().into()
    }

    /// No code panics while it holds the lock, so a poisoned one is as good as any.
    fn answerer(&self) -> Arc<Answerer> {
        self.answerer.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers an offer. The peer is for the worker of this number, which has to adopt it. If it fails, nothing is
    /// left of the offer.
    pub(crate) fn answer(
        &self,
        now: Instant,
        offer: &str,
        context: OfferContext,
        worker: usize,
    ) -> Result<(Answered, Box<Peer>), AnswerError> {
        let place = self.registry.admit(context.remote.map(|remote| remote.ip()))?;
        let answerer = self.answerer();
        let answer = catch_unwind(AssertUnwindSafe(|| answerer.answer(now, offer)))
            .unwrap_or_else(|_| Err(AnswerError::Internal("the answerer panicked".to_owned())))?;
        let id = SessionId::from_bytes(answerer.random()?);
        let Answer { stack, sdp, ufrag, timings } = answer;

        let limits = *self.registry.limits();
        let metrics = self.registry.metrics();
        let doorbell = Arc::new(Doorbell::new(id));
        let draining = self.registry.draining();
        let keeper = self.registry.keeper().clone();
        let (session, link, accepted) =
            Link::open(now, id, context, doorbell.clone(), draining, limits.max_channels, keeper);
        link.span.in_scope(|| {
            for (step, took) in &timings {
                metrics.step(*step, *took);
                let took = took.as_secs_f64() * 1e3;
                info!(%step, "{} ({took:.2} ms)", step.title());
                link.journal.note(now, *step, TraceData::Done { took });
            }
            trace!(%offer, answer = sdp);
            info!(live = self.registry.count(), "the session begins");
        });

        for candidate in host_candidates(answerer.candidates()) {
            link.journal.note(now, Step::AddHostCandidates, TraceData::Candidate { candidate });
        }
        let etag = ufrag.clone();
        let resident = self.registry.settle(id, worker, ufrag, link.clone());
        if !resident.note_candidates(now, sdp::candidates(offer), limits.max_candidates) {
            metrics.limit_reached(Limit::MaxCandidates);
        }
        let channels = Channels::new(doorbell.clone(), accepted, link.clone(), limits, metrics.clone());
        let candidates = answerer.candidates().into();
        metrics.session_moved(None, Some(SessionState::Checking));
        let parts = Parts {
            place,
            resident,
            stack,
            candidates,
            doorbell,
            link,
            session,
            channels,
            limits,
            metrics: metrics.clone(),
        };
        Ok((Answered { id, sdp, timings, etag }, Box::new(Peer::new(now, parts))))
    }
}
