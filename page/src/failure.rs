//! What went wrong, in plain words and with what to do about it.

use hola_webrtc_client::{ErrorKind, ProblemCode, RtcError};

use crate::{address::Server, language::Lang};

/// What kind of trouble it is, by what the person can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// Nobody answers at the server's address.
    Unreachable,
    /// The same, but the server has another origin than the page: its certificate may not be accepted yet.
    Certificate,
    /// The server said no.
    Refused,
    /// The connection did not open.
    Failed,
    /// The connection was open and went away.
    Lost,
    /// The browser has no WebRTC.
    Unsupported,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    server: Server,
    cause: Cause,
}

#[derive(Clone, Debug, PartialEq)]
enum Cause {
    Error(RtcError),
    ClosedByServer,
}

impl Failure {
    /// The connection to this server failed.
    pub fn new(error: RtcError, server: Server) -> Self {
        Self { server, cause: Cause::Error(error) }
    }

    /// The server closed the connection.
    pub fn closed_by_server(server: Server) -> Self {
        Self { server, cause: Cause::ClosedByServer }
    }

    /// What kind of trouble it is.
    pub fn kind(&self) -> FailureKind {
        let Cause::Error(error) = &self.cause else {
            return FailureKind::Lost;
        };
        match &error.kind {
            ErrorKind::ServerUnreachable if self.server.is_foreign => FailureKind::Certificate,
            // The server says why it fails, so a bare failure is that of a proxy which does not reach it.
            ErrorKind::ServerUnreachable | ErrorKind::UnexpectedReply { status: 500.. } => {
                FailureKind::Unreachable
            }
            ErrorKind::Refused(_) => FailureKind::Refused,
            ErrorKind::Unsupported => FailureKind::Unsupported,
            ErrorKind::Lost => FailureKind::Lost,
            _ => FailureKind::Failed,
        }
    }

    /// What happened, in a few words.
    pub fn title(&self, lang: Lang) -> &'static str {
        match (self.kind(), &self.cause) {
            (FailureKind::Unreachable, _) => lang.notice_unreachable_title(),
            (FailureKind::Certificate, _) => lang.notice_certificate_title(),
            (FailureKind::Refused, _) => lang.notice_refused_title(),
            (FailureKind::Failed, _) => lang.notice_failed_title(),
            (FailureKind::Lost, Cause::ClosedByServer) => lang.notice_lost_remote_title(),
            (FailureKind::Lost, _) => lang.notice_lost_title(),
            (FailureKind::Unsupported, _) => lang.notice_unsupported_title(),
        }
    }

    /// Why, and what to do.
    pub fn text(&self, lang: Lang) -> String {
        let url = self.server.origin.as_str();
        let Cause::Error(error) = &self.cause else {
            return lang.notice_lost_remote_text().to_owned();
        };
        match (self.kind(), &error.kind) {
            (FailureKind::Unreachable, _) => lang.notice_unreachable_text(url),
            (FailureKind::Certificate, _) => lang.notice_certificate_text(url),
            (FailureKind::Unsupported, _) => lang.notice_unsupported_text().to_owned(),
            (FailureKind::Lost, _) => lang.notice_lost_text().to_owned(),
            (_, ErrorKind::Refused(problem)) if problem.code == ProblemCode::Unavailable => {
                lang.notice_refused_unavailable().to_owned()
            }
            (_, ErrorKind::Refused(problem)) => lang.notice_refused_text(problem.status, &problem.detail),
            (_, ErrorKind::InvalidUrl) => lang.notice_failed_url(url),
            (_, ErrorKind::UnexpectedReply { status }) => lang.notice_failed_reply(status, url),
            (_, ErrorKind::Timeout) => lang.notice_failed_timeout().to_owned(),
            (_, ErrorKind::IceFailed) => lang.notice_failed_ice().to_owned(),
            (_, ErrorKind::DtlsFailed) => lang.notice_failed_dtls().to_owned(),
            _ => lang.notice_failed_other(error.step),
        }
    }

    /// The address to open, where that may help.
    pub fn link(&self) -> Option<&str> {
        (self.kind() == FailureKind::Certificate).then_some(&*self.server.origin)
    }

    /// The cause in the client's words, in English.
    pub fn detail(&self) -> Option<String> {
        match &self.cause {
            Cause::Error(error) => Some(format!("{}: {error}", error.kind.name())),
            Cause::ClosedByServer => None,
        }
    }
}

impl FailureKind {
    /// The word for it in the `data-kind` attribute.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Certificate => "certificate",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Lost => "lost",
            Self::Unsupported => "unsupported",
        }
    }
}

#[cfg(test)]
mod tests {
    use hola_webrtc_client::{Problem, Step};

    use super::*;

    fn failure(kind: ErrorKind, is_foreign: bool) -> Failure {
        let origin = "https://192.0.2.1:8443".to_owned();
        let server = Server { url: origin.clone(), origin, is_foreign };
        Failure::new(RtcError::new(Step::SendOffer, kind, "fetch failed"), server)
    }

    #[test]
    fn only_a_server_of_another_origin_may_lack_an_accepted_certificate() {
        let own = failure(ErrorKind::ServerUnreachable, false);
        assert_eq!((own.kind(), own.link()), (FailureKind::Unreachable, None));
        let foreign = failure(ErrorKind::ServerUnreachable, true);
        assert_eq!(foreign.kind(), FailureKind::Certificate);
        assert_eq!(foreign.link(), Some("https://192.0.2.1:8443"));
        assert!(foreign.text(Lang::Es).contains("https://192.0.2.1:8443"));
    }

    #[test]
    fn a_proxy_that_does_not_reach_the_server_counts_as_the_server_not_reached() {
        assert_eq!(
            failure(ErrorKind::UnexpectedReply { status: 502 }, false).kind(),
            FailureKind::Unreachable
        );
        assert_eq!(failure(ErrorKind::UnexpectedReply { status: 404 }, false).kind(), FailureKind::Failed);
    }

    #[test]
    fn a_refusal_repeats_what_the_server_said_unless_it_is_only_busy() {
        let refused =
            |code| failure(ErrorKind::Refused(Problem::new(code, "no m=application").into()), false);
        let no_channel = refused(ProblemCode::NoDataChannel);
        assert_eq!(no_channel.kind(), FailureKind::Refused);
        assert_eq!(no_channel.text(Lang::En), "This is what it said (400): no m=application");
        assert!(refused(ProblemCode::Unavailable).text(Lang::En).starts_with("It takes no more sessions"));
    }
}
