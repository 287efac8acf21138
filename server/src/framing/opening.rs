//! How a data channel whose opener asks for the framing becomes a channel that speaks it.

use std::{net::IpAddr, sync::Arc};

use futures_util::StreamExt;
use hola_webrtc_protocol::framing::{Fault, Frame, Framing, Limits as Bounds, MIN_WINDOW, Mode, Role};
use tokio::sync::mpsc;
use tracing::info;

use super::{Keeper, Talk, keeper::Found};
use crate::{
    channel::{Channel, Message},
    session::Spawner,
};

/// What it takes to make framed channels of data channels.
pub(crate) struct Opening {
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) spawner: Spawner,
    pub(crate) client: Option<IpAddr>,
}

/// The peer has opened a data channel. It comes back if it is for the handler now; a resumable one comes by `accepted`
/// if it is a new one.
pub(crate) fn accept(
    opening: Opening,
    carrier: Channel,
    accepted: &mpsc::Sender<Channel>,
) -> Option<Channel> {
    match Mode::of(&carrier.parameters().protocol).0 {
        None => Some(carrier),
        Some(Mode::Framed) => Some(open(&opening, carrier, Role::Acceptor)),
        Some(Mode::Resumable) => {
            let accepted = accepted.clone();
            opening.spawner.spawn(begin(opening.keeper, opening.client, carrier, accepted));
            None
        }
    }
}

/// Speaks the framing on a data channel.
pub(crate) fn open(opening: &Opening, carrier: Channel, role: Role) -> Channel {
    let limits = *opening.keeper.limits();
    let talk = Talk::new(role, &limits, None);
    let channel = Channel::framed(talk.clone(), carrier.parameters());
    opening.spawner.spawn(talk.run(carrier, None, opening.keeper.clone()));
    channel
}

/// The first frame says which channel it is.
async fn begin(
    keeper: Arc<Keeper>,
    client: Option<IpAddr>,
    mut carrier: Channel,
    accepted: mpsc::Sender<Channel>,
) {
    let Some(message) = carrier.next().await else { return };
    let first = match message {
        Message::Binary(first) => first,
        Message::Text(_) => return refuse(carrier, Fault::NotBinary),
    };
    let id = match Frame::decode(&first, true) {
        Ok((_, Frame::Open(hello))) => hello.resume.map(|resume| resume.id),
        Ok(_) | Err(Fault::UnexpectedFrame) => None,
        Err(fault) => return refuse(carrier, fault),
    };
    let Some(id) = id else { return refuse(carrier, Fault::NotFramed) };
    let limits = *keeper.limits();
    match keeper.find(id, client, |place| Talk::new(Role::Acceptor, &limits, Some((id, place)))) {
        Found::Known(talk) => {
            info!("a channel is resumed");
            keeper.metrics().resumed();
            talk.resume(carrier, first);
        }
        Found::New(talk) => {
            let channel = Channel::framed(talk.clone(), carrier.parameters());
            // Nobody accepts it if the session has ended: it closes when it is dropped.
            let _ = accepted.try_send(channel);
            talk.run(carrier, Some(first), keeper).await;
        }
        Found::Full => refuse(carrier, Fault::Refused),
    }
}

/// Says what is wrong, and closes the data channel.
fn refuse(mut carrier: Channel, fault: Fault) {
    let bounds = Bounds { window: MIN_WINDOW, max_message: 0, max_transfers: 0, resend: 0 };
    let mut framing = Framing::<()>::new(Role::Acceptor, bounds, None);
    framing.attach();
    framing.fail(fault);
    if let Some(frame) = framing.transmit(0) {
        // A peer that has gone meanwhile need not hear it.
        let _ = carrier.send_now(Message::Binary(frame.into()));
    }
}
