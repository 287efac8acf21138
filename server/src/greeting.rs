//! What the server says on its own on a `chat` channel, in Spanish and in English.

use hola_webrtc_protocol::SessionId;

/// A language the server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// Spanish, the language the project began in.
    Spanish,
    /// English.
    English,
}

const REMARKS_ES: [&str; 3] = [
    "Sigo aquí. En un canal de datos los dos lados pueden hablar primero.",
    "Este mensaje no responde a nada: ha salido del servidor por su cuenta.",
    "Cierra la página y lo sabré enseguida: el canal se cierra con ella.",
];

const REMARKS_EN: [&str; 3] = [
    "Still here. On a data channel both sides may speak first.",
    "This message answers nothing: the server sent it on its own.",
    "Close the page and I will know at once: the channel closes with it.",
];

impl Language {
    /// The first language of an `Accept-Language` header (RFC 9110, 12.5.4) that the server speaks, by weight;
    /// English if there is none.
    pub(crate) fn negotiate(accept_language: Option<&str>) -> Self {
        let ranges = accept_language.unwrap_or_default().split(',').filter_map(|range| {
            let mut fields = range.split(';').map(str::trim);
            let tag = fields.next()?.split('-').next()?;
            let weight: f32 = fields
                .find_map(|field| field.strip_prefix("q="))
                .map_or(Some(1.0), |weight| weight.parse().ok())?;
            let language = match tag.to_ascii_lowercase().as_str() {
                "es" => Self::Spanish,
                "en" => Self::English,
                _ => return None,
            };
            (weight > 0.0).then_some((language, weight))
        });
        // `max_by` prefers the last of equals, the header the first.
        let ranges: Vec<_> = ranges.collect();
        let best = ranges.into_iter().rev().max_by(|one, other| one.1.total_cmp(&other.1));
        best.map_or(Self::English, |(language, _)| language)
    }

    /// The first thing the server says, with the session's id.
    pub(crate) fn welcome(self, session: SessionId) -> String {
        match self {
            Self::Spanish => {
                format!("¡Hola! Canal abierto. Tu sesión es {session}. Te devolveré cada mensaje.")
            }
            Self::English => {
                format!("Hello! The channel is open. Your session is {session}. I will echo each message.")
            }
        }
    }

    /// What the server says later on, over and over.
    pub(crate) fn remarks(self) -> impl Iterator<Item = &'static str> {
        match self {
            Self::Spanish => REMARKS_ES,
            Self::English => REMARKS_EN,
        }
        .into_iter()
        .cycle()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_with_the_greatest_weight_wins_and_among_equals_the_first() {
        for (header, language) in [
            (None, Language::English),
            (Some(""), Language::English),
            (Some("fr, de;q=0.9"), Language::English),
            (Some("es"), Language::Spanish),
            (Some("ES-mx,en;q=0.9"), Language::Spanish),
            (Some("es,en"), Language::Spanish),
            (Some("en,es"), Language::English),
            (Some("es;q=0.5, en;q=0.8"), Language::English),
            (Some("es;q=0"), Language::English),
            (Some("es;q=nonsense, *"), Language::English),
        ] {
            assert_eq!(Language::negotiate(header), language, "{header:?}");
        }
    }

    #[test]
    fn the_welcome_names_the_session() {
        let id = SessionId::from_bytes([0xab; 16]);
        assert!(Language::Spanish.welcome(id).contains(&id.to_string()));
        assert!(Language::English.welcome(id).contains(&id.to_string()));
    }
}
