//! A small HTTP client: the signalling, and whatever else is asked of a server.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request, Response, Uri, body::Incoming, header};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use crate::options::Trust;

/// How long an unused connection is kept: less than servers do.
const IDLE: Duration = Duration::from_secs(5);

/// A request failed before there was a reply, or its body did not arrive.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP request failed: {0}")]
pub struct HttpError(String);

impl HttpError {
    /// With everything that the cause says of its own causes: the outermost alone says "connection failed".
    fn new(error: &dyn std::error::Error) -> Self {
        let causes = std::iter::successors(Some(error), |error| error.source());
        Self(causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
    }
}

/// An HTTP/1.1 client, cheap to clone. It keeps connections open for the next request.
#[derive(Clone, Debug)]
pub struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Http {
    /// A client that trusts these certificates.
    pub fn new(trust: Trust) -> Result<Self, HttpError> {
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| HttpError::new(&error))?;
        let config = match trust {
            Trust::System => config.with_native_roots().map_err(|error| HttpError::new(&error))?,
            Trust::Anyone => {
                config.dangerous().with_custom_certificate_verifier(Arc::new(Credulous(provider)))
            }
        };
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(config.with_no_client_auth())
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Self { client })
    }

    /// Sends a request and reads the whole reply.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = self.open(request).await?.into_parts();
        let body = body.collect().await.map_err(|error| HttpError::new(&error))?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }

    /// Sends a request and reads the head of the reply, for bodies that go on and on.
    pub async fn open(&self, request: Request<Bytes>) -> Result<Response<Incoming>, HttpError> {
        self.client.request(request.map(Full::new)).await.map_err(|error| HttpError::new(&error))
    }
}

/// The URL that a reference, such as a `Location`, means in the reply to a request for `base`
/// (RFC 3986, 5.2, without dot segments).
pub fn resolve(base: &Uri, reference: &str) -> Option<Uri> {
    let (scheme, authority) = (base.scheme_str()?, base.authority()?);
    if reference.starts_with("//") {
        format!("{scheme}:{reference}").parse().ok()
    } else if reference.starts_with('/') {
        format!("{scheme}://{authority}{reference}").parse().ok()
    } else if reference.contains("://") {
        reference.parse().ok()
    } else {
        let (folder, _) = base.path().rsplit_once('/')?;
        format!("{scheme}://{authority}{folder}/{reference}").parse().ok()
    }
}

/// Whether the body is of this media type, whatever its parameters (RFC 9110, 8.3.1).
pub fn is_type(headers: &HeaderMap, kind: &str) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.split(';').next().is_some_and(|given| given.trim().eq_ignore_ascii_case(kind))
}

/// Believes every certificate, and checks only that the server has its key.
#[derive(Debug)]
struct Credulous(Arc<CryptoProvider>);

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved_against_the_request() {
        let base: Uri = "https://host:1/rtc/offer".parse().unwrap();
        for (reference, url) in [
            ("/rtc/sessions/7", "https://host:1/rtc/sessions/7"),
            ("sessions/7", "https://host:1/rtc/sessions/7"),
            ("https://node/sessions/7", "https://node/sessions/7"),
            ("//node/sessions/7", "https://node/sessions/7"),
        ] {
            assert_eq!(resolve(&base, reference).unwrap(), url, "{reference}");
        }
    }
}
