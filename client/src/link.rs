//! The header `Link` ([RFC 8288](https://www.rfc-editor.org/rfc/rfc8288#section-3)).

/// Where the first link of this relation leads to.
pub(crate) fn target<'a>(links: &'a str, relation: &str) -> Option<&'a str> {
    let mut rest = links;
    loop {
        let (target, parameters) = rest.split_once('<')?.1.split_once('>')?;
        let parameters_end = end(parameters);
        let is_it = split(&parameters[..parameters_end], b';').any(|parameter| {
            let Some((name, value)) = parameter.split_once('=') else { return false };
            let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
            name.trim().eq_ignore_ascii_case("rel")
                && relations.any(|each| each.eq_ignore_ascii_case(relation))
        });
        if is_it {
            return Some(target);
        }
        rest = &parameters[parameters_end..];
    }
}

/// Where the next link begins, with its comma.
fn end(parameters: &str) -> usize {
    split(parameters, b',').next().map_or(0, str::len)
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
}
