//! Any text as a measure: a measure whose name reads back the same, or an error, but no panic.

#![no_main]

use fastlane_eval::Measure;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(measure) = text.parse::<Measure>() {
        assert_eq!(measure.to_string().parse(), Ok(measure));
    }
});
