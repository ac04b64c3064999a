//! A policy: other descriptions, weights and ranges, by the names of the assessments. systemd-analyze(1),
//! `--security-policy=`.

use super::table::Row;
use serde_json::{Map, Value};

/// What is not an object, or not of the type a field has, changes nothing.
#[derive(Debug, Default)]
pub struct Policy(Map<String, Value>);

impl Policy {
    pub fn read(path: &str) -> Result<Policy, String> {
        let fault = |line: usize, column: usize, text: &str| {
            format!("Failed to parse '{path}' at {line}:{column}: {text}")
        };
        let text = std::fs::read_to_string(path).map_err(|error| fault(0, 0, &reason(&error)))?;
        match serde_json::from_str(&text) {
            Ok(Value::Object(rows)) => Ok(Policy(rows)),
            Ok(_) => Ok(Policy::default()),
            Err(error) => Err(fault(error.line(), error.column(), "Invalid argument")),
        }
    }

    pub fn weight(&self, row: &Row) -> u64 {
        self.field(row, "weight").and_then(Value::as_u64).unwrap_or(row.weight)
    }

    pub fn range(&self, row: &Row) -> u64 {
        self.field(row, "range").and_then(Value::as_u64).unwrap_or(row.range)
    }

    pub fn good(&self, row: &Row) -> String {
        self.text(row, "description_good", row.good)
    }

    pub fn bad(&self, row: &Row) -> String {
        self.text(row, "description_bad", row.bad)
    }

    pub fn moot(&self, row: &Row) -> String {
        self.text(row, "description_na", row.other)
    }

    fn text(&self, row: &Row, field: &str, built_in: &str) -> String {
        self.field(row, field).and_then(Value::as_str).unwrap_or(built_in).to_owned()
    }

    fn field(&self, row: &Row, field: &str) -> Option<&Value> {
        self.0.get(row.id)?.get(field)
    }
}

/// An error in the C library's words, without the number.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}
