//! Builds and searches an index of `next-plaid` for `tools/bench/index-peers`.
//!
//! `index-next-plaid build DIR INDEX` indexes the vectors.npy and doclens.npy of a directory.
//! `index-next-plaid serve INDEX` has the protocol of `Child` in index_engines.py, but a query is
//! all its token views: the number of them as u32, then the f32 values.
use std::error::Error;
use std::io::{self, BufRead, Read, Write};
use std::path::Path;
use std::time::Instant;
use std::{env, fs};

use half::f16;
use ndarray::Array2;
use next_plaid::{IndexConfig, MmapIndex, SearchParameters};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["build", views, index] => build(Path::new(views), index),
        ["serve", index] => serve(index),
        _ => Err("usage: index-next-plaid build DIR INDEX | serve INDEX".into()),
    }
}

fn build(views: &Path, index: &str) -> Outcome<()> {
    let lengths = values::<4>(&views.join("doclens.npy"))?;
    let lengths: Vec<usize> = lengths.map(|bytes| u32::from_le_bytes(bytes) as usize).collect();
    let vectors = values::<2>(&views.join("vectors.npy"))?;
    let vectors: Vec<f32> = vectors.map(|bytes| f16::from_le_bytes(bytes).to_f32()).collect();
    let dim = vectors.len() / lengths.iter().sum::<usize>();
    let mut rest = vectors.as_slice();
    let mut documents = Vec::with_capacity(lengths.len());
    for length in lengths {
        let (rows, after) = rest.split_at(length * dim);
        documents.push(Array2::from_shape_vec((length, dim), rows.to_vec())?);
        rest = after;
    }
    fs::create_dir_all(index)?;
    MmapIndex::create_with_kmeans(
        &documents,
        index,
        &IndexConfig { nbits: 4, ..Default::default() },
    )?;
    Ok(())
}

/// The values of an npy file of version 1, which has the length of its header at byte 8.
fn values<const SIZE: usize>(path: &Path) -> Outcome<impl Iterator<Item = [u8; SIZE]> + use<SIZE>> {
    let bytes = fs::read(path)?;
    let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let count = (bytes.len() - header) / SIZE;
    Ok((0..count).map(move |place| {
        let start = header + place * SIZE;
        bytes[start..start + SIZE].try_into().expect("SIZE bytes were cut")
    }))
}

fn serve(path: &str) -> Outcome<()> {
    let start = Instant::now();
    let index = MmapIndex::load(path)?;
    let mut output = io::stdout().lock();
    writeln!(output, "ready {} {}", size(Path::new(path))?, start.elapsed().as_nanos())?;
    output.flush()?;
    let mut input = io::stdin().lock();
    let mut line = String::new();
    while input.read_line(&mut line)? > 0 {
        let numbers = line.split_whitespace().skip(1).map(str::parse);
        let numbers: Vec<usize> = numbers.collect::<Result<_, _>>()?;
        let [top_k, n_ivf_probe, n_full_scores, count] = numbers[..] else {
            return Err(format!("`{}` is not a request", line.trim()).into());
        };
        let settings = SearchParameters { top_k, n_ivf_probe, n_full_scores, ..Default::default() };
        for _ in 0..count {
            let query = query(&mut input, index.embedding_dim())?;
            let start = Instant::now();
            let found = index.search(&query, &settings, None)?;
            write!(output, "{}", start.elapsed().as_nanos())?;
            for document in found.passage_ids {
                write!(output, " {document}")?;
            }
            writeln!(output)?;
        }
        output.flush()?;
        line.clear();
    }
    Ok(())
}

fn query(input: &mut impl Read, dim: usize) -> Outcome<Array2<f32>> {
    let mut length = [0; 4];
    input.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    let mut bytes = vec![0; 4 * length * dim];
    input.read_exact(&mut bytes)?;
    let (values, _) = bytes.as_chunks::<4>();
    let values = values.iter().map(|&value| f32::from_le_bytes(value)).collect();
    Ok(Array2::from_shape_vec((length, dim), values)?)
}

fn size(folder: &Path) -> Outcome<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        sum += entry?.metadata()?.len();
    }
    Ok(sum)
}
