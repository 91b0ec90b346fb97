//! API keys: shown once, stored as hashes.
//!
//! A key file has one line per key: `name:scope:hash`, with the SHA-256 of the key. Keys are 32
//! random bytes, so no slow hash is needed.

use std::fmt::Write as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::error::ServeError;

/// What a key allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Search, and read everything.
    Read,
    /// Also change documents.
    Write,
}

impl Scope {
    /// Its name in a key file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// The keys of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    keys: Vec<(String, Scope, [u8; 32])>,
}

impl Keys {
    /// Reads a key file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or a line is not a key.
    pub fn open(path: &Path) -> Result<Self, ServeError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ServeError::File { path: path.to_owned(), source })?;
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let key = |(at, line): (usize, &str)| {
            parse(line).ok_or_else(|| ServeError::Key { path: path.to_owned(), line: at + 1 })
        };
        Ok(Self { keys: lines.map(key).collect::<Result<_, _>>()? })
    }

    /// Returns the name and the scope of a key. It compares all keys, in constant time.
    pub(crate) fn find(&self, key: &str) -> Option<(&str, Scope)> {
        let hash = hash(key);
        let mut found = None;
        for (name, scope, other) in &self.keys {
            if bool::from(hash.ct_eq(other)) {
                found = Some((name.as_str(), *scope));
            }
        }
        found
    }
}

/// Creates a key; returns the key and its line for the key file.
///
/// # Errors
///
/// The system provides no random numbers.
pub fn new_key(name: &str, scope: Scope) -> Result<(String, String), ServeError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| ServeError::Threads(std::io::Error::other(error)))?;
    let key = format!("fl_{}", hex(&bytes));
    let line = format!("{name}:{}:{}", scope.name(), hex(&hash(&key)));
    Ok((key, line))
}

fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn parse(line: &str) -> Option<(String, Scope, [u8; 32])> {
    let mut parts = line.trim().split(':');
    let (name, scope, digits) = (parts.next()?, parts.next()?, parts.next()?);
    let scope = [Scope::Read, Scope::Write].into_iter().find(|it| it.name() == scope)?;
    if parts.next().is_some() || name.is_empty() || digits.len() != 64 || !digits.is_ascii() {
        return None;
    }
    let mut hash = [0; 32];
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok()?;
    }
    Some((name.to_owned(), scope, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_by_its_hash_alone() {
        // echo -n abc | sha256sum
        let line = "me:read:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let keys = Keys { keys: vec![parse(line).unwrap()] };
        assert_eq!(keys.find("abc"), Some(("me", Scope::Read)));
        assert_eq!(keys.find("xyz"), None);
        let (key, line) = new_key("you", Scope::Write).unwrap();
        assert!(!line.contains(&key[3..]));
        let keys = Keys { keys: vec![parse(&line).unwrap()] };
        assert_eq!(keys.find(&key), Some(("you", Scope::Write)));
    }

    #[test]
    fn lines_that_are_no_keys() {
        let long = "0".repeat(64);
        let short = "0".repeat(62);
        for line in ["", "a", "a:read", &format!("a:admin:{long}"), &format!(":read:{long}")] {
            assert_eq!(parse(line), None, "{line}");
        }
        for line in
            [format!("a:read:{short}"), format!("a:read:{short}zz"), format!("a:read:{short}é")]
        {
            assert_eq!(parse(&line), None, "{line}");
        }
    }
}
