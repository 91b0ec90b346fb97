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
        ("convert routed --output small", "`small` is there already, wanted a new directory"),
        ("convert file --output other", "`file` is a file, wanted the directory of a model"),
        ("convert absent --output other", "no file `absent/config.json`"),
    ] {
        let text = said(&folder.run(arguments));
        assert!(text.starts_with("exit code 1") && text.contains(wanted), "{arguments}: {text}");
    }
}
