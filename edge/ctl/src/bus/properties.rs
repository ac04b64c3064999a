//! The answer to `GetAll`, in the order the manager sent it: `show` prints in that order.

use super::value::Value;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use zbus::{OwnedVariant, Signature, Type};

/// One property: its name, its D-Bus signature, its value.
#[derive(Clone, Debug)]
pub struct Property {
    pub name: String,
    pub signature: String,
    pub value: Value,
}

#[derive(Clone, Debug, Default)]
pub struct Properties(pub Vec<Property>);

impl Properties {
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|property| property.name == name).map(|property| &property.value)
    }

    /// The text, or the empty one where there is none.
    pub fn text(&self, name: &str) -> &str {
        self.get(name).and_then(Value::text).unwrap_or("")
    }

    /// The number, or 0.
    pub fn number(&self, name: &str) -> u64 {
        self.get(name).and_then(Value::unsigned).unwrap_or(0)
    }

    /// A number that is set at all: the largest one means it is not.
    pub fn known(&self, name: &str) -> Option<u64> {
        self.get(name).and_then(Value::unsigned).filter(|number| *number != u64::MAX)
    }

    pub fn signed(&self, name: &str) -> i64 {
        self.get(name).and_then(Value::signed).unwrap_or(0)
    }

    pub fn yes(&self, name: &str) -> bool {
        self.get(name).and_then(Value::bool).unwrap_or(false)
    }

    pub fn texts(&self, name: &str) -> Vec<&str> {
        self.get(name).map(Value::texts).unwrap_or_default()
    }

    pub fn list(&self, name: &str) -> &[Value] {
        self.get(name).map(Value::list).unwrap_or_default()
    }
}

impl Type for Properties {
    const SIGNATURE: &'static Signature =
        <std::collections::BTreeMap<String, OwnedVariant> as Type>::SIGNATURE;
}

impl<'de> Deserialize<'de> for Properties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Properties, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Properties;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a dictionary of properties")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Properties, A::Error> {
        let mut properties = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, OwnedVariant>()? {
            let signature = value.value_signature().to_string();
            properties.push(Property { name, signature, value: Value::from(&*value) });
        }
        Ok(Properties(properties))
    }
}
