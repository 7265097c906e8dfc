//! Additional fields: name-value pairs of the merchant (reference, section 2.5).

use cobro_surface::json::Json;
use serde_json::{Value, json};

use crate::errors::Refusal;
use crate::validate::At;

/// How many fields are kept of one request.
const FIELDS_MAX: usize = 50;
/// The longest keyword, in characters.
const KEYWORD_MAX: usize = 50;
/// The longest value, in characters; of another value than text, its JSON.
const VALUE_MAX: usize = 255;

/// Counts the fields of one request, over all its lists.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    keywords: Vec<String>,
}

impl Fields {
    /// A list of fields, cleaned: with a repeated keyword the first counts, and what is too many
    /// is not kept.
    pub(crate) fn read(&mut self, at: &At<'_>) -> Result<Option<Value>, Refusal> {
        let mut kept = Vec::new();
        for at in at.list()? {
            let Some(at) = at.object()? else { continue };
            let keyword = at.member("keyword");
            let Some(name) = keyword.text(KEYWORD_MAX)? else { return Err(keyword.required()) };
            let value = field_value(&at.member("value"))?;
            let display = at.member("displayOn");
            let shown = display.text(10)?.unwrap_or_else(|| "none".to_owned());
            if !["none", "payment", "receipt", "both", "approved"].contains(&shown.as_str()) {
                return Err(display.invalid());
            }
            if self.keywords.len() < FIELDS_MAX && !self.keywords.contains(&name) {
                kept.push(json!({ "keyword": name, "value": value, "displayOn": shown }));
                self.keywords.push(name);
            }
        }
        Ok((!kept.is_empty()).then_some(Value::Array(kept)))
    }
}

fn field_value(at: &At<'_>) -> Result<Value, Refusal> {
    let value = at.json().map_or(Value::Null, Json::to_value);
    let length = match &value {
        Value::String(text) => text.chars().count(),
        other => other.to_string().chars().count(),
    };
    if length > VALUE_MAX {
        return Err(Refusal::too_long(at.path(), VALUE_MAX));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &Value) -> Result<Option<Value>, Refusal> {
        let json = Json::from(&json!({ "fields": value }));
        Fields::default().read(&At::body(&json).member("fields"))
    }

    #[test]
    fn fields_are_kept_in_order_once_each_and_fifty_at_most() {
        let sent = json!([{"keyword": "a", "value": 1}, {"keyword": "a", "value": 2},
            {"keyword": "b", "value": {"x": [1]}, "displayOn": "both"}, {"keyword": "c"}]);
        let kept = read(&sent).unwrap().unwrap();
        assert_eq!(
            kept,
            json!([{"keyword": "a", "value": 1, "displayOn": "none"},
            {"keyword": "b", "value": {"x": [1]}, "displayOn": "both"},
            {"keyword": "c", "value": null, "displayOn": "none"}])
        );
        let many: Vec<Value> = (0..60).map(|n| json!({"keyword": n.to_string()})).collect();
        assert_eq!(read(&json!(many)).unwrap().unwrap().as_array().unwrap().len(), 50);
        for wrong in [
            json!([{"value": 1}]),
            json!([{"keyword": "k".repeat(51)}]),
            json!([{"keyword": "k", "value": "v".repeat(256)}]),
            json!([{"keyword": "k", "displayOn": "never"}]),
            json!([7]),
            json!("x"),
        ] {
            assert!(read(&wrong).is_err(), "{wrong}");
        }
    }
}
