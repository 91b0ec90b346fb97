//! A directory of views with one modified file: consistent documents, or one error on one line.
//!
//! The first byte selects the file, the others are patches.

#![no_main]

mod patches;

use fastlane_engine::StoredDocuments;
use libfuzzer_sys::fuzz_target;

use patches::patched;

fuzz_target!(|bytes: &[u8]| {
    let Some((&which, bytes)) = bytes.split_first() else { return };
    let folder = tempfile::tempdir().expect("the system has room for a small directory");
    let files = files();
    let which = usize::from(which) % files.len();
    for (number, (name, right)) in files.into_iter().enumerate() {
        let bytes = if number == which { patched(&right, bytes) } else { right };
        std::fs::write(folder.path().join(name), bytes).expect("the directory is ours");
    }
    let documents = match StoredDocuments::open(folder.path()) {
        Err(error) => return assert!(!error.to_string().contains('\n'), "{error}"),
        Ok(documents) => documents,
    };
    let shape = documents.shape();
    for document in documents {
        match document {
            Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
            Ok(document) => {
                assert_eq!(document.views.dim(), shape.dim);
                assert_eq!(document.lane_views.map(|views| views.dim()), shape.lane_dim);
                assert_eq!(document.tokens.map(|tokens| tokens.len()), Some(document.views.len()));
                assert_eq!(document.weights.map(|all| all.len()), Some(document.views.len()));
                assert!(!document.id.contains('\n'));
            }
        }
    }
});

/// Two documents of three views.
fn files() -> [(&'static str, Vec<u8>); 8] {
    [
        ("vectors.npy", npy("<f4", "(3, 2)", &[0x3f; 24])),
        ("tokens.npy", npy("<u4", "(3,)", &[0; 12])),
        ("weights.npy", npy("<f2", "(3,)", &[0x38; 6])),
        (
            "doclens.npy",
            npy("<i8", "(2,)", &[[1, 0, 0, 0, 0, 0, 0, 0], [2, 0, 0, 0, 0, 0, 0, 0]].concat()),
        ),
        ("lanes.npy", npy("<f2", "(2, 3)", &[0x38; 12])),
        ("lanelens.npy", npy("<u4", "(2,)", &[1, 0, 0, 0, 1, 0, 0, 0])),
        ("ids.txt", b"a\nb\n".to_vec()),
        ("model.json", MODEL.into()),
    ]
}

const MODEL: &str =
    r#"{"model": "m", "fingerprint": "1", "texts": "documents", "instructions": "f"}"#;

/// A file as NumPy writes it.
fn npy(descr: &str, shape: &str, rows: &[u8]) -> Vec<u8> {
    let dict = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    bytes.extend(format!("{dict:<117}\n").bytes());
    bytes.extend(rows);
    bytes
}
