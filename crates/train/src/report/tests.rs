//! A report of a short run.

use super::*;

#[test]
fn a_report_shows_losses_measures_signs_and_queries() {
    let folder = tempfile::tempdir().unwrap();
    let step = |step: u32, loss: f64| {
        format!(
            "{{\"kind\":\"step\",\"step\":{step},\"is\":{{\"loss\":{loss},\"terms\":[[\"mixture\",{loss}]],\
             \"rate\":1.0,\"tau\":0.5,\"gradient\":2.0,\"entropy\":0.7,\"tokens_per_second\":9.0,\
             \"positions\":[0,3],\"tokens\":[102]}}}}\n"
        )
    };
    let measured = "{\"kind\":\"measurement\",\"step\":2,\"is\":{\"sets\":[[\"a/scifact\",\
        [[\"lane nDCG@10\",0.51]]]],\"value\":0.51,\"best\":true}}\n";
    let sign = "{\"kind\":\"sign\",\"step\":2,\"is\":{},\"words\":\"frozen <router>\"}\n";
    let text = [step(1, 3.0), step(2, 2.5)].concat() + measured + sign + "{\"half a li";
    put(&folder.path().join(metrics::FILE), text.as_bytes()).unwrap();
    let query = SampleQuery { tokens: vec![("[CLS]".to_owned(), 0.1), ("moon".to_owned(), 0.9)] };
    let saved =
        SampleQueries { queries: vec![query], spellings: [(102, "[SEP]".to_owned())].into() };
    put(&folder.path().join(EXAMPLES), &serde_json::to_vec(&saved).unwrap()).unwrap();
    put(&folder.path().join("run.toml"), b"seed = 1 # <b>\n").unwrap();
    let page = fs::read_to_string(report(folder.path()).unwrap()).unwrap();
    for wanted in [
        "2 steps, the last with a loss of 2.5000.",
        "Best scifact lane nDCG@10 0.5100 at step 2.",
        "step 2: frozen &lt;router&gt;",
        "<polyline class=\"line line-0\"",
        "[SEP]",
        "position 3",
        "<span class=\"token best\" style=\"--share:0.900\" title=\"90.0 %\">moon</span>",
        "seed = 1 # &lt;b&gt;",
    ] {
        assert!(page.contains(wanted), "{wanted} is not in {page}");
    }
}

#[test]
fn a_directory_without_a_run_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let error = report(folder.path()).unwrap_err().to_string();
    assert!(error.starts_with("there is no run in "), "{error}");
}
