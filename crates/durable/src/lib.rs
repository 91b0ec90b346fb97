//! Writes files so that a crash leaves the old content or the new one, never half of it.
//!
//! Every write follows one order: write under a temporary name, sync the file, rename it, sync
//! the directory. A file that was renamed before it was synced may be empty after a power
//! failure; a name whose directory was not synced may be missing.
//!
//! - [`replace`] writes a small file in one call, and [`AsideFile`] a large one as it comes.
//! - [`AsideDirectory`] does the same for a directory of files, and [`make_directory`] makes a
//!   directory whose name survives.
//! - [`Storage`] is one directory and the few calls that change it. [`Disk`] is the real one; the
//!   storages in [`twin`] fail on purpose, for tests.
//! - [`Lock`] keeps other processes out, and [`FileEntry`] finds damage later.
//!
//! ```
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("notes/state.json");
//! fastlane_durable::make_directory(path.parent().unwrap())?;
//! fastlane_durable::replace(&path, b"{}")?;
//! assert_eq!(std::fs::read(&path)?, b"{}");
//! # Ok::<(), std::io::Error>(())
//! ```

mod aside;
mod checksum;
mod directory;
mod lock;
mod replace;
mod storage;
pub mod twin;

pub use aside::{AsideDirectory, AsideFile};
pub use checksum::{Difference, FileEntry, Output, write_file};
pub use directory::{make_directory, parent, rename, sync_directory};
pub use lock::{Lock, try_lock};
pub use replace::{replace, replace_in};
pub use storage::{Disk, Storage, StorageFile};
