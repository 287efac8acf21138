//! The page that browsers load. It is isolated, so that its clock is finer
//! ([High Resolution Time](https://www.w3.org/TR/hr-time-3/#dfn-coarsen-time)).

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Result;
use axum::{
    Router,
    http::{HeaderMap, HeaderName, HeaderValue, header::CONTENT_TYPE},
    routing::get,
};
use tokio::{net::TcpListener, task::JoinHandle};

const HTML: &str = include_str!("../../../offerers/page.html");
const SCRIPT: &str = include_str!("../../../offerers/offerer.js");

/// The page's server. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Page {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Page {
    pub(crate) async fn serve() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let routes = Router::new()
            .route("/", get(async || (isolated("text/html; charset=utf-8"), HTML)))
            .route("/offerer.js", get(async || (isolated("text/javascript; charset=utf-8"), SCRIPT)));
        let task = tokio::spawn(async move {
            // It ends with the task.
            let _ = axum::serve(listener, routes).await;
        });
        Ok(Self { address, task })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn isolated(kind: &'static str) -> HeaderMap {
    let fields = [
        (CONTENT_TYPE, kind),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-embedder-policy"), "require-corp"),
    ];
    fields.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect()
}
