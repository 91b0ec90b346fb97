//! All trained parameters, by name.
//!
//! A name is that of the checkpoint, after its module: `document.` or `query.` and the name in
//! `transformers`, `document.dense.0.linear.weight`, `router.dense.bias`. One list has them all,
//! and is used for loading, updating, saving and writing.

use std::collections::BTreeMap;
use std::sync::Arc;

use burn_tensor::backend::Backend;
use burn_tensor::{Tensor, TensorData};

use crate::backend::{Device, Linear, Norm, Precision};

/// A trained tensor.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parameter {
    /// What it is called.
    pub(crate) name: String,
    /// Its shape in the checkpoint.
    pub(crate) shape: Vec<usize>,
    /// Its values, row by row.
    pub(crate) values: Vec<f32>,
}

/// The names and order of the parameters.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) names: Vec<String>,
    pub(crate) shapes: Vec<Vec<usize>>,
    places: BTreeMap<String, usize>,
}

/// Parameters on a device.
#[derive(Debug, Clone)]
pub(crate) struct Weights<B: Backend> {
    pub(crate) index: Arc<Index>,
    /// One table per name; a vector is a table of one row.
    pub(crate) tables: Vec<Tensor<B, 2>>,
    precision: Precision,
}

impl<B: Backend> Weights<B> {
    /// Moves parameters to a device, which multiplies with the given precision.
    pub(crate) fn new(
        parameters: Vec<Parameter>,
        precision: Precision,
        device: &B::Device,
    ) -> Self {
        let (mut names, mut shapes, mut tables) = (Vec::new(), Vec::new(), Vec::new());
        for Parameter { name, shape, values } in parameters {
            tables.push(table(&shape, values, device));
            names.push(name);
            shapes.push(shape);
        }
        let places = names.iter().cloned().zip(0..).collect();
        Self { index: Arc::new(Index { names, shapes, places }), tables, precision }
    }

    /// Copies the parameters back.
    pub(crate) fn parameters(&self) -> Vec<Parameter> {
        let each = self.index.names.iter().zip(&self.index.shapes).zip(&self.tables);
        each.map(|((name, shape), table)| Parameter {
            name: name.clone(),
            shape: shape.clone(),
            values: values(table),
        })
        .collect()
    }

    /// Whether there is a parameter of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.index.places.contains_key(name)
    }

    /// A parameter by its name.
    pub(crate) fn get(&self, name: &str) -> Tensor<B, 2> {
        let place = self.index.places.get(name).expect("the architecture lists what it asks for");
        self.tables[*place].clone()
    }

    /// A linear map, with a bias if there is one.
    pub(crate) fn linear(&self, name: &str) -> Linear<B> {
        let bias = format!("{name}.bias");
        let bias = self.has(&bias).then(|| self.get(&bias));
        let weight = self.get(&format!("{name}.weight"));
        Linear { weight, bias, precision: self.precision }
    }

    /// A layer norm.
    pub(crate) fn norm(&self, name: &str, epsilon: f32) -> Norm<B> {
        let part = |part: &str| self.get(&format!("{name}.{part}"));
        Norm { weight: part("weight"), bias: part("bias"), epsilon }
    }

    /// The same parameters, with gradients for the chosen ones.
    pub(crate) fn tracked<D: Device<InnerBackend = B>>(
        &self,
        learns: impl Fn(usize) -> bool,
    ) -> Weights<D> {
        let track = |(place, table): (usize, &Tensor<B, 2>)| {
            let table = Tensor::from_inner(table.clone());
            if learns(place) { table.require_grad() } else { table }
        };
        let tables = self.tables.iter().enumerate().map(track).collect();
        Weights { index: Arc::clone(&self.index), tables, precision: self.precision }
    }
}

/// Creates a table on a device: a vector is one row.
pub(crate) fn table<B: Backend>(
    shape: &[usize],
    values: Vec<f32>,
    device: &B::Device,
) -> Tensor<B, 2> {
    let columns = shape.last().copied().unwrap_or(1);
    let rows = values.len() / columns.max(1);
    Tensor::from_data(TensorData::new(values, [rows, columns]), device)
}

/// Copies numbers from a device.
pub(crate) fn values<B: Backend, const D: usize>(tensor: &Tensor<B, D>) -> Vec<f32> {
    tensor.to_data().to_vec().expect("all tables are of f32")
}
