use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// What a server says about a stream. Settings stay as they are: also those that are newer than
/// this program are compared.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct StreamInfo {
    pub(crate) config: BTreeMap<String, Value>,
    #[serde(default)]
    pub(crate) created: String,
    pub(crate) state: StreamState,
    /// How many subjects there are in all, if they were asked for.
    #[serde(default)]
    pub(crate) total: u64,
}

/// What a stream holds.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct StreamState {
    #[serde(default)]
    pub(crate) messages: u64,
    #[serde(default)]
    pub(crate) bytes: u64,
    #[serde(default)]
    pub(crate) first_seq: u64,
    #[serde(default)]
    pub(crate) last_seq: u64,
    #[serde(default)]
    pub(crate) num_deleted: u64,
    #[serde(default)]
    pub(crate) deleted: Option<Vec<u64>>,
    #[serde(default)]
    pub(crate) lost: Option<Lost>,
    #[serde(default)]
    pub(crate) subjects: BTreeMap<String, u64>,
}

/// What a server could not read back from its own disk.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Lost {
    #[serde(default)]
    pub(crate) msgs: Option<Vec<u64>>,
}

impl StreamInfo {
    pub(crate) fn boolean(&self, name: &str) -> bool {
        self.config.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A number; 0 if the setting is absent, which means the same to the server.
    pub(crate) fn number(&self, name: &str) -> i64 {
        self.config.get(name).and_then(Value::as_i64).unwrap_or(0)
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.config.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.config.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// Whether the setting is there and not empty.
    pub(crate) fn has(&self, name: &str) -> bool {
        match self.config.get(name) {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::Array(list)) => !list.is_empty(),
            Some(Value::Number(number)) => number.as_i64() != Some(0),
            Some(_) => true,
        }
    }

    /// The number of the first message that the stream was to have.
    pub(crate) fn configured_first(&self) -> u64 {
        self.config.get("first_seq").and_then(Value::as_u64).unwrap_or(0).max(1)
    }

    /// How many messages at the front of the stream are not there any more.
    pub(crate) fn missing_at_front(&self) -> u64 {
        let written = self.state.last_seq > 0;
        if written { self.state.first_seq.saturating_sub(self.configured_first()) } else { 0 }
    }

    /// How many messages inside of the stream are not there any more. Some servers count one in a stream
    /// that never had any.
    pub(crate) fn missing_inside(&self) -> u64 {
        if self.state.last_seq > 0 { self.state.num_deleted } else { 0 }
    }

    /// How many messages the server says it lost by itself.
    pub(crate) fn lost(&self) -> usize {
        self.state.lost.as_ref().and_then(|lost| lost.msgs.as_ref()).map_or(0, Vec::len)
    }
}
