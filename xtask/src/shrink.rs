//! Makes the npm package small: wasm-opt, esbuild and terser, all npm packages, kept in `<cache>/hola-webrtc/shrink`.

use std::{
    cmp::Reverse,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use xshell::{Shell, cmd};

use crate::{glue, installed, project::Project, tools::Toolbox};

/// Where the versions stand.
const SOURCE: &str = "xtask/shrink";

/// What Rust's target for the web uses beyond the first WebAssembly: all of it older than four years in browsers.
const FEATURES: [&str; 7] = [
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-mutable-globals",
    "--enable-multivalue",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// For few bytes after gzip: what `-Oz` does beyond this makes a smaller module that compresses worse. A function with one
/// caller is inlined only if it is small: the larger ones compress better on their own.
const GOALS: [&str; 7] = [
    // Control flow made anew compresses better, by a third of a percent.
    "--flatten",
    "--rereloop",
    "-O2",
    "--shrink-level=2",
    "--one-caller-inline-max-function-size=25",
    "--always-inline-max-function-size=4",
    // The stack begins there, so that only one that overflows reaches it.
    "--low-memory-unused",
];

/// Names are for debuggers.
const NAMELESS: [&str; 4] = [
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
    "--minify-imports-and-exports-and-modules",
];

/// What terser may do. The glue's functions are not constructors, whatever they are written as.
const COMPRESS: &str = "passes=3,ecma=2022,unsafe_methods,unsafe_arrows";

/// What wasm-opt calls the only module that there is to import from, without telling.
const MODULE: &str = "a";

/// The programs that make things small.
#[derive(Debug)]
pub struct Shrinker {
    modules: PathBuf,
    /// Takes out what panics would say.
    panics: PathBuf,
}

impl Shrinker {
    /// Installs what is missing.
    pub fn provide(shell: &Shell, project: &Project) -> Result<Self> {
        let folder = Toolbox::open(project)?.cache().join("shrink");
        let source = project.path(SOURCE);
        Ok(Self {
            modules: installed::node_modules(shell, &source, folder)?,
            panics: source.join("panics.mjs"),
        })
    }

    /// Writes a small module, and tells by which names it now knows its surroundings.
    pub fn shrink(&self, shell: &Shell, module: &Path, small: &Path) -> Result<Names> {
        let (modules, panics, quiet) = (&self.modules, &self.panics, small);
        cmd!(shell, "node {panics} {modules} {module} {quiet}").run().context("panics.mjs failed")?;
        let wasm_opt = modules.join("binaryen/bin/wasm-opt");
        // Once more finds more, by half a percent. `--converge` would take the new names for old ones.
        cmd!(shell, "node {wasm_opt} {FEATURES...} {GOALS...} {quiet} -o {small}")
            .run()
            .context("wasm-opt failed")?;
        let renamed =
            cmd!(shell, "node {wasm_opt} {FEATURES...} {GOALS...} {NAMELESS...} {small} -o {small}")
                .read()
                .context("wasm-opt failed")?;
        serde_json::from_str(&renamed).context("wasm-opt did not tell the new names")
    }

    /// Writes one small file with all that `entry` imports, except other entries.
    pub fn bundle(&self, shell: &Shell, entry: &Path, small: &Path) -> Result<()> {
        let (esbuild, terser) =
            (self.modules.join("esbuild/bin/esbuild"), self.modules.join("terser/bin/terser"));
        let options = [
            "--bundle",
            "--format=esm",
            "--target=es2022",
            "--minify",
            "--external:./index.js",
            "--external:./framed.js",
            "--external:./reconnect.js",
        ];
        cmd!(shell, "node {esbuild} {options...} --log-level=warning {entry} --outfile={small}")
            .run()
            .context("esbuild failed")?;
        cmd!(shell, "node {terser} {small} --module --compress {COMPRESS} --mangle --output {small}")
            .run()
            .context("terser failed")
    }
}

/// What wasm-opt has given short names to.
#[derive(Debug, Deserialize)]
pub struct Names {
    /// Functions of the glue that the module calls: the glue's name, the old name, the new name.
    imports: Vec<(String, String, String)>,
    /// What the glue takes from the module: the old name, the new name.
    exports: Vec<(String, String)>,
}

impl Names {
    /// The glue with the short names. There an import is the key of an object, and an export a property of `wasm`.
    pub fn apply(mut self, glue: &str) -> Result<String> {
        // No name may be taken for the beginning of another.
        self.exports.sort_by_key(|(long, _)| Reverse(long.len()));
        let mut glue = glue.to_owned();
        for (module, long, short) in &self.imports {
            ensure!(glue.contains(&format!("{long}:")), "the glue has no {long}, which the module calls");
            glue = glue.replace(&format!("\"{module}\":"), &format!("{MODULE}:"));
            glue = glue.replace(&format!("{long}:"), &format!("{short}:"));
        }
        for (long, short) in &self.exports {
            glue = glue.replace(&format!("wasm.{long}"), &format!("wasm.{short}"));
        }
        Ok(glue)
    }

    /// The same, and without what no browser needs that can run the module.
    pub fn apply_small(self, glue: &str) -> Result<String> {
        self.apply(&glue::lean(glue)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_glue_gets_the_names_that_the_module_has() {
        let renamed = r#"{"imports": [["./glue.js", "__wbg_now_1f", "$a"], ["./glue.js", "__wbg_id_2e", "b"]],
            "exports": [["send", "c"], ["send_large", "d"]]}"#;
        let renamed: Names = serde_json::from_str(renamed).unwrap();
        let glue =
            r#"{ "./glue.js": { __wbg_id_2e: send, __wbg_now_1f: () => wasm.send_large(wasm.send()) } }"#;
        assert_eq!(renamed.apply(glue).unwrap(), "{ a: { b: send, $a: () => wasm.d(wasm.c()) } }");
    }
}
