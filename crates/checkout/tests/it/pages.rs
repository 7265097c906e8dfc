use cobro_domain::payment::PaymentState;
use cobro_domain::session::{SessionEnd, SessionState};
use http::StatusCode;
use serde_json::{Value, json};

use crate::stage::{
    APPROVES, APPROVES_AMEX, CANARY, CHALLENGES, DEBIT, DECLINES, ODD, Offer, PENDS, offer,
    request, subscription,
};
use crate::visitor::{fields, form, post, read, send, stage, submit, typed, typed_but};

#[tokio::test]
async fn the_page_shows_what_is_to_be_paid_and_is_kept_by_nobody() {
    let stage = stage().await;
    let (path, view) = stage.open(offer()).await;
    let page = read(&stage, &path).await;
    assert_eq!(page.status, StatusCode::OK);
    for shown in ["Tienda Demo", "189.900,00 <small>COP", "Cafetera italiana", "ORD-2041"] {
        assert!(page.text.contains(shown), "{shown}");
    }
    assert!(page.text.contains("data-left=\"1800\""));
    for complete in ["cc-number", "cc-exp", "cc-csc", "cc-name", "email", "tel"] {
        assert!(page.text.contains(&format!("autocomplete=\"{complete}\"")), "{complete}");
    }
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("x-frame-options"), "DENY");
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"));
    assert!(policy.contains("form-action 'self' https://shop.example https://shop.example;"));
    assert!(!policy.contains("unsafe"));
    assert_eq!(stage.session(&view).await, view, "reading changes nothing");
}

#[tokio::test]
async fn addresses_that_lead_nowhere() {
    let stage = stage().await;
    let (path, view) = stage.open(offer()).await;
    let number = view.session.number;
    let wrong = format!("{}f", &path[..path.len() - 1]);
    let other = format!("/spa/session/{}/{}", number + 1, &path[path.len() - 32..]);
    let secret = &path[path.len() - 32..];
    let addresses = [
        wrong,
        other,
        format!("/spa/session/{number}/x"),
        format!("/spa/session/{number}/{number}"),
        format!("/spa/session/{number}/12345678901234567890123456789012"),
        format!("/spa/session/{number}"),
        format!("/spa/session/{number}/%ff"),
        format!("/spa/session/%ff/{secret}"),
        format!("/spa/session/99999999999999999999/{secret}"),
        "/spa/session/x/y".to_owned(),
    ];
    for address in addresses {
        let page = read(&stage, &address).await;
        let sent = form(&stage, &address, &[("number", APPROVES.to_owned())]).await;
        for answer in [page, sent] {
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{address}");
            assert!(answer.text.contains("Esta página no existe"), "{address}");
            assert!(!answer.text.contains("Tienda Demo"));
            assert_eq!(answer.header("cache-control"), "no-store");
        }
    }
}

#[tokio::test]
async fn languages() {
    let stage = stage().await;
    let (path, _) = stage.open(offer()).await;
    let (plain, _) = stage.open(Offer { request: json!({}), ..offer() }).await;
    for (address, accepts, expected) in [
        (path.clone(), "en", "Pague con tarjeta"),
        (format!("{path}?lang=en"), "es", "Pay by card"),
        (format!("{path}?lang=pt-BR"), "es", "Pague com cartão"),
        (plain.clone(), "en-US,en;q=0.9", "Pay by card"),
        (plain, "fr", "Pague con tarjeta"),
    ] {
        let get = http::Request::get(&address).header("accept-language", accepts);
        let page = send(&stage, get.body(axum::body::Body::empty()).unwrap()).await;
        assert!(page.text.contains(expected), "{address} {accepts}");
    }
}

#[tokio::test]
async fn a_form_without_scripts_pays() {
    let stage = stage().await;
    let (path, view) = stage.open(offer()).await;
    let sent = fields(APPROVES);
    let sent: Vec<(&str, &str)> = sent.iter().map(|(name, value)| (*name, &**value)).collect();
    let answer = submit(&stage, &path, &sent).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, &*path));
    let after = stage.session(&view).await;
    assert_eq!(after.session.state, SessionState::Approved);
    let luggage: Value = serde_json::from_str(&after.session.luggage).unwrap();
    assert_eq!(
        luggage["payer"],
        json!({
            "name": "Rosa", "surname": "Lemus", "documentType": "CC", "document": "1040099001",
            "email": "rosa@example.org", "mobile": "+57 300 0000001",
        })
    );
    let page = read(&stage, &path).await;
    for shown in ["Pago aprobado", "Visa terminada en 0010", "2026-11-20 10:00", "Entrega"] {
        assert!(page.text.contains(shown), "{shown}");
    }
    assert!(page.text.contains("href=\"https://shop.example/back?order=2041\""));
    let again = form(&stage, &path, &[("csrf", String::new())]).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn forms_of_other_pages_are_refused() {
    let stage = stage().await;
    let (path, view) = stage.open(offer()).await;
    let (elsewhere, _) = stage.open(offer()).await;
    let foreign = read(&stage, &elsewhere).await.value("csrf");
    for csrf in [String::new(), "x".to_owned(), foreign] {
        let mut sent = fields(APPROVES);
        sent.push(("csrf", csrf));
        let answer = form(&stage, &path, &sent).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(answer.text.contains("La página había caducado"));
        assert!(!answer.text.contains(APPROVES) || answer.text.contains("data-number"));
    }
    let cross = http::Request::post(&path)
        .header("content-type", "application/json")
        .header("sec-fetch-site", "cross-site")
        .body(axum::body::Body::from(typed(APPROVES).to_string()));
    assert_eq!(send(&stage, cross.unwrap()).await.status, StatusCode::FORBIDDEN);
    assert_eq!(stage.session(&view).await.session.state, SessionState::Pending);
}

#[tokio::test]
async fn faults_are_told_all_at_once() {
    let stage = stage().await;
    let (path, view) = stage.open(offer()).await;
    for (change, expected) in [
        (json!({"number": ""}), vec!["number"]),
        (json!({"number": "4000 0000 0000 0019"}), vec!["number"]),
        (json!({"number": CANARY}), vec!["number"]),
        (json!({"expiration": ""}), vec!["expiration"]),
        (json!({"expiration": "13/30"}), vec!["expiration"]),
        (json!({"expiration": "10/26"}), vec!["expiration"]),
        (json!({"cvv": ""}), vec!["cvv"]),
        (json!({"cvv": "1234"}), vec!["cvv"]),
        (json!({"cvv": "12x"}), vec!["cvv"]),
        (json!({"number": APPROVES_AMEX}), vec!["cvv"]),
        (json!({"name": ""}), vec!["name"]),
        (json!({"name": APPROVES}), vec!["name"]),
        (json!({"documentType": "XX"}), vec!["documentType"]),
        (json!({"document": "12"}), vec!["document"]),
        (json!({"document": ""}), vec!["document"]),
        (json!({"email": "rosa"}), vec!["email"]),
        (json!({"mobile": "12"}), vec!["mobile"]),
        (json!({"installments": "13"}), vec!["installments"]),
        (json!({"number": "", "cvv": "", "email": ""}), vec!["number", "cvv", "email"]),
    ] {
        let answer = post(&stage, &path, &typed_but(APPROVES, change.clone())).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{change}");
        let body = answer.json();
        let errors = body["errors"].as_array().unwrap().iter();
        let found: Vec<&str> = errors.map(|error| error["field"].as_str().unwrap()).collect();
        assert_eq!((found, &body["outcome"]), (expected, &json!("invalid")), "{change}");
    }
    let after = stage.session(&view).await;
    assert_eq!((after.session.attempts, after.payments.len()), (0, 0), "no try was made");
}

#[tokio::test]
async fn faults_on_the_page_lead_to_their_fields_and_secrets_are_not_shown_again() {
    let stage = stage().await;
    let (path, _) = stage.open(offer()).await;
    let sent = [("number", CANARY), ("cvv", "987"), ("name", "Rosa <b>"), ("action", "pay")];
    let answer = submit(&stage, &path, &sent).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text.contains("<title>Error: "));
    assert!(answer.text.contains("role=\"alert\""));
    assert!(answer.text.contains("<a href=\"#number\">En modo de pruebas"));
    assert!(answer.text.contains("aria-describedby=\"number-fault\" aria-invalid=\"true\""));
    assert_eq!(answer.value("name"), "Rosa &lt;b&gt;");
    assert_eq!((answer.value("number"), answer.value("cvv")), (String::new(), String::new()));
    assert!(!answer.text.contains(CANARY) && !answer.text.contains("987"));
}

#[tokio::test]
async fn published_numbers_come_before_the_luhn_test() {
    let stage = stage().await;
    let (path, _) = stage.open(offer()).await;
    assert!(read(&stage, &path).await.text.contains(&format!("\"exceptions\":[\"{ODD}\"]")));
    assert_eq!(post(&stage, &path, &typed(ODD)).await.json()["outcome"], "approved");
}

#[tokio::test]
async fn a_declined_card_leaves_a_second_try() {
    let stage = stage().await;
    let (path, view) = stage.open(Offer { attempts_max: 2, ..offer() }).await;
    let first = post(&stage, &path, &typed(DECLINES)).await.json();
    assert_eq!((&first["outcome"], &first["attempts_left"]), (&json!("rejected"), &json!(1)));
    assert_eq!(first["reason"], "insufficient_funds");
    let page = read(&stage, &path).await;
    for shown in ["El pago no pasó", "cupo o fondos", "terminada en 0028", "le quedan: 1"] {
        assert!(page.text.contains(shown), "{shown}");
    }
    assert_eq!(
        (page.value("name"), page.value("document")),
        ("Rosa Lemus".into(), "1040099001".into())
    );
    let last = post(&stage, &path, &typed(DECLINES)).await.json();
    assert_eq!(
        (&last["outcome"], &last["session"]["status"]),
        (&json!("rejected"), &json!("rejected"))
    );
    let ended = stage.session(&view).await.session.state;
    assert_eq!(ended, SessionState::Rejected { end: SessionEnd::Attempts });
    assert!(read(&stage, &path).await.text.contains("No quedan intentos"));
    let late = post(&stage, &path, &typed(APPROVES)).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_challenge_passes_with_its_code_alone() {
    let stage = stage().await;
    for (code, state, outcome) in [
        ("12345", SessionState::Approved, "approved"),
        ("00000", SessionState::Pending, "rejected"),
    ] {
        let (path, view) = stage.open(offer()).await;
        let asked = post(&stage, &path, &typed(CHALLENGES)).await.json();
        assert_eq!(asked["outcome"], "challenge");
        assert_eq!(stage.session(&view).await.payments, [], "nothing is charged yet");
        let page = read(&stage, &path).await;
        assert!(page.text.contains("autocomplete=\"one-time-code\""));
        assert!(page.text.contains("Visa terminada en 0036"));
        let empty = post(&stage, &path, &json!({"action": "otp", "otp": ""})).await;
        assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
        let done = post(&stage, &path, &json!({"action": "otp", "otp": code})).await.json();
        assert_eq!(done["outcome"], outcome);
        let after = stage.session(&view).await;
        assert_eq!((after.session.state, after.payments.len()), (state, 1));
        let again = post(&stage, &path, &json!({"action": "otp", "otp": "12345"})).await;
        assert_eq!(again.status, StatusCode::CONFLICT, "a card is used once");
    }
}

#[tokio::test]
async fn a_challenge_can_come_with_its_answer_be_left_and_run_out() {
    let stage = stage().await;
    let (path, _) = stage.open(offer()).await;
    let both = typed_but(CHALLENGES, json!({"otp": 12345}));
    assert_eq!(post(&stage, &path, &both).await.json()["outcome"], "approved");

    let (path, view) = stage.open(offer()).await;
    post(&stage, &path, &typed(CHALLENGES)).await;
    let back = post(&stage, &path, &json!({"action": "back"})).await.json();
    assert_eq!(back["outcome"], "open");

    post(&stage, &path, &typed(CHALLENGES)).await;
    stage.world.advance_to(stage.world.now().plus_seconds(601)).await.unwrap();
    let late = post(&stage, &path, &json!({"action": "otp", "otp": "12345"})).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.json()["message"].as_str().unwrap().contains("la tarjeta se olvidó"));
    assert_eq!(stage.session(&view).await.payments, []);
}

#[tokio::test]
async fn a_card_is_stored_with_consent_alone() {
    let stage = stage().await;
    let (path, view) = stage.open(subscription()).await;
    assert!(read(&stage, &path).await.text.contains("Autorizo a Tienda Demo a guardar"));
    let sent = fields(APPROVES);
    let sent: Vec<(&str, &str)> = sent.iter().map(|(name, value)| (*name, &**value)).collect();
    let refused = submit(&stage, &path, &sent).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("Sin su autorización"));
    let stored = post(&stage, &path, &typed(APPROVES)).await.json();
    assert_eq!(stored["outcome"], "approved");
    let card = stage.session(&view).await.card.unwrap();
    assert_eq!(card.facts.last_digits, "0010");
    let kept: Value = serde_json::from_str(&card.luggage).unwrap();
    assert_eq!(kept["payer"]["document"], "1040099001");
    assert!(read(&stage, &path).await.text.contains("Tarjeta guardada"));
}

#[tokio::test]
async fn a_wrong_code_for_a_card_to_be_stored_is_a_failed_try() {
    let stage = stage().await;
    let (path, view) = stage.open(Offer { attempts_max: 2, ..subscription() }).await;
    for (attempts, outcome) in [(1, "rejected"), (2, "rejected")] {
        post(&stage, &path, &typed(CHALLENGES)).await;
        let wrong = post(&stage, &path, &json!({"action": "otp", "otp": "1"})).await.json();
        assert_eq!(wrong["outcome"], outcome);
        assert_eq!(stage.session(&view).await.session.attempts, attempts);
    }
    let after = stage.session(&view).await;
    assert_eq!(after.session.state, SessionState::Rejected { end: SessionEnd::Attempts });
    assert_eq!(after.card, None);
}

#[tokio::test]
async fn consent_with_a_payment_is_an_offer() {
    let stage = stage().await;
    for (save, offers_storing, stored) in
        [(true, true, true), (false, true, false), (true, false, false)]
    {
        let (path, view) = stage.open(Offer { offers_storing, ..offer() }).await;
        post(&stage, &path, &typed_but(APPROVES, json!({"save": save}))).await;
        let after = stage.session(&view).await;
        assert_eq!(after.session.card.is_some(), stored, "{save} {offers_storing}");
    }
}

#[tokio::test]
async fn parts_where_the_session_allows_them() {
    let stage = stage().await;
    let (path, view) = stage.open(Offer { allow_partial: true, ..offer() }).await;
    for (amount, fault) in [("0", true), ("x", true), ("200.000", true)] {
        let answer = post(&stage, &path, &typed_but(APPROVES, json!({"amount": amount}))).await;
        assert_eq!(answer.json()["errors"][0]["field"] == "amount", fault, "{amount}");
    }
    let part = post(&stage, &path, &typed_but(APPROVES, json!({"amount": "50.000,50"}))).await;
    assert_eq!(part.json()["left_minor"], 13_989_950);
    let page = read(&stage, &path).await;
    for shown in ["Ya pagado: $\u{a0}50.000,50 COP", "Falta por pagar", "139.899,50"] {
        assert!(page.text.contains(shown), "{shown}");
    }
    let rest = typed_but(APPROVES, json!({"amount": "1", "part": "all"}));
    assert_eq!(post(&stage, &path, &rest).await.json()["outcome"], "approved");
    assert_eq!(stage.session(&view).await.payments.len(), 2);
}

#[tokio::test]
async fn instalments_are_for_credit_cards() {
    let stage = stage().await;
    for (number, installments) in [(APPROVES, 6), (DEBIT, 1)] {
        let (path, view) = stage.open(offer()).await;
        post(&stage, &path, &typed_but(number, json!({"installments": 6}))).await;
        assert_eq!(stage.session(&view).await.payments[0].installments, installments);
    }
}

#[tokio::test]
async fn a_pending_card_resolves_later() {
    let stage = stage().await;
    let (path, view) = stage.open(offer()).await;
    assert_eq!(post(&stage, &path, &typed(PENDS)).await.json()["outcome"], "pending");
    let page = read(&stage, &path).await;
    assert!(page.text.contains("Pago en proceso") && page.text.contains("http-equiv=\"refresh\""));
    assert_eq!(post(&stage, &path, &typed(APPROVES)).await.status, StatusCode::CONFLICT);
    stage.world.advance_to(stage.world.now().plus_seconds(31)).await.unwrap();
    let state = &stage.session(&view).await.payments[0].state;
    assert!(matches!(state, PaymentState::Approved { .. }));
    assert!(read(&stage, &path).await.text.contains("Pago aprobado"));
}

#[tokio::test]
async fn the_payer_gives_up() {
    let stage = stage().await;
    let (path, view) = stage.open(offer()).await;
    let answer = submit(&stage, &path, &[("action", "cancel")]).await;
    assert_eq!(answer.status, StatusCode::FOUND);
    assert_eq!(answer.header("location"), "https://shop.example/cart");
    let state = stage.session(&view).await.session.state;
    assert_eq!(state, SessionState::Rejected { end: SessionEnd::Payer });
    assert!(read(&stage, &path).await.text.contains("Usted canceló"));
}

#[tokio::test]
async fn a_session_without_a_page_with_the_result_leads_to_the_shop_at_once() {
    let stage = stage().await;
    let mut asked = request();
    asked["skipResult"] = json!(true);
    let sent = |number| {
        let all = fields(number);
        all.into_iter().collect::<Vec<(&str, String)>>()
    };
    for (number, status, address) in [
        (APPROVES, StatusCode::FOUND, Some("https://shop.example/back?order=2041")),
        (DECLINES, StatusCode::SEE_OTHER, None),
    ] {
        let (path, _) = stage.open(Offer { request: asked.clone(), ..offer() }).await;
        let all = sent(number);
        let all: Vec<(&str, &str)> = all.iter().map(|(name, value)| (*name, &**value)).collect();
        let answer = submit(&stage, &path, &all).await;
        assert_eq!((answer.status, answer.header("location")), (status, address.unwrap_or(&path)));
    }
}

#[tokio::test]
async fn time_runs_out() {
    let stage = stage().await;
    let (path, view) = stage.open(offer()).await;
    stage.world.advance_to(view.session.expires_at).await.unwrap();
    let page = read(&stage, &path).await;
    assert!(page.text.contains("El tiempo terminó") && !page.text.contains("<form"));
    assert_eq!(post(&stage, &path, &typed(APPROVES)).await.status, StatusCode::CONFLICT);
    assert_eq!(stage.session(&view).await.payments, []);
}

#[tokio::test]
async fn what_the_shop_says_of_the_payer_cannot_be_changed() {
    let stage = stage().await;
    let mut asked = request();
    asked["payer"] = json!({
        "name": "Ana", "surname": "Ruiz", "document": "900", "documentType": "CC",
        "email": "ana@example.org", "address": {"city": "Cali"},
    });
    let (path, view) = stage.open(Offer { request: asked, ..offer() }).await;
    let page = read(&stage, &path).await;
    assert!(page.text.contains("ana@example.org") && !page.text.contains("name=\"email\""));
    assert_eq!(post(&stage, &path, &typed(APPROVES)).await.json()["outcome"], "approved");
    let luggage: Value = serde_json::from_str(&stage.session(&view).await.session.luggage).unwrap();
    assert_eq!(
        luggage["payer"],
        json!({
            "name": "Ana", "surname": "Ruiz", "document": "900", "documentType": "CC",
            "email": "ana@example.org", "mobile": "+57 300 0000001", "address": {"city": "Cali"},
        })
    );
}

#[tokio::test]
async fn sixty_four_at_once_charge_once() {
    let stage = stage().await;
    let (path, view) = stage.open(offer()).await;
    let body = typed(APPROVES);
    let all = (0..64).map(|_| post(&stage, &path, &body));
    let answers = futures_util::future::join_all(all).await;
    assert!(answers.iter().all(|one| [200, 409].contains(&one.status.as_u16())));
    assert_eq!(stage.session(&view).await.payments.len(), 1);
}

#[tokio::test]
async fn nothing_typed_of_a_card_is_written_down() {
    let stage = stage().await;
    let code = "8317";
    for number in [CANARY, APPROVES_AMEX] {
        let (path, _) = stage.open(Offer { offers_storing: true, ..offer() }).await;
        let sent = typed_but(number, json!({"cvv": code}));
        let answer = post(&stage, &path, &sent).await;
        let page = read(&stage, &path).await;
        for text in [&answer.text, &page.text] {
            assert!(!text.contains(CANARY) && !text.contains(code));
        }
        assert!(!answer.text.contains(number));
    }
    let stored = stage.stored_bytes();
    assert!(stored.len() > 1000);
    for secret in [CANARY, APPROVES_AMEX] {
        let found = stored.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{secret}");
    }
    assert!(stored.windows(4).any(|window| window == b"0009"), "the last digits are there");
}

#[tokio::test]
async fn bodies_that_are_no_forms() {
    let stage = stage().await;
    let (path, _) = stage.open(offer()).await;
    for (media_type, body, status) in [
        ("application/json", "{", StatusCode::BAD_REQUEST),
        ("application/json", "[]", StatusCode::BAD_REQUEST),
        ("text/plain", "x", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        let post = http::Request::post(&path).header("content-type", media_type);
        let answer = send(&stage, post.body(body.into()).unwrap()).await;
        assert_eq!(answer.status, status, "{media_type} {body}");
    }
    let large = http::Request::post(&path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body("x".repeat(20_000).into());
    assert_eq!(send(&stage, large.unwrap()).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}
