//! The browsers for the tests. They come from the system's packages.

use std::path::PathBuf;

use anyhow::{Result, bail};
use xshell::{Shell, cmd};

/// A program of the system that the tests need.
#[derive(Debug)]
pub struct Program {
    /// The names it goes by, the likeliest first.
    pub names: &'static [&'static str],
    /// The package that has it on Debian and its relatives.
    pub debian: &'static str,
    /// What to install elsewhere.
    pub elsewhere: &'static str,
}

/// Chromium, or Chrome.
pub const CHROMIUM: Program = Program {
    names: &["chromium", "chromium-browser", "google-chrome", "chrome"],
    debian: "chromium",
    elsewhere: "Chromium or Chrome",
};

/// Drives Chromium; belongs to the same release.
pub const CHROMEDRIVER: Program = Program {
    names: &["chromedriver"],
    debian: "chromium-driver",
    elsewhere: "chromedriver of the same version as the browser",
};

/// Firefox, of the long-term support where Debian is concerned.
pub const FIREFOX: Program =
    Program { names: &["firefox-esr", "firefox"], debian: "firefox-esr", elsewhere: "Firefox" };

impl Program {
    /// Where it is, if it is on PATH.
    pub fn find(&self) -> Option<PathBuf> {
        self.names.iter().find_map(|name| which::which(name).ok())
    }
}

/// Makes sure that the browsers are there: by apt-get where it may install, otherwise by saying what is missing.
pub fn provide(shell: &Shell, programs: &[&Program]) -> Result<()> {
    let missing = missing(programs);
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|program| program.debian).collect();
    if !install(shell, &packages)? {
        bail!(what_to_install(&missing));
    }
    match &self::missing(programs)[..] {
        [] => Ok(()),
        still => bail!(what_to_install(still)),
    }
}

/// Installs Debian's packages. `false` where that is not possible, or not allowed without a password.
pub fn install(shell: &Shell, packages: &[&str]) -> Result<bool> {
    let Some((privileged, apt_get)) = apt_get(shell) else { return Ok(false) };
    eprintln!("Installing {} by apt-get: once only, about 2 minutes.", packages.join(", "));
    cmd!(shell, "{privileged} {apt_get...} update --quiet").run()?;
    cmd!(shell, "{privileged} {apt_get...} install --quiet --yes {packages...}").run()?;
    Ok(true)
}

fn missing<'a>(programs: &[&'a Program]) -> Vec<&'a Program> {
    programs.iter().copied().filter(|program| program.find().is_none()).collect()
}

/// The words that call `apt-get` without a question, if this system has it and we may call it without a password.
fn apt_get(shell: &Shell) -> Option<(&'static str, &'static [&'static str])> {
    which::which("apt-get").ok()?;
    let user = cmd!(shell, "id --user").quiet().read().ok()?;
    if user.trim() == "0" {
        return Some(("env", &["DEBIAN_FRONTEND=noninteractive", "apt-get"]));
    }
    which::which("sudo").ok()?;
    cmd!(shell, "sudo --non-interactive true").quiet().ignore_stdout().ignore_stderr().run().ok()?;
    Some(("sudo", &["--non-interactive", "DEBIAN_FRONTEND=noninteractive", "apt-get"]))
}

fn what_to_install(missing: &[&Program]) -> String {
    let things: Vec<&str> = missing.iter().map(|program| program.elsewhere).collect();
    let packages: Vec<&str> = missing.iter().map(|program| program.debian).collect();
    format!(
        "the tests need {}, to be found on PATH. On Debian: sudo apt-get install {}",
        things.join(" and "),
        packages.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_debian_packages() {
        let message = what_to_install(&[&CHROMEDRIVER, &FIREFOX]);
        assert_eq!(
            message,
            "the tests need chromedriver of the same version as the browser and Firefox, to be found on PATH. \
             On Debian: sudo apt-get install chromium-driver firefox-esr"
        );
    }

    #[test]
    fn a_program_that_is_there_is_not_missing() {
        let shell = Program { names: &["no-such-shell", "sh"], debian: "dash", elsewhere: "a shell" };
        let nothing = Program { names: &["no-such-program"], debian: "none", elsewhere: "nothing" };
        let missing = missing(&[&shell, &nothing]);
        assert_eq!(missing.iter().map(|program| program.debian).collect::<Vec<_>>(), ["none"]);
    }
}
