//! Channels that speak the framing (`docs/framing.md`): what runs between a data channel and those who use it.
//!
//! A [`Talk`] is one side of such a channel, shared by its handles. A task, [`Talk::run`], carries frames between it
//! and the data channel of the moment, the carrier. A resumable talk outlives its carrier: [`Keeper`] finds it when its
//! client comes back.

mod incoming;
mod keeper;
mod large;
mod opening;
mod outgoing;
mod pump;
mod talk;

pub use self::{
    incoming::IncomingLarge,
    large::{Large, LargeError},
    outgoing::OutgoingLarge,
};
pub(crate) use self::{
    keeper::Keeper,
    opening::{Opening, accept, open},
    talk::Talk,
};
