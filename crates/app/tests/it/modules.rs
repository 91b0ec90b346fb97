//! Modules inside a crate have no cycles, beyond those of a parent with its children.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module by its path: `["search", "scope"]`.
type Module = Vec<String>;

#[test]
fn modules_have_no_cycles() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut cycles = Vec::new();
    for entry in fs::read_dir(crates).unwrap() {
        let sources = entry.unwrap().path().join("src");
        let modules = modules(&sources);
        assert!(!modules.is_empty(), "{}", sources.display());
        let uses = modules.iter().map(|(module, file)| {
            let text = fs::read_to_string(file).unwrap();
            (module.clone(), uses(module, &text, &modules))
        });
        let uses: BTreeMap<Module, BTreeSet<Module>> = uses.collect();
        for (module, used) in &uses {
            let back = used.iter().filter(|other| reaches(other, module, &uses));
            cycles.extend(back.map(|other| {
                format!("{}: {} and {}", sources.display(), module.join("::"), other.join("::"))
            }));
        }
    }
    assert!(cycles.is_empty(), "modules use each other:\n{}", cycles.join("\n"));
}

/// `app` goes through the library: only commands for views without text name the engine.
#[test]
fn the_program_names_the_engine_for_bare_views_alone() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let bare = ["check", "compact", "delete", "encode", "index", "stat"];
    for (module, file) in modules(&sources) {
        let names: Vec<&str> = module.iter().map(String::as_str).collect();
        let may = match names[..] {
            ["resumable", ..] | ["commands", "index", "views" | "commit"] => true,
            ["commands", command, ..] => bare.contains(&command) && command != "index",
            _ => false,
        };
        let text = fs::read_to_string(&file).unwrap();
        assert!(may || !text.contains("fastlane_engine"), "{}", file.display());
    }
}

/// The modules of a crate with their files, without tests.
fn modules(sources: &Path) -> BTreeMap<Module, PathBuf> {
    let mut found = BTreeMap::new();
    let mut open = vec![sources.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let inner = path.strip_prefix(sources).unwrap().with_extension("");
            let mut module: Module =
                inner.iter().map(|name| name.to_string_lossy().into_owned()).collect();
            if ["mod", "lib", "main"].contains(&module.last().unwrap().as_str()) {
                module.pop();
            }
            let test = module.iter().any(|name| name.ends_with("tests"));
            if !test && path.extension().is_some_and(|ending| ending == "rs") {
                found.insert(module, path);
            }
        }
    }
    found
}

/// The modules that a file names, but for its parents and children.
fn uses(module: &Module, text: &str, modules: &BTreeMap<Module, PathBuf>) -> BTreeSet<Module> {
    let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let code: String = product.lines().map(|line| line.split("//").next().unwrap()).collect();
    let mut found = BTreeSet::new();
    for path in paths(&code) {
        let mut names = path.iter().map(String::as_str).peekable();
        let mut at = match names.next() {
            Some("crate") => Vec::new(),
            Some("super") => module[..module.len().saturating_sub(1)].to_vec(),
            _ => continue,
        };
        while names.next_if_eq(&"super").is_some() {
            at.pop();
        }
        at.extend(names.map(str::to_owned));
        // the last names are those of items
        while !modules.contains_key(&at) && !at.is_empty() {
            at.pop();
        }
        if !at.starts_with(module) && !module.starts_with(&at) {
            found.insert(at);
        }
    }
    found
}

/// All paths from `crate` or `super`, those in braces too: `crate::{a, b::C}` has two.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|it| it.is_alphanumeric() || it == '_' || it == ':') {
                continue;
            }
            tree(&mut code[at..].chars().peekable(), &mut Vec::new(), &mut found);
        }
    }
    found
}

/// Reads one path or a tree of them.
fn tree(
    code: &mut std::iter::Peekable<std::str::Chars<'_>>,
    prefix: &mut Vec<String>,
    found: &mut Vec<Vec<String>>,
) {
    let depth = prefix.len();
    loop {
        while code.next_if(|it| it.is_whitespace()).is_some() {}
        if code.next_if_eq(&'{').is_some() {
            loop {
                tree(code, prefix, found);
                while code.next_if(|it| it.is_whitespace()).is_some() {}
                match code.next() {
                    Some(',') => {}
                    _ => break,
                }
            }
            break;
        }
        let mut name = String::new();
        while let Some(letter) = code.next_if(|it| it.is_alphanumeric() || *it == '_' || *it == '*')
        {
            name.push(letter);
        }
        if name.is_empty() {
            break;
        }
        prefix.push(name);
        if code.next_if_eq(&':').is_none() {
            found.push(prefix.clone());
            // `as` and a name
            let rest: String = code.clone().take(4).collect();
            if rest == " as " {
                code.by_ref().take(4).for_each(drop);
                while code.next_if(|it| it.is_alphanumeric() || *it == '_').is_some() {}
            }
            break;
        }
        code.next_if_eq(&':');
    }
    prefix.truncate(depth);
}

/// Whether a module uses another, directly or through others.
fn reaches(from: &Module, to: &Module, uses: &BTreeMap<Module, BTreeSet<Module>>) -> bool {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(module) = open.pop() {
        if module == to {
            return true;
        }
        if seen.insert(module) {
            open.extend(uses.get(module).into_iter().flatten());
        }
    }
    false
}

#[test]
fn paths_are_read_from_trees() {
    let code = "use crate::{a, b::{C, d::E as F}}; let x = super::super::g::H(1); my_crate::no";
    let found: Vec<String> = paths(code).iter().map(|path| path.join("::")).collect();
    let wanted =
        ["crate::a", "crate::b::C", "crate::b::d::E", "super::super::g::H"].map(str::to_owned);
    assert_eq!(found, wanted);
}
