use std::fmt;

/// What is wrong with the text of a policy. Its text says what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mistake {
    /// It is not TOML.
    Syntax {
        /// What the parser says.
        message: String,
    },
    /// It is longer than 1 MiB.
    TooLong,
    /// There is nothing in it.
    Empty,
    /// It has no rules.
    NoRules,
    /// It has more than 1,000 rules.
    TooManyRules,
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
        key: &'static str,
        /// What should be there.
        expected: &'static str,
    },
    /// A rule without a name.
    NoName,
    /// A name that is empty, longer than 64 bytes, or not printable ASCII.
    BadName {
        /// The name.
        name: String,
    },
    /// The name of the implicit last rule.
    ReservedName,
    /// A name that an earlier rule has.
    DuplicateName {
        /// The name.
        name: String,
    },
    /// A word that is not one of those a key takes.
    UnknownWord {
        /// The key it stands under.
        key: &'static str,
        /// The word.
        word: String,
        /// The words that mean something.
        known: Vec<&'static str>,
    },
    /// A list without elements, which no subject could match.
    EmptyList {
        /// The key it stands under.
        key: &'static str,
    },
    /// A list of more than 256 elements.
    LongList {
        /// The key it stands under.
        key: &'static str,
    },
    /// A method that is not a token (RFC 9110 §9.1), or a standard one in the wrong case.
    BadMethod {
        /// The method.
        method: String,
    },
    /// The rules name more than 63 different methods.
    TooManyMethods,
    /// A pattern that does not say what it looks like.
    BadPattern {
        /// The key it stands under.
        key: &'static str,
        /// The pattern.
        pattern: String,
        /// What is wrong with it, and what to write instead.
        reason: &'static str,
    },
    /// A deadline that is not from `1ms` to `60s`.
    BadDeadline {
        /// What was given.
        deadline: String,
    },
    /// A number of copies that is not from 1 to 16.
    BadCopies {
        /// What was given.
        copies: String,
    },
    /// More than one copy of what need not even be written.
    CopiesOfNothing,
    /// Level `none`, and a key that says how to record.
    NothingToRecord {
        /// The key.
        key: &'static str,
    },
    /// `actors` names only `unauthenticated`, and nobody is verified as that.
    MatchesNobody,
    /// An earlier rule matches every plainly spelled subject that this one matches.
    NeverMatches {
        /// The rule.
        rule: String,
        /// The earlier one.
        covered_by: String,
    },
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { message } => write!(f, "this is not TOML: {message}"),
            Self::TooLong => f.write_str("the policy is longer than 1 MiB: shorten it"),
            Self::Empty => f.write_str("the policy is empty: write a [[rule]], or load no policy to get the default"),
            Self::NoRules => {
                f.write_str("the policy has no rules: write a [[rule]], or load no policy to get the default")
            }
            Self::TooManyRules => f.write_str("the policy has more than 1,000 rules: join those that ask the same"),
            Self::UnknownKey { key, known } => {
                write!(f, "unknown key `{}`: the keys here are {}", Shown(key), known.join(", "))
            }
            Self::WrongType { key, expected } => write!(f, "`{key}` takes {expected}"),
            Self::NoName => f.write_str("the rule has no name: add `name = \"…\"`"),
            Self::BadName { name } => write!(
                f,
                "`{}` is no name for a rule: take 1 to 64 printable ASCII characters, with no \
                 space at either end",
                Shown(name)
            ),
            Self::ReservedName => f.write_str(
                "`default` is the name of the implicit last rule, which cannot be replaced: \
                 take another name",
            ),
            Self::DuplicateName { name } => {
                write!(f, "an earlier rule is called `{}` too: take another name", Shown(name))
            }
            Self::UnknownWord { key, word, known } => {
                write!(f, "`{}` is no word for `{key}`: take one of {}", Shown(word), known.join(", "))
            }
            Self::EmptyList { key } => write!(
                f,
                "`{key}` is empty, so that the rule would match nothing: name something, or leave \
                 `{key}` out to match everything"
            ),
            Self::LongList { key } => write!(f, "`{key}` has more than 256 elements: use patterns, or several rules"),
            Self::BadMethod { method } => write!(
                f,
                "`{}` is no method that is ever sent: methods are case-sensitive, write them as in \
                 `POST`",
                Shown(method)
            ),
            Self::TooManyMethods => f.write_str(
                "the rules name more than 63 different methods: leave `methods` out where it \
                 makes no difference",
            ),
            Self::BadPattern { key, pattern, reason } => write!(f, "`{}` in `{key}`: {reason}", Shown(pattern)),
            Self::BadDeadline { deadline } => write!(
                f,
                "`{}` is no deadline: write a whole number of ms or s from \"1ms\" to \"60s\"",
                Shown(deadline)
            ),
            Self::CopiesOfNothing => f.write_str(
                "`accepted` waits for no store, and so for no copies: ask for `written` or more, or leave `copies` out",
            ),
            Self::BadCopies { copies } => {
                write!(f, "{} copies: write a number from 1 to 16", Shown(copies))
            }
            Self::NothingToRecord { key } => {
                write!(f, "level `none` records nothing, so `{key}` contradicts it: remove one of the two")
            }
            Self::MatchesNobody => f.write_str(
                "`actors` matches verified callers only, and nobody is verified as \
                 `unauthenticated`: write rules for verified callers, and let strangers fall \
                 through to a rule without `actors`",
            ),
            Self::NeverMatches { rule, covered_by } => write!(
                f,
                "rule `{rule}` can never match: rule `{covered_by}` before it matches all that it \
                 does; move it up, narrow the earlier rule, or remove it"
            ),
        }
    }
}

/// Text from a policy in a message: at most 64 characters, none of which moves a cursor.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars().take(64) {
            write!(f, "{}", character.escape_debug())?;
        }
        if self.0.chars().nth(64).is_some() {
            f.write_str("…")?;
        }
        Ok(())
    }
}
