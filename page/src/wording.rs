//! Which sentence goes with which step, actor and state.

use hola_webrtc_protocol::{Side, StateMachine, Step};

use crate::{language::Lang, steps::StepState};

/// What the step with this number, 1 to 8, is called.
pub fn step_title(lang: Lang, number: u8) -> &'static str {
    match number {
        1 => lang.step_1_title(),
        2 => lang.step_2_title(),
        3 => lang.step_3_title(),
        4 => lang.step_4_title(),
        5 => lang.step_5_title(),
        6 => lang.step_6_title(),
        7 => lang.step_7_title(),
        _ => lang.step_8_title(),
    }
}

/// What happens in it, in a sentence.
pub fn step_text(lang: Lang, number: u8) -> &'static str {
    match number {
        1 => lang.step_1_text(),
        2 => lang.step_2_text(),
        3 => lang.step_3_text(),
        4 => lang.step_4_text(),
        5 => lang.step_5_text(),
        6 => lang.step_6_text(),
        7 => lang.step_7_text(),
        _ => lang.step_8_text(),
    }
}

/// What a part of a step is called; a step without parts is called as in [`step_title`].
pub fn part_title(lang: Lang, part: Step) -> &'static str {
    match part {
        Step::BuildPeer => lang.step_6_a_title(),
        Step::SetRemoteOffer => lang.step_6_b_title(),
        Step::AddHostCandidates => lang.step_6_c_title(),
        Step::CreateAnswer => lang.step_6_d_title(),
        Step::SetLocalAnswer => lang.step_6_e_title(),
        Step::CheckConnectivity => lang.step_8_a_title(),
        Step::HandshakeDtls => lang.step_8_b_title(),
        Step::AssociateSctp => lang.step_8_c_title(),
        Step::OpenChannel => lang.step_8_d_title(),
        _ => step_title(lang, part.number()),
    }
}

/// What happens in a part of a step, in a sentence.
pub fn part_text(lang: Lang, part: Step) -> &'static str {
    match part {
        Step::BuildPeer => lang.step_6_a_text(),
        Step::SetRemoteOffer => lang.step_6_b_text(),
        Step::AddHostCandidates => lang.step_6_c_text(),
        Step::CreateAnswer => lang.step_6_d_text(),
        Step::SetLocalAnswer => lang.step_6_e_text(),
        Step::CheckConnectivity => lang.step_8_a_text(),
        Step::HandshakeDtls => lang.step_8_b_text(),
        Step::AssociateSctp => lang.step_8_c_text(),
        Step::OpenChannel => lang.step_8_d_text(),
        _ => step_text(lang, part.number()),
    }
}

/// The call or the protocol that the step is made of: what the link to its place in the standards shows.
pub const fn call(step: Step) -> &'static str {
    match step {
        Step::CreatePeerConnection | Step::BuildPeer => "new RTCPeerConnection()",
        Step::CreateDataChannel => "createDataChannel(\"chat\")",
        Step::CreateOffer => "createOffer()",
        Step::SetLocalOffer => "setLocalDescription(offer)",
        Step::SendOffer => "POST /offer",
        Step::SetRemoteOffer => "setRemoteDescription(offer)",
        Step::AddHostCandidates => "RFC 8445 §5.1.1.1",
        Step::CreateAnswer => "createAnswer()",
        Step::SetLocalAnswer => "setLocalDescription(answer)",
        Step::SetRemoteAnswer => "setRemoteDescription(answer)",
        Step::CheckConnectivity => "RFC 8445 §7",
        Step::HandshakeDtls => "RFC 8842 §5",
        Step::AssociateSctp => "RFC 8831 §6.2",
        Step::OpenChannel => "RFC 8832 §4",
    }
}

/// Who takes the step.
pub fn actor(lang: Lang, side: Option<Side>) -> &'static str {
    match side {
        Some(Side::Client) => lang.actor_browser(),
        Some(Side::Server) => lang.actor_server(),
        None => lang.actor_both(),
    }
}

/// How far the step is.
pub fn state(lang: Lang, state: StepState) -> &'static str {
    match state {
        StepState::Pending => lang.state_pending(),
        StepState::Active => lang.state_active(),
        StepState::Done => lang.state_done(),
        StepState::Failed => lang.state_failed(),
    }
}

/// The attribute that shows a state machine's state, under its W3C name.
pub const fn machine(machine: StateMachine) -> &'static str {
    match machine {
        StateMachine::Signaling => "signalingState",
        StateMachine::IceGathering => "iceGatheringState",
        StateMachine::IceConnection => "iceConnectionState",
        StateMachine::Connection => "connectionState",
        StateMachine::DtlsTransport => "RTCDtlsTransport.state",
        StateMachine::SctpTransport => "RTCSctpTransport.state",
        StateMachine::DataChannel => "RTCDataChannel.readyState",
    }
}
