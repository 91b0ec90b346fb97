//! Walks over what a page shows.

use std::collections::HashMap;
use std::rc::Rc;

use hayro_syntax::content::UntypedIter;
use hayro_syntax::object::{Array, Dict, Name, Object, ObjectIdentifier, Stream};
use hayro_syntax::page::{Page, Resources};

use super::font::Font;
use super::layout::{Layout, Run};
use super::matrix::{Matrix, numbers};

/// The most operators of a document: a form may show others, and these others.
const OPERATORS: usize = 20_000_000;
/// How deep forms may be within others.
const DEPTH: usize = 8;
/// How many states may be saved.
const SAVED: usize = 512;
/// The most fonts that are kept for the next page.
const FONTS: usize = 256;

/// What is kept from page to page.
#[derive(Default)]
pub(super) struct Reading {
    operators: usize,
    fonts: HashMap<ObjectIdentifier, Rc<Font>>,
}

/// What operators change, and `q` and `Q` save and restore.
#[derive(Clone, Default)]
struct State {
    place: Matrix,
    font: Option<Rc<Font>>,
    size: f64,
    leading: f64,
    letters: f64,
    words: f64,
    /// How much wider letters are than those of the font, less one.
    wider: f64,
}

/// A page, or a form on it.
struct Sheet<'s, 'a> {
    resources: &'s Resources<'a>,
    layout: &'s mut Layout,
    state: State,
    saved: Vec<State>,
    /// Where the next glyph goes, and where its line begins.
    at: Matrix,
    line: Matrix,
    depth: usize,
}

impl Reading {
    /// The text of a page, without white space around it.
    pub(super) fn page(&mut self, page: &Page<'_>) -> String {
        let mut layout = Layout::default();
        if let Some(stream) = page.page_stream() {
            let sheet = Sheet::new(page.resources(), &mut layout, State::default(), 0);
            self.run(stream, sheet);
        }
        layout.text.trim().to_owned()
    }

    fn run(&mut self, stream: &[u8], mut sheet: Sheet<'_, '_>) {
        let mut operators = UntypedIter::new(stream);
        while let Some(operator) = operators.next() {
            self.operators += 1;
            if self.operators > OPERATORS {
                return;
            }
            let operands: Vec<&Object<'_>> = operator.operands().collect();
            self.take(operator.operator, &operands, &mut sheet);
        }
    }

    fn take(&mut self, operator: &[u8], operands: &[&Object<'_>], sheet: &mut Sheet<'_, '_>) {
        match (operator, operands) {
            (b"Tf", [Object::Name(name), size]) => {
                sheet.state.font = self.font(name, sheet.resources);
                sheet.state.size = numbers([*size].into_iter()).first().copied().unwrap_or(1.0);
            }
            (b"Do", [Object::Name(name)]) => self.show_form(name, sheet),
            (b"Tj" | b"'", [Object::String(text)]) | (b"\"", [_, _, Object::String(text)]) => {
                if operator != b"Tj" {
                    sheet.next_line();
                }
                sheet.show(text);
            }
            (b"TJ", [Object::Array(texts)]) => sheet.show_all(texts),
            _ => sheet.move_by(operator, &numbers(operands.iter().copied())),
        }
    }

    fn font(&mut self, name: &Name<'_>, resources: &Resources<'_>) -> Option<Rc<Font>> {
        let key = resources.fonts.get_ref(name).map(Into::into);
        if let Some(known) = key.and_then(|key| self.fonts.get(&key)) {
            return Some(Rc::clone(known));
        }
        let font = Rc::new(Font::of(&resources.get_font(name)?));
        if let Some(key) = key.filter(|_| self.fonts.len() < FONTS) {
            self.fonts.insert(key, Rc::clone(&font));
        }
        Some(font)
    }

    fn show_form(&mut self, name: &Name<'_>, sheet: &mut Sheet<'_, '_>) {
        let form = sheet.resources.get_x_object(name).filter(is_form);
        let Some(form) = form.filter(|_| sheet.depth < DEPTH) else { return };
        let Ok(stream) = form.decoded_data() else { return };
        let matrix = form.dict().get::<Array<'_>>("Matrix");
        let matrix: Vec<Object<'_>> = matrix.map(|it| it.iter().collect()).unwrap_or_default();
        let matrix = Matrix::of(&numbers(matrix.iter())).unwrap_or_default();
        let place = matrix.then(sheet.state.place);
        let own = form.dict().get::<Dict<'_>>("Resources").map(Resources::new);
        let resources = own.as_ref().unwrap_or(sheet.resources);
        let state = State { place, ..sheet.state.clone() };
        self.run(&stream, Sheet::new(resources, sheet.layout, state, sheet.depth + 1));
    }
}

fn is_form(object: &Stream<'_>) -> bool {
    object.dict().get::<Name<'_>>("Subtype").is_some_and(|kind| &*kind == b"Form")
}

impl<'s, 'a> Sheet<'s, 'a> {
    fn new(
        resources: &'s Resources<'a>,
        layout: &'s mut Layout,
        state: State,
        depth: usize,
    ) -> Self {
        let (at, line) = (Matrix::default(), Matrix::default());
        Self { resources, layout, state, saved: Vec::new(), at, line, depth }
    }

    /// Takes an operator with numbers.
    fn move_by(&mut self, operator: &[u8], numbers: &[f64]) {
        match (operator, numbers) {
            (b"BT", _) => self.set_line(Matrix::default()),
            (b"Tm", numbers) => self.set_line(Matrix::of(numbers).unwrap_or_default()),
            (b"Td", [x, y]) => self.set_line(Matrix::shift(*x, *y).then(self.line)),
            (b"TD", [x, y]) => {
                self.state.leading = -y;
                self.set_line(Matrix::shift(*x, *y).then(self.line));
            }
            (b"T*", _) => self.next_line(),
            (b"TL", [leading]) => self.state.leading = *leading,
            (b"Tc", [letters]) => self.state.letters = *letters,
            (b"Tw", [words]) => self.state.words = *words,
            (b"Tz", [percent]) => self.state.wider = percent / 100.0 - 1.0,
            (b"cm", numbers) => {
                let change = Matrix::of(numbers).unwrap_or_default();
                self.state.place = change.then(self.state.place);
            }
            (b"q", _) if self.saved.len() < SAVED => self.saved.push(self.state.clone()),
            (b"Q", _) => self.state = self.saved.pop().unwrap_or_else(|| self.state.clone()),
            _ => {}
        }
    }

    fn set_line(&mut self, line: Matrix) {
        (self.line, self.at) = (line, line);
    }

    fn next_line(&mut self) {
        self.set_line(Matrix::shift(0.0, -self.state.leading).then(self.line));
    }

    fn show_all(&mut self, texts: &Array<'_>) {
        for text in texts.iter::<Object<'_>>() {
            match text {
                Object::String(text) => self.show(&text),
                Object::Number(number) => self.advance(-number.as_f64() / 1000.0, 0.0),
                _ => {}
            }
        }
    }

    fn show(&mut self, codes: &[u8]) {
        let Some(font) = self.state.font.clone() else { return };
        let shown = font.text(codes);
        let whole = self.at.then(self.state.place);
        let (_, up) = whole.scales();
        let (start, base) = whole.origin();
        let spaces = shown.text.matches(' ').count() as f64;
        let extra = self.state.letters * shown.glyphs as f64 + self.state.words * spaces;
        self.advance(shown.width, extra);
        let (end, _) = self.at.then(self.state.place).origin();
        let size = self.state.size.abs() * up;
        self.layout.push(&shown.text, Run { start, end, base, size });
    }

    /// Moves on by a width of the font, and by a width of the page.
    fn advance(&mut self, width: f64, extra: f64) {
        let x = (width * self.state.size + extra) * (1.0 + self.state.wider);
        self.at = Matrix::shift(x, 0.0).then(self.at);
    }
}
