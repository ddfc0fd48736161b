//! From TOML text to sections, refusing whatever does not mean what it says.

use std::time::Duration;

use toml::de::DeTable;

use super::table::{Refusal, Table, refuse_all};
use super::{Config, ConfigError, ConfigMistake, ReplicaSection, Section, WhenWeakened};

/// The longest text, in bytes.
pub(super) const TEXT_LIMIT: usize = 1 << 20;

/// As many as a log takes.
const REPLICAS: usize = 8;

/// The most keys of one section.
const KEYS: usize = 64;

/// The longest name of a replica, in bytes.
const NAME_LIMIT: usize = 64;

const TOP_KEYS: &[&str] = &["primary", "replica", "log"];

const LOG_KEYS: &[&str] = &["when_weakened"];

/// The keys of a replica that are not the store's.
const REPLICA_KEYS: &[&str] = &["url", "name", "lag_records", "lag_seconds"];

const WEAKENED: &[&str] = &["alert", "stop"];

pub(super) fn parse(text: &str) -> Result<Config, ConfigError> {
    read_text(text).map_err(|refusal| {
        let before = text.get(..refusal.offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        ConfigError::Invalid {
            path: None,
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            mistake: refusal.mistake,
        }
    })
}

fn read_text(text: &str) -> Result<Config, Refusal> {
    if text.len() > TEXT_LIMIT {
        return refuse_all(ConfigMistake::TooLong);
    }
    if text.trim().is_empty() {
        return refuse_all(ConfigMistake::Empty);
    }
    let document = DeTable::parse(text).map_err(|error| Refusal {
        offset: error.span().map_or(0, |span| span.start),
        mistake: ConfigMistake::Syntax { message: error.message().to_owned() },
    })?;
    read_document(&Table::document(document.get_ref()))
}

fn read_document(document: &Table<'_, '_>) -> Result<Config, Refusal> {
    document.check_keys(TOP_KEYS)?;
    let Some(primary) = document.table("primary", "one table: write [primary] with single brackets")? else {
        return refuse_all(ConfigMistake::NoPrimary);
    };
    let mut stores = Vec::new();
    let section = read_section(&primary, &["url"], &mut stores)?;
    let tables = document.tables("replica", "tables: write [[replica]] with two brackets")?;
    let mut replicas: Vec<ReplicaSection> = Vec::with_capacity(tables.len().min(REPLICAS));
    for table in tables {
        if replicas.len() == REPLICAS {
            return table.refuse_at("url", ConfigMistake::TooManyReplicas);
        }
        let replica = read_replica(&table, &mut stores)?;
        if let Some(name) = &replica.name
            && replicas.iter().any(|other| other.name.as_ref() == Some(name))
        {
            return table.refuse_at("name", ConfigMistake::DuplicateName { name: name.clone() });
        }
        replicas.push(replica);
    }
    Ok(Config { primary: section, replicas, when_weakened: read_log(document)? })
}

fn read_log(document: &Table<'_, '_>) -> Result<WhenWeakened, Refusal> {
    let Some(log) = document.table("log", "one table: write [log] with single brackets")? else {
        return Ok(WhenWeakened::default());
    };
    log.check_keys(LOG_KEYS)?;
    match log.text("when_weakened")? {
        None | Some("alert") => Ok(WhenWeakened::Alert),
        Some("stop") => Ok(WhenWeakened::Stop),
        Some(word) => {
            let mistake = ConfigMistake::UnknownWord { key: "when_weakened", word: word.to_owned(), known: WEAKENED };
            log.refuse_at("when_weakened", mistake)
        }
    }
}

fn read_replica(table: &Table<'_, '_>, stores: &mut Vec<Section>) -> Result<ReplicaSection, Refusal> {
    let section = read_section(table, REPLICA_KEYS, stores)?;
    let name = table.text("name")?;
    if let Some(name) = name {
        let printable = name.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if name.is_empty() || name.len() > NAME_LIMIT || !printable || name.trim() != name {
            return table.refuse_at("name", ConfigMistake::BadName { name: name.to_owned() });
        }
    }
    Ok(ReplicaSection {
        section,
        name: name.map(str::to_owned),
        lag_records: table.limit("lag_records")?,
        lag: table.limit("lag_seconds")?.map(Duration::from_secs),
    })
}

fn read_section(table: &Table<'_, '_>, own: &[&str], stores: &mut Vec<Section>) -> Result<Section, Refusal> {
    if table.len() > KEYS {
        return table.refuse_at("", ConfigMistake::TooManyOptions);
    }
    let Some(url) = table.text("url")? else {
        return table.refuse_at("url", ConfigMistake::NoUrl);
    };
    let section = Section::new(url, table.options(own)?);
    // The store knows what it takes. Its message names the key, which says where the mistake stands.
    if let Err(error) = section.backend() {
        let reason = error.to_string();
        let named = |name: &&String| reason.contains(&format!("`{name}`")) || reason.starts_with(&format!("{name}: "));
        let names = section.options().iter().map(|(name, _)| name);
        let mistake = ConfigMistake::Refused { reason: reason.clone() };
        return match names.into_iter().find(named) {
            Some(name) => table.refuse_key(name, mistake),
            None => table.refuse_at("url", mistake),
        };
    }
    if stores.iter().any(|store| store.is_same_store(&section)) {
        return table.refuse_at("url", ConfigMistake::SameStore { url: url.to_owned() });
    }
    stores.push(section.clone());
    Ok(section)
}
