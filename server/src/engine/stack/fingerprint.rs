//! What ties a DTLS certificate to the description that came over HTTPS (RFC 8122, 5).

use std::{fmt, str::FromStr};

use sha2::{Digest, Sha256, Sha384, Sha512};

/// The hash functions that are taken, of those that RFC 8122 names: SHA-1 and what is older no longer proves anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HashFunction {
    Sha256,
    Sha384,
    Sha512,
}

const HASH_FUNCTIONS: [HashFunction; 3] = [HashFunction::Sha256, HashFunction::Sha384, HashFunction::Sha512];

impl HashFunction {
    const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    const fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// The value of an `a=fingerprint` attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    function: HashFunction,
    digest: Vec<u8>,
}

/// Why a text is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FingerprintError {
    /// By a hash function that is not taken.
    Function,
    /// Not a hash function and as many bytes as it gives, in hexadecimal digits with colons between.
    Malformed,
}

impl Fingerprint {
    /// Of a certificate in DER.
    pub(crate) fn of(certificate: &[u8]) -> Self {
        let function = HashFunction::Sha256;
        Self { function, digest: function.digest(certificate) }
    }

    /// Whether it is that of a certificate in DER.
    pub(crate) fn is_of(&self, certificate: &[u8]) -> bool {
        self.function.digest(certificate) == self.digest
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let (name, digits) = text.trim().split_once(' ').ok_or(FingerprintError::Malformed)?;
        let function = HASH_FUNCTIONS
            .into_iter()
            .find(|function| function.name().eq_ignore_ascii_case(name))
            .ok_or(FingerprintError::Function)?;
        let byte = |digits: &str| {
            let is_byte = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            is_byte.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
        };
        let digest: Vec<u8> = digits
            .trim()
            .split(':')
            .map(byte)
            .collect::<Option<_>>()
            .filter(|digest: &Vec<u8>| digest.len() == function.length())
            .ok_or(FingerprintError::Malformed)?;
        Ok(Self { function, digest })
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.function.name())?;
        for (index, byte) in self.digest.iter().enumerate() {
            write!(f, "{}{byte:02X}", if index == 0 { ' ' } else { ':' })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_known_by_each_of_its_fingerprints() {
        for function in HASH_FUNCTIONS {
            let written = Fingerprint { function, digest: function.digest(b"certificate") }.to_string();
            for text in [written.clone(), written.to_lowercase(), written.replace("sha", "SHA")] {
                let fingerprint: Fingerprint = text.parse().unwrap();
                assert!(fingerprint.is_of(b"certificate") && !fingerprint.is_of(b"another"), "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_fingerprint_is_refused() {
        let digits = |bytes: usize| vec!["AB"; bytes].join(":");
        assert_eq!(format!("sha-1 {}", digits(20)).parse::<Fingerprint>(), Err(FingerprintError::Function));
        for text in [
            format!("sha-256 {}", digits(31)),
            format!("sha-256 {}", digits(33)),
            format!("sha-256 {}", digits(32).replace(':', "")),
            format!("sha-256 {}", digits(32).replacen("AB", "+B", 1)),
            format!("sha-512 {}", digits(32)),
            "sha-256".to_owned(),
            String::new(),
        ] {
            assert_eq!(text.parse::<Fingerprint>(), Err(FingerprintError::Malformed), "{text}");
        }
    }
}
