//! Tests whether one system is significantly better than another.
//!
//! ```text
//! cargo run -p fastlane-eval --example compare_two_systems
//! ```

#![expect(clippy::print_stdout, reason = "it prints its report")]

use fastlane_eval::{
    Comparison, Evaluation, Hit, Measure, Missing, Qrels, Ranking, Resampling, Run, Score,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut qrels = Qrels::default();
    let (mut first, mut second) = (Run::new("first"), Run::new("second"));
    for query in 0..40 {
        let name = format!("q{query:02}");
        qrels.insert(&name, "wanted", 1);
        // The first system has the answer at rank 3, the second at rank 1 for three queries of
        // four.
        first.insert(name.as_str(), ranking(["a", "b", "wanted"])?);
        let lucky = if query % 4 == 0 { ["a", "b", "c"] } else { ["wanted", "a", "b"] };
        second.insert(name.as_str(), ranking(lucky)?);
    }

    let measures: Vec<Measure> = vec!["RR@10".parse()?];
    let first = Evaluation::new(&first, &qrels, &measures, Missing::Zero)?;
    let second = Evaluation::new(&second, &qrels, &measures, Missing::Zero)?;
    let (system, baseline) = second.paired(&first, 0);
    let comparison = Comparison::new(&system, &baseline, &Resampling::default());

    println!("{} {:.3} -> {:.3}", measures[0], first.mean(0), second.mean(0));
    let (low, high) = comparison.interval;
    println!("difference {:+.3}, 95 % in [{low:+.3}, {high:+.3}]", comparison.difference);
    println!(
        "p = {:.4}: {} better, {} worse",
        comparison.p_value, comparison.wins, comparison.losses
    );
    Ok(())
}

/// Documents best first; scores fall by one.
fn ranking(documents: [&str; 3]) -> Result<Ranking, Box<dyn std::error::Error>> {
    let hit = |(place, document): (usize, &str)| {
        let score = Score::new(-(place as f64)).ok_or("a rank is finite")?;
        Ok(Hit { document: document.into(), score })
    };
    let hits: Result<Vec<Hit>, &str> = documents.into_iter().enumerate().map(hit).collect();
    Ok(Ranking::new(hits?)?)
}
