//! The other side of a connection, inside the same page.

#![allow(dead_code, reason = "each test file uses its part")]

pub mod answerer;
pub mod in_page_server;
pub mod page;
#[cfg(feature = "server-tests")]
pub mod server;

use std::time::Duration;

use futures_util::{
    StreamExt,
    future::{Either, select},
};
use gloo_timers::future::TimeoutFuture;
use hola_webrtc_client::{Channel, Message, Trace, TraceData, TraceEvent};

/// The result of the future, which must come within 10 s.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    within(Duration::from_secs(10), future).await
}

/// The result of the future, which must come within this time.
pub async fn within<T>(time: Duration, future: impl Future<Output = T>) -> T {
    match select(Box::pin(future), TimeoutFuture::new(time.as_millis().try_into().unwrap())).await {
        Either::Left((result, _)) => result,
        Either::Right(_) => panic!("nothing within {time:?}"),
    }
}

pub async fn pause(millis: u32) {
    TimeoutFuture::new(millis).await;
}

/// The channel's next message.
pub async fn next(channel: &mut Channel) -> Message {
    soon(channel.next()).await.expect("the channel ended")
}

/// The first event that is wanted, past or to come.
pub async fn event(trace: &Trace, wanted: impl Fn(&TraceEvent) -> bool) -> TraceEvent {
    let mut events = trace.subscribe();
    soon(async {
        while let Some(event) = events.next().await {
            if wanted(&event) {
                return event;
            }
        }
        panic!("the trace ended without it: {trace:?}")
    })
    .await
}

/// The labels of the steps that began, or were done, in order.
pub fn steps(trace: &Trace, wanted: impl Fn(&TraceData) -> bool) -> Vec<&'static str> {
    trace.events().iter().filter(|event| wanted(&event.data)).map(|event| event.step.label()).collect()
}
