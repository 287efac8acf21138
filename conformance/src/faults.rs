//! The table of a request's faults, row by row, with real bytes.

use hola_webrtc_protocol::{ProblemCode, SdpFragment, signal};
use hyper::{Method, header};

use crate::{
    Check, Probe, Verdict,
    response::Response,
    verdict::{Fault, ensure, not_offered},
};

const SECTION: &str = "Faults of a request";

/// More bytes than the default limit, and than any. The first may still fit into the sockets' buffers, so that the refusal
/// arrives although the server has closed.
const TOO_MANY_BYTES: [usize; 2] = [100_000, 4 * 1024 * 1024];

/// More lines than any offer has, in less bytes than the default limit.
const TOO_MANY_LINES: usize = 10_000;

pub(crate) const CHECKS: &[Check] = &[
    Check::new(SECTION, "empty-body", |probe| {
        Box::pin(posted(probe, signal::JSON, "", ProblemCode::EmptyBody))
    }),
    Check::new(SECTION, "not-json", |probe| {
        Box::pin(posted(probe, signal::JSON, "{\"type\":", ProblemCode::NotJson))
    }),
    Check::new(SECTION, "missing-sdp", |probe| {
        Box::pin(posted(probe, signal::JSON, r#"{"type":"offer"}"#, ProblemCode::MissingSdp))
    }),
    Check::new(SECTION, "not-an-offer", |probe| {
        Box::pin(posted(probe, signal::JSON, r#"{"type":"answer","sdp":"v=0\r\n"}"#, ProblemCode::NotAnOffer))
    }),
    Check::new(SECTION, "bad-sdp", |probe| {
        Box::pin(posted(probe, signal::SDP, "this is no SDP\r\n", ProblemCode::BadSdp))
    }),
    Check::new(SECTION, "no-data-channel", |probe| Box::pin(no_data_channel(probe))),
    Check::new(SECTION, "unauthorized", |probe| Box::pin(unauthorized(probe))),
    Check::new(SECTION, "not-found", |probe| Box::pin(not_found(probe))),
    Check::new(SECTION, "method-not-allowed", |probe| Box::pin(wrong_method(probe))),
    Check::new(SECTION, "not-acceptable", |probe| Box::pin(not_acceptable(probe))),
    Check::new(SECTION, "body-too-large", |probe| Box::pin(too_large(probe))),
    Check::new(SECTION, "offer-too-long", |probe| Box::pin(too_long(probe))),
    Check::new(SECTION, "unsupported-media-type of an offer", |probe| Box::pin(media_type(probe))),
    Check::new(SECTION, "unsupported-media-type of a fragment", |probe| Box::pin(fragment_type(probe))),
    Check::new(SECTION, "a content coding is not read", |probe| Box::pin(coding(probe))),
];

async fn posted(probe: &Probe, kind: &str, body: &'static str, code: ProblemCode) -> Verdict {
    refused(probe, probe.post(kind, &[], body).await?, &[code]).await
}

async fn no_data_channel(probe: &Probe) -> Verdict {
    let (session, _) = probe.sdp().split_once("m=").unwrap_or((probe.sdp(), ""));
    let reply = probe.post(signal::SDP, &[], session.to_owned()).await?;
    refused(probe, reply, &[ProblemCode::NoDataChannel]).await
}

async fn unauthorized(probe: &Probe) -> Verdict {
    if probe.token.is_none() {
        return not_offered("no token was given to this program, so the server may ask for none");
    }
    for headers in [
        &[("content-type", signal::JSON)][..],
        &[("content-type", signal::JSON), ("authorization", "Bearer of-bad-news")],
    ] {
        let reply = probe.send(Method::POST, &probe.url, headers, probe.json()).await?;
        refused(probe, reply.clone(), &[ProblemCode::Unauthorized]).await?;
        ensure(reply.headers.contains_key(header::WWW_AUTHENTICATE), || {
            format!("there is no WWW-Authenticate: {}", reply.describe())
        })?;
    }
    Ok(())
}

async fn not_found(probe: &Probe) -> Verdict {
    let url = probe.beside("/no-such-path")?;
    let reply = probe.send(Method::POST, &url, &[], "").await?;
    if reply.status == 405 {
        return not_offered("another program has the path");
    }
    reply.refused(ProblemCode::NotFound)
}

async fn wrong_method(probe: &Probe) -> Verdict {
    let reply = probe.send(Method::PUT, &probe.url, &[], "").await?;
    reply.refused(ProblemCode::MethodNotAllowed)?;
    let allowed = reply.text(header::ALLOW).unwrap_or_default();
    ensure(allowed.contains("POST"), || format!("Allow is {allowed:?}"))
}

async fn not_acceptable(probe: &Probe) -> Verdict {
    let reply = probe.post(signal::JSON, &[("accept", "image/png")], probe.json()).await?;
    refused(probe, reply, &[ProblemCode::NotAcceptable]).await
}

async fn too_large(probe: &Probe) -> Verdict {
    // What is not read of the body ends the connection: nothing else is to be sent on it.
    let alone = [("connection", "close")];
    let mut verdict = Ok(());
    for bytes in TOO_MANY_BYTES {
        let body = format!("{}a=x:{}\r\n", probe.sdp(), "x".repeat(bytes));
        verdict = match probe.post(signal::SDP, &alone, body).await {
            // Its limit may be higher.
            Ok(reply) if reply.status == 201 => refused(probe, reply, &[ProblemCode::BodyTooLarge]).await,
            Ok(reply) => return refused(probe, reply, &[ProblemCode::BodyTooLarge]).await,
            // The refusal was lost with the connection.
            Err(Fault::Broken(why)) => {
                not_offered(format!("the server closes while it is sent too much: {why}"))
            }
            Err(fault) => Err(fault),
        };
    }
    verdict
}

async fn too_long(probe: &Probe) -> Verdict {
    let body = format!("{}{}", probe.sdp(), "a=x\r\n".repeat(TOO_MANY_LINES));
    let reply = probe.post(signal::SDP, &[], body).await?;
    refused(probe, reply, &[ProblemCode::OfferTooLong, ProblemCode::BodyTooLarge]).await
}

async fn media_type(probe: &Probe) -> Verdict {
    let reply = probe.post("text/plain", &[], probe.sdp().to_owned()).await?;
    let accepted = reply.text(header::HeaderName::from_static("accept-post")).unwrap_or_default().to_owned();
    refused(probe, reply, &[ProblemCode::UnsupportedMediaType]).await?;
    ensure(accepted.contains(signal::SDP), || format!("Accept-Post is {accepted:?}"))
}

async fn fragment_type(probe: &Probe) -> Verdict {
    let session = probe.begin().await?;
    let headers = [("content-type", "text/plain"), ("if-match", "*")];
    let reply = probe.send(Method::PATCH, &session.url, &headers, "a=mid:0\r\n").await?;
    probe.end(&session).await?;
    if reply.status == 405 {
        return not_offered("there is no PATCH");
    }
    reply.refused(ProblemCode::UnsupportedMediaType)?;
    let accepted = reply.text(header::HeaderName::from_static("accept-patch")).unwrap_or_default();
    ensure(accepted.contains(SdpFragment::MEDIA_TYPE), || format!("Accept-Patch is {accepted:?}"))
}

async fn coding(probe: &Probe) -> Verdict {
    let reply = probe.post(signal::JSON, &[("content-encoding", "gzip")], probe.json()).await?;
    refused(probe, reply, &[ProblemCode::UnsupportedMediaType]).await
}

/// Checks a refusal. A session that was begun all the same is ended.
async fn refused(probe: &Probe, reply: Response, codes: &[ProblemCode]) -> Verdict {
    if reply.status == 201
        && let Ok(session) = probe.session(reply.clone())
    {
        probe.end(&session).await?;
    }
    reply.refused_by(codes)
}
