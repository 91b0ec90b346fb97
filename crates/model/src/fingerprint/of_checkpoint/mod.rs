//! The fields of a checkpoint that affect its views.
//!
//! Each struct is destructured with all of its fields, so that a new field does not compile before
//! someone has decided whether it belongs here. The layout does not: a checkpoint that is converted
//! without loss keeps its fingerprint.

use fastlane_engine::FingerprintMatch;

use super::{Fields, Fingerprint, Value};
use crate::checkpoint::{
    Checkpoint, CheckpointError, DenseFiles, LaneKind, RouterConfig, RouterFiles, RouterInput,
    Tensors, TowerFiles,
};
use crate::encoders::architecture::{Activation, Architecture};
use crate::tokenise::{Expansion, InputSettings};

impl Checkpoint {
    /// The fingerprint of the checkpoint, as of a [`Model`](crate::Model) that runs all its layers.
    ///
    /// Tensors that were read before were hashed then; the others are read now.
    ///
    /// # Errors
    ///
    /// A tensor is absent, has an unsupported type, or cannot be read.
    pub fn fingerprint(&self) -> Result<Fingerprint, CheckpointError> {
        Ok(fields(self)?.fingerprint())
    }

    /// Compares a stored fingerprint, in either form, with that of the checkpoint.
    ///
    /// # Errors
    ///
    /// As [`fingerprint`](Self::fingerprint).
    pub fn compare(&self, kept: &str) -> Result<FingerprintMatch, CheckpointError> {
        crate::fingerprint::earlier::compare(kept, self.fingerprint()?, || {
            self.earlier_fingerprint()
        })
    }
}

fn fields(checkpoint: &Checkpoint) -> Result<Fields, CheckpointError> {
    let Checkpoint {
        layout: _,
        query,
        document,
        tokeniser,
        query_side,
        document_side,
        normalise,
        router,
    } = checkpoint;
    let mut fields = Fields::new();
    // an encoder for both sides uses the document's field names
    tower(&mut Part::new(&mut fields, "document"), document.as_ref().unwrap_or(query))?;
    if document.is_some() {
        tower(&mut Part::new(&mut fields, "query"), query)?;
    }
    fields.put("tokenizer", &Value::Digest(tokeniser.digest()));
    side(&mut Part::new(&mut fields, "query.text"), query_side);
    side(&mut Part::new(&mut fields, "document.text"), document_side);
    fields.put("normalise", &Value::Flag(*normalise));
    if let Some(RouterFiles { config, weights }) = router {
        let mut part = Part::new(&mut fields, "router");
        router_config(&mut part, config);
        let mut names = weights.names();
        names.sort_unstable();
        names.iter().try_for_each(|name| part.tensor(weights, name, name))?;
    }
    Ok(fields)
}

/// Fields that share a name prefix.
struct Part<'a> {
    fields: &'a mut Fields,
    name: &'static str,
}

impl<'a> Part<'a> {
    fn new(fields: &'a mut Fields, name: &'static str) -> Self {
        Self { fields, name }
    }

    fn put(&mut self, name: &str, value: &Value<'_>) {
        self.fields.put(&format!("{}.{name}", self.name), value);
    }

    fn number(&mut self, name: &str, value: usize) {
        self.put(name, &Value::Number(value as u64));
    }

    /// An optional number.
    fn maybe(&mut self, name: &str, value: Option<usize>) {
        if let Some(value) = value {
            self.number(name, value);
        }
    }

    /// A stored tensor by its name in the file, hashed under another name.
    fn tensor(
        &mut self,
        weights: &Tensors,
        stored: &str,
        name: &str,
    ) -> Result<(), CheckpointError> {
        for tensor in weights.stored(stored)? {
            let end = tensor.end;
            let shape = tensor.shape.iter().map(|&length| length as u64).collect();
            self.put(&format!("{name}{end}.type"), &Value::Text(tensor.kind));
            self.put(&format!("{name}{end}.shape"), &Value::Numbers(shape));
            self.put(&format!("{name}{end}.bytes"), &Value::Digest(tensor.digest));
        }
        Ok(())
    }
}

fn tower(part: &mut Part<'_>, files: &TowerFiles) -> Result<(), CheckpointError> {
    let TowerFiles { architecture: shape, weights, prefix, dense } = files;
    architecture(part, shape);
    for (name, _) in shape.tensors() {
        part.tensor(weights, &format!("{prefix}{name}"), &name)?;
    }
    for (index, DenseFiles { weights, from, to, bias }) in dense.iter().enumerate() {
        let names = ["linear.weight", "linear.bias"];
        part.number(&format!("dense.{index}.from"), *from);
        part.number(&format!("dense.{index}.to"), *to);
        for name in &names[..1 + usize::from(*bias)] {
            part.tensor(weights, name, &format!("dense.{index}.{name}"))?;
        }
    }
    Ok(())
}

fn architecture(part: &mut Part<'_>, architecture: &Architecture) {
    let Architecture {
        family,
        layers,
        hidden,
        heads,
        intermediate,
        vocabulary,
        positions,
        token_types,
        epsilon,
        activation,
    } = architecture;
    let activation = match activation {
        Activation::Gelu => "gelu",
        Activation::GeluTanh => "gelu_tanh",
        Activation::Relu => "relu",
    };
    part.put("family", &Value::Text(family.name()));
    part.number("layers", *layers);
    part.number("hidden", *hidden);
    part.number("heads", *heads);
    part.number("intermediate", *intermediate);
    part.number("vocabulary", *vocabulary);
    part.number("positions", *positions);
    part.number("token_types", *token_types);
    part.put("epsilon", &Value::Float(*epsilon));
    part.put("activation", &Value::Text(activation));
    for (name, value) in family.definition().settings() {
        part.put(name, &value);
    }
}

fn side(part: &mut Part<'_>, side: &InputSettings) {
    let InputSettings { prefix, prompt, length, expansion, skip } = side;
    part.maybe("prefix", prefix.map(|token| token as usize));
    if !prompt.is_empty() {
        part.put("prompt", &Value::Text(prompt));
    }
    part.number("length", *length);
    if let Some(Expansion { token, length, attended }) = *expansion {
        part.number("expansion.token", token as usize);
        part.number("expansion.length", length);
        part.put("expansion.attended", &Value::Flag(attended));
    }
    if !skip.is_empty() {
        let mut skip: Vec<u64> = skip.iter().copied().map(u64::from).collect();
        skip.sort_unstable();
        part.put("skip", &Value::Numbers(skip));
    }
}

fn router_config(part: &mut Part<'_>, config: &RouterConfig) {
    let RouterConfig { input, attention, lane, lanes, document_lanes, document_windows, lane_dim } =
        *config;
    let input = match input {
        RouterInput::States => "states",
        RouterInput::Views => "views",
    };
    let lane = match lane {
        LaneKind::Hard => "hard",
        LaneKind::Soft => "soft",
    };
    part.put("input", &Value::Text(input));
    part.number("attention", attention);
    part.put("lane", &Value::Text(lane));
    part.maybe("lanes", lanes.filter(|&lanes| lanes != 1));
    part.maybe("document_lanes", document_lanes);
    if document_windows {
        part.put("document_windows", &Value::Flag(true));
    }
    part.maybe("lane_dim", lane_dim);
}

#[cfg(test)]
mod tests;
