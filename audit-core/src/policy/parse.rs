//! From TOML text to rules, refusing whatever does not mean what it says.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::backend::Durability;
use crate::record::ActorType;

use super::conditions::{Callers, Conditions};
use super::coverage::covers;
use super::deadline::parse_deadline;
use super::name_pattern::NamePattern;
use super::path_pattern::PathPattern;
use super::rule_set::RULES_LIMIT;
use super::table::METHODS_LIMIT;
use super::{Level, Mistake, OnFailure, PolicyError, Rule};

/// The longest text, in bytes.
pub(super) const TEXT_LIMIT: usize = 1 << 20;

/// The most elements of one list.
const LIST_LIMIT: usize = 256;

/// The longest name of a rule, in bytes.
const NAME_LIMIT: usize = 64;

const TOP_KEYS: &[&str] = &["rule"];

const RULE_KEYS: &[&str] = &[
    "name",
    "actors",
    "actor_ids",
    "issuers",
    "methods",
    "paths",
    "actions",
    "level",
    "durability",
    "copies",
    "on_failure",
    "deadline",
    "await_outcome",
];

/// The keys that say how to record.
const RECORDING_KEYS: &[&str] = &["durability", "copies", "on_failure", "deadline", "await_outcome"];

/// The rules that `text` spells, in order, without the implicit last one.
pub(super) fn parse_rules(text: &str) -> Result<Vec<Rule>, PolicyError> {
    if text.len() > TEXT_LIMIT {
        return Err(PolicyError::too_long());
    }
    read_document(text).map_err(|refusal| {
        let before = text.get(..refusal.offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        PolicyError::Invalid {
            path: None,
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            mistake: refusal.mistake,
        }
    })
}

/// A mistake, and the byte of the text at which it stands.
struct Refusal {
    offset: usize,
    mistake: Mistake,
}

type Value<'t> = Spanned<DeValue<'t>>;

fn refuse<T, U>(at: &Spanned<T>, mistake: Mistake) -> Result<U, Refusal> {
    Err(Refusal { offset: at.span().start, mistake })
}

fn refuse_all<U>(mistake: Mistake) -> Result<U, Refusal> {
    Err(Refusal { offset: 0, mistake })
}

fn read_document(text: &str) -> Result<Vec<Rule>, Refusal> {
    if text.trim().is_empty() {
        return refuse_all(Mistake::Empty);
    }
    let document = DeTable::parse(text).map_err(|error| Refusal {
        offset: error.span().map_or(0, |span| span.start),
        mistake: Mistake::Syntax { message: error.message().to_owned() },
    })?;
    check_keys(document.get_ref(), TOP_KEYS)?;
    let Some(list) = document.get_ref().get("rule") else {
        return refuse_all(Mistake::NoRules);
    };
    let DeValue::Array(tables) = list.get_ref() else {
        return refuse(list, wrong_type("rule", "tables: write [[rule]] with two brackets"));
    };
    if tables.is_empty() {
        return refuse(list, Mistake::NoRules);
    }
    read_rules(tables.iter())
}

fn read_rules<'v, 't: 'v>(tables: impl Iterator<Item = &'v Value<'t>>) -> Result<Vec<Rule>, Refusal> {
    let mut rules: Vec<Rule> = Vec::new();
    let mut names = HashSet::new();
    let mut methods = HashSet::new();
    for table in tables {
        if rules.len() == RULES_LIMIT {
            return refuse(table, Mistake::TooManyRules);
        }
        let reader = RuleReader::new(table)?;
        let rule = reader.read()?;
        if !names.insert(rule.name.clone()) {
            let name = rule.name.clone();
            return refuse(reader.at("name"), Mistake::DuplicateName { name });
        }
        methods.extend(rule.conditions.methods.iter().flatten().cloned());
        if methods.len() > METHODS_LIMIT {
            return refuse(reader.at("methods"), Mistake::TooManyMethods);
        }
        if let Some(earlier) = rules.iter().find(|earlier| covers(earlier, &rule)) {
            let mistake = Mistake::NeverMatches { covered_by: earlier.name.clone(), rule: rule.name };
            return refuse(reader.at("name"), mistake);
        }
        rules.push(rule);
    }
    Ok(rules)
}

/// Refuses the first key, in the order of the text, that is not `known`.
fn check_keys(table: &DeTable<'_>, known: &'static [&'static str]) -> Result<(), Refusal> {
    let unknown = table.keys().filter(|key| !known.contains(&key.get_ref().as_ref()));
    match unknown.min_by_key(|key| key.span().start) {
        None => Ok(()),
        Some(key) => {
            let name = key.get_ref().to_string();
            refuse(key, Mistake::UnknownKey { key: name, known })
        }
    }
}

const fn wrong_type(key: &'static str, expected: &'static str) -> Mistake {
    Mistake::WrongType { key, expected }
}

/// One table of the text.
struct RuleReader<'v, 't> {
    whole: &'v Value<'t>,
    table: &'v DeTable<'t>,
}

impl<'v, 't> RuleReader<'v, 't> {
    fn new(whole: &'v Value<'t>) -> Result<Self, Refusal> {
        let DeValue::Table(table) = whole.get_ref() else {
            return refuse(whole, wrong_type("rule", "tables: write [[rule]]"));
        };
        Ok(Self { whole, table })
    }

    fn read(&self) -> Result<Rule, Refusal> {
        check_keys(self.table, RULE_KEYS)?;
        let mut rule = Rule::named(self.name()?);
        let mut conditions = self.conditions()?;
        let levels = Level::ALL.map(|level| (level.as_str(), level));
        rule.level = self.word("level", &levels)?.unwrap_or(rule.level);
        if rule.level == Level::None {
            self.refuse_recording_keys()?;
            rule.durability = Durability::Accepted;
            rule.on_failure = OnFailure::Allow;
            rule.conditions = Arc::new(conditions);
            return Ok(rule);
        }
        conditions.treat_head_like_get();
        rule.conditions = Arc::new(conditions);
        let durabilities = Durability::ALL.map(|class| (class.as_str(), class));
        let durability = self.word("durability", &durabilities)?;
        rule.durability = durability.unwrap_or(rule.durability);
        let reactions = OnFailure::ALL.map(|reaction| (reaction.as_str(), reaction));
        let on_failure = self.word("on_failure", &reactions)?;
        rule.on_failure = on_failure.unwrap_or(rule.on_failure);
        rule.copies = self.copies()?.unwrap_or(rule.copies);
        if rule.durability == Durability::Accepted && rule.copies > 1 {
            return refuse(self.at("copies"), Mistake::CopiesOfNothing);
        }
        rule.deadline = self.deadline()?.unwrap_or(rule.deadline);
        rule.await_outcome = self.boolean("await_outcome")?.unwrap_or(rule.await_outcome);
        Ok(rule)
    }

    /// What stands under `key`, or the whole rule.
    fn at(&self, key: &str) -> &'v Value<'t> {
        self.table.get(key).unwrap_or(self.whole)
    }

    fn name(&self) -> Result<&'v str, Refusal> {
        let Some(name) = self.text("name")? else {
            return refuse(self.whole, Mistake::NoName);
        };
        let printable = name.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if name.is_empty() || name.len() > NAME_LIMIT || !printable || name.trim() != name {
            let name = name.to_owned();
            return refuse(self.at("name"), Mistake::BadName { name });
        }
        if name == "default" {
            return refuse(self.at("name"), Mistake::ReservedName);
        }
        Ok(name)
    }

    fn conditions(&self) -> Result<Conditions, Refusal> {
        Ok(Conditions {
            actors: self.actors()?,
            actor_ids: self.names("actor_ids")?,
            issuers: self.names("issuers")?,
            methods: self.list("methods", parse_method)?,
            paths: self
                .list("paths", |text| PathPattern::parse(text).map_err(|reason| bad_pattern("paths", text, reason)))?,
            actions: self.list("actions", parse_action)?,
        })
    }

    fn names(&self, key: &'static str) -> Result<Option<Box<[NamePattern]>>, Refusal> {
        self.list(key, |text| NamePattern::parse(text).map_err(|reason| bad_pattern(key, text, reason)))
    }

    fn actors(&self) -> Result<Option<Callers>, Refusal> {
        let words = ActorType::ALL.map(ActorType::as_str);
        let kinds = self.list("actors", |word| {
            ActorType::from_word(word).ok_or_else(|| Mistake::UnknownWord {
                key: "actors",
                word: word.to_owned(),
                known: words.to_vec(),
            })
        })?;
        let Some(kinds) = kinds else { return Ok(None) };
        let callers = kinds.iter().map(|kind| Callers::verified(*kind));
        let callers = callers.fold(Callers::NOBODY, Callers::and);
        if callers == Callers::NOBODY {
            return refuse(self.at("actors"), Mistake::MatchesNobody);
        }
        Ok(Some(callers))
    }

    fn refuse_recording_keys(&self) -> Result<(), Refusal> {
        match RECORDING_KEYS.iter().find(|key| self.table.contains_key(**key)) {
            None => Ok(()),
            Some(key) => refuse(self.at(key), Mistake::NothingToRecord { key }),
        }
    }

    fn text(&self, key: &'static str) -> Result<Option<&'v str>, Refusal> {
        let Some(value) = self.table.get(key) else {
            return Ok(None);
        };
        match value.get_ref().as_str() {
            Some(text) => Ok(Some(text)),
            None => refuse(value, wrong_type(key, "a text in quotes")),
        }
    }

    fn word<T: Copy>(&self, key: &'static str, words: &[(&'static str, T)]) -> Result<Option<T>, Refusal> {
        let Some(word) = self.text(key)? else {
            return Ok(None);
        };
        match words.iter().find(|(known, _)| *known == word) {
            Some((_, meaning)) => Ok(Some(*meaning)),
            None => {
                let known = words.iter().map(|(known, _)| *known).collect();
                let word = word.to_owned();
                refuse(self.at(key), Mistake::UnknownWord { key, word, known })
            }
        }
    }

    fn boolean(&self, key: &'static str) -> Result<Option<bool>, Refusal> {
        let Some(value) = self.table.get(key) else {
            return Ok(None);
        };
        match value.get_ref().as_bool() {
            Some(boolean) => Ok(Some(boolean)),
            None => refuse(value, wrong_type(key, "true or false")),
        }
    }

    fn copies(&self) -> Result<Option<u8>, Refusal> {
        let Some(value) = self.table.get("copies") else {
            return Ok(None);
        };
        let Some(number) = value.get_ref().as_integer() else {
            return refuse(value, wrong_type("copies", "a number from 1 to 16"));
        };
        match u8::from_str_radix(number.as_str(), number.radix()) {
            Ok(copies @ 1..=16) => Ok(Some(copies)),
            _ => {
                let copies = number.to_string();
                refuse(value, Mistake::BadCopies { copies })
            }
        }
    }

    fn deadline(&self) -> Result<Option<Duration>, Refusal> {
        let Some(text) = self.text("deadline")? else {
            return Ok(None);
        };
        match parse_deadline(text) {
            Some(deadline) => Ok(Some(deadline)),
            None => {
                let deadline = text.to_owned();
                refuse(self.at("deadline"), Mistake::BadDeadline { deadline })
            }
        }
    }

    /// The elements of a list of texts, each read by `read`.
    fn list<T>(
        &self,
        key: &'static str,
        read: impl Fn(&str) -> Result<T, Mistake>,
    ) -> Result<Option<Box<[T]>>, Refusal> {
        const EXPECTED: &str = "a list of texts, as in [\"a\", \"b\"]";
        let Some(value) = self.table.get(key) else {
            return Ok(None);
        };
        let DeValue::Array(elements) = value.get_ref() else {
            return refuse(value, wrong_type(key, EXPECTED));
        };
        if elements.is_empty() {
            return refuse(value, Mistake::EmptyList { key });
        }
        if elements.len() > LIST_LIMIT {
            return refuse(value, Mistake::LongList { key });
        }
        let element = |element: &Value<'_>| match element.get_ref().as_str() {
            None => refuse(element, wrong_type(key, EXPECTED)),
            Some(text) => read(text).or_else(|mistake| refuse(element, mistake)),
        };
        elements.iter().map(element).collect::<Result<_, _>>().map(Some)
    }
}

fn bad_pattern(key: &'static str, pattern: &str, reason: &'static str) -> Mistake {
    Mistake::BadPattern { key, pattern: pattern.to_owned(), reason }
}

/// The methods of RFC 9110 §9.3 and RFC 5789.
const STANDARD_METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/// Reads a method: any token (RFC 9110 §5.6.2) of at most 64 bytes.
fn parse_method(text: &str) -> Result<Box<str>, Mistake> {
    let is_token_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let is_token = !text.is_empty() && text.len() <= 64 && text.bytes().all(is_token_byte);
    let is_miswritten = |standard: &&str| standard.eq_ignore_ascii_case(text) && *standard != text;
    if !is_token || text == "*" || STANDARD_METHODS.iter().any(is_miswritten) {
        return Err(Mistake::BadMethod { method: text.to_owned() });
    }
    Ok(text.into())
}

/// Reads a pattern for the actions of spans and remote procedures.
fn parse_action(text: &str) -> Result<NamePattern, Mistake> {
    let method = text.split_once(" /").map_or("", |(method, _)| method);
    let reason = if text.starts_with('/') {
        "actions have no `/` in front: leave it out for a remote procedure, use `paths` for HTTP"
    } else if !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase()) {
        "actions name spans and remote procedures: use `methods` and `paths` for HTTP"
    } else {
        return NamePattern::parse(text).map_err(|reason| bad_pattern("actions", text, reason));
    };
    Err(bad_pattern("actions", text, reason))
}
