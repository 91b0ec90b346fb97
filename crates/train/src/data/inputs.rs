//! Batches of texts as input of the network.

use burn_tensor::{Tensor, TensorData};

use crate::architecture::{Input, TokenRows};
use crate::backend::Device;
use crate::data::{DataError, States, TokenTable};

/// Gathers the tokens of texts, and their states where the encoder is frozen.
pub(crate) fn input<D: Device>(
    texts: &[u32],
    tokens: &TokenTable,
    states: Option<&States>,
    device: &D::Device,
) -> Result<Input<D>, DataError> {
    let rows = TokenRows::new(texts.iter().map(|&text| (tokens.of(text), tokens.attended(text))));
    let states = match states {
        None => None,
        Some(states) => {
            let mut values = Vec::new();
            for &text in texts {
                states.read(tokens.start(text), tokens.of(text).len(), &mut values)?;
            }
            let count = rows.spans.rows();
            let hidden = values.len() / count.max(1);
            Some(Tensor::from_data(TensorData::new(values, [count, hidden]), device))
        }
    };
    Ok(Input { tokens: rows, states })
}
