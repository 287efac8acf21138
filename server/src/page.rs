//! The page: what `trunk build` made, embedded in the program, so that one file is the whole product. A debug build reads
//! it from the folder instead.

mod encoded;

use std::borrow::Cow;

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri,
        header::{
            ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
            ETAG, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use headers::{HeaderMapExt, IfNoneMatch};
use hola_webrtc_protocol::ProblemCode;
use hola_webrtc_server::Refusal;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use self::encoded::{Encoded, Encoding};

const INDEX: &str = "index.html";

/// Shown where the page would be if it had been built.
const NOT_BUILT: &str = include_str!("page/not_built.html");

#[derive(RustEmbed)]
#[folder = "../dist"]
#[allow_missing = true]
struct Dist;

/// The page's files; every other path draws a problem.
pub(crate) fn router() -> Router {
    Router::new().fallback(serve).with_state(Encoded::default())
}

async fn serve(State(encoded): State<Encoded>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = match uri.path() {
        "/" => INDEX,
        path => path.trim_start_matches('/'),
    };
    let file = match Dist::get(path) {
        Some(file) => File { path, hash: file.metadata.sha256_hash(), data: file.data },
        None if path == INDEX => File { path, hash: [0; 32], data: NOT_BUILT.as_bytes().into() },
        None => {
            return Refusal::new(ProblemCode::NotFound, "neither a file of the page nor a resource")
                .into_response();
        }
    };
    if !matches!(method, Method::GET | Method::HEAD) {
        let refusal = Refusal::new(ProblemCode::MethodNotAllowed, "a file of the page can only be read");
        return ([(ALLOW, "GET,HEAD")], refusal).into_response();
    }
    (common_headers(), file.respond(&encoded, &headers).await).into_response()
}

/// A file of the page.
struct File<'a> {
    path: &'a str,
    hash: [u8; 32],
    data: Cow<'static, [u8]>,
}

impl File<'_> {
    async fn respond(self, encoded: &Encoded, headers: &HeaderMap) -> Response {
        // Weak, because the compression changes the bytes, not what they mean (RFC 9110, 8.8.1).
        let etag = format!("W/\"{}\"", BASE64_STANDARD.encode(&self.hash[..16]));
        let lifetime = if is_hashed(self.path) { "public, max-age=31536000, immutable" } else { "no-cache" };
        let caching = [
            (ETAG, etag.clone()),
            (CACHE_CONTROL, lifetime.to_owned()),
            (VARY, ACCEPT_ENCODING.as_str().to_owned()),
        ];
        let known = headers.typed_get::<IfNoneMatch>();
        if let (Some(known), Ok(etag)) = (known, etag.parse())
            && !known.precondition_passes(&etag)
        {
            return (StatusCode::NOT_MODIFIED, caching).into_response();
        }
        let media_type = mime_guess::from_path(self.path).first_or_octet_stream();
        let charset = if media_type.type_() == mime_guess::mime::TEXT { "; charset=utf-8" } else { "" };
        let content_type = [(CONTENT_TYPE, format!("{media_type}{charset}"))];
        let policy = (media_type == mime_guess::mime::TEXT_HTML).then(|| secure(&self.data));
        let is_compressed = media_type.type_() == mime_guess::mime::IMAGE && media_type.suffix().is_none();
        let encoding = Encoding::negotiate(headers).filter(|_| !is_compressed);
        let body = match encoding {
            Some(encoding) => self.encoded(encoded, encoding).await,
            None => Body::from(self.data).into_response(),
        };
        (caching, content_type, policy.unwrap_or_default(), body).into_response()
    }

    async fn encoded(self, encoded: &Encoded, encoding: Encoding) -> Response {
        match encoded.get(self.path, self.hash, self.data.clone(), encoding).await {
            Ok(bytes) => ([(CONTENT_ENCODING, encoding.name())], Body::from(bytes)).into_response(),
            Err(error) => {
                tracing::warn!("{} is sent uncompressed: {error}", self.path);
                Body::from(self.data).into_response()
            }
        }
    }
}

/// Whether trunk wrote a hash of the content into the file's name, as in `page-0123456789abcdef_bg.wasm`.
fn is_hashed(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let tail = name.rsplit('-').next().unwrap_or_default();
    let digits = tail.bytes().take_while(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')).count();
    tail.len() < name.len() && digits >= 12 && tail[digits..].starts_with(['.', '_'])
}

fn common_headers() -> [(HeaderName, HeaderValue); 2] {
    [
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ]
}

/// The content security policy ([CSP 3](https://www.w3.org/TR/CSP3/)) of an HTML document: only our own files, and the
/// document's own inline scripts and styles by their hashes, because trunk starts the module from one. The page may
/// connect to any HTTPS server, because it can be told to use another one.
fn secure(html: &[u8]) -> HeaderMap {
    let html = String::from_utf8_lossy(html);
    let hashes = |element| {
        let hash = |text: &&str| BASE64_STANDARD.encode(Sha256::digest(text));
        inline(&html, element)
            .iter()
            .map(hash)
            .fold(String::new(), |list, hash| list + " 'sha256-" + &hash + "'")
    };
    let (scripts, styles) = (hashes("script"), hashes("style"));
    let policy = format!(
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'{scripts}; style-src 'self'{styles}; \
         img-src 'self' data:; connect-src 'self' https:; object-src 'none'; base-uri 'self'; form-action 'none'; \
         frame-ancestors 'self'"
    );
    HeaderValue::try_from(policy)
        .map(|policy| HeaderMap::from_iter([(CONTENT_SECURITY_POLICY, policy)]))
        .unwrap_or_default()
}

/// The texts of the elements of this name that stand in the document itself.
fn inline<'a>(html: &'a str, element: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{element}"), format!("</{element}>"));
    html.split(&open)
        .skip(1)
        .filter_map(|rest| {
            let (attributes, rest) = rest.split_once('>')?;
            let (text, _) = rest.split_once(&close)?;
            (!attributes.contains("src=") && !text.is_empty()).then_some(text)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_hash_never_change() {
        for (path, expected) in [
            ("hola-webrtc-page-0123456789abcdef.js", true),
            ("hola-webrtc-page-0123456789abcdef_bg.wasm", true),
            ("style-89abcdef01234567.css", true),
            ("index.html", false),
            ("logo-large.svg", false),
            ("deadbeefdeadbeef.js", false),
            ("snippets/hola-0123456789abcdef/inline0.js", false),
        ] {
            assert_eq!(is_hashed(path), expected, "{path}");
        }
    }

    #[test]
    fn the_policy_allows_the_documents_own_inline_scripts_and_styles_only() {
        let html = "<script src=\"a.js\"></script><script type=\"module\">go()</script><script>\nx\n</script><style>p{}</style>";
        assert_eq!(inline(html, "script"), ["go()", "\nx\n"]);
        let headers = secure(html.as_bytes());
        let policy = headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
        let hash = BASE64_STANDARD.encode(Sha256::digest("go()"));
        assert!(policy.contains(&format!("'wasm-unsafe-eval' 'sha256-{hash}' 'sha256-")), "{policy}");
        let style = BASE64_STANDARD.encode(Sha256::digest("p{}"));
        assert!(policy.contains(&format!("style-src 'self' 'sha256-{style}';")), "{policy}");
        assert!(!secure(b"<p>").is_empty());
    }

    #[tokio::test]
    async fn a_file_known_by_its_etag_is_not_sent_again() {
        let get = async |headers: &HeaderMap| {
            let file = File { path: "app.js", hash: [7; 32], data: b"let x;".as_slice().into() };
            file.respond(&Encoded::default(), headers).await
        };
        let first = get(&HeaderMap::new()).await;
        assert_eq!(first.status(), StatusCode::OK);
        assert_eq!(first.headers()[CONTENT_TYPE], "text/javascript; charset=utf-8");
        assert_eq!(first.headers()[CACHE_CONTROL], "no-cache");
        let known =
            HeaderMap::from_iter([(axum::http::header::IF_NONE_MATCH, first.headers()[ETAG].clone())]);
        let second = get(&known).await;
        assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(second.headers()[ETAG], first.headers()[ETAG]);
    }
}
