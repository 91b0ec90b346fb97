//! The CPU: the expensive operations of training, fused by hand.

mod adam;
mod attention;
mod drop;
mod gelu;
mod linear;
mod loops;
mod max_sim;
mod norm;
mod operation;
mod rows;

use burn_autodiff::Autodiff;
use burn_flex::Flex;
use burn_tensor::Tensor;

use super::{AdamStep, AdamTable, Attention, Device, Dropout, Linear, Norm, Spans};
use operation::{Table, record};

/// Trains on the CPU.
pub type Cpu = Autodiff<Flex>;

impl Device for Cpu {
    fn rows(table: Tensor<Self, 2>, numbers: &[u32]) -> Tensor<Self, 2> {
        record(rows::Rows { numbers: numbers.into() }, [table])
    }

    fn affine(x: Tensor<Self, 2>, layer: &Linear<Self>) -> Tensor<Self, 2> {
        match layer.bias.clone() {
            Some(bias) => record(linear::TimesPlus, [x, layer.weight.clone(), bias]),
            None => record(linear::Times, [x, layer.weight.clone()]),
        }
    }

    fn norm(x: Tensor<Self, 2>, residual: Tensor<Self, 2>, norm: &Norm<Self>) -> Tensor<Self, 2> {
        let inputs = [x, residual, norm.weight.clone(), norm.bias.clone()];
        record(norm::SumNorm { epsilon: norm.epsilon }, inputs)
    }

    fn gelu_of(x: Tensor<Self, 2>) -> Tensor<Self, 2> {
        record(gelu::Gelu, [x])
    }

    fn attend(input: Attention<Self>) -> Tensor<Self, 2> {
        let Attention { parts, spans, attended, heads, dropout, precision: _ } = input;
        record(attention::Attend { spans, attended, heads, dropout }, parts)
    }

    fn dropout(x: Tensor<Self, 2>, dropout: Dropout) -> Tensor<Self, 2> {
        match dropout.rate > 0.0 {
            true => record(drop::Drop { dropout }, [x]),
            false => x,
        }
    }

    fn max_sim(
        queries: Tensor<Self, 2>,
        documents: Tensor<Self, 2>,
        spans: &Spans,
    ) -> Tensor<Self, 2> {
        record(max_sim::MaxSim { spans: spans.clone() }, [queries, documents])
    }

    fn adamw(table: AdamTable<Flex>, step: AdamStep) -> AdamTable<Flex> {
        adam::adamw(table, step)
    }

    fn squares(x: &Tensor<Flex, 2>) -> f64 {
        adam::squares(&Table::of_tensor(x.clone()))
    }
}
