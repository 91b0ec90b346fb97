use std::fmt::Write as _;
use std::io::Write as _;

use super::*;

/// A PDF of pages with these contents, with an uncompressed font `F`.
fn pdf(pages: &[&str]) -> Vec<u8> {
    let mut objects = vec!["<< /Type /Catalog /Pages 2 0 R >>".to_owned()];
    let kids: String = (0..pages.len()).map(|page| format!("{} 0 R ", 4 + 2 * page)).collect();
    objects.push(format!("<< /Type /Pages /Kids [{kids}] /Count {} >>", pages.len()));
    objects.push(
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica \
         /Encoding << /Differences [1 /fi /eacute] >> >>"
            .to_owned(),
    );
    for (number, page) in pages.iter().enumerate() {
        let contents = 5 + 2 * number;
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents {contents} 0 R \
             /Resources << /Font << /F 3 0 R >> >> >>"
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{page}\nendstream", page.len()));
    }
    let mut out = "%PDF-1.4\n".to_owned();
    let mut places = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        places.push(out.len());
        write!(out, "{} 0 obj\n{object}\nendobj\n", number + 1).unwrap();
    }
    let start = out.len();
    write!(out, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).unwrap();
    places.iter().for_each(|place| writeln!(out, "{place:010} 00000 n ").unwrap());
    write!(
        out,
        "trailer << /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n",
        objects.len() + 1
    )
    .unwrap();
    out.into_bytes()
}

#[test]
fn words_lines_and_pages_follow_from_places() {
    let first = "BT /F 10 Tf 50 700 Td (Light is) Tj 45 0 Td (fast) Tj 0 -12 Td (a\\001ne caf\\002) Tj \
        0 -12 Td [(cut in wo) -100 (r-)] TJ 0 -12 Td (ds) Tj 0 -40 Td (New) Tj ET";
    // each glyph is 5 wide, as the font has no widths: `Light is` ends at 90, `fast` begins at 95
    let second =
        "q 1 0 0 1 0 0 cm BT /F 10 Tf 1 0 0 1 50 700 Tm 12 TL (Two) Tj T* (more) Tj (x) ' ET Q";
    let found = read(&pdf(&[first, "", second])).unwrap();
    let wanted = "Light is fast\nafine café\ncut in words\n\nNew\n\nTwo\nmore\nx\n";
    assert_eq!(found.text, wanted);
    // the second page has no text, and the line ends before the third
    assert_eq!(found.outline.pages, [0, 43, 45]);
}

#[test]
fn what_has_no_text_layer_is_told_from_what_is_damaged() {
    assert_eq!(read(&pdf(&["0 0 m 10 10 l S"])), Err(Unreadable::NoText("no text layer")));
    assert!(matches!(read(b"%PDF-1.4\nnothing"), Err(Unreadable::Damaged(_))));
    let whole = pdf(&["BT /F 10 Tf (text) Tj ET"]);
    for cut in 0..whole.len() {
        let _ = read(&whole[..cut]);
    }
    for place in 0..whole.len() {
        let mut broken = whole.clone();
        broken[place] ^= 0x15;
        let _ = read(&broken);
    }
}

#[test]
fn nested_and_endless_input_ends() {
    for content in ["[".repeat(100_000), "q ".repeat(100_000), "<<".repeat(100_000)] {
        assert!(read(&pdf(&[&content])).is_err());
    }
    let mut bomb = b"%PDF-1.4\n1 0 obj << /Filter /FlateDecode >> stream\n".to_vec();
    let mut packed = flate2::write::ZlibEncoder::new(&mut bomb, flate2::Compression::best());
    for _ in 0..STREAM >> 20 {
        packed.write_all(&[0; 1 << 20]).unwrap();
    }
    packed.finish().unwrap();
    let error = read(&bomb).unwrap_err();
    assert_eq!(error, Unreadable::Damaged("a stream has more than 128 MiB".to_owned()));
}

#[test]
fn titles_of_programs_are_not_used() {
    assert_eq!(title(b"On  light"), Some("On light".to_owned()));
    assert_eq!(title(b"\xfe\xff\0O\0n\0 \0i\0t"), Some("On it".to_owned()));
    assert_eq!((title(b"Microsoft Word - a.docx"), title(b"x"), title(b"")), (None, None, None));
}
