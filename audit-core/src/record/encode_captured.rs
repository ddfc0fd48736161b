//! What an outcome says of bodies: their digests in place, their text last, in the room that is left.

use super::encode::BodyWriter;
use super::json::write_string;
use crate::capture::CapturedBody;

/// The most bytes that all members of a body take, without messages and text.
const DESCRIPTION: usize = 640;

/// The most bytes of `content_type`, and of `encoding`.
const HEADER: usize = 128;

/// The most bytes that one message takes.
const MESSAGE: usize = 136;

/// Room that messages leave for what follows them.
const AFTER_MESSAGES: usize = 320;

/// Less text than this is not worth its members.
const TEXT_LEAST: usize = 64;

/// The names of the members of one body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    body: &'static str,
    content_type: &'static str,
    encoding: &'static str,
    messages: &'static str,
    text: &'static str,
}

pub(super) const REQUEST: Names = Names {
    body: "request_body",
    content_type: "request_body.content_type",
    encoding: "request_body.encoding",
    messages: "request_body.messages",
    text: "request_body.text",
};

pub(super) const RESPONSE: Names = Names {
    body: "response_body",
    content_type: "response_body.content_type",
    encoding: "response_body.encoding",
    messages: "response_body.messages",
    text: "response_body.text",
};

/// Where the text of a body goes once everything else is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextPlace<'a> {
    names: Names,
    at: usize,
    body: &'a CapturedBody,
}

impl BodyWriter {
    /// Describes a body, all but its text.
    pub(super) fn captured<'a>(&mut self, names: Names, body: &'a CapturedBody) -> Option<TextPlace<'a>> {
        if body.says_nothing() {
            return None;
        }
        if self.room() < DESCRIPTION {
            self.note_truncated(names.body);
            return None;
        }
        let mut at = 0;
        self.object(names.body, |out| {
            if let Some(content_type) = body.content_type() {
                out.text_as("content_type", names.content_type, content_type, HEADER);
            }
            if let Some(encoding) = body.encoding() {
                out.text_as("encoding", names.encoding, encoding, HEADER);
            }
            if body.is_unread() {
                out.boolean("unread", true);
                out.number("seen_bytes", body.bytes());
                out.word("seen_sha256", &body.seen_sha256().to_hex());
            }
            out.messages(names, body);
            if let Some(reason) = body.withheld() {
                out.word("withheld", reason.as_str());
            }
            if body.redacted() > 0 {
                out.number("redacted", body.redacted());
            }
            at = out.length();
        });
        body.text().is_some_and(|text| !text.is_empty()).then_some(TextPlace { names, at, body })
    }

    fn messages(&mut self, names: Names, body: &CapturedBody) {
        let Some(count) = body.message_count() else {
            return;
        };
        self.number("message_count", count);
        if body.has_partial_message() {
            self.boolean("partial_message", true);
        }
        let fit = self.room().saturating_sub(AFTER_MESSAGES) / MESSAGE;
        if body.messages().len() > fit {
            self.note_truncated(names.messages);
        }
        self.array("messages", body.messages().iter().take(fit), |out, message| {
            out.number("bytes", message.bytes.into());
            out.word("sha256", &message.sha256.to_hex());
            if message.compressed {
                out.boolean("compressed", true);
            }
        });
    }

    /// Puts the texts into their places, as far as there is room.
    pub(super) fn texts(&mut self, places: [Option<TextPlace<'_>>; 2]) {
        let mut moved = 0;
        for place in places.into_iter().flatten() {
            moved += self.text_at(place, moved);
        }
    }

    /// Puts one text in place, and says how long it is there.
    fn text_at(&mut self, place: TextPlace<'_>, moved: usize) -> usize {
        let text = place.body.text().unwrap_or_default();
        let room = self.room().saturating_sub(b",\"cut\":true,\"text\":\"\"".len());
        if room < TEXT_LEAST.min(text.len()) {
            self.note_truncated(place.names.text);
            return 0;
        }
        let mut quoted = Vec::with_capacity(text.len() + text.len() / 4);
        let fits = write_string(text, room, &mut quoted);
        if !fits {
            self.note_truncated(place.names.text);
        }
        let mut members = Vec::with_capacity(quoted.len() + 20);
        if !fits || place.body.is_cut() {
            members.extend_from_slice(b",\"cut\":true");
        }
        members.extend_from_slice(b",\"text\":");
        members.extend_from_slice(&quoted);
        self.insert(place.at + moved, &members)
    }
}
