//! The languages of the page: the sentences themselves, and which language is spoken.

use leptos::prelude::*;
use web_sys::{Storage, Url};

/// The sentences, made at compile time from `locales/*.json`: `Lang::Es.start()`.
#[allow(clippy::pedantic)]
mod sentences {
    rosetta_i18n::include_translations!();
}

pub use sentences::Lang;

/// Every language, in the order of the switch.
pub const LANGUAGES: [Lang; 2] = [Lang::Es, Lang::En];

/// Names the choice in the page's storage.
const STORAGE_KEY: &str = "hola-webrtc.language";

/// Names it in the page's address.
const QUERY_KEY: &str = "lang";

impl Lang {
    /// The language's tag (BCP 47), as in `<html lang>`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Es => "es",
            Self::En => "en",
        }
    }
}

/// The language that is spoken now; every component that says something reads it.
#[derive(Clone, Copy)]
pub struct Language(RwSignal<Lang>);

impl Language {
    /// Finds out which language to begin with, and lets the document follow every change.
    pub fn provide() -> Self {
        let language = Self(RwSignal::new(initial()));
        provide_context(language);
        Effect::new(move || {
            let lang = language.get();
            document().set_title(lang.page_title());
            if let Some(root) = document().document_element() {
                // The attribute's name is valid, so this cannot fail.
                let _ = root.set_attribute("lang", lang.tag());
            }
        });
        language
    }

    /// The one provided above.
    pub fn expect() -> Self {
        expect_context()
    }

    /// The language now; what reads it is drawn anew when it changes.
    pub fn get(self) -> Lang {
        self.0.get()
    }

    /// The language now, without following it.
    pub fn get_untracked(self) -> Lang {
        self.0.get_untracked()
    }

    /// Changes the language and remembers the choice.
    pub fn choose(self, lang: Lang) {
        self.0.set(lang);
        // Without storage (private windows) or history the choice lasts as long as the page.
        let _ = storage().map(|storage| storage.set_item(STORAGE_KEY, lang.tag()));
        let _ = drop_from_address();
    }
}

/// The first of these that names a language of the page: the address, the remembered choice, the browser's
/// preferences in their order. Otherwise English, which more people read as a second language.
fn first_known<'a>(tags: impl IntoIterator<Item = &'a str>) -> Lang {
    tags.into_iter().find_map(known).unwrap_or(Lang::En)
}

/// The page's language for a tag such as `es-AR`.
fn known(tag: &str) -> Option<Lang> {
    let primary = tag.split(['-', '_']).next()?;
    LANGUAGES.into_iter().find(|lang| lang.tag().eq_ignore_ascii_case(primary))
}

fn initial() -> Lang {
    let asked = crate::address::query(QUERY_KEY);
    let remembered = storage().and_then(|storage| storage.get_item(STORAGE_KEY).ok()?);
    let preferred = window().navigator().languages().into_iter().filter_map(|tag| tag.as_string());
    let tags: Vec<String> = asked.into_iter().chain(remembered).chain(preferred).collect();
    first_known(tags.iter().map(String::as_str))
}

fn storage() -> Option<Storage> {
    window().local_storage().ok()?
}

/// Takes the language out of the address, lest it overrule the choice when the page is loaded again.
fn drop_from_address() -> Option<()> {
    let url = Url::new(&window().location().href().ok()?).ok()?;
    url.search_params().has(QUERY_KEY).then(|| url.search_params().delete(QUERY_KEY))?;
    let history = window().history().ok()?;
    history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(&url.href())).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_first_language_that_the_page_knows_is_chosen() {
        assert_eq!(first_known(["es-AR", "en-US"]), Lang::Es);
        assert_eq!(first_known(["de", "EN-gb", "es"]), Lang::En);
        assert_eq!(first_known(["est", "pt-BR"]), Lang::En);
        assert_eq!(first_known([]), Lang::En);
    }

    #[test]
    fn no_sentence_is_missing_in_either_language_and_none_is_empty() {
        let read = |json| serde_json::from_str::<BTreeMap<String, String>>(json).unwrap();
        let spanish = read(include_str!("../locales/es.json"));
        let english = read(include_str!("../locales/en.json"));
        assert!(spanish.keys().eq(english.keys()));
        assert!(spanish.values().chain(english.values()).all(|sentence| !sentence.trim().is_empty()));
    }
}
