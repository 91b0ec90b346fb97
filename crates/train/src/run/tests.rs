//! Valid and invalid run files.

use super::*;

const SHORTEST: &str = "model = \"m\"\n[[data]]\nkind = \"beir\"\npath = \"d\"\n";

fn open(text: &str, changes: &[(&str, &str)]) -> Result<Run, RunError> {
    let changes: Vec<_> =
        changes.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    let run = Run::parse(text, &changes)?;
    run.check()?;
    Ok(run)
}

fn refusal(changes: &[(&str, &str)]) -> String {
    open(SHORTEST, changes).unwrap_err().within(Path::new("run.toml")).to_string()
}

#[test]
fn the_shortest_run_file_has_defaults_for_all_else() {
    let run = open(SHORTEST, &[]).unwrap();
    assert_eq!((run.mode, run.seed, run.schedule.batch), (Mode::Full, 1, 32));
    assert_eq!(run.data[0].split, "train");
    // a written run file is read back equal
    let written = toml::to_string(&run).unwrap();
    assert_eq!(open(&written, &[]).unwrap(), run);
}

#[test]
fn keys_are_changed_from_outside() {
    let changes = [("optimiser.rate", "5e-6"), ("architecture.system", "sum-max"), ("seed", "7")];
    let run = open(SHORTEST, &changes).unwrap();
    assert_eq!((run.optimiser.rate, run.seed), (5e-6, 7));
    assert_eq!(run.architecture.system, System::SumMax);
    let error = open(SHORTEST, &[("seed.more", "1")]).unwrap_err().to_string();
    assert_eq!(error, "run file `` is not right: invalid type: map, expected u32\nin `seed`");
}

#[test]
fn unknown_keys_are_named() {
    let error = refusal(&[("optimiser.rates", "1")]);
    assert!(error.contains("unknown field `rates`"), "{error}");
    let error = open("model = 3", &[]).unwrap_err().to_string();
    assert!(error.contains("invalid type: integer `3`, expected path string"), "{error}");
}

#[test]
fn impossible_values_are_named() {
    let cases = [
        ("architecture.dim", "100", "0, or a multiple of 8 up to 1024"),
        ("architecture.dropout", "1.0", "at least 0 and below 1"),
        ("router.lanes", "0", "at least 1"),
        ("router.tau.end", "0.0", "above 0"),
        ("loss.temperature", "nan", "above 0"),
        ("optimiser.rate", "-1.0", "above 0"),
        ("schedule.batch", "1", "at least 2: a query learns from others"),
        ("schedule.alike", "5", "a part of `schedule.batch`: 1, or a divisor of it"),
        ("schedule.warm_up", "1.5", "between 0 and 1"),
        ("data", "[]", "at least one source"),
        ("loss.distil", "-1", "at least 0"),
        ("dev", "[{ path = 'a', split = 'dev', queries = 0 }]", "at least 1"),
        ("test", "[{ path = 'a', split = 'dev', queries = 0 }]", "at least 1"),
    ];
    for (key, value, wanted) in cases {
        let error = refusal(&[(key, value)]);
        assert!(error.starts_with(&format!("`{key}")), "{error}");
        assert!(error.ends_with(&format!("wanted {wanted}")), "{error}");
    }
}

const TWICE: &str = "[{ path = 'a/b', split = 'test' }, { path = 'c/b', split = 'test' }]";

#[test]
fn contradictions_are_named() {
    let cases: [(&[(&str, &str)], &str); 15] = [
        (
            &[("architecture.system", "static-tied"), ("architecture.towers", "split")],
            "architecture.system",
        ),
        (&[("architecture.tuned_layers", "2")], "architecture.tuned_layers"),
        (&[("mode", "frozen"), ("architecture.towers", "split")], "architecture.towers"),
        (&[("precision", "bf16")], "precision"),
        (&[("schedule.patience", "3")], "schedule.patience"),
        (&[("negatives.bm25_depth", "30")], "negatives.bm25_depth"),
        (&[("negatives.per_query", "1"), ("negatives.model", "a")], "negatives.model_depth"),
        (
            &[
                ("negatives.per_query", "1"),
                ("negatives.bm25_depth", "5"),
                ("negatives.bm25_skip", "5"),
            ],
            "negatives.bm25_skip",
        ),
        (&[("architecture.system", "dual"), ("loss.entropy", "0.1")], "loss.entropy"),
        (&[("architecture.system", "dual"), ("loss.balance", "0.1")], "loss.balance"),
        (&[("architecture.system", "sum-max"), ("loss.distil", "0.1")], "loss.distil"),
        (&[("test", TWICE)], "test.path"),
        (&[("loss.alignment", "1.0")], "teacher_views.queries"),
        (&[("loss.alignment", "1.0"), ("teacher_views.documents", "v")], "teacher_views.documents"),
        (
            &[
                ("loss.alignment", "1.0"),
                ("teacher_views.queries", "v"),
                ("architecture.system", "max-max"),
            ],
            "architecture.system",
        ),
    ];
    for (changes, key) in cases {
        let error = refusal(changes);
        assert!(error.starts_with(&format!("`{key}` in `run.toml` is ")), "{error}");
        assert!(error.contains(", which "), "{error}");
    }
}

#[test]
fn settings_that_would_do_nothing_are_named() {
    let cases: [(&[(&str, &str)], &str); 6] = [
        (
            &[],
            "router.epsilon=0.1 router.mask=false router.noise=false router.tau.end=0.5 \
             router.straight_through=false router.tau.start=2.0 router.tau.shape=linear \
             loss.sum_max_temperature=2.0 teacher_views.queries=v teacher_views.documents=v negatives.bm25_skip=3 architecture.document_windows=false",
        ),
        (
            &[("architecture.system", "fastlane-soft")],
            "router.estimator=gumbel router.epsilon=0.1 router.tau.end=0.5",
        ),
        (
            &[("architecture.system", "dual")],
            "router.estimator=gumbel router.lanes=2 router.mask=false optimiser.router_rate=0.1",
        ),
        (&[("architecture.system", "sum-max")], "loss.temperature=0.1 router.lanes=2"),
        (
            &[("mode", "frozen")],
            "architecture.dropout=0.2 optimiser.layer_decay=0.9 schedule.checkpoint_texts=8",
        ),
        (&[("data", "[{ kind = 'jsonl', path = 'a', split = 'dev' }]")], "data.split=dev"),
    ];
    for (changes, unused) in cases {
        for unused in unused.split_whitespace() {
            let (key, value) = unused.split_once('=').unwrap();
            let more = if key == "data.split" { &[][..] } else { &[(key, value)] };
            let error = refusal(&[changes, more].concat());
            assert!(error.starts_with(&format!("`{key}` in `run.toml` is ")), "{error}");
            assert!(error.contains(", which "), "{error}");
            assert!(error.contains("leave it out") || error.contains("set `loss."), "{error}");
        }
    }
    let gumbel = [("router.estimator", "gumbel"), ("router.tau.end", "0.5")];
    open(SHORTEST, &gumbel).unwrap();
    let tuned = [("mode", "frozen"), ("architecture.tuned_layers", "1")];
    open(SHORTEST, &[tuned[0], tuned[1], ("architecture.dropout", "0.2")]).unwrap();
    open(SHORTEST, &[("mode", "frozen"), ("architecture.dropout", "0.0")]).unwrap();
}

#[test]
fn the_guide_lists_every_key() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/training.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let run: toml::Table =
        toml::from_str(&toml::to_string(&open(SHORTEST, &[]).unwrap()).unwrap()).unwrap();
    for (section, keys) in &run {
        let keys = match keys {
            toml::Value::Table(keys) => {
                keys.keys().map(|key| format!("`{section}.{key}`")).collect()
            }
            toml::Value::Array(_) => Vec::new(),
            _ => vec![format!("`{section}`")],
        };
        for key in keys {
            assert!(guide.contains(&key), "docs/guide/training.md does not explain {key}");
        }
    }
}

#[test]
fn every_run_file_of_the_repository_is_right() {
    let recipes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes");
    let mut systems = std::collections::BTreeSet::new();
    for entry in std::fs::read_dir(recipes).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let run = Run::open(&path, &[]).unwrap();
        systems.insert(format!("{:?}", run.architecture.system));
    }
    assert_eq!(systems.len(), 7, "{systems:?}");
}
