//! One behaviour, three servers: the same cases over real sockets against the example programs.
//!
//! A case takes a [`Framework`], starts its server and calls it with [`Call`]s; what differs between
//! HTTP and gRPC is in `call.rs`. Every server that is stopped at the end of a case is checked: as
//! many outcomes as intents, no handler run without an intent, an intact log, and no secret of the
//! many that every call sends ([`secrets`]).

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod accounting;
mod awaiting;
mod bodies;
mod call;
mod client;
mod clients_leaving;
mod credentials;
mod endings;
mod framework;
mod grpc_client;
mod grpc_only;
mod http_client;
mod http_only;
mod log_on_disk;
mod programs;
mod refusing;
mod reloading;
mod same_records;
mod search;
mod searching;
mod secrets;
mod server;
mod spans;
mod stopping;
mod streaming;

use call::Call;
use client::Client;
use framework::Framework;
use secrets::Secrets;
use server::Server;

/// Makes one test of each case for each server.
macro_rules! on_every_server {
    ($($case:ident)*) => {
        crate::on_server!(on_axum Axum $($case)*);
        crate::on_server!(on_actix Actix $($case)*);
        crate::on_server!(on_tonic Tonic $($case)*);
    };
}

/// Makes one test of each case for one server.
macro_rules! on_server {
    ($module:ident $framework:ident $($case:ident)*) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::$case(crate::Framework::$framework).await;
                }
            )*
        }
    };
}

use {on_every_server, on_server};
