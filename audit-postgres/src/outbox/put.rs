use std::time::SystemTime;

use audit_core::record::ActivityId;
use tokio_postgres::types::Type;
use tokio_postgres::{Error, GenericClient};

use super::OutboxEvent;
use crate::settings::Settings;
use crate::url::UrlError;
use crate::uuid::Uuid;

/// The way into the outbox of one log, for code that has a transaction open.
///
/// Holds names only: connections and transactions are the caller's. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbox {
    statement: String,
    log: String,
}

impl Outbox {
    /// The outbox of the log that `url` names; URL and options as for
    /// [`Postgres::from_url`](crate::Postgres::from_url). Contacts nothing.
    ///
    /// # Errors
    ///
    /// [`UrlError`] names the part or the option that is wrong.
    pub fn from_url(url: &str, options: &[(String, String)]) -> Result<Self, UrlError> {
        let settings = Settings::of_log(url, options)?;
        let statement = format!("SELECT {}.put($1, $2, $3, $4)", settings.schema);
        Ok(Self { statement, log: settings.location.log })
    }

    /// Puts `event` into the outbox in the transaction of `client`, and returns the identifier that its
    /// record will have. Whether it is ever recorded is decided by that transaction's commit.
    ///
    /// The role of `client` is the log's writer or a member of it, or one that the writer named with the
    /// function `allow_put`; that one needs `EXECUTE` on `put` and `USAGE` on the schema besides. One
    /// statement, by no name: poolers are fine.
    ///
    /// # Errors
    ///
    /// When the server refuses, for example because there is no such log; the transaction is then
    /// aborted, as after any error.
    pub async fn put(&self, client: &(impl GenericClient + Sync), event: &OutboxEvent) -> Result<ActivityId, Error> {
        let happened = SystemTime::now();
        let id = ActivityId::new(happened);
        let (json, uuid) = (event.to_json(), Uuid::from(id));
        let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 4] =
            [(&self.log, Type::TEXT), (&json, Type::TEXT), (&uuid, Type::UUID), (&happened, Type::TIMESTAMPTZ)];
        client.query_typed(&self.statement, &parameters).await?;
        Ok(id)
    }
}
