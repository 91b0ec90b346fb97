//! What cannot be learned from is told, and nothing is lost.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod tiny;

use std::fs;
use std::path::Path;

use fastlane_train::{Outcome, TrainError, train};
use tiny::{Seen, finish, places, run, write};

fn said(directory: &Path, changes: &[(&str, &str)]) -> String {
    let error = match run(directory, changes) {
        Ok(run) => finish(&run, &places(directory)).err().unwrap(),
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
    let to = places(directory.path());
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
    let to = places(directory.path());
    fs::create_dir_all(&to.output).unwrap();
    // a file where the checkpoints should be
    write(&to.output.join("checkpoints"), "");
    let error = finish(&run(directory.path(), &[]).unwrap(), &to).err().unwrap();
    assert!(matches!(error, TrainError::Write { .. }), "{error}");
    assert!(error.hint().unwrap().contains("run the same command again"));
    fs::remove_file(to.output.join("checkpoints")).unwrap();
    finish(&run(directory.path(), &[]).unwrap(), &to).unwrap();
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
    let frozen = [("mode", "frozen"), ("architecture.tuned_layers", "2")];
    let told = said(directory.path(), &frozen);
    assert!(told.ends_with("has 2 layers: for all of them set `mode = \"full\"`"), "{told}");
}

#[test]
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
    let to = places(directory.path());
    let mut stop = Seen { stop_after: Some(4), ..Seen::default() };
    assert_eq!(train(&it, &to, &mut stop).unwrap(), Outcome::Stopped { step: 4 });
    let states = || fs::read_dir(&to.cache).unwrap().count();
    assert_eq!(states(), 2);
    let (model, seen) = finish(&it, &to).unwrap();
    assert_eq!((states(), seen.steps.len()), (2, 36));
    // what did not learn is as it was
    let tensors = |path: &Path| fastlane_model::checkpoint::Tensors::open(path).unwrap();
    let (new, old) =
        (tensors(&model.join("model.safetensors")), tensors(&it.model.join("model.safetensors")));
    let same = |name: &str, shape: &[usize]| {
        new.read(name, shape).unwrap() == old.read(name, shape).unwrap()
    };
    assert!(same("encoder.layer.0.output.dense.bias", &[20]));
    assert!(!same("encoder.layer.1.output.dense.bias", &[20]));
}
