//! The search for secrets itself: one that finds nothing would show nothing.

use std::fs;

use base64ct::{Base64Unpadded, Base64UrlUnpadded, Encoding};

use crate::Secrets;
use crate::search::Search;

#[test]
fn the_search_finds_a_secret_however_it_is_written() {
    let secrets = Secrets::get();
    let search = Search::for_all(secrets);
    let text = secrets.text("cookie");
    let json = serde_json::to_string(&text).unwrap();
    let escaped: String = text.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    let percent: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let as_sent = text.replace('"', "%22").replace('\\', "%5C");
    let mut written = vec![text.clone(), json, escaped, percent, as_sent];
    for before in ["", "u", "us", "user:"] {
        let whole = format!("{before}{text}");
        written.push(Base64Unpadded::encode_string(whole.as_bytes()));
        written.push(Base64UrlUnpadded::encode_string(whole.as_bytes()));
    }
    for text in written {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("quarantine")).unwrap();
        fs::write(folder.path().join("quarantine/torn"), format!("{{\"note\":\"{text}\"")).unwrap();
        let leaks = search.below(folder.path());
        assert!(!leaks.is_empty(), "not found: {text}");
        assert!(leaks.iter().all(|leak| leak.way == "cookie"), "{leaks:?}");
    }
    // What leads to a log is not what is looked for.
    let innocent = tempfile::tempdir().unwrap();
    fs::write(innocent.path().join("log"), crate::secrets::MARKER).unwrap();
    assert!(search.below(innocent.path()).is_empty());
}
