use super::sample::VERIFIER_KEY;
use super::{Check, Sample, Store, Violation, soon};
use crate::backend::Head;
use crate::record::Kind;

/// A log whose writer vanished holds everything that was acknowledged, and goes on from there.
///
/// # Errors
///
/// When the store does otherwise.
pub fn reopening_yields_everything_acknowledged(store: &mut dyn Store) -> Result<(), Violation> {
    let check = Check("reopening_yields_everything_acknowledged");
    let mut writer = check.created(store)?;
    let mut all = Vec::new();
    let mut head = Head::EMPTY;
    for round in 0..4 {
        for lines in [1, 7, 30] {
            let sample = Sample::after(head).lines(lines, &format!("round {round}"));
            check.append(writer.as_mut(), &sample)?;
            all.extend_from_slice(sample.bytes());
            head = sample.head();
        }
        drop(writer);
        let (again, opened) = check.reopened(store)?;
        writer = again;
        check.same("the head", &opened.head, &head)?;
        let key = opened.verifier_key.as_deref().map(str::trim_end);
        check.same("the verifier key", &key, &Some(VERIFIER_KEY))?;
        check.holds(writer.as_mut(), &all, head.size)?;
    }
    Ok(())
}

/// Lines after the newest checkpoint are kept when a writer vanished, and counted.
///
/// # Errors
///
/// When the store does otherwise.
pub fn lines_after_the_checkpoint_are_adopted(store: &mut dyn Store) -> Result<(), Violation> {
    let check = Check("lines_after_the_checkpoint_are_adopted");
    let mut writer = check.created(store)?;
    let mut synchronizer = check.synchronizer(writer.as_mut())?;
    let sample = Sample::after(Head::EMPTY).lines(9, "adopted or signed");
    check.append(writer.as_mut(), &sample)?;
    check.works("syncing", synchronizer.sync(soon()))?;
    let range = sample.range(5);
    let published = synchronizer.publish(&sample.checkpoint(5), &range, soon());
    check.works("publishing a checkpoint", published)?;
    drop(synchronizer);
    drop(writer);

    let (_, opened) = check.reopened(store)?;
    check.same("the head", &opened.head, &sample.head())?;
    let recovery =
        opened.recovery.ok_or_else(|| check.violation("the log was not closed in order, but nothing says so"))?;
    check.same("lines that are signed", &recovery.signed, &5)?;
    check.same("lines that were adopted", &recovery.adopted, &4)?;
    check.same("bytes that were cut off", &recovery.cut_bytes, &0)
}

/// A log that ends with `log.closed` needs no recovery.
///
/// # Errors
///
/// When the store does otherwise.
pub fn a_closed_log_needs_no_recovery(store: &mut dyn Store) -> Result<(), Violation> {
    let check = Check("a_closed_log_needs_no_recovery");
    let mut writer = check.created(store)?;
    let mut synchronizer = check.synchronizer(writer.as_mut())?;
    let sample = Sample::after(Head::EMPTY).lines(4, "before the end").line(Kind::LogClosed, "");
    check.append(writer.as_mut(), &sample)?;
    check.works("syncing", synchronizer.sync(soon()))?;
    let range = sample.range(5);
    let published = synchronizer.publish(&sample.checkpoint(5), &range, soon());
    check.works("publishing a checkpoint", published)?;
    drop(synchronizer);
    drop(writer);

    let (_, opened) = check.reopened(store)?;
    check.same("what was recovered", &opened.recovery, &None)
}
