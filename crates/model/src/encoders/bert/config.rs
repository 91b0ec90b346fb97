//! The settings of an architecture with BERT's layers in `config.json`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::family::BertFamily;
use crate::encoders::architecture::{Activation, Architecture};
use crate::encoders::config::{Config, written};
use crate::error::CheckpointError;

/// The settings under BERT's and DistilBERT's names.
#[derive(Debug, Deserialize)]
struct Settings {
    #[serde(alias = "dim")]
    hidden_size: Option<usize>,
    #[serde(alias = "n_layers")]
    num_hidden_layers: Option<usize>,
    #[serde(alias = "n_heads")]
    num_attention_heads: Option<usize>,
    #[serde(alias = "hidden_dim")]
    intermediate_size: Option<usize>,
    #[serde(alias = "activation")]
    hidden_act: Option<String>,
    vocab_size: Option<usize>,
    max_position_embeddings: Option<usize>,
    type_vocab_size: Option<usize>,
    layer_norm_eps: Option<f64>,
    position_embedding_type: Option<String>,
}

/// Reads and checks the settings.
pub(crate) fn read(family: BertFamily, config: &Config) -> Result<Architecture, CheckpointError> {
    let settings: Settings = config.settings()?;
    let keys = family.keys;
    let architecture = Architecture {
        family: family.into(),
        layers: config.size(keys.layers, settings.num_hidden_layers)?,
        hidden: config.size(keys.hidden, settings.hidden_size)?,
        heads: config.size(keys.heads, settings.num_attention_heads)?,
        intermediate: config.size(keys.intermediate, settings.intermediate_size)?,
        vocabulary: config.size("vocab_size", settings.vocab_size)?,
        positions: positions(family, config, settings.max_position_embeddings)?,
        token_types: match family.token_types {
            true => config.size("type_vocab_size", settings.type_vocab_size.or(Some(2)))?,
            false => 0,
        },
        epsilon: config.epsilon("layer_norm_eps", settings.layer_norm_eps.unwrap_or(1e-12))?,
        activation: config
            .activation(keys.activation, settings.hidden_act.as_deref().unwrap_or("gelu"))?,
    };
    config.heads((keys.heads, architecture.heads), (keys.hidden, architecture.hidden))?;
    match settings.position_embedding_type.as_deref() {
        None | Some("absolute") => Ok(architecture),
        Some(other) => {
            Err(config.refuse("position_embedding_type", &format!("`{other}`"), "`absolute`"))
        }
    }
}

/// The largest number of tokens of a text.
fn positions(
    family: BertFamily,
    config: &Config,
    rows: Option<usize>,
) -> Result<usize, CheckpointError> {
    const KEY: &str = "max_position_embeddings";
    let (rows, first) = (config.size(KEY, rows)?, family.first_position());
    match rows.checked_sub(first) {
        Some(positions @ 1..) => Ok(positions),
        _ => Err(config.refuse(KEY, &rows.to_string(), &format!("more than {first}"))),
    }
}

/// The settings under the names of the family.
pub(super) fn write(family: &BertFamily, architecture: &Architecture) -> Value {
    let keys = family.keys;
    let activation = match architecture.activation {
        Activation::Gelu => "gelu",
        Activation::GeluTanh => "gelu_new",
        Activation::Relu => "relu",
    };
    let mut config = json!({
        "architectures": [family.class],
        "model_type": family.name,
        keys.hidden: architecture.hidden,
        keys.layers: architecture.layers,
        keys.heads: architecture.heads,
        keys.intermediate: architecture.intermediate,
        keys.activation: activation,
        "vocab_size": architecture.vocabulary,
        "max_position_embeddings": family.first_position() + architecture.positions,
        "layer_norm_eps": written(architecture.epsilon),
    });
    if family.token_types {
        config["type_vocab_size"] = architecture.token_types.into();
        config["position_embedding_type"] = "absolute".into();
    }
    if let Some(padding) = family.padding {
        config["pad_token_id"] = padding.into();
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(family: BertFamily, token_types: usize) -> Value {
        let architecture = Architecture {
            family: family.into(),
            layers: 2,
            hidden: 6,
            heads: 3,
            intermediate: 8,
            vocabulary: 72,
            positions: 40,
            token_types,
            epsilon: 1e-12,
            activation: Activation::GeluTanh,
        };
        architecture.config()
    }

    #[test]
    fn settings_are_written_under_the_names_of_the_family() {
        let bert = json!({
            "architectures": ["BertModel"], "model_type": "bert", "num_hidden_layers": 2,
            "hidden_size": 6, "num_attention_heads": 3, "intermediate_size": 8,
            "vocab_size": 72, "max_position_embeddings": 40, "type_vocab_size": 2,
            "layer_norm_eps": 1e-12, "hidden_act": "gelu_new",
            "position_embedding_type": "absolute",
        });
        assert_eq!(written(BertFamily::BERT, 2), bert);
        let distilbert = json!({
            "architectures": ["DistilBertModel"], "model_type": "distilbert", "n_layers": 2,
            "dim": 6, "n_heads": 3, "hidden_dim": 8, "vocab_size": 72,
            "max_position_embeddings": 40, "layer_norm_eps": 1e-12, "activation": "gelu_new",
        });
        assert_eq!(written(BertFamily::DISTILBERT, 0), distilbert);
    }
}
