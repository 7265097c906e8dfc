//! Comparing an answer with a sample: what the sample has must be there, with its type.

use serde_json::Value;

/// What is missing from `value`, or has another type than in `sample`; more may stand beside.
///
/// `null` in a sample is a member of which only the name is known; a list has the form of its
/// first element, and an empty list says no more than that it is one.
pub(crate) fn misfits(sample: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", sample, value, &mut found);
    found
}

#[track_caller]
pub(crate) fn assert_shape(what: &str, sample: &Value, value: &Value) {
    let misfits = misfits(sample, value);
    assert!(misfits.is_empty(), "{what}: {misfits:?}\nin {value:#}");
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn compare(path: &str, sample: &Value, value: &Value, found: &mut Vec<String>) {
    match (sample, value) {
        (Value::Null, _) => {}
        (Value::Object(members), Value::Object(given)) => {
            for (name, sample) in members {
                let path = format!("{path}/{name}");
                match given.get(name) {
                    Some(value) => compare(&path, sample, value, found),
                    None => found.push(format!("{path} is missing")),
                }
            }
        }
        (Value::Array(samples), Value::Array(values)) => {
            if let Some(sample) = samples.first() {
                if values.is_empty() {
                    found.push(format!("{path} is empty"));
                }
                for (place, value) in values.iter().enumerate() {
                    compare(&format!("{path}/{place}"), sample, value, found);
                }
            }
        }
        _ if kind(sample) == kind(value) => {}
        _ => found.push(format!("{path} is {} instead of {}", kind(value), kind(sample))),
    }
}

/// Where a value is of a type that a document's schema does not have: `null` where it says a string
/// is one. Members that the schema does not name may be anything.
pub(crate) fn breaches(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check("", schema, value, &mut found);
    found
}

fn check(path: &str, schema: &Value, value: &Value, found: &mut Vec<String>) {
    let name = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is_named = |one: &Value| one == name || (name == "integer" && one == "number");
    let is_allowed = match &schema["type"] {
        Value::Array(types) => types.iter().any(is_named),
        Value::Null => true,
        one => is_named(one),
    };
    if !is_allowed {
        found.push(format!("{path} is {name}, not {}", schema["type"]));
    }
    for (member, value) in value.as_object().into_iter().flatten() {
        check(&format!("{path}/{member}"), &schema["properties"][member], value, found);
    }
    for value in value.as_array().into_iter().flatten() {
        check(&format!("{path}/*"), &schema["items"], value, found);
    }
}

#[test]
fn what_a_schema_does_not_have_is_found() {
    use serde_json::json;
    let schema = json!({"type": "object", "properties": {
        "a": {"type": ["null", "string"]},
        "b": {"type": "array", "items": {"type": "number"}},
        "c": {},
    }});
    let table = [
        (json!({"a": null, "b": [1, 1.5], "c": null, "d": true}), ""),
        (json!({"a": 1}), "/a is integer, not [\"null\",\"string\"]"),
        (json!({"b": null}), "/b is null, not \"array\""),
        (json!({"b": ["x"]}), "/b/* is string, not \"number\""),
        (json!([]), " is array, not \"object\""),
    ];
    for (value, breach) in table {
        assert_eq!(breaches(&schema, &value).concat(), breach, "{value}");
    }
}

#[test]
fn what_does_not_fit_is_found() {
    use serde_json::json;
    let sample = json!({"a": "x", "b": [{"c": 1}], "d": null, "e": {"f": true}});
    let fits = json!({"a": "", "b": [{"c": 1.5}, {"c": 0, "x": 0}], "d": 7, "e": {"f": false}});
    assert_eq!(misfits(&sample, &fits), [""; 0]);
    let table = [
        (json!({"b": [{"c": 1}], "d": 0, "e": {"f": true}}), "/a is missing"),
        (
            json!({"a": 1, "b": [{"c": 1}], "d": 0, "e": {"f": true}}),
            "/a is a number instead of a string",
        ),
        (json!({"a": "", "b": [], "d": 0, "e": {"f": true}}), "/b is empty"),
        (json!({"a": "", "b": [{}], "d": 0, "e": {"f": true}}), "/b/0/c is missing"),
        (json!({"a": "", "b": [{"c": 1}], "e": {"f": true}}), "/d is missing"),
        (
            json!({"a": "", "b": [{"c": 1}], "d": 0, "e": {"f": null}}),
            "/e/f is null instead of a boolean",
        ),
    ];
    for (value, misfit) in table {
        assert_eq!(misfits(&sample, &value), [misfit], "{value}");
    }
}
