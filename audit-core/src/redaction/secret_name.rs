/// What stands in names of credentials, wherever it stands. Compared with letters and digits only.
const PARTS: &[&str] = &[
    "accesskey",
    "apikey",
    "assertion",
    "authcode",
    "authorization",
    "bearer",
    "codeverifier",
    "cookie",
    "credential",
    "jwt",
    "mfacode",
    "otpcode",
    "passcode",
    "passphrase",
    "passw",
    "pincode",
    "privatekey",
    "secret",
    "securitycode",
    "session",
    "signature",
    "token",
];

/// Whether some part starts with a byte.
const FIRST: [bool; 256] = {
    let mut first = [false; 256];
    let mut at = 0;
    while at < PARTS.len() {
        first[PARTS[at].as_bytes()[0] as usize] = true;
        at += 1;
    }
    first
};

/// What stands in names of credentials as a whole word.
const WORDS: &[&str] =
    &["cvc", "cvv", "key", "keys", "mfa", "otp", "pass", "passwd", "pin", "pwd", "sid", "sig", "totp"];

/// Keys that open nothing.
const HARMLESS: &[&str] = &["idempotencykey", "xidempotencykey"];

/// Whether `name` is, or looks like, that of a credential.
pub(super) fn is_secret_name(name: &str) -> bool {
    let words = Words::of(name);
    if HARMLESS.contains(&&*words.joined) {
        return false;
    }
    let mut last = "";
    for word in words.iter() {
        // `pin2` and `key1` are no better than `pin` and `key`.
        if WORDS.contains(&word.trim_end_matches(|last: char| last.is_ascii_digit())) {
            return true;
        }
        last = word;
    }
    last == "auth" || has_part(&words.joined)
}

fn has_part(joined: &str) -> bool {
    let bytes = joined.as_bytes();
    // Most places are ruled out by one byte.
    let starts = bytes.iter().enumerate().filter(|(_, byte)| FIRST[usize::from(**byte)]);
    starts.map(|(at, _)| &bytes[at..]).any(|rest| PARTS.iter().any(|part| rest.starts_with(part.as_bytes())))
}

/// The words of a name in lower case: `X-Api-Key`, `x_api_key` and `xApiKey` have the same.
struct Words {
    joined: String,
    /// Where each word ends.
    ends: Vec<usize>,
}

impl Words {
    fn of(name: &str) -> Self {
        let mut words = Self { joined: String::with_capacity(name.len()), ends: Vec::with_capacity(8) };
        let mut after_lower = false;
        for character in name.chars() {
            let starts_word = after_lower && character.is_ascii_uppercase();
            if starts_word || !character.is_alphanumeric() {
                words.ends.push(words.joined.len());
            }
            if character.is_alphanumeric() {
                words.joined.extend(character.to_lowercase());
            }
            after_lower = character.is_ascii_lowercase() || character.is_ascii_digit();
        }
        words.ends.push(words.joined.len());
        words
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts.zip(&self.ends).filter_map(|(start, end)| self.joined.get(*start..*end)).filter(|word| !word.is_empty())
    }
}
