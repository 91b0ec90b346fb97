//! Tiny checkpoints, created in a temporary directory.

use std::path::Path;

use fastlane_model::{Activation, Architecture, BertFamily, CheckpointError};
use serde_json::{Value, json};

/// A tokenizer of 72 tokens.
pub(crate) const TOKENIZER: &str = include_str!("../fixtures/tokenizer.json");

/// An encoder with odd sizes, all different.
pub(crate) fn tiny() -> Architecture {
    Architecture {
        family: BertFamily::BERT.into(),
        layers: 2,
        hidden: 6,
        heads: 3,
        intermediate: 8,
        vocabulary: 72,
        positions: 40,
        token_types: 2,
        epsilon: 1e-12,
        activation: Activation::Gelu,
    }
}

/// Reproducible pseudo-random numbers between -1 and 1.
pub(crate) fn matrix(rows: usize, columns: usize) -> Vec<f32> {
    (0..rows * columns).map(|n| ((n * 7919 + 13) % 2003) as f32 / 1001.5 - 1.0).collect()
}

/// An encoder in memory: tensors by name, shape and values.
pub(crate) struct Encoder {
    pub(crate) architecture: Architecture,
    pub(crate) tensors: Vec<(String, Vec<usize>, Vec<f32>)>,
}

impl Encoder {
    pub(crate) fn new(architecture: Architecture) -> Self {
        let shapes = shapes(&architecture);
        let tensor = |(name, shape): (String, Vec<usize>)| {
            let values = matrix(shape[0], shape.get(1).copied().unwrap_or(1));
            (name, shape, values)
        };
        Self { tensors: shapes.into_iter().map(tensor).collect(), architecture }
    }

    /// The same encoder with all values multiplied.
    pub(crate) fn scaled(&self, factor: f32) -> Self {
        let mut tensors = self.tensors.clone();
        tensors.iter_mut().for_each(|(_, _, v)| v.iter_mut().for_each(|v| *v *= factor));
        Self { architecture: self.architecture.clone(), tensors }
    }

    pub(crate) fn values(&self, name: &str) -> Vec<f32> {
        self.tensors.iter().find(|(other, _, _)| other == name).unwrap().2.clone()
    }

    /// `config.json`, with some settings changed.
    pub(crate) fn config(&self, changes: &Value) -> Value {
        let of = &self.architecture;
        let mut config = json!({
            "architectures": ["BertModel"], "model_type": "bert", "hidden_size": of.hidden,
            "num_hidden_layers": of.layers, "num_attention_heads": of.heads,
            "intermediate_size": of.intermediate, "hidden_act": "gelu",
            "vocab_size": of.vocabulary, "max_position_embeddings": of.positions,
            "type_vocab_size": of.token_types, "layer_norm_eps": 1e-12,
            "position_embedding_type": "absolute",
        });
        for (key, value) in changes.as_object().unwrap() {
            config[key] = value.clone();
        }
        config
    }

    /// Writes config, weights and tokenizer; `prefix` is put before the tensor names.
    pub(crate) fn put(&self, folder: &Path, prefix: &str) {
        self.put_under(folder, |name| format!("{prefix}{name}"));
    }

    pub(crate) fn put_under(&self, folder: &Path, rename: impl Fn(&str) -> String) {
        put_json(folder, "config.json", &self.config(&json!({})));
        put(&folder.join("tokenizer.json"), TOKENIZER.as_bytes());
        put_tensors(&folder.join("model.safetensors"), &self.tensors, rename);
    }
}

/// Writes tensors as F32 by hand.
pub(crate) fn put_tensors(
    path: &Path,
    tensors: &[(String, Vec<usize>, Vec<f32>)],
    rename: impl Fn(&str) -> String,
) {
    let (mut header, mut data) = (json!({}), Vec::new());
    for (name, shape, values) in tensors {
        let start = data.len();
        data.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        header[rename(name)] =
            json!({ "dtype": "F32", "shape": shape, "data_offsets": [start, data.len()] });
    }
    put(path, &with_header(&header, &data));
}

/// A file of one tensor.
pub(crate) fn safetensors(name: &str, dtype: &str, shape: &[usize], data: &[u8]) -> Vec<u8> {
    let about = json!({ "dtype": dtype, "shape": shape, "data_offsets": [0, data.len()] });
    with_header(&json!({ name: about }), data)
}

pub(crate) fn with_header(header: &Value, data: &[u8]) -> Vec<u8> {
    let header = header.to_string();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

/// Writes a Dense module from `from` to `to` dimensions.
pub(crate) fn put_dense(folder: &Path, name: &str, (from, to): (usize, usize), bias: bool) {
    put_json(
        folder,
        &format!("{name}/config.json"),
        &json!({
            "in_features": from, "out_features": to, "bias": bias,
            "activation_function": "torch.nn.modules.linear.Identity",
        }),
    );
    let mut tensors = vec![("linear.weight".to_owned(), vec![to, from], matrix(to, from))];
    if bias {
        tensors.push(("linear.bias".to_owned(), vec![to], matrix(to, 1)));
    }
    put_tensors(&folder.join(name).join("model.safetensors"), &tensors, str::to_owned);
}

pub(crate) fn put_json(folder: &Path, name: &str, value: &Value) {
    put(&folder.join(name), value.to_string().as_bytes());
}

#[expect(clippy::disallowed_methods, reason = "a test file may be lost in a crash")]
pub(crate) fn put(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn shapes(of: &Architecture) -> Vec<(String, Vec<usize>)> {
    let bert = of.family == BertFamily::BERT.into();
    let mut all = vec![
        ("embeddings.word_embeddings.weight".to_owned(), vec![of.vocabulary, of.hidden]),
        ("embeddings.position_embeddings.weight".to_owned(), vec![of.positions, of.hidden]),
    ];
    if bert {
        let name = "embeddings.token_type_embeddings.weight".to_owned();
        all.push((name, vec![of.token_types, of.hidden]));
    }
    all.extend(pair("embeddings.LayerNorm", &[of.hidden]));
    let (h, i) = (of.hidden, of.intermediate);
    for layer in 0..of.layers {
        let parts: [(&str, Vec<usize>); 8] = match bert {
            true => [
                ("attention.self.query", vec![h, h]),
                ("attention.self.key", vec![h, h]),
                ("attention.self.value", vec![h, h]),
                ("attention.output.dense", vec![h, h]),
                ("attention.output.LayerNorm", vec![h]),
                ("intermediate.dense", vec![i, h]),
                ("output.dense", vec![h, i]),
                ("output.LayerNorm", vec![h]),
            ],
            false => [
                ("attention.q_lin", vec![h, h]),
                ("attention.k_lin", vec![h, h]),
                ("attention.v_lin", vec![h, h]),
                ("attention.out_lin", vec![h, h]),
                ("sa_layer_norm", vec![h]),
                ("ffn.lin1", vec![i, h]),
                ("ffn.lin2", vec![h, i]),
                ("output_layer_norm", vec![h]),
            ],
        };
        let start = if bert { "encoder" } else { "transformer" };
        for (name, shape) in parts {
            all.extend(pair(&format!("{start}.layer.{layer}.{name}"), &shape));
        }
    }
    all
}

/// A weight of the shape, and a bias of its first dimension.
fn pair(name: &str, shape: &[usize]) -> [(String, Vec<usize>); 2] {
    [(format!("{name}.weight"), shape.to_vec()), (format!("{name}.bias"), vec![shape[0]])]
}

/// The error with its causes and its hint, with shortened paths inside `folder`.
pub(crate) fn told(error: &CheckpointError, folder: &Path) -> String {
    let mut lines = vec![error.to_string()];
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        lines.push(format!("because: {error}"));
        cause = error.source();
    }
    lines.extend(error.hint().map(|hint| format!("hint: {hint}")));
    lines
        .join("\n")
        .replace(&format!("{}/", folder.display()), "")
        .replace(&folder.display().to_string(), "DIR")
}
