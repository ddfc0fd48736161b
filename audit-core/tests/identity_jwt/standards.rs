//! Tokens that the standards print, with the keys that they print.

use audit_core::identity::{JwtIssuer, JwtVerifier};
use serde_json::{Value, json};

use super::signer::refused;

/// `{"iss":"joe", "exp":1300819380, "http://example.com/is_root":true}`, with its line ends.
const PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

/// Reaching the expiry takes a signature that matches; another byte in it does not get so far.
fn is_signed(header: &str, signature: &str, key: &Value) {
    let keys = json!({"keys": [key]}).to_string();
    let issuer = JwtIssuer::new("joe").any_audience().jwks(keys).unwrap();
    let verifier = JwtVerifier::builder().issuer(issuer).build().unwrap();
    assert_eq!(refused(&verifier, &format!("{header}.{PAYLOAD}.{signature}")), "expired");
    let altered = format!("{}{}", if signature.starts_with('c') { "d" } else { "c" }, &signature[1..]);
    assert_eq!(refused(&verifier, &format!("{header}.{PAYLOAD}.{altered}")), "signature does not match");
}

/// RFC 7515, appendix A.2.
#[test]
fn the_rs256_example_of_rfc_7515_has_its_signature() {
    let signature = concat!(
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CU",
        "Ar7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_d",
        "O--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0ig",
        "cN_IoypGlUPQGe77Rw",
    );
    let modulus = concat!(
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZ",
        "S-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2",
        "R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcD",
        "TW9gb54h4FRWyuXpoQ",
    );
    is_signed("eyJhbGciOiJSUzI1NiJ9", signature, &json!({"kty": "RSA", "n": modulus, "e": "AQAB"}));
}

/// RFC 7515, appendix A.3.
#[test]
fn the_es256_example_of_rfc_7515_has_its_signature() {
    let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let key = json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                     "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
    is_signed("eyJhbGciOiJFUzI1NiJ9", signature, &key);
}

/// RFC 7515, appendix A.1, and RFC 7519, section 6.1.
#[test]
fn the_unsigned_and_the_symmetric_example_are_refused() {
    let key = json!({"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                     "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
    let issuer = JwtIssuer::new("joe").any_audience().jwks(json!({"keys": [key]}).to_string()).unwrap();
    let verifier = JwtVerifier::builder().issuer(issuer).build().unwrap();
    assert_eq!(refused(&verifier, &format!("eyJhbGciOiJub25lIn0.{PAYLOAD}.")), "algorithm none");
    let symmetric =
        format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{PAYLOAD}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    assert_eq!(refused(&verifier, &symmetric), "unknown or symmetric algorithm");
}
