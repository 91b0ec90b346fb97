//! The content of an index as a function of its generation's number, and the change to the next.
//!
//! A generation touches some of the documents: each of these is deleted, or gets views that depend
//! on the generation. So a document is determined by the last generation that touched it.

use std::collections::BTreeMap;

use fastlane_engine::{TokenMatrix, Writer};

/// The dimension of all views.
pub(crate) const DIM: usize = 8;
/// The name of the attachment.
pub(crate) const ATTACHED: &str = "note";
/// The first generation is empty.
const FIRST: u64 = 2;
/// The largest number of documents.
const MOST: u64 = 150;

pub(crate) type Documents = BTreeMap<String, TokenMatrix>;

/// All documents of a generation.
pub(crate) fn documents(generation: u64) -> Documents {
    let mut documents = Documents::new();
    for number in 0..MOST {
        let touched = (FIRST..=generation).rev().find_map(|one| touch(number, one));
        if let Some(Touch::Views(views)) = touched {
            documents.insert(id(number), views);
        }
    }
    documents
}

/// The content of the attachment, if there is one.
pub(crate) fn attachment(generation: u64) -> Option<String> {
    let since = generation - generation % 3;
    (since >= FIRST && generation % 3 < 2).then(|| since.to_string())
}

/// Whether a generation is made by a compaction.
pub(crate) fn is_compaction(generation: u64) -> bool {
    generation.is_multiple_of(5)
}

/// Changes the previous generation to this one.
pub(crate) fn change(writer: &mut Writer, generation: u64) {
    for number in 0..MOST {
        match touch(number, generation) {
            Some(Touch::Views(now)) => {
                if number.is_multiple_of(5) {
                    writer.add(&id(number), &views(number, 2), None).unwrap();
                }
                writer.add(&id(number), &now, None).unwrap();
            }
            Some(Touch::Deleted) => {
                writer.delete(&id(number)).unwrap();
            }
            None => {}
        }
    }
    match generation % 3 {
        0 => writer.attach(ATTACHED, Some(generation.to_string().as_bytes())).unwrap(),
        2 => writer.attach(ATTACHED, None).unwrap(),
        _ => {}
    }
}

enum Touch {
    Deleted,
    Views(TokenMatrix),
}

/// The change of a document in a generation; one is always added, so that there is a change.
fn touch(number: u64, generation: u64) -> Option<Touch> {
    // the index grows, so that lists are created and outgrown
    if number > 10 + generation {
        return None;
    }
    let mut random = Random(number * 1_000_003 + generation);
    let (touches, deletes, count) = (random.below(8) == 0, random.below(4) == 0, random.below(7));
    let always = number == generation % 10;
    match (always || touches, deletes && !always) {
        (false, _) => None,
        (true, true) => Some(Touch::Deleted),
        (true, false) => Some(Touch::Views(views(number + MOST * generation, count))),
    }
}

fn id(number: u64) -> String {
    format!("d{number}")
}

/// Views that depend only on a number; halves hold their values exactly.
pub(crate) fn views(seed: u64, count: usize) -> TokenMatrix {
    let mut random = Random(seed);
    TokenMatrix::new(
        DIM,
        (0..count * DIM).map(|_| random.below(256) as f32 / 128.0 - 1.0).collect(),
    )
}

/// Random numbers from a seed (SplitMix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }
}
