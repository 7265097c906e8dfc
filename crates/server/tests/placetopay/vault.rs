//! `cobro vault`: keys change, cards stay chargeable, whatever is cut off.

use serde_json::{Value, json};

use crate::place::Place;
use crate::server::{self, Server};
use crate::shop::{COLOMBIA, Shop, collect, status};

crate::on_both!(keys_rotate_beside_a_running_server);

/// More cards than are wrapped in one step.
#[cfg(debug_assertions)]
const MANY: usize = 70;

const ONE: &str = "1:0101010101010101010101010101010101010101010101010101010101010101";
const TWO: &str = "2:0202020202020202020202020202020202020202020202020202020202020202";

/// Runs `cobro vault`; answers whether it succeeded, and what it said.
fn vault(place: &Place, word: &str, variables: &[(&str, &str)]) -> (bool, String) {
    let mut command = server::command(place, 0, &["vault", word]);
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[track_caller]
fn rotate(place: &Place) -> String {
    let (succeeded, text) = vault(place, "rotate", &[]);
    assert!(succeeded, "{text}");
    text
}

fn tokens(server: &Server<'_>, count: usize) -> Vec<String> {
    (0..count).map(|_| COLOMBIA.token(server, "4111111111111111")).collect()
}

/// Charges each token once.
#[track_caller]
fn charge(server: &Server<'_>, name: &str, tokens: &[String]) {
    for (number, token) in tokens.iter().enumerate() {
        let body = collect(&format!("{name}-{number}"), 100, token);
        let answer = COLOMBIA.call(server, "/api/collect", body, 200);
        assert_eq!(status(&answer), ("APPROVED", "00"), "{name} {number}");
    }
}

fn keys_rotate_beside_a_running_server(place: &Place) {
    let server = Server::start(place);
    let before = tokens(&server, 3);
    assert_eq!(vault(place, "status", &[]).1, "key 1: 3 cards, current\n");
    std::thread::scope(|scope| {
        let rotating = scope.spawn(|| rotate(place));
        let mut round = 0;
        while !rotating.is_finished() {
            round += 1;
            charge(&server, &format!("DURING-{round}"), &before);
        }
        assert!(rotating.join().unwrap().contains("3 cards need key 2 now"));
    });
    charge(&server, "AFTER", &before);
    assert_eq!(vault(place, "status", &[]).1, "key 1: 0 cards\nkey 2: 3 cards, current\n");
    let (pruned, why) = vault(place, "prune", &[]);
    assert!(!pruned && why.contains("younger than two minutes"), "{why}");
    // A server whose keys have changed seals with the new one from the next look on.
    let mut after = Vec::new();
    let is_new = |text: &str| text.contains("key 1: 0 cards\n") && !text.contains("key 2: 3 ");
    while !is_new(&vault(place, "status", &[]).1) {
        after.extend(tokens(&server, 1));
    }
    let server = server.restart();
    charge(&server, "RESTARTED", &before);
    charge(&server, "NEW", &after);
    drop(server);
    if place.is_sqlite() {
        let (pruned, said) = vault(place, "prune", &[]);
        assert!(pruned && said.contains("key 1 was removed"), "{said}");
        let keys = std::fs::read_to_string(place.data(0).join("vault.keys")).unwrap();
        assert!(keys.starts_with("2:") && keys.lines().count() == 1);
        let server = Server::start(place);
        charge(&server, "PRUNED", &before);
    }
}

#[test]
fn throw_away_worlds_are_rotated_too() {
    let place = Place::sqlite();
    let server = Server::start(&place);
    let made = server.control("POST", "/worlds", &json!({ "name": "x" }), 201);
    let text = |value: &Value| -> &'static str { value.as_str().unwrap().to_owned().leak() };
    let site = &made["placetopay"]["sites"][0];
    let shop = Shop { login: text(&site["login"]), secret: text(&site["secret_key"]) };
    let session = shop.call(&server, "/api/session", crate::shop::subscription(), 200);
    let path = format!("/_cobro/v1/sessions/{}/pay", session["requestId"]);
    let call = crate::http::Call::new("POST", &path).header("cobro-world", text(&made["id"]));
    server.send(&call.json(&json!({}))).expect(200);
    let path = format!("/api/session/{}", session["requestId"]);
    let query = shop.call(&server, &path, json!({}), 200);
    let token = crate::shop::keyword(&query["subscription"]["instrument"], "token");
    assert!(rotate(&place).contains("1 cards need key 2 now"));
    let server = server.restart();
    let answer = shop.call(&server, "/api/collect", collect("W-1", 100, &token), 200);
    assert_eq!(status(&answer), ("APPROVED", "00"));
}

#[test]
#[cfg(debug_assertions)]
fn a_rotation_that_was_killed_is_resumed() {
    let place = Place::sqlite();
    let mut server = Server::start(&place);
    let all = tokens(&server, MANY);
    server.stop();
    drop(server);
    for (point, done) in [("vault.rotate.before_commit", 0), ("vault.rotate.committed", 64)] {
        let (succeeded, said) = vault(&place, "rotate", &[("COBRO_CRASH_AT", point)]);
        assert!(!succeeded, "{said}");
        let left = MANY - done;
        let expected = format!("key 1: {left} cards\nkey 2: {done} cards, current\n");
        assert_eq!(vault(&place, "status", &[]).1, expected, "{point}");
    }
    let said = rotate(&place);
    assert!(said.contains("going on with the rotation to key 2"), "{said}");
    assert!(said.contains("70 cards need key 2 now"), "{said}");
    let server = Server::start(&place);
    charge(&server, "RESUMED", &all);
}

#[test]
#[cfg(debug_assertions)]
fn a_server_that_dies_while_it_rotates_is_replaced_by_the_command_or_the_next_server() {
    let place = Place::sqlite();
    let server = Server::start_under(&place, &[("COBRO_CRASH_AT", "vault.rotate.committed")]);
    let all = tokens(&server, MANY);
    let said = rotate(&place);
    assert!(said.contains("70 cards need key 2 now"), "{said}");
    server.wait_for_death();
    // And what the command leaves, a server goes on with when it starts.
    let (succeeded, _) =
        vault(&place, "rotate", &[("COBRO_CRASH_AT", "vault.rotate.before_commit")]);
    assert!(!succeeded);
    let server = Server::start(&place);
    while !vault(&place, "status", &[]).1.contains("key 3: 70 cards, current") {}
    charge(&server, "THIRD", &all);
}

#[test]
fn keys_of_the_environment_rotate_with_a_restart() {
    let place = Place::sqlite();
    let both = format!("{ONE},{TWO}");
    let server = Server::start_under(&place, &[("COBRO_VAULT_KEY", ONE)]);
    let all = tokens(&server, 2);
    drop(server);
    let server = Server::start_under(&place, &[("COBRO_VAULT_KEY", &both)]);
    let variables = [("COBRO_VAULT_KEY", both.as_str())];
    while !vault(&place, "status", &variables).1.contains("key 2: 2 cards, current") {}
    let (succeeded, said) = vault(&place, "rotate", &variables);
    assert!(succeeded && said.contains("none is made"), "{said}");
    drop(server);
    let server = Server::start_under(&place, &[("COBRO_VAULT_KEY", TWO)]);
    charge(&server, "SECOND", &all);
    drop(server);
    // Without the key that cards need, nothing is touched.
    let (succeeded, said) = vault(&place, "rotate", &[("COBRO_VAULT_KEY", ONE)]);
    assert!(!succeeded && said.contains("need key 2, which is missing"), "{said}");
}
