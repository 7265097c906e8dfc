use super::*;
use serde_json::json;

fn parse(text: &str) -> Result<Json, JsonError> {
    Json::parse(text.as_bytes(), &Limits::default())
}

fn number(text: &str) -> NumberText {
    NumberText::parse(text).unwrap()
}

#[test]
fn a_body_is_read_exactly() {
    let body = parse(
        r#" {"b": 10.50, "a": [1.5E+003, -0, true, false, null], "s": "caf\u00e9 \ud83d\ude00", "o": {}} "#,
    )
    .unwrap();
    let names: Vec<_> = body.as_object().unwrap().iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["b", "a", "s", "o"]);
    assert_eq!(body.get("b").unwrap().as_number().unwrap().as_str(), "10.50");
    assert_eq!(
        body.get("a").unwrap().as_array().unwrap(),
        [
            Json::Number(number("1.5E+003")),
            Json::Number(number("-0")),
            Json::Bool(true),
            Json::Bool(false),
            Json::Null
        ]
    );
    assert_eq!(body.get("s").unwrap().as_str(), Some("café 😀"));
    assert_eq!(body.get("o"), Some(&Json::Object(Vec::new())));
    assert_eq!(body.get("missing"), None);
    assert_eq!(Json::Null.get("b"), None);
    assert_eq!(Json::Bool(true).as_bool(), Some(true));
    assert_eq!(parse("7").unwrap(), Json::Number(number("7")));
}

#[test]
fn what_is_ambiguous_or_broken_is_refused() {
    use JsonError::{ByteOrderMark, DuplicateKey, Empty, Nul, Syntax};
    let table = [
        ("", Empty),
        (" \r\n\t", Empty),
        ("\u{feff}{}", ByteOrderMark),
        ("\u{feff}", ByteOrderMark),
        ("{} x", Syntax),
        ("{}{}", Syntax),
        ("{} // note", Syntax),
        ("/* note */ {}", Syntax),
        ("{", Syntax),
        ("]", Syntax),
        (r#"{"a":1,}"#, Syntax),
        ("[1,]", Syntax),
        ("{'a':1}", Syntax),
        ("{a:1}", Syntax),
        (r#"{"a"}"#, Syntax),
        (r#"{"a":}"#, Syntax),
        (r#"["\ud800"]"#, Syntax),
        (r#"["\udc00\ud800"]"#, Syntax),
        (r#"{"\ud800":1}"#, Syntax),
        (r#"["\x41"]"#, Syntax),
        ("[\"a\nb\"]", Syntax),
        ("\"abc", Syntax),
        ("nul", Syntax),
        ("True", Syntax),
        ("\u{a0}{}", Syntax),
        ("{}\0", Syntax),
        (r#"{"amount":1,"amount":1}"#, DuplicateKey),
        (r#"{"amount":1,"b":0,"\u0061mount":2}"#, DuplicateKey),
        (r#"{"o":[{"a":1,"a":2}]}"#, DuplicateKey),
        (r#"["\u0000"]"#, Nul),
        (r#"{"a":{"b":"x\u0000y"}}"#, Nul),
        (r#"{"a\u0000":1}"#, Nul),
    ];
    for (text, error) in table {
        assert_eq!(parse(text), Err(error), "{text}");
    }
    for bytes in [&b"\"\xff\""[..], b"{\"a\":\"\xc3\"}", b"\"\xed\xa0\x80\"", b"\xff\xfe{\0}\0"] {
        assert_eq!(Json::parse(bytes, &Limits::default()), Err(JsonError::NotUtf8));
    }
    assert!(parse(r#"{"a":{"x":1},"b":{"x":1}}"#).is_ok());
}

#[test]
fn the_limits_are_exact() {
    let limits = Limits { size: 40, depth: 3, members: 3, elements: 4 };
    let table = [
        ("[[[]]]", None),
        ("[[[[]]]]", Some(JsonError::TooDeep)),
        (r#"{"a":{"b":{"c":"[[[["}}}"#, None),
        (r#"{"a":[{"b":[]}]}"#, Some(JsonError::TooDeep)),
        (r#"["\"[[[[,,,,,,,,,\\"]"#, None),
        // Found before the end is looked for.
        ("[[[[", Some(JsonError::TooDeep)),
        ("[,,,,,,,,", Some(JsonError::TooManyMembers)),
        (r#"[[],[],[],[]]"#, None),
        (r#"{"a":1,"b":{"c":1}}"#, None),
        (r#"{"a":1,"b":{"c":1,"d":1}}"#, Some(JsonError::TooManyMembers)),
        ("[1,2,[4]]", None),
        ("[1,2,[4,5]]", Some(JsonError::TooManyMembers)),
        (r#""12345678901234567890123456789012345678""#, None),
        (r#""123456789012345678901234567890123456789""#, Some(JsonError::TooLarge)),
    ];
    for (text, error) in table {
        assert_eq!(Json::parse(text.as_bytes(), &limits).err(), error, "{text}");
    }
    let members = |count: usize| {
        let list: Vec<_> = (0..count).map(|i| format!("\"k{i}\":0")).collect();
        format!("{{{}}}", list.join(","))
    };
    assert!(parse(&members(1_000)).is_ok());
    assert_eq!(parse(&members(1_001)), Err(JsonError::TooManyMembers));
    assert_eq!(Limits::default().depth, 32);
}

#[test]
fn depth_costs_neither_stack_nor_time() {
    let deep = 100_000;
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
        assert_eq!(parse(&open.repeat(deep)), Err(JsonError::TooDeep));
        let closed = open.repeat(deep) + "0" + &close.repeat(deep);
        assert_eq!(parse(&closed), Err(JsonError::TooDeep));
    }
    assert_eq!(parse(&format!("[{}0]", "0,".repeat(500_000))), Err(JsonError::TooManyMembers));
}

/// The table of reliability section 2.2, "Money".
#[test]
fn amounts_are_read_exactly_or_refused() {
    use AmountError::{Negative, TooLarge, TooManyDecimals};
    let long = "9".repeat(10_000);
    let long_fraction = format!("0.{}1", "0".repeat(10_000));
    let long_zeros = format!("1.{}", "0".repeat(10_000));
    let undone = format!("0.{}1e10001", "0".repeat(10_000));
    let table = [
        ("100", 2, Ok(10_000)),
        ("100.0", 2, Ok(10_000)),
        ("100.00", 2, Ok(10_000)),
        ("1e2", 2, Ok(10_000)),
        ("10.000", 2, Ok(1_000)),
        ("10.005", 2, Err(TooManyDecimals)),
        ("0.1", 2, Ok(10)),
        ("0.2", 2, Ok(20)),
        ("0.3", 2, Ok(30)),
        ("62.14", 2, Ok(6_214)),
        ("100.005", 2, Err(TooManyDecimals)),
        ("1e-3", 2, Err(TooManyDecimals)),
        ("1e-2", 2, Ok(1)),
        ("1000e-5", 2, Ok(1)),
        ("0", 2, Ok(0)),
        ("-0", 2, Ok(0)),
        ("-0.000", 2, Ok(0)),
        ("0e999999999999999999999", 2, Ok(0)),
        ("-1", 2, Err(Negative)),
        ("-0.001", 2, Err(Negative)),
        ("-1e308", 2, Err(Negative)),
        ("1e308", 2, Err(TooLarge)),
        ("1e-308", 2, Err(TooManyDecimals)),
        ("1e99999999999999999999", 2, Err(TooLarge)),
        ("1e-99999999999999999999", 2, Err(TooManyDecimals)),
        ("99999999999999999999", 2, Err(TooLarge)),
        ("92233720368547758.07", 2, Ok(i64::MAX)),
        ("92233720368547758.08", 2, Err(TooLarge)),
        (&long, 2, Err(TooLarge)),
        (&long_fraction, 2, Err(TooManyDecimals)),
        (&long_zeros, 2, Ok(100)),
        (&undone, 2, Ok(100)),
        ("100", 0, Ok(100)),
        ("100.5", 0, Err(TooManyDecimals)),
        ("100.0", 0, Ok(100)),
        ("1.234", 3, Ok(1_234)),
        ("1", u32::MAX, Err(TooLarge)),
    ];
    for (text, exponent, expected) in table {
        let shown: String = text.chars().take(40).collect();
        assert_eq!(number(text).minor_units(exponent), expected, "{shown} at {exponent}");
    }
}

#[test]
fn integers_are_exact() {
    let table = [
        ("1500", Some(1_500)),
        ("1500.0", Some(1_500)),
        ("1.5E+003", Some(1_500)),
        ("150e1", Some(1_500)),
        ("15000e-1", Some(1_500)),
        ("1500.50", None),
        ("1.5e0", None),
        ("-0", Some(0)),
        ("-7", Some(-7)),
        ("0.0", Some(0)),
        ("100", Some(100)),
        ("100100.00", Some(100_100)),
        ("9007199254740993", Some(9_007_199_254_740_993)),
        ("9223372036854775807", Some(i64::MAX)),
        ("9223372036854775808", None),
        ("-9223372036854775808", Some(i64::MIN)),
        ("-9223372036854775809", None),
        ("1e18", Some(1_000_000_000_000_000_000)),
        ("1e19", None),
        ("1e308", None),
    ];
    for (text, expected) in table {
        assert_eq!(number(text).integer(), expected, "{text}");
    }
}

#[test]
fn what_is_no_number_is_not_taken_for_one() {
    for text in [
        "NaN",
        "Infinity",
        "-Infinity",
        "0x10",
        "1_000",
        "+5",
        "01",
        "-01",
        ".5",
        "5.",
        "1e",
        "-",
        "--1",
    ] {
        assert_eq!(parse(&format!("{{\"amount\":{text}}}")), Err(JsonError::Syntax), "{text}");
        assert!(NumberText::parse(text).is_none(), "{text}");
    }
    for text in ["null", "true", "[100]", "{}", "\"100\""] {
        let body = parse(&format!("{{\"amount\":{text}}}")).unwrap();
        assert_eq!(body.get("amount").unwrap().as_number(), None, "{text}");
        assert!(NumberText::parse(text).is_none(), "{text}");
    }
    for text in ["", " 1", "1 ", "1\n", "1 1", "١"] {
        assert!(NumberText::parse(text).is_none(), "{text:?}");
    }
}

#[test]
fn kinds_have_the_names_of_json_schema() {
    let table = [
        ("1", "integer"),
        ("1.0", "integer"),
        ("1e400", "integer"),
        ("1.5", "number"),
        ("\"1\"", "string"),
        ("true", "boolean"),
        ("{}", "object"),
        ("[]", "array"),
        ("null", "null"),
    ];
    for (text, name) in table {
        assert_eq!(parse(text).unwrap().kind_name(), name, "{text}");
    }
}

#[test]
fn values_go_to_serde_json_and_back() {
    let body = parse(
        r#"{"i":1500.0,"d":10.50,"big":18446744073709551615,"huge":1e400,"l":[null,true,"x"]}"#,
    )
    .unwrap();
    let value = body.to_value();
    assert_eq!(
        serde_json::to_string(&value).unwrap(),
        r#"{"big":18446744073709551615,"d":10.5,"huge":"1e400","i":1500,"l":[null,true,"x"]}"#
    );
    let value =
        json!({"a": [1, -2, 0.1, 1e100, u64::MAX], "s": "x", "n": null, "t": true, "o": {}});
    assert_eq!(Json::from(&value).to_value(), value);
    assert_eq!(
        Json::from(&json!(1e100)).as_number().map(NumberText::integer),
        Some(None),
        "the text of a large number is still a number"
    );
}

#[test]
fn amounts_are_printed_in_their_shortest_form() {
    let table = [
        (9_300, 2, "93"),
        (360, 2, "3.6"),
        (58, 2, "0.58"),
        (5, 2, "0.05"),
        (50, 2, "0.5"),
        (0, 2, "0"),
        (-360, 2, "-3.6"),
        (-5, 2, "-0.05"),
        (-9_300, 2, "-93"),
        (6_214, 2, "62.14"),
        (100, 2, "1"),
        (1_000, 0, "1000"),
        (0, 0, "0"),
        (1_234, 3, "1.234"),
        (1, 12, "0.000000000001"),
        (i64::MAX, 2, "92233720368547758.07"),
        (i64::MIN, 2, "-92233720368547758.08"),
        (0, u32::MAX, "0"),
    ];
    for (minor, exponent, text) in table {
        assert_eq!(decimal_text(minor, exponent), text);
        assert_eq!(decimal_units(minor, exponent).get(), text);
        if minor >= 0 {
            assert_eq!(number(text).minor_units(exponent), Ok(minor));
        }
    }
    let answer = std::collections::BTreeMap::from([("amount", decimal_units(6_210, 2))]);
    assert_eq!(serde_json::to_string(&answer).unwrap(), r#"{"amount":62.1}"#);
}

#[test]
fn a_printed_body_shows_no_card() {
    let body =
        parse(r#"{"cvv":"123","note":"4111 1111 1111 1111","n":4111111111111111,"amount":1.50}"#)
            .unwrap();
    let shown = format!("{body:?} {:?}", body.get("n").unwrap().as_number().unwrap());
    assert!(!shown.contains("4111111111111111") && !shown.contains("123\""), "{shown}");
    assert!(!shown.contains("4111 1111 1111"), "{shown}");
    assert!(shown.contains("\"amount\":1.5"), "{shown}");
}
