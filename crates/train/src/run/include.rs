//! `include = "FILE"` in a run file: keys that several run files share.
//!
//! The path is relative to the run file. An included file cannot include another. Tables are
//! merged; any other value of the run file, also an array, replaces the included one.

use std::path::Path;

use super::RunError;

const KEY: &str = "include";

/// The text of the run file and, if it includes a file, the merged table.
pub(super) fn read(path: &Path) -> Result<(String, Option<toml::Table>), RunError> {
    let text = text(path)?;
    // syntax errors are reported later, when the text is parsed with line numbers
    let Ok(mut table) = toml::from_str::<toml::Table>(&text) else { return Ok((text, None)) };
    let Some(included) = table.remove(KEY) else { return Ok((text, None)) };
    let Some(name) = included.as_str() else {
        return Err(refused(path, format!("`{KEY}` is {included}, wanted the path of a file")));
    };
    let file = path.parent().unwrap_or(Path::new("")).join(name);
    let mut under: toml::Table = toml::from_str(&self::text(&file)?)
        .map_err(|error| RunError::syntax(error).within(&file))?;
    if under.contains_key(KEY) {
        return Err(refused(&file, format!("it is included, and has a key `{KEY}` itself")));
    }
    merge(&mut under, table);
    Ok((text, Some(under)))
}

fn text(path: &Path) -> Result<String, RunError> {
    std::fs::read_to_string(path).map_err(|source| RunError::Read { path: path.to_owned(), source })
}

fn refused(path: &Path, what: String) -> RunError {
    RunError::Syntax { path: path.to_owned(), what }
}

fn merge(under: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(toml::Value::Table(under)), toml::Value::Table(over)) => merge(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use fastlane_durable::replace;

    use super::*;
    use crate::run::Run;

    /// Opens a run file that includes another one.
    fn open(run: &str, included: &str, changes: &[(&str, &str)]) -> Result<Run, String> {
        let folder = tempfile::tempdir().unwrap();
        replace(&folder.path().join("shared.toml"), included.as_bytes()).unwrap();
        let path = folder.path().join("run.toml");
        replace(&path, run.as_bytes()).unwrap();
        let changes: Vec<_> =
            changes.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        let place = format!("{}/", folder.path().display());
        Run::open(&path, &changes).map_err(|error| error.to_string().replace(&place, ""))
    }

    const SHARED: &str = "model = \"m\"\nseed = 2\n[[data]]\nkind = \"beir\"\npath = \"d\"\n\
                          [optimiser]\nrate = 1e-4\nhead_rate = 2e-4\n";

    #[test]
    fn the_run_file_wins_key_by_key() {
        let run =
            open("include = \"shared.toml\"\n[optimiser]\nrate = 3e-4\n", SHARED, &[]).unwrap();
        assert_eq!((run.seed, run.optimiser.rate, run.optimiser.head_rate), (2, 3e-4, Some(2e-4)));
        assert_eq!(run.data.len(), 1);
        let other =
            "include = \"shared.toml\"\nseed = 3\n[[data]]\nkind = \"beir\"\npath = \"e\"\n";
        let run = open(other, SHARED, &[("seed", "4")]).unwrap();
        assert_eq!((run.seed, run.data.len()), (4, 1));
        assert_eq!(run.data[0].path, Path::new("e"));
    }

    #[test]
    fn what_cannot_be_included_is_told() {
        let told = |run: &str, included: &str| open(run, included, &[]).unwrap_err();
        assert_eq!(told("include = \"none.toml\"", ""), "cannot read the run file `none.toml`");
        assert_eq!(
            told("include = 3", ""),
            "run file `run.toml` is not right: `include` is 3, wanted the path of a file"
        );
        assert_eq!(
            told("include = \"shared.toml\"", "include = \"run.toml\""),
            "run file `shared.toml` is not right: it is included, and has a key `include` itself"
        );
        let bad = told("include = \"shared.toml\"", "model =");
        assert!(
            bad.starts_with("run file `shared.toml` is not right: TOML parse error at line 1"),
            "{bad}"
        );
        let unknown = told("include = \"shared.toml\"\n[optimiser]\nrates = 1\n", SHARED);
        assert!(unknown.contains("unknown field `rates`"), "{unknown}");
    }
}
