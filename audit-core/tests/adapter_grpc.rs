//! What adapters read of gRPC over HTTP/2.

#![allow(clippy::unwrap_used)] // a test ends at the first surprise

use std::time::Duration;

use audit_core::adapter::{content_length, grpc_timeout, is_grpc};
use proptest::prelude::*;

#[test]
fn a_timeout_is_up_to_eight_digits_and_a_unit() {
    for (text, time) in [
        ("1H", Duration::from_secs(3_600)),
        ("2M", Duration::from_secs(120)),
        ("3S", Duration::from_secs(3)),
        ("4m", Duration::from_millis(4)),
        ("5u", Duration::from_micros(5)),
        ("6n", Duration::from_nanos(6)),
        ("0S", Duration::ZERO),
        ("00000001S", Duration::from_secs(1)),
        ("99999999H", Duration::from_secs(99_999_999 * 3_600)),
    ] {
        assert_eq!(grpc_timeout(text.as_bytes()), Some(time), "{text}");
    }
    for text in
        ["", "1", "S", "1s", "1h", "-1S", "+1S", " 1S", "1 S", "1S ", "1.5S", "100000000m", "1\u{0660}S", "0x1S"]
    {
        assert_eq!(grpc_timeout(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn a_content_type_is_grpc_with_a_suffix_or_a_parameter() {
    for text in ["application/grpc", "application/grpc+proto", "Application/GRPC;x=1", "application/grpc-web"] {
        assert!(is_grpc(text.as_bytes()), "{text}");
    }
    for text in ["application/grpcish", "application/json", "text/application/grpc", ""] {
        assert!(!is_grpc(text.as_bytes()), "{text}");
    }
}

#[test]
fn a_length_is_digits_that_fit() {
    assert_eq!(content_length(b"0"), Some(0));
    assert_eq!(content_length(b"18446744073709551615"), Some(u64::MAX));
    for text in ["", "+5", "-5", "5 ", "5, 5", "18446744073709551616", "0x5"] {
        assert_eq!(content_length(text.as_bytes()), None, "{text}");
    }
}

proptest! {
    #[test]
    fn hostile_values_are_read_or_ignored(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let (timeout, length) = (grpc_timeout(&bytes), content_length(&bytes));
        prop_assert!(timeout.is_none() || bytes.len() <= 9);
        prop_assert!(length.is_none() || bytes.iter().all(u8::is_ascii_digit));
        let _ = is_grpc(&bytes);
    }
}
