//! Operations with hand-written gradients in the graph of the tensor library.

use std::fmt::Debug;

use burn_autodiff::Autodiff;
use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::checkpoint::strategy::NoCheckpointing;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use burn_flex::{Flex, FlexTensor};
use burn_tensor::{Tensor, TensorData, TensorPrimitive};

use super::Cpu;

/// A table of numbers, row by row.
#[derive(Debug, Clone)]
pub(super) struct Table(FlexTensor);

impl Table {
    pub(super) fn new(values: Vec<f32>, rows: usize) -> Self {
        let columns = values.len().checked_div(rows).unwrap_or(0);
        Self(FlexTensor::from_data(TensorData::new(values, [rows, columns])))
    }

    /// A table of the library, copied if its rows are not contiguous.
    pub(super) fn of(tensor: FlexTensor) -> Self {
        match tensor.as_slice::<f32>() {
            Some(_) => Self(tensor),
            None => Self(tensor.to_contiguous()),
        }
    }

    pub(super) fn of_tensor(tensor: Tensor<Flex, 2>) -> Self {
        Self::of(tensor.into_primitive().tensor())
    }

    pub(super) fn into_tensor(self) -> Tensor<Flex, 2> {
        Tensor::from_primitive(TensorPrimitive::Float(self.0))
    }

    pub(super) fn values(&self) -> &[f32] {
        self.0.as_slice().expect("a table is made contiguous, of f32")
    }

    /// The values, for changes in place if they are not shared.
    pub(super) fn values_mut(&mut self) -> &mut [f32] {
        let whole = self.rows() * self.columns();
        if self.0.storage::<f32>().len() != whole {
            self.0 = self.0.to_contiguous();
        }
        self.0.storage_mut()
    }

    pub(super) fn rows(&self) -> usize {
        self.0.layout().shape()[0]
    }

    pub(super) fn columns(&self) -> usize {
        self.0.layout().shape()[1]
    }

    /// `self · other`, or with one of them transposed.
    pub(super) fn times(&self, other: &Self, turned: Turned) -> Self {
        let turn = |table: &Self| {
            let layout = table.0.layout().transpose(0, 1);
            table.0.clone().with_layout(layout)
        };
        let (left, right) = match turned {
            Turned::Left => (turn(self), other.0.clone()),
            Turned::Neither => (self.0.clone(), other.0.clone()),
            Turned::Right => (self.0.clone(), turn(other)),
        };
        Self(burn_flex::ops::matmul::matmul(left, right))
    }
}

/// The factor of a product that is transposed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Turned {
    Left,
    Neither,
    Right,
}

/// An operation on `N` tables.
pub(super) trait Operation<const N: usize>: Clone + Debug + Send + 'static {
    /// The data that the backward pass needs.
    type Kept: Clone + Debug + Send + 'static;

    /// Computes the result.
    fn forward(&self, inputs: [Table; N]) -> (Table, Self::Kept);

    /// Computes the gradients of the inputs that need one from the gradient of the result.
    fn backward(&self, kept: Self::Kept, gradient: Table, wanted: [bool; N]) -> [Option<Table>; N];
}

/// Computes an operation, and records it for the backward pass.
pub(super) fn record<O: Operation<N>, const N: usize>(
    operation: O,
    inputs: [Tensor<Cpu, 2>; N],
) -> Tensor<Cpu, 2> {
    let inputs = inputs.map(|input| input.into_primitive().tensor());
    let nodes = inputs.each_ref().map(|input| input.node.clone());
    let (output, kept) = operation.forward(inputs.map(|input| Table::of(input.primitive)));
    let prepared = Recorded { operation }.prepare::<NoCheckpointing>(nodes);
    let tensor = match prepared.compute_bound().stateful() {
        OpsKind::Tracked(tracked) => tracked.finish(kept, output.0),
        OpsKind::UnTracked(untracked) => untracked.finish(output.0),
    };
    Tensor::<Autodiff<Flex>, 2>::from_primitive(TensorPrimitive::Float(tensor))
}

#[derive(Debug)]
struct Recorded<O> {
    operation: O,
}

impl<O: Operation<N>, const N: usize> Backward<Flex, N> for Recorded<O> {
    type State = O::Kept;

    fn backward(self, ops: Ops<O::Kept, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = Table::of(grads.consume::<Flex>(&ops.node));
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let found = self.operation.backward(ops.state, gradient, wanted);
        for (parent, gradient) in ops.parents.into_iter().zip(found) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                grads.register::<Flex>(parent.id, gradient.0);
            }
        }
    }
}
