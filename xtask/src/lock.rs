//! What `Cargo.lock` has settled.

use anyhow::{Context, Result, bail};
use toml::{Table, Value};

/// The version of `package` in the text of a `Cargo.lock`. It has to be the only one there.
pub fn locked_version(lock: &str, package: &str) -> Result<String> {
    let lock: Table = lock.parse().context("Cargo.lock is not TOML")?;
    let packages = lock.get("package").and_then(Value::as_array).context("Cargo.lock names no packages")?;
    let versions: Vec<&str> = packages
        .iter()
        .filter(|entry| entry.get("name").and_then(Value::as_str) == Some(package))
        .filter_map(|entry| entry.get("version").and_then(Value::as_str))
        .collect();
    match versions[..] {
        [version] => Ok(version.to_owned()),
        [] => bail!("Cargo.lock has no {package}"),
        _ => bail!("Cargo.lock has {package} more than once: {}", versions.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
        version = 4

        [[package]]
        name = "wasm-bindgen"
        version = "0.2.130"
        source = "registry+https://github.com/rust-lang/crates.io-index"

        [[package]]
        name = "wasm-bindgen-macro"
        version = "0.2.131"

        [[package]]
        name = "rand"
        version = "0.8.5"

        [[package]]
        name = "rand"
        version = "0.9.2"
    "#;

    #[test]
    fn the_version_is_that_of_the_package_with_exactly_this_name() {
        assert_eq!(locked_version(LOCK, "wasm-bindgen").unwrap(), "0.2.130");
    }

    #[test]
    fn a_package_that_is_missing_is_named() {
        assert_eq!(locked_version(LOCK, "trunk").unwrap_err().to_string(), "Cargo.lock has no trunk");
    }

    #[test]
    fn two_versions_of_one_package_are_no_answer() {
        let error = locked_version(LOCK, "rand").unwrap_err().to_string();
        assert_eq!(error, "Cargo.lock has rand more than once: 0.8.5, 0.9.2");
    }

    #[test]
    fn the_lock_of_this_workspace_names_wasm_bindgen() {
        let lock = include_str!("../../Cargo.lock");
        assert!(locked_version(lock, "wasm-bindgen").unwrap().starts_with("0.2."));
    }
}
