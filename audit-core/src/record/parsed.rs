//! Looking into a line that has been parsed, without building a tree of it.

use std::borrow::Cow;

use super::scan::{Names, Scanner, Shape, Span, unescape};
use super::{Record, parse};

/// A value inside a record: a stretch of its line.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    line: &'a [u8],
    span: Span,
    shape: Shape,
}

impl<'a> Record<'a> {
    /// The member `name` of the record, if it has one. Scans the line; does not allocate much.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<Member<'a>> {
        find(self.line(), parse::BODY_START, name)
    }

    /// The text of the member `name`, if it has one that is a string.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.member(name)?.text()
    }

    /// The value of the member `name`, if it has one that is a whole number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.member(name)?.number()
    }
}

impl<'a> Member<'a> {
    /// The bytes as they stand in the line; for a string without its quotes, escapes not resolved.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        self.span.of(self.line)
    }

    /// The text, if it is a string. Allocates only for escapes.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'a, str>> {
        if self.shape != Shape::Text {
            return None;
        }
        match unescape(self.raw()) {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
        }
    }

    /// The value, if it is a whole number that is not negative, also one that is written as a
    /// string because it is 2^53 or more.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        if !matches!(self.shape, Shape::Number | Shape::Text) {
            return None;
        }
        std::str::from_utf8(self.raw()).ok()?.parse().ok()
    }

    /// Whether it is `true` or `false`, if it is one of them.
    #[must_use]
    pub fn boolean(&self) -> Option<bool> {
        match (self.shape, self.raw()) {
            (Shape::Literal, b"true") => Some(true),
            (Shape::Literal, b"false") => Some(false),
            _ => None,
        }
    }

    /// The member `name`, if this is an object that has one.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<Self> {
        if self.shape == Shape::Object { find(self.line, self.span.start as usize + 1, name) } else { None }
    }

    /// All members with their names, if this is an object.
    pub(crate) fn members(&self) -> Vec<(Cow<'a, str>, Self)> {
        let mut found = Vec::new();
        if self.shape == Shape::Object {
            let line = self.line;
            let mut scanner = Scanner::new(line, self.span.start as usize + 1);
            // As in `find`, an error only means an empty object.
            let _ = scanner.members(&mut Names::default(), 0, 1, |key, span, shape| {
                let name = match unescape(key.of(line)) {
                    Cow::Borrowed(name) => String::from_utf8_lossy(name),
                    Cow::Owned(name) => Cow::Owned(String::from_utf8_lossy(&name).into_owned()),
                };
                found.push((name, Self { line, span, shape }));
            });
        }
        found
    }
}

/// The member `name` of the object whose first member starts at `at`.
fn find<'a>(line: &'a [u8], at: usize, name: &str) -> Option<Member<'a>> {
    let mut found = None;
    let mut scanner = Scanner::new(line, at);
    let mut names = Names::default();
    // The line has been accepted before, so an error here only means an empty object.
    let _ = scanner.members(&mut names, 0, 1, |key, span, shape| {
        if found.is_none() && *unescape(key.of(line)) == *name.as_bytes() {
            found = Some(Member { line, span, shape });
        }
    });
    found
}
