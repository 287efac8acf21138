//! The flags of the signalling: who may send offers, and what clients are told.

use std::{
    fmt, fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
};

use clap::Args;
use hola_webrtc_server::{
    BearerToken, IceServer, InvalidBearerToken, InvalidIceServer, InvalidPublicUrl, IpNet, Origin, PublicUrl,
    Signalling,
};

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Signalling")]
pub(crate) struct SignallingFlags {
    /// Other origin whose pages may use this server, or * for all (repeatable)
    #[arg(long, env = "HOLA_ALLOW_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    pub(crate) allow_origin: Vec<Origin>,

    /// URL that leads to this very server, for those behind a load balancer: sessions are named under it
    #[arg(long, env = "HOLA_PUBLIC_URL", value_name = "URL", value_parser = public_url)]
    public_url: Option<PublicUrl>,

    /// STUN or TURN server to tell clients of: `stun:HOST`, or `turn:HOST USER PASSWORD` in one argument (repeatable)
    #[arg(long, env = "HOLA_ICE_SERVER", value_name = "SERVER", hide_env_values = true)]
    ice_server: Vec<Secret>,

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
    token: Option<Secret>,

    /// File that holds that secret
    #[arg(long, env = "HOLA_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// Network whose proxies are believed whom they forward requests for, as in 10.0.0.0/8 or 192.0.2.1 (repeatable)
    #[arg(long, env = "HOLA_TRUSTED_PROXY", value_name = "NETWORK", value_delimiter = ',', value_parser = network)]
    pub(crate) trusted_proxy: Vec<IpNet>,
}

/// Something secret, as it was given. It is looked at later: clap shows what it cannot parse.
#[derive(Clone)]
struct Secret(String);

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Why what clients are told, or have to tell, cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignallingError {
    #[error("--token, or HOLA_TOKEN: {0}")]
    Token(InvalidBearerToken),
    #[error("--ice-server, or HOLA_ICE_SERVER, number {number}: {error}")]
    IceServer { number: usize, error: InvalidIceServer },
    #[error("{} cannot be read: {error}", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("{}: {error}", path.display())]
    TokenFile { path: PathBuf, error: InvalidBearerToken },
    #[error("{}, line {line}: {error}", path.display())]
    IceServerFile { path: PathBuf, line: usize, error: InvalidIceServer },
}

impl SignallingFlags {
    /// Sets up the signalling; reads the files.
    pub(crate) fn apply(&self, mut signalling: Signalling) -> Result<Signalling, SignallingError> {
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

    fn bearer_token(&self) -> Result<Option<BearerToken>, SignallingError> {
        let Some(path) = &self.token_file else {
            let token = self.token.as_ref().map(|Secret(token)| token.trim().parse());
            return token.transpose().map_err(SignallingError::Token);
        };
        let token = read(path)?.trim().parse();
        token.map(Some).map_err(|error| SignallingError::TokenFile { path: path.clone(), error })
    }

    /// Blank lines, and those that begin with #, do not count.
    fn ice_servers(&self) -> Result<Vec<IceServer>, SignallingError> {
        let named = self.ice_server.iter().flat_map(|Secret(servers)| each_server(servers)).zip(1..);
        let parse = |(server, number): (String, usize)| {
            server.parse().map_err(|error| SignallingError::IceServer { number, error })
        };
        let mut servers = named.map(parse).collect::<Result<Vec<IceServer>, _>>()?;
        let Some(path) = &self.ice_server_file else { return Ok(servers) };
        for (line, text) in (1..).zip(read(path)?.lines()) {
            if text.trim().is_empty() || text.trim_start().starts_with('#') {
                continue;
            }
            let server = text.parse();
            servers.push(server.map_err(|error| SignallingError::IceServerFile {
                path: path.clone(),
                line,
                error,
            })?);
        }
        Ok(servers)
    }
}

/// Servers with commas between them. A password may have some as well.
fn each_server(servers: &str) -> Vec<String> {
    const SCHEMES: [&str; 4] = ["stun:", "stuns:", "turn:", "turns:"];
    let mut each: Vec<String> = Vec::new();
    for part in servers.split(',') {
        match each.last_mut() {
            Some(last) if !SCHEMES.iter().any(|scheme| part.trim_start().starts_with(scheme)) => {
                last.push(',');
                last.push_str(part);
            }
            _ => each.push(part.to_owned()),
        }
    }
    each
}

fn read(path: &Path) -> Result<String, SignallingError> {
    fs::read_to_string(path).map_err(|error| SignallingError::Read { path: path.to_owned(), error })
}

/// A client does not follow a URL without TLS from an offer that it has posted with it.
fn public_url(text: &str) -> Result<PublicUrl, String> {
    let url: PublicUrl = text.parse().map_err(|error: InvalidPublicUrl| error.to_string())?;
    if text.starts_with("https://") { Ok(url) } else { Err("a public URL begins with https://".to_owned()) }
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
    fn a_fault_in_a_flag_is_named_without_the_secret() {
        for (flag, told) in [
            ("--token=s3cret x", "--token, or HOLA_TOKEN: a bearer token has"),
            ("--token=a b", "--token, or HOLA_TOKEN: a bearer token has"),
            ("--ice-server=turn:turn.example.org", "HOLA_ICE_SERVER, number 1: an ICE server is"),
            (
                "--ice-server=turn:turn.example.org my user s3cret",
                "HOLA_ICE_SERVER, number 1: an ICE server is",
            ),
            (
                "--ice-server=stun:a.example,turn:b.example s3cret",
                "HOLA_ICE_SERVER, number 2: an ICE server is",
            ),
        ] {
            let flags = flags(&[flag]);
            let error =
                flags.bearer_token().map(drop).and(flags.ice_servers().map(drop)).unwrap_err().to_string();
            assert!(error.contains(told) && !error.contains("s3cret"), "{error}");
            assert!(!format!("{flags:?}").contains("s3cret"));
        }
    }

    #[test]
    fn a_line_break_at_a_tokens_end_is_not_the_tokens() {
        assert!(flags(&["--token=abc123==\n"]).bearer_token().unwrap().is_some());
    }

    #[test]
    fn commas_are_between_servers_and_in_passwords() {
        for (text, count) in [
            ("stun:a.example", 1),
            ("stun:a.example,stuns:b.example", 2),
            ("turn:a.example me s3,cr,et,turns:b.example me x, stun:c.example", 3),
        ] {
            let servers = flags(&["--ice-server", text]).ice_servers().unwrap();
            assert_eq!(servers.len(), count, "{text}");
        }
        let servers = flags(&["--ice-server=stun:a.example", "--ice-server=stun:b.example"]).ice_servers();
        assert_eq!(servers.unwrap().len(), 2);
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
