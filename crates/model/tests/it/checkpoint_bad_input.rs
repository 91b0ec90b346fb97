//! Errors of unreadable checkpoints name the file, the tensor and the reason.

use std::path::Path;

use fastlane_model::checkpoint::{
    Checkpoint, NamedTensor, Tensors, Tokeniser, WeightType, write_tensors,
};
use serde_json::{Value, json};

use crate::checkpoints::{
    Encoder, TOKENIZER, put, put_dense, put_json, put_tensors, safetensors, tiny, told, with_header,
};

/// The error of a tiny checkpoint after `change`.
fn after(change: impl FnOnce(&Path, &Encoder)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let encoder = Encoder::new(tiny());
    encoder.put(folder.path(), "");
    change(folder.path(), &encoder);
    let error = Checkpoint::open(folder.path()).unwrap_err();
    told(&error, folder.path())
}

/// The error with some changed settings in `config.json`.
fn configured(changes: &Value) -> String {
    after(|folder, encoder| put_json(folder, "config.json", &encoder.config(changes)))
}

/// The error of a file with one tensor `x`, read in the shape `[2]`.
fn read_x(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    put(&path, bytes);
    let result = Tensors::open(&path).and_then(|tensors| tensors.read("x", &[2]));
    told(&result.unwrap_err(), folder.path())
}

fn remove(folder: &Path, name: &str) {
    std::fs::remove_file(folder.join(name)).unwrap();
}

const LFS: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db\nsize 90868376\n";

#[test]
fn a_missing_file_is_named() {
    insta::assert_snapshot!(after(|folder, _| remove(folder, "config.json")), @r"
    no file `config.json`
    hint: a checkpoint is a directory with config.json, model.safetensors and tokenizer.json
    ");
    insta::assert_snapshot!(after(|folder, _| remove(folder, "model.safetensors")), @r"
    no file `model.safetensors`
    hint: a checkpoint is a directory with config.json, model.safetensors and tokenizer.json
    ");
    insta::assert_snapshot!(after(|folder, _| remove(folder, "tokenizer.json")), @r"
    no file `tokenizer.json`
    hint: a checkpoint is a directory with config.json, model.safetensors and tokenizer.json
    ");
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let error = Checkpoint::open(Path::new("nowhere")).unwrap_err();
    insta::assert_snapshot!(error, @"no file `nowhere/config.json`");
}

#[test]
fn a_pickle_is_not_read() {
    let said = after(|folder, _| {
        remove(folder, "model.safetensors");
        put(&folder.join("pytorch_model.bin"), b"\x80\x02");
    });
    insta::assert_snapshot!(said, @r"
    no file `model.safetensors`, only `pytorch_model.bin`
    hint: convert it in Python: AutoModel.from_pretrained(DIR).save_pretrained(DIR, safe_serialization=True); a ColBERT checkpoint: MultiVectorEncoder(DIR).save(NEW)
    ");
}

#[test]
fn a_git_lfs_pointer_is_recognised() {
    let pointer =
        |name: &'static str| after(move |folder, _| put(&folder.join(name), LFS.as_bytes()));
    insta::assert_snapshot!(pointer("model.safetensors"), @r"
    `model.safetensors` is a Git LFS pointer, wanted the file itself
    hint: run `git lfs pull` in the checkpoint's repository
    ");
    insta::assert_snapshot!(pointer("tokenizer.json"), @r"
    `tokenizer.json` is a Git LFS pointer, wanted the file itself
    hint: run `git lfs pull` in the checkpoint's repository
    ");
    insta::assert_snapshot!(pointer("config.json"), @r"
    `config.json` is a Git LFS pointer, wanted the file itself
    hint: run `git lfs pull` in the checkpoint's repository
    ");
}

#[test]
fn a_truncated_file_is_told_by_its_header() {
    let whole = safetensors("x", "F32", &[2], &[0; 8]);
    insta::assert_snapshot!(read_x(&whole[..whole.len() - 3]), @r"
    `model.safetensors` has 67 bytes, its header wants 70
    hint: the download is probably incomplete: fetch the file again
    ");
    insta::assert_snapshot!(read_x(&whole[..20]), @r"
    `model.safetensors` is not a safetensors file
    because: invalid header length
    hint: the download is probably incomplete: fetch the file again
    ");
    insta::assert_snapshot!(read_x(&whole[..5]), @r"
    `model.safetensors` is not a safetensors file
    because: header too small
    hint: the download is probably incomplete: fetch the file again
    ");
    insta::assert_snapshot!(read_x(b""), @r"
    `model.safetensors` is not a safetensors file
    because: header too small
    hint: the download is probably incomplete: fetch the file again
    ");
}

#[test]
fn bytes_after_the_last_tensor_are_refused() {
    let mut long = safetensors("x", "F32", &[2], &[0; 8]);
    long.push(0);
    insta::assert_snapshot!(read_x(&long), @r"
    `model.safetensors` has 71 bytes, its header wants 70
    hint: the download is probably incomplete: fetch the file again
    ");
}

#[test]
fn a_header_that_is_none_is_refused() {
    insta::assert_snapshot!(read_x(b"\xff\xff\xff\xff\xff\xff\xff\xff{}"), @r"
    `model.safetensors` is not a safetensors file
    because: header too large
    hint: the download is probably incomplete: fetch the file again
    ");
    insta::assert_snapshot!(read_x(b"\x02\0\0\0\0\0\0\0[]"), @r"
    `model.safetensors` is not a safetensors file
    because: invalid JSON in header: invalid type: sequence, expected struct HashMetadata at line 1 column 0
    because: invalid type: sequence, expected struct HashMetadata at line 1 column 0
    hint: the download is probably incomplete: fetch the file again
    ");
    // 2 numbers of 4 bytes are not 12 bytes
    insta::assert_snapshot!(read_x(&safetensors("x", "F32", &[2], &[0; 12])), @r"
    `model.safetensors` is not a safetensors file
    because: invalid JSON in header: invalid shape, data type, or offset for tensor
    because: invalid shape, data type, or offset for tensor
    hint: the download is probably incomplete: fetch the file again
    ");
    let hole = json!({ "x": { "dtype": "F32", "shape": [2], "data_offsets": [4, 12] } });
    insta::assert_snapshot!(read_x(&with_header(&hole, &[0; 12])), @r"
    `model.safetensors` is not a safetensors file
    because: invalid JSON in header: invalid offset for tensor `x`
    because: invalid offset for tensor `x`
    hint: the download is probably incomplete: fetch the file again
    ");
}

#[test]
fn a_tensor_of_another_shape_is_refused() {
    insta::assert_snapshot!(read_x(&safetensors("x", "F32", &[1, 2], &[0; 8])), @"tensor `x` of `model.safetensors` has shape [1, 2], wanted [2]");
}

#[test]
fn a_tensor_of_another_type_is_refused() {
    insta::assert_snapshot!(read_x(&safetensors("x", "I64", &[2], &[0; 16])), @"tensor `x` of `model.safetensors` has type I64, wanted F32, F16, BF16 or I8 with a scale");
}

#[test]
fn an_absent_tensor_is_named() {
    insta::assert_snapshot!(read_x(&safetensors("y", "F32", &[2], &[0; 8])), @r"
    no tensor `x` in `model.safetensors`
    hint: config.json and model.safetensors must come from the same model
    ");
}

#[test]
fn int8_wants_a_scale_for_each_row() {
    insta::assert_snapshot!(read_x(&safetensors("x", "I8", &[2], &[0; 2])), @r"
    no tensor `x_scale` in `model.safetensors`
    hint: config.json and model.safetensors must come from the same model
    ");
    let about = |dtype, shape: &[usize], from, to| json!({ "dtype": dtype, "shape": shape, "data_offsets": [from, to] });
    let short = json!({ "x": about("I8", &[2], 0, 2), "x_scale": about("F32", &[1], 2, 6) });
    insta::assert_snapshot!(read_x(&with_header(&short, &[0; 6])), @"tensor `x_scale` of `model.safetensors` has shape [1], wanted [2]");
    let half = json!({ "x": about("I8", &[2], 0, 2), "x_scale": about("F16", &[2], 2, 6) });
    insta::assert_snapshot!(read_x(&with_header(&half, &[0; 6])), @"tensor `x_scale` of `model.safetensors` has type F16, wanted F32");
}

#[test]
fn numbers_that_are_none_are_found_in_every_type() {
    // 1.0 and NaN, 1.0 and infinity, 1.0 and minus infinity
    insta::assert_snapshot!(
        read_x(&safetensors("x", "F32", &[2], &[0, 0, 0x80, 0x3f, 0, 0, 0xc0, 0x7f])), @r"
    tensor `x` of `model.safetensors` has NaN at position 1
    hint: training diverged: use an earlier checkpoint
    ");
    insta::assert_snapshot!(
        read_x(&safetensors("x", "F16", &[2], &[0, 0x3c, 0, 0x7c])), @r"
    tensor `x` of `model.safetensors` has inf at position 1
    hint: training diverged: use an earlier checkpoint
    ");
    insta::assert_snapshot!(
        read_x(&safetensors("x", "BF16", &[2], &[0x80, 0x3f, 0x80, 0xff])), @r"
    tensor `x` of `model.safetensors` has -inf at position 1
    hint: training diverged: use an earlier checkpoint
    ");
}

#[test]
fn a_number_that_is_none_is_counted_through_all_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let mut values = vec![1.0; 200_000];
    values[131_073] = f32::NAN;
    let values: Vec<u8> = values.iter().flat_map(|value: &f32| value.to_le_bytes()).collect();
    put(&path, &safetensors("x", "F32", &[200_000], &values));
    let error = Tensors::open(&path).unwrap().read("x", &[200_000]).unwrap_err();
    insta::assert_snapshot!(told(&error, folder.path()), @r"
    tensor `x` of `model.safetensors` has NaN at position 131073
    hint: training diverged: use an earlier checkpoint
    ");
}

#[test]
fn numbers_that_do_not_fit_are_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let tensor = NamedTensor { name: "x".to_owned(), shape: vec![2], values: &[1.0, 70_000.0] };
    let error = write_tensors(&path, &[tensor], WeightType::F16).unwrap_err();
    insta::assert_snapshot!(told(&error, folder.path()), @r"
    tensor `x` of `model.safetensors` has 70000 at position 1, too much for F16
    hint: store the weights as F32
    ");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn other_architectures_are_refused() {
    insta::assert_snapshot!(configured(&json!({ "model_type": "mpnet" })), @"`config.json` has architecture `mpnet`, wanted bert, distilbert, roberta or xlm-roberta");
    insta::assert_snapshot!(
        configured(&json!({ "model_type": null, "architectures": ["T5EncoderModel"] })), @"`config.json` has architecture `T5EncoderModel`, wanted bert, distilbert, roberta or xlm-roberta");
    insta::assert_snapshot!(
        configured(&json!({ "model_type": null, "architectures": null })), @"`config.json` has architecture `unnamed`, wanted bert, distilbert, roberta or xlm-roberta");
}

#[test]
fn settings_that_are_not_read_are_refused() {
    insta::assert_snapshot!(configured(&json!({ "hidden_act": "silu" })), @"`hidden_act` is `silu` in `config.json`, wanted gelu, gelu_new, gelu_pytorch_tanh, gelu_fast or relu");
    insta::assert_snapshot!(
        configured(&json!({ "position_embedding_type": "relative_key" })), @"`position_embedding_type` is `relative_key` in `config.json`, wanted `absolute`");
    insta::assert_snapshot!(configured(&json!({ "num_attention_heads": 4 })), @"`num_attention_heads` is 4 in `config.json`, wanted a divisor of `hidden_size` 6");
    insta::assert_snapshot!(configured(&json!({ "num_attention_heads": 0 })), @"`num_attention_heads` is 0 in `config.json`, wanted at least 1");
    insta::assert_snapshot!(configured(&json!({ "hidden_size": null })), @"`hidden_size` is absent in `config.json`, wanted a number");
    insta::assert_snapshot!(configured(&json!({ "layer_norm_eps": 0.0 })), @"`layer_norm_eps` is 0 in `config.json`, wanted a number between 0 and 1");
}

#[test]
fn a_config_that_is_no_json_is_refused() {
    insta::assert_snapshot!(
        after(|folder, _| put(&folder.join("config.json"), b"{\"hidden_size\": 6,")), @r"
    cannot parse `config.json`
    because: EOF while parsing a value at line 1 column 18
    ");
    insta::assert_snapshot!(
        after(|folder, _| {
            put(&folder.join("config.json"), b"{\"model_type\": \"bert\", \"hidden_size\": -6}");
        }), @r"
    cannot parse `config.json`
    because: invalid value: integer `-6`, expected usize at line 1 column 40
    ");
    insta::assert_snapshot!(
        after(|folder, _| put(&folder.join("config.json"), b"\xff\xfe{}")), @r"
    cannot parse `config.json`
    because: expected value at line 1 column 1
    ");
}

#[test]
fn a_config_that_contradicts_the_weights_is_refused() {
    insta::assert_snapshot!(configured(&json!({ "hidden_size": 9 })), @r"
    `config.json` says hidden_size 9, but tensor `embeddings.word_embeddings.weight` of `model.safetensors` has 6
    hint: config.json and model.safetensors must come from the same model
    ");
    insta::assert_snapshot!(configured(&json!({ "intermediate_size": 9 })), @r"
    `config.json` says intermediate_size 9, but tensor `encoder.layer.0.intermediate.dense.weight` of `model.safetensors` has 8
    hint: config.json and model.safetensors must come from the same model
    ");
    insta::assert_snapshot!(configured(&json!({ "vocab_size": 73 })), @r"
    `config.json` says vocab_size 73, but tensor `embeddings.word_embeddings.weight` of `model.safetensors` has 72
    hint: config.json and model.safetensors must come from the same model
    ");
    insta::assert_snapshot!(configured(&json!({ "max_position_embeddings": 512 })), @r"
    `config.json` says max_position_embeddings 512, but tensor `embeddings.position_embeddings.weight` of `model.safetensors` has 40
    hint: config.json and model.safetensors must come from the same model
    ");
    insta::assert_snapshot!(configured(&json!({ "num_hidden_layers": 3 })), @r"
    no tensor `encoder.layer.2.attention.self.query.weight` in `model.safetensors`
    hint: config.json and model.safetensors must come from the same model
    ");
    insta::assert_snapshot!(configured(&json!({ "num_hidden_layers": 1 })), @r"
    `config.json` says num_hidden_layers 1, but `model.safetensors` has tensor `encoder.layer.1.attention.output.LayerNorm.bias`
    hint: config.json and model.safetensors must come from the same model
    ");
}

#[test]
fn weights_of_another_model_are_refused() {
    let other = || vec![("encoder.weight".to_owned(), vec![2], vec![0.0; 2])];
    let said = after(|folder, _| {
        put_tensors(&folder.join("model.safetensors"), &other(), str::to_owned);
    });
    insta::assert_snapshot!(said, @r"
    no tensor `embeddings.word_embeddings.weight` in `model.safetensors`
    hint: config.json and model.safetensors must come from the same model
    ");
}

#[test]
fn a_tensor_with_another_number_of_sides_is_refused() {
    let said = after(|folder, encoder| {
        let mut tensors = encoder.tensors.clone();
        let bias = tensors.iter_mut().find(|(name, _, _)| name.ends_with("query.bias")).unwrap();
        bias.1 = vec![1, 6];
        put_tensors(&folder.join("model.safetensors"), &tensors, str::to_owned);
    });
    insta::assert_snapshot!(said, @"tensor `encoder.layer.0.attention.self.query.bias` of `model.safetensors` has shape [1, 6], wanted [6]");
}

#[test]
fn ids_beyond_the_embedding_table_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenizer.json");
    put(&path, TOKENIZER.as_bytes());
    let error = Tokeniser::open(&path, 71).unwrap_err();
    insta::assert_snapshot!(told(&error, folder.path()), @r"
    token `[D] ` of `tokenizer.json` has id 71, the embedding table has 71 rows
    hint: tokenizer.json and model.safetensors must come from the same model
    ");
}

#[test]
fn a_broken_tokenizer_is_refused() {
    let said = |bytes: &'static [u8]| after(|folder, _| put(&folder.join("tokenizer.json"), bytes));
    insta::assert_snapshot!(said(b"{"), @r"
    cannot parse `tokenizer.json`
    because: EOF while parsing an object at line 1 column 1
    ");
    insta::assert_snapshot!(said(b"\xff"), @r"
    cannot parse `tokenizer.json`
    because: expected value at line 1 column 1
    ");
}

#[test]
fn a_tokenizer_that_does_not_split_at_white_space_is_refused() {
    let changed = |key: &'static str, value: Value| {
        after(move |folder, _| {
            let mut tokenizer: Value = serde_json::from_str(TOKENIZER).unwrap();
            tokenizer[key] = value;
            put_json(folder, "tokenizer.json", &tokenizer);
        })
    };
    let bytes = json!({ "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true,
        "use_regex": true });
    insta::assert_snapshot!(changed("pre_tokenizer", bytes), @"`pre_tokenizer` is `ByteLevel` in `tokenizer.json`, wanted BertPreTokenizer, Whitespace, WhitespaceSplit");
    insta::assert_snapshot!(changed("pre_tokenizer", Value::Null), @"`pre_tokenizer` is absent in `tokenizer.json`, wanted BertPreTokenizer, Whitespace, WhitespaceSplit");
    let parts = json!([{ "type": "Lowercase" }, { "type": "Prepend", "prepend": "_" }]);
    let sequence = json!({ "type": "Sequence", "normalizers": parts });
    insta::assert_snapshot!(changed("normalizer", sequence), @"`normalizer` is `Prepend` in `tokenizer.json`, wanted BertNormalizer, Lowercase, StripAccents, NFC, NFD, NFKC, NFKD");
    let model = json!({ "type": "WordLevel", "vocab": { "[UNK]": 0 }, "unk_token": "[UNK]" });
    insta::assert_snapshot!(changed("model", model), @"`model` is `WordLevel` in `tokenizer.json`, wanted WordPiece");
}

#[test]
fn modules_that_are_not_read_are_refused() {
    let chain = |path: &'static str, class: &'static str| {
        after(move |folder, _| {
            let modules = json!([{ "path": path, "type": class }]);
            put_json(folder, "modules.json", &modules);
        })
    };
    insta::assert_snapshot!(chain("", "sentence_transformers.models.CNN"), @"`type` is `sentence_transformers.models.CNN` in `modules.json`, wanted one Transformer, Dense, MultiVectorMask, Normalize or Pooling");
    insta::assert_snapshot!(chain("../other", "sentence_transformers.models.Dense"), @"`path` is `../other` in `modules.json`, wanted a directory inside the checkpoint");
}

#[test]
fn projections_that_are_not_read_are_refused() {
    let dense = |changes: Value| {
        after(move |folder, _| {
            let modules = json!([
                { "path": "", "type": "sentence_transformers.models.Transformer" },
                { "path": "1_Dense", "type": "sentence_transformers.models.Dense" },
            ]);
            put_json(folder, "modules.json", &modules);
            put_dense(folder, "1_Dense", (6, 4), false);
            let mut config = json!({ "in_features": 6, "out_features": 4, "bias": false,
                "activation_function": "torch.nn.modules.linear.Identity" });
            for (key, value) in changes.as_object().unwrap() {
                config[key] = value.clone();
            }
            put_json(folder, "1_Dense/config.json", &config);
        })
    };
    let tanh = "torch.nn.modules.activation.Tanh";
    insta::assert_snapshot!(dense(json!({ "activation_function": tanh })), @"`activation_function` is `torch.nn.modules.activation.Tanh` in `1_Dense/config.json`, wanted Identity");
    insta::assert_snapshot!(dense(json!({ "use_residual": true })), @"`use_residual` is true in `1_Dense/config.json`, wanted false");
    insta::assert_snapshot!(dense(json!({ "bias": true })), @r"
    no tensor `linear.bias` in `1_Dense/model.safetensors`
    hint: config.json and model.safetensors must come from the same model
    ");
    insta::assert_snapshot!(dense(json!({ "out_features": 5 })), @"tensor `linear.weight` of `1_Dense/model.safetensors` has shape [4, 6], wanted [5, 6]");
}

#[test]
fn a_projection_of_another_length_is_refused() {
    let said = after(|folder, _| {
        let modules = json!([
            { "path": "", "type": "sentence_transformers.models.Transformer" },
            { "path": "1_Dense", "type": "sentence_transformers.models.Dense" },
        ]);
        put_json(folder, "modules.json", &modules);
        put_dense(folder, "1_Dense", (5, 4), false);
    });
    insta::assert_snapshot!(said, @"tensor `linear.weight` of `1_Dense/model.safetensors` has shape [4, 5], wanted [4, 6]");
}

#[test]
fn lengths_that_the_encoder_does_not_have_are_refused() {
    let st = |settings: Value| {
        after(move |folder, _| {
            put_json(folder, "config_sentence_transformers.json", &settings);
        })
    };
    insta::assert_snapshot!(st(json!({ "model_type": "ColBERT", "document_length": 41 })), @"`document_length` is 41 in `config_sentence_transformers.json`, wanted between 4 and 40");
    insta::assert_snapshot!(st(json!({ "model_type": "ColBERT", "query_length": 3 })), @"`query_length` is 3 in `config_sentence_transformers.json`, wanted between 4 and 40");
}

#[test]
fn an_expansion_that_cannot_be_is_refused() {
    let expansion = |config: Value| {
        after(move |folder, _| {
            put_json(
                folder,
                "config_sentence_transformers.json",
                &json!({ "model_type": "MultiVectorEncoder" }),
            );
            let settings = json!({ "query_expansion": config });
            put_json(folder, "sentence_bert_config.json", &settings);
        })
    };
    insta::assert_snapshot!(expansion(json!({ "strategy": "max", "length": 16 })), @"`query_expansion.strategy` is `max` in `sentence_bert_config.json`, wanted `fixed` or `min`");
    insta::assert_snapshot!(
        expansion(json!({ "strategy": "min", "length": 16, "token": "[GAP]" })), @r"
    no token `[GAP]` in `tokenizer.json`
    hint: tokenizer.json and model.safetensors must come from the same model
    ");
}

#[test]
fn a_list_of_tokens_to_keep_is_refused() {
    let said = after(|folder, _| {
        put_json(
            folder,
            "config_sentence_transformers.json",
            &json!({ "model_type": "MultiVectorEncoder" }),
        );
        put_json(
            folder,
            "modules.json",
            &json!([
                { "path": "", "type": "sentence_transformers.base.modules.transformer.Transformer" },
                { "path": "1_MultiVectorMask", "type": "x.MultiVectorMask" },
            ]),
        );
        put_json(folder, "1_MultiVectorMask/config.json", &json!({ "keep_only_token_ids": [7] }));
    });
    insta::assert_snapshot!(said, @"`keep_only_token_ids` is a list of 1 in `1_MultiVectorMask/config.json`, wanted no list");
}
