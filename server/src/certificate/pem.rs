//! A certificate and its key from PEM files (RFC 7468).

use std::{fs, path::Path};

use rustls::{
    Error as TlsError,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{Error as PemError, PemObject},
    },
};

use super::{Certificate, CertificateError};

/// Reads the certificate chain and the key.
pub(crate) fn from_pem_files(cert: &Path, key: &Path) -> Result<Certificate, CertificateError> {
    let chain = CertificateDer::pem_slice_iter(&read("certificate", cert)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| bad_pem(cert, &error))?;
    if chain.is_empty() {
        return Err(CertificateError::NoCertificate { path: cert.to_owned() });
    }
    let private_key = PrivateKeyDer::from_pem_slice(&read("key", key)?).map_err(|error| match error {
        PemError::NoItemsFound => CertificateError::NoKey { path: key.to_owned() },
        error => bad_pem(key, &error),
    })?;
    Certificate::new(chain, private_key).map_err(|error| {
        let (cert, key) = (cert.to_owned(), key.to_owned());
        match error {
            TlsError::InconsistentKeys(_) => CertificateError::KeyDoesNotFit { cert, key },
            error => CertificateError::Unusable { cert, key, error },
        }
    })
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, CertificateError> {
    fs::read(path).map_err(|error| CertificateError::Read { what, path: path.to_owned(), error })
}

fn bad_pem(path: &Path, error: &PemError) -> CertificateError {
    let why = match error {
        PemError::MissingSectionEnd { end_marker } => {
            format!("the line -----END {}----- is missing", String::from_utf8_lossy(end_marker))
        }
        PemError::IllegalSectionStart { line } => {
            format!("a block begins wrongly: {}", String::from_utf8_lossy(line).trim())
        }
        PemError::Base64Decode(why) => format!("what stands between BEGIN and END is not Base64: {why}"),
        error => error.to_string(),
    };
    CertificateError::BadPem { path: path.to_owned(), why }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use rcgen::{CertifiedKey, generate_simple_self_signed};
    use tempfile::TempDir;

    use super::*;

    fn pair() -> (String, String) {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (cert.pem(), signing_key.serialize_pem())
    }

    fn file(folder: &TempDir, name: &str, content: &str) -> PathBuf {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    #[test]
    fn a_chain_and_its_key_are_read_from_two_files_or_from_one() {
        let folder = tempfile::tempdir().unwrap();
        let (cert, key) = pair();
        let cert_file = file(&folder, "cert.pem", &cert);
        let key_file = file(&folder, "key.pem", &key);
        let both = file(&folder, "both.pem", &format!("{key}{cert}"));
        let fingerprint = from_pem_files(&cert_file, &key_file).unwrap().fingerprint();
        assert_eq!(fingerprint.len(), 32 * 3 - 1);
        assert_eq!(from_pem_files(&both, &both).unwrap().fingerprint(), fingerprint);
    }

    #[test]
    fn every_fault_says_which_file_and_why() {
        let folder = tempfile::tempdir().unwrap();
        let (cert, key) = pair();
        let (_, other_key) = pair();
        let cert_file = file(&folder, "cert.pem", &cert);
        let key_file = file(&folder, "key.pem", &key);
        let cut = file(&folder, "cut.pem", cert.trim_end().trim_end_matches(|c: char| c != '\n'));
        let noise =
            file(&folder, "noise.pem", "-----BEGIN CERTIFICATE-----\n####\n-----END CERTIFICATE-----\n");
        let text = file(&folder, "text.pem", "hello\n");
        let not_x509 =
            file(&folder, "not-x509.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        let other_key = file(&folder, "other-key.pem", &other_key);
        let missing = folder.path().join("missing.pem");

        for (cert, key, message) in [
            (&missing, &key_file, "the certificate cannot be read from"),
            (&cert_file, &missing, "the key cannot be read from"),
            (&folder.path().to_owned(), &key_file, "the certificate cannot be read from"),
            (&cut, &key_file, "cut.pem is not a PEM file: the line -----END CERTIFICATE----- is missing"),
            (&noise, &key_file, "noise.pem is not a PEM file: what stands between"),
            (&text, &key_file, "text.pem holds no certificate"),
            (&key_file, &key_file, "key.pem holds no certificate"),
            (&cert_file, &cert_file, "cert.pem holds no private key"),
            (&cert_file, &other_key, "other-key.pem does not fit the certificate in"),
            (&not_x509, &key_file, "not-x509.pem cannot be used with the key in"),
        ] {
            let error = from_pem_files(cert, key).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
