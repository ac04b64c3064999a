//! The judged cases as they are on disk.

use serde_json::Value;
use std::collections::BTreeMap;

pub struct Case {
    pub id: String,
    pub family: String,
    pub note: String,
    /// Text by unit name.
    pub units: BTreeMap<String, String>,
    /// systemctl's arguments.
    pub steps: Vec<Vec<String>>,
    pub expected: Vec<Expected>,
}

/// What was seen once everything was still after a step.
pub struct Expected {
    pub fails: bool,
    pub states: BTreeMap<String, String>,
    pub events: BTreeMap<String, u64>,
    pub order: Vec<(String, String)>,
    pub properties: BTreeMap<String, BTreeMap<String, String>>,
}

pub fn all(text: &str) -> Vec<Case> {
    let root: Value = serde_json::from_str(text).unwrap();
    root["cases"].as_array().unwrap().iter().map(case).collect()
}

fn case(value: &Value) -> Case {
    Case {
        id: text(&value["id"]),
        family: text(&value["family"]),
        note: text(&value["note"]),
        units: fields(&value["units"], |unit| text(&unit["text"])),
        steps: list(&value["steps"], |step| list(step, text)),
        expected: list(&value["expect"], expected),
    }
}

fn expected(value: &Value) -> Expected {
    Expected {
        fails: value["rc"].as_i64().unwrap() != 0,
        states: fields(&value["states"], text),
        events: fields(&value["events"], |count| count.as_u64().unwrap()),
        order: list(&value["order"], |pair| (text(&pair[0]), text(&pair[1]))),
        properties: fields(&value["props"], |unit| fields(unit, text)),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list<T>(value: &Value, read: impl Fn(&Value) -> T) -> Vec<T> {
    value.as_array().into_iter().flatten().map(read).collect()
}

fn fields<T>(value: &Value, read: impl Fn(&Value) -> T) -> BTreeMap<String, T> {
    value.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), read(value))).collect()
}
