//! The signalling of hola-webrtc: one `POST`, and a `DELETE` at the end.

use hola_webrtc_protocol::{
    Problem, SdpFragment, SessionDescription, Side, Step, TraceData, server_timing,
    signal::{self, OFFER_PATH},
};
use wasm_bindgen::JsCast;
use web_sys::Url;

#[cfg(feature = "events")]
use hola_webrtc_protocol::link;

use crate::{
    ConnectOptions, EndSession, ErrorKind, Reply, RestartIce, RtcError, Signaller, Trace,
    fetch::{Request, Response},
    object::{self, Plain},
    sys,
};

/// Posts the offer, and takes the answer from the reply.
pub(crate) struct Http {
    url: String,
    headers: Plain,
}

impl Http {
    /// `url` is that of the server, or the one to which the offer is posted.
    pub(crate) fn new(url: String, options: &ConnectOptions) -> Self {
        Self { url, headers: options.headers.clone() }
    }
}

impl Signaller for Http {
    async fn exchange(&self, offer: &SessionDescription, trace: &Trace) -> Result<Reply, RtcError> {
        let url = offer_url(&self.url)?;
        let href = part(&url, "href");
        let body = json(offer);
        let bytes = u32::try_from(body.len()).unwrap_or(u32::MAX);
        trace.record(Step::SendOffer, Side::Client, TraceData::Request { url: href.clone(), bytes });

        let response = Request::new("POST", self.headers.clone())
            .header("Content-Type", signal::JSON)
            .header("Accept", signal::JSON)
            .body(&body)
            .send(&href)
            .await?;

        let location = response.header("location");
        let (status, session) =
            (response.status(), location.as_deref().and_then(signal::session_of_location));
        #[cfg(feature = "events")]
        if let Some(links) = response.header("link") {
            let events = link::parse(&links).find(|link| link.has_relation(signal::EVENTS_RELATION));
            trace.tell_server_events(events.and_then(|events| session_url(events.target, &response, &url)));
        }
        trace.record(Step::SendOffer, Side::Client, TraceData::Response { status, session });
        if !(200..300).contains(&status) {
            return Err(refusal(&response).await);
        }
        // The server holds a session now. Whoever gives up from here on has to end it.
        let resource = location.and_then(|location| session_url(&location, &response, &url));
        let mut session_ends = EndOnDrop(resource.clone().map(end_session));
        let answer = answer(&response).await?;
        let timings = response.header("server-timing").unwrap_or_default();
        let timings = server_timing::decode(&timings).filter(|(step, _)| step.side() == Some(Side::Server));
        let mut reply = Reply::new(answer);
        reply.session = session;
        reply.timings = timings.collect();
        reply.end = session_ends.0.take();
        reply.restart = resource.map(restart_ice);
        Ok(reply)
    }
}

/// Where the offer goes: `/offer` below the server's URL, unless that is what the URL names.
fn offer_url(url: &str) -> Result<Url, RtcError> {
    let invalid = |cause: &str| {
        RtcError::new(
            Step::SendOffer,
            ErrorKind::InvalidUrl,
            ["\"", url, "\" is not a server's URL: ", cause].concat(),
        )
    };
    let page = object::text(&object::property(&js_sys::global(), "location"), "href").unwrap_or_default();
    // Relative to the page's folder only if it says so: nothing at all means the page's origin.
    let relative = if url.is_empty() { "/" } else { url };
    let parsed = Url::new_with_base(relative, &page)
        .or_else(|_| Url::new_with_base(relative, relative))
        .map_err(|thrown| invalid(&sys::describe(&thrown)))?;
    if !matches!(part(&parsed, "protocol").as_str(), "https:" | "http:") {
        return Err(invalid("it is neither https nor http"));
    }
    if !part(&parsed, "username").is_empty() || !part(&parsed, "password").is_empty() {
        return Err(invalid("it carries credentials"));
    }
    let parts: &Plain = parsed.unchecked_ref();
    parts.set_text("pathname", &offer_path(&part(&parsed, "pathname")));
    parts.set_text("hash", "");
    Ok(parsed)
}

/// A part of a URL. By its name, as each getter of its own weighs on both sides of the module.
fn part(url: &Url, name: &str) -> String {
    object::text(url, name).unwrap_or_default()
}

fn offer_path(mut path: &str) -> String {
    if path.ends_with(OFFER_PATH) {
        return path.to_owned();
    }
    while let Some(shorter) = path.strip_suffix('/') {
        path = shorter;
    }
    [path, OFFER_PATH].concat()
}

async fn answer(response: &Response) -> Result<SessionDescription, RtcError> {
    let body = response.text().await?;
    if response.is(signal::SDP) {
        return Ok(SessionDescription::answer(body));
    }
    object::json(&body).as_ref().and_then(object::description).ok_or_else(|| {
        let cause = "the reply to the offer is neither an SDP nor JSON with type and sdp";
        RtcError::new(Step::SendOffer, ErrorKind::BadAnswer, cause)
    })
}

async fn refusal(response: &Response) -> RtcError {
    let status = response.status();
    let problem: Option<Problem> = match response.text().await {
        Ok(body) if response.is(signal::PROBLEM_JSON) => {
            object::json(&body).as_ref().and_then(object::problem)
        }
        _ => None,
    };
    let mut error = if let Some(problem) = problem {
        let cause = ["the server refused the offer: ", &problem.title, ": ", &problem.detail].concat();
        RtcError::new(Step::SendOffer, ErrorKind::Refused(Box::new(problem)), cause)
    } else {
        let cause =
            ["the server replied with HTTP status ", &u32::from(status).to_string(), " instead of an answer"]
                .concat();
        RtcError::new(Step::SendOffer, ErrorKind::UnexpectedReply { status }, cause)
    };
    error.retry_after = response.header("retry-after").and_then(|value| seconds(&value)).unwrap_or(0);
    error
}

/// A header's number. Short, as it is all that the client reads of this kind.
fn seconds(value: &str) -> Option<u16> {
    value.bytes().try_fold(0_u16, |sum, byte| {
        let digit = byte.is_ascii_digit().then_some(byte & 15)?;
        Some(sum.saturating_mul(10).saturating_add(digit.into()))
    })
}

/// The session that `Location` names, which may be of another node, with an origin of its own. Requests to it carry neither
/// token nor cookies. None that would leave TLS, as the URL is a secret.
fn session_url(location: &str, response: &Response, offer: &Url) -> Option<String> {
    let session = Url::new_with_base(location, &response.url())
        .or_else(|_| Url::new_with_base(location, &part(offer, "href")))
        .ok()?;
    let protocol = part(&session, "protocol");
    (protocol == "https:" || protocol == part(offer, "protocol")).then(|| part(&session, "href"))
}

fn end_session(url: String) -> EndSession {
    EndSession::new(move || Request::new("DELETE", Plain::empty()).send_and_forget(&url))
}

fn restart_ice(url: String) -> RestartIce {
    RestartIce::new(move |fragment| {
        let url = url.clone();
        async move {
            let request = Request::new("PATCH", Plain::empty())
                .header("Content-Type", SdpFragment::MEDIA_TYPE)
                .header("If-Match", "*")
                .body(&fragment);
            let response = request.send(&url).await?;
            if response.status() == 200 { response.text().await } else { Err(refusal(&response).await) }
        }
    })
}

/// Ends the session with its owner.
struct EndOnDrop(Option<EndSession>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        if let Some(end) = self.0.take() {
            end.tell();
        }
    }
}

fn json(description: &SessionDescription) -> String {
    // Texts are always written.
    js_sys::JSON::stringify(&object::of_description(description)).map(String::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_whole_and_a_date_is_none() {
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds("99999999999"), Some(u16::MAX));
        assert_eq!(seconds("Fri, 31 Dec 1999 23:59:59 GMT"), None);
        assert_eq!(seconds("-1"), None);
    }

    #[test]
    fn the_offer_goes_below_the_servers_path_or_to_where_the_url_says() {
        assert_eq!(offer_path("/"), "/offer");
        assert_eq!(offer_path(""), "/offer");
        assert_eq!(offer_path("/rtc"), "/rtc/offer");
        assert_eq!(offer_path("/rtc/"), "/rtc/offer");
        assert_eq!(offer_path("/rtc/offer"), "/rtc/offer");
        assert_eq!(offer_path("/suboffer"), "/suboffer/offer");
    }
}
