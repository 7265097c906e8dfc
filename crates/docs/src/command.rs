//! A call as a command for a shell.

use cobro_surface::endpoint::{Endpoint, Place, Security};

use crate::example::{Piece, pieces};
use crate::surface::{SignedBody, Surface};

/// Written behind a variable's line, so that whoever copies it knows to change it.
pub(crate) const OWN_VALUE: &str = "# yours";

/// The call as lines for a POSIX shell with curl (and openssl where a body is signed). Values that
/// only the reader knows are variables, each set on a line of its own at the top that ends with
/// [`OWN_VALUE`].
pub(crate) fn curl(surface: &Surface, endpoint: &Endpoint, base_url: &str) -> String {
    let mut variables: Vec<(String, String)> = Vec::new();
    let target = target(surface, endpoint, &mut variables);
    let body = endpoint.request.map(|example| body(surface, endpoint, example, &mut variables));
    let mut text = String::new();
    for (name, value) in &variables {
        text.push_str(&format!("{name}='{value}' {OWN_VALUE}\n"));
    }
    if let (Security::Body, Some(signed)) = (endpoint.security, surface.credentials.body) {
        text.push_str(&signing(signed));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str("curl");
    if is_stream(endpoint) {
        text.push_str(" -N");
    }
    // What curl sends unless told: GET, or POST where there is a body.
    let unless_told = if body.is_some() { "POST" } else { "GET" };
    if endpoint.method != unless_told {
        text.push_str(" -X ");
        text.push_str(endpoint.method);
    }
    text.push_str(&format!(" \"{base_url}{target}\""));
    if let Some(credential) = credential(surface, endpoint.security) {
        text.push_str(" \\\n  ");
        text.push_str(&credential);
    }
    if let Some(body) = body {
        text.push_str(" \\\n  -H 'Content-Type: application/json' \\\n  -d '");
        text.push_str(&body);
        text.push('\'');
    }
    text
}

fn is_stream(endpoint: &Endpoint) -> bool {
    let mut examples = endpoint.responses.iter().filter_map(|response| response.example);
    examples.any(|example| example.starts_with("event:") || example.starts_with("data:"))
}

/// The path with its parameters' values, and the query parameters that must be there.
fn target(surface: &Surface, endpoint: &Endpoint, variables: &mut Vec<(String, String)>) -> String {
    let mut target = String::new();
    let mut before = "";
    for segment in endpoint.path.split('/').skip(1) {
        target.push('/');
        let Some(name) = segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else {
            target.push_str(segment);
            before = segment;
            continue;
        };
        match surface.path_sample(endpoint, name) {
            Some(value) => target.push_str(value),
            None => {
                let variable = variable(name, before);
                target.push('$');
                target.push_str(&variable);
                variables.push((variable, "…".to_owned()));
            }
        }
    }
    let required = endpoint.parameters.iter().filter(|p| p.place == Place::Query && p.required);
    for (at, parameter) in required.enumerate() {
        target.push(if at == 0 { '?' } else { '&' });
        target.push_str(parameter.name);
        target.push('=');
        match surface.query_sample(parameter.name) {
            Some(value) => target.push_str(value),
            None => {
                let variable = variable(parameter.name, "");
                target.push('$');
                target.push_str(&variable);
                variables.push((variable, "…".to_owned()));
            }
        }
    }
    target
}

/// The shell's name of a value: `id` is told apart by what the path names before it.
fn variable(name: &str, before: &str) -> String {
    let name = name.trim_start_matches('*');
    let full = match (name, before.strip_suffix("ies"), before.strip_suffix('s')) {
        ("id", Some(stem), _) => format!("{stem}y_id"),
        ("id", None, Some(stem)) => format!("{stem}_id"),
        _ => snake(name),
    };
    full.replace('-', "_").to_ascii_uppercase()
}

/// `camelCase` as `camel_case`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

/// The body between single quotes; variables interrupt them.
fn body(
    surface: &Surface,
    endpoint: &Endpoint,
    example: &str,
    variables: &mut Vec<(String, String)>,
) -> String {
    let signed = surface.credentials.body.filter(|_| endpoint.security == Security::Body);
    let mut text = String::new();
    let mut name = "";
    for piece in pieces(example) {
        match piece {
            Piece::Line(depth) => {
                text.push('\n');
                text.extend(std::iter::repeat_n("  ", depth.saturating_add(1)));
            }
            Piece::Name(piece) => {
                name = piece.trim_matches('"');
                text.push_str(piece);
            }
            Piece::Text(piece) | Piece::Number(piece) => {
                let quote = if piece.starts_with('"') { "\"" } else { "" };
                match of_shell(surface, signed, name, piece, variables) {
                    Some(value) => text.push_str(&format!("{quote}{value}{quote}")),
                    None => text.push_str(&piece.replace('\'', "'\\''")),
                }
            }
            Piece::Word(piece) | Piece::Mark(piece) => text.push_str(piece),
        }
    }
    text
}

/// What stands for a value that the example cannot have.
fn of_shell(
    surface: &Surface,
    signed: Option<SignedBody>,
    name: &str,
    piece: &str,
    variables: &mut Vec<(String, String)>,
) -> Option<String> {
    let known = match (signed, name) {
        (Some(signed), "login") => return Some(signed.login.to_owned()),
        (Some(_), "tranKey") => Some("TRAN_KEY"),
        (Some(_), "nonce") => Some("NONCE"),
        (Some(_), "seed") => Some("SEED"),
        _ => None,
    };
    let variable = match known {
        Some(variable) => variable.to_owned(),
        None if surface.own_values.contains(&name) => {
            let variable = variable(&snake(name), "");
            if !variables.iter().any(|(one, _)| *one == variable) {
                variables.push((variable.clone(), piece.trim_matches('"').to_owned()));
            }
            variable
        }
        None => return None,
    };
    Some(format!("'\"${variable}\"'"))
}

/// Nonce, seed and digest: base64 of SHA-256 over the nonce's bytes, the seed and the secret.
fn signing(signed: SignedBody) -> String {
    let secret = signed.secret;
    format!(
        "RANDOM_HEX=$(openssl rand -hex 16)\n\
         SEED=$(date -u +%Y-%m-%dT%H:%M:%S+00:00)\n\
         NONCE=$(printf %s \"$RANDOM_HEX\" | base64)\n\
         TRAN_KEY=$(printf %s \"$RANDOM_HEX${{SEED}}{secret}\" | openssl dgst -sha256 -binary | base64)\n"
    )
}

fn credential(surface: &Surface, security: Security) -> Option<String> {
    let known = surface.credentials;
    match security {
        Security::None | Security::Body => None,
        Security::Bearer => Some(format!("-H 'Authorization: Bearer {}'", known.bearer?)),
        Security::Basic => known.basic.map(|(user, password)| format!("-u '{user}:{password}'")),
        Security::Header(name) => Some(format!("-H '{name}: {}'", known.header?)),
    }
}
