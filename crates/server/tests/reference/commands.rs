//! Every command of the reference is run.

use std::process::Command;

use serde_json::Value;

use crate::cafe;
use crate::http::Call;
use crate::place::Place;
use crate::server::Server;
use crate::shape::breaches;
use crate::stage::{Stage, page};

/// Prints the status on a line of its own behind the answer, and never uses the proxy of whoever runs the tests.
const CURL: &str =
    "curl() { command curl -q --noproxy '*' -s -w '\\n%{http_code}' \"$@\"; }\nset -eu\n";

/// The streams: they have no end for a command to come to.
const ENDLESS: [&str; 1] = ["live"];

#[test]
fn every_command_of_mercado_pago_works() {
    run("mercadopago", 20);
}

#[test]
fn every_command_of_placetopay_works() {
    run("placetopay", 9);
}

#[test]
fn every_command_of_clip_works() {
    run("clip", 29);
}

#[test]
fn every_command_of_the_control_api_works() {
    run("control", 25);
}

#[track_caller]
fn run(surface: &str, count_min: usize) {
    let place = Place::sqlite();
    let arguments = ["serve", "--port", "0", "--ephemeral"];
    let server = Server::start_with(&place, 0, &arguments);
    let document = server.send(&Call::get(&format!("/openapi/{surface}.json"))).expect(200).json();
    drop(server);
    let mut faults = Vec::new();
    let mut count = 0;
    for (id, operation) in operations(&document) {
        // Each on a server of its own: what one call leaves behind is nobody else's.
        let place = Place::sqlite();
        let server = Server::start_with(&place, 0, &arguments);
        let command = command(&page(&server, surface), &id);
        if ENDLESS.contains(&id.as_str()) {
            assert!(command.contains("curl -N"), "{command}");
            server.live("");
            continue;
        }
        count += 1;
        let printed = execute(&server, (surface, &id), &command);
        let (body, status) = printed.rsplit_once('\n').unwrap();
        let documented = operation["responses"].get(status);
        if !status.starts_with('2') || documented.is_none() {
            faults.push(format!("{id} is answered {status} {body}:\n{command}"));
        }
        let schema =
            documented.and_then(|answer| answer.pointer("/content/application~1json/schema"));
        match (serde_json::from_str(body), schema) {
            (Ok(body), Some(schema)) => faults.extend(breaches(schema, &body)),
            (Ok(_), None) => faults.push(format!("{id} has no schema for {status} {body}")),
            (Err(_), _) => assert!(body.is_empty() && schema.is_none(), "{id}: {body}"),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    assert!(count >= count_min, "only {count} commands were found");
}

fn operations(document: &Value) -> Vec<(String, Value)> {
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|path| path.as_object().unwrap().values());
    operations.map(|one| (one["operationId"].as_str().unwrap().to_owned(), one.clone())).collect()
}

/// The command of a call, as a browser copies it.
#[track_caller]
fn command(page: &str, id: &str) -> String {
    let start = format!("<code id=\"{id}-curl\">");
    let (_, rest) = page.split_once(&start).unwrap_or_else(|| panic!("{id} is not on the page"));
    let (html, _) = rest.split_once("</code>").unwrap();
    let mut text = html.to_owned();
    for (entity, character) in
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
    {
        text = text.replace(entity, character);
    }
    text
}

/// Runs a command in a shell, its own values filled in, and answers the status of the answer.
fn execute(server: &Server<'_>, (surface, id): (&str, &str), command: &str) -> String {
    let (mine, rest): (Vec<&str>, Vec<&str>) =
        command.lines().partition(|line| line.ends_with("# yours"));
    let names: Vec<String> =
        mine.iter().map(|line| line.split('=').next().unwrap().to_owned()).collect();
    let values = match surface {
        "clip" => cafe::prepare(server, id, &names),
        _ => Stage::new(server).prepare(id, &names),
    };
    let script = format!("{CURL}{}", rest.join("\n"));
    let output = Command::new("sh").args(["-c", &script]).envs(values).output().unwrap();
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
