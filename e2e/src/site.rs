//! Another origin: a site that has nothing of ours but the npm package.

use std::net::SocketAddr;

use anyhow::Result;
use axum::Router;
use tokio::{net::TcpListener, task::JoinHandle};
use tower_http::services::ServeDir;
use xtask::project::Project;

/// The site, as long as this lives.
#[derive(Debug)]
pub struct Site {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Site {
    /// Serves `examples/embed`, and the npm package beneath `/pkg`.
    pub async fn start() -> Result<Self> {
        let project = Project::find()?;
        let files = Router::new()
            .nest_service("/pkg", ServeDir::new(project.path("client/pkg")))
            .fallback_service(ServeDir::new(project.path("examples/embed")));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, files).await {
                eprintln!("the site ended: {error}");
            }
        });
        Ok(Self { address, task })
    }

    /// Its origin, as `http://127.0.0.1:1234`.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}
