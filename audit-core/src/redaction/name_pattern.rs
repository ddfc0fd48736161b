/// The longest pattern, in bytes.
const LENGTH_MOST: usize = 128;

/// A pattern for names: `*` stands for any characters, the case of ASCII letters does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NamePattern(String);

impl NamePattern {
    /// Reads a pattern, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("it is empty; write a name, or part of one as `*token*`");
        }
        if text.len() > LENGTH_MOST {
            return Err("it is longer than 128 bytes");
        }
        if text.chars().any(char::is_control) {
            return Err("it has control characters");
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// Whether `name` matches.
    pub(super) fn matches(&self, name: &str) -> bool {
        let (pattern, name) = (self.0.as_bytes(), name.as_bytes());
        let (mut at, mut here) = (0, 0);
        // Where to go on when what follows the last star does not fit: only that star can help.
        let mut retry: Option<(usize, usize)> = None;
        while here < name.len() {
            match pattern.get(at) {
                Some(b'*') => {
                    retry = Some((at + 1, here));
                    at += 1;
                }
                Some(byte) if *byte == name[here].to_ascii_lowercase() => {
                    at += 1;
                    here += 1;
                }
                _ => {
                    let Some((star, from)) = retry else {
                        return false;
                    };
                    retry = Some((star, from + 1));
                    (at, here) = (star, from + 1);
                }
            }
        }
        pattern.get(at..).is_none_or(|rest| rest.iter().all(|byte| *byte == b'*'))
    }
}
