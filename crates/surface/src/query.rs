//! The pairs of a query, or of a form (URL Standard, `application/x-www-form-urlencoded`).

use std::borrow::Cow;

/// What a plus sign stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plus {
    /// A blank, as the URL Standard has it.
    Blank,
    /// Before a digit itself, elsewhere a blank: clients send the offset of a time (`+00:00`) as it
    /// is.
    SignBeforeDigit,
}

/// The decoded names and values of a query, in their order. Empty pairs are passed over, as in `?`
/// with nothing after it; what is not UTF-8 is replaced.
pub fn pairs(query: Option<&str>, plus: Plus) -> Vec<(String, String)> {
    let query = query.unwrap_or_default();
    let query = match plus {
        Plus::Blank => Cow::Borrowed(query),
        Plus::SignBeforeDigit => signs_escaped(query),
    };
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// A query whose plus signs before digits are escaped.
fn signs_escaped(query: &str) -> Cow<'_, str> {
    let mut parts = query.split('+');
    let Some(first) = parts.next().filter(|first| first.len() < query.len()) else {
        return Cow::Borrowed(query);
    };
    let mut escaped = first.to_owned();
    for part in parts {
        let is_sign = part.starts_with(|c: char| c.is_ascii_digit());
        escaped.push_str(if is_sign { "%2B" } else { "+" });
        escaped.push_str(part);
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_read(query: &str, plus: Plus, expected: &[(&str, &str)]) {
        let found = pairs(Some(query), plus);
        let found: Vec<_> = found.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(found, expected, "{query} {plus:?}");
    }

    #[test]
    fn queries_are_decoded() {
        let table: [(&str, &[(&str, &str)]); 12] = [
            ("", &[]),
            ("&&", &[]),
            ("a=1&&b=x%20y+z&c", &[("a", "1"), ("b", "x y z"), ("c", "")]),
            ("a=1&a=2", &[("a", "1"), ("a", "2")]),
            ("a+b=c+d", &[("a b", "c d")]),
            ("page=Mg==", &[("page", "Mg==")]),
            ("=x&=", &[("", "x"), ("", "")]),
            ("x=%zz%4%", &[("x", "%zz%4%")]),
            ("mail=caja1%40tienda.example", &[("mail", "caja1@tienda.example")]),
            ("n%61me=%C3%B1%2b1%26", &[("name", "ñ+1&")]),
            ("x=%ff%00", &[("x", "\u{fffd}\0")]),
            ("x=ñ;y=1", &[("x", "ñ;y=1")]),
        ];
        for (query, expected) in table {
            assert_read(query, Plus::Blank, expected);
            assert_read(query, Plus::SignBeforeDigit, expected);
        }
        assert_eq!(pairs(None, Plus::Blank), []);
    }

    #[test]
    fn a_plus_before_a_digit_is_a_sign_where_that_is_said() {
        let table = [
            ("t=00:00+00:00", "00:00 00:00", "00:00+00:00"),
            ("t=+1++2+x+%31+", " 1  2 x 1 ", "+1 +2 x 1 "),
            ("t=%2b1", "+1", "+1"),
        ];
        for (query, blank, sign) in table {
            assert_read(query, Plus::Blank, &[("t", blank)]);
            assert_read(query, Plus::SignBeforeDigit, &[("t", sign)]);
        }
        assert_read("a+1=b&+2", Plus::SignBeforeDigit, &[("a+1", "b"), ("+2", "")]);
    }
}
