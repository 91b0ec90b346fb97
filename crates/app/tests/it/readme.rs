//! The README's commands run as written and print what it shows.

use std::path::Path;
use std::process::Command;

use crate::fastlane::Folder;

#[test]
fn the_readme_shows_what_its_commands_print() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let folder = Folder::new(&[]);
    let mut printed = String::new();
    let commands = readme.lines().filter_map(|line| line.strip_prefix("fastlane "));
    let commands = commands.filter(|command| command.contains("handbook.run"));
    for command in commands.clone() {
        let run = folder.path().join("handbook.run").display().to_string();
        let output = Command::new(env!("CARGO_BIN_EXE_fastlane"))
            .args(command.replace("handbook.run", &run).split_whitespace())
            .current_dir(&root)
            .output()
            .unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        printed += &String::from_utf8(output.stdout).unwrap();
    }
    assert_eq!(commands.count(), 2);
    let shown = readme.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    let words =
        |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
    assert_eq!(words(shown), words(&printed), "run the commands and paste what they print");
}
