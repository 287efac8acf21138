//! Vite's server for development. It hands out modules one by one, and none of them may be missing: neither the package's
//! JavaScript nor what that loads later.

use std::{
    collections::BTreeSet,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use ureq::Agent;

use crate::{
    process::{POLL, Process},
    server,
};

/// The WebAssembly modules of the package.
const MODULES: [&str; 3] = ["hola_framing.wasm", "hola_reconnect.wasm", "hola_webrtc.wasm"];

/// What [`MODULES`] have to come as, to be compiled while they arrive.
const WASM: &str = "application/wasm";

/// What is Vite's own on the page.
const OWN: &str = "/@vite/";

/// How long it may take to start.
const DEADLINE: Duration = Duration::from_mins(1);

/// How another file is named in a page or a module, up to the quotation mark before its name.
const MARKS: [&str; 7] = ["from\"", "from \"", "import\"", "import \"", "import(\"", "src=\"", "new URL(\""];

/// Starts `npm run dev` in the folder of a project, and fetches its page with every module that it names.
pub(super) fn check(folder: &Path) -> Result<()> {
    let port = server::free_address()?.port().to_string();
    let mut command = Command::new("npm");
    command
        .current_dir(folder)
        .args(["run", "--silent", "dev", "--", "--host", "127.0.0.1", "--strictPort", "--port", &port])
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let mut vite = Process::spawn("vite", command)?;
    let (agent, origin) = (server::agent(), format!("http://127.0.0.1:{port}"));
    wait(&mut vite, &agent, &origin)?;
    let found = walk(&agent, &origin)?;
    for module in MODULES {
        ensure!(found.iter().any(|path| path.ends_with(module)), "no module of the page names {module}");
    }
    Ok(())
}

fn wait(vite: &mut Process, agent: &Agent, origin: &str) -> Result<()> {
    let deadline = Instant::now() + DEADLINE;
    while agent.get(origin).call().is_err() {
        if let Some(status) = vite.ended()? {
            bail!("vite ended: {status}");
        }
        ensure!(Instant::now() < deadline, "vite does not answer within {} s", DEADLINE.as_secs());
        thread::sleep(POLL);
    }
    Ok(())
}

/// Fetches the page and what is named in it, and so on. The WebAssembly modules among that.
fn walk(agent: &Agent, origin: &str) -> Result<BTreeSet<String>> {
    let (mut waiting, mut seen, mut found) = (vec!["/".to_owned()], BTreeSet::new(), BTreeSet::new());
    while let Some(path) = waiting.pop() {
        if path.starts_with(OWN) || !seen.insert(path.clone()) {
            continue;
        }
        let mut response = agent.get(format!("{origin}{path}")).call().with_context(|| path.clone())?;
        if Path::new(&path).extension().is_some_and(|it| it == "wasm") {
            let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok());
            ensure!(kind == Some(WASM), "{path} comes as {}, not {WASM}", kind.unwrap_or("nothing"));
            found.insert(path);
            continue;
        }
        let text = response.body_mut().read_to_string().with_context(|| path.clone())?;
        waiting.extend(named(&text).into_iter().filter_map(|name| beside(&path, name)));
    }
    Ok(found)
}

/// The files that a page or a module names.
fn named(text: &str) -> Vec<&str> {
    let after = |mark| text.split(mark).skip(1).filter_map(|rest| rest.split_once('"'));
    MARKS.into_iter().flat_map(after).map(|(name, _)| name).collect()
}

/// A file named in another one. Of other servers' none.
fn beside(path: &str, name: &str) -> Option<String> {
    if name.starts_with('/') {
        return Some(name.to_owned());
    }
    let (folder, _) = path.rsplit_once('/')?;
    Some(format!("{folder}/{}", name.strip_prefix("./")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_and_its_modules_name_is_found() {
        let text = r#"<script src="/a.ts"> import{x}from"./b.js"; import("/c.js"); new URL("./d.wasm", import.meta.url)"#;
        let names: Vec<_> = named(text).into_iter().filter_map(|name| beside("/src/main.ts", name)).collect();
        assert_eq!(names, ["/src/b.js", "/c.js", "/a.ts", "/src/d.wasm"]);
    }

    #[test]
    fn other_servers_and_packages_are_not_asked() {
        assert_eq!(beside("/src/main.ts", "https://localhost:8443/"), None);
        assert_eq!(beside("/src/main.ts", "hola-webrtc"), None);
    }
}
