//! The OpenAPI 3.1 document of an endpoint table.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Endpoint, Parameter, Place, Response, Security};

/// The methods that a path item can have (OpenAPI 3.1.0, section 4.8.9).
const METHODS: [&str; 8] = ["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"];

/// An OpenAPI 3.1 document. Schemas are inferred from the examples: they give the type of each
/// member that an example shows, forbid no other and require none. An operation id that comes
/// again gets a number, since a document of several surfaces may bring the same word twice.
pub fn document(title: &str, version: &str, description: &str, endpoints: &[&Endpoint]) -> Value {
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut schemes = Map::new();
    let mut tags = Vec::new();
    let mut ids = BTreeSet::new();
    for endpoint in endpoints {
        if let Some(scheme) = scheme(endpoint.security) {
            schemes.insert(endpoint.security.name().to_owned(), scheme);
        }
        if !tags.contains(&endpoint.tag) {
            tags.push(endpoint.tag);
        }
        let id = unused_id(endpoint.id, &mut ids);
        paths
            .entry(path_template(endpoint.path))
            .or_default()
            .insert(endpoint.method.to_ascii_lowercase(), operation(endpoint, &id));
    }
    let tags: Vec<Value> = tags.iter().map(|tag| json!({"name": tag})).collect();
    json!({
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": description},
        "tags": tags,
        "paths": paths,
        "components": {"securitySchemes": schemes},
    })
}

/// What is wrong with a table, one line each: an empty list is what a surface's test wants.
/// Examples that begin like JSON and are not, operation ids used twice, methods and statuses that
/// do not exist, endpoints without an answer, path parameters that the path does not have.
pub fn faults(endpoints: &[&Endpoint]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut ids = BTreeSet::new();
    let mut places = BTreeSet::new();
    for endpoint in endpoints {
        let mut fault = |what: &str| faults.push(format!("{}: {what}", endpoint.id));
        if endpoint.id.is_empty() || !ids.insert(endpoint.id) {
            fault("the operation id is empty or used twice");
        }
        if !places.insert((endpoint.method, endpoint.path)) {
            fault("another endpoint has this method and path");
        }
        if !METHODS.contains(&endpoint.method) {
            fault("the method is not one of a path item");
        }
        if !endpoint.path.starts_with('/') {
            fault("the path does not begin with a slash");
        }
        if endpoint.responses.is_empty() {
            fault("no answer is listed");
        }
        if endpoint.responses.iter().any(|response| !(100..600).contains(&response.status)) {
            fault("a status is not between 100 and 599");
        }
        if endpoint.request.is_some_and(|example| parsed(example).is_none()) {
            fault("the request's example is not JSON");
        }
        let looks_like_json = |example: &str| example.trim_start().starts_with(['{', '[', '"']);
        for example in endpoint.responses.iter().filter_map(|response| response.example) {
            if looks_like_json(example) && parsed(example).is_none() {
                fault("an answer's example is not JSON");
            }
        }
        let names: Vec<&str> = path_names(endpoint.path).collect();
        let mut parameters = BTreeSet::new();
        for parameter in endpoint.parameters {
            if parameter.place == Place::Path && !names.contains(&parameter.name) {
                fault("a path parameter is not in the path");
            }
            if !parameters.insert((parameter.name, place(parameter.place))) {
                fault("a parameter is listed twice");
            }
        }
    }
    faults
}

fn parsed(example: &str) -> Option<Value> {
    serde_json::from_str(example).ok()
}

fn unused_id(id: &str, taken: &mut BTreeSet<String>) -> String {
    let mut unused = id.to_owned();
    let mut count = 1_u32;
    while !taken.insert(unused.clone()) {
        count = count.saturating_add(1);
        unused = format!("{id}_{count}");
    }
    unused
}

/// The names in a path's braces, without axum's mark of a wildcard.
fn path_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|segment| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        Some(name.strip_prefix('*').unwrap_or(name))
    })
}

fn path_template(path: &str) -> String {
    path.replace("{*", "{")
}

fn operation(endpoint: &Endpoint, id: &str) -> Value {
    let mut operation = Map::new();
    operation.insert("operationId".to_owned(), json!(id));
    operation.insert("summary".to_owned(), json!(endpoint.summary));
    operation.insert("tags".to_owned(), json!([endpoint.tag]));
    let security = match scheme(endpoint.security) {
        Some(_) => json!([{endpoint.security.name(): []}]),
        None => json!([]),
    };
    operation.insert("security".to_owned(), security);
    let parameters = parameters(endpoint);
    if !parameters.is_empty() {
        operation.insert("parameters".to_owned(), Value::Array(parameters));
    }
    if let Some(example) = endpoint.request {
        let content = content(&[example], &[], None);
        operation.insert("requestBody".to_owned(), json!({"content": content}));
    }
    operation.insert("responses".to_owned(), responses(endpoint.responses));
    Value::Object(operation)
}

fn parameters(endpoint: &Endpoint) -> Vec<Value> {
    let listed =
        |name: &str| endpoint.parameters.iter().any(|p| p.place == Place::Path && p.name == name);
    let unlisted = path_names(endpoint.path).filter(|name| !listed(name)).map(|name| Parameter {
        name,
        place: Place::Path,
        required: true,
        description: "",
    });
    let all = unlisted.map(|p| parameter(&p)).chain(endpoint.parameters.iter().map(parameter));
    all.collect()
}

fn parameter(parameter: &Parameter) -> Value {
    let mut object = json!({
        "name": parameter.name,
        "in": place(parameter.place),
        "required": parameter.required || parameter.place == Place::Path,
        "schema": {"type": "string"},
    });
    if let (false, Some(members)) = (parameter.description.is_empty(), object.as_object_mut()) {
        members.insert("description".to_owned(), json!(parameter.description));
    }
    object
}

const fn place(place: Place) -> &'static str {
    match place {
        Place::Path => "path",
        Place::Query => "query",
        Place::Header => "header",
    }
}

fn scheme(security: Security) -> Option<Value> {
    match security {
        Security::None | Security::Body => None,
        Security::Bearer => Some(json!({"type": "http", "scheme": "bearer"})),
        Security::Basic => Some(json!({"type": "http", "scheme": "basic"})),
        Security::Header(name) => Some(json!({"type": "apiKey", "in": "header", "name": name})),
    }
}

fn responses(responses: &[Response]) -> Value {
    let mut by_status: BTreeMap<u16, Vec<&Response>> = BTreeMap::new();
    for response in responses {
        by_status.entry(response.status).or_default().push(response);
    }
    let answers = by_status.into_iter().map(|(status, same)| {
        let (also, shown): (Vec<&Response>, Vec<&Response>) =
            same.into_iter().partition(|response| response.is_also());
        let descriptions: Vec<&str> = shown.iter().map(|response| response.description).collect();
        let examples: Vec<&str> = shown.iter().filter_map(|response| response.example).collect();
        let forms: Vec<Value> = also.iter().filter_map(|also| parsed(also.example?)).collect();
        let mut answer = json!({"description": descriptions.join("; ")});
        if let (false, Some(members)) = (examples.is_empty(), answer.as_object_mut()) {
            members.insert("content".to_owned(), content(&examples, &forms, Some(status)));
        }
        (status.to_string(), answer)
    });
    Value::Object(answers.collect())
}

/// The media types of a body, each with its examples and what they have in common. `forms` are
/// lists of what else the first of them can be.
fn content(examples: &[&str], forms: &[Value], status: Option<u16>) -> Value {
    let mut by_type: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for text in examples {
        let value = parsed(text).unwrap_or_else(|| json!(text));
        by_type.entry(media_type(text, &value, status)).or_default().push(value);
    }
    let content = by_type.into_iter().map(|(media_type, values)| {
        let is_json = media_type == "application/json";
        let also = forms.iter().filter_map(Value::as_array).flatten().filter(|_| is_json);
        let schema = schema(&values.iter().chain(also).collect::<Vec<_>>());
        let object = match values.as_slice() {
            [value] => json!({"schema": schema, "example": value}),
            _ => {
                let named = values.iter().enumerate();
                let examples: Map<String, Value> = named
                    .map(|(at, value)| (at.saturating_add(1).to_string(), json!({"value": value})))
                    .collect();
                json!({"schema": schema, "examples": examples})
            }
        };
        (media_type.to_owned(), object)
    });
    Value::Object(content.collect())
}

/// A problem is known by its members (RFC 9457), an event stream by its first field.
fn media_type(text: &str, value: &Value, status: Option<u16>) -> &'static str {
    let is_event = ["data:", "event:", "id:", "retry:", ":"].iter().any(|f| text.starts_with(f));
    if parsed(text).is_none() {
        return if is_event { "text/event-stream" } else { "text/plain" };
    }
    let has_status =
        status.is_some() && value.get("status").and_then(Value::as_u64) == status.map(u64::from);
    if has_status && value.get("title").is_some_and(Value::is_string) {
        "application/problem+json"
    } else {
        "application/json"
    }
}

/// What is true of all the values: their types, and for objects and arrays the same of what is
/// in them. A `null` alone says nothing about what else there could be, and what is an object here
/// and a text there is whatever somebody sends.
fn schema(values: &[&Value]) -> Value {
    let mut types: Vec<&str> = Vec::new();
    let mut members: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    let mut elements: Vec<&Value> = Vec::new();
    for value in values {
        let name = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(list) => {
                elements.extend(list);
                "array"
            }
            Value::Object(object) => {
                for (name, value) in object {
                    members.entry(name).or_default().push(value);
                }
                "object"
            }
        };
        if !types.contains(&name) {
            types.push(name);
        }
    }
    if types.contains(&"object") && types.contains(&"string") {
        return Value::Object(Map::new());
    }
    if types.contains(&"number") {
        types.retain(|name| *name != "integer");
    }
    let mut schema = Map::new();
    match types.as_slice() {
        [] | ["null"] => return Value::Object(schema),
        [one] => schema.insert("type".to_owned(), json!(one)),
        several => schema.insert("type".to_owned(), json!(several)),
    };
    if types.contains(&"object") {
        let properties: Map<String, Value> = members
            .iter()
            .map(|(name, values)| ((*name).to_owned(), self::schema(values)))
            .collect();
        schema.insert("properties".to_owned(), Value::Object(properties));
    }
    if types.contains(&"array") {
        schema.insert("items".to_owned(), self::schema(&elements));
    }
    Value::Object(schema)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{LIST, MAKE, STREAM};
    use super::*;

    fn things() -> Value {
        document("Things", "1.2.3", "All things", &[&LIST, &MAKE, &STREAM])
    }

    /// The fixed parts that OpenAPI 3.1.0 requires, on any document.
    fn check_required(document: &Value) {
        assert_eq!(document["openapi"], "3.1.0");
        assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
        let schemes = document["components"]["securitySchemes"].as_object().unwrap();
        let mut ids = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            assert!(path.starts_with('/'));
            for (method, operation) in item.as_object().unwrap() {
                assert!(METHODS.contains(&method.to_uppercase().as_str()), "{method}");
                assert!(ids.insert(operation["operationId"].as_str().unwrap()));
                let responses = operation["responses"].as_object().unwrap();
                assert!(!responses.is_empty());
                for (status, response) in responses {
                    assert!(status.len() == 3 && status.parse::<u16>().is_ok());
                    assert!(response["description"].is_string());
                }
                for scheme in operation["security"].as_array().unwrap() {
                    assert!(scheme.as_object().unwrap().keys().all(|k| schemes.contains_key(k)));
                }
                let mut in_path = BTreeSet::new();
                for parameter in
                    operation.get("parameters").and_then(Value::as_array).into_iter().flatten()
                {
                    assert!(parameter["schema"].is_object());
                    if parameter["in"] == "path" {
                        assert_eq!(parameter["required"], true);
                        assert!(in_path.insert(parameter["name"].as_str().unwrap()));
                    }
                }
                assert_eq!(in_path, path_names(path).collect());
            }
        }
    }

    #[test]
    fn the_document_has_what_openapi_requires() {
        check_required(&things());
        check_required(&document("", "", "", &[]));
        let [second, third] = ["/b", "/c"].map(|path| Endpoint { path, ..LIST });
        check_required(&document("Twice", "1", "", &[&LIST, &second, &third]));
        assert!(faults(&[&LIST, &MAKE, &STREAM]).is_empty());
    }

    #[test]
    fn an_operation_says_everything() {
        let document = things();
        assert_eq!(document["tags"], json!([{"name": "things"}, {"name": "events"}]));
        assert_eq!(
            document["components"]["securitySchemes"],
            json!({
                "bearer": {"type": "http", "scheme": "bearer"},
                "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            })
        );
        assert_eq!(
            document["paths"]["/things"]["post"],
            json!({
                "operationId": "makeThing", "summary": "Makes a thing", "tags": ["things"],
                "security": [{"x-api-key": []}],
                "requestBody": {"content": {"application/json": {
                    "schema": {"type": "object", "properties": {
                        "name": {"type": "string"}, "size": {"type": "integer"},
                        "tags": {"type": "array", "items": {"type": "string"}},
                        "big": {"type": "boolean"},
                    }},
                    "example": {"name": "a", "size": 3, "tags": ["x"], "big": true},
                }}},
                "responses": {
                    "201": {"description": "Made", "content": {"application/json": {
                        "schema": {"type": "object", "properties": {"id": {"type": "string"}}},
                        "example": {"id": "a"},
                    }}},
                    "400": {"description": "No name; No size", "content": {"application/json": {
                        "schema": {"type": "object", "properties": {
                            "error": {"type": ["string", "integer"]},
                        }},
                        "examples": {
                            "1": {"value": {"error": "name"}}, "2": {"value": {"error": 7}},
                        },
                    }}},
                },
            })
        );
        let list = &document["paths"]["/things"]["get"];
        assert_eq!(
            list["parameters"],
            json!([{
                "name": "limit", "in": "query", "required": false, "description": "How many",
                "schema": {"type": "string"},
            }])
        );
        assert!(list["responses"]["403"]["content"]["application/problem+json"].is_object());
        let stream = &document["paths"]["/things/{id}/events/{rest}"]["get"];
        assert_eq!(stream["security"], json!([]));
        assert!(stream["responses"]["200"]["content"]["text/event-stream"].is_object());
        assert_eq!(stream["responses"]["204"], json!({"description": "Nothing"}));
    }

    #[test]
    fn schemas_hold_for_every_element() {
        let things = things();
        let schema = &things["paths"]["/things"]["get"]["responses"]["200"]["content"]["application/json"]
            ["schema"];
        assert_eq!(
            *schema,
            json!({"type": "object", "properties": {
                "things": {"type": "array", "items": {"type": "object", "properties": {
                    "id": {"type": "string"},
                    "amount": {"type": "number"},
                    "note": {"type": ["null", "string"]},
                }}},
                "next": {},
            }})
        );
    }

    #[test]
    fn other_forms_widen_a_schema_and_are_not_shown() {
        static WIDE: Endpoint = Endpoint {
            responses: &[
                Response {
                    status: 200,
                    description: "It",
                    example: Some(r#"{"a":"x","b":{"c":1},"d":{"e":1}}"#),
                },
                Response::also(200, r#"[{"a":null},{"b":null},{"b":{"c":null}},{"d":"text"}]"#),
            ],
            ..LIST
        };
        assert!(faults(&[&WIDE]).is_empty());
        let document = document("", "", "", &[&WIDE]);
        assert_eq!(
            document["paths"]["/things"]["get"]["responses"]["200"],
            json!({"description": "It", "content": {"application/json": {
                "example": {"a": "x", "b": {"c": 1}, "d": {"e": 1}},
                "schema": {"type": "object", "properties": {
                    "a": {"type": ["string", "null"]},
                    "b": {"type": ["object", "null"], "properties": {
                        "c": {"type": ["integer", "null"]},
                    }},
                    "d": {},
                }},
            }}})
        );
    }

    #[test]
    fn faults_of_a_table_are_found() {
        static BAD: Endpoint = Endpoint {
            method: "get",
            path: "things",
            id: "",
            parameters: &[
                Parameter { name: "x", place: Place::Path, required: true, description: "" },
                Parameter { name: "x", place: Place::Path, required: true, description: "" },
            ],
            request: Some("{"),
            responses: &[Response { status: 99, description: "", example: Some("{\"a\":}") }],
            ..LIST
        };
        let found = faults(&[
            &BAD,
            &LIST,
            &LIST,
            &Endpoint { responses: &[], id: "e", path: "/e", ..LIST },
        ]);
        assert_eq!(
            found,
            [
                ": the operation id is empty or used twice",
                ": the method is not one of a path item",
                ": the path does not begin with a slash",
                ": a status is not between 100 and 599",
                ": the request's example is not JSON",
                ": an answer's example is not JSON",
                ": a path parameter is not in the path",
                ": a path parameter is not in the path",
                ": a parameter is listed twice",
                "listThings: the operation id is empty or used twice",
                "listThings: another endpoint has this method and path",
                "e: no answer is listed",
            ]
        );
    }
}
