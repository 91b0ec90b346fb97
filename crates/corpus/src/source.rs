//! Opens a file as a stream of text bytes, and decompresses it if needed.
//!
//! The first bytes identify gzip and Zstandard, so a wrong suffix does no harm; all members of a
//! gzip file and all frames of a Zstandard file are read. A UTF-8 byte order mark is dropped.
//! Memory: 64 KiB here, 32 KiB for gzip, for Zstandard the window its writer chose (8 MiB up to
//! level 19; more than 128 MiB is refused as damaged).
//!
//! Road not taken: mapping files into memory. Compressed files and pipes cannot be mapped, and the
//! readers are bound by UTF-8 validation and allocation, not by this copy.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

use crate::error::{Packing, Place, ReadError};

const BUFFER: usize = 64 << 10;
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// An open file, decompressed while reading, with its progress.
///
/// ```
/// use std::io::Read as _;
///
/// let mut source = fastlane_corpus::Source::from_reader("\u{feff}hello".as_bytes(), "greeting")?;
/// let mut text = String::new();
/// source.read_to_string(&mut text)?;
/// assert_eq!(text, "hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Source {
    reader: BufReader<Box<dyn Read + Send>>,
    path: Arc<Path>,
    packing: Packing,
    progress: Progress,
}

impl Source {
    /// Opens a file, a named pipe or a device.
    ///
    /// # Errors
    /// [`ReadError`] when the path is missing, is a directory, does not open, or when compressed
    /// data breaks off before its first byte.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ReadError> {
        let path = path.as_ref();
        let about = about(path)?;
        if about.is_dir() {
            return Err(ReadError::Directory { path: path.into() });
        }
        let file = File::open(path).map_err(|source| cannot_open(path, source))?;
        Self::unpack(file, path.into(), about.is_file().then_some(about.len()))
    }

    /// Reads from memory, a socket or standard input, under a name for messages.
    ///
    /// # Errors
    /// [`ReadError`] when the first bytes do not arrive or do not unpack.
    pub fn from_reader(
        reader: impl Read + Send + 'static,
        name: impl Into<PathBuf>,
    ) -> Result<Self, ReadError> {
        Self::unpack(reader, name.into().into(), None)
    }

    fn unpack(
        reader: impl Read + Send + 'static,
        path: Arc<Path>,
        total: Option<u64>,
    ) -> Result<Self, ReadError> {
        let progress = Progress::new(total);
        let counted = Counted { inner: reader, progress: progress.clone() };
        let mut packing = Packing::Plain;
        let reader =
            decoded(counted, &mut packing).map_err(|error| fault(&path, 1, packing, error))?;
        let reader = BufReader::with_capacity(BUFFER, reader);
        Ok(Self { reader, path, packing, progress })
    }

    /// The origin of the bytes.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A handle that reports, from any thread, how many bytes of the file have been read.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// How the bytes are packed.
    pub(crate) fn packing(&self) -> Packing {
        self.packing
    }

    pub(crate) fn place(&self, line: u64) -> Place {
        Place { path: Arc::clone(&self.path), line }
    }

    /// Returns the meaning of a failed read, given the line that was being read.
    ///
    /// A reader of another crate sees only an [`io::Error`]; this distinguishes a truncated file
    /// from a failed disk.
    pub fn fault(&self, line: u64, error: io::Error) -> ReadError {
        fault(&self.path, line, self.packing, error)
    }
}

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.reader.read(into)
    }
}

impl BufRead for Source {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.reader.consume(amount);
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("path", &self.path).field("packing", &self.packing).finish()
    }
}

/// The progress of a reader in bytes of files, as they lie on the disk; clones share the counters.
#[derive(Debug, Clone)]
pub struct Progress {
    /// One for each input.
    counters: Vec<Arc<Counter>>,
    total: Option<u64>,
}

#[derive(Debug, Default)]
struct Counter {
    done: AtomicU64,
    empty: AtomicU64,
}

impl Progress {
    pub(crate) fn new(total: Option<u64>) -> Self {
        Self { counters: vec![Arc::default()], total }
    }

    /// The progress of several inputs as one.
    pub(crate) fn of_all(all: Vec<Self>) -> Self {
        let total = all.iter().map(|one| one.total).sum();
        Self { counters: all.into_iter().flat_map(|one| one.counters).collect(), total }
    }

    /// Adds bytes to the first input.
    pub(crate) fn add(&self, amount: u64) {
        self.counters[0].done.fetch_add(amount, Ordering::Relaxed);
    }

    /// How many bytes have been taken, read-ahead included.
    pub fn done(&self) -> u64 {
        self.counters.iter().map(|counter| counter.done.load(Ordering::Relaxed)).sum()
    }

    pub(crate) fn add_empty(&self) {
        self.counters[0].empty.fetch_add(1, Ordering::Relaxed);
    }

    /// How many files of folders had only white space, and so gave no document.
    pub fn empty(&self) -> u64 {
        self.counters.iter().map(|counter| counter.empty.load(Ordering::Relaxed)).sum()
    }

    /// How many bytes there are, unless an input is a pipe or memory.
    pub fn total(&self) -> Option<u64> {
        self.total
    }
}

/// The metadata of a path, or the error that it is missing.
pub(crate) fn about(path: &Path) -> Result<fs::Metadata, ReadError> {
    fs::metadata(path).map_err(|source| cannot_open(path, source))
}

pub(crate) fn cannot_open(path: &Path, source: io::Error) -> ReadError {
    let path = path.into();
    match source.kind() {
        io::ErrorKind::NotFound => ReadError::Missing { path },
        _ => ReadError::Open { path, source },
    }
}

fn fault(path: &Arc<Path>, line: u64, packing: Packing, source: io::Error) -> ReadError {
    let place = Place { path: Arc::clone(path), line };
    let from_system = source.raw_os_error().is_some();
    match packing {
        Packing::Plain => ReadError::Io { place, source },
        _ if from_system => ReadError::Io { place, source },
        _ if source.kind() == io::ErrorKind::UnexpectedEof => {
            ReadError::Truncated { place, packing }
        }
        _ => ReadError::Corrupt { place, packing, source },
    }
}

/// Decompresses a stream by its magic bytes and drops the byte order mark, if there is one.
///
/// `packing` is set as soon as it is known, so that an error can name it.
fn decoded(
    mut reader: impl Read + Send + 'static,
    packing: &mut Packing,
) -> io::Result<Box<dyn Read + Send>> {
    let head = first_bytes(&mut reader, 4)?;
    *packing = packing_of(&head);
    let packed = Cursor::new(head).chain(reader);
    let mut plain: Box<dyn Read + Send> = match packing {
        Packing::Plain => Box::new(packed),
        Packing::Gzip => Box::new(MultiGzDecoder::new(packed)),
        Packing::Zstd => Box::new(zstd::Decoder::new(packed)?),
    };
    let head = first_bytes(&mut plain, BYTE_ORDER_MARK.len())?;
    let text = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&head).to_vec();
    Ok(Box::new(Cursor::new(text).chain(plain)))
}

fn first_bytes(reader: &mut impl Read, count: usize) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    reader.take(count as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// RFC 1952 section 2.3.1; RFC 8878 sections 3.1.1 and 3.1.2 (a skippable frame may come first).
fn packing_of(head: &[u8]) -> Packing {
    match head {
        [0x1f, 0x8b, ..] => Packing::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Packing::Zstd,
        _ => Packing::Plain,
    }
}

/// Counts the bytes read from the file.
struct Counted<R> {
    inner: R,
    progress: Progress,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.progress.add(read as u64);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: Vec<u8>) -> String {
        let mut text = String::new();
        let mut source = Source::from_reader(Cursor::new(bytes), "memory").unwrap();
        source.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn every_member_and_every_frame_is_read() {
        assert_eq!(read([gzip("one "), gzip("two")].concat()), "one two");
        let frame = |text: &str| zstd::encode_all(text.as_bytes(), 1).unwrap();
        assert_eq!(read([frame("one "), frame("two")].concat()), "one two");
    }

    #[test]
    fn a_skippable_frame_may_come_first() {
        // Magic 0x184D2A50, length 3, three bytes to skip; little endian.
        let skippable = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc".to_vec();
        assert_eq!(read([skippable, zstd::encode_all(&b"text"[..], 1).unwrap()].concat()), "text");
    }

    #[test]
    fn one_byte_order_mark_is_dropped_even_inside_a_packed_file() {
        assert_eq!(read("\u{feff}a".into()), "a");
        assert_eq!(read(gzip("\u{feff}\u{feff}a")), "\u{feff}a");
    }

    #[test]
    fn short_and_empty_input_is_left_alone() {
        for text in ["", "a", "ab", "\u{feff}"] {
            assert_eq!(read(text.into()), text.trim_start_matches('\u{feff}'));
        }
    }

    #[test]
    fn progress_counts_packed_bytes() {
        let packed = gzip(&"a".repeat(100_000));
        let length = packed.len() as u64;
        let mut source = Source::from_reader(Cursor::new(packed), "memory").unwrap();
        let progress = source.progress();
        assert_eq!(io::copy(&mut source, &mut io::sink()).unwrap(), 100_000);
        assert_eq!((progress.done(), progress.total()), (length, None));
    }
}
