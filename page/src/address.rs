//! What the page's own address says, and where the server is.

use leptos::prelude::window;
use web_sys::{Url, UrlSearchParams};

/// The server that the page talks to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// What the client is given.
    pub url: String,
    /// What a person may open.
    pub origin: String,
    /// Its origin is not the page's.
    pub is_foreign: bool,
}

/// The server named by `?server=https://host:port`, or else the one that the page came from.
pub fn server() -> Server {
    let own = window().location().origin().unwrap_or_default();
    let Some(url) = query("server").filter(|url| !url.is_empty()) else {
        return Server { url: "/".to_owned(), origin: own, is_foreign: false };
    };
    // What is no absolute URL, or has no origin, is shown as it was given: the client refuses it.
    let origin = Url::new(&url).map(|url| url.origin()).ok().filter(|origin| origin != "null");
    let origin = origin.unwrap_or_else(|| url.clone());
    Server { is_foreign: origin != own, url, origin }
}

/// The value of a parameter of the query, as in `?lang=es`.
pub fn query(name: &str) -> Option<String> {
    let search = window().location().search().ok()?;
    UrlSearchParams::new_with_str(&search).ok()?.get(name)
}
