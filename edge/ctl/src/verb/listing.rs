//! What all lists share: order, header, footer, JSON.

use crate::line::{Options, Output};
use crate::screen::Screen;
use crate::text::json::{self, Json};
use crate::text::table::{Header, Table};

/// Units by type, then by name, both without regard to case.
pub fn order(name: &str) -> (String, String) {
    let suffix = name.rsplit_once('.').map_or("", |(_, suffix)| suffix);
    (suffix.to_ascii_lowercase(), name.to_ascii_lowercase())
}

pub fn header(options: &Options) -> Header {
    if options.legend() { Header::Shown } else { Header::Left }
}

/// The table, cut to the terminal unless `--full` or a pipe takes it whole.
pub fn print(table: &Table, options: &Options, screen: &mut Screen) {
    let columns = if options.full { None } else { screen.columns };
    let text = table.render(screen.paint, header(options), columns);
    screen.out(&text);
}

/// Rows as JSON, if that was asked for.
pub fn print_json(rows: &[Vec<(&str, Json)>], options: &Options, screen: &mut Screen) {
    match options.output {
        Output::Json => screen.out(&json::compact(rows)),
        Output::JsonPretty => screen.out(&json::pretty(rows)),
        Output::Table => {}
    }
}

/// Whether a unit is of a type asked for.
pub fn of_type(name: &str, options: &Options) -> bool {
    let suffix = name.rsplit_once('.').map_or("", |(_, suffix)| suffix);
    options.types.is_empty() || options.types.iter().any(|wanted| wanted == suffix)
}
