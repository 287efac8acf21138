//! How a channel asks for the framing.

/// The prefix of every version and mode.
const FRAMED: &str = "hola.framed.1";
const RESUMABLE: &str = "hola.resumable.1";

/// What is spoken on a channel, by the `protocol` that its opener gave it (RFC 8832, 5.1).
///
/// ```
/// use hola_webrtc_protocol::framing::Mode;
///
/// assert_eq!(Mode::Resumable.protocol("chess"), "hola.resumable.1:chess");
/// assert_eq!(Mode::of("hola.resumable.1:chess"), (Some(Mode::Resumable), "chess"));
/// assert_eq!(Mode::of("chess"), (None, "chess"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Framed: messages of any size, and large transfers.
    Framed,
    /// Framed, acknowledged, and resumed on a new connection.
    Resumable,
}

impl Mode {
    /// The mode that a channel's `protocol` asks for, `None` if none, and what is left of it: the name that its user
    /// gave.
    pub fn of(protocol: &str) -> (Option<Self>, &str) {
        for (prefix, mode) in [(FRAMED, Self::Framed), (RESUMABLE, Self::Resumable)] {
            match protocol.strip_prefix(prefix) {
                Some("") => return (Some(mode), ""),
                Some(rest) => {
                    if let Some(own) = rest.strip_prefix(':') {
                        return (Some(mode), own);
                    }
                }
                None => {}
            }
        }
        (None, protocol)
    }

    /// The `protocol` that asks for this mode, with the name that the user gave, which may be empty.
    pub fn protocol(self, own: &str) -> String {
        let prefix = match self {
            Self::Framed => FRAMED,
            Self::Resumable => RESUMABLE,
        };
        let mut protocol = String::from(prefix);
        if !own.is_empty() {
            protocol.push(':');
            protocol.push_str(own);
        }
        protocol
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_name_is_left_intact_whatever_it_is() {
        for own in ["", "chess", ":", "a:b", "hola.framed.1", "ñ"] {
            for mode in [Mode::Framed, Mode::Resumable] {
                assert_eq!(Mode::of(&mode.protocol(own)), (Some(mode), own));
            }
        }
    }

    #[test]
    fn what_only_looks_alike_asks_for_nothing() {
        for protocol in ["hola.framed.10", "hola.framed.2", "hola.framed", "HOLA.FRAMED.1", "x:hola.framed.1"]
        {
            assert_eq!(Mode::of(protocol), (None, protocol));
        }
    }
}
