//! What the server reads off an offer (RFC 8829, 5.8).

use std::io::Cursor;

use hola_webrtc_protocol::sdp;
use rtc_sdp::description::{media::MediaDescription, session::SessionDescription};

use crate::{
    answer::IceCredentials,
    engine::{Fingerprint, FingerprintError, Init, InitError, Remote},
    offer::AnswerError,
};

/// What a peer that does not say takes at most (RFC 8841, 6).
const DEFAULT_MAX_MESSAGE_SIZE: u32 = 65_536;

/// The port of SCTP within DTLS, which is no port of anything else: every WebRTC implementation uses this one.
const SCTP_PORT: &str = "5000";

/// An offer that can be answered.
#[derive(Debug)]
pub(super) struct Offered {
    pub(super) remote: Remote,
    /// How its SCTP begins, if it says so.
    pub(super) init: Option<Init>,
    /// Its sections, in order.
    pub(super) sections: Vec<Section>,
    /// Whether the data channels' section is in a BUNDLE group.
    pub(super) is_bundled: bool,
}

/// A section of the offer, as far as the answer repeats it.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) mid: String,
    /// What it begins with: the kind of media, the protocol, the first format.
    pub(super) media: String,
    pub(super) protocol: String,
    pub(super) format: String,
    /// Whether it is the one for data channels, which is accepted.
    pub(super) is_data: bool,
}

impl Offered {
    /// Reads an offer, in which no candidate must be left.
    pub(super) fn read(offer: &str) -> Result<Self, AnswerError> {
        let description = SessionDescription::unmarshal(&mut Cursor::new(offer)).map_err(super::bad_sdp)?;
        if names_candidates(&description) {
            return bad("a candidate line is malformed");
        }
        let media = &description.media_descriptions;
        let Some(data) = media.iter().position(is_data) else {
            if sdp::has_data_channel(offer) {
                return bad("the m=application section cannot be answered");
            }
            return Err(AnswerError::NoDataChannel);
        };
        if media[data].media_name.port.value == 0 && !media[data].has_attribute("bundle-only") {
            return bad("the m=application section is switched off: its port is 0");
        }
        let mid = value(&media[data], "mid").filter(|mid| !mid.is_empty());
        let Some(mid) = mid else { return bad("the m=application section has no a=mid") };

        let bundle = description
            .attributes
            .iter()
            .filter(|attribute| attribute.key == "group")
            .filter_map(|attribute| attribute.value.as_deref()?.strip_prefix("BUNDLE "))
            .map(|mids| mids.split_whitespace().collect::<Vec<_>>())
            .find(|mids| mids.contains(&mid));
        // In a BUNDLE group the first section may speak for all. https://www.rfc-editor.org/rfc/rfc9143#section-7
        let tagged =
            bundle.iter().find_map(|mids| media.iter().find(|one| value(one, "mid") == Some(mids[0])));
        let sections = [Some(&media[data]), tagged];
        let of_sections =
            |name: &str| sections.into_iter().flatten().find_map(|section| value(section, name));
        let of_session = |name: &str| description.attribute(name).map(String::as_str);
        let attribute = |name: &str| value(&media[data], name).or(of_session(name)).or(of_sections(name));

        let (ufrag, password) = (attribute("ice-ufrag"), attribute("ice-pwd"));
        let Some((ufrag, password)) =
            ufrag.zip(password).filter(|(ufrag, password)| !ufrag.is_empty() && !password.is_empty())
        else {
            return bad("the offer has no ICE credentials");
        };
        if !matches!(attribute("setup"), None | Some("actpass" | "passive")) {
            return bad("the offer leaves the server no active part in DTLS: a=setup has to be actpass");
        }
        if let Some(port) = attribute("sctp-port").filter(|port| *port != SCTP_PORT) {
            return bad(format!("a=sctp-port is {port}, and has to be {SCTP_PORT}"));
        }
        let max_message_size = match value(&media[data], "max-message-size").map(str::parse) {
            None => DEFAULT_MAX_MESSAGE_SIZE,
            // It takes any size.
            Some(Ok(0)) => u32::MAX,
            Some(Ok(size)) => size,
            Some(Err(_)) => return bad("a=max-message-size is no number"),
        };
        let init =
            media[data].attribute("sctp-init").map(|init| init.unwrap_or_default().parse()).transpose();
        let fingerprints = fingerprints(&description, sections)?;
        Ok(Self {
            remote: Remote {
                credentials: IceCredentials { ufrag: ufrag.to_owned(), password: password.to_owned() },
                fingerprints,
                max_message_size,
            },
            init: init.map_err(|error: InitError| super::bad_sdp(error))?,
            sections: media.iter().enumerate().map(|(index, media)| section(media, index == data)).collect(),
            is_bundled: bundle.is_some(),
        })
    }
}

/// The fingerprints of the section, else of the session, else of the section that speaks for its group. Those by other
/// hash functions do not count, unless there are no others.
fn fingerprints(
    description: &SessionDescription,
    [data, tagged]: [Option<&MediaDescription>; 2],
) -> Result<Vec<Fingerprint>, AnswerError> {
    let of_data = data.map(|section| &section.attributes);
    let of_tagged = tagged.map(|section| &section.attributes);
    for attributes in [of_data, Some(&description.attributes), of_tagged].into_iter().flatten() {
        let values: Vec<_> = attributes
            .iter()
            .filter(|attribute| attribute.key == "fingerprint")
            .map(|attribute| attribute.value.as_deref().unwrap_or_default().parse::<Fingerprint>())
            .collect();
        if values.contains(&Err(FingerprintError::Malformed)) {
            return bad("an a=fingerprint is malformed");
        }
        if !values.is_empty() {
            let known: Vec<_> = values.into_iter().flatten().collect();
            if known.is_empty() {
                return bad(
                    "every a=fingerprint is by a hash function other than SHA-256, SHA-384 and SHA-512",
                );
            }
            return Ok(known);
        }
    }
    bad("the offer has no a=fingerprint")
}

fn section(media: &MediaDescription, is_data: bool) -> Section {
    Section {
        mid: value(media, "mid").unwrap_or_default().to_owned(),
        media: media.media_name.media.clone(),
        protocol: media.media_name.protos.join("/"),
        format: media.media_name.formats.first().cloned().unwrap_or_default(),
        is_data,
    }
}

/// Whether it offers data channels (RFC 8841, 4).
fn is_data(media: &MediaDescription) -> bool {
    let name = &media.media_name;
    name.media == "application"
        && name.formats == ["webrtc-datachannel"]
        && name.protos.last().is_some_and(|last| last == "SCTP")
}

fn value<'a>(media: &'a MediaDescription, name: &str) -> Option<&'a str> {
    media.attribute(name).flatten()
}

/// Whether a parser would read a candidate off the description, however it is spelt.
fn names_candidates(description: &SessionDescription) -> bool {
    let of_media = description.media_descriptions.iter().flat_map(|media| &media.attributes);
    description.attributes.iter().chain(of_media).any(|attribute| attribute.key.trim() == "candidate")
}

fn bad<T>(reason: impl Into<String>) -> Result<T, AnswerError> {
    Err(AnswerError::BadSdp(reason.into()))
}
