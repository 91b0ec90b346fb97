//! A query and two texts as token views: which tokens carry the query, and how well each text answers.
//!
//! ```sh
//! cargo run -p fastlane-model --example encode [MODEL]
//! ```

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;

use fastlane_engine::Encoder as _;
use fastlane_model::{Model, Settings};

/// The model that comes with the repository.
const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/fastlane-mini");

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| MODEL.to_owned());
    let model = Model::open(&path, &Settings::default())?;
    println!("{} computes with {}", model.fingerprint(), model.instructions());

    // alpha is the weight that the router gives a token: the largest search
    let query = model.encode_query("which ships did they see?")?;
    for (token, alpha) in query.tokens.iter().zip(&query.alpha) {
        println!("{:>10}  alpha {alpha:.3}", token.text);
    }

    let texts = ["nine vessels were seen from the harbour", "baking bread takes a day"];
    let documents = model.encode_documents(Box::new(texts.iter().map(ToString::to_string)));
    let mut scores = Vec::new();
    for (text, views) in texts.iter().zip(documents) {
        let views = views?;
        // late interaction: the best view of the text for each token of the query, added up
        let score = query.views.sum_max(&views.views);
        println!("{score:.3}  {text} ({} views of {})", views.views.len(), views.views.dim());
        scores.push(score);
    }
    assert!(scores[0] > scores[1]);
    Ok(())
}
