//! The flags of the signalling: who may send offers, and what clients are told.

use std::{
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
};

use clap::Args;
use hola_webrtc_server::{
    BearerToken, IceServer, InvalidBearerToken, InvalidIceServer, IpNet, Origin, PublicUrl, Signalling,
};

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Signalling")]
pub(crate) struct SignallingFlags {
    /// Other origin whose pages may use this server, or * for all (repeatable)
    #[arg(long, env = "HOLA_ALLOW_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    pub(crate) allow_origin: Vec<Origin>,

    /// URL that leads to this very server, for those behind a load balancer: sessions are named under it
    #[arg(long, env = "HOLA_PUBLIC_URL", value_name = "URL")]
    public_url: Option<PublicUrl>,

    /// STUN or TURN server to tell clients of: `stun:HOST`, or `turn:HOST USER PASSWORD` in one argument (repeatable)
    #[arg(
        long,
        env = "HOLA_ICE_SERVER",
        value_name = "SERVER",
        value_delimiter = ',',
        hide_env_values = true
    )]
    ice_server: Vec<IceServer>,

    /// File with more of them, one a line, so that their passwords show in no list of processes
    #[arg(long, env = "HOLA_ICE_SERVER_FILE", value_name = "FILE")]
    ice_server_file: Option<PathBuf>,

    /// Secret that every offer has to name; others on this host can read it off the command line, but not the variable
    #[arg(
        long,
        env = "HOLA_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true,
        conflicts_with = "token_file"
    )]
    token: Option<BearerToken>,

    /// File that holds that secret
    #[arg(long, env = "HOLA_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// Network whose proxies are believed whom they forward requests for, as in 10.0.0.0/8 or 192.0.2.1 (repeatable)
    #[arg(long, env = "HOLA_TRUSTED_PROXY", value_name = "NETWORK", value_delimiter = ',', value_parser = network)]
    pub(crate) trusted_proxy: Vec<IpNet>,
}

/// Why a file of the command line cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("{} cannot be read: {error}", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("{}: {error}", path.display())]
    Token { path: PathBuf, error: InvalidBearerToken },
    #[error("{}, line {line}: {error}", path.display())]
    IceServer { path: PathBuf, line: usize, error: InvalidIceServer },
}

impl SignallingFlags {
    /// Sets up the signalling; reads the files.
    pub(crate) fn apply(&self, mut signalling: Signalling) -> Result<Signalling, FileError> {
        if let Some(url) = &self.public_url {
            signalling = signalling.public_url(url.clone());
        }
        if let Some(token) = self.bearer_token()? {
            signalling = signalling.bearer_token(token);
        }
        Ok(signalling
            .allow_origins(self.allow_origin.iter().cloned())
            .ice_servers(self.ice_servers()?)
            .trusted_proxies(self.trusted_proxy.iter().copied()))
    }

    fn bearer_token(&self) -> Result<Option<BearerToken>, FileError> {
        let Some(path) = &self.token_file else { return Ok(self.token.clone()) };
        let token = read(path)?.trim().parse();
        token.map(Some).map_err(|error| FileError::Token { path: path.clone(), error })
    }

    /// Blank lines, and those that begin with #, do not count.
    fn ice_servers(&self) -> Result<Vec<IceServer>, FileError> {
        let mut servers = self.ice_server.clone();
        let Some(path) = &self.ice_server_file else { return Ok(servers) };
        for (line, text) in (1..).zip(read(path)?.lines()) {
            if text.trim().is_empty() || text.starts_with('#') {
                continue;
            }
            let server = text.parse();
            servers.push(server.map_err(|error| FileError::IceServer { path: path.clone(), line, error })?);
        }
        Ok(servers)
    }
}

fn read(path: &Path) -> Result<String, FileError> {
    fs::read_to_string(path).map_err(|error| FileError::Read { path: path.to_owned(), error })
}

/// A network, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    network.map_err(|_| "neither a network, as in 10.0.0.0/8 or fd00::/8, nor an address".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        flags: SignallingFlags,
    }

    fn flags(arguments: &[&str]) -> SignallingFlags {
        Cli::parse_from([&["test"], arguments].concat()).flags
    }

    #[test]
    fn secrets_are_read_from_files_and_shown_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let (token, servers) = (folder.path().join("token"), folder.path().join("servers"));
        fs::write(&token, "abc123==\n").unwrap();
        fs::write(&servers, "# ours\n\nturn:turn.example.org me s3cret\n").unwrap();
        let (token_file, servers_file) = (token.to_str().unwrap(), servers.to_str().unwrap());
        let arguments = [
            "--token-file",
            token_file,
            "--ice-server-file",
            servers_file,
            "--ice-server=stun:stun.example.org",
        ];
        let flags = flags(&arguments);
        assert!(flags.bearer_token().unwrap().is_some());
        assert_eq!(flags.ice_servers().unwrap().len(), 2);
        let shown = format!("{:?} {:?}", flags.bearer_token(), flags.ice_servers());
        assert!(!shown.contains("abc123") && !shown.contains("s3cret"), "{shown}");
    }

    #[test]
    fn a_fault_in_a_file_is_named_with_its_place_and_without_the_secret() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "stun:stun.example.org\nturn:turn.example.org s3cret\n").unwrap();
        let name = file.to_str().unwrap();
        let error = flags(&["--ice-server-file", name]).ice_servers().unwrap_err().to_string();
        assert!(error.contains("file, line 2: ") && !error.contains("s3cret"), "{error}");
        let error = flags(&["--token-file", name]).bearer_token().unwrap_err().to_string();
        assert!(error.contains("file: a bearer token has") && !error.contains("s3cret"), "{error}");
        let error = flags(&["--token-file=/nowhere"]).bearer_token().unwrap_err().to_string();
        assert!(error.starts_with("/nowhere cannot be read: "), "{error}");
    }

    #[test]
    fn a_proxy_is_a_network_or_an_address() {
        for (text, network) in
            [("10.0.0.0/8", "10.0.0.0/8"), ("192.0.2.1", "192.0.2.1/32"), ("::1", "::1/128")]
        {
            assert_eq!(super::network(text).unwrap().to_string(), network);
        }
        super::network("example.org").unwrap_err();
    }
}
