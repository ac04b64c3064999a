//! The state log: what a new manager needs to go on where its predecessor was killed.
//!
//! A file that init's vault keeps open: without a name where init is PID 1, for all ends with it; beside another PID 1
//! with one, so that a new init goes on with the services of one that was killed. After a mark it is a row of frames,
//! `length u32, checksum u64, entry`; an entry holds what changed in one step and the orders that follow from it, and it is
//! written before the orders are performed. Reading stops at the first frame that is cut short or does not match its
//! checksum: what stands before it is whole.

use eudaemon_engine::api::Order;
use eudaemon_engine::record::{Key, Record};
use rustix::fs::{FileType, MemfdFlags, Mode, OFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// A log longer than this, and four times as long as what lives in it, is rewritten.
const COMPACT_FROM: u64 = 8 * 1024 * 1024;
/// A frame longer than this was never written by us.
const FRAME_MAX: u32 = 1 << 30;
const HEADER: usize = 12;
/// A log longer than this is none of ours: what lives in it would not fit into memory.
const LENGTH_MAX: u64 = 1 << 30;
/// What a log begins with. Its number changes whenever records, notes or unit configurations are laid out anew.
const MAGIC: &[u8; 16] = b"eudaemon state 9";

/// What one step leaves behind.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Entry {
    pub records: Vec<Record>,
    /// The host's own facts beside the engine's: name and bytes, `None` removes it.
    #[serde(with = "notes")]
    pub notes: Vec<(String, Option<Vec<u8>>)>,
    pub orders: Vec<Order>,
}

impl Entry {
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.notes.is_empty() && self.orders.is_empty()
    }
}

/// Bytes as a whole: serde takes a `Vec<u8>` for a list of numbers, which is read and written one by one. They are the same
/// in the log.
mod notes {
    use serde::de::{Deserialize, Deserializer, Error, Visitor};
    use serde::ser::{Serialize, Serializer};
    use std::fmt;

    struct Given<'b>(&'b [u8]);

    impl Serialize for Given<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(self.0)
        }
    }

    struct Taken(Vec<u8>);

    impl<'de> Deserialize<'de> for Taken {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Taken, D::Error> {
            struct Whole;
            impl Visitor<'_> for Whole {
                type Value = Taken;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("bytes")
                }
                fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Taken, E> {
                    Ok(Taken(bytes.to_vec()))
                }
            }
            deserializer.deserialize_bytes(Whole)
        }
    }

    type Notes = Vec<(String, Option<Vec<u8>>)>;

    pub fn serialize<S: Serializer>(notes: &Notes, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(notes.iter().map(|(name, bytes)| (name, bytes.as_deref().map(Given))))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Notes, D::Error> {
        let notes: Vec<(String, Option<Taken>)> = Vec::deserialize(deserializer)?;
        Ok(notes.into_iter().map(|(name, bytes)| (name, bytes.map(|Taken(bytes)| bytes))).collect())
    }
}

/// Everything the log says, later entries over earlier ones.
#[derive(Debug, Default)]
pub struct Contents {
    pub records: BTreeMap<Key, Vec<u8>>,
    pub notes: BTreeMap<String, Vec<u8>>,
    /// Of the last entry: they may not have been performed.
    pub orders: Vec<Order>,
    /// Bytes after the last whole frame, if the log was cut short.
    pub torn: u64,
}

impl Contents {
    fn add(&mut self, entry: Entry) {
        for record in entry.records {
            match record.state {
                Some(state) => drop(self.records.insert(record.key, state)),
                None => drop(self.records.remove(&record.key)),
            }
        }
        for (name, bytes) in entry.notes {
            match bytes {
                Some(bytes) => drop(self.notes.insert(name, bytes)),
                None => drop(self.notes.remove(&name)),
            }
        }
        self.orders = entry.orders;
    }

    fn size(&self) -> u64 {
        let records: usize = self.records.values().map(Vec::len).sum();
        let notes: usize = self.notes.values().map(Vec::len).sum();
        (records + notes) as u64
    }
}

/// The log, open for appending.
#[derive(Debug)]
pub struct StateLog {
    file: OwnedFd,
    /// Where the next frame is written: behind the last whole one.
    length: u64,
    /// Up to where bytes may stand in the file: beyond `length` lies what was cut short.
    extent: u64,
    /// Length at which the next rewriting is considered.
    compact_at: u64,
    /// Where the file has a name.
    path: Option<PathBuf>,
}

impl StateLog {
    /// An empty one. What had the name before is replaced.
    pub fn create(path: Option<PathBuf>) -> io::Result<StateLog> {
        let file = match &path {
            None => rustix::fs::memfd_create("eudaemon-state", MemfdFlags::CLOEXEC)?,
            Some(path) => {
                let file = new_file(path)?;
                fs::rename(beside(path), path)?;
                file
            }
        };
        StateLog::begin(file, path)
    }

    fn begin(file: OwnedFd, path: Option<PathBuf>) -> io::Result<StateLog> {
        let mut log = StateLog { file, length: 0, extent: 0, compact_at: COMPACT_FROM, path };
        log.write(MAGIC)?;
        Ok(log)
    }

    /// What an init that was killed left under this name. Where something else has the name nothing is known of what may
    /// still run, so that is an error: it says what is in the way.
    pub fn left_behind(path: &Path) -> io::Result<Option<OwnedFd>> {
        let refuse = |why: String| {
            let advice = "if no service of an earlier eudaemon runs, remove it";
            Err(io::Error::other(format!("{} {why}; {advice}", path.display())))
        };
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return refuse("is a symbolic link, not the state of an earlier init".into()),
            Err(error) => return refuse(format!("cannot be opened: {}", io::Error::from(error))),
        };
        let found = rustix::fs::fstat(&file)?;
        if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
            return refuse("is no regular file, so not the state of an earlier init".into());
        }
        if found.st_uid != rustix::process::geteuid().as_raw() || found.st_mode & 0o077 != 0 {
            return refuse("is not ours alone to write, so it is not believed".into());
        }
        Ok(Some(file))
    }

    /// Reads a predecessor's log, to go on behind its last whole frame. What stands behind that goes with the first entry
    /// that is added: a log that nobody goes on from stays as it was found.
    pub fn open(file: OwnedFd, path: Option<PathBuf>) -> io::Result<(StateLog, Contents)> {
        let length = rustix::fs::fstat(&file)?.st_size.max(0) as u64;
        if length > LENGTH_MAX {
            return Err(io::Error::other(format!("the state log has {length} bytes, which is none of ours")));
        }
        let mut bytes = vec![0; length as usize];
        let mut filled = 0;
        while filled < bytes.len() {
            match rustix::io::pread(&file, &mut bytes[filled..], filled as u64)? {
                0 => break,
                count => filled += count,
            }
        }
        bytes.truncate(filled);
        if !bytes.starts_with(MAGIC) {
            let name = path.as_deref().unwrap_or(Path::new("the state log")).display();
            let text = "was written by another version of eudaemon, whose services this one cannot take over; end them, \
                        then remove it";
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{name} {text}")));
        }
        let mut contents = Contents::default();
        let mut at = MAGIC.len();
        while let Some((entry, next)) = frame(&bytes, at) {
            contents.add(entry);
            at = next;
        }
        contents.torn = (bytes.len() - at) as u64;
        let compact_at = COMPACT_FROM.max(contents.size() * 4);
        let log = StateLog { file, length: at as u64, extent: bytes.len() as u64, compact_at, path };
        // Whoever rewrote it may have died before it got its name.
        log.settle()?;
        Ok((log, contents))
    }

    /// Gives a rewritten log the name of the old one, if it has not got it.
    pub fn settle(&self) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let own = rustix::fs::fstat(&self.file)?;
        match rustix::fs::lstat(beside(path)) {
            Ok(found) if (found.st_dev, found.st_ino) == (own.st_dev, own.st_ino) => {
                fs::rename(beside(path), path)
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// The descriptor for the vault.
    pub fn file(&self) -> &OwnedFd {
        &self.file
    }

    pub fn append(&mut self, entry: &Entry) -> io::Result<()> {
        let encoded = postcard::to_allocvec(entry).map_err(io::Error::other)?;
        let mut bytes = Vec::with_capacity(HEADER + encoded.len());
        bytes.extend_from_slice(&(encoded.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&checksum(&encoded).to_le_bytes());
        bytes.extend_from_slice(&encoded);
        self.write(&bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.extent > self.length {
            rustix::fs::ftruncate(&self.file, self.length)?;
        }
        self.extent = self.length + bytes.len() as u64;
        let mut written = 0;
        while written < bytes.len() {
            written += rustix::io::pwrite(&self.file, &bytes[written..], self.length + written as u64)?;
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Can a next init find it?
    pub fn has_name(&self) -> bool {
        self.path.is_some()
    }

    /// Init is to stop everything and end: nobody is to go on from here but a next manager of the same init. A rewriting
    /// that may yet come gives no name back.
    pub fn end(&mut self) -> io::Result<()> {
        let Some(path) = self.path.take() else { return Ok(()) };
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(io::Error::new(error.kind(), format!("cannot remove {}: {error}", path.display())))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Has so much been written that a rewriting may pay?
    pub fn is_long(&self) -> bool {
        self.length > self.compact_at
    }

    /// A new log that says the same as this one in one entry. It takes effect when the vault holds it; then it is to be
    /// [settled](StateLog::settle).
    pub fn compacted(&self) -> io::Result<StateLog> {
        let (_, contents) = StateLog::open(rustix::io::fcntl_dupfd_cloexec(&self.file, 3)?, None)?;
        let size = contents.size();
        let entry = Entry {
            records: contents
                .records
                .into_iter()
                .map(|(key, state)| Record { key, state: Some(state) })
                .collect(),
            notes: contents.notes.into_iter().map(|(name, bytes)| (name, Some(bytes))).collect(),
            orders: contents.orders,
        };
        let mut log = match &self.path {
            Some(path) => StateLog::begin(new_file(path)?, Some(path.clone()))?,
            None => StateLog::create(None)?,
        };
        log.append(&entry)?;
        log.compact_at = COMPACT_FROM.max(size * 4);
        Ok(log)
    }
}

/// Under another name first: whoever looks finds the old log or the new one, whole.
fn beside(path: &Path) -> PathBuf {
    path.with_extension("new")
}

fn new_file(path: &Path) -> io::Result<OwnedFd> {
    let path = beside(path);
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let open = || rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR);
    match open() {
        Err(Errno::EXIST) => {
            fs::remove_file(&path)?;
            Ok(open()?)
        }
        other => Ok(other?),
    }
}

/// The entry that begins at `at`, and where the next one does.
fn frame(bytes: &[u8], at: usize) -> Option<(Entry, usize)> {
    let header = bytes.get(at..at + HEADER)?;
    let length = u32::from_le_bytes(header[..4].try_into().ok()?);
    let expected = u64::from_le_bytes(header[4..].try_into().ok()?);
    if length > FRAME_MAX {
        return None;
    }
    let end = at + HEADER + length as usize;
    let encoded = bytes.get(at + HEADER..end)?;
    if checksum(encoded) != expected {
        return None;
    }
    Some((postcard::from_bytes(encoded).ok()?, end))
}

/// FNV-1a, eight bytes at a step: tells a cut or torn frame, no more is asked of it.
fn checksum(bytes: &[u8]) -> u64 {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let mut sum: u64 = 0xcbf2_9ce4_8422_2325;
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let word = u64::from_le_bytes([
            chunk[0], chunk[1], chunk[2], chunk[3], chunk[4], chunk[5], chunk[6], chunk[7],
        ]);
        sum = (sum ^ word).wrapping_mul(PRIME);
    }
    for byte in chunks.remainder() {
        sum = (sum ^ u64::from(*byte)).wrapping_mul(PRIME);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use eudaemon_engine::api::JobId;

    fn entry(job: u32, state: Option<&str>) -> Entry {
        let record = Record { key: Key::Job(JobId(job)), state: state.map(|text| text.as_bytes().to_vec()) };
        Entry { records: vec![record], notes: vec![(format!("n{job}"), Some(vec![1]))], orders: Vec::new() }
    }

    fn reopened(log: &StateLog) -> (StateLog, Contents) {
        StateLog::open(rustix::io::fcntl_dupfd_cloexec(log.file(), 3).unwrap(), None).unwrap()
    }

    #[test]
    fn bytes_as_a_whole_are_laid_out_as_a_list_of_them() {
        let entry = Entry {
            notes: vec![
                ("a".into(), Some(vec![0, 200, 255])),
                ("b".into(), None),
                ("c".into(), Some(vec![])),
            ],
            ..Entry::default()
        };
        let plain = postcard::to_allocvec(&(&entry.records, &entry.notes, &entry.orders)).unwrap();
        assert_eq!(postcard::to_allocvec(&entry).unwrap(), plain);
        assert_eq!(postcard::from_bytes::<Entry>(&plain).unwrap().notes, entry.notes);
    }

    #[test]
    fn later_entries_replace_earlier_ones() {
        let mut log = StateLog::create(None).unwrap();
        for entry in [entry(1, Some("a")), entry(2, Some("b")), entry(1, Some("c")), entry(2, None)] {
            log.append(&entry).unwrap();
        }
        let (_, contents) = reopened(&log);
        assert_eq!(contents.records, BTreeMap::from([(Key::Job(JobId(1)), b"c".to_vec())]));
        assert_eq!(contents.torn, 0);
        let (_, again) = reopened(&log.compacted().unwrap());
        assert_eq!((again.records, again.notes), (contents.records, contents.notes));
    }

    #[test]
    fn a_log_cut_anywhere_gives_what_stood_before() {
        let mut log = StateLog::create(None).unwrap();
        log.append(&entry(1, Some("first"))).unwrap();
        let whole = log.length;
        log.append(&entry(2, Some("second"))).unwrap();
        let full = log.length;
        let mut bytes = vec![0; full as usize];
        rustix::io::pread(log.file(), &mut bytes, 0).unwrap();
        for cut in whole..full {
            let copy = StateLog::create(None).unwrap();
            rustix::io::pwrite(copy.file(), &bytes[..cut as usize], 0).unwrap();
            let (mut opened, contents) = reopened(&copy);
            assert_eq!((contents.records.len(), contents.torn), (1, cut - whole));
            opened.append(&entry(3, Some("third"))).unwrap();
            assert_eq!(reopened(&opened).1.records.len(), 2, "writing goes on behind the whole part");
        }
        for at in whole..full {
            let copy = StateLog::create(None).unwrap();
            let mut damaged = bytes.clone();
            damaged[at as usize] ^= 0x40;
            rustix::io::pwrite(copy.file(), &damaged, 0).unwrap();
            assert_eq!(reopened(&copy).1.records.len(), 1);
        }
    }

    #[test]
    fn a_log_with_a_name_is_found_by_it_and_stays_there_when_rewritten() {
        let path = std::env::temp_dir().join(format!("eudaemon-state-{}", std::process::id()));
        assert!(StateLog::left_behind(&path).unwrap().is_none());
        let mut log = StateLog::create(Some(path.clone())).unwrap();
        log.append(&entry(1, Some("a"))).unwrap();
        let rewritten = log.compacted().unwrap();
        // Its writer is killed before the new log has its name.
        let kept = rustix::io::fcntl_dupfd_cloexec(rewritten.file(), 3).unwrap();
        let (mut successor, _) = StateLog::open(kept, Some(path.clone())).unwrap();
        successor.append(&entry(2, Some("b"))).unwrap();
        let file = StateLog::left_behind(&path).unwrap().unwrap();
        assert_eq!(StateLog::open(file, None).unwrap().1.records.len(), 2);
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o620)).unwrap();
        let text = StateLog::left_behind(&path).unwrap_err().to_string();
        assert!(text.contains("not ours alone"), "{text}");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(StateLog::left_behind(&path).is_err());
        fs::remove_dir(path).unwrap();
    }

    #[test]
    fn a_log_that_nobody_goes_on_from_stays_as_it_was_found() {
        let mut log = StateLog::create(None).unwrap();
        log.append(&entry(1, Some("a"))).unwrap();
        rustix::io::pwrite(log.file(), &[7; 100], log.length).unwrap();
        let long = || rustix::fs::fstat(log.file()).unwrap().st_size as u64;
        let torn = log.length + 100;
        let (mut opened, contents) = reopened(&log);
        assert_eq!((contents.torn, long()), (100, torn), "reading takes nothing away");
        opened.append(&Entry::default()).unwrap();
        assert_eq!(long(), opened.length, "nothing stands behind what was added");
    }

    #[test]
    fn a_log_that_ended_has_no_name_even_when_rewritten() {
        let path = std::env::temp_dir().join(format!("eudaemon-ended-{}", std::process::id()));
        let mut log = StateLog::create(Some(path.clone())).unwrap();
        log.append(&entry(1, Some("a"))).unwrap();
        log.end().unwrap();
        log.compacted().unwrap().settle().unwrap();
        assert!(!path.exists() && !beside(&path).exists());
        log.end().unwrap();
        let mut log = StateLog::create(Some(path.clone())).unwrap();
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        let text = log.end().unwrap_err().to_string();
        fs::remove_dir(&path).unwrap();
        assert!(text.contains(&*path.to_string_lossy()), "{text}");
    }

    #[test]
    fn a_log_of_another_version_is_not_read() {
        let log = StateLog::create(None).unwrap();
        rustix::io::pwrite(log.file(), b"eudaemon state 0", 0).unwrap();
        let copy = rustix::io::fcntl_dupfd_cloexec(log.file(), 3).unwrap();
        let text = StateLog::open(copy, None).unwrap_err().to_string();
        assert!(text.contains("another version"), "{text}");
    }
}
