//! Calling a server over its own protocol.

use std::net::SocketAddr;

use crate::grpc_client::GrpcClient;
use crate::http_client::HttpClient;
use crate::{Call, Framework};

/// A connection to a server. Dropped, it is gone, with what was under way on it.
#[derive(Debug)]
pub(crate) enum Client {
    Http(HttpClient),
    Grpc(Box<GrpcClient>),
}

/// A call that has been sent and not yet answered. Dropped, its client is gone.
#[derive(Debug)]
pub(crate) enum Open {
    Http(HttpClient),
    Grpc(tokio::task::JoinHandle<Option<i64>>),
}

impl Client {
    pub(crate) async fn connect(framework: Framework, address: SocketAddr) -> Self {
        if framework.is_grpc() {
            Self::Grpc(Box::new(GrpcClient::new(address)))
        } else {
            Self::Http(HttpClient::connect(address).await)
        }
    }

    /// Calls, and waits for the whole answer: its HTTP status or its gRPC code, or `None` when the
    /// connection or the stream broke.
    pub(crate) async fn call(&mut self, call: Call) -> Option<i64> {
        match self {
            Self::Http(client) => client.call(call).await,
            Self::Grpc(client) => client.call(call).await,
        }
    }

    /// How a call has to be answered by this protocol.
    pub(crate) fn expected(&self, call: Call) -> Option<i64> {
        match self {
            Self::Http(_) => call.status(),
            Self::Grpc(_) => call.code(),
        }
    }

    /// Sends a call without waiting for its answer.
    pub(crate) async fn send(self, call: Call) -> Open {
        match self {
            Self::Http(mut client) => {
                client.send(call).await;
                Open::Http(client)
            }
            Self::Grpc(mut client) => Open::Grpc(tokio::spawn(async move { client.call(call).await })),
        }
    }

    /// Sends a call and reads the answer up to the first chunk of its body.
    pub(crate) async fn read_first_chunk(self, call: Call) -> Self {
        match self {
            Self::Http(mut client) => {
                client.send(call).await;
                client.read_first_chunk().await;
                Self::Http(client)
            }
            Self::Grpc(mut client) => {
                client.read_first_chunk(call).await;
                Self::Grpc(client)
            }
        }
    }
}

impl Open {
    /// Waits for the whole answer, as [`Client::call`] does.
    pub(crate) async fn answered(self) -> Option<i64> {
        match self {
            Self::Http(mut client) => client.answer().await,
            Self::Grpc(call) => call.await.unwrap(),
        }
    }

    /// The client goes away without having seen the answer.
    pub(crate) async fn leave(self) {
        match self {
            Self::Http(client) => drop(client),
            Self::Grpc(call) => {
                call.abort();
                let _ = call.await;
            }
        }
    }
}
