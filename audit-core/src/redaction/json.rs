use super::body_rules::{BodyRules, Path, Treatment};
use super::correlate::replacement;
use super::json_names::JsonNames;
use super::json_text::{Unread, number_end, string_end, with_resolved, word_end};
use super::redacted::{Redacted, Writer};
use super::secret_value::holds_secret;
use crate::capture::Withheld;

/// How deep objects and arrays may be nested.
const DEPTH_MOST: usize = 64;

/// Members that say what another member of their object is: `{"name":"PASSWORD","value":"…"}`.
const LABELS: [&str; 5] = ["field", "header", "key", "name", "parameter"];

/// Members that such a label is about.
const LABELLED: [&str; 3] = ["val", "value", "values"];

/// Redacts JSON (RFC 8259) that may end anywhere unless it is `whole`.
///
/// Whatever breaks the grammar withholds all of it: another reader may see other members in it.
pub(super) fn redact(text: &str, whole: bool, rules: &BodyRules, writer: Writer<'_>) -> Result<Redacted, Withheld> {
    let mut scan = Scan {
        text,
        whole,
        at: 0,
        rules,
        writer,
        levels: Vec::new(),
        names: JsonNames::default(),
        hidden: None,
        next: rules.root(),
        is_label: false,
    };
    match scan.run() {
        Ok(()) => {
            scan.writer.keep_to(text.len());
            Ok(scan.writer.finish(whole))
        }
        Err(Stop::Ends) if !whole => Ok(scan.writer.finish(false)),
        Err(Stop::Ends) => Err(Withheld::Malformed),
        Err(Stop::Withhold(reason)) => Err(reason),
    }
}

/// Why a scan ends before the end of a document.
#[derive(Clone, Copy, Debug)]
enum Stop {
    /// The text ends before the document does.
    Ends,
    /// It cannot be understood.
    Withhold(Withheld),
}

impl From<Unread> for Stop {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Ends => Self::Ends,
            Unread::Malformed => MALFORMED,
        }
    }
}

const MALFORMED: Stop = Stop::Withhold(Withheld::Malformed);

/// An object or array that is open.
#[derive(Debug)]
struct Level {
    path: Path,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// With its number, and whether a label in it named a secret.
    Object(u32, bool),
    /// With the index of the next element.
    Array(usize),
}

/// A value that is replaced once it has ended.
#[derive(Debug)]
struct Hidden {
    /// How many levels are open around it.
    depth: usize,
    start: usize,
    treatment: Treatment,
}

/// What may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Value,
    /// Behind an opening bracket.
    ValueOrEnd,
    /// Behind a comma in an object.
    Name,
    /// Behind an opening brace.
    NameOrEnd,
    /// Behind a value in an object or array.
    CommaOrEnd,
    /// Behind the document.
    Nothing,
}

#[derive(Debug)]
struct Scan<'a> {
    text: &'a str,
    whole: bool,
    at: usize,
    rules: &'a BodyRules,
    writer: Writer<'a>,
    levels: Vec<Level>,
    names: JsonNames,
    hidden: Option<Hidden>,
    /// Where the next value stands, and what happens to it.
    next: (Path, Option<Treatment>),
    /// Whether the next value says what another member is.
    is_label: bool,
}

impl Scan<'_> {
    fn run(&mut self) -> Result<(), Stop> {
        let mut expected = Expected::Value;
        loop {
            let Some(byte) = self.skip_space() else {
                return if expected == Expected::Nothing { Ok(()) } else { Err(Stop::Ends) };
            };
            expected = match (expected, byte) {
                (Expected::Value | Expected::ValueOrEnd, b'{' | b'[') => self.open(byte)?,
                (Expected::Value | Expected::ValueOrEnd, b'"' | b'-' | b'0'..=b'9' | b'a'..=b'z') => {
                    self.scalar(byte)?
                }
                (Expected::Name | Expected::NameOrEnd, b'"') => self.name()?,
                (Expected::ValueOrEnd | Expected::NameOrEnd | Expected::CommaOrEnd, b'}' | b']') => self.close(byte)?,
                (Expected::CommaOrEnd, b',') => self.comma(),
                _ => return Err(MALFORMED),
            };
        }
    }

    /// The next byte that is not white space (RFC 8259 §2).
    fn skip_space(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let space = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
        self.at += space;
        rest.get(space).copied()
    }

    fn open(&mut self, byte: u8) -> Result<Expected, Stop> {
        if self.levels.len() == DEPTH_MOST {
            return Err(Stop::Withhold(Withheld::Depth));
        }
        let (path, treatment) = self.next;
        if self.hidden.is_none() {
            match treatment {
                Some(treatment) => {
                    self.hidden = Some(Hidden { depth: self.levels.len(), start: self.at, treatment });
                }
                None => self.writer.keep_to(self.at + 1),
            }
        }
        self.at += 1;
        if byte == b'{' {
            self.levels.push(Level { path, kind: Kind::Object(self.names.object(), false) });
            return Ok(Expected::NameOrEnd);
        }
        self.levels.push(Level { path, kind: Kind::Array(0) });
        self.begin_element();
        Ok(Expected::ValueOrEnd)
    }

    fn close(&mut self, byte: u8) -> Result<Expected, Stop> {
        let closes_object = matches!(self.levels.pop(), Some(Level { kind: Kind::Object(..), .. }));
        if closes_object != (byte == b'}') {
            return Err(MALFORMED);
        }
        self.at += 1;
        match self.hidden.take() {
            Some(hidden) if hidden.depth == self.levels.len() => {
                self.replace(hidden.start, hidden.treatment);
            }
            Some(hidden) => self.hidden = Some(hidden),
            None => self.writer.keep_to(self.at),
        }
        Ok(self.after_value())
    }

    fn comma(&mut self) -> Expected {
        self.at += 1;
        match self.levels.last() {
            Some(Level { kind: Kind::Object(..), .. }) => Expected::Name,
            _ => {
                self.begin_element();
                Expected::Value
            }
        }
    }

    /// The next value is an element of the innermost array.
    fn begin_element(&mut self) {
        if let Some(Level { path, kind: Kind::Array(index) }) = self.levels.last_mut() {
            self.next = self.rules.element(*path, *index);
            *index += 1;
        }
    }

    fn name(&mut self) -> Result<Expected, Stop> {
        let start = self.at;
        self.at = string_end(self.text.as_bytes(), start)?;
        if let (None, Some(Level { path, kind: Kind::Object(object, labelled) })) = (&self.hidden, self.levels.last()) {
            let inside = self.text.get(start + 1..self.at - 1).ok_or(MALFORMED)?;
            let is_one_of = |known: &[&str], name: &str| known.iter().any(|known| known.eq_ignore_ascii_case(name));
            let read = |name: &str| {
                let (path, treatment) = self.rules.member(*path, name);
                let by_label = (*labelled && is_one_of(&LABELLED, name)).then_some(Treatment::Replace);
                self.is_label = is_one_of(&LABELS, name);
                (self.names.is_new(*object, name), (path, treatment.or(by_label)))
            };
            let (is_new, next) = with_resolved(inside, read).ok_or(MALFORMED)?;
            if !is_new {
                return Err(Stop::Withhold(Withheld::DuplicateName));
            }
            self.next = next;
        }
        match self.skip_space() {
            Some(b':') => self.at += 1,
            Some(_) => return Err(MALFORMED),
            None => return Err(Stop::Ends),
        }
        Ok(Expected::Value)
    }

    fn scalar(&mut self, byte: u8) -> Result<Expected, Stop> {
        let (start, bytes) = (self.at, self.text.as_bytes());
        self.at = match byte {
            b'"' => string_end(bytes, start)?,
            b'a'..=b'z' => word_end(bytes, start)?,
            _ => {
                let end = number_end(bytes, start)?;
                // It may go on where the text ends.
                if end == bytes.len() && !self.whole {
                    return Err(Stop::Ends);
                }
                end
            }
        };
        if self.hidden.is_none() {
            let treatment = self.next.1.or_else(|| self.by_content(start));
            match treatment {
                Some(treatment) => self.replace(start, treatment),
                None => self.writer.keep_to(self.at),
            }
            self.label(start);
        }
        Ok(self.after_value())
    }

    /// Remembers that the string from `start` to here says that another member is a secret.
    fn label(&mut self, start: usize) {
        let value = self.text.get(start..self.at).filter(|_| self.is_label);
        let inside = value.and_then(|value| value.strip_prefix('"')?.strip_suffix('"'));
        let names_secret = |text: &str| self.rules.by_name(text).is_some();
        if inside.and_then(|inside| with_resolved(inside, names_secret)) == Some(true)
            && let Some(Level { kind: Kind::Object(_, labelled), .. }) = self.levels.last_mut()
        {
            *labelled = true;
        }
    }

    /// What happens to the string from `start` to here because of what it holds.
    fn by_content(&self, start: usize) -> Option<Treatment> {
        let inside = self.text.get(start..self.at)?.strip_prefix('"')?.strip_suffix('"')?;
        let secret = with_resolved(inside, |text| holds_secret(self.rules, text));
        secret.is_some_and(|secret| secret).then_some(Treatment::Replace)
    }

    fn after_value(&self) -> Expected {
        if self.levels.is_empty() { Expected::Nothing } else { Expected::CommaOrEnd }
    }

    /// Replaces the value from `start` to here.
    fn replace(&mut self, start: usize, treatment: Treatment) {
        if self.writer.is_full() {
            return;
        }
        let value = self.text.get(start..self.at).unwrap_or_default();
        let inside = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let resolved =
            inside.and_then(|inside| with_resolved(inside, |text| replacement(self.rules, treatment, text.as_bytes())));
        let replacement = resolved.unwrap_or_else(|| replacement(self.rules, treatment, value.as_bytes()));
        self.writer.replace(start, self.at, &format!("\"{replacement}\""));
    }
}
