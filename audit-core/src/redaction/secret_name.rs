/// What stands in names of credentials, wherever it stands. Compared with letters and digits only.
const PARTS: &[&str] = &[
    "accesskey",
    "apikey",
    "assertion",
    "authorization",
    "bearer",
    "cookie",
    "credential",
    "jwt",
    "passphrase",
    "passw",
    "privatekey",
    "secret",
    "session",
    "signature",
    "token",
];

/// What stands in names of credentials as a whole word.
const WORDS: &[&str] = &["key", "keys", "otp", "pass", "pin", "pwd", "sid", "sig"];

/// Keys that open nothing.
const HARMLESS: &[&str] = &["idempotencykey", "xidempotencykey"];

/// Whether `name` is, or looks like, that of a credential.
pub(super) fn is_secret_name(name: &str) -> bool {
    let words = words(name);
    let joined = words.concat();
    if HARMLESS.contains(&&*joined) {
        return false;
    }
    PARTS.iter().any(|part| joined.contains(part))
        || words.iter().any(|word| WORDS.contains(&&**word))
        || words.last().is_some_and(|word| word == "auth")
}

/// The words of a name in lower case: `X-Api-Key`, `x_api_key` and `xApiKey` have the same.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for character in name.chars() {
        let starts_word = after_lower && character.is_ascii_uppercase();
        if starts_word || !character.is_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| character.is_alphanumeric()) {
            word.extend(character.to_lowercase());
        }
        after_lower = character.is_ascii_lowercase() || character.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    words
}
