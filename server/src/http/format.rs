//! The two formats of a description, and which of them a request uses and accepts (RFC 9110, 12.5.1).

use axum::http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE},
};
use hola_webrtc_protocol::{ProblemCode, signal};
use mediatype::{MediaType, MediaTypeList, Name, ReadParams};

use super::{ACCEPT_POST, ACCEPTED, problem::Refusal};

/// How a description is written in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// `{"type": …, "sdp": …}`.
    Json,
    /// Bare SDP.
    Sdp,
}

impl Format {
    /// The media type.
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Json => signal::JSON,
            Self::Sdp => signal::SDP,
        }
    }

    /// The format of the request's body, by its `Content-Type`. Parameters such as `charset` are passed over.
    pub(super) fn of_request(headers: &HeaderMap) -> Result<Self, Refusal> {
        let unsupported = |what: &str| {
            let detail = format!("{what}: send the offer as {} or as {}", signal::JSON, signal::SDP);
            let accept = HeaderValue::from_static(ACCEPTED);
            Refusal::new(ProblemCode::UnsupportedMediaType, detail).with_header(ACCEPT_POST, accept)
        };
        if headers.contains_key(CONTENT_ENCODING) {
            return Err(unsupported("no content coding is read here"));
        }
        let mut values = headers.get_all(CONTENT_TYPE).iter();
        let Some(value) = values.next() else { return Err(unsupported("there is no Content-Type")) };
        let text = value.to_str().ok().filter(|_| values.next().is_none());
        let media_type = text.and_then(|text| MediaType::parse(text).ok());
        let Some(media_type) = media_type else { return Err(unsupported("the Content-Type is malformed")) };
        [Self::Json, Self::Sdp]
            .into_iter()
            .find(|format| Range::from(&media_type).precision_for(*format) == Some(Precision::Exact))
            .ok_or_else(|| {
                unsupported(&format!("the Content-Type {} is not read here", media_type.essence()))
            })
    }

    /// The format of the reply: that of the request, unless `Accept` prefers the other one.
    pub(super) fn of_reply(self, headers: &HeaderMap) -> Result<Self, Refusal> {
        let other = match self {
            Self::Json => Self::Sdp,
            Self::Sdp => Self::Json,
        };
        let (same_quality, other_quality) = (quality(headers, self), quality(headers, other));
        match (same_quality > 0.0, other_quality > 0.0) {
            (true, _) if same_quality >= other_quality => Ok(self),
            (_, true) => Ok(other),
            _ => Err(Refusal::new(
                ProblemCode::NotAcceptable,
                format!("the answer can be sent as {} or as {}", signal::JSON, signal::SDP),
            )),
        }
    }
}

/// How much `Accept` likes the format, 0 to 1: the most precise range that covers it decides.
fn quality(headers: &HeaderMap, format: Format) -> f32 {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges: Vec<MediaType> = values.flat_map(MediaTypeList::new).filter_map(Result::ok).collect();
    if ranges.is_empty() {
        return 1.0;
    }
    ranges
        .iter()
        .filter_map(|range| {
            let quality =
                range.get_param(Name::new_unchecked("q")).map_or(Some(1.0), |q| q.as_str().parse().ok());
            Some((Range::from(range).precision_for(format)?, quality.unwrap_or(1.0)))
        })
        .max_by_key(|(precision, _)| *precision)
        .map_or(0.0, |(_, quality)| quality)
}

/// How closely a media range names a media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Precision {
    Any,
    Type,
    Exact,
}

/// A media type, or a range of them with `*`.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    suffix: Option<&'a str>,
}

impl<'a> From<&MediaType<'a>> for Range<'a> {
    fn from(media_type: &MediaType<'a>) -> Self {
        Self {
            kind: media_type.ty.as_str(),
            subtype: media_type.subty.as_str(),
            suffix: media_type.suffix.map(|suffix| suffix.as_str()),
        }
    }
}

impl Range<'_> {
    fn precision_for(&self, format: Format) -> Option<Precision> {
        let (kind, subtype) = format.media_type().split_once('/')?;
        let same_kind = self.kind.eq_ignore_ascii_case(kind);
        match (self.kind, self.subtype, self.suffix) {
            ("*", "*", None) => Some(Precision::Any),
            (_, "*", None) if same_kind => Some(Precision::Type),
            (_, named, None) if same_kind && named.eq_ignore_ascii_case(subtype) => Some(Precision::Exact),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(value))])
    }

    #[test]
    fn the_content_type_is_read_without_regard_to_case_and_parameters() {
        for (value, format) in [
            ("application/json", Some(Format::Json)),
            ("Application/JSON; charset=UTF-8", Some(Format::Json)),
            ("application/sdp", Some(Format::Sdp)),
            ("application/sdp;charset=\"utf-8\"", Some(Format::Sdp)),
            ("text/plain", None),
            ("application/sdp+json", None),
            ("application/*", None),
            ("*/*", None),
            ("json", None),
            ("", None),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(value))]);
            assert_eq!(Format::of_request(&headers).ok(), format, "{value:?}");
        }
        assert!(Format::of_request(&HeaderMap::new()).is_err());
    }

    #[test]
    fn the_reply_keeps_the_requests_format_unless_accept_prefers_the_other() {
        for (value, reply) in [
            ("*/*", Some(Format::Sdp)),
            ("application/*", Some(Format::Sdp)),
            ("application/sdp, application/json", Some(Format::Sdp)),
            ("application/json", Some(Format::Json)),
            ("APPLICATION/JSON;q=0.5, text/html", Some(Format::Json)),
            ("application/sdp;q=0.2, application/json;q=0.3", Some(Format::Json)),
            ("*/*, application/sdp;q=0", Some(Format::Json)),
            ("text/html, */*;q=0.1", Some(Format::Sdp)),
            ("text/html", None),
            ("application/json;q=0", None),
            ("*/*;q=0", None),
        ] {
            assert_eq!(Format::Sdp.of_reply(&accept(value)).ok(), reply, "{value:?}");
        }
        assert_eq!(Format::Json.of_reply(&HeaderMap::new()).ok(), Some(Format::Json));
    }
}
