//! Runs the binary in a folder of its own and shows all it said.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A folder with files, in which commands run.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            write(&path, content);
        }
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// The names that lie in the folder, hidden ones too.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(crate) fn run(&self, arguments: &str) -> Output {
        self.command(&arguments.split_whitespace().collect::<Vec<_>>())
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_fastlane"))
            .args(arguments)
            .current_dir(self.path())
            .env("TMPDIR", self.path())
            .output()
            .unwrap()
    }

    /// What the command printed and how it ended, as a snapshot shows it.
    pub(crate) fn said(&self, arguments: &str) -> String {
        said(&self.run(arguments))
    }
}

pub(crate) fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    format!(
        "exit code {}\n--- stdout\n{}--- stderr\n{}",
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr)
    )
}

#[expect(clippy::disallowed_methods, reason = "fixtures need not survive a crash")]
fn write(path: &Path, content: &[u8]) {
    std::fs::write(path, content).unwrap();
}
