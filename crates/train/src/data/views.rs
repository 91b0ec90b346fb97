//! Views of another system, by the numbers of texts.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use fastlane_engine::StoredDocuments;

use super::DataError;
use super::pairs::Ids;

/// The searched views of queries or of documents, as another system computed them.
#[derive(Debug)]
pub(crate) struct TeacherViews {
    path: PathBuf,
    dim: usize,
    /// Views of a text.
    count: usize,
    /// The first row of each text, by its number.
    rows: HashMap<u32, usize>,
    values: Vec<f32>,
    /// A hash of them, in the order of the files.
    hash: u64,
}

/// Views of some texts, row by row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Known {
    /// `[texts * count, dim]`; 0 where there is none.
    pub(crate) values: Vec<f32>,
    /// 1 for each row that is known.
    pub(crate) known: Vec<f32>,
    pub(crate) dim: usize,
}

impl TeacherViews {
    /// Reads a directory of views, of which texts that take part are kept.
    ///
    /// `shape` is what the run computes: views a text, and numbers a view.
    pub(crate) fn read(
        path: &Path,
        what: &'static str,
        ids: &Ids,
        (count, dim): (usize, usize),
    ) -> Result<Self, DataError> {
        let failed = |source| DataError::Views { path: path.to_owned(), source };
        let (path_of, rows) = (path.to_owned(), HashMap::new());
        let mut found = Self { path: path_of, dim, count, rows, values: Vec::new(), hash: 0 };
        for document in StoredDocuments::open(path).map_err(failed)? {
            let document = document.map_err(failed)?;
            let Some(text) = ids.get(&document.id) else { continue };
            let two =
                || DataError::TwoViews { path: path.to_owned(), what, id: document.id.clone() };
            found.add(text.ok_or_else(two)?, &document.id, document.searched())?;
        }
        match found.rows.is_empty() {
            true => Err(DataError::NoViews { path: path.to_owned(), what }),
            false => Ok(found),
        }
    }

    fn add(
        &mut self,
        text: u32,
        id: &str,
        views: &fastlane_engine::TokenMatrix,
    ) -> Result<(), DataError> {
        if (views.len(), views.dim()) != (self.count, self.dim) {
            return Err(DataError::OtherViews {
                path: self.path.clone(),
                id: id.to_owned(),
                found: (views.len(), views.dim()),
                wanted: (self.count, self.dim),
            });
        }
        self.rows.insert(text, self.values.len() / self.dim);
        let bits = views.values().iter().map(|value| value.to_bits());
        self.hash = super::hash_of(self.hash, std::iter::once(text).chain(bits));
        self.values.extend(views.values());
        Ok(())
    }

    /// The views of some texts.
    pub(crate) fn of(&self, texts: &[u32]) -> Known {
        let a_text = self.count * self.dim;
        let mut values = vec![0.0; texts.len() * a_text];
        let mut known = vec![0.0; texts.len() * self.count];
        for (place, text) in texts.iter().enumerate() {
            if let Some(&row) = self.rows.get(text) {
                let theirs = &self.values[row * self.dim..][..a_text];
                values[place * a_text..][..a_text].copy_from_slice(theirs);
                known[place * self.count..][..self.count].fill(1.0);
            }
        }
        Known { values, known, dim: self.dim }
    }

    /// A hash of the views.
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory as NumPy writes it: one view of two numbers for each id.
    fn directory(ids: &[&str], values: &[f32]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let array = |name: &str, descr: &str, shape: String, bytes: Vec<u8>| {
            let header =
                format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
            let mut file = b"\x93NUMPY\x01\x00".to_vec();
            file.extend((header.len() as u16).to_le_bytes());
            file.extend(header.bytes().chain(bytes));
            fastlane_durable::replace(&folder.path().join(name), &file).unwrap();
        };
        let floats = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        array("vectors.npy", "<f4", format!("({}, 2)", values.len() / 2), floats);
        let ones = ids.iter().flat_map(|_| 1_u32.to_le_bytes()).collect();
        array("doclens.npy", "<u4", format!("({},)", ids.len()), ones);
        let lines: String = ids.iter().map(|id| format!("{id}\n")).collect();
        fastlane_durable::replace(&folder.path().join("ids.txt"), lines.as_bytes()).unwrap();
        folder
    }

    fn ids() -> Ids {
        let mut ids = Ids::default();
        for (id, text) in [("a", 4), ("b", 7), ("twice", 1), ("twice", 2)] {
            ids.add(id, text);
        }
        ids
    }

    #[test]
    fn views_go_to_the_texts_of_their_ids() {
        let folder = directory(&["b", "other"], &[0.6, 0.8, 1.0, 0.0]);
        let found = TeacherViews::read(folder.path(), "queries", &ids(), (1, 2)).unwrap();
        let wanted = Known { values: vec![0.0, 0.0, 0.6, 0.8], known: vec![0.0, 1.0], dim: 2 };
        assert_eq!(found.of(&[4, 7]), wanted);
        let other = directory(&["b", "other"], &[0.8, 0.6, 1.0, 0.0]);
        let other = TeacherViews::read(other.path(), "queries", &ids(), (1, 2)).unwrap();
        assert_ne!(found.hash(), other.hash());
    }

    #[test]
    fn views_that_do_not_fit_are_refused() {
        let read = |all: &[&str], shape| {
            let folder = directory(all, &vec![0.5; 2 * all.len()]);
            let error = TeacherViews::read(folder.path(), "queries", &ids(), shape).unwrap_err();
            assert!(error.hint().is_some());
            error.to_string().replace(&folder.path().display().to_string(), "V")
        };
        assert_eq!(read(&["a"], (3, 2)), "`V` has 1 view of 2 numbers for `a`, wanted 3 of 2");
        assert_eq!(read(&["a"], (1, 8)), "`V` has 1 view of 2 numbers for `a`, wanted 1 of 8");
        assert_eq!(read(&["x"], (1, 2)), "`V` has no views of queries that take part");
        assert_eq!(read(&["twice"], (1, 2)), "`V` names the id `twice`, which two queries have");
    }
}
