//! Tables of inputs and of what real systemd answered, where they are at hand.

use std::path::PathBuf;

/// The folder of shared measurements: `EUDAEMON_SHARED`, else `shared` beside the repository.
pub fn shared() -> Option<PathBuf> {
    let default = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = std::env::var_os("EUDAEMON_SHARED").map_or_else(default, PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared");
    [folder, beside].into_iter().find(|folder| folder.join("vectors").is_dir())
}

/// The rows of a table, cells decoded, without the first two columns.
pub fn rows(name: &str) -> Option<Vec<Vec<Vec<u8>>>> {
    let Some(folder) = shared() else {
        println!("SKIPPED {name}: no shared measurements here (set EUDAEMON_SHARED)");
        return None;
    };
    let text = std::fs::read(folder.join("vectors").join(format!("{name}.tsv"))).unwrap();
    let lines = text.split(|byte| *byte == b'\n').skip(1).filter(|line| !line.is_empty());
    Some(lines.map(|line| line.split(|byte| *byte == b'\t').skip(2).map(decode).collect()).collect())
}

fn decode(cell: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = cell;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'\\', [b'x', high, low, ..]) => {
                let hex = std::str::from_utf8(&[*high, *low]).unwrap().to_owned();
                out.push(u8::from_str_radix(&hex, 16).unwrap());
                rest = &after[3..];
            }
            (b'\\', [escaped, ..]) => {
                out.push(match escaped {
                    b't' => b'\t',
                    b'n' => b'\n',
                    b'r' => b'\r',
                    other => *other,
                });
                rest = &after[1..];
            }
            (byte, _) => out.push(*byte),
        }
    }
    out
}

pub fn text(cell: &[u8]) -> String {
    String::from_utf8_lossy(cell).into_owned()
}

/// Counts rows that agree and prints those that do not.
pub struct Score {
    name: &'static str,
    agreed: usize,
    total: usize,
}

impl Score {
    pub fn new(name: &'static str) -> Score {
        Score { name, agreed: 0, total: 0 }
    }

    pub fn row(&mut self, input: &str, expected: &str, found: &str) {
        self.total += 1;
        match expected == found {
            true => self.agreed += 1,
            false => println!("{}: {input:?}\n  systemd {expected:?}\n  here    {found:?}", self.name),
        }
    }

    /// Fails below the number that was reached before.
    pub fn done(self, recorded: usize) {
        println!("{}: {} of {} rows agree", self.name, self.agreed, self.total);
        assert!(
            self.agreed >= recorded,
            "{}: {} rows agreed before, {} now",
            self.name,
            recorded,
            self.agreed
        );
    }
}
