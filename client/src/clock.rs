//! The page's clock, which never goes back, in milliseconds.

#[cfg(target_family = "wasm")]
pub(crate) fn now() -> f64 {
    use wasm_bindgen::prelude::*;

    #[wasm_bindgen]
    extern "C" {
        /// <https://www.w3.org/TR/hr-time-3/#dom-performance-now>
        #[wasm_bindgen(js_namespace = performance)]
        fn now() -> f64;
    }
    now()
}

/// For the tests that need no browser.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn now() -> f64 {
    use std::{sync::LazyLock, time::Instant};

    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_secs_f64() * 1e3
}
