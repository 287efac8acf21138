//! The page's build tool.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use toml::{Table, Value};
use xshell::{Shell, cmd};

use crate::project::Project;

/// The configuration in the project's root.
const CONFIGURATION: &str = "Trunk.toml";

/// Builds the page for release into `dist`.
pub fn build(shell: &Shell) -> Result<()> {
    cmd!(shell, "trunk build --release --locked")
        .env(NO_VERSION_CHECK.0, NO_VERSION_CHECK.1)
        .run()
        .context("the page does not build")
}

/// `trunk serve` on `port`, handing requests for the server to `backend`.
pub fn serve(shell: &Shell, project: &Project, port: u16, backend: SocketAddr) -> Result<Command> {
    let configuration = configuration_for(project, backend)?;
    let path = shell.var_os("PATH").unwrap_or_default();
    let program = which::which_in("trunk", Some(&path), &project.root).context("trunk is missing")?;
    let mut command = Command::new(program);
    command
        .current_dir(&project.root)
        .env("PATH", path)
        .env(NO_VERSION_CHECK.0, NO_VERSION_CHECK.1)
        .args(["serve", "--port", &port.to_string(), "--config"])
        .arg(configuration);
    Ok(command)
}

/// The version is pinned: news of a later one would only disturb.
const NO_VERSION_CHECK: (&str, &str) = ("TRUNK_SKIP_VERSION_CHECK", "true");

/// The project's own configuration if it names this backend already, otherwise a copy that does.
fn configuration_for(project: &Project, backend: SocketAddr) -> Result<PathBuf> {
    let path = project.path(CONFIGURATION);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let original: Table = text.parse().with_context(|| format!("{} is not TOML", path.display()))?;
    let mut changed = original.clone();
    redirect(&mut changed, backend)?;
    if changed == original {
        return Ok(path);
    }
    anchor(&mut changed, &project.root);
    let folder = project.target.join("xtask");
    fs::create_dir_all(&folder)?;
    let copy = folder.join(CONFIGURATION);
    fs::write(&copy, changed.to_string())?;
    Ok(copy)
}

/// Points every proxy at `backend` and leaves its path as it is.
fn redirect(configuration: &mut Table, backend: SocketAddr) -> Result<()> {
    let proxies = configuration.get_mut("proxy").and_then(Value::as_array_mut);
    for proxy in proxies.into_iter().flatten() {
        let Some(Value::String(address)) = proxy.get_mut("backend") else {
            bail!("{CONFIGURATION} has a proxy without a backend");
        };
        let path = address.splitn(4, '/').nth(3).unwrap_or_default();
        *address = format!("https://{backend}/{path}");
    }
    Ok(())
}

/// Makes the paths absolute, because Trunk resolves them beside the configuration.
fn anchor(configuration: &mut Table, root: &Path) {
    const PATHS: [(&str, &str); 4] =
        [("build", "target"), ("build", "dist"), ("watch", "watch"), ("watch", "ignore")];
    let build = configuration.entry("build").or_insert_with(|| Value::Table(Table::new()));
    if let Some(build) = build.as_table_mut() {
        build.entry("target").or_insert_with(|| "index.html".into());
        build.entry("dist").or_insert_with(|| "dist".into());
    }
    for (section, key) in PATHS {
        let value = configuration.get_mut(section).and_then(|section| section.get_mut(key));
        match value {
            Some(Value::String(path)) => *path = join(root, path),
            Some(Value::Array(paths)) => {
                for path in paths {
                    if let Value::String(path) = path {
                        *path = join(root, path);
                    }
                }
            }
            _ => {}
        }
    }
}

fn join(root: &Path, path: &str) -> String {
    root.join(path).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUNK_TOML: &str = r#"
        [watch]
        ignore = ["dist", "target"]

        [[proxy]]
        backend = "https://127.0.0.1:8443/offer"
        insecure = true

        [[proxy]]
        backend = "https://127.0.0.1:8443/sessions"
        insecure = true
    "#;

    fn backends(configuration: &Table) -> Vec<&str> {
        let proxies = configuration["proxy"].as_array().unwrap();
        proxies.iter().map(|proxy| proxy["backend"].as_str().unwrap()).collect()
    }

    #[test]
    fn every_proxy_is_pointed_at_the_server_and_keeps_its_path() {
        let mut configuration: Table = TRUNK_TOML.parse().unwrap();
        redirect(&mut configuration, "127.0.0.1:9000".parse().unwrap()).unwrap();
        assert_eq!(
            backends(&configuration),
            ["https://127.0.0.1:9000/offer", "https://127.0.0.1:9000/sessions"]
        );
    }

    #[test]
    fn the_default_address_leaves_the_configuration_as_it_is() {
        let original: Table = TRUNK_TOML.parse().unwrap();
        let mut configuration = original.clone();
        redirect(&mut configuration, "127.0.0.1:8443".parse().unwrap()).unwrap();
        assert_eq!(configuration, original);
    }

    #[test]
    fn paths_stay_those_of_the_project() {
        let mut configuration: Table = TRUNK_TOML.parse().unwrap();
        anchor(&mut configuration, Path::new("/project"));
        assert_eq!(configuration["build"]["target"].as_str(), Some("/project/index.html"));
        assert_eq!(configuration["build"]["dist"].as_str(), Some("/project/dist"));
        assert_eq!(configuration["watch"]["ignore"][1].as_str(), Some("/project/target"));
    }
}
