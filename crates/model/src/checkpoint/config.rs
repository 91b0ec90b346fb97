//! `config.json`: the architecture of an encoder in the format of `transformers`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{CheckpointError, json};
use crate::architecture::{Activation, Architecture, Family};

/// The settings of both families; those of the other family are absent.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Config {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) architectures: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_type: Option<String>,
    #[serde(alias = "dim", skip_serializing_if = "Option::is_none")]
    hidden_size: Option<usize>,
    #[serde(alias = "n_layers", skip_serializing_if = "Option::is_none")]
    num_hidden_layers: Option<usize>,
    #[serde(alias = "n_heads", skip_serializing_if = "Option::is_none")]
    num_attention_heads: Option<usize>,
    #[serde(alias = "hidden_dim", skip_serializing_if = "Option::is_none")]
    intermediate_size: Option<usize>,
    #[serde(alias = "activation", skip_serializing_if = "Option::is_none")]
    hidden_act: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vocab_size: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_position_embeddings: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    type_vocab_size: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layer_norm_eps: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position_embedding_type: Option<String>,
}

impl Config {
    pub(super) fn read(path: &Path) -> Result<Self, CheckpointError> {
        json::read(path)
    }

    /// Whether a Stanford ColBERT checkpoint wrote it.
    pub(super) fn is_stanford(&self) -> bool {
        self.architectures.as_deref().is_some_and(|names| names.iter().any(|n| n == "HF_ColBERT"))
    }

    /// Converts the settings to an architecture; `path` is their file, for errors.
    pub(super) fn architecture(&self, path: &Path) -> Result<Architecture, CheckpointError> {
        let source = Source { path, keys: keys(self.family(path)?) };
        let architecture = Architecture {
            family: source.keys.family,
            layers: source.size(source.keys.layers, self.num_hidden_layers)?,
            hidden: source.size(source.keys.hidden, self.hidden_size)?,
            heads: source.size(source.keys.heads, self.num_attention_heads)?,
            intermediate: source.size(source.keys.intermediate, self.intermediate_size)?,
            vocabulary: source.size("vocab_size", self.vocab_size)?,
            positions: source.size("max_position_embeddings", self.max_position_embeddings)?,
            token_types: source.token_types(self.type_vocab_size)?,
            epsilon: source.epsilon(self.layer_norm_eps)?,
            activation: source.activation(self.hidden_act.as_deref())?,
        };
        source.heads_share(&architecture)?;
        source.positions(self.position_embedding_type.as_deref())?;
        Ok(architecture)
    }

    /// The family; old files have no `model_type`, only the name of the Python class.
    fn family(&self, path: &Path) -> Result<Family, CheckpointError> {
        let class = self.architectures.as_ref().and_then(|names| names.first());
        match (self.model_type.as_deref(), class.map(String::as_str)) {
            (Some("bert"), _) | (None, Some("BertModel" | "HF_ColBERT")) => Ok(Family::Bert),
            (Some("distilbert"), _) | (None, Some("DistilBertModel")) => Ok(Family::DistilBert),
            (name, class) => Err(CheckpointError::Architecture {
                path: path.to_owned(),
                found: name.or(class).unwrap_or("unnamed").to_owned(),
            }),
        }
    }

    /// The settings of an architecture in the format of `transformers`.
    pub(super) fn of(architecture: &Architecture) -> Self {
        let (class, name) = match architecture.family {
            Family::Bert => ("BertModel", "bert"),
            Family::DistilBert => ("DistilBertModel", "distilbert"),
        };
        let activation = match architecture.activation {
            Activation::Gelu => "gelu",
            Activation::GeluTanh => "gelu_new",
            Activation::Relu => "relu",
        };
        let bert = architecture.family == Family::Bert;
        Self {
            architectures: Some(vec![class.to_owned()]),
            model_type: Some(name.to_owned()),
            hidden_size: Some(architecture.hidden),
            num_hidden_layers: Some(architecture.layers),
            num_attention_heads: Some(architecture.heads),
            intermediate_size: Some(architecture.intermediate),
            hidden_act: Some(activation.to_owned()),
            vocab_size: Some(architecture.vocabulary),
            max_position_embeddings: Some(architecture.positions),
            type_vocab_size: bert.then_some(architecture.token_types),
            layer_norm_eps: Some(written(architecture.epsilon)),
            position_embedding_type: bert.then(|| "absolute".to_owned()),
        }
    }

    /// The settings as JSON, under the names that the family uses.
    pub(super) fn to_json(&self) -> serde_json::Value {
        let mut value = serde_json::to_value(self).expect("numbers and words make JSON");
        if self.model_type.as_deref() == Some("distilbert") {
            let settings = value.as_object_mut().expect("a struct makes an object");
            for (bert, own) in DISTILBERT_NAMES {
                settings.remove(bert).map(|value| settings.insert(own.to_owned(), value));
            }
        }
        value
    }
}

/// BERT's and DistilBERT's names of a setting.
const DISTILBERT_NAMES: [(&str, &str); 5] = [
    ("hidden_size", "dim"),
    ("num_hidden_layers", "n_layers"),
    ("num_attention_heads", "n_heads"),
    ("intermediate_size", "hidden_dim"),
    ("hidden_act", "activation"),
];

/// The shortest decimal number that reads back as the same `f32`: 1e-12, not 9.99999996e-13.
fn written(epsilon: f32) -> f64 {
    epsilon.to_string().parse().expect("a number reads back")
}

/// The names of a family's settings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys {
    pub(super) family: Family,
    pub(super) layers: &'static str,
    pub(super) hidden: &'static str,
    heads: &'static str,
    pub(super) intermediate: &'static str,
    activation: &'static str,
}

pub(super) fn keys(family: Family) -> Keys {
    match family {
        Family::Bert => Keys {
            family,
            layers: "num_hidden_layers",
            hidden: "hidden_size",
            heads: "num_attention_heads",
            intermediate: "intermediate_size",
            activation: "hidden_act",
        },
        Family::DistilBert => Keys {
            family,
            layers: "n_layers",
            hidden: "dim",
            heads: "n_heads",
            intermediate: "hidden_dim",
            activation: "activation",
        },
    }
}

/// The file of the settings, for messages.
struct Source<'a> {
    path: &'a Path,
    keys: Keys,
}

impl Source<'_> {
    fn size(&self, key: &'static str, value: Option<usize>) -> Result<usize, CheckpointError> {
        match value {
            Some(value @ 1..) => Ok(value),
            Some(0) => Err(self.refuse(key, "0", "at least 1")),
            None => Err(self.refuse(key, "absent", "a number")),
        }
    }

    fn token_types(&self, value: Option<usize>) -> Result<usize, CheckpointError> {
        match self.keys.family {
            Family::Bert => self.size("type_vocab_size", Some(value.unwrap_or(2))),
            Family::DistilBert => Ok(0),
        }
    }

    fn epsilon(&self, value: Option<f64>) -> Result<f32, CheckpointError> {
        let epsilon = value.unwrap_or(1e-12);
        if epsilon > 0.0 && epsilon < 1.0 {
            return Ok(epsilon as f32);
        }
        Err(self.refuse("layer_norm_eps", &epsilon.to_string(), "a number between 0 and 1"))
    }

    fn activation(&self, name: Option<&str>) -> Result<Activation, CheckpointError> {
        match name.unwrap_or("gelu") {
            "gelu" => Ok(Activation::Gelu),
            "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Ok(Activation::GeluTanh),
            "relu" => Ok(Activation::Relu),
            other => {
                let wanted = "gelu, gelu_new, gelu_pytorch_tanh, gelu_fast or relu";
                Err(self.refuse(self.keys.activation, &format!("`{other}`"), wanted))
            }
        }
    }

    fn heads_share(&self, found: &Architecture) -> Result<(), CheckpointError> {
        if found.hidden.is_multiple_of(found.heads) {
            return Ok(());
        }
        let wanted = format!("a divisor of `{}` {}", self.keys.hidden, found.hidden);
        Err(self.refuse(self.keys.heads, &found.heads.to_string(), &wanted))
    }

    fn positions(&self, kind: Option<&str>) -> Result<(), CheckpointError> {
        match kind.unwrap_or("absolute") {
            "absolute" => Ok(()),
            other => {
                Err(self.refuse("position_embedding_type", &format!("`{other}`"), "`absolute`"))
            }
        }
    }

    fn refuse(&self, key: &'static str, found: &str, wanted: &str) -> CheckpointError {
        CheckpointError::Setting {
            path: self.path.to_owned(),
            key,
            found: found.to_owned(),
            wanted: wanted.to_owned(),
        }
    }
}
