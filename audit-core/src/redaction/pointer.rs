/// The longest pointer, in bytes.
const LENGTH_MOST: usize = 1_024;

/// The most levels of a pointer: as deep as JSON is read.
const LEVELS_MOST: usize = 64;

/// A JSON pointer (RFC 6901), in which `*` stands for any member or index.
///
/// Names are compared without regard to the case of ASCII letters, since some readers of JSON do so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pointer(Vec<String>);

impl Pointer {
    /// Reads a pointer, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > LENGTH_MOST {
            return Err("it is longer than 1,024 bytes");
        }
        let mut tokens = text.split('/');
        if tokens.next().is_some_and(|first| !first.is_empty()) {
            return Err("it does not start with `/`; write `/card/number`");
        }
        let tokens: Vec<String> = tokens.map(unescape).collect::<Result<_, _>>()?;
        if tokens.len() > LEVELS_MOST {
            return Err("it has more than 64 levels");
        }
        Ok(Self(tokens))
    }

    /// How many levels down the value is.
    pub(super) fn levels(&self) -> usize {
        self.0.len()
    }

    /// Whether the step at `level` may be `name`.
    pub(super) fn matches_at(&self, level: usize, name: &str) -> bool {
        self.0.get(level).is_some_and(|token| token == "*" || token.eq_ignore_ascii_case(name))
    }
}

/// Resolves `~1` and `~0` (RFC 6901 §4).
fn unescape(token: &str) -> Result<String, &'static str> {
    let mut pieces = token.split('~');
    let mut name = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (character, rest) = match (piece.strip_prefix('0'), piece.strip_prefix('1')) {
            (Some(rest), _) => ('~', rest),
            (_, Some(rest)) => ('/', rest),
            _ => return Err("`~` has to be followed by 0 or 1: write `~0` for `~` and `~1` for `/`"),
        };
        name.push(character);
        name.push_str(rest);
    }
    Ok(name)
}
