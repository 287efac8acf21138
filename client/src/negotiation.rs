//! The negotiation: how a browser and a server come to have a data channel, seen from the browser.
//!
//! Read it from top to bottom. Each of the eight [steps](Step) begins with a statement that says so, which waits at the gate,
//! starts the clock and writes the trace; the server's part, step 6, is told by its reply. The order is held by types: only a
//! peer connection with a channel makes an offer, setting an offer yields a pending one, and accepting the answer consumes it.

use hola_webrtc_protocol::Step;

use crate::{ConnectOptions, Connection, RtcError, Signaller, peer::Peer, steps::Steps};

/// Takes the eight steps.
pub(crate) async fn negotiate(
    steps: &Steps,
    signaller: &impl Signaller,
    options: &ConnectOptions,
) -> Result<Connection, RtcError> {
    // Step 1: create the peer connection. Nothing is sent yet; it only holds the ICE, DTLS and SCTP to come.
    // https://www.w3.org/TR/webrtc/#dom-peerconnection
    steps.begin(Step::CreatePeerConnection).await;
    let peer = Peer::new(options, steps.trace())?;

    // Step 2: create the data channel. Before the offer, or the SDP has no `m=application` section.
    // https://www.w3.org/TR/webrtc/#dom-peerconnection-createdatachannel
    steps.begin(Step::CreateDataChannel).await;
    let ready = peer.create_data_channel(options)?;

    // Step 3: create the offer, an SDP with our ICE credentials and the fingerprint of our certificate.
    // https://www.w3.org/TR/webrtc/#dom-rtcpeerconnection-createoffer
    steps.begin(Step::CreateOffer).await;
    let offer = ready.create_offer().await?;

    // Step 4: set it as the local description. From here on ICE gathers candidates. Only a server that must
    // know them makes us wait for them; else they come while the offer is under way.
    // https://www.w3.org/TR/webrtc/#dom-peerconnection-setlocaldescription
    steps.begin(Step::SetLocalOffer).await;
    let pending = offer.set_local(options.gathering).await?;

    // Step 5: send the offer, and wait for the answer.
    // https://www.rfc-editor.org/rfc/rfc9725#section-4.2
    steps.begin(Step::SendOffer).await;
    let reply = pending.send(signaller, steps.trace()).await?;

    // Step 6 is the server's. It has: 6a built its peer, 6b set our offer as its remote description, 6c added
    // its host candidates, 6d created the answer, 6e set that as its local description.
    // https://www.rfc-editor.org/rfc/rfc9429#section-5.3
    let answer = steps.taken_by_the_server(reply);

    // Step 7: set the answer as the remote description. Now both sides know all they need.
    // https://www.w3.org/TR/webrtc/#dom-peerconnection-setremotedescription
    steps.begin(Step::SetRemoteAnswer).await;
    let layers = pending.accept(answer).await?;

    // Step 8: connect. The layers come up on top of each other, by themselves: we watch.
    for layer in [
        // 8a: ICE checks which of the candidates reach each other.
        // https://www.rfc-editor.org/rfc/rfc8445#section-7
        Step::CheckConnectivity,
        // 8b: DTLS agrees on keys, and each side checks the other's certificate against the fingerprint in the SDP.
        // https://www.rfc-editor.org/rfc/rfc8842#section-5
        Step::HandshakeDtls,
        // 8c: SCTP sets up an association inside DTLS.
        // https://www.rfc-editor.org/rfc/rfc8831#section-6.2
        Step::AssociateSctp,
        // 8d: the channel opens, and both sides may speak.
        // https://www.rfc-editor.org/rfc/rfc8832#section-4
        Step::OpenChannel,
    ] {
        steps.begin(layer).await;
        layers.up(layer).await?;
    }
    steps.finish();

    Ok(layers.into_connection())
}
