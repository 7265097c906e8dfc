//! What the shop wrote into a session, as far as the page shows it, and what the payer types.

use serde_json::{Map, Value, json};

/// A person as the page asks for one. Empty text stands for what is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// The code of the document's kind.
    pub document_type: String,
    /// The document's number.
    pub document: String,
    /// Given names.
    pub name: String,
    /// Family names; empty for companies.
    pub surname: String,
    /// E-mail address.
    pub email: String,
    /// Telephone number.
    pub mobile: String,
}

/// A line that the shop wants to have shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownField {
    /// Its name, as the shop wrote it.
    pub keyword: String,
    /// Its value.
    pub value: String,
    /// Where.
    pub shown: Shown,
}

/// Where a line is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Before paying.
    Payment,
    /// With every result.
    Receipt,
    /// Before and after.
    Both,
    /// With an approval.
    Approved,
}

/// What the shop wrote into a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// The shop's own name for it.
    pub reference: String,
    /// What is sold, in the shop's words.
    pub description: String,
    /// The language that the shop asks for, `es_CO` for example; empty when it does not say.
    pub locale: String,
    /// Who pays: what stands here cannot be changed on the page.
    pub payer: Person,
    /// What the form begins with.
    pub suggestion: Person,
    /// Where the payer goes at the end; empty when nowhere.
    pub return_url: String,
    /// Where the payer goes after giving up; empty for the same place.
    pub cancel_url: String,
    /// Whether there is no page with the result.
    pub skip_result: bool,
    /// Which payment methods the shop takes; empty for all.
    pub methods: Vec<String>,
    /// Lines to show.
    pub fields: Vec<ShownField>,
}

impl Order {
    /// Reads the request of a session: `locale`, `payer`, `buyer`, `noBuyerFill`, `payment` or
    /// `subscription` with `reference`, `description` and `fields`, `returnUrl`, `cancelUrl`,
    /// `skipResult`, `paymentMethod`, `fields` (reference, 3.1). What is missing stays empty.
    pub fn of_request(request: &Value) -> Self {
        let subject = [&request["payment"], &request["subscription"]];
        let subject = subject.into_iter().find(|one| one.is_object()).unwrap_or(&Value::Null);
        let mut fields = shown_fields(&request["fields"]);
        fields.extend(shown_fields(&subject["fields"]));
        let methods = text(&request["paymentMethod"]);
        let methods = methods.split(',').map(str::trim).filter(|one| !one.is_empty());
        let fills = request["noBuyerFill"].as_bool() != Some(true);
        Self {
            reference: text(&subject["reference"]),
            description: text(&subject["description"]),
            locale: text(&request["locale"]),
            payer: Person::of_json(&request["payer"]),
            suggestion: if fills { Person::of_json(&request["buyer"]) } else { Person::default() },
            return_url: web_address(&request["returnUrl"]),
            cancel_url: web_address(&request["cancelUrl"]),
            skip_result: request["skipResult"].as_bool() == Some(true),
            methods: methods.map(ToOwned::to_owned).collect(),
            fields,
        }
    }

    /// Where the payer goes after giving up.
    pub fn way_out(&self) -> &str {
        if self.cancel_url.is_empty() { &self.return_url } else { &self.cancel_url }
    }
}

impl Person {
    /// Reads a person; numbers are taken as text.
    pub fn of_json(person: &Value) -> Self {
        Self {
            document_type: text(&person["documentType"]),
            document: text(&person["document"]),
            name: text(&person["name"]),
            surname: text(&person["surname"]),
            email: text(&person["email"]),
            mobile: text(&person["mobile"]),
        }
    }

    /// The person as JSON, without what is not known.
    pub fn to_json(&self) -> Value {
        let all = [
            ("document", &self.document),
            ("documentType", &self.document_type),
            ("name", &self.name),
            ("surname", &self.surname),
            ("email", &self.email),
            ("mobile", &self.mobile),
        ];
        let known = all.into_iter().filter(|(_, value)| !value.is_empty());
        Value::Object(known.map(|(key, value)| (key.to_owned(), json!(value))).collect())
    }

    /// Given and family names together.
    pub fn full_name(&self) -> String {
        format!("{} {}", self.name, self.surname).trim().to_owned()
    }

    /// This person where it says something, else `other`; kind and number of the document belong
    /// together, and so do the names.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        let pick = |own: &str, other: &str| if own.is_empty() { other } else { own }.to_owned();
        let document = if self.document.is_empty() { other } else { self };
        let names = if self.name.is_empty() { other } else { self };
        Self {
            document_type: document.document_type.clone(),
            document: document.document.clone(),
            name: names.name.clone(),
            surname: names.surname.clone(),
            email: pick(&self.email, &other.email),
            mobile: pick(&self.mobile, &other.mobile),
        }
    }
}

/// A session's luggage with what the payer typed as its member `payer`.
pub fn with_payer(luggage: &str, payer: &Person) -> String {
    let mut whole = object(luggage);
    let person = known_payer(&whole, payer);
    whole.insert("payer".to_owned(), person);
    Value::Object(whole).to_string()
}

/// What is kept with the stored card of a session: its person, as the member `payer`.
pub fn card_luggage(luggage: &str, payer: &Person) -> String {
    json!({"payer": known_payer(&object(luggage), payer)}).to_string()
}

/// What the payer typed over what the shop knew of the payer (`request.payer`).
fn known_payer(luggage: &Map<String, Value>, payer: &Person) -> Value {
    let known = luggage.get("request").map(|request| &request["payer"]);
    let mut person = known.and_then(Value::as_object).cloned().unwrap_or_default();
    if let Value::Object(typed) = payer.to_json() {
        person.extend(typed);
    }
    Value::Object(person)
}

fn object(text: &str) -> Map<String, Value> {
    match serde_json::from_str(text) {
        Ok(Value::Object(whole)) => whole,
        _ => Map::new(),
    }
}

/// What the payer typed before: the member `payer` of a session's luggage.
pub fn payer_of(luggage: &str) -> Person {
    let whole: Value = serde_json::from_str(luggage).unwrap_or_default();
    Person::of_json(&whole["payer"])
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// An address that a browser may be led to: no other scheme than the web's.
fn web_address(value: &Value) -> String {
    let address = text(value);
    let scheme = address.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        Some("http" | "https") if !address.contains(char::is_control) => address,
        _ => String::new(),
    }
}

/// Scalars as text, arrays of scalars joined, objects not at all (reference, 2.5).
fn shown_fields(fields: &Value) -> Vec<ShownField> {
    let scalar = |value: &Value| match value {
        Value::Bool(value) => value.to_string(),
        value => text(value),
    };
    let one = |field: &Value| {
        let shown = match field["displayOn"].as_str()? {
            "payment" => Shown::Payment,
            "receipt" => Shown::Receipt,
            "both" => Shown::Both,
            "approved" => Shown::Approved,
            _ => return None,
        };
        let value = match &field["value"] {
            Value::Array(values) => {
                let texts: Vec<String> = values.iter().map(scalar).collect();
                texts.join(", ")
            }
            value => scalar(value),
        };
        let keyword = text(&field["keyword"]);
        (!value.is_empty() && !keyword.is_empty()).then_some(ShownField { keyword, value, shown })
    };
    fields.as_array().map(|all| all.iter().filter_map(one).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read() {
        let order = Order::of_request(&json!({
            "locale": "es_CO",
            "payer": {"document": 1040099001, "documentType": "CC"},
            "buyer": {"name": "Rosa", "surname": "Lemus", "mobile": 300},
            "payment": {
                "reference": "R-1", "description": " Cafetera ",
                "fields": [{"keyword": "Mesa", "value": ["4", 5], "displayOn": "both"}],
            },
            "fields": [
                {"keyword": "k", "value": "v", "displayOn": "none"},
                {"keyword": "o", "value": {"a": 1}, "displayOn": "payment"},
            ],
            "paymentMethod": "visa, master",
            "returnUrl": "https://shop.example/back",
            "cancelUrl": "javascript:alert(1)",
            "skipResult": true,
        }));
        assert_eq!((order.reference.as_str(), order.description.as_str()), ("R-1", "Cafetera"));
        assert_eq!(order.payer.document, "1040099001");
        assert_eq!(order.suggestion.full_name(), "Rosa Lemus");
        assert_eq!(order.methods, ["visa", "master"]);
        assert_eq!((order.cancel_url.as_str(), order.way_out()), ("", "https://shop.example/back"));
        let field =
            ShownField { keyword: "Mesa".to_owned(), value: "4, 5".to_owned(), shown: Shown::Both };
        assert_eq!(order.fields, [field]);
        assert!(order.skip_result);
        assert_eq!(Order::of_request(&Value::Null), Order::default());
    }

    #[test]
    fn the_buyer_fills_nothing_unless_allowed() {
        let order = Order::of_request(&json!({"noBuyerFill": true, "buyer": {"name": "Rosa"}}));
        assert_eq!(order.suggestion, Person::default());
    }

    #[test]
    fn only_addresses_of_the_web_are_followed() {
        for (address, follows) in [
            ("https://shop.example/a?b=c", true),
            ("HTTP://shop.example", true),
            ("javascript://shop.example/%0aalert(1)", false),
            ("data:text/html,x", false),
            ("//shop.example", false),
            ("https://shop.example/\r\nx", false),
            ("", false),
        ] {
            assert_eq!(!web_address(&json!(address)).is_empty(), follows, "{address}");
        }
    }

    #[test]
    fn what_is_typed_stands_over_what_was_known() {
        let luggage =
            json!({"request": {"payer": {"name": "R", "address": {"city": "X"}}}, "a": 1});
        let typed = Person { name: "Rosa".to_owned(), ..Person::default() };
        let after = with_payer(&luggage.to_string(), &typed);
        let read: Value = serde_json::from_str(&after).unwrap();
        assert_eq!(read["payer"], json!({"name": "Rosa", "address": {"city": "X"}}));
        assert_eq!((&read["a"], &read["request"]["payer"]["name"]), (&json!(1), &json!("R")));
        assert_eq!(payer_of(&after), typed);
        let kept: Value =
            serde_json::from_str(&card_luggage(&luggage.to_string(), &typed)).unwrap();
        assert_eq!(kept, json!({"payer": {"name": "Rosa", "address": {"city": "X"}}}));
        assert_eq!(payer_of(&with_payer("no JSON", &typed)), typed);
    }

    #[test]
    fn documents_and_names_stay_together() {
        let known = Person {
            document: "1".to_owned(),
            document_type: "CC".to_owned(),
            ..Person::default()
        };
        let other = Person {
            document_type: "NIT".to_owned(),
            name: "Rosa".to_owned(),
            email: "a@b.example".to_owned(),
            ..Person::default()
        };
        let both = known.or(&other);
        assert_eq!((both.document_type.as_str(), both.name.as_str()), ("CC", "Rosa"));
        assert_eq!(both.email, "a@b.example");
    }
}
