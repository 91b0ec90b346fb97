//! Every fused operation and its gradient against the plain form.

use burn_tensor::{Tensor, TensorData};
use proptest::prelude::*;

use super::*;

type Inner = <Cpu as AutodiffBackend>::InnerBackend;
/// Computes an operation on some inputs.
type Compute<'a, const N: usize> = &'a dyn Fn([Tensor<Cpu, 2>; N]) -> Tensor<Cpu, 2>;

/// Numbers between -1 and 1 that look random.
fn numbers(seed: u32, shape: [usize; 2]) -> Tensor<Cpu, 2> {
    let value = |place| (hash(seed, place) >> 8) as f32 / 8_388_608.0 - 1.0;
    let values: Vec<f32> = (0..(shape[0] * shape[1]) as u32).map(value).collect();
    Tensor::from_data(TensorData::new(values, shape), &Default::default())
}

fn values(tensor: Tensor<Inner, 2>) -> Vec<f32> {
    tensor.into_data().to_vec().unwrap()
}

/// The result and the gradients of a sum of its values with fixed factors.
fn results<const N: usize>(compute: Compute<'_, N>, inputs: [Tensor<Cpu, 2>; N]) -> Vec<Vec<f32>> {
    let _alone = alone();
    let inputs = inputs.map(|input| Tensor::from_inner(input.inner()).require_grad());
    let output = compute(inputs.clone());
    let factors = numbers(99, output.dims());
    let gradients = (output.clone() * factors).sum().backward();
    let gradient = |input: &Tensor<Cpu, 2>| values(input.grad(&gradients).unwrap());
    std::iter::once(values(output.inner())).chain(inputs.iter().map(gradient)).collect()
}

fn compare<const N: usize>(
    fused: Compute<'_, N>,
    plain: Compute<'_, N>,
    inputs: [Tensor<Cpu, 2>; N],
) -> Result<(), TestCaseError> {
    let (found, wanted) = (results(fused, inputs.clone()), results(plain, inputs));
    for (part, (found, wanted)) in found.iter().zip(&wanted).enumerate() {
        prop_assert_eq!(found.len(), wanted.len());
        for (found, wanted) in found.iter().zip(wanted) {
            let close = (found - wanted).abs() <= 2e-5 * wanted.abs().max(1.0);
            prop_assert!(close, "part {part}: {found}, wanted {wanted}");
        }
    }
    Ok(())
}

/// Lengths of texts, some without tokens.
fn lengths() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..20_usize, 1..5)
        .prop_filter("at least one token", |lengths| lengths.iter().sum::<usize>() > 0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn linear_maps(rows in 1..40_usize, from in 1..40_usize, to in 1..70_usize, biased: bool) {
        let inputs = [numbers(1, [rows, from]), numbers(2, [to, from]), numbers(3, [1, to])];
        let layer = |weight: &Tensor<Cpu, 2>, bias: &Tensor<Cpu, 2>| Linear {
            weight: weight.clone(),
            bias: biased.then(|| bias.clone()),
            precision: Precision::F32,
        };
        // a bias that is not used has no gradient: it is added afterwards in both
        let after = |y: Tensor<Cpu, 2>, bias| if biased { y } else { y + bias };
        compare(
            &|[x, w, b]| after(Cpu::affine(x, &layer(&w, &b)), b),
            &|[x, w, b]| after(composite::linear(x, &layer(&w, &b)), b),
            inputs,
        )?;
    }

    #[test]
    fn products_of_bf16_are_near_those_of_f32(rows in 1..20_usize, from in 1..40_usize) {
        let inputs = [numbers(1, [rows, from]), numbers(2, [9, from])];
        let of = |precision| {
            let linear = move |[x, weight]: [Tensor<Cpu, 2>; 2]| {
                composite::linear(x, &Linear { weight, bias: None, precision })
            };
            results(&linear, inputs.clone())
        };
        let (rounded, exact) = (of(Precision::Bf16), of(Precision::F32));
        let parts = rounded.iter().flatten().zip(exact.iter().flatten());
        // each factor is off by at most a 256th, and so is the result
        let most = 3.0 / 256.0 * from.max(rows).max(9) as f32;
        for (rounded, exact) in parts {
            prop_assert!((rounded - exact).abs() <= most, "{rounded} {exact}");
        }
        prop_assert!(rounded != exact, "nothing was rounded");
    }

    #[test]
    fn layer_norms(rows in 1..40_usize, length in 2..70_usize) {
        let shape = [rows, length];
        let inputs = [(1, shape), (2, shape), (3, [1, length]), (4, [1, length])];
        let norm = |weight, bias| Norm { weight, bias, epsilon: 1e-3 };
        compare(
            &|[x, residual, weight, bias]| Cpu::norm(x, residual, &norm(weight, bias)),
            &|[x, residual, weight, bias]| composite::norm(x, residual, &norm(weight, bias)),
            inputs.map(|(seed, shape)| numbers(seed, shape)),
        )?;
    }

    #[test]
    fn gelus(rows in 1..10_usize, scale in 0.1..30.0_f32) {
        let x = numbers(1, [rows, 37]) * scale;
        compare(&|[x]| Cpu::gelu_of(x), &|[x]| burn_tensor::activation::gelu(x), [x])?;
    }

    #[test]
    fn attentions(
        lengths in lengths(), heads in 1..4_usize, width in 1..40_usize, seen in 1..25_usize,
        drop: bool,
    ) {
        let spans = Spans::new(lengths);
        let shape = [spans.rows(), heads * width];
        let dropout = if drop { Dropout { rate: 0.3, seed: 5 } } else { Dropout::NONE };
        let attended: Vec<usize> = spans.iter().map(|span| span.len().min(seen)).collect();
        let input = |parts| {
            let (spans, attended) = (spans.clone(), attended.clone());
            Attention { parts, spans, attended, heads, dropout, precision: Precision::F32 }
        };
        compare(
            &|parts| Cpu::attend(input(parts)),
            &|parts| composite::attention(input(parts), composite::kept_attention),
            [numbers(1, shape) * 3.0, numbers(2, shape) * 3.0, numbers(3, shape)],
        )?;
    }

    #[test]
    fn best_products(rows in 1..100_usize, lengths in lengths(), dim in 1..40_usize) {
        let spans = Spans::new(lengths);
        compare(
            &|[queries, documents]| Cpu::max_sim(queries, documents, &spans),
            &|[queries, documents]| composite::max_sim(queries, documents, &spans),
            [numbers(1, [rows, dim]), numbers(2, [spans.rows(), dim])],
        )?;
    }

    #[test]
    fn dropouts(rows in 1..10_usize, seed: u32) {
        let dropout = Dropout { rate: 0.4, seed };
        compare(
            &|[x]| Cpu::dropout(x, dropout),
            &|[x]| composite::dropout(x, dropout),
            [numbers(1, [rows, 37])],
        )?;
    }

    #[test]
    fn rows_of_tables(wanted in prop::collection::vec(0..9_u32, 1..30)) {
        compare(
            &|[table]| Cpu::rows(table, &wanted),
            &|[table]| composite::rows(table, &wanted),
            [numbers(1, [9, 17])],
        )?;
    }

    #[test]
    fn steps_of_the_optimiser(number in 1..50_i32, scale in 0.1..1.0_f32, rows in 1..9_usize) {
        let inner = |seed| numbers(seed, [rows, 33]).inner();
        let square = inner(4).clone() * inner(4);
        let table = AdamTable { values: inner(1), gradient: inner(2), mean: inner(3), square };
        let betas = [0.9, 0.999];
        let step = AdamStep { rate: 0.1, betas, epsilon: 1e-8, decay: 0.01, scale, number };
        let (found, wanted) = (Cpu::adamw(table.clone(), step), composite::adamw(table, step));
        let pairs = [(found.values, wanted.values), (found.mean, wanted.mean)];
        for (found, wanted) in pairs.map(|(found, wanted)| (values(found), values(wanted))) {
            let close = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-5 * b.abs().max(1.0);
            prop_assert!(found.iter().zip(&wanted).all(close), "{found:?} {wanted:?}");
        }
        let squares: f64 = values(inner(2)).iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        prop_assert!((Cpu::squares(&inner(2)) - squares).abs() < 1e-4 * squares);
    }
}
