//! The header `Link` ([RFC 8288](https://www.rfc-editor.org/rfc/rfc8288#section-3)).

/// A link of such a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link<'a> {
    /// Where it leads to, as it stands there.
    pub target: &'a str,
    parameters: &'a str,
}

impl<'a> Link<'a> {
    /// Its parameters, as `(name, value)`. Quotes around a value are taken off; what is escaped within stays so.
    pub fn parameters(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        split(self.parameters, b';').filter_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            Some((name.trim(), value.trim().trim_matches('"')))
        })
    }

    /// Whether it is of this relation.
    pub fn has_relation(&self, relation: &str) -> bool {
        self.parameters().any(|(name, value)| {
            name.eq_ignore_ascii_case("rel")
                && value.split_ascii_whitespace().any(|each| each.eq_ignore_ascii_case(relation))
        })
    }
}

/// The links of a header, whose lines may have been joined.
pub fn parse(header: &str) -> impl Iterator<Item = Link<'_>> {
    let mut rest = header;
    std::iter::from_fn(move || {
        let (target, behind) = rest.split_once('<')?.1.split_once('>')?;
        let parameters = split(behind, b',').next().unwrap_or_default();
        rest = &behind[parameters.len()..];
        Some(Link { target, parameters })
    })
}

/// The parts between the separators that are not in a quoted string.
fn split(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    // Bytes of ASCII are no part of another character.
    let ends = text.bytes().enumerate().filter_map(move |(index, byte)| {
        let is_end = byte == separator && !is_quoted;
        if is_escaped {
            is_escaped = false;
        } else if byte == b'\\' {
            is_escaped = is_quoted;
        } else if byte == b'"' {
            is_quoted = !is_quoted;
        }
        is_end.then_some(index)
    });
    let mut start = 0;
    ends.chain([text.len()]).map(move |end| {
        let part = &text[start..end];
        start = end + 1;
        part
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target<'a>(links: &'a str, relation: &str) -> Option<&'a str> {
        parse(links).find(|link| link.has_relation(relation)).map(|link| link.target)
    }

    #[test]
    fn a_link_is_found_by_its_relation_among_others() {
        let stun = r#"<stun:stun.example.org>; rel="ice-server""#;
        let turn =
            r#"<turn:t?transport=udp>; rel="ice-server"; username="<a,b>; rel=monitor"; credential="\"""#;
        let events = r#"</sessions/1/events>; rel="monitor"; type="text/event-stream""#;
        let joined = [stun, turn, events].join(", ");
        for links in [
            events,
            joined.as_str(),
            "</sessions/1/events>;REL=Monitor",
            "</sessions/1/events>; rel=\"a monitor\"",
        ] {
            assert_eq!(target(links, "monitor"), Some("/sessions/1/events"), "{links}");
        }
        for links in ["", "<", "<a", stun, turn, "</x>; rel", "<a>; title=\"rel=monitor"] {
            assert_eq!(target(links, "monitor"), None, "{links}");
        }
    }

    #[test]
    fn parameters_are_told_apart_from_what_stands_in_quotes() {
        let links: Vec<Link<'_>> = parse(r#"<a>; username="x; credential=y", <b>;rel=z"#).collect();
        assert_eq!(links.iter().map(|link| link.target).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(links[0].parameters().collect::<Vec<_>>(), [("username", "x; credential=y")]);
    }
}
