//! One call of the reference, as a section of a page.

use cobro_surface::endpoint::{Endpoint, Parameter, Place, Security};
use cobro_surface::html::escape;
use serde_json::Value;

use crate::frame::{Frame, Visit};
use crate::surface::Surface;
use crate::{command, example, schema};

/// The frame's texts in the visitor's language.
pub(super) struct Words<'a> {
    pub(super) frame: &'a Frame,
    pub(super) visit: &'a Visit<'a>,
}

impl Words<'_> {
    pub(super) fn of<'a>(&'a self, key: &'a str) -> &'a str {
        self.frame.text(self.visit, key)
    }

    fn heading(&self, key: &str, html: &mut String) {
        html.push_str("<h3>");
        escape(self.of(key), html);
        html.push_str("</h3>");
    }
}

/// A call, and what its document says of it.
pub(super) struct Call<'a> {
    pub(super) surface: &'a Surface,
    pub(super) endpoint: &'a Endpoint,
    pub(super) operation: &'a Value,
    pub(super) base_url: &'a str,
}

impl Call<'_> {
    /// Appends the section.
    pub(super) fn write(&self, words: &Words<'_>, html: &mut String) {
        let endpoint = self.endpoint;
        html.push_str(&format!(
            "<section class=\"call\" id=\"{0}\" aria-labelledby=\"{0}-title\"><div class=\"call-text\"><h2 id=\"{0}-title\" lang=\"en\">",
            endpoint.id
        ));
        escape(endpoint.summary, html);
        html.push_str(&format!(" <a class=\"anchor\" href=\"#{}\" aria-label=\"", endpoint.id));
        escape(words.of("link-to"), html);
        html.push_str("\">#</a></h2><p class=\"route\">");
        verb(endpoint.method, html);
        html.push_str("<code>");
        path(endpoint.path, html);
        html.push_str("</code></p><p class=\"auth muted\">");
        escape(words.of(credential(endpoint.security)), html);
        if let Security::Header(name) = endpoint.security {
            html.push_str(": <code>");
            escape(name, html);
            html.push_str("</code>");
        }
        if endpoint.security != Security::None && self.surface.knows(endpoint.security) {
            html.push_str(". ");
            escape(words.of("credential-demo"), html);
        }
        html.push_str("</p>");
        self.parameters(words, html);
        self.body(words, html);
        self.answers(words, html);
        html.push_str("</div><div class=\"call-code\">");
        self.command(words, html);
        self.examples(words, html);
        html.push_str("</div></section>");
    }

    fn parameters(&self, words: &Words<'_>, html: &mut String) {
        let parameters = parameters(self.endpoint);
        if parameters.is_empty() {
            return;
        }
        words.heading("parameters", html);
        html.push_str("<dl class=\"parameters\">");
        for parameter in parameters {
            html.push_str("<div><dt><code>");
            escape(parameter.name, html);
            html.push_str("</code> <span class=\"type\">");
            escape(words.of(&format!("in-{}", place(parameter.place))), html);
            let (class, key) =
                if parameter.required { ("must", "required") } else { ("may", "optional") };
            html.push_str(&format!("</span> <span class=\"{class}\">"));
            escape(words.of(key), html);
            html.push_str("</span></dt><dd lang=\"en\">");
            escape(parameter.description, html);
            html.push_str("</dd></div>");
        }
        html.push_str("</dl>");
    }

    fn body(&self, words: &Words<'_>, html: &mut String) {
        let Some(body) = self.operation.get("requestBody") else { return };
        words.heading("request-body", html);
        let before = html.len();
        for schema in schemas(body) {
            schema::members(schema, html);
        }
        if html.len() == before {
            html.push_str("<p class=\"muted\">");
            escape(words.of("members-any"), html);
            html.push_str("</p>");
        }
    }

    fn answers(&self, words: &Words<'_>, html: &mut String) {
        words.heading("answers", html);
        html.push_str("<ul class=\"answers\">");
        let documented = self.operation.get("responses").and_then(Value::as_object);
        for (status, answer) in documented.into_iter().flatten() {
            html.push_str("<li><details><summary>");
            status_chip(status, html);
            html.push_str(" <span lang=\"en\">");
            let said = answer.get("description").and_then(Value::as_str);
            escape(said.unwrap_or_default(), html);
            html.push_str("</span></summary>");
            let before = html.len();
            for schema in schemas(answer) {
                schema::members(schema, html);
            }
            if html.len() == before {
                html.push_str("<p class=\"muted\">");
                let key = if answer.get("content").is_some() { "members-any" } else { "no-body" };
                escape(words.of(key), html);
                html.push_str("</p>");
            }
            html.push_str("</details></li>");
        }
        html.push_str("</ul>");
    }

    fn command(&self, words: &Words<'_>, html: &mut String) {
        let id = self.endpoint.id;
        html.push_str("<div class=\"code\"><header><h3>curl</h3>");
        html.push_str(&format!(
            "<button type=\"button\" class=\"copy\" data-copy-from=\"{id}-curl\" hidden>"
        ));
        escape(words.of("copy"), html);
        html.push_str(&format!(
            "</button></header><pre tabindex=\"0\" aria-label=\"curl\"><code id=\"{id}-curl\">"
        ));
        escape(&command::curl(self.surface, self.endpoint, self.base_url), html);
        html.push_str(&format!(
            "</code></pre></div><details class=\"trial\" data-call=\"{id}\" hidden><summary>"
        ));
        escape(words.of("try"), html);
        html.push_str("</summary></details>");
    }

    fn examples(&self, words: &Words<'_>, html: &mut String) {
        html.push_str("<div class=\"code examples\"><header><h3>");
        escape(words.of("example-answers"), html);
        html.push_str("</h3></header>");
        let shown = self.endpoint.responses.iter().filter(|response| !response.is_also());
        for (at, response) in shown.enumerate() {
            let open = if at == 0 { " open" } else { "" };
            html.push_str(&format!(
                "<details name=\"{}-answers\"{open}><summary>",
                self.endpoint.id
            ));
            status_chip(&response.status.to_string(), html);
            html.push_str(" <span lang=\"en\">");
            escape(response.description, html);
            html.push_str("</span></summary>");
            match response.example {
                Some(text) => {
                    html.push_str("<pre tabindex=\"0\"><code>");
                    example::marked(text, html);
                    html.push_str("</code></pre>");
                }
                None => {
                    html.push_str("<p>");
                    escape(words.of("no-body"), html);
                    html.push_str("</p>");
                }
            }
            html.push_str("</details>");
        }
        html.push_str("</div>");
    }
}

/// Every parameter: those that a path names and a table does not are texts that must be there.
pub(super) fn parameters(endpoint: &Endpoint) -> Vec<Parameter> {
    let listed =
        |name: &str| endpoint.parameters.iter().any(|p| p.place == Place::Path && p.name == name);
    let named = endpoint.path.split('/').filter_map(|segment| {
        segment.strip_prefix('{')?.strip_suffix('}').map(|name| name.trim_start_matches('*'))
    });
    // An endpoint is `'static`, a reference to one need not be: names of paths are looked up again.
    let mut all: Vec<Parameter> = Vec::new();
    for name in named.filter(|name| !listed(name)) {
        all.extend(own_name(endpoint.path, name).map(|name| Parameter {
            name,
            place: Place::Path,
            required: true,
            description: "",
        }));
    }
    all.extend(endpoint.parameters.iter().copied());
    all.sort_by_key(|parameter| match parameter.place {
        Place::Path => 0,
        Place::Query => 1,
        Place::Header => 2,
    });
    all
}

fn own_name(path: &'static str, name: &str) -> Option<&'static str> {
    let at = path.find(name)?;
    path.get(at..at.saturating_add(name.len()))
}

/// The value that a parameter's field begins with.
pub(super) fn sample(
    surface: &Surface,
    endpoint: &Endpoint,
    parameter: &Parameter,
) -> Option<&'static str> {
    match parameter.place {
        Place::Path => surface.path_sample(endpoint, parameter.name),
        Place::Query if parameter.required => surface.query_sample(parameter.name),
        Place::Query | Place::Header => None,
    }
}

pub(super) const fn place(place: Place) -> &'static str {
    match place {
        Place::Path => "path",
        Place::Query => "query",
        Place::Header => "header",
    }
}

const fn credential(security: Security) -> &'static str {
    match security {
        Security::None => "credential-none",
        Security::Bearer => "credential-bearer",
        Security::Basic => "credential-basic",
        Security::Header(_) => "credential-header",
        Security::Body => "credential-body",
    }
}

/// The schemas of a body, one for each of its media types.
fn schemas(body: &Value) -> impl Iterator<Item = &Value> {
    let content = body.get("content").and_then(Value::as_object);
    content.into_iter().flatten().filter_map(|(_, media)| media.get("schema"))
}

/// Appends a method as a mark.
pub(super) fn verb(method: &str, html: &mut String) {
    html.push_str(&format!("<span class=\"verb {}\">{method}</span> ", method.to_lowercase()));
}

/// Appends a path with its parameters marked, and places to break it.
pub(super) fn path(path: &str, html: &mut String) {
    for segment in path.split('/').skip(1) {
        html.push_str("/<wbr>");
        if segment.starts_with('{') {
            html.push_str("<var>");
            escape(segment, html);
            html.push_str("</var>");
        } else {
            escape(segment, html);
        }
    }
}

fn status_chip(status: &str, html: &mut String) {
    let tone = match status.chars().next() {
        Some('2') => "good",
        Some('3') => "info",
        Some('4') => "warn",
        _ => "bad",
    };
    html.push_str(&format!("<span class=\"chip {tone}\">{status}</span>"));
}
