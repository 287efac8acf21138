//! Who is told of everything at once, without a task that waits for it: the JavaScript API.

use std::rc::Rc;

use hola_webrtc_protocol::TraceEvent;

use crate::{Closed, channel::ChannelCore};

/// Whoever is told must not come back before it returns.
pub(crate) trait Observer {
    /// An event was added to the trace.
    fn recorded(&self, event: &TraceEvent);

    /// The channel of step 2 is made.
    fn made(&self, channel: &Rc<ChannelCore>);

    /// The other side has opened a channel.
    fn incoming(&self, channel: Rc<ChannelCore>);

    /// The state of the connection may have moved.
    fn changed(&self);

    /// All is over.
    fn ended(&self, how: &Closed);
}
