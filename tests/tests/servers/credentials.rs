//! Credentials of every kind: who they name may be recorded, what lets them in may not.

use base64ct::{Base64, Encoding};
use tonic::metadata::AsciiMetadataValue;

use crate::grpc_client::{code, with_secrets};
use crate::secrets::MARKER;
use crate::{Call, Client, Framework, Secrets, Server};
use examples::grpc::payments::CountRefundsRequest;

crate::on_every_server! {
    no_credential_of_any_kind_is_recorded
}

async fn no_credential_of_any_kind_is_recorded(framework: Framework) {
    let secrets = Secrets::get();
    let basic = Base64::encode_string(format!("settler:{}", secrets.text("basic password")).as_bytes());
    let opaque = secrets.text("opaque token");
    let credentials = [
        format!("Basic {basic}"),
        format!("Bearer {opaque}"),
        format!("bearer   {opaque}"),
        format!("Bearer {}.{opaque}", secrets.token),
        format!("Token {opaque}"),
        format!("AWS4-HMAC-SHA256 Credential=AKIA/20261125/eu/s3/aws4_request, Signature={opaque}"),
        opaque.clone(),
    ];
    let server = Server::start(framework);
    for credential in &credentials {
        assert_eq!(call(server.client().await, credential).await, server.client().await.expected(Call::Count));
    }
    let stopped = server.stop().await;
    assert_eq!(stopped.of_kind("intent").len(), credentials.len());
}

/// Asks for the counter with that `authorization`.
async fn call(client: Client, credential: &str) -> Option<i64> {
    match client {
        Client::Http(mut client) => {
            let headers = [("user-agent", MARKER.to_owned()), ("authorization", credential.to_owned())];
            client.send_with("GET", "/v1/refunds", &headers, 0, "").await;
            client.answer().await
        }
        Client::Grpc(client) => {
            let mut request = with_secrets(CountRefundsRequest {});
            request.metadata_mut().insert("authorization", AsciiMetadataValue::try_from(credential).unwrap());
            code(client.payments().count_refunds(request).await.map(drop))
        }
    }
}
