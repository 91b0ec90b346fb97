//! Models written again, smaller.

use crate::fastlane::said;
use crate::model::with_models;

#[test]
fn a_smaller_model_says_nearly_the_same_and_nothing_is_overwritten() {
    let folder = with_models(&[("file", b"no model")]);
    let converted = folder.run("convert routed --output small --weights int8");
    assert!(converted.status.success(), "{}", said(&converted));
    assert!(folder.names().contains(&"small".to_owned()));
    let alphas = |model: &str| -> Vec<f64> {
        let output = folder.run(&format!("explain light --json --model {model}"));
        let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        value["tokens"].as_array().unwrap().iter().map(|it| it["alpha"].as_f64().unwrap()).collect()
    };
    let (before, after) = (alphas("routed"), alphas("small"));
    assert_ne!(before, after);
    assert!(before.iter().zip(&after).all(|(a, b)| (a - b).abs() < 0.05), "{before:?} {after:?}");
    for (arguments, wanted) in [
        ("convert routed --output small", "`small` already exists, wanted a new directory"),
        ("convert routed --output other --document-tokens 3", "is 3, wanted 4 to "),
        ("convert routed --output other --document-tokens 9999", "has no more positions"),
        ("convert file --output other", "`file` is a file, wanted the directory of a model"),
        ("convert absent --output other", "no file `absent/config.json`"),
    ] {
        let text = said(&folder.run(arguments));
        assert!(text.starts_with("exit code 1") && text.contains(wanted), "{arguments}: {text}");
    }
}

#[test]
fn a_model_reads_more_of_a_document_or_less() {
    let folder = with_models(&[(
        "long.jsonl",
        b"{\"_id\":\"a\",\"text\":\"light on the harbour of the ship\"}",
    )]);
    let views = |tokens: usize| {
        let (model, output) = (format!("model-{tokens}"), format!("views-{tokens}"));
        let convert = format!("convert routed --output {model} --document-tokens {tokens}");
        assert!(folder.run(&convert).status.success());
        let encode = format!("encode --model {model} --input long.jsonl --output {output}");
        let encoded = folder.run(&encode);
        assert!(encoded.status.success(), "{}", said(&encoded));
        std::fs::read(folder.path().join(output).join("tokens.npy")).unwrap().len()
    };
    assert_eq!(views(8) - views(4), 4 * 4);
}
