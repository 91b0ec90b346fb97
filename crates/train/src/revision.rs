//! Which revision of someone's repository a run was started from.

use std::fs;
use std::path::Path;

/// The commit that is checked out in a directory or one above it, if there is one.
pub(crate) fn revision(directory: &Path) -> Option<String> {
    let directory = directory.canonicalize().ok()?;
    let git = directory.ancestors().map(|it| it.join(".git")).find(|it| it.is_dir())?;
    let head = fs::read_to_string(git.join("HEAD")).ok()?;
    let Some(reference) = head.trim().strip_prefix("ref: ") else {
        return Some(head.trim().to_owned());
    };
    let loose = fs::read_to_string(git.join(reference)).ok().map(|it| it.trim().to_owned());
    loose.or_else(|| {
        let packed = fs::read_to_string(git.join("packed-refs")).ok()?;
        let line = packed.lines().find(|line| line.ends_with(&format!(" {reference}")))?;
        line.split(' ').next().map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::put;

    #[test]
    fn loose_packed_and_detached_heads_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let git = folder.path().join(".git");
        let inner = folder.path().join("runs");
        fs::create_dir_all(git.join("refs/heads")).unwrap();
        fs::create_dir(&inner).unwrap();
        assert_eq!(revision(&inner), None);
        put(&git.join("HEAD"), b"ref: refs/heads/main\n").unwrap();
        put(&git.join("packed-refs"), b"# pack\n12ab refs/heads/main\n").unwrap();
        assert_eq!(revision(&inner).as_deref(), Some("12ab"));
        put(&git.join("refs/heads/main"), b"34cd\n").unwrap();
        assert_eq!(revision(&inner).as_deref(), Some("34cd"));
        put(&git.join("HEAD"), b"56ef\n").unwrap();
        assert_eq!(revision(&inner).as_deref(), Some("56ef"));
    }
}
