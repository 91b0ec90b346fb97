//! Losses against values computed by hand.

use super::balance::{balance, entropy};
use super::contrastive::contrastive;
use super::teacher::teacher;
use super::*;
use crate::architecture::values;
use crate::backend::Cpu;
use Relation::{Ignored, Negative, Positive};

fn tensor<const N: usize>(values: &[f32], shape: [usize; N]) -> Tensor<Cpu, N> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &Default::default())
}

fn targets(relations: &[Relation], queries: usize) -> Targets<Cpu> {
    Targets::new(relations, queries, &Default::default())
}

fn close(found: &Tensor<Cpu, 1>, wanted: f32) {
    let found = values(found)[0];
    assert!((found - wanted).abs() < 1e-5, "{found}, wanted {wanted}");
}

#[test]
fn contrastive_by_hand() {
    // e^s is 2, 1, 1 and 1, 3, 4: half and three eighths are right
    let scores = [2.0_f32, 1.0, 1.0, 1.0, 3.0, 4.0].map(f32::ln);
    let relations = [Positive, Negative, Negative, Negative, Positive, Negative];
    let wanted = (2.0_f32.ln() + (8.0_f32 / 3.0).ln()) / 2.0;
    close(&contrastive(tensor(&scores, [2, 3]), &targets(&relations, 2)), wanted);
}

#[test]
fn what_is_ignored_takes_no_part_and_positives_add_up() {
    let scores = tensor(&[2.0_f32, 1.0, 3.0, 50.0].map(f32::ln), [1, 4]);
    let relations = [Positive, Positive, Negative, Ignored];
    close(&contrastive(scores, &targets(&relations, 1)), 2.0_f32.ln());
}

#[test]
fn mixture_by_hand() {
    // lane 0 gives the right one 1/2, lane 1 gives it 3/4; alpha is 1/3 and 2/3
    let scores = tensor(&[1.0_f32, 1.0, 3.0, 1.0].map(f32::ln), [1, 2, 2]);
    let alpha = tensor(&[1.0_f32 / 3.0, 2.0 / 3.0].map(f32::ln), [1, 2]);
    let wanted = -(1.0_f32 / 6.0 + 0.5).ln();
    close(&mixture(scores, alpha, &targets(&[Positive, Negative], 1)), wanted);
}

#[test]
fn a_lane_without_a_token_changes_nothing() {
    let scores = tensor(&[1.0_f32, 1.0, 3.0, 1.0].map(f32::ln), [1, 2, 2]);
    let alpha = tensor(&[0.0, NOTHING], [1, 2]);
    close(&mixture(scores, alpha, &targets(&[Positive, Negative], 1)), 2.0_f32.ln());
}

#[test]
fn the_teacher_by_hand() {
    // the teacher's shares are 3/4 and 1/4, ours 1/2 and 1/2; it has no score for the third, and
    // only one for the second query
    let scores = tensor(&[1.0, 1.0, 9.0, 1.0, 2.0, 3.0], [2, 3]);
    let nan = f32::NAN;
    let known = [3.0_f32.ln() * 2.0, 0.0, nan, 5.0, nan, nan];
    let wanted = 0.75 * (1.5_f32).ln() + 0.25 * (0.5_f32).ln();
    close(&teacher(scores.clone(), &known, 2.0), wanted);
    close(&teacher(scores, &[nan; 6], 1.0), 0.0);
}

#[test]
fn entropy_and_balance_by_hand() {
    let alpha = tensor(&[0.5, 0.5, 1.0, 0.0], [2, 2]);
    close(&entropy(alpha.clone()), 0.5 * 2.0_f32.ln());
    // the mean is 3/4 and 1/4
    close(&balance(alpha), 0.75 * 0.75_f32.ln() + 0.25 * 0.25_f32.ln());
}
