//! `audit grants`

use audit_backends::{Role as Whom, grants};

use crate::arguments::{self, Role, Store};
use crate::ending::{Ending, Failure};
use crate::output;

pub(crate) fn run(arguments: &arguments::Grants, json: bool) -> Result<Ending, Failure> {
    let (store, schemes) = match arguments.store {
        Store::S3 => ("s3", &["s3"][..]),
        Store::Nats => ("nats", &["nats", "tls"][..]),
        Store::Postgres => ("postgres", &["postgres", "postgresql"][..]),
    };
    let url = &arguments.url;
    if !url.split_once("://").is_some_and(|(scheme, _)| schemes.contains(&scheme)) {
        return Err(Failure::new(format!("grants {store} takes a URL that begins with `{store}://`")));
    }
    let (word, role) = match arguments.role {
        Role::Writer => ("writer", Whom::Writer),
        Role::Reader => ("reader", Whom::Reader),
        Role::Administrator => ("administrator", Whom::Administrator),
    };
    let text = grants(role, url, &arguments.set)?;
    if json {
        output::json(&serde_json::json!({ "store": store, "role": word, "grants": text }))?;
    } else {
        output::line(text.trim_end_matches('\n'))?;
    }
    Ok(Ending::AsItShouldBe)
}
