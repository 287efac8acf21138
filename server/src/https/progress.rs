//! A client of HTTP/2 that takes nothing of a reply is let go, though it answers pings.
//!
//! It shuts the window of the reply's stream, or never opens it: then nothing waits in the connection, which looks idle.
//! What a client of HTTP/1.1 does not read waits there, and [`Unstalled`](super::unstalled::Unstalled) sees it.
//!
//! The connection ends with all its replies: while a stream has no room, hyper asks neither its body nor anything else of the
//! program, so that there is nothing to reset the one stream by.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::Version,
    middleware::Next,
    response::Response,
};
use hyper::body::{Frame, SizeHint};
use tokio::time::Instant;

use super::requests::{Requests, UnderWay};

/// How much of a reply is handed over at once, so that a client may be slow: it has to take so much within its time.
const PIECE: usize = 8 * 1024;

/// What the client of one connection has asked for, and what of the replies it has yet to take.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    replies: Arc<Replies>,
    pub(super) requests: Requests,
}

#[derive(Debug, Default)]
struct Replies {
    next: AtomicU64,
    /// Since when each waits.
    waiting: Mutex<HashMap<u64, Instant>>,
}

impl Progress {
    /// Since when the reply waits that has waited longest.
    fn oldest(&self) -> Option<Instant> {
        self.waiting().values().min().copied()
    }

    /// When to look again whether a reply waits longer than this; `None` if one does.
    pub(super) fn next_look(&self, patience: Duration) -> Option<Instant> {
        let now = Instant::now();
        let due = self.oldest().unwrap_or(now) + patience;
        (due > now).then_some(due)
    }

    fn watch(&self, body: Body, under_way: UnderWay) -> Watched {
        let number = self.replies.next.fetch_add(1, Ordering::Relaxed);
        self.waiting().insert(number, Instant::now());
        Watched { body, rest: Bytes::new(), number, progress: self.clone(), _under_way: under_way }
    }

    /// No code panics while it holds the lock, so a poisoned one is as good as any.
    fn waiting(&self) -> MutexGuard<'_, HashMap<u64, Instant>> {
        self.replies.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Watches requests over HTTP/2, and the bodies of replies.
pub(super) async fn watch(request: Request, next: Next) -> Response {
    let progress = request.extensions().get::<Progress>().cloned();
    let progress = progress.filter(|_| request.version() == Version::HTTP_2);
    let Some(progress) = progress else { return next.run(request).await };
    let under_way = progress.requests.begin();
    let response = next.run(request).await;
    if response.body().is_end_stream() {
        return response;
    }
    response.map(|body| Body::new(progress.watch(body, under_way)))
}

/// A body that is asked for more once the client has taken what came before: hyper waits for room first, and for one byte
/// of it even before it asks for the end. A body that has nothing to say, as one of events, is asked all the time.
struct Watched {
    body: Body,
    rest: Bytes,
    number: u64,
    progress: Progress,
    _under_way: UnderWay,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let number = self.number;
        self.progress.waiting().remove(&number);
        if self.rest.is_empty() {
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                other => return other,
            }
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        self.progress.waiting().insert(number, Instant::now());
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    /// Never known beforehand: what was handed over last has yet to be taken.
    fn is_end_stream(&self) -> bool {
        false
    }

    fn size_hint(&self) -> SizeHint {
        let (body, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(body.lower() + rest);
        hint
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.progress.waiting().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn a_reply_waits_until_it_is_asked_for_and_after_each_piece() {
        let progress = Progress::default();
        let mut reply = progress.watch(Body::from(vec![7; PIECE + 1]), progress.requests.begin());
        assert_eq!(reply.size_hint().exact(), Some(PIECE as u64 + 1));
        for length in [PIECE, 1] {
            tokio::time::advance(PATIENCE / 2).await;
            assert!(progress.next_look(PATIENCE).is_some());
            let piece = reply.frame().await.unwrap().unwrap().into_data().unwrap();
            assert_eq!(piece.len(), length);
        }
        tokio::time::advance(PATIENCE).await;
        assert_eq!(progress.next_look(PATIENCE), None, "the last piece is not taken");
        assert!(reply.frame().await.is_none());
        assert!(progress.next_look(PATIENCE).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_reply_that_has_nothing_to_say_does_not_wait_nor_one_that_is_given_up() {
        let progress = Progress::default();
        let nothing = futures_util::stream::pending::<Result<Bytes, std::io::Error>>();
        let mut events = progress.watch(Body::from_stream(nothing), progress.requests.begin());
        assert!(futures_util::FutureExt::now_or_never(events.frame()).is_none());
        drop(progress.watch(Body::from("never asked for"), progress.requests.begin()));
        tokio::time::advance(PATIENCE * 100).await;
        assert!(progress.next_look(PATIENCE).is_some());
    }
}
