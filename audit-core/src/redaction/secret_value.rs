use super::body_rules::BodyRules;

/// How many `name=value` pairs of one text are looked at; with more it counts as secret.
const PAIRS_MOST: usize = 64;

/// The shortest text behind `eyJ` that may be a token.
const TOKEN_LEAST: usize = 32;

/// Whether a value under a harmless name looks as if it carries a secret all the same.
///
/// It does when it is a document of its own (it starts with `{`, `[` or `"`), has `name=value` with
/// the name of a secret (a query, a cookie, a connection string), a JSON Web Token, the credentials
/// of an `Authorization` header, a user and password in a URL, or a PEM block.
pub(super) fn holds_secret(rules: &BodyRules, text: &str) -> bool {
    let text = text.trim_start_matches(|character: char| character.is_whitespace() || character == '\u{feff}');
    text.starts_with(['{', '[', '"'])
        || is_authorization(text)
        || text.contains("-----BEGIN")
        || text.contains("://") && text.split("://").skip(1).any(has_password)
        || text.contains("eyJ") && pieces(text).any(|piece| piece.starts_with("eyJ") && piece.len() >= TOKEN_LEAST)
        || text.contains('=') && has_secret_pair(rules, text)
}

fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| character.is_whitespace() || "?&;,#=\"'<>()".contains(character))
}

fn is_authorization(text: &str) -> bool {
    let Some((scheme, credentials)) = text.split_once(' ') else {
        return false;
    };
    let scheme = scheme.trim_end_matches(':');
    let known = ["bearer", "basic", "token"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let credentials = credentials.trim();
    known && credentials.len() >= 8 && !credentials.contains(char::is_whitespace)
}

/// Whether what follows `://` starts with `user:password@`.
fn has_password(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
}

fn has_secret_pair(rules: &BodyRules, text: &str) -> bool {
    let mut seen = 0;
    for piece in text.split(|character: char| character.is_whitespace() || "?&;,#".contains(character)) {
        let Some((name, _)) = piece.split_once('=') else {
            continue;
        };
        seen += 1;
        if seen > PAIRS_MOST || rules.by_name(name).is_some() {
            return true;
        }
    }
    false
}
