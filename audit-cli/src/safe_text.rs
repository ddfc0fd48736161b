//! Text from a log, made harmless for a terminal.

use std::borrow::Cow;

/// The text with everything written out that would move the cursor, change colours, hide text or
/// reverse its direction.
pub(crate) fn safe(text: &str) -> Cow<'_, str> {
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_harmful(character) {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

const fn is_harmful(character: char) -> bool {
    matches!(character,
        // C0, delete and C1 controls
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        // invisible characters and those that change the direction of text (UAX #9)
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        // tags and variation selectors
        | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::safe;

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        assert_eq!(safe("plain é 日本"), "plain é 日本");
        assert_eq!(safe("\x1b[2J"), "\\u{1b}[2J");
        assert_eq!(safe("a\u{202e}b\u{9b}c\n"), "a\\u{202e}b\\u{9b}c\\u{a}");
    }
}
