//! Weights of views, for a reduction that needs them.

use super::{index_settings, settings, views};
use crate::{NewDocument, Reader, Reduction, Writer, WriterSettings};

#[test]
fn the_heaviest_views_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let reduction = Reduction { importance: Some(0.5), ..Reduction::OFF };
    let settings = WriterSettings { reduction, ..settings() };
    let mut writer = Writer::open(directory.path(), &index_settings(), settings).unwrap();
    let (four, three) = (views(1, 4), views(2, 3));
    let mut add = |id, views, weights: &[f32]| {
        let document = NewDocument { id, views, tokens: None, weights: Some(weights) };
        writer.add_document(&document).map_err(|error| {
            assert!(error.hint().is_some());
            error.to_string()
        })
    };
    add("d1", &four, &[0.1, 0.9, -1.0, 0.5]).unwrap();
    // half of three, rounded up
    add("d2", &three, &[0.0, 3.0, 2.0]).unwrap();
    assert_eq!(
        add("d2", &three, &[1.0; 4]),
        Err("document `d2` has 4 weights, wanted one for each of 3 views".to_owned())
    );
    assert_eq!(
        add("d2", &three, &[1.0, f32::NAN, 1.0]),
        Err("document `d2` has the weight NaN for view 1, wanted a finite one".to_owned())
    );
    writer.commit().unwrap();
    let reader = Reader::open(directory.path()).unwrap();
    assert_eq!(reader.statistics().views, 4);
    let stored = &reader.generation.segments[0].views;
    let floats = |document| {
        let mut floats = Vec::new();
        stored.decode(stored.of(document).unwrap(), &mut floats).unwrap();
        floats
    };
    assert_eq!(floats(0), four.select(&[1, 3]).values());
    assert_eq!(floats(1), three.select(&[1, 2]).values());
}
