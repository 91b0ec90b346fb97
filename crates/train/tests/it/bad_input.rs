//! Errors of invalid training data, without loss of existing files.

use std::fs;
use std::path::Path;

use crate::tiny::{Seen, finish, paths, run, write};
use fastlane_train::{Outcome, TrainError, train};

fn said(directory: &Path, changes: &[(&str, &str)]) -> String {
    let error = match run(directory, changes) {
        Ok(run) => finish(&run, &paths(directory)).err().unwrap(),
        Err(error) => TrainError::Run(error),
    };
    error.to_string().replace(&directory.display().to_string(), "DIR")
}

#[test]
fn pairs_that_are_none() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pairs.jsonl");
    write(&path, "\n");
    let nothing = said(directory.path(), &[]);
    assert_eq!(nothing, "`DIR/pairs.jsonl` has no pairs of a query and a document that answers it");
    write(&path, "{\"query\":\"a\"}\n");
    assert_eq!(said(directory.path(), &[]), "line 1 of `DIR/pairs.jsonl` is not a pair");
    write(&path, "{\"query\":\"a\",\"positive\":\"b\"}\n");
    let few = said(directory.path(), &[]);
    assert_eq!(few, "`DIR/pairs.jsonl` has 1 queries, fewer than a batch of 8");
}

#[test]
fn a_judgement_of_a_document_that_is_absent() {
    let directory = tempfile::tempdir().unwrap();
    let beir = directory.path().join("beir");
    fs::create_dir_all(beir.join("qrels")).unwrap();
    write(&beir.join("corpus.jsonl"), "{\"_id\":\"d1\",\"title\":\"\",\"text\":\"ship\"}\n");
    write(&beir.join("queries.jsonl"), "{\"_id\":\"q1\",\"text\":\"light\"}\n");
    write(&beir.join("qrels/train.tsv"), "query-id\tcorpus-id\tscore\nq1\td2\t1\n");
    let source = format!("[{{ kind = \"beir\", path = {beir:?} }}]");
    let told = said(directory.path(), &[("data", &source)]);
    assert_eq!(
        told,
        "`DIR/beir/qrels/train.tsv` names the document `d2`, which `DIR/beir/corpus.jsonl` does not have"
    );
}

#[test]
fn a_loss_that_is_no_number_stops_the_run_and_keeps_what_was_saved() {
    let directory = tempfile::tempdir().unwrap();
    let to = paths(directory.path());
    let changes = [("optimiser.rate", "1e25"), ("schedule.warm_up", "0.0"), ("saving.every", "1")];
    let error = finish(&run(directory.path(), &changes).unwrap(), &to).err().unwrap();
    let TrainError::NotFinite { step, saved, .. } = &error else { panic!("{error}") };
    assert!(*step >= 2 && *saved == Some(step - 1), "{error}: {saved:?}");
    assert!(error.to_string().ends_with(&format!("at step {step}: the run stops there")));
    assert!(to.output.join(format!("checkpoints/step-{:08}/state.json", step - 1)).exists());
}

#[test]
fn a_disk_that_takes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let to = paths(directory.path());
    fs::create_dir_all(&to.output).unwrap();
    // a file in place of the checkpoints directory
    write(&to.output.join("checkpoints"), "");
    let error = finish(&run(directory.path(), &[]).unwrap(), &to).err().unwrap();
    assert!(matches!(error, TrainError::Write { .. }), "{error}");
    assert!(error.hint().unwrap().contains("run the same command again"));
    fs::remove_file(to.output.join("checkpoints")).unwrap();
    finish(&run(directory.path(), &[]).unwrap(), &to).unwrap();
}

#[test]
fn a_directory_with_what_no_run_made_stays_as_it_is() {
    for found in ["run.toml", "model"] {
        let directory = tempfile::tempdir().unwrap();
        let to = paths(directory.path());
        match found {
            "model" => fs::create_dir_all(to.output.join(found)).unwrap(),
            _ => fs::create_dir_all(&to.output).unwrap(),
        }
        let mine = to.output.join(found).join("mine");
        let mine = if found == "model" { mine } else { to.output.join(found) };
        write(&mine, "mine");
        let error = finish(&run(directory.path(), &[]).unwrap(), &to).err().unwrap();
        assert!(matches!(error, TrainError::NotOurs { .. }), "{error}");
        assert!(error.to_string().contains(&format!("has a `{found}` that no run made")));
        assert!(error.hint().unwrap().contains("--output"));
        assert_eq!(fs::read_to_string(mine).unwrap(), "mine");
        assert_eq!(fs::read_dir(&to.output).unwrap().count(), 1);
    }
}

#[test]
fn the_model_to_start_from_is_not_written_over() {
    let directory = tempfile::tempdir().unwrap();
    let to = paths(directory.path());
    let (model, _) = finish(&run(directory.path(), &[]).unwrap(), &to).unwrap();
    let path = model.join("../model").display().to_string();
    let again = run(directory.path(), &[("model", &path)]).unwrap();
    let error = finish(&again, &to).err().unwrap();
    assert!(matches!(error, TrainError::OverModel { .. }), "{error}");
    assert!(error.hint().unwrap().contains("--output"));
}

#[test]
fn two_processes_do_not_train_in_one_directory() {
    let directory = tempfile::tempdir().unwrap();
    let to = paths(directory.path());
    fs::create_dir_all(&to.output).unwrap();
    let lock = fs::File::create_new(to.output.join("lock")).unwrap();
    lock.lock().unwrap();
    let error = finish(&run(directory.path(), &[]).unwrap(), &to).err().unwrap();
    assert!(matches!(error, TrainError::Locked { .. }), "{error}");
    assert!(error.hint().unwrap().contains("--output"));
    drop(lock);
    finish(&run(directory.path(), &[]).unwrap(), &to).unwrap();
}

/// A collection of two documents and a query, with changes to its files.
fn dev(directory: &Path, corpus: &str, qrels: &str) -> String {
    let beir = directory.join("dev");
    fs::create_dir_all(beir.join("qrels")).unwrap();
    let document = |id: &str| format!("{{\"_id\":\"{id}\",\"title\":\"\",\"text\":\"ship\"}}\n");
    let all = document("d1") + &document("d2") + corpus;
    write(&beir.join("corpus.jsonl"), &all);
    write(&beir.join("queries.jsonl"), "{\"_id\":\"q1\",\"text\":\"light\"}\n");
    let head = "query-id\tcorpus-id\tscore\n";
    write(&beir.join("qrels/test.tsv"), &format!("{head}{qrels}"));
    format!("[{{ path = {beir:?}, split = \"test\", documents = 0 }}]")
}

#[test]
fn measurements_want_all_that_is_judged_and_each_document_once() {
    let directory = tempfile::tempdir().unwrap();
    let it = |corpus: &str, qrels: &str| {
        let dev = dev(directory.path(), corpus, qrels);
        said(directory.path(), &[("dev", &dev)])
    };
    let twice = "{\"_id\":\"d1\",\"title\":\"\",\"text\":\"light\"}\n";
    let told = it(twice, "q1\td1\t1\n");
    assert_eq!(told, "the document `d1` appears twice in `DIR/dev/corpus.jsonl`");
    let told = it("", "q1\td9\t1\n");
    assert_eq!(
        told,
        "`DIR/dev/qrels/test.tsv` names the document `d9`, which `DIR/dev/corpus.jsonl` does not have"
    );
    let told = it("", "q1\td1\t1\nq2\td1\t1\n");
    assert_eq!(
        told,
        "`DIR/dev/qrels/test.tsv` names the query `q2`, which `DIR/dev/queries.jsonl` does not have"
    );
}

#[test]
fn a_run_in_which_nothing_learns() {
    let directory = tempfile::tempdir().unwrap();
    // an encoder without projection
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/golden/lanes-tied");
    let plain = directory.path().join("plain");
    fs::create_dir(&plain).unwrap();
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        fs::copy(golden.join(file), plain.join(file)).unwrap();
    }
    let model = plain.display().to_string();
    let changes = [
        ("model", model.as_str()),
        ("mode", "frozen"),
        ("architecture.system", "sum-max"),
        ("architecture.dim", "0"),
        ("architecture.lane_dim", "0"),
        ("loss.sum_max", "0.0"),
    ];
    let error = finish(&run(directory.path(), &changes).unwrap(), &paths(directory.path()));
    let error = error.err().unwrap();
    assert!(matches!(error, TrainError::Nothing), "{error}");
    assert!(error.hint().unwrap().contains("`architecture.dim`"));
}

#[test]
fn settings_that_the_checkpoint_cannot_have() {
    let directory = tempfile::tempdir().unwrap();
    let told = said(directory.path(), &[("architecture.document_tokens", "100")]);
    assert!(
        told.starts_with("`architecture.document_tokens` is 100, but the checkpoint `"),
        "{told}"
    );
    assert!(told.ends_with("has 32 positions"), "{told}");
    let told = said(directory.path(), &[("architecture.dim", "64")]);
    assert!(told.ends_with("has views of 8"), "{told}");
    let told = said(directory.path(), &[("architecture.lane_dim", "32")]);
    assert!(told.starts_with("`architecture.lane_dim` is 32, but the checkpoint `"), "{told}");
    assert!(told.ends_with("has states of 20: no view is longer"), "{told}");
    let known = [("architecture.start", "random"), ("architecture.lane_dim", "0")];
    let told = said(directory.path(), &known);
    assert!(told.starts_with("`architecture.start` is random, but the checkpoint `"), "{told}");
    let frozen = [("mode", "frozen"), ("architecture.tuned_layers", "2")];
    let told = said(directory.path(), &frozen);
    assert!(told.ends_with("has 2 layers: for all of them set `mode = \"full\"`"), "{told}");
}

#[test]
fn document_lanes_go_on_looking_where_they_learned_to() {
    let directory = tempfile::tempdir().unwrap();
    let lanes = ("architecture.document_lanes", "2");
    let first = run(directory.path(), &[lanes]).unwrap();
    let (model, _) = finish(&first, &paths(directory.path())).unwrap();
    let (model, other) = (("model", model.to_str().unwrap()), tempfile::tempdir().unwrap());
    let told = said(other.path(), &[model, lanes, ("architecture.document_windows", "false")]);
    assert!(told.starts_with("`architecture.document_windows` is false, but the checkpoint `"));
    assert!(told.ends_with("has document lanes that look at a part of it each"), "{told}");
}

#[cfg(feature = "cuda")]
#[test]
fn a_machine_without_a_gpu_says_so() {
    if Path::new("/dev/nvidiactl").exists() {
        println!("SKIPPED: there is a GPU");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let told = said(directory.path(), &[("device", "cuda")]);
    let wanted = "`device` is cuda, but there is no NVIDIA driver: /dev/nvidiactl is absent";
    assert_eq!(told, wanted);
}

#[cfg(not(feature = "cuda"))]
#[test]
fn a_device_that_was_not_built_in() {
    let directory = tempfile::tempdir().unwrap();
    let told = said(directory.path(), &[("device", "cuda")]);
    assert_eq!(
        told,
        "`device` is cuda, but this program was built without it: build with `--features cuda`"
    );
}

#[test]
fn frozen_states_are_kept_and_used_again() {
    let directory = tempfile::tempdir().unwrap();
    let frozen = [("mode", "frozen"), ("architecture.tuned_layers", "1")];
    let it = run(directory.path(), &frozen).unwrap();
    let to = paths(directory.path());
    let mut stop = Seen { stop_after: Some(4), ..Seen::default() };
    assert_eq!(train(&it, &to, &mut stop).unwrap(), Outcome::Stopped { step: 4 });
    let states = || fs::read_dir(&to.cache).unwrap().count();
    assert_eq!(states(), 2);
    let (model, seen) = finish(&it, &to).unwrap();
    assert_eq!((states(), seen.steps.len()), (2, 36));
    // untrained tensors are unchanged
    let tensors = |path: &Path| fastlane_model::checkpoint::Tensors::open(path).unwrap();
    let (new, old) =
        (tensors(&model.join("model.safetensors")), tensors(&it.model.join("model.safetensors")));
    let same = |name: &str, shape: &[usize]| {
        new.read(name, shape).unwrap() == old.read(name, shape).unwrap()
    };
    assert!(same("encoder.layer.0.output.dense.bias", &[20]));
    assert!(!same("encoder.layer.1.output.dense.bias", &[20]));
}
