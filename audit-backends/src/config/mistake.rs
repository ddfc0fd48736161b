use std::fmt;

/// What is wrong with the text of a configuration. Its text says what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigMistake {
    /// It is not TOML.
    Syntax {
        /// What the parser says.
        message: String,
    },
    /// It is longer than 1 MiB.
    TooLong,
    /// There is nothing in it.
    Empty,
    /// It does not say where the log is written to.
    NoPrimary,
    /// A key that means nothing here.
    UnknownKey {
        /// The key.
        key: String,
        /// The keys that mean something.
        known: &'static [&'static str],
    },
    /// A value of the wrong type.
    WrongType {
        /// The key it stands under.
        key: String,
        /// What should be there.
        expected: &'static str,
    },
    /// A section without a `url`.
    NoUrl,
    /// More than 8 replicas.
    TooManyReplicas,
    /// More than 64 settings in a section.
    TooManyOptions,
    /// A name that is empty, longer than 64 bytes, or not printable ASCII.
    BadName {
        /// The name.
        name: String,
    },
    /// A name that an earlier replica has.
    DuplicateName {
        /// The name.
        name: String,
    },
    /// A number that is not from 1 to 2^53.
    BadLimit {
        /// The key it stands under.
        key: &'static str,
        /// What was given.
        value: String,
    },
    /// A word that is not one of those a key takes.
    UnknownWord {
        /// The key it stands under.
        key: &'static str,
        /// The word.
        word: String,
        /// The words that mean something.
        known: &'static [&'static str],
    },
    /// A store that another section has too.
    SameStore {
        /// Its URL, as it stands here.
        url: String,
    },
    /// The store does not take its URL or a setting, or this program was built without it.
    Refused {
        /// What the store says.
        reason: String,
    },
}

impl fmt::Display for ConfigMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { message } => write!(f, "this is not TOML: {message}"),
            Self::TooLong => f.write_str("the configuration is longer than 1 MiB: shorten it"),
            Self::Empty => f.write_str("the configuration is empty: write a [primary] with a `url`"),
            Self::NoPrimary => f.write_str("nothing says where the log is written to: add a [primary] with a `url`"),
            Self::UnknownKey { key, known } => {
                write!(f, "unknown key `{}`: the keys here are {}", Shown(key), known.join(", "))
            }
            Self::WrongType { key, expected } => write!(f, "`{}` takes {expected}", Shown(key)),
            Self::NoUrl => f.write_str("the section has no `url`: add one, such as `url = \"file:///var/lib/audit\"`"),
            Self::TooManyReplicas => f.write_str("there are more than 8 replicas: remove some"),
            Self::TooManyOptions => f.write_str("the section has more than 64 keys: remove some"),
            Self::BadName { name } => write!(
                f,
                "`{}` is no name for a replica: take 1 to 64 printable ASCII characters, with no space at either end",
                Shown(name)
            ),
            Self::DuplicateName { name } => {
                write!(f, "an earlier replica is called `{}` too: take another name", Shown(name))
            }
            Self::BadLimit { key, value } => {
                write!(f, "`{}` is no limit for `{key}`: write a whole number from 1 on", Shown(value))
            }
            Self::UnknownWord { key, word, known } => {
                write!(f, "`{}` is no word for `{key}`: take one of {}", Shown(word), known.join(", "))
            }
            Self::SameStore { url } => write!(
                f,
                "`{}` is the store of another section too: a copy in the same place protects nothing, remove one",
                Shown(url)
            ),
            Self::Refused { reason } => f.write_str(reason),
        }
    }
}

/// Text from a configuration in a message: at most 128 characters, none of which moves a cursor.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars().take(128) {
            write!(f, "{}", character.escape_debug())?;
        }
        if self.0.chars().nth(128).is_some() {
            f.write_str("…")?;
        }
        Ok(())
    }
}
