//! Another origin: a site that has nothing of ours but the npm package.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Result;
use axum::{
    Router,
    extract::State,
    http::{
        StatusCode, Uri,
        header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use tokio::{net::TcpListener, task::JoinHandle};
use xtask::{embed, package, project::Project};

/// The server that the examples name.
const SERVER: &str = "https://localhost:8443";

/// Nothing but own scripts, own styles and own WebAssembly; the image is the icon that browsers ask for.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; connect-src 'self' https:";

/// Notes what a page would rather not have happen. In every page, before all else.
const WATCH: &str = "/watch.js";

/// The package's entry once more, without the files that it loads.
const BARE: &str = "bare/index.js";

/// The site, as long as this lives.
#[derive(Debug)]
pub struct Site {
    address: SocketAddr,
    task: JoinHandle<()>,
}

/// What is served.
#[derive(Debug)]
struct Files {
    folder: PathBuf,
    package: PathBuf,
    /// Takes the place of [`SERVER`].
    server: String,
    /// For pages that bring no policy of their own.
    policy: Option<&'static str>,
}

impl Site {
    /// Serves `examples/embed/plain`, whose pages have their own policies, and the npm package beneath `/pkg`; `server`
    /// takes the place of the server that the pages name.
    pub async fn plain(server: &str) -> Result<Self> {
        Self::of("examples/embed/plain", server).await
    }

    /// Serves a folder of the project, and the npm package beneath `/pkg`.
    pub async fn of(folder: &str, server: &str) -> Result<Self> {
        let project = Project::find()?;
        Self::start(&project, project.path(folder), server, None).await
    }

    /// Serves what a bundler has built, under a strict policy.
    pub async fn bundled(example: &str, server: &str) -> Result<Self> {
        let project = Project::find()?;
        let folder = embed::folder(&project, example);
        let built = folder.join("dist");
        // Vite writes a page, webpack only what a page refers to.
        let folder = if built.join("index.html").exists() { built } else { folder };
        Self::start(&project, folder, server, Some(POLICY)).await
    }

    async fn start(
        project: &Project,
        folder: PathBuf,
        server: &str,
        policy: Option<&'static str>,
    ) -> Result<Self> {
        let package = project.path(package::FOLDER);
        let server = server.trim_end_matches('/').to_owned();
        let files = Arc::new(Files { folder, package, server, policy });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let routes = Router::new().fallback(serve).with_state(files);
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, routes).await {
                eprintln!("the site ended: {error}");
            }
        });
        Ok(Self { address, task })
    }

    /// Its origin, as `http://127.0.0.1:1234`.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address of a page.
    pub fn page(&self, name: &str) -> String {
        format!("{}/{name}", self.origin())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(State(files): State<Arc<Files>>, uri: Uri) -> Response {
    let name = uri.path().trim_start_matches('/');
    let Some(content) = files.read(name) else { return StatusCode::NOT_FOUND.into_response() };
    let mut response = ([(CONTENT_TYPE, kind(name))], content).into_response();
    if let Some(policy) = files.policy.and_then(|policy| policy.parse().ok()) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

impl Files {
    fn read(&self, name: &str) -> Option<Vec<u8>> {
        if name == WATCH.trim_start_matches('/') {
            return Some(include_bytes!("watch.js").to_vec());
        }
        let path = match name.strip_prefix("pkg/") {
            Some(rest) => self.package.join(rest),
            None if name == BARE => self.package.join("index.js"),
            None if name.is_empty() => self.folder.join("index.html"),
            None => self.folder.join(name),
        };
        let content = fs::read(&path).ok()?;
        match kind(&path.to_string_lossy()) {
            "application/wasm" => Some(content),
            kind => Some(self.adapt(kind, &String::from_utf8(content).ok()?).into_bytes()),
        }
    }

    /// The server's address put in, and in a page the watch.
    fn adapt(&self, kind: &str, text: &str) -> String {
        let text = text.replace(SERVER, &self.server);
        match kind {
            "text/html" => text.replacen("<head>", &format!("<head><script src=\"{WATCH}\"></script>"), 1),
            _ => text,
        }
    }
}

fn kind(name: &str) -> &'static str {
    match Path::new(name).extension().and_then(|extension| extension.to_str()) {
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("wasm") => "application/wasm",
        _ => "text/html",
    }
}
