use super::LogSecret;
use super::name_pattern::NamePattern;
use super::pointer::Pointer;
use super::secret_name::is_secret_name;
use crate::capture::CaptureError;

/// The most rules of one kind: one bit of [`Path`] for each pointer.
const RULES_MOST: usize = 64;

/// Names longer than this are not compared: the value is redacted.
const NAME_COMPARED: usize = 1_024;

/// What happens to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Treatment {
    /// Its HMAC takes its place.
    Correlate,
    /// A placeholder takes its place. Wins where rules differ.
    Replace,
}

/// Which values of a body are hidden.
#[derive(Clone, Debug, Default)]
pub(crate) struct BodyRules {
    names: Vec<(NamePattern, Treatment)>,
    pointers: Vec<(Pointer, Treatment)>,
    secret: Option<LogSecret>,
}

/// A place in a body: how deep it is, and which pointers lead there or further.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path {
    level: usize,
    leading: u64,
}

impl BodyRules {
    pub(crate) fn set_secret(&mut self, secret: LogSecret) {
        self.secret = Some(secret);
    }

    pub(crate) fn add_name(&mut self, pattern: &str, treatment: Treatment) -> Result<(), CaptureError> {
        self.check(self.names.len(), treatment)?;
        let parsed = NamePattern::parse(pattern)
            .map_err(|fault| CaptureError::Pattern { pattern: shortened(pattern), fault })?;
        self.names.push((parsed, treatment));
        Ok(())
    }

    pub(crate) fn add_pointer(&mut self, pointer: &str, treatment: Treatment) -> Result<(), CaptureError> {
        self.check(self.pointers.len(), treatment)?;
        let parsed =
            Pointer::parse(pointer).map_err(|fault| CaptureError::Pointer { pointer: shortened(pointer), fault })?;
        self.pointers.push((parsed, treatment));
        Ok(())
    }

    fn check(&self, known: usize, treatment: Treatment) -> Result<(), CaptureError> {
        if known >= RULES_MOST {
            return Err(CaptureError::TooManyRules { most: RULES_MOST });
        }
        if treatment == Treatment::Correlate && self.secret.is_none() {
            return Err(CaptureError::NoSecret);
        }
        Ok(())
    }

    pub(super) const fn secret(&self) -> Option<&LogSecret> {
        self.secret.as_ref()
    }

    /// The whole body, and what happens to it.
    pub(super) fn root(&self) -> (Path, Option<Treatment>) {
        let path = Path { level: 0, leading: u64::MAX };
        (path, self.at(path))
    }

    /// The member `name` of what is at `path`, and what happens to it.
    pub(super) fn member(&self, path: Path, name: &str) -> (Path, Option<Treatment>) {
        if name.len() > NAME_COMPARED {
            return (Path { level: path.level + 1, leading: 0 }, Some(Treatment::Replace));
        }
        let path = self.step(path, name);
        (path, self.at(path).max(self.named(name)).or_else(|| self.credential(name)))
    }

    /// The element `index` of what is at `path`, and what happens to it.
    pub(super) fn element(&self, path: Path, index: usize) -> (Path, Option<Treatment>) {
        // Nothing leads further: spares the digits.
        if self.pointers.is_empty() {
            return (Path { level: path.level + 1, leading: 0 }, None);
        }
        let path = self.step(path, &index.to_string());
        (path, self.at(path))
    }

    /// What happens to a value that is called `name`, wherever it stands.
    pub(super) fn by_name(&self, name: &str) -> Option<Treatment> {
        if name.len() > NAME_COMPARED {
            return Some(Treatment::Replace);
        }
        self.named(name).or_else(|| self.credential(name))
    }

    fn named(&self, name: &str) -> Option<Treatment> {
        self.names.iter().filter(|(pattern, _)| pattern.matches(name)).map(|(_, treatment)| *treatment).max()
    }

    fn credential(&self, name: &str) -> Option<Treatment> {
        is_secret_name(name).then_some(Treatment::Replace)
    }

    fn step(&self, path: Path, name: &str) -> Path {
        let mut leading = 0;
        for (bit, (pointer, _)) in self.pointers.iter().enumerate() {
            if path.leading >> bit & 1 == 1 && pointer.matches_at(path.level, name) {
                leading |= 1 << bit;
            }
        }
        Path { level: path.level + 1, leading }
    }

    fn at(&self, path: Path) -> Option<Treatment> {
        let here = self
            .pointers
            .iter()
            .enumerate()
            .filter(|(bit, (pointer, _))| path.leading >> bit & 1 == 1 && pointer.levels() == path.level);
        here.map(|(_, (_, treatment))| *treatment).max()
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(128).collect()
}
