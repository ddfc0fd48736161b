/// A key name is at most this many bytes, as C2SP cosignatures need.
pub const NAME_LIMIT: usize = 255;

/// What is wrong with `name` as a key name (C2SP signed-note), if anything.
pub(crate) fn fault_in_name(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("it is empty")
    } else if name.len() > NAME_LIMIT {
        Some("it is longer than 255 bytes")
    } else if name.contains('+') {
        Some("it contains '+'")
    } else if name.contains(char::is_whitespace) {
        Some("it contains white space")
    } else if name.contains(|character: char| character < ' ') {
        Some("it contains a control character")
    } else {
        None
    }
}
