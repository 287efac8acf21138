//! Turns the translations into one method per sentence, so that a sentence that is missing, or one that lacks a
//! parameter, does not compile.

fn main() -> Result<(), rosetta_build::error::BuildError> {
    rosetta_build::config()
        .source("en", "locales/en.json")
        .source("es", "locales/es.json")
        .fallback("en")
        .generate()
}
