use super::{Check, Sample, Store, Violation, soon};
use crate::backend::{BackendError, Head};
use crate::evidence::Hash;

/// `append` after a head that the log does not have is a conflict, and changes nothing.
///
/// # Errors
///
/// When the store does otherwise.
pub fn append_is_conditional_on_the_head(store: &mut dyn Store) -> Result<(), Violation> {
    let check = Check("append_is_conditional_on_the_head");
    let mut writer = check.created(store)?;
    let there = Sample::after(Head::EMPTY).lines(3, "there");
    check.append(writer.as_mut(), &there)?;

    let ahead = Head { size: 7, leaf: there.head().leaf };
    let other_leaf = Head { size: 3, leaf: Hash::digest(b"another line") };
    for (what, head) in [("after lines that are not there", ahead), ("after another last line", other_leaf)] {
        let sample = Sample::after(head).lines(2, "other");
        let appended = writer.append(head, &sample.batch(), soon());
        check.conflicts(what, appended)?;
    }
    check.holds(writer.as_mut(), there.bytes(), 3)?;
    let more = Sample::after(there.head()).lines(1, "more");
    check.append(writer.as_mut(), &more)?;
    check.holds(writer.as_mut(), &[there.bytes(), more.bytes()].concat(), 4)
}

/// Other lines than those that are there never take their position, not even lines of the same
/// length behind the same head.
///
/// # Errors
///
/// When the store does otherwise.
pub fn other_lines_never_take_a_position(store: &mut dyn Store) -> Result<(), Violation> {
    let check = Check("other_lines_never_take_a_position");
    let mut writer = check.created(store)?;
    let first = Sample::after(Head::EMPTY).lines(1, "first");
    let there = Sample::after(first.head()).lines(2, "there");
    check.append(writer.as_mut(), &first)?;
    check.append(writer.as_mut(), &there)?;

    for (what, other) in [
        ("lines of the same length", Sample::after(first.head()).lines(2, "THERE")),
        ("fewer lines", Sample::after(first.head()).lines(1, "fewer")),
        ("lines of which only the first is there", there.first(1).lines(1, "THERE")),
        ("more lines", Sample::after(first.head()).lines(5, "more")),
    ] {
        let appended = writer.append(first.head(), &other.batch(), soon());
        check.conflicts(what, appended)?;
    }
    check.holds(writer.as_mut(), &[first.bytes(), there.bytes()].concat(), 3)
}

/// A second writer is refused, when it opens the log or when it appends; nothing is overwritten.
///
/// # Errors
///
/// When the store does otherwise.
pub fn a_second_writer_overwrites_nothing(store: &mut dyn Store) -> Result<(), Violation> {
    let check = Check("a_second_writer_overwrites_nothing");
    let mut first = check.created(store)?;
    let common = Sample::after(Head::EMPTY).lines(2, "common");
    check.append(first.as_mut(), &common)?;

    let mut second = store.writer();
    let opened = match second.open(soon()) {
        Err(BackendError::InUse { holder }) if holder.is_empty() => {
            return Err(check.violation("the error does not say who holds the log"));
        }
        Err(BackendError::InUse { .. }) => return check.holds(first.as_mut(), common.bytes(), 2),
        other => check.works("opening the log a second time", other)?,
    };
    check.same("the head that the second writer finds", &opened.head, &common.head())?;
    let mine = Sample::after(common.head()).lines(1, "of the first");
    let yours = Sample::after(common.head()).lines(1, "of the second");
    check.append(first.as_mut(), &mine)?;
    let appended = second.append(common.head(), &yours.batch(), soon());
    check.conflicts("appending as the second writer", appended)?;
    check.holds(first.as_mut(), &[common.bytes(), mine.bytes()].concat(), 3)
}

/// The same lines sent again, as after an unknown result, are recognised and not duplicated.
///
/// # Errors
///
/// When the store does otherwise.
pub fn the_same_lines_again_are_recognised(store: &mut dyn Store) -> Result<(), Violation> {
    let check = Check("the_same_lines_again_are_recognised");
    let mut writer = check.created(store)?;
    let sample = Sample::after(Head::EMPTY).lines(3, "once");
    for _ in 0..3 {
        check.append(writer.as_mut(), &sample)?;
        check.holds(writer.as_mut(), sample.bytes(), 3)?;
    }
    let nothing = Sample::after(sample.head());
    check.append(writer.as_mut(), &nothing)?;
    check.holds(writer.as_mut(), sample.bytes(), 3)
}

/// A batch of which a crash left a whole-line prefix is completed by sending all of it again.
///
/// # Errors
///
/// When the store does otherwise.
pub fn a_batch_of_which_a_part_is_there_is_completed(store: &mut dyn Store) -> Result<(), Violation> {
    let check = Check("a_batch_of_which_a_part_is_there_is_completed");
    let mut writer = check.created(store)?;
    let whole = Sample::after(Head::EMPTY).lines(5, "in one batch");
    check.append(writer.as_mut(), &whole.first(2))?;
    check.append(writer.as_mut(), &whole)?;
    check.holds(writer.as_mut(), whole.bytes(), 5)?;
    let head = check.works("asking for the head", writer.head(soon()))?;
    check.same("the head", &head, &whole.head())
}
