//! The few shapes of JSON that lists are written in.

/// A value of a row.
#[derive(Clone, Debug)]
pub enum Json {
    Null,
    Number(u64),
    Text(String),
}

/// Rows as one array of objects, on one line.
pub fn compact(rows: &[Vec<(&str, Json)>]) -> String {
    let rows: Vec<String> = rows
        .iter()
        .map(|row| {
            let fields: Vec<String> =
                row.iter().map(|(name, value)| format!("{}:{}", text(name), shown(value))).collect();
            format!("{{{}}}", fields.join(","))
        })
        .collect();
    format!("[{}]\n", rows.join(","))
}

/// The same with line breaks and tabs.
pub fn pretty(rows: &[Vec<(&str, Json)>]) -> String {
    let rows: Vec<String> = rows
        .iter()
        .map(|row| {
            let fields: Vec<String> =
                row.iter().map(|(name, value)| format!("\t\t{} : {}", text(name), shown(value))).collect();
            format!("\t{{\n{}\n\t}}", fields.join(",\n"))
        })
        .collect();
    format!("[\n{}\n]\n", rows.join(",\n"))
}

fn shown(value: &Json) -> String {
    match value {
        Json::Null => "null".to_owned(),
        Json::Number(number) => number.to_string(),
        Json::Text(value) => text(value),
    }
}

fn text(value: &str) -> String {
    let mut quoted = String::from("\"");
    for c in value.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if (c as u32) < 0x20 => quoted.push_str(&format!("\\u{:04x}", c as u32)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
