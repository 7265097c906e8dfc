//! A schema of the document as a list for people.

use cobro_surface::html::escape;
use serde_json::Value;

/// How deep members are shown; an example shows what lies deeper.
const DEPTH_MAX: usize = 8;

/// Appends the members of an object, or of the elements of a list, as nested lists. Nothing where
/// there are none.
pub(crate) fn members(schema: &Value, html: &mut String) {
    nested(schema, 0, html);
}

fn nested(schema: &Value, depth: usize, html: &mut String) {
    let Some(properties) = properties(schema) else { return };
    if properties.is_empty() || depth >= DEPTH_MAX {
        return;
    }
    html.push_str("<ul class=\"members\">");
    for (name, schema) in properties {
        html.push_str("<li>");
        let has_members = self::properties(schema).is_some_and(|inner| !inner.is_empty());
        if has_members {
            html.push_str("<details><summary>");
        }
        html.push_str("<code class=\"member\">");
        escape(name, html);
        html.push_str("</code> <span class=\"type\">");
        escape(&types(schema), html);
        html.push_str("</span>");
        if has_members {
            html.push_str("</summary>");
            nested(schema, depth.saturating_add(1), html);
            html.push_str("</details>");
        }
        html.push_str("</li>");
    }
    html.push_str("</ul>");
}

/// The members of an object, or of the objects in a list.
fn properties(schema: &Value) -> Option<&serde_json::Map<String, Value>> {
    let own = schema.get("properties").and_then(Value::as_object);
    own.or_else(|| schema.get("items").and_then(properties))
}

/// The types in words: `string | null`, `array of object`.
pub(crate) fn types(schema: &Value) -> String {
    let named = match schema.get("type") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => return "any".to_owned(),
    };
    let mut words: Vec<String> = Vec::new();
    for name in named
        .iter()
        .filter(|name| **name != "null")
        .chain(named.iter().filter(|name| **name == "null"))
    {
        let items = schema.get("items").filter(|items| items.get("type").is_some());
        words.push(match items {
            Some(items) if *name == "array" => format!("array of {}", types(items)),
            _ => (*name).to_owned(),
        });
    }
    words.join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn types_in_words() {
        for (schema, expected) in [
            (json!({}), "any"),
            (json!({"type": "integer"}), "integer"),
            (json!({"type": ["null", "string"]}), "string | null"),
            (json!({"type": "array", "items": {"type": "object"}}), "array of object"),
            (json!({"type": "array", "items": {}}), "array"),
        ] {
            assert_eq!(types(&schema), expected);
        }
    }

    #[test]
    fn members_are_nested() {
        let mut html = String::new();
        members(
            &json!({"type": "array", "items": {"properties": {
                "a<": {"type": "string"},
                "b": {"type": "object", "properties": {"c": {"type": "boolean"}}},
            }}}),
            &mut html,
        );
        assert_eq!(
            html,
            "<ul class=\"members\"><li><code class=\"member\">a&lt;</code> <span class=\"type\">string</span></li><li><details><summary><code class=\"member\">b</code> <span class=\"type\">object</span></summary><ul class=\"members\"><li><code class=\"member\">c</code> <span class=\"type\">boolean</span></li></ul></details></li></ul>"
        );
    }
}
