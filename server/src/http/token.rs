//! The bearer token that lets a client send offers (RFC 6750).

use std::{fmt, str::FromStr};

use axum::http::{
    HeaderMap, HeaderValue,
    header::{AUTHORIZATION, WWW_AUTHENTICATE},
};
use hola_webrtc_protocol::ProblemCode;
use subtle::ConstantTimeEq;

use super::problem::Refusal;

/// A secret that the client names in `Authorization: Bearer …`.
#[derive(Clone)]
pub struct BearerToken(String);

/// The text cannot be a bearer token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a bearer token has letters, digits and -._~+/ only, perhaps with = at its end")]
pub struct InvalidBearerToken;

impl FromStr for BearerToken {
    type Err = InvalidBearerToken;

    /// Takes what RFC 6750, 2.1 calls `b64token`.
    fn from_str(text: &str) -> Result<Self, InvalidBearerToken> {
        let bare = text.trim_end_matches('=');
        let is_token = bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
            && !bare.is_empty();
        is_token.then(|| Self(text.to_owned())).ok_or(InvalidBearerToken)
    }
}

/// Without the secret.
impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(…)")
    }
}

impl BearerToken {
    /// Lets requests pass that name the token.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let mut fields = headers.get_all(AUTHORIZATION).iter();
        let (challenge, detail) = match (fields.next(), fields.next()) {
            (Some(field), None) if self.is_named_by(field) => return Ok(()),
            (None, _) => ("Bearer", "send the header Authorization: Bearer, and the token"),
            _ => ("Bearer error=\"invalid_token\"", "the header Authorization does not name the token"),
        };
        let challenge = HeaderValue::from_static(challenge);
        Err(Refusal::new(ProblemCode::Unauthorized, detail).with_header(WWW_AUTHENTICATE, challenge))
    }

    fn is_named_by(&self, field: &HeaderValue) -> bool {
        let Some((scheme, token)) = field.to_str().ok().and_then(|field| field.split_once(' ')) else {
            return false;
        };
        // How long the comparison takes tells nothing but the token's length.
        scheme.eq_ignore_ascii_case("bearer") && bool::from(token.trim().as_bytes().ct_eq(self.0.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;

    #[test]
    fn only_the_whole_token_lets_pass() {
        let token: BearerToken = "s3cret-._~+/==".parse().unwrap();
        for (value, passes) in [
            ("Bearer s3cret-._~+/==", true),
            ("bearer   s3cret-._~+/==", true),
            ("Bearer s3cret-._~+/=", false),
            ("Bearer s3cret-._~+/===", false),
            ("Bearer S3cret-._~+/==", false),
            ("Bearer", false),
            ("Bearer ", false),
            ("s3cret-._~+/==", false),
            ("Basic s3cret-._~+/==", false),
        ] {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(value))]);
            assert_eq!(token.check(&headers).is_ok(), passes, "{value:?}");
        }
        let mut twice = HeaderMap::new();
        for _ in 0..2 {
            twice.append(AUTHORIZATION, HeaderValue::from_static("Bearer s3cret-._~+/=="));
        }
        assert!(token.check(&twice).is_err());
        let refused = token.check(&HeaderMap::new()).unwrap_err().into_response();
        assert_eq!(refused.headers()[WWW_AUTHENTICATE], "Bearer");
    }

    #[test]
    fn a_token_is_never_shown() {
        let token: BearerToken = "s3cret".parse().unwrap();
        assert!(!format!("{token:?}").contains("s3cret"));
    }

    #[test]
    fn what_a_header_cannot_carry_is_no_token() {
        for text in ["", "=", "a b", "a=b", "ñ", "a\n", "\"a\""] {
            assert!(text.parse::<BearerToken>().is_err(), "{text:?}");
        }
    }
}
