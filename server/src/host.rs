//! The host's own name.

/// The host's name, if it has one that fits a certificate.
pub(crate) fn name() -> Option<String> {
    let name = gethostname::gethostname().into_string().ok()?.to_ascii_lowercase();
    let fits = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    (fits && !name.is_empty() && name != "localhost").then_some(name)
}
