use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;
use crate::checkpoint::WeightType;
use crate::encoders::architecture::Family;
use crate::encoders::bert::BertFamily;
use crate::{Model, Settings};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn open(directory: &Path) -> Checkpoint {
    Checkpoint::open(directory).unwrap()
}

fn print(directory: &Path) -> String {
    open(directory).fingerprint().unwrap().to_string()
}

/// The files of a checkpoint under a directory, by their paths in it.
fn files(directory: &Path, below: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in directory.join(below).read_dir().unwrap().map(Result::unwrap) {
        let name = below.join(entry.file_name());
        match entry.path().is_dir() {
            true => all.extend(files(directory, &name)),
            false => all.push(name),
        }
    }
    all.sort();
    all
}

fn copy(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    for file in files(from, Path::new("")) {
        std::fs::create_dir_all(to.path().join(&file).parent().unwrap()).unwrap();
        std::fs::copy(from.join(&file), to.path().join(&file)).unwrap();
    }
    to
}

#[expect(clippy::disallowed_methods, reason = "a test's file may be lost in a crash")]
fn put(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}

/// Indexes store these: a version of this program in which they differ refuses all existing
/// indexes. `tests/golden/fingerprint.py` computes the same from the files.
#[test]
fn fingerprints_of_checkpoints_in_the_repository_stay_as_they_are() {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/fastlane-mini");
    assert_eq!(
        [golden("lanes-split"), golden("lanes-tied"), ours].map(|directory| print(&directory)),
        [
            "f1-f215e8f399eff40199bc306f1feb4908",
            "f1-758718e7813d983c5266b996e90aa05c",
            "f1-1e55e452220c4193909434cf62632929",
        ]
    );
}

#[test]
fn a_model_in_memory_has_the_fingerprint_of_its_checkpoint() {
    for name in ["lanes-split", "lanes-tied"] {
        let model = Model::open(golden(name), &Settings::default()).unwrap();
        assert_eq!(model.fingerprint(), open(&golden(name)).fingerprint().unwrap());
        let settings = Settings { layers: Some(1), ..Settings::default() };
        let less = Model::open(golden(name), &settings).unwrap();
        assert_ne!(less.fingerprint(), model.fingerprint());
    }
}

#[test]
fn a_model_in_memory_keeps_the_fingerprint_of_what_it_loaded() {
    let folder = copy(&golden("lanes-split"));
    let model = Model::open(folder.path(), &Settings::default()).unwrap();
    let before = model.fingerprint();
    let weights = folder.path().join("model.safetensors");
    let mut bytes = std::fs::read(&weights).unwrap();
    let last = bytes.len() - 4;
    bytes[last] ^= 1;
    put(&weights, &bytes);
    assert_eq!(model.fingerprint(), before);
    assert_ne!(print(folder.path()), before.to_string());
}

#[test]
fn the_place_and_other_files_make_no_difference() {
    let folder = copy(&golden("lanes-split"));
    assert_eq!(print(folder.path()), print(&golden("lanes-split")));
    put(&folder.path().join("notes.json"), b"{}");
    assert_eq!(print(folder.path()), print(&golden("lanes-split")));
}

#[test]
fn a_checkpoint_that_is_converted_without_a_loss_keeps_its_fingerprint() {
    for name in ["lanes-split", "lanes-tied"] {
        let (before, folder) = (open(&golden(name)), tempfile::tempdir().unwrap());
        let of = |kind: WeightType| {
            let to = folder.path().join(format!("{kind:?}"));
            before.convert(&to, kind).unwrap();
            print(&to)
        };
        let all = [WeightType::F32, WeightType::F16, WeightType::Int8].map(of);
        assert_eq!(all[0], print(&golden(name)));
        assert_eq!(BTreeSet::from(all).len(), 3);
    }
}

#[test]
fn each_setting_that_decides_about_views_changes_the_fingerprint() {
    let changes: Vec<fn(&mut Checkpoint)> = vec![
        |_| {},
        |it| it.normalise = !it.normalise,
        |it| it.query_side.prefix = None,
        |it| it.query_side.prefix = Some(7),
        |it| it.query_side.prompt += "a",
        |it| it.query_side.length += 1,
        |it| it.query_side.skip.extend([7]),
        |it| it.query_side.skip.extend([7, 8]),
        |it| it.query_side.expansion = Some(Expansion { token: 4, length: 9, attended: true }),
        |it| it.query_side.expansion = Some(Expansion { token: 4, length: 9, attended: false }),
        |it| it.query_side.expansion = Some(Expansion { token: 4, length: 8, attended: false }),
        |it| it.query_side.expansion = Some(Expansion { token: 5, length: 8, attended: false }),
        |it| it.document_side.prefix = None,
        |it| it.document_side.prefix = Some(7),
        |it| it.document_side.prompt += "a",
        |it| it.document_side.length += 1,
        |it| it.document_side.skip.extend([7]),
        |it| it.document_side.skip.clear(),
        |it| it.query.architecture.family = padded(1),
        |it| it.query.architecture.family = padded(2),
        |it| it.query.architecture.layers -= 1,
        |it| it.query.architecture.heads += 1,
        |it| it.query.architecture.hidden += 1,
        |it| it.query.architecture.intermediate += 1,
        |it| it.query.architecture.vocabulary += 1,
        |it| it.query.architecture.positions += 1,
        |it| it.query.architecture.token_types += 1,
        |it| it.query.architecture.epsilon = 1e-7,
        |it| it.query.architecture.activation = Activation::Relu,
        |it| it.document.as_mut().unwrap().architecture.layers -= 1,
        |it| it.document.as_mut().unwrap().architecture.activation = Activation::GeluTanh,
        |it| it.document.as_mut().unwrap().dense[0].from += 1,
        |it| it.document.as_mut().unwrap().dense[0].to += 1,
        |it| it.document.as_mut().unwrap().dense.clear(),
        |it| it.query = it.document.take().unwrap(),
        |it| it.router = None,
        |it| router(it).input = RouterInput::Views,
        |it| router(it).attention += 1,
        |it| router(it).lane = LaneKind::Soft,
        |it| router(it).lanes = Some(2),
        |it| router(it).lanes = Some(3),
        |it| router(it).document_lanes = None,
        |it| router(it).document_lanes = Some(0),
        |it| router(it).document_windows = true,
        |it| router(it).lane_dim = Some(24),
    ];
    let count = changes.len();
    let print = |change: fn(&mut Checkpoint)| {
        let mut checkpoint = open(&golden("lanes-split"));
        change(&mut checkpoint);
        checkpoint.fingerprint().unwrap()
    };
    let all: BTreeSet<Fingerprint> = changes.into_iter().map(print).collect();
    assert_eq!(all.len(), count);
}

fn padded(padding: u32) -> Family {
    BertFamily { padding: Some(padding), ..BertFamily::BERT }.into()
}

fn router(checkpoint: &mut Checkpoint) -> &mut RouterConfig {
    &mut checkpoint.router.as_mut().unwrap().config
}

#[test]
fn what_says_the_default_says_nothing() {
    let mut checkpoint = open(&golden("lanes-split"));
    let before = checkpoint.fingerprint().unwrap();
    assert_eq!(router(&mut checkpoint).lanes, None);
    router(&mut checkpoint).lanes = Some(1);
    assert_eq!(checkpoint.fingerprint().unwrap(), before);
}

/// The offset of the numbers in a file of weights.
fn numbers(bytes: &[u8]) -> usize {
    8 + u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_byte_of_the_weights_and_of_the_tokenizer_changes_the_fingerprint(
        file: prop::sample::Index,
        byte: prop::sample::Index,
    ) {
        let golden = golden("lanes-split");
        let weights = |name: &PathBuf| name.ends_with("model.safetensors");
        let all: Vec<PathBuf> = files(&golden, Path::new("")).into_iter().filter(weights).collect();
        prop_assert_eq!(all.len(), 5);
        let folder = copy(&golden);
        let path = folder.path().join(&all[file.index(all.len())]);
        let mut bytes = std::fs::read(&path).unwrap();
        let start = numbers(&bytes);
        let at = start + byte.index(bytes.len() - start);
        // the lowest bit: the number stays finite
        bytes[at] ^= 1;
        put(&path, &bytes);
        prop_assert_ne!(print(folder.path()), print(&golden));
        bytes[at] ^= 1;
        put(&path, &bytes);
        prop_assert_eq!(print(folder.path()), print(&golden));

        // a change that leaves the JSON value as it was
        let path = folder.path().join("tokenizer.json");
        let mut text = std::fs::read(&path).unwrap();
        text.push(b'\n');
        put(&path, &text);
        prop_assert_ne!(print(folder.path()), print(&golden));
    }
}
