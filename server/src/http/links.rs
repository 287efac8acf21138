//! Where clients find the server, and the STUN and TURN servers beside it: the headers `Location` and `Link`.

use std::{fmt, str::FromStr};

use axum::http::{HeaderValue, Uri};
use hola_webrtc_protocol::signal::{EVENTS_RELATION, ICE_SERVER_RELATION};

use super::origin::Origin;

/// The URL under which clients reach the signalling: `https://node7.example.org` or `https://example.org/rtc`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    base: String,
    origin: Origin,
}

/// The text is no URL under which clients can reach a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a public URL has a scheme and a host, perhaps a port and a path: https://node7.example.org/rtc")]
pub struct InvalidPublicUrl;

impl FromStr for PublicUrl {
    type Err = InvalidPublicUrl;

    fn from_str(text: &str) -> Result<Self, InvalidPublicUrl> {
        let uri: Uri = text.parse().map_err(|_| InvalidPublicUrl)?;
        let (Some(scheme), Some(authority), None) = (uri.scheme_str(), uri.authority(), uri.query()) else {
            return Err(InvalidPublicUrl);
        };
        let origin = format!("{scheme}://{authority}").parse().map_err(|_| InvalidPublicUrl)?;
        let path = uri.path().trim_end_matches('/');
        Ok(Self { base: format!("{origin}{path}"), origin })
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

impl PublicUrl {
    pub(super) fn origin(&self) -> Origin {
        self.origin.clone()
    }
}

/// A STUN or TURN server that clients are told of, with what it takes to use it.
///
/// As text: the URL (RFC 7064, RFC 7065), and for TURN the user name and the password, with blanks between them:
/// `turn:turn.example.org?transport=udp user password`.
#[derive(Clone, PartialEq, Eq)]
pub struct IceServer {
    url: String,
    credentials: Option<(String, String)>,
}

/// The text names no STUN or TURN server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an ICE server is a URL as stun:stun.example.org:3478, or as turn:turn.example.org with a user name and a \
     password behind it, with blanks between them"
)]
pub struct InvalidIceServer;

impl FromStr for IceServer {
    type Err = InvalidIceServer;

    fn from_str(text: &str) -> Result<Self, InvalidIceServer> {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let (url, credentials) = match words[..] {
            [url] => (url, None),
            [url, username, password] => (url, Some((username.to_owned(), password.to_owned()))),
            _ => return Err(InvalidIceServer),
        };
        let (scheme, host) = url.split_once(':').ok_or(InvalidIceServer)?;
        let needs_credentials = match scheme {
            "stun" | "stuns" => false,
            "turn" | "turns" => true,
            _ => return Err(InvalidIceServer),
        };
        let is_host = |host: &str| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:[]?=%".contains(&byte);
            !host.is_empty() && host.bytes().all(is_plain)
        };
        // The rest goes into a quoted string (RFC 9110, 5.6.4).
        let is_ascii = text.bytes().all(|byte| byte == b'\t' || matches!(byte, b' '..=b'~'));
        let is_server = is_host(host) && is_ascii && needs_credentials == credentials.is_some();
        is_server.then(|| Self { url: url.to_owned(), credentials }).ok_or(InvalidIceServer)
    }
}

/// Without the password.
impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let username = self.credentials.as_ref().map(|(username, _)| username);
        f.debug_struct("IceServer")
            .field("url", &self.url)
            .field("username", &username)
            .finish_non_exhaustive()
    }
}

impl IceServer {
    /// As RFC 9725, 4.6 writes it.
    pub(super) fn link(&self) -> Option<HeaderValue> {
        let credentials = self.credentials.as_ref().map(|(username, password)| {
            let (username, password) = (quoted(username), quoted(password));
            format!("; username={username}; credential={password}; credential-type=\"password\"")
        });
        let (url, credentials) = (&self.url, credentials.unwrap_or_default());
        let link = format!("<{url}>; rel=\"{ICE_SERVER_RELATION}\"{credentials}");
        let mut value = HeaderValue::try_from(link).ok()?;
        value.set_sensitive(self.credentials.is_some());
        Some(value)
    }
}

/// The link to the events of the session at this URL.
pub(super) fn events_link(events: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("<{events}>; rel=\"{EVENTS_RELATION}\"; type=\"text/event-stream\"")).ok()
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_kept_without_a_slash_at_its_end() {
        for (text, url) in [
            ("https://Node7.example.org", Some("https://node7.example.org")),
            ("https://node7.example.org:8443/", Some("https://node7.example.org:8443")),
            ("http://[2001:db8::1]:80/rtc/", Some("http://[2001:db8::1]/rtc")),
            ("node7.example.org", None),
            ("/rtc", None),
            ("ftp://example.org", None),
            ("https://user@example.org", None),
            ("https://example.org/?a", None),
            ("", None),
        ] {
            let parsed: Option<PublicUrl> = text.parse().ok();
            assert_eq!(parsed.map(|url| url.to_string()).as_deref(), url, "{text:?}");
        }
    }

    #[test]
    fn ice_servers_are_linked_as_in_whip() {
        for (text, link) in [
            ("stun:stun.example.org", Some(r#"<stun:stun.example.org>; rel="ice-server""#)),
            (
                r#"turn:turn.example.org:3478?transport=udp me pass"wo\rd"#,
                Some(
                    r#"<turn:turn.example.org:3478?transport=udp>; rel="ice-server"; username="me"; credential="pass\"wo\\rd"; credential-type="password""#,
                ),
            ),
            (
                "turns:[2001:db8::1] a b",
                Some(
                    r#"<turns:[2001:db8::1]>; rel="ice-server"; username="a"; credential="b"; credential-type="password""#,
                ),
            ),
            ("turn:turn.example.org", None),
            ("stun:stun.example.org a b", None),
            ("stun:", None),
            ("stun:a>b", None),
            ("https://example.org", None),
            ("turn:a b ñ", None),
            ("turn:a b", None),
            ("", None),
        ] {
            let server: Option<IceServer> = text.parse().ok();
            let written = server.map(|server| server.link().unwrap());
            assert_eq!(written.as_ref().map(|link| link.to_str().unwrap()), link, "{text:?}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let server: IceServer = "turn:turn.example.org me s3cret".parse().unwrap();
        assert!(!format!("{server:?} {:?}", server.link()).contains("s3cret"));
    }
}
