//! Files of an index, mapped into memory.

#![expect(unsafe_code, reason = "files are mapped into memory")]

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;

use bytemuck::Pod;
use fastlane_durable::{Difference, FileEntry};
use memmap2::{Mmap, UncheckedAdvice};

const _: () = assert!(cfg!(target_endian = "little"), "files are cast from little-endian bytes");

/// A file that is mapped into memory.
#[derive(Debug)]
pub(crate) struct Mapped {
    /// An empty file cannot be mapped.
    map: Option<Mmap>,
}

impl Mapped {
    /// Maps a file after checking its size.
    pub(crate) fn open(directory: &Path, entry: &FileEntry) -> io::Result<Self> {
        let file = File::open(directory.join(&entry.name))?;
        let found = file.metadata()?.len();
        if found != entry.bytes {
            let difference = Difference::Bytes { found, wanted: entry.bytes };
            return Err(io::Error::new(io::ErrorKind::InvalidData, difference.to_string()));
        }
        if found == 0 {
            return Ok(Self { map: None });
        }
        // SAFETY: files of an index are written once and never changed. If a program truncates one
        // while it is read, the process gets a signal, as every program that maps files would.
        let map = unsafe { Mmap::map(&file)? };
        Ok(Self { map: Some(map) })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.map.as_deref().unwrap_or_default()
    }

    /// Releases the memory of some bytes; they are read from the file again on the next access.
    ///
    /// Otherwise a pass over a large file would seem to use memory for all of it.
    pub(crate) fn release(&self, bytes: Range<usize>) {
        #[cfg(unix)]
        if let Some(map) = self.map.as_ref().filter(|map| bytes.end <= map.len()) {
            let length = bytes.len();
            // SAFETY: the map is of a file and read only, so that nothing is lost.
            // An error means that the memory stays.
            let _ = unsafe {
                map.unchecked_advise_range(UncheckedAdvice::DontNeed, bytes.start, length)
            };
        }
    }

    /// The content as numbers; empty if the file size is not a multiple of their size.
    pub(crate) fn numbers<T: Pod>(&self) -> &[T] {
        bytemuck::try_cast_slice(self.bytes()).unwrap_or_default()
    }
}
