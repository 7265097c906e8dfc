//! An OpenAPI document of the server, against the calls that were made of it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::http::{Answer, Call};
use super::server::{Calls, Server};
use super::shape::{breaches, misfits};

/// What does not apply is null, and a list may be empty: the samples are stricter.
const LENIENT: [&str; 2] = [" is null instead", " is empty"];

/// A method of a path, and what the document says of it.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) said: Value,
}

/// Every operation of the document at a path of the server.
#[track_caller]
pub(crate) fn operations(server: &Server<'_>, document: &str) -> Vec<Operation> {
    operations_of(&server.send(&Call::get(document)).expect(200).json())
}

pub(crate) fn operations_of(document: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, said) in methods.as_object().unwrap() {
            let (method, path) = (method.to_uppercase(), path.clone());
            operations.push(Operation { method, path, said: said.clone() });
        }
    }
    operations
}

/// The examples of an answer, or of a request, with their media types.
pub(crate) fn examples(body: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (kind, content) in body["content"].as_object().into_iter().flatten() {
        let several = content["examples"].as_object().into_iter().flatten();
        let several = several.map(|(_, example)| &example["value"]);
        for example in content.get("example").into_iter().chain(several) {
            found.push((kind.clone(), example.clone()));
        }
    }
    found
}

/// Operations of one document, and the calls that a test made of them.
pub(crate) struct Walked<'a> {
    pub(crate) operations: &'a [Operation],
    pub(crate) calls: Calls,
    /// Parts of the names of members that differ from one answer to the next.
    pub(crate) varies: &'a [&'a str],
}

impl Walked<'_> {
    /// Every answer to a call of these operations is what the document says, and every status that
    /// they have and that `must_be_met` was met.
    #[track_caller]
    pub(crate) fn assert_told<'o>(
        &self,
        operations: impl IntoIterator<Item = &'o Operation>,
        must_be_met: impl Fn(&Operation, &str) -> bool,
    ) {
        let mut faults = Vec::new();
        for operation in operations {
            let Operation { method, path, said } = operation;
            let mut met = BTreeSet::new();
            for (target, status, answer) in self.calls_of(operation) {
                let what = format!("{method} {target}: {status} {}", answer.text());
                match said["responses"].get(status.to_string()) {
                    None => faults.push(format!("{what}: not documented")),
                    Some(response) => {
                        let found = self.differences(response, answer).into_iter();
                        faults.extend(found.map(|difference| format!("{what}: {difference}")));
                    }
                }
                met.insert(status.to_string());
            }
            for (status, _) in said["responses"].as_object().unwrap() {
                if must_be_met(operation, status) && !met.contains(status) {
                    faults.push(format!("{method} {path}: {status} is documented and not met"));
                }
            }
        }
        assert!(faults.is_empty(), "{faults:#?}");
    }

    fn calls_of(&self, operation: &Operation) -> impl Iterator<Item = (&str, u16, &Answer)> {
        let calls = self.calls.iter().map(|((method, target, status), answer)| {
            (method.as_str(), target.as_str(), *status, answer)
        });
        calls.filter_map(|(method, target, status, answer)| {
            let is_one = method == operation.method && self.fits(&operation.path, target);
            is_one.then_some((target, status, answer))
        })
    }

    /// Whether a target is one of a path's, and not another path of the document to the letter.
    fn fits(&self, path: &str, target: &str) -> bool {
        let target = target.split('?').next().unwrap();
        if self.operations.iter().any(|operation| operation.path == target) {
            return path == target;
        }
        let (path, target): (Vec<&str>, Vec<&str>) =
            (path.split('/').collect(), target.split('/').collect());
        path.len() == target.len()
            && path.iter().zip(&target).all(|(part, given)| {
                if part.starts_with('{') { !given.is_empty() } else { part == given }
            })
    }

    /// A body must have the types of its schema and the form of one of the examples.
    fn differences(&self, response: &Value, answer: &Answer) -> Vec<String> {
        let examples = examples(response);
        if examples.is_empty() || examples[0].0 == "text/event-stream" {
            let bare = answer.body.is_empty();
            return if bare { Vec::new() } else { vec!["a body without an example".to_owned()] };
        }
        let body = answer.json();
        let contents = response["content"].as_object().unwrap().values();
        let mut found: Vec<String> =
            contents.flat_map(|content| breaches(&content["schema"], &body)).collect();
        let mut of_examples = examples.iter().map(|(_, example)| {
            let mut misfits = misfits(example, &body);
            misfits.retain(|misfit| {
                !LENIENT.iter().chain(self.varies).any(|allowed| misfit.contains(allowed))
            });
            misfits
        });
        let first = of_examples.next().unwrap();
        if !first.is_empty() && !of_examples.any(|misfits| misfits.is_empty()) {
            found.extend(first);
        }
        found
    }
}
