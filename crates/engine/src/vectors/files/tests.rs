//! Written views are read back, whatever interruption happened in between.

use std::path::Path;

use std::collections::BTreeMap;
use std::io::Write as _;

use half::f16;
use proptest::prelude::*;

use super::*;
use crate::UsualLane;

/// A document with this many tokens, whose values identify them.
fn document(number: usize, tokens: usize, shape: VectorShape) -> DocumentViews {
    let matrix = |dim: usize, rows: usize| {
        let value = |at: usize| ((number * 31 + at * 7) % 200) as f32 / 128.0 - 0.75;
        TokenMatrix::new(dim, (0..rows * dim).map(value).collect())
    };
    let token = |at| Token { id: (number * 100 + at) as u32, text: String::new(), bytes: None };
    DocumentViews {
        tokens: (0..tokens).map(token).collect(),
        views: matrix(shape.dim, tokens),
        lane_views: shape.lane_dim.map(|dim| matrix(dim, 2)),
        cut: 0,
    }
}

fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(directory).unwrap().map(Result::unwrap);
    let file = |entry: std::fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
    };
    entries.map(file).collect()
}

/// Truncates a file to `length` bytes, as a crash may.
fn cut(path: &Path, length: u64) {
    File::options().write(true).open(path).unwrap().set_len(length).unwrap();
}

const SHAPE: VectorShape = VectorShape { dim: 2, lane_dim: Some(3), soft_dim: None };

#[test]
fn the_bytes_of_a_small_directory_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let shape = VectorShape { dim: 2, lane_dim: None, soft_dim: Some(1) };
    let mut writer = VectorWriter::open(folder.path(), shape, WriteProgress::default()).unwrap();
    let token = |id| Token { id, text: String::new(), bytes: None };
    let query = QueryViews {
        tokens: vec![token(7), token(258)],
        views: TokenMatrix::new(2, vec![1.0, -2.0, 0.5, 0.0]),
        alpha: vec![0.25, 0.75],
        lane_views: None,
        soft_lane: vec![65504.0],
        usual: UsualLane::Soft,
        cut: 0,
    };
    writer.push_query("é 1", &query).unwrap();
    writer.finish().unwrap();
    let files = files(folder.path());
    let names = ["alpha.npy", "doclens.npy", "ids.txt", "soft.npy", "tokens.npy", "vectors.npy"];
    assert_eq!(files.keys().collect::<Vec<_>>(), names);
    // 1 is 0x3c00 in f16, -2 is 0xc000, a half 0x3800, the largest 0x7bff
    assert_eq!(files["vectors.npy"][128..], [0x00, 0x3c, 0x00, 0xc0, 0x00, 0x38, 0x00, 0x00]);
    assert_eq!(files["soft.npy"][128..], [0xff, 0x7b]);
    assert_eq!(files["tokens.npy"][128..], [7, 0, 0, 0, 2, 1, 0, 0]);
    assert_eq!(files["doclens.npy"][128..], [2, 0, 0, 0]);
    // a quarter is 0x3e800000 in f32, three quarters 0x3f400000
    assert_eq!(files["alpha.npy"][128..], [0, 0, 0x80, 0x3e, 0, 0, 0x40, 0x3f]);
    assert_eq!(files["ids.txt"], "é 1\n".as_bytes());
    let header = |name: &str| String::from_utf8_lossy(&files[name][10..128]).into_owned();
    assert!(header("vectors.npy").contains("'shape': (2, 2), "));
    assert!(
        header("soft.npy").contains("'descr': '<f2', 'fortran_order': False, 'shape': (1, 1), ")
    );
}

#[test]
fn what_no_file_can_hold_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let shape = VectorShape { lane_dim: None, ..SHAPE };
    let mut writer = VectorWriter::open(folder.path(), shape, WriteProgress::default()).unwrap();
    let mut views = document(1, 1, shape);
    for id in ["a\nb", "a\r", "\u{2028}"] {
        let error = writer.push_document(id, &views).unwrap_err();
        assert!(matches!(error, VectorFilesError::Id { .. }) && error.hint().is_some(), "{error}");
    }
    views.views = TokenMatrix::new(2, vec![0.0, -65536.0]);
    let error = writer.push_document("d1", &views).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a view of `d1` has the value -65536, wanted -65504 to 65504 as f16 holds it"
    );
}

#[test]
fn files_that_are_not_whole_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = |written| VectorWriter::open(folder.path(), SHAPE, written);
    let mut writer = open(WriteProgress::default()).unwrap();
    writer.push_document("d1", &document(1, 3, SHAPE)).unwrap();
    let written = writer.finish().unwrap();
    let vectors = folder.path().join(VECTORS);
    // 3 views of 2 values
    cut(&vectors, 128 + 3 * 2 * 2 - 1);
    let said = |error: VectorFilesError| error.to_string().replace(vectors.to_str().unwrap(), "V");
    assert_eq!(said(open(written).unwrap_err()), "`V` has 139 bytes, wanted 140");
    assert_eq!(
        said(StoredDocuments::open(folder.path()).unwrap_err()),
        "`V` has 139 bytes, wanted 140"
    );
    cut(&vectors, 0);
    let error = StoredDocuments::open(folder.path()).unwrap_err();
    assert_eq!(
        said(error),
        "`V` holds no header of NumPy, wanted an array of f16 or f32 with rows and columns"
    );
    std::fs::remove_file(&vectors).unwrap();
    assert_eq!(said(StoredDocuments::open(folder.path()).unwrap_err()), "cannot read `V`");
    assert_eq!(said(open(written).unwrap_err()), "no file `V`, wanted one of 140 bytes");
    assert!(!vectors.exists(), "looking for a file does not make it");
}

#[test]
fn files_of_different_texts_are_refused() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for (folder, tokens) in folders.iter().zip([3, 4]) {
        let mut writer =
            VectorWriter::open(folder.path(), SHAPE, WriteProgress::default()).unwrap();
        writer.push_document("d1", &document(1, tokens, SHAPE)).unwrap();
        writer.finish().unwrap();
    }
    let path = |folder: usize, name: &str| folders[folder].path().join(name);
    for (name, wanted) in [
        (VECTORS, "`vectors.npy` has 4 rows, `doclens.npy` wants 3"),
        (TOKENS, "`tokens.npy` has 4 rows, `doclens.npy` wants 3"),
        (LENGTHS, "`vectors.npy` has 3 rows, `doclens.npy` wants 4"),
    ] {
        let own = std::fs::read(path(0, name)).unwrap();
        std::fs::copy(path(1, name), path(0, name)).unwrap();
        let error = StoredDocuments::open(folders[0].path()).unwrap_err();
        let said = error.to_string().replace(&format!("{}/", folders[0].path().display()), "");
        assert_eq!(said, wanted);
        File::options().write(true).open(path(0, name)).unwrap().write_all(&own).unwrap();
        cut(&path(0, name), own.len() as u64);
    }
    assert!(StoredDocuments::open(folders[0].path()).is_ok());
}

#[test]
fn no_two_texts_have_the_same_id() {
    let folder = tempfile::tempdir().unwrap();
    let open = |written| VectorWriter::open(folder.path(), SHAPE, written).unwrap();
    let views = document(1, 1, SHAPE);
    let mut writer = open(WriteProgress::default());
    for id in ["a", "b", "ab"] {
        writer.push_document(id, &views).unwrap();
    }
    let twice = |writer: &mut VectorWriter, id| {
        let error = writer.push_document(id, &views).unwrap_err();
        assert!(error.hint().is_some());
        error.to_string()
    };
    assert_eq!(twice(&mut writer, "b"), "id \"b\" is that of text 2 already, wanted another");
    // the texts before the error can be kept, and are known when the run is resumed
    let mut writer = open(writer.sync().unwrap());
    assert_eq!(twice(&mut writer, "ab"), "id \"ab\" is that of text 3 already, wanted another");
    let mut writer = open(WriteProgress::default());
    writer.push_document("b", &views).unwrap();
}

#[test]
fn an_error_counts_nothing_of_its_text() {
    let folder = tempfile::tempdir().unwrap();
    let shape = VectorShape { dim: 2, lane_dim: None, soft_dim: Some(1) };
    let mut writer = VectorWriter::open(folder.path(), shape, WriteProgress::default()).unwrap();
    let token = Token { id: 7, text: String::new(), bytes: None };
    let query = |alpha| QueryViews {
        tokens: vec![token.clone()],
        views: TokenMatrix::new(2, vec![1.0, 0.0]),
        alpha: vec![alpha],
        lane_views: None,
        soft_lane: vec![1.0],
        usual: UsualLane::Soft,
        cut: 0,
    };
    writer.push_query("q1", &query(1.0)).unwrap();
    let error = writer.push_query("q2", &query(f32::NAN)).unwrap_err();
    assert_eq!(error.to_string(), "alpha of `q2` has the value NaN, wanted finite shares");
    let written = writer.sync().unwrap();
    assert_eq!((written.texts, written.views), (1, 1));
    let mut writer = VectorWriter::open(folder.path(), shape, written).unwrap();
    writer.push_query("q2", &query(1.0)).unwrap();
    writer.finish().unwrap();
    assert_eq!(files(folder.path())["alpha.npy"][128..], [0, 0, 0x80, 0x3f, 0, 0, 0x80, 0x3f]);
}

proptest! {
    // each case waits for the disk some dozen times
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn a_crash_anywhere_leaves_no_trace(
        lengths in prop::collection::vec(0_usize..5, 1..12),
        apart in any::<bool>(),
        syncs in prop::collection::vec(any::<bool>(), 12),
        stop in 0_usize..12,
        tear in 0.0_f64..1.0,
    ) {
        let shape = VectorShape { lane_dim: SHAPE.lane_dim.filter(|_| apart), ..SHAPE };
        let documents: Vec<_> = (lengths.iter().enumerate())
            .map(|(number, &tokens)| document(number, tokens, shape))
            .collect();
        let id = |number: usize| format!("document {number}");
        let straight = tempfile::tempdir().unwrap();
        let mut writer = VectorWriter::open(straight.path(), shape, WriteProgress::default()).unwrap();
        for (number, document) in documents.iter().enumerate() {
            writer.push_document(&id(number), document).unwrap();
        }
        writer.finish().unwrap();

        // the first writer stops in a crash; its last sync is known
        let torn = tempfile::tempdir().unwrap();
        let mut writer = VectorWriter::open(torn.path(), shape, WriteProgress::default()).unwrap();
        let mut reached = writer.sync().unwrap();
        let mut sizes = files(torn.path());
        for (number, document) in documents.iter().enumerate().take(stop) {
            writer.push_document(&id(number), document).unwrap();
            if syncs[number] {
                reached = writer.sync().unwrap();
                sizes = files(torn.path());
            }
        }
        // any part of any file after the sync may be there, or all with new headers
        if tear > 0.9 { writer.finish().unwrap(); } else { writer.sync().unwrap(); }
        for (turn, (name, bytes)) in files(torn.path()).iter().enumerate() {
            let (least, most) = (sizes[name].len(), bytes.len());
            let share = (tear + turn as f64 * 0.37).fract();
            cut(&torn.path().join(name), (least + ((most - least) as f64 * share) as usize) as u64);
        }

        let ids: Result<Vec<String>, _> = VectorWriter::ids(torn.path(), reached).unwrap().collect();
        prop_assert_eq!(ids.unwrap(), (0..reached.texts as usize).map(id).collect::<Vec<_>>());
        let mut writer = VectorWriter::open(torn.path(), shape, reached).unwrap();
        for (number, document) in documents.iter().enumerate().skip(reached.texts as usize) {
            writer.push_document(&id(number), document).unwrap();
        }
        writer.finish().unwrap();
        prop_assert_eq!(files(torn.path()), files(straight.path()));

        let stored = StoredDocuments::open(torn.path()).unwrap();
        prop_assert_eq!(stored.shape(), shape);
        let stored: Vec<StoredDocument> = stored.map(Result::unwrap).collect();
        prop_assert_eq!(stored.len(), documents.len());
        for (number, (stored, document)) in stored.iter().zip(&documents).enumerate() {
            prop_assert_eq!(&stored.id, &id(number));
            let tokens: Vec<u32> = document.tokens.iter().map(|token| token.id).collect();
            prop_assert_eq!(&stored.tokens, &Some(tokens));
            // the values have few digits in base 2: f16 holds them
            let exact = |value: &f32| f16::from_f32(*value).to_f32() == *value;
            prop_assert!(document.views.values().iter().all(exact));
            prop_assert_eq!(&stored.views, &document.views);
            prop_assert_eq!(&stored.lane_views, &document.lane_views);
        }
    }
}

/// A file as NumPy writes it.
fn numpy(version: u8, descr: &str, shape: &str, rows: &[u8]) -> Vec<u8> {
    let dict = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    let wide = if version == 1 { 2 } else { 4 };
    let length = (dict.len() + 1 + 8 + wide).next_multiple_of(64) - 8 - wide;
    let mut bytes = vec![0x93, b'N', b'U', b'M', b'P', b'Y', version, 0];
    bytes.extend(&(length as u32).to_le_bytes()[..wide]);
    bytes.extend(format!("{dict:<width$}\n", width = length - 1).bytes());
    bytes.extend(rows);
    bytes
}

#[test]
fn directories_of_other_encoders_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| overwrite(&directory.path().join(name), bytes);
    let values = [1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0];
    let rows: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let lengths: Vec<u8> = [1_i64, 2].iter().flat_map(|length| length.to_le_bytes()).collect();
    put("vectors.npy", &numpy(2, "<f4", "(3, 2)", &rows));
    put("doclens.npy", &numpy(1, "<i8", "(2,)", &lengths));
    put("ids.txt", b"a\nb\n");
    let documents = StoredDocuments::open(directory.path()).unwrap();
    let documents: Vec<StoredDocument> = documents.map(Result::unwrap).collect();
    assert_eq!(documents[1].views.values(), &values[2..]);
    assert_eq!((documents[0].id.as_str(), &documents[0].tokens), ("a", &None));
    assert_eq!(documents[0].weights, None);

    put("ids.txt", b"a\r\nb");
    let ids = StoredDocuments::open(directory.path()).unwrap();
    assert_eq!(ids.map(|document| document.unwrap().id).collect::<Vec<_>>(), ["a", "b"]);
    for (ids, found) in [("", "0"), ("a\n", "1"), ("a\nb\nc", "3")] {
        put("ids.txt", ids.as_bytes());
        let error = StoredDocuments::open(directory.path()).unwrap_err();
        assert!(error.to_string().contains(&format!("ids.txt` has {found} rows")), "{error}");
    }
    put("ids.txt", b"a\nb\n");

    // 1, a half and -2 in f16
    put("weights.npy", &numpy(1, "<f2", "(3,)", &[0x00, 0x3c, 0x00, 0x38, 0x00, 0xc0]));
    let documents = StoredDocuments::open(directory.path()).unwrap();
    assert!(documents.has_weights());
    let weights = documents.map(|document| document.unwrap().weights.unwrap());
    assert_eq!(weights.collect::<Vec<_>>(), [vec![1.0], vec![0.5, -2.0]]);
    put("weights.npy", &numpy(1, "<f4", "(2,)", &[0; 8]));
    let error = StoredDocuments::open(directory.path()).unwrap_err();
    assert!(error.to_string().contains("weights.npy` has 2 rows"), "{error}");
    put("weights.npy", &numpy(1, "<f4", "(3, 1)", &[0; 12]));
    let error = StoredDocuments::open(directory.path()).unwrap_err();
    assert!(error.to_string().ends_with("wanted an array of f16 or f32 in one row"), "{error}");
    std::fs::remove_file(directory.path().join("weights.npy")).unwrap();

    let lengths: Vec<u8> = [-1_i64, 4].iter().flat_map(|length| length.to_le_bytes()).collect();
    put("doclens.npy", &numpy(1, "<i8", "(2,)", &lengths));
    let error = StoredDocuments::open(directory.path()).unwrap_err();
    assert!(error.to_string().contains("has a number below 0"), "{error}");
    put("vectors.npy", &numpy(1, "<f8", "(3, 2)", &[0; 48]));
    let error = StoredDocuments::open(directory.path()).unwrap_err();
    assert!(error.to_string().ends_with("wanted an array of f16 or f32 with rows and columns"));
    put("vectors.npy", &numpy(1, "<f8\n\0", &format!("(3, 2{})", "0".repeat(200)), &[]));
    let said = StoredDocuments::open(directory.path()).unwrap_err().to_string();
    assert!(said.contains(" holds 'descr': '<f8  ', 'fortran") && !said.contains('\n'), "{said}");
    assert!(said.len() < directory.path().as_os_str().len() + 200, "{said}");
}

#[test]
fn a_directory_says_which_model_made_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = VectorWriter::open(folder.path(), SHAPE, WriteProgress::default()).unwrap();
    writer.push_document("d1", &document(1, 3, SHAPE)).unwrap();
    writer.finish().unwrap();
    assert_eq!(StoredDocuments::open(folder.path()).unwrap().origin(), None);
    let text = |text: &str| text.to_owned();
    let origin = Origin {
        model: text("MiniLM"),
        fingerprint: text("0123456789abcdef"),
        texts: text("documents"),
        instructions: text("AVX2 f32"),
    };
    origin.write(folder.path()).unwrap();
    assert_eq!(StoredDocuments::open(folder.path()).unwrap().origin(), Some(&origin));
    overwrite(&folder.path().join("model.json"), b"{\"model\": 7}");
    let error = StoredDocuments::open(folder.path()).unwrap_err();
    assert!(matches!(error, VectorFilesError::Origin { .. }) && error.hint().is_some(), "{error}");
}

#[expect(clippy::disallowed_methods, reason = "files of others need not survive a crash")]
fn overwrite(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}
