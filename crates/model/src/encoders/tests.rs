//! States against those of PyTorch's `transformers` in f32; `tests/golden/make.py` wrote them.
//!
//! A tiny model of each architecture is in `tests/golden`, and is found there by its name.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::checkpoint::{Checkpoint, TowerFiles};
use crate::encoders::architecture::Transformer;
use fastlane_kernels::encoder::Kernel;

#[path = "../../../../tests/minilm.rs"]
mod minilm;

/// The largest deviation of an f32 kernel's states from PyTorch's f32.
const SLACK: f32 = 1e-4;

#[test]
fn every_length_is_as_in_pytorch() {
    for (name, longest) in tiny_models() {
        let golden = golden(&format!("{name}/lengths.npy"));
        for kernel in Kernel::available() {
            let bert = load(&name, kernel);
            let width = 4 * bert.hidden();
            for (count, wanted) in (1..=longest).zip(golden.chunks_exact(width)) {
                let ids = formula(count);
                let states = states(&bert, &ids, count, None);
                let found = summary(&states, bert.hidden());
                assert_close(kernel, &found, wanted, &format!("{name} {count}"));
            }
            assert_eq!(golden.len(), longest * width);
        }
    }
}

#[test]
fn every_token_is_as_in_pytorch() {
    for count in [17, 33] {
        let wanted = golden(&format!("tiny/{count}.npy"));
        for kernel in Kernel::available() {
            let bert = load("tiny", kernel);
            let found = states(&bert, &formula(count), count, None);
            assert_close(kernel, &found, &wanted, &format!("{count}"));
        }
    }
}

#[test]
fn minilm_is_as_in_pytorch() {
    let Some(directory) = minilm::minilm("minilm_is_as_in_pytorch") else { return };
    let lengths =
        [1, 2, 3, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 512];
    let golden = golden("minilm.npy");
    let files = Checkpoint::open(&directory).unwrap();
    for kernel in Kernel::available() {
        let bert = load_from(&files.query, kernel);
        for (count, wanted) in lengths.into_iter().zip(golden.chunks_exact(4 * 384)) {
            let mut ids: Vec<u32> =
                (0..count).map(|i| ((i * 7919 + count * 104_729) % 28_000 + 1000) as u32).collect();
            ids[count - 1] = 102;
            ids[0] = 101;
            let found = summary(&states(&bert, &ids, count, None), 384);
            assert_close(kernel, &found, wanted, &format!("{count}"));
        }
    }
}

#[test]
fn threads_change_no_bit() {
    let pools =
        [2, 3, 7].map(|threads| ThreadPoolBuilder::new().num_threads(threads).build().unwrap());
    // tiny-tanh has two heads of 10 columns, which begin in the middle of a panel
    let all = tiny_models().into_iter().flat_map(|model| {
        Kernel::available().into_iter().map(move |kernel| (model.clone(), kernel))
    });
    for ((name, longest), kernel) in all {
        let bert = load(&name, kernel);
        for count in [1, 2, 8, 9, 17, 33, 130, 300].into_iter().filter(|&it| it <= longest) {
            let ids = formula(count);
            let attended = count.div_ceil(2);
            let alone = states(&bert, &ids, attended, None);
            for pool in &pools {
                let together = states(&bert, &ids, attended, Some(pool));
                assert_eq!(alone, together, "{name} {kernel:?} {count}");
            }
        }
    }
}

#[test]
fn helpers_that_never_come_are_not_waited_for() {
    let pool = ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    // two, so that the second pass does not find the states of the first in its memory
    let [one, other] = [(); 2].map(|()| load("tiny", Kernel::available()[0]));
    let ids = formula(17);
    let alone = states(&one, &ids, 17, None);
    let (end, wait) = std::sync::mpsc::channel::<()>();
    let wait = Arc::new(Mutex::new(wait));
    for _ in 0..2 {
        let wait = Arc::clone(&wait);
        pool.spawn(move || assert!(wait.lock().unwrap().recv().is_err()));
    }
    assert_eq!(alone, states(&other, &ids, 17, Some(&pool)));
    drop(end);
}

#[test]
fn tokens_that_are_not_attended_change_nothing_before_them() {
    for kernel in Kernel::available() {
        let [one, other] = [(); 2].map(|()| load("tiny", kernel));
        let mut ids = formula(11);
        let alone = states(&one, &ids, 11, None);
        ids.extend([5; 9]);
        let filled = states(&other, &ids, 11, None);
        assert_eq!(alone, &filled[..alone.len()], "{kernel:?}");
    }
}

/// The names of the tiny models, with the length of the longest text.
fn tiny_models() -> Vec<(String, usize)> {
    let entries = std::fs::read_dir(directory()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("tiny")).collect();
    names.sort();
    for name in ["tiny", "tiny-distil", "tiny-tanh"] {
        assert!(names.iter().any(|found| found == name), "{names:?}");
    }
    let positions = |name: &String| open(name).architecture.positions;
    names.into_iter().map(|name| (name.clone(), positions(&name))).collect()
}

fn formula(count: usize) -> Vec<u32> {
    (0..count).map(|i| ((31 * i + 17 * count + 7) % 101) as u32).collect()
}

/// The first, the middle, the last state and the mean of all.
fn summary(states: &[f32], hidden: usize) -> Vec<f32> {
    let count = states.len() / hidden;
    let row = |index: usize| &states[index * hidden..][..hidden];
    let mean = (0..hidden).map(|column| {
        let sum: f64 = states.iter().skip(column).step_by(hidden).map(|&v| f64::from(v)).sum();
        (sum / count as f64) as f32
    });
    let rows = [row(0), row(count / 2), row(count - 1)].concat();
    rows.into_iter().chain(mean).collect()
}

/// In f32 to a ten-thousandth; in bf16 to a cosine of 0.999 for each state.
fn assert_close(kernel: Kernel, found: &[f32], wanted: &[f32], what: &str) {
    assert_eq!(found.len(), wanted.len());
    let furthest = found.iter().zip(wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    if kernel == kernel.exact() {
        assert!(furthest < SLACK, "{kernel:?} {what}: {furthest}");
    }
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    for (found, wanted) in found.chunks(48).zip(wanted.chunks(48)) {
        let cosine = dot(found, wanted) / (dot(found, found) * dot(wanted, wanted)).sqrt();
        assert!(cosine > 0.999, "{kernel:?} {what}: cosine {cosine}");
    }
}

fn states(
    bert: &Arc<dyn Transformer>,
    ids: &[u32],
    attended: usize,
    pool: Option<&ThreadPool>,
) -> Vec<f32> {
    Arc::clone(bert).states(ids, attended, pool)
}

fn load(name: &str, kernel: Kernel) -> Arc<dyn Transformer> {
    load_from(&open(name), kernel)
}

fn open(name: &str) -> TowerFiles {
    TowerFiles::bare(&directory().join(name)).unwrap()
}

fn load_from(files: &TowerFiles, kernel: Kernel) -> Arc<dyn Transformer> {
    let mut read = |name: &str, shape: &[usize]| files.read(name, shape);
    files.architecture.load(kernel, &mut read).unwrap()
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// The numbers of an NPY file of little-endian f32.
fn golden(name: &str) -> Vec<f32> {
    let bytes = std::fs::read(directory().join(name)).unwrap();
    let header = u16::from_le_bytes([bytes[8], bytes[9]]) as usize;
    let (values, rest) = bytes[10 + header..].as_chunks();
    assert!(bytes.starts_with(b"\x93NUMPY\x01\x00") && rest.is_empty());
    values.iter().map(|&value| f32::from_le_bytes(value)).collect()
}
