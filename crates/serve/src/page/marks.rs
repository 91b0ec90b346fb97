//! Pieces of a text with the tokens that each answers.

use std::ops::Range;

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    /// The tokens of the query that it answers, in order; none for what stands between.
    pub(super) tokens: Vec<usize>,
}

/// Cuts a part of a text wherever a mark begins or ends; together the pieces are that part.
///
/// Marks that overlap share a piece. One that lies within a character takes all of it, for some
/// tokenisers split characters; one that is empty or outside of the part is left out.
pub(super) fn pieces<'a>(
    text: &'a str,
    part: Range<usize>,
    marks: &[(usize, Range<usize>)],
) -> Vec<Piece<'a>> {
    let part = whole(text, part);
    let inside = |(token, bytes): &(usize, Range<usize>)| {
        let bytes = if bytes.is_empty() { 0..0 } else { whole(text, bytes.clone()) };
        let bytes = bytes.start.max(part.start)..bytes.end.min(part.end);
        (!bytes.is_empty()).then_some((*token, bytes))
    };
    let mut marks: Vec<(usize, Range<usize>)> = marks.iter().filter_map(inside).collect();
    marks.sort_by_key(|(token, bytes)| (*token, bytes.start));
    let mut edges: Vec<usize> = marks.iter().flat_map(|(_, at)| [at.start, at.end]).collect();
    edges.extend([part.start, part.end]);
    edges.sort_unstable();
    edges.dedup();
    let piece = |edge: &[usize]| {
        let over = marks.iter().filter(|(_, at)| at.start <= edge[0] && edge[1] <= at.end);
        let mut tokens: Vec<usize> = over.map(|(token, _)| *token).collect();
        tokens.dedup();
        Piece { text: &text[edge[0]..edge[1]], tokens }
    };
    edges.windows(2).map(piece).collect()
}

/// The same bytes, or a few more, so that no character is cut.
fn whole(text: &str, bytes: Range<usize>) -> Range<usize> {
    text.floor_char_boundary(bytes.start)..text.ceil_char_boundary(bytes.end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &str, marks: &[(usize, Range<usize>)]) -> Vec<(String, Vec<usize>)> {
        let pieces = pieces(text, 0..text.len(), marks);
        pieces.into_iter().map(|piece| (piece.text.to_owned(), piece.tokens)).collect()
    }

    fn wanted(pieces: &[(&str, &[usize])]) -> Vec<(String, Vec<usize>)> {
        pieces.iter().map(|(text, tokens)| ((*text).to_owned(), tokens.to_vec())).collect()
    }

    #[test]
    fn a_text_without_marks_is_one_piece() {
        assert_eq!(cut("the keeper", &[]), wanted(&[("the keeper", &[])]));
        assert_eq!(cut("", &[]), []);
    }

    #[test]
    fn one_place_answers_several_tokens_in_their_order() {
        let marks = [(7, 4..10), (2, 4..10), (3, 0..3)];
        assert_eq!(
            cut("the keeper", &marks),
            wanted(&[("the", &[3]), (" ", &[]), ("keeper", &[2, 7])])
        );
    }

    #[test]
    fn adjoining_marks_stay_apart_and_overlapping_ones_share_a_piece() {
        assert_eq!(
            cut("lighthouse", &[(1, 0..5), (2, 5..10)]),
            wanted(&[("light", &[1]), ("house", &[2])])
        );
        assert_eq!(
            cut("lighthouse", &[(1, 0..7), (2, 5..10)]),
            wanted(&[("light", &[1]), ("ho", &[1, 2]), ("use", &[2])])
        );
    }

    #[test]
    fn characters_stay_whole_and_odd_marks_are_left_out() {
        // the second byte of ö, an empty mark, marks beyond the end
        let marks = [(1, 3..4), (2, 5..5), (3, 90..99), (4, 6..99)];
        assert_eq!(
            cut("größer", &marks),
            wanted(&[("gr", &[]), ("ö", &[1]), ("ß", &[]), ("er", &[4])])
        );
        let reversed = Range { start: 4, end: 2 };
        assert_eq!(cut("abcdef", &[(1, reversed)]), wanted(&[("abcdef", &[])]));
    }

    #[test]
    fn a_part_of_a_text_has_only_its_own_marks() {
        let found = pieces("Storm lash the rail", 6..19, &[(0, 0..5), (1, 4..10), (2, 15..19)]);
        let found: Vec<&str> = found.iter().map(|piece| piece.text).collect();
        assert_eq!(found, ["lash", " the ", "rail"]);
    }

    proptest! {
        #[test]
        fn pieces_joined_are_the_text(
            text in "[a-cßé語<& ]{0,40}",
            marks in prop::collection::vec((0..6_usize, 0..90_usize, 0..20_usize), 0..12),
            part in (0..90_usize, 0..90_usize),
        ) {
            let marks: Vec<_> =
                marks.into_iter().map(|(token, at, long)| (token, at..at + long)).collect();
            let joined = |part| -> String {
                pieces(&text, part, &marks).iter().map(|piece| piece.text).collect()
            };
            prop_assert_eq!(joined(0..text.len()), text.as_str());
            let start = text.floor_char_boundary(part.0.min(part.1));
            let end = text.ceil_char_boundary(part.0.max(part.1));
            prop_assert_eq!(joined(start..end), &text[start..end]);
            for piece in pieces(&text, 0..text.len(), &marks) {
                prop_assert!(!piece.text.is_empty() && piece.tokens.is_sorted());
            }
        }
    }
}
