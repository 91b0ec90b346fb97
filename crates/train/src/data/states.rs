//! Caches the states of a frozen encoder on disk: computed once, read for every batch.
//!
//! The file name has the format and a hash of the encoder, of the number of its layers that are
//! run, and of all tokens, so another run with the same texts finds it. It has one f16 row per
//! token, and is written to a temporary file, synced, then renamed.
//!
//! `states3-HASH.f16` is the format that is written. The rows of `states2-HASH.f16` are the same,
//! with a hash of the encoder's earlier fingerprint; such a file is read if it exists. Other
//! formats are ignored: the states are computed again.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use fastlane_durable::{AsideFile, make_directory, parent};
use fastlane_model::Model;
use half::f16;
use half::slice::{HalfBitsSliceExt as _, HalfFloatSliceExt as _};

use super::DataError;
use super::tokens::TokenTable;

/// The number of texts whose states are computed before they are written.
const PORTION: usize = 256;

/// States of the tokens of some texts.
#[derive(Debug)]
pub(crate) struct States {
    file: File,
    path: PathBuf,
    hidden: usize,
}

impl States {
    /// Opens the states in a directory, or computes them; `watch` receives the number of processed
    /// texts.
    ///
    /// An error of `watch` ends the work, and its result so far is lost.
    pub(crate) fn open(
        directory: &Path,
        model: &Model,
        tokens: &TokenTable,
        watch: &mut dyn FnMut(usize) -> io::Result<()>,
    ) -> Result<Self, DataError> {
        let hidden = model.states(&[0]).dim();
        let bytes = (tokens.tokens() * hidden * 2) as u64;
        let find = |path: PathBuf| {
            let file = File::open(&path).ok().filter(|file| length(file) == Some(bytes))?;
            Some(Self { file, path, hidden })
        };
        let path = directory.join(name(model, tokens));
        if let Some(found) = find(path.clone()).or_else(|| find(earlier(directory, model, tokens)?))
        {
            return Ok(found);
        }
        let written = write(&path, model, tokens, watch);
        let file = written.map_err(|source| DataError::States { path: path.clone(), source })?;
        Ok(Self { file, path, hidden })
    }

    /// Reads the rows of some tokens, from token `first` on.
    pub(crate) fn read(
        &self,
        first: usize,
        count: usize,
        into: &mut Vec<f32>,
    ) -> Result<(), DataError> {
        let mut halves = vec![0_u16; count * self.hidden];
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut halves);
        let place = (first * self.hidden * 2) as u64;
        self.file
            .read_exact_at(bytes, place)
            .map_err(|source| DataError::States { path: self.path.clone(), source })?;
        let halves: &[f16] = halves.reinterpret_cast();
        let before = into.len();
        into.resize(before + halves.len(), 0.0);
        halves.convert_to_f32_slice(&mut into[before..]);
        Ok(())
    }
}

fn length(file: &File) -> Option<u64> {
    file.metadata().ok().map(|metadata| metadata.len())
}

fn write(
    path: &Path,
    model: &Model,
    tokens: &TokenTable,
    watch: &mut dyn FnMut(usize) -> io::Result<()>,
) -> io::Result<File> {
    make_directory(parent(path))?;
    let mut output = BufWriter::new(AsideFile::new(path)?);
    let mut halves = Vec::new();
    for start in (0..tokens.len()).step_by(PORTION) {
        let end = (start + PORTION).min(tokens.len());
        let texts: Vec<Vec<u32>> =
            (start..end).map(|text| tokens.of(text as u32).to_vec()).collect();
        for states in model.states_of_many(&texts) {
            halves.clear();
            halves.extend(states.values().iter().map(|&value| f16::from_f32(value)));
            let bits: &[u16] = halves.reinterpret_cast();
            output.write_all(bytemuck::cast_slice(bits))?;
        }
        watch(end)?;
    }
    output.into_inner()?.finish()?;
    File::open(path)
}

/// The file name of the states of one encoder and one set of texts.
fn name(model: &Model, tokens: &TokenTable) -> String {
    let bytes = model.fingerprint().bytes();
    let encoder = bytes.as_chunks().0.iter().map(|&bytes| u32::from_le_bytes(bytes));
    let key = super::hash_of(0, encoder.chain(tokens.numbers()));
    format!("states3-{key:016x}.f16")
}

/// The path in format 2, if the encoder's files can still be read.
fn earlier(directory: &Path, model: &Model, tokens: &TokenTable) -> Option<PathBuf> {
    let key = super::hash_of(model.earlier_fingerprint().ok()?, tokens.numbers());
    Some(directory.join(format!("states2-{key:016x}.f16")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastlane_model::Settings;

    #[test]
    fn states_of_fewer_layers_are_others() {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/tests/golden/lanes-tied");
        let folder = tempfile::tempdir().unwrap();
        let mut tokens = TokenTable::default();
        tokens.push(&[2, 9, 30, 3], 4);
        let first = |layers| {
            let model = Model::open(&golden, &Settings { layers, ..Settings::default() }).unwrap();
            let mut found = Vec::new();
            let states = States::open(folder.path(), &model, &tokens, &mut |_| Ok(())).unwrap();
            states.read(0, 4, &mut found).unwrap();
            let wanted = model.states(&[2, 9, 30, 3]).values().to_vec();
            let near = |(a, b): (&f32, &f32)| (a - b).abs() < 2e-3 * b.abs().max(1.0);
            assert!(found.iter().zip(&wanted).all(near), "{layers:?}: {found:?}, {wanted:?}");
            found
        };
        assert_ne!(first(None), first(Some(1)));
    }
}
