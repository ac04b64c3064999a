//! Property values, free of the transport's types.

use zbus::Variant;

/// A D-Bus value. Paths and signatures are texts; integers keep their signedness, not their width, which the
/// signature beside them tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Double(f64),
    Text(String),
    /// `ay`.
    Bytes(Vec<u8>),
    List(Vec<Value>),
    Fields(Vec<Value>),
    Pairs(Vec<(Value, Value)>),
    /// A file descriptor, which nothing here can show.
    Descriptor,
}

impl From<&Variant<'_>> for Value {
    /// Descends at most as deep as D-Bus lets values nest (64).
    fn from(variant: &Variant<'_>) -> Value {
        match variant {
            Variant::U8(number) => Value::Unsigned(u64::from(*number)),
            Variant::Bool(bool) => Value::Bool(*bool),
            Variant::I16(number) => Value::Signed(i64::from(*number)),
            Variant::U16(number) => Value::Unsigned(u64::from(*number)),
            Variant::I32(number) => Value::Signed(i64::from(*number)),
            Variant::U32(number) => Value::Unsigned(u64::from(*number)),
            Variant::I64(number) => Value::Signed(*number),
            Variant::U64(number) => Value::Unsigned(*number),
            Variant::F64(number) => Value::Double(*number),
            Variant::Str(text) => Value::Text(text.to_string()),
            Variant::Signature(signature) => Value::Text(signature.to_string()),
            Variant::ObjectPath(path) => Value::Text(path.to_string()),
            Variant::Variant(inner) => Value::from(&**inner),
            Variant::Array(array) => {
                let items: Vec<&Variant<'_>> = array.inner().iter().collect();
                if array.element_signature() == &zbus::Signature::U8 {
                    Value::Bytes(items.iter().filter_map(|item| byte(item)).collect())
                } else {
                    Value::List(items.into_iter().map(Value::from).collect())
                }
            }
            Variant::Dict(dict) => {
                Value::Pairs(dict.iter().map(|(key, value)| (Value::from(key), Value::from(value))).collect())
            }
            Variant::Structure(fields) => Value::Fields(fields.fields().iter().map(Value::from).collect()),
            Variant::Fd(_) => Value::Descriptor,
        }
    }
}

fn byte(variant: &Variant<'_>) -> Option<u8> {
    if let Variant::U8(byte) = variant { Some(*byte) } else { None }
}

impl Value {
    pub fn text(&self) -> Option<&str> {
        if let Value::Text(text) = self { Some(text) } else { None }
    }

    pub fn unsigned(&self) -> Option<u64> {
        if let Value::Unsigned(number) = self { Some(*number) } else { None }
    }

    pub fn signed(&self) -> Option<i64> {
        if let Value::Signed(number) = self { Some(*number) } else { None }
    }

    pub fn bool(&self) -> Option<bool> {
        if let Value::Bool(bool) = self { Some(*bool) } else { None }
    }

    pub fn list(&self) -> &[Value] {
        if let Value::List(items) | Value::Fields(items) = self { items } else { &[] }
    }

    /// The texts of an `as`.
    pub fn texts(&self) -> Vec<&str> {
        self.list().iter().filter_map(Value::text).collect()
    }
}
