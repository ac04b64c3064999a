//! D-Bus's bytes, as few as the driver needs: calls with plain arguments out, whatever comes back in.

use anyhow::{Context, Result, bail};

/// An argument of a call.
#[derive(Debug, Clone, Copy)]
pub enum Argument<'a> {
    Text(&'a str),
    Texts(&'a [&'a str]),
    Signed(i32),
    Unsigned(u32),
}

/// A value that came back. Structures, arrays and pairs of a dictionary are lists.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Text(String),
    Number(i64),
    List(Vec<Value>),
}

impl Value {
    pub fn text(&self) -> &str {
        match self {
            Value::Text(text) => text,
            Value::Number(_) | Value::List(_) => "",
        }
    }

    pub fn number(&self) -> i64 {
        match self {
            Value::Number(number) => *number,
            Value::Text(_) | Value::List(_) => 0,
        }
    }

    pub fn list(&self) -> &[Value] {
        match self {
            Value::List(items) => items,
            Value::Text(_) | Value::Number(_) => &[],
        }
    }
}

/// The words of a header: its field's code, its type and its text.
pub type Field<'a> = (u8, u8, &'a str);

/// A method call as it goes over the wire.
pub fn call(serial: u32, fields: &[Field], arguments: &[Argument]) -> Vec<u8> {
    let (mut body, mut signature) = (Vec::new(), String::new());
    for argument in arguments {
        write_argument(&mut body, &mut signature, *argument);
    }
    let mut head = Vec::new();
    for (code, kind, text) in fields.iter().copied().chain([(8, b'g', signature.as_str())]) {
        align(&mut head, 8);
        head.extend([code, 1, kind, 0]);
        match kind {
            b'g' => write_signature(&mut head, text),
            _ => write_text(&mut head, text),
        }
    }
    let mut message = vec![b'l', 1, 0, 1];
    for word in [body.len() as u32, serial, head.len() as u32] {
        message.extend(word.to_le_bytes());
    }
    message.extend(head);
    align(&mut message, 8);
    message.extend(body);
    message
}

fn write_argument(body: &mut Vec<u8>, signature: &mut String, argument: Argument) {
    align(body, 4);
    match argument {
        Argument::Text(text) => {
            signature.push('s');
            write_text(body, text);
        }
        Argument::Texts(texts) => {
            signature.push_str("as");
            let mut items = Vec::new();
            for text in texts {
                align(&mut items, 4);
                write_text(&mut items, text);
            }
            body.extend((items.len() as u32).to_le_bytes());
            body.extend(items);
        }
        Argument::Signed(number) => {
            signature.push('i');
            body.extend(number.to_le_bytes());
        }
        Argument::Unsigned(number) => {
            signature.push('u');
            body.extend(number.to_le_bytes());
        }
    }
}

fn write_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.push(0);
}

fn write_signature(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(text.len() as u8);
    bytes.extend(text.as_bytes());
    bytes.push(0);
}

fn align(bytes: &mut Vec<u8>, to: usize) {
    bytes.resize(bytes.len().next_multiple_of(to), 0);
}

/// Reads values from bytes that begin where an alignment of eight holds.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, at: 0 }
    }

    /// All values of a signature.
    pub fn values(&mut self, signature: &str) -> Result<Vec<Value>> {
        let mut rest = signature.as_bytes();
        let mut values = Vec::new();
        while !rest.is_empty() {
            let (first, after) = rest.split_at(one(rest)?);
            values.push(self.value(first)?);
            rest = after;
        }
        Ok(values)
    }

    /// One value. A signature is at most 255 bytes long, which bounds the depth.
    fn value(&mut self, signature: &[u8]) -> Result<Value> {
        let kind = *signature.first().context("a type")?;
        Ok(match kind {
            b's' | b'o' => {
                let length = self.number(4)? as usize;
                Value::Text(self.text(length)?)
            }
            b'g' => {
                let length = self.number(1)? as usize;
                Value::Text(self.text(length)?)
            }
            b'y' => Value::Number(self.number(1)? as i64),
            b'n' | b'q' => Value::Number(self.number(2)? as i64),
            b'b' | b'u' | b'h' => Value::Number(self.number(4)? as i64),
            b'i' => Value::Number(i64::from(self.number(4)? as u32 as i32)),
            b'x' | b't' | b'd' => Value::Number(self.number(8)? as i64),
            b'v' => {
                let length = self.number(1)? as usize;
                let inner = self.text(length)?;
                self.value(inner.as_bytes())?
            }
            b'(' | b'{' => {
                self.align(8);
                let inside = std::str::from_utf8(&signature[1..signature.len() - 1])?;
                Value::List(self.values(inside)?)
            }
            b'a' => self.array(&signature[1..])?,
            other => bail!("type {:?} in a message", char::from(other)),
        })
    }

    fn array(&mut self, inner: &[u8]) -> Result<Value> {
        let length = self.number(4)? as usize;
        if matches!(inner.first(), Some(b'(' | b'{' | b'x' | b't' | b'd')) {
            self.align(8);
        }
        let end = self.at + length;
        let mut items = Vec::new();
        while self.at < end {
            items.push(self.value(inner)?);
        }
        Ok(Value::List(items))
    }

    fn number(&mut self, size: usize) -> Result<u64> {
        self.align(size);
        let bytes = self.bytes.get(self.at..self.at + size).context("a message that is too short")?;
        self.at += size;
        Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn text(&mut self, length: usize) -> Result<String> {
        let bytes = self.bytes.get(self.at..self.at + length).context("a message that is too short")?;
        self.at += length + 1;
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    fn align(&mut self, to: usize) {
        self.at = self.at.next_multiple_of(to);
    }
}

/// How long the first complete type of a signature is.
fn one(signature: &[u8]) -> Result<usize> {
    let (mut at, mut open) = (0, 0_i32);
    loop {
        match signature.get(at).context("a complete type")? {
            b'a' => {
                at += 1;
                continue;
            }
            b'(' | b'{' => open += 1,
            b')' | b'}' => open -= 1,
            _ => {}
        }
        at += 1;
        if open == 0 {
            return Ok(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_come_back_as_they_went() {
        let arguments =
            [Argument::Text("a.service"), Argument::Texts(&["x", "long-one", ""]), Argument::Signed(-9)];
        let (mut body, mut signature) = (Vec::new(), String::new());
        arguments.iter().for_each(|argument| write_argument(&mut body, &mut signature, *argument));
        let text = |text: &str| Value::Text(text.to_owned());
        let wanted =
            [text("a.service"), Value::List(vec![text("x"), text("long-one"), text("")]), Value::Number(-9)];
        assert_eq!(signature, "sasi");
        assert_eq!(Reader::new(&body).values(&signature).unwrap(), wanted);
    }

    #[test]
    fn a_signature_falls_into_its_types() {
        for (signature, first) in [("su", 1), ("a{sv}s", 5), ("a(ssou)(i)", 7), ("aas", 3)] {
            assert_eq!(one(signature.as_bytes()).unwrap(), first, "{signature}");
        }
        assert!(one(b"a(s").is_err());
    }
}
