//! The page's files, compressed: once each, not for each request, whose client may take its time to read.

use std::{
    borrow::Cow,
    collections::{HashMap, hash_map::Entry},
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::Bytes,
    http::{HeaderMap, header::ACCEPT_ENCODING},
};
use flate2::{Compression, write::GzEncoder};
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use tokio::task::spawn_blocking;

/// A content coding (RFC 9110, 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Encoding {
    Brotli,
    Gzip,
}

impl Encoding {
    /// The best one that the client takes (RFC 9110, 12.5.3).
    pub(super) fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let fields = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|field| field.to_str().ok());
        let accepted: Vec<&str> = fields
            .flat_map(|field| field.split(','))
            .filter_map(|coding| {
                let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
                let weight: f32 = weight.trim().strip_prefix("q=")?.trim().parse().ok()?;
                (weight > 0.0).then_some(name.trim())
            })
            .collect();
        [Self::Brotli, Self::Gzip]
            .into_iter()
            .find(|encoding| accepted.iter().any(|name| name.eq_ignore_ascii_case(encoding.name())))
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    fn encode(self, data: &[u8]) -> io::Result<Vec<u8>> {
        let mut encoded = Vec::with_capacity(data.len() / 3);
        match self {
            Self::Brotli => {
                /// Nearly as small as the best, which takes ten times as long.
                const QUALITY: u32 = 9;
                const WINDOW: u32 = 22;
                brotli::CompressorWriter::new(&mut encoded, 4096, QUALITY, WINDOW).write_all(data)?;
            }
            Self::Gzip => GzEncoder::new(&mut encoded, Compression::best()).write_all(data)?,
        }
        Ok(encoded)
    }
}

/// What has been compressed: of each file the version seen last.
#[derive(Clone, Debug, Default)]
pub(super) struct Encoded {
    files: Arc<Mutex<HashMap<(String, Encoding), Version>>>,
}

#[derive(Clone, Debug)]
struct Version {
    hash: [u8; 32],
    bytes: Job,
}

/// Goes on whether or not somebody waits for it: requests that are taken back do not leave a compression each.
type Job = Shared<BoxFuture<'static, Result<Bytes, Arc<io::Error>>>>;

impl Encoded {
    /// The file, compressed; whoever asks while that goes on waits for it.
    pub(super) async fn get(
        &self,
        path: &str,
        hash: [u8; 32],
        data: Cow<'static, [u8]>,
        encoding: Encoding,
    ) -> io::Result<Bytes> {
        let job = self.job(path, hash, data, encoding);
        job.clone().await.map_err(|error| {
            self.forget(path, encoding, &job);
            io::Error::other(error)
        })
    }

    /// The next request tries again.
    fn forget(&self, path: &str, encoding: Encoding, failed: &Job) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(version) = files.entry((path.to_owned(), encoding))
            && version.get().bytes.ptr_eq(failed)
        {
            version.remove();
        }
    }

    fn job(&self, path: &str, hash: [u8; 32], data: Cow<'static, [u8]>, encoding: Encoding) -> Job {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = || {
            let encoded = spawn_blocking(move || encoding.encode(&data));
            let bytes = encoded.map(|encoded| Ok(Bytes::from(encoded.map_err(io::Error::other)??)));
            Version { hash, bytes: bytes.map(|bytes| bytes.map_err(Arc::new)).boxed().shared() }
        };
        match files.entry((path.to_owned(), encoding)) {
            Entry::Occupied(mut version) if version.get().hash != hash => {
                version.insert(begin());
                version.get().bytes.clone()
            }
            version => version.or_insert_with(begin).bytes.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_best_encoding_that_the_client_takes_is_chosen() {
        for (accepted, encoding) in [
            ("gzip, deflate, br, zstd", Some(Encoding::Brotli)),
            ("gzip", Some(Encoding::Gzip)),
            ("br;q=0, GZIP;q=0.5", Some(Encoding::Gzip)),
            ("br; q=0.1", Some(Encoding::Brotli)),
            ("identity", None),
            ("br;x", None),
            ("", None),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, accepted.parse().unwrap())]);
            assert_eq!(Encoding::negotiate(&headers), encoding, "{accepted}");
        }
        assert_eq!(Encoding::negotiate(&HeaderMap::new()), None);
    }

    #[tokio::test]
    async fn a_file_is_compressed_once_for_each_version_and_encoding() {
        let encoded = Encoded::default();
        let data = b"hello, hello, hello, hello, hello".repeat(100);
        let of_data = || Cow::Owned(data.clone());
        let first = encoded.get("a.js", [1; 32], of_data(), Encoding::Gzip).await.unwrap();
        let second = encoded.get("a.js", [1; 32], of_data(), Encoding::Gzip).await.unwrap();
        assert_eq!(first.as_ptr(), second.as_ptr());
        let mut decoded = Vec::new();
        flate2::read::GzDecoder::new(&first[..]).read_to_end(&mut decoded).unwrap();
        assert_eq!(decoded, data);

        let brotli = encoded.get("a.js", [1; 32], of_data(), Encoding::Brotli).await.unwrap();
        let mut decoded = Vec::new();
        brotli::Decompressor::new(&brotli[..], 4096).read_to_end(&mut decoded).unwrap();
        assert_eq!(decoded, data);

        encoded.get("a.js", [2; 32], Cow::Borrowed(b"other"), Encoding::Gzip).await.unwrap();
        assert_eq!(encoded.files.lock().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn requests_that_are_taken_back_leave_one_compression_that_goes_on() {
        static DATA: [u8; 100_000] = [7; 100_000];
        let encoded = Encoded::default();
        let ask = || encoded.job("a.wasm", [1; 32], Cow::Borrowed(&DATA), Encoding::Gzip);
        let first = ask();
        for _ in 0..100 {
            let mut request = Box::pin(encoded.get("a.wasm", [1; 32], Cow::Borrowed(&DATA), Encoding::Gzip));
            assert!((&mut request).now_or_never().is_none());
            drop(request);
            assert!(ask().ptr_eq(&first));
        }
        assert!(first.await.is_ok());
    }
}
