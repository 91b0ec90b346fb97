//! Each operation in the tensor library's own operations: for any device, and as a reference.

use burn_tensor::backend::Backend;
use burn_tensor::{Bool, FloatDType, Int, Tensor, TensorData, activation};

use super::{AdamStep, AdamTable, Attention, Dropout, Linear, Norm, Precision, Spans};

pub(super) fn numbers<B: Backend>(
    numbers: impl IntoIterator<Item = usize>,
    device: &B::Device,
) -> Tensor<B, 1, Int> {
    let numbers: Vec<i64> = numbers.into_iter().map(|number| number as i64).collect();
    let count = numbers.len();
    Tensor::from_data(TensorData::new(numbers, [count]), device)
}

pub(super) fn rows<B: Backend>(table: Tensor<B, 2>, wanted: &[u32]) -> Tensor<B, 2> {
    let device = table.device();
    table.select(0, numbers(wanted.iter().map(|&number| number as usize), &device))
}

pub(super) fn linear<B: Backend>(x: Tensor<B, 2>, layer: &Linear<B>) -> Tensor<B, 2> {
    let y = product(x, layer.weight.clone().transpose(), layer.precision);
    match &layer.bias {
        Some(bias) => y + bias.clone(),
        None => y,
    }
}

/// A product of tables.
fn product<B: Backend, const N: usize>(
    a: Tensor<B, N>,
    b: Tensor<B, N>,
    precision: Precision,
) -> Tensor<B, N> {
    match precision {
        Precision::F32 => a.matmul(b),
        Precision::Bf16 => {
            a.cast(FloatDType::BF16).matmul(b.cast(FloatDType::BF16)).cast(FloatDType::F32)
        }
    }
}

pub(super) fn norm<B: Backend>(
    x: Tensor<B, 2>,
    residual: Tensor<B, 2>,
    norm: &Norm<B>,
) -> Tensor<B, 2> {
    let x = x + residual;
    let x = x.clone() - x.mean_dim(1);
    let variance = (x.clone() * x.clone()).mean_dim(1);
    x / (variance + norm.epsilon).sqrt() * norm.weight.clone() + norm.bias.clone()
}

/// Attention; `kept` has the dropout factors of each head's shares, if there is dropout.
pub(super) fn attention<B: Backend>(
    input: Attention<B>,
    kept: impl FnOnce(&Spans, usize, Dropout, &B::Device) -> Tensor<B, 4>,
) -> Tensor<B, 2> {
    let Attention { parts, spans, attended, heads, dropout, precision } = input;
    let (texts, longest) = (spans.count(), spans.longest());
    let width = parts[0].dims()[1];
    let device = parts[0].device();
    let padded = numbers::<B>(spans.padded(), &device);
    let [queries, keys, values] = parts.map(|part| {
        let part = part.select(0, padded.clone());
        part.reshape([texts, longest, heads, width / heads]).swap_dims(1, 2)
    });
    let fits = product(queries, keys.transpose(), precision) / ((width / heads) as f32).sqrt();
    let unseen = attended.iter().flat_map(|&count| (0..longest).map(move |at| at >= count));
    let unseen = TensorData::new(unseen.collect::<Vec<bool>>(), [texts, 1, 1, longest]);
    let absent = Tensor::<B, 4, Bool>::from_data(unseen, &device);
    let fits = fits.mask_fill(absent.expand([texts, heads, longest, longest]), -1e9);
    let mut shares = activation::softmax(fits, 3);
    if dropout.rate > 0.0 {
        shares = shares * kept(&spans, heads, dropout, &device);
    }
    let seen = product(shares, values, precision).swap_dims(1, 2).reshape([texts * longest, width]);
    seen.select(0, numbers(spans.places(), &device))
}

/// The padding of the padded table.
pub(super) fn absent<B: Backend>(spans: &Spans, device: &B::Device) -> Tensor<B, 1, Bool> {
    let absent: Vec<bool> = spans.real().into_iter().map(|real| !real).collect();
    let count = absent.len();
    Tensor::from_data(TensorData::new(absent, [count]), device)
}

/// The dropout factors of the attention shares: text by text, head by head.
pub(super) fn kept_attention<B: Backend>(
    spans: &Spans,
    heads: usize,
    dropout: Dropout,
    device: &B::Device,
) -> Tensor<B, 4> {
    let longest = spans.longest();
    let mut factors = Vec::with_capacity(spans.count() * heads * longest * longest);
    for table in 0..(spans.count() * heads) as u32 {
        let dropout = dropout.of(table);
        let length = spans.of(table as usize / heads).len();
        for (row, column) in (0..longest).flat_map(|row| (0..longest).map(move |at| (row, at))) {
            let real = row < length && column < length;
            let place = (row * length + column) as u32;
            factors.push(if real { dropout.factor(place) } else { 0.0 });
        }
    }
    Tensor::from_data(TensorData::new(factors, [spans.count(), heads, longest, longest]), device)
}

pub(super) fn dropout<B: Backend>(x: Tensor<B, 2>, dropout: Dropout) -> Tensor<B, 2> {
    if dropout.rate == 0.0 {
        return x;
    }
    let [rows, columns] = x.dims();
    let factors: Vec<f32> = (0..(rows * columns) as u32).map(|at| dropout.factor(at)).collect();
    let device = x.device();
    x * Tensor::from_data(TensorData::new(factors, [rows, columns]), &device)
}

pub(super) fn max_sim<B: Backend>(
    queries: Tensor<B, 2>,
    documents: Tensor<B, 2>,
    spans: &Spans,
) -> Tensor<B, 2> {
    let (rows, count, longest) = (queries.dims()[0], spans.count(), spans.longest());
    if longest == 0 {
        return Tensor::zeros([rows, count], &queries.device());
    }
    let device = queries.device();
    let padded = documents.select(0, numbers(spans.padded(), &device));
    let products = queries.matmul(padded.transpose());
    let absent = absent::<B>(spans, &device).reshape([1, count * longest]);
    let products = products.mask_fill(absent.expand([rows, count * longest]), -1e9);
    let best = products.reshape([rows, count, longest]).max_dim(2).reshape([rows, count]);
    let empty: Vec<bool> = spans.iter().map(|span| span.is_empty()).collect();
    let empty = Tensor::<B, 2, Bool>::from_data(TensorData::new(empty, [1, count]), &device);
    best.mask_fill(empty.expand([rows, count]), 0.0)
}

pub(super) fn adamw<B: Backend>(table: AdamTable<B>, step: AdamStep) -> AdamTable<B> {
    let AdamTable { values, gradient, mean, square } = table;
    let AdamStep { rate, betas, epsilon, decay, scale, number } = step;
    let scaled = gradient.clone() * scale;
    let mean = mean * betas[0] + scaled.clone() * (1.0 - betas[0]);
    let square = square * betas[1] + scaled.clone() * scaled * (1.0 - betas[1]);
    let [first, second] = betas.map(|beta| 1.0 - beta.powi(number));
    let length = (square.clone() / second).sqrt() + epsilon;
    let values = values * (1.0 - rate * decay) - mean.clone() / first / length * rate;
    AdamTable { values, gradient, mean, square }
}
