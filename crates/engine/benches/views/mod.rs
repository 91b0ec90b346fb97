//! Reads what `scripts/make-views` makes: vectors, the lengths of documents, and their ids.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Lines, Read as _};
use std::path::Path;

use fastlane_engine::TokenMatrix;
use half::f16;

/// The documents of a directory of views, one in memory at a time.
pub(crate) struct Documents {
    vectors: Array,
    lengths: Array,
    ids: Lines<BufReader<File>>,
}

impl Documents {
    pub(crate) fn open(directory: &Path) -> Self {
        Self {
            vectors: Array::open(&directory.join("vectors.npy")),
            lengths: Array::open(&directory.join("doclens.npy")),
            ids: BufReader::new(File::open(directory.join("ids.txt")).unwrap()).lines(),
        }
    }

    pub(crate) fn dim(&self) -> usize {
        self.vectors.columns
    }
}

impl Iterator for Documents {
    type Item = (String, TokenMatrix);

    fn next(&mut self) -> Option<Self::Item> {
        let id = self.ids.next()?.unwrap();
        let length = self.lengths.read::<4>(1).next().map(u32::from_le_bytes);
        Some((id, self.vectors.matrix(length.unwrap() as usize)))
    }
}

/// An NPY file of rows.
pub(crate) struct Array {
    pub(crate) rows: usize,
    columns: usize,
    kind: String,
    left: BufReader<File>,
    bytes: Vec<u8>,
}

impl Array {
    pub(crate) fn open(path: &Path) -> Self {
        let mut left = BufReader::with_capacity(1 << 20, File::open(path).unwrap());
        let mut start = [0; 10];
        left.read_exact(&mut start).unwrap();
        let mut header = vec![0; usize::from(u16::from_le_bytes([start[8], start[9]]))];
        left.read_exact(&mut header).unwrap();
        let header = String::from_utf8(header).unwrap();
        let after = |name: &str| header.split_once(name).unwrap().1;
        let kind = after("'descr': '").split('\'').next().unwrap().to_owned();
        let shape = after("'shape': (").split(')').next().unwrap();
        let mut shape = shape.split(',').filter_map(|count| count.trim().parse().ok());
        let (rows, columns) = (shape.next().unwrap(), shape.next().unwrap_or(1));
        Self { rows, columns, kind, left, bytes: Vec::new() }
    }

    /// The next rows, of f16 or f32.
    pub(crate) fn matrix(&mut self, rows: usize) -> TokenMatrix {
        let (columns, count) = (self.columns, rows * self.columns);
        let values = match self.kind.as_str() {
            "<f2" => self.read::<2>(count).map(|two| f16::from_le_bytes(two).to_f32()).collect(),
            "<f4" => self.read::<4>(count).map(f32::from_le_bytes).collect(),
            other => panic!("values of type `{other}`"),
        };
        TokenMatrix::new(columns, values)
    }

    fn read<const WIDTH: usize>(
        &mut self,
        count: usize,
    ) -> impl Iterator<Item = [u8; WIDTH]> + use<'_, WIDTH> {
        self.bytes.resize(count * WIDTH, 0);
        self.left.read_exact(&mut self.bytes).unwrap();
        self.bytes.as_chunks().0.iter().copied()
    }
}
