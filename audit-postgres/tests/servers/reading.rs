use audit_core::backend::{Backend as _, Head};
use audit_core::conformance::Sample;
use audit_core::verify::{LogReader as _, Piece, ReadError};
use audit_postgres::{PostgresReader, logs};

use crate::fixture::{Place, soon};

#[test]
fn a_reader_streams_every_byte_from_any_line_on() {
    let place = Place::shared();
    let mut writer = place.created("log");
    let sample = Sample::after(Head::EMPTY).lines(5_000, "streamed").longest_line().lines(10, "behind");
    writer.append(Head::EMPTY, &sample.batch(), soon()).unwrap();
    let reader = place.reader("log");
    assert_eq!(reader.size().unwrap(), 5_011);
    for from in [0, 1, 4_999, 5_000, 5_010, 5_011] {
        let mut source = reader.lines(from).unwrap();
        let (mut all, mut buffer) = (Vec::new(), vec![0; 7_777]);
        while let Piece::Bytes(count) = source.read(&mut buffer).unwrap() {
            all.extend_from_slice(&buffer[..count]);
        }
        let expected: Vec<u8> = (from as usize..5_011).flat_map(|at| sample.nth(at)).copied().collect();
        assert!(all == expected, "from {from}");
    }
}

#[test]
fn a_reader_says_what_is_not_a_log() {
    let place = Place::shared();
    let error = PostgresReader::from_url(&place.url("reader", "nothing"), &place.options()).unwrap_err();
    assert!(matches!(&error, ReadError::NotALog { detail } if detail.contains("there is no log nothing")), "{error}");
}

#[test]
fn inside_a_runtime_a_reader_fails_and_does_not_panic() {
    let place = Place::shared();
    drop(place.created("log"));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let error = runtime.block_on(async { PostgresReader::from_url(&place.url("reader", "log"), &place.options()) });
    assert!(error.unwrap_err().to_string().contains("inside of an async runtime"));
    let reader = place.reader("log");
    assert!(runtime.block_on(async { reader.size() }).is_err());
    runtime.block_on(async { drop(reader) });
}

#[test]
fn logs_under_a_prefix_are_listed_with_urls_that_open_them() {
    let place = Place::shared();
    for log in ["payments/prod 1", "payments/prod-2", "paymentsx", "ledger"] {
        drop(place.created(log));
    }
    let listed = |log: &str| logs(&place.url("reader", log), &place.options()).unwrap();
    assert_eq!(listed("").len(), 4);
    assert_eq!(listed("payments/prod-2"), [place.url("reader", "payments/prod-2")]);
    assert_eq!(listed("ledgers"), Vec::<String>::new());
    let payments = listed("payments/");
    assert_eq!(payments, [place.url("reader", "payments/prod%201"), place.url("reader", "payments/prod-2")]);
    for url in payments {
        assert_eq!(PostgresReader::from_url(&url, &place.options()).unwrap().size().unwrap(), 0);
    }
}

#[test]
fn kept_checkpoints_are_listed_oldest_first_and_thinned_out() {
    let place = Place::shared();
    let mut writer = place.created("log");
    let sample = Sample::after(Head::EMPTY).lines(50, "signed");
    writer.append(Head::EMPTY, &sample.batch(), soon()).unwrap();
    let mut synchronizer = writer.synchronizer().unwrap();
    for size in 1..=50 {
        synchronizer.publish(&sample.checkpoint(size), &sample.range(size), soon()).unwrap();
    }
    let reader = place.reader("log");
    let notes: Vec<Vec<u8>> = reader.kept_checkpoints().unwrap().into_iter().map(|(_, note)| note).collect();
    let expected: Vec<Vec<u8>> = (1..=50).map(|size| sample.checkpoint(size)).collect();
    assert_eq!(notes, expected);
    assert_eq!(reader.compact_range(33).unwrap(), Some(sample.range(33)));
    assert_eq!(reader.compact_range(51).unwrap(), None);

    place.superuser("INSERT INTO SCHEMA.checkpoints (log, size, note, peaks) SELECT 'log', 50, n::text, '' FROM generate_series(1, 5000) n");
    let kept = reader.kept_checkpoints().unwrap().len();
    assert!((900..=1_100).contains(&kept), "{kept}");
}
