//! The reference: what every surface answers, made from its table and its document.

mod call;

use cobro_surface::endpoint::document;
use cobro_surface::html::{escape, json_in_script};
use serde_json::{Value, json};

use crate::frame::{Frame, Page, Visit};
use crate::surface::Surface;
use crate::{Docs, example};
use call::Words;

/// Every surface with its document.
pub(crate) struct Reference {
    base_url: String,
    surfaces: Vec<(Surface, Value)>,
}

impl Reference {
    pub(crate) fn new(docs: Docs) -> Self {
        let documented = |surface: Surface| {
            let document = document(surface.title, docs.version, "", &surface.endpoints);
            (surface, document)
        };
        let surfaces = docs.surfaces.into_iter().map(documented).collect();
        Self { base_url: docs.base_url, surfaces }
    }

    /// The page that lists every call of every surface.
    pub(crate) fn overview(&self, frame: &Frame, visit: &Visit<'_>) -> Page {
        let text = |key| frame.text(visit, key);
        let mut main = String::from("<div class=\"cover\"><h1>");
        escape(text("reference-title"), &mut main);
        main.push_str("</h1><p class=\"lead\">");
        escape(text("reference-lead"), &mut main);
        main.push_str("</p><p class=\"base\"><span>");
        escape(text("base-address"), &mut main);
        main.push_str("</span> <code>");
        escape(&self.base_url, &mut main);
        main.push_str("</code> <a href=\"/openapi.json\">");
        escape(text("openapi"), &mut main);
        main.push_str("</a></p></div>");
        for (surface, _) in &self.surfaces {
            let address = format!("/docs/api/{}", surface.name);
            main.push_str(&format!(
                "<section class=\"catalogue\" data-group><h2><a href=\"{address}\">"
            ));
            escape(surface.title, &mut main);
            main.push_str("</a></h2><p class=\"muted\">");
            escape(frame.text(visit, &format!("lead-{}", surface.name)), &mut main);
            main.push_str("</p><ul class=\"rows\">");
            for endpoint in &surface.endpoints {
                main.push_str(&format!("<li data-words=\"{}\">", words(endpoint)));
                main.push_str(&format!("<a href=\"{address}#{}\">", endpoint.id));
                call::verb(endpoint.method, &mut main);
                main.push_str("<code>");
                call::path(endpoint.path, &mut main);
                main.push_str("</code><span lang=\"en\">");
                escape(endpoint.summary, &mut main);
                main.push_str("</span></a></li>");
            }
            main.push_str("</ul></section>");
        }
        let title = text("reference-title").to_owned();
        Page { title, here: "api", nav: self.nav(frame, visit, ""), main, class: "" }
    }

    /// The page of one surface; `None` where there is none of that name.
    pub(crate) fn surface(&self, frame: &Frame, visit: &Visit<'_>, name: &str) -> Option<Page> {
        let (surface, document) = self.surfaces.iter().find(|(one, _)| one.name == name)?;
        let words = Words { frame, visit };
        let mut main = String::from("<div class=\"cover\"><h1>");
        escape(surface.title, &mut main);
        main.push_str("</h1><p class=\"lead\">");
        escape(words.of(&format!("lead-{name}")), &mut main);
        main.push_str("</p><p class=\"base\"><span>");
        escape(words.of("base-address"), &mut main);
        main.push_str("</span> <code>");
        escape(&self.base_url, &mut main);
        main.push_str(&format!("</code> <a href=\"/openapi/{name}.json\">"));
        escape(words.of("openapi"), &mut main);
        main.push_str("</a></p></div>");
        for endpoint in &surface.endpoints {
            let pointer = format!(
                "/paths/{}/{}",
                endpoint.path.replace("{*", "{").replace('/', "~1"),
                endpoint.method.to_lowercase()
            );
            let operation = document.pointer(&pointer).unwrap_or(&Value::Null);
            let call = call::Call { surface, endpoint, operation, base_url: &self.base_url };
            call.write(&words, &mut main);
        }
        main.push_str("<script type=\"application/json\" id=\"calls\">");
        main.push_str(&json_in_script(&trials(surface).to_string()));
        main.push_str("</script><script type=\"module\" src=\"/docs/assets/trial.js\"></script>");
        let nav = self.nav(frame, visit, name);
        let title = format!("{} · {}", surface.title, words.of("nav-api"));
        Some(Page { title, here: "api", nav, main, class: "reference" })
    }

    /// Every call, by surface and tag; the surface at hand is open.
    fn nav(&self, frame: &Frame, visit: &Visit<'_>, here: &str) -> String {
        let mut html = String::new();
        for (surface, _) in &self.surfaces {
            let is_here = surface.name == here;
            let open = if is_here || here.is_empty() { " open" } else { "" };
            html.push_str(&format!("<details class=\"group\" data-group{open}><summary>"));
            escape(surface.title, &mut html);
            html.push_str(&format!(
                " <span class=\"count\">{}<span class=\"sr\"> ",
                surface.endpoints.len()
            ));
            escape(frame.text(visit, "calls"), &mut html);
            html.push_str("</span></span></summary><ul lang=\"en\">");
            let mut tag = "";
            for endpoint in &surface.endpoints {
                if endpoint.tag != tag {
                    tag = endpoint.tag;
                    html.push_str("<li class=\"tag\" data-tag>");
                    escape(tag, &mut html);
                    html.push_str("</li>");
                }
                let page =
                    if is_here { String::new() } else { format!("/docs/api/{}", surface.name) };
                html.push_str(&format!(
                    "<li data-words=\"{}\"><a href=\"{page}#{}\">",
                    words(endpoint),
                    endpoint.id
                ));
                call::verb(endpoint.method, &mut html);
                html.push_str("<span>");
                escape(endpoint.summary, &mut html);
                html.push_str("</span></a></li>");
            }
            html.push_str("</ul></details>");
        }
        html
    }
}

/// What a search looks at, escaped for an attribute.
fn words(endpoint: &cobro_surface::endpoint::Endpoint) -> String {
    let text = format!(
        "{} {} {} {} {}",
        endpoint.method, endpoint.path, endpoint.summary, endpoint.id, endpoint.tag
    );
    let mut html = String::new();
    escape(&text.to_lowercase(), &mut html);
    html
}

/// What the script needs to send a surface's calls.
fn trials(surface: &Surface) -> Value {
    let calls = surface.endpoints.iter().map(|endpoint| {
        let parameters: Vec<Value> = call::parameters(endpoint)
            .iter()
            .map(|parameter| {
                let value = call::sample(surface, endpoint, parameter);
                json!({
                    "name": parameter.name,
                    "in": call::place(parameter.place),
                    "required": parameter.required,
                    "value": value.unwrap_or_default(),
                })
            })
            .collect();
        let call = json!({
            "method": endpoint.method,
            "path": endpoint.path,
            "security": endpoint.security.name(),
            "parameters": parameters,
            "body": endpoint.request.map(example::plain),
        });
        (endpoint.id.to_owned(), call)
    });
    let known = surface.credentials;
    json!({
        "calls": calls.collect::<serde_json::Map<_, _>>(),
        "credentials": {
            "bearer": known.bearer,
            "basic": known.basic,
            "header": known.header,
            "body": known.body.map(|one| json!({"login": one.login, "secret": one.secret})),
        },
    })
}
