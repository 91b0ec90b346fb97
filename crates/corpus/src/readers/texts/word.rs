//! docx: the paragraphs of a Word document, with its headings.
//!
//! A docx is a zip archive of XML. Styles say by their English names, in any language of Word, which
//! paragraphs are headings. Deleted text, headers, footers, notes and comments are not read.

use std::collections::HashMap;
use std::io::{Cursor, Read as _};

use quick_xml::Reader as Xml;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use zip::ZipArchive;

use super::kind::{Head, Kind, Reader, Text, Unreadable};
use super::rendering::Rendering;

pub(super) static KIND: Kind = Kind { is, read: Reader::Bytes(read) };

/// The most bytes of one part of the archive once it is unpacked: 64 MiB.
const LIMIT: u64 = 64 << 20;

/// A zip archive whose first part is one of Office; whether it is a docx, only its end tells.
fn is(head: &Head<'_>) -> bool {
    let has = |name: &[u8]| head.bytes.windows(name.len()).any(|at| at == name);
    head.bytes.starts_with(b"PK\x03\x04")
        && (has(b"[Content_Types].xml") || has(b"_rels/.rels") || has(b"word/"))
}

fn read(bytes: &[u8]) -> Result<Text, Unreadable> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))
        .map_err(|error| Unreadable::Damaged(error.to_string()))?;
    if archive.by_name("word/document.xml").is_err() {
        return Err(Unreadable::NoText("no text"));
    }
    let document = part(&mut archive, "word/document.xml")?;
    let styles =
        part(&mut archive, "word/styles.xml").map(|xml| headings(&xml)).unwrap_or_default();
    let title = part(&mut archive, "docProps/core.xml").ok().and_then(|xml| title(&xml));
    let mut body = Body { styles, ..Body::default() };
    events(&document, |event| body.take(event))?;
    let text = body.text.finish();
    match text.text.is_empty() {
        true => Err(Unreadable::NoText("no text")),
        false => Ok(Text { title, ..text }),
    }
}

/// One file of the archive.
fn part(archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str) -> Result<String, Unreadable> {
    let damaged = |error: String| Unreadable::Damaged(format!("{name}: {error}"));
    let file = archive.by_name(name).map_err(|error| damaged(error.to_string()))?;
    let mut bytes = Vec::new();
    let read = file.take(LIMIT + 1).read_to_end(&mut bytes);
    read.map_err(|error| damaged(error.to_string()))?;
    match bytes.len() as u64 > LIMIT {
        true => Err(damaged("more than 64 MiB".to_owned())),
        false => String::from_utf8(bytes).map_err(|_| damaged("not UTF-8".to_owned())),
    }
}

/// Hands out all events of an XML file.
fn events(xml: &str, mut take: impl FnMut(&Event<'_>)) -> Result<(), Unreadable> {
    let mut reader = Xml::from_str(xml);
    // an element that is closed as it opens is handed out as both
    reader.config_mut().expand_empty_elements = true;
    loop {
        match reader.read_event() {
            Ok(Event::Eof) => return Ok(()),
            Ok(event) => take(&event),
            Err(error) => return Err(Unreadable::Damaged(error.to_string())),
        }
    }
}

/// The levels of the styles that are for headings.
fn headings(xml: &str) -> HashMap<String, u8> {
    let (mut levels, mut style) = (HashMap::new(), None);
    let read = events(xml, |event| {
        let Event::Start(start) = event else { return };
        match start.local_name().as_ref() {
            "style" => style = attribute(start, "styleId"),
            "name" => {
                let level = attribute(start, "val").and_then(|name| level(&name));
                levels.extend(style.take().zip(level));
            }
            _ => {}
        }
    });
    // a document with broken styles still has its text
    read.map(|()| levels).unwrap_or_default()
}

/// The level of `heading 2`, or of `Title`.
fn level(name: &str) -> Option<u8> {
    let name = name.to_lowercase();
    match name.strip_prefix("heading ") {
        Some(level) => level.parse().ok().filter(|level| (1..=9).contains(level)),
        None => (name == "title").then_some(1),
    }
}

/// The title in the properties of the document.
fn title(xml: &str) -> Option<String> {
    let (mut is_open, mut title) = (false, String::new());
    let read = events(xml, |event| match event {
        Event::Start(start) => is_open = start.local_name().as_ref() == "title",
        Event::Text(text) if is_open => title.push_str(text),
        Event::GeneralRef(entity) if is_open => title.push_str(&resolved(entity)),
        Event::End(_) => is_open = false,
        _ => {}
    });
    read.ok().map(|()| title.trim().to_owned()).filter(|title| !title.is_empty())
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = start.attributes();
    let mut attributes = attributes.with_checks(false).flatten();
    let found = attributes.find(|attribute| attribute.key.local_name().as_ref() == name)?;
    Some(found.value.into_owned())
}

/// The characters of `&amp;` or `&#8212;`.
fn resolved(entity: &BytesRef<'_>) -> String {
    if let Ok(Some(c)) = entity.resolve_char_ref() {
        return c.to_string();
    }
    resolve_predefined_entity(entity).unwrap_or_default().to_owned()
}

/// The body of a document, as its elements come.
#[derive(Default)]
struct Body {
    styles: HashMap<String, u8>,
    text: Rendering,
    /// Whether characters are text.
    in_text: bool,
    /// How many cells of tables are open.
    cells: usize,
    /// How many copies for old programs are open, of what has been read.
    copies: usize,
}

impl Body {
    fn take(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(start) => self.open(start),
            Event::End(end) => self.close(end.local_name().as_ref()),
            Event::Text(text) => self.push(text),
            Event::CData(text) => self.push(text),
            Event::GeneralRef(entity) => self.push(&resolved(entity)),
            _ => {}
        }
    }

    fn open(&mut self, start: &BytesStart<'_>) {
        match start.local_name().as_ref() {
            "p" if self.cells == 0 => self.text.break_block(),
            "p" | "tab" => self.text.push_words(" "),
            "pStyle" => {
                let style = attribute(start, "val");
                let level = style.and_then(|style| self.styles.get(&style).copied());
                self.text.heading(level.filter(|_| self.cells == 0));
            }
            "numPr" if self.cells == 0 => self.text.begin_item(),
            "br" | "cr" if self.cells == 0 => self.text.break_line(),
            "br" | "cr" => self.text.push_words(" "),
            "tbl" if self.cells == 0 => self.text.break_block(),
            "tr" => self.text.break_line(),
            "tc" => {
                self.text.begin_cell();
                self.cells += 1;
            }
            "t" => self.in_text = true,
            "Fallback" => self.copies += 1,
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "p" if self.cells == 0 => {
                self.text.heading(None);
                self.text.break_block();
            }
            "tbl" if self.cells == 0 => self.text.break_block(),
            "tc" => self.cells = self.cells.saturating_sub(1),
            "t" => self.in_text = false,
            "Fallback" => self.copies = self.copies.saturating_sub(1),
            _ => {}
        }
    }

    fn push(&mut self, text: &str) {
        if self.in_text && self.copies == 0 {
            self.text.push_words(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn docx(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in parts {
            archive.start_file(*name, SimpleFileOptions::default()).unwrap();
            archive.write_all(bytes).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    fn paragraph(style: &str, text: &str) -> String {
        let style = format!("<w:pPr><w:pStyle w:val=\"{style}\"/></w:pPr>");
        format!("<w:p>{style}<w:r><w:t xml:space=\"preserve\">{text}</w:t></w:r></w:p>")
    }

    const STYLES: &str = "<w:styles><w:style w:styleId=\"berschrift1\"><w:name w:val=\"heading 1\"/></w:style>\
        <w:style w:styleId=\"Normal\"><w:name w:val=\"Normal\"/></w:style></w:styles>";

    #[test]
    fn paragraphs_headings_lists_and_tables_are_read() {
        let table = "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr>\
            <w:tr><w:tc><w:p><w:r><w:t>1</w:t></w:r></w:p></w:tc></w:tr></w:tbl>";
        let item = "<w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>item</w:t></w:r><w:r><w:delText>no</w:delText></w:r></w:p>";
        let body = [
            &paragraph("berschrift1", "Light"),
            &paragraph("Normal", "It is fast &amp; &#8212; br"),
            "<w:p><w:r><w:t>i</w:t></w:r><w:r><w:t>n one</w:t><w:tab/><w:t>word</w:t></w:r></w:p>",
            item,
            table,
        ]
        .concat();
        let document =
            format!("<?xml version=\"1.0\"?><w:document><w:body>{body}</w:body></w:document>");
        let core = "<cp:coreProperties><dc:title>On light</dc:title></cp:coreProperties>";
        let bytes = docx(&[
            ("[Content_Types].xml", b""),
            ("word/document.xml", document.as_bytes()),
            ("word/styles.xml", STYLES.as_bytes()),
            ("docProps/core.xml", core.as_bytes()),
        ]);
        assert!(is(&Head { bytes: &bytes, text: "", name: "a" }));
        let found = read(&bytes).unwrap();
        let wanted = "Light\n\nIt is fast & — br\n\nin one word\n\n- item\n\na | b\n1\n";
        assert_eq!((found.text.as_str(), found.title.as_deref()), (wanted, Some("On light")));
        let headings: Vec<_> = found.outline.headings.iter().map(|h| (h.at, &*h.title)).collect();
        assert_eq!(headings, [(0, "Light")]);
    }

    #[test]
    fn broken_archives_and_bombs_are_refused() {
        let whole = docx(&[("word/document.xml", paragraph("", "text").as_bytes())]);
        assert_eq!(read(&whole).unwrap().text, "text\n");
        for cut in 0..whole.len() {
            assert!(matches!(read(&whole[..cut]), Err(Unreadable::Damaged(_))), "{cut}");
        }
        assert_eq!(read(&docx(&[("a.txt", b"x")])), Err(Unreadable::NoText("no text")));
        let bomb = docx(&[("word/document.xml", &vec![b' '; LIMIT as usize + 1])]);
        assert!(bomb.len() < 1 << 20);
        let error = read(&bomb).unwrap_err();
        assert_eq!(error, Unreadable::Damaged("word/document.xml: more than 64 MiB".to_owned()));
        let deep = "<w:p>".repeat(100_000) + "<w:t>deep</w:t>" + &"</w:p>".repeat(100_000);
        let deep = docx(&[("word/document.xml", deep.as_bytes())]);
        assert_eq!(read(&deep).unwrap().text, "deep\n");
        let crossed = docx(&[("word/document.xml", b"<a><w:t>text</b>")]);
        assert!(matches!(read(&crossed), Err(Unreadable::Damaged(_))));
    }
}
