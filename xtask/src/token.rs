//! A bearer token as a Kubernetes service account sends it.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::json;

/// A token of the usual shape and size. Its signature is made of zeros and checks nowhere.
pub(crate) fn service_account(namespace: &str, name: &str) -> String {
    let header = json!({ "alg": "RS256", "kid": "3f6a1c" });
    let claims = json!({
        "aud": ["https://kubernetes.default.svc"],
        "exp": 4_102_444_800_u64,
        "iat": 1_763_900_000_u64,
        "iss": "https://kubernetes.default.svc",
        "jti": "0193580e-5f1a-4aaa-bbbb-0123456789ab",
        "kubernetes.io": {
            "namespace": namespace,
            "pod": { "name": format!("{name}-0"), "uid": "6d1e9a55-6c1a-4f55-9b0c-1f1f1f1f1f1f" },
            "serviceaccount": { "name": name, "uid": "9a0c8a61-52b1-4d0a-8f2e-2e2e2e2e2e2e" },
        },
        "nbf": 1_763_900_000_u64,
        "sub": format!("system:serviceaccount:{namespace}:{name}"),
    });
    let part = |json: &serde_json::Value| Base64UrlUnpadded::encode_string(json.to_string().as_bytes());
    let signature = Base64UrlUnpadded::encode_string(&[0; 256]);
    format!("{}.{}.{signature}", part(&header), part(&claims))
}
