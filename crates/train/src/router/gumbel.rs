//! The paper's estimator: mask, Gumbel noise, and a hard pick with the gradient of a soft one.
//!
//! ```text
//! alpha'_i = alpha_i [alpha_i >= 1/m] + eps, renormalised       (section 3 of the paper, our reading)
//! y = softmax((ln alpha' + g)/tau),  g_i = -ln(-ln u_i)           (equation 4)
//! w = onehot(argmax y) - y.detach() + y
//! ```

use burn_tensor::{Tensor, TensorData, activation};

use crate::architecture::{nothing, values};
use crate::backend::{Device, Spans, hash};

/// The parameters of a pick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pick {
    /// The floor of each share; 0 for none.
    pub(crate) epsilon: f32,
    /// Whether shares below 1/m are masked.
    pub(crate) mask: bool,
    /// The seed of the noise; `None` without noise.
    pub(crate) noise: Option<u32>,
    /// The temperature of the pick.
    pub(crate) tau: f32,
    /// Whether the forward pass uses a hard pick.
    pub(crate) straight_through: bool,
    /// The number of lanes to pick.
    pub(crate) lanes: usize,
}

/// The weight of each token's lane, `[queries, longest]`, with the gradient of the soft pick.
pub(crate) fn pick<D: Device>(alpha: Tensor<D, 2>, spans: &Spans, pick: &Pick) -> Tensor<D, 2> {
    let device = alpha.device();
    let floored = floored(alpha, spans, pick);
    let noise = match pick.noise {
        Some(seed) => noise::<D>(seed, spans, &device),
        None => Tensor::zeros(floored.dims(), &device),
    };
    // avoids the logarithm of 0 where there is no token
    let fits = floored.clone().clamp_min(1e-20).log() + noise;
    let soft = activation::softmax(fits / pick.tau + nothing::<D>(spans, &device), 1);
    if !pick.straight_through {
        return soft;
    }
    let hard = picked(&soft, spans, pick.lanes);
    let kept = floored * hard;
    let share = kept.clone() / kept.sum_dim(1);
    share + soft.clone() - soft.detach()
}

/// 1 for the best tokens of each query, 0 for the others.
pub(crate) fn picked<D: Device>(
    shares: &Tensor<D, 2>,
    spans: &Spans,
    lanes: usize,
) -> Tensor<D, 2> {
    let [texts, longest] = shares.dims();
    let all = values(shares);
    let mut hard = vec![0.0_f32; all.len()];
    for (text, span) in spans.iter().enumerate() {
        let row = &all[text * longest..][..span.len()];
        let mut order: Vec<usize> = (0..row.len()).collect();
        order.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
        order.iter().take(lanes).for_each(|&at| hard[text * longest + at] = 1.0);
    }
    Tensor::from_data(TensorData::new(hard, [texts, longest]), &shares.device())
}

/// Masks small shares, and applies a floor to those of real tokens.
fn floored<D: Device>(alpha: Tensor<D, 2>, spans: &Spans, pick: &Pick) -> Tensor<D, 2> {
    let [texts, longest] = alpha.dims();
    let device = alpha.device();
    let found = values(&alpha);
    let (mut keep, mut floor) = (vec![0.0; found.len()], vec![0.0; found.len()]);
    for (text, span) in spans.iter().enumerate() {
        for at in text * longest..text * longest + span.len() {
            let small = found[at] * (span.len() as f32) < 1.0 - 1e-6;
            keep[at] = if pick.mask && small { 0.0 } else { 1.0 };
            floor[at] = pick.epsilon;
        }
    }
    let tensor =
        |values| Tensor::<D, 2>::from_data(TensorData::new(values, [texts, longest]), &device);
    let shares = alpha * tensor(keep) + tensor(floor);
    shares.clone() / shares.sum_dim(1)
}

/// Gumbel noise: the argmax of `ln p + g` is distributed as p.
fn noise<D: Device>(seed: u32, spans: &Spans, device: &D::Device) -> Tensor<D, 2> {
    let shape = [spans.count(), spans.longest()];
    let gumbel = |place| {
        // never 0 nor 1
        let uniform = (f64::from(hash(seed, place)) + 0.5) / 4_294_967_296.0;
        (-(-uniform.ln()).ln()) as f32
    };
    let noise: Vec<f32> = (0..(shape[0] * shape[1]) as u32).map(gumbel).collect();
    Tensor::from_data(TensorData::new(noise, shape), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{Cpu, alone};
    use burn_tensor::Tensor;

    const PAPER: Pick =
        Pick { epsilon: 0.05, mask: true, noise: None, tau: 1.0, straight_through: true, lanes: 1 };

    fn tensor(values: &[f32]) -> Tensor<Cpu, 2> {
        let data = TensorData::new(values.to_vec(), [1, values.len()]);
        Tensor::from_data(data, &Default::default())
    }

    #[test]
    fn the_floor_by_hand() {
        // 0.2 is below 1/4 and masked; with 0.05 each: 0.35, 0.05, 0.35, 0.45 of 1.2
        let spans = Spans::new([4]);
        let found = values(&floored(tensor(&[0.3, 0.2, 0.3, 0.4]), &spans, &PAPER));
        let wanted = [0.35, 0.05, 0.35, 0.45].map(|share| share / 1.2);
        assert!(found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
        // all alike: none is below its share
        let found = values(&floored(tensor(&[0.25; 4]), &spans, &PAPER));
        assert!(found.iter().all(|share| (share - 0.25).abs() < 1e-6), "{found:?}");
    }

    #[test]
    fn one_lane_is_picked_and_its_gradient_is_the_soft_ones() {
        let spans = Spans::new([3]);
        let (alpha, soft) = ([0.2, 0.5, 0.3], Pick { straight_through: false, ..PAPER });
        let _alone = alone();
        let gradient = |how: &Pick| {
            let alpha = tensor(&alpha).require_grad();
            let picked = pick(alpha.clone(), &spans, how);
            let result = values(&picked);
            let gradients = (picked * tensor(&[1.0, -2.0, 4.0])).sum().backward();
            (result, values(&alpha.grad(&gradients).unwrap()))
        };
        let (hard, hard_gradient) = gradient(&PAPER);
        let (_, soft_gradient) = gradient(&soft);
        assert!(hard.iter().zip([0.0, 1.0, 0.0]).all(|(a, b)| (a - b).abs() < 1e-6), "{hard:?}");
        let close = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-6;
        assert!(hard_gradient.iter().zip(&soft_gradient).all(close));
        assert!(soft_gradient.iter().any(|gradient| gradient.abs() > 0.1));
    }

    #[test]
    fn two_lanes_share_by_alpha() {
        let how = Pick { epsilon: 0.0, mask: false, lanes: 2, ..PAPER };
        let found = values(&pick(tensor(&[0.1, 0.6, 0.3]), &Spans::new([3]), &how));
        let wanted = [0.0, 2.0 / 3.0, 1.0 / 3.0];
        assert!(found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
    }

    #[test]
    fn picks_are_as_frequent_as_their_shares() {
        let alpha = [0.1, 0.2, 0.3, 0.4_f32];
        let (texts, spans) = (2_000, Spans::new(vec![4; 2_000]));
        let many = TensorData::new(alpha.repeat(texts), [texts, 4]);
        let many = Tensor::<Cpu, 2>::from_data(many, &Default::default());
        let mut counts = [0.0_f64; 4];
        for seed in 0..10 {
            let how = Pick { epsilon: 0.0, mask: false, noise: Some(seed), ..PAPER };
            for row in values(&pick(many.clone(), &spans, &how)).chunks(4) {
                let best = (0..4).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
                counts[best] += 1.0;
            }
        }
        let wanted = alpha.map(|share| f64::from(share) * 20_000.0);
        let chi: f64 = counts.iter().zip(wanted).map(|(n, w)| (n - w).powi(2) / w).sum();
        // three degrees of freedom: 16.3 is passed once in a thousand
        assert!(chi < 16.3, "{chi}: {counts:?}");
    }
}
