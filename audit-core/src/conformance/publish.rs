use super::sample::VERIFIER_KEY;
use super::{Check, Sample, Store, Violation, soon};
use crate::backend::{Head, Synchronizer};

/// A log is created once: what is there is not created over.
///
/// # Errors
///
/// When the store does otherwise.
pub fn a_log_is_created_once(store: &mut dyn Store) -> Result<(), Violation> {
    let check = Check("a_log_is_created_once");
    let mut writer = store.writer();
    let opened = check.works("opening an empty store", writer.open(soon()))?;
    check.same("the key of an empty store", &opened.verifier_key, &None)?;
    check.same("the head of an empty store", &opened.head, &Head::EMPTY)?;
    check.same("the checkpoint of an empty store", &opened.checkpoint, &None)?;
    check.same("what was recovered of nothing", &opened.recovery, &None)?;
    check.works("creating a log", writer.create(VERIFIER_KEY, soon()))?;
    let sample = Sample::after(Head::EMPTY).lines(2, "there");
    check.append(writer.as_mut(), &sample)?;
    check.conflicts("creating it again", writer.create(VERIFIER_KEY, soon()))?;
    drop(writer);
    let (mut writer, _) = check.reopened(store)?;
    check.conflicts("creating it over", writer.create("other+00+AA==", soon()))?;
    check.holds(writer.as_mut(), sample.bytes(), 2)
}

/// `append` and `sync` reach the durability that the store's capabilities name.
///
/// # Errors
///
/// When the store does otherwise.
pub fn promises_are_kept(store: &mut dyn Store) -> Result<(), Violation> {
    let check = Check("promises_are_kept");
    let mut writer = check.created(store)?;
    let promised = writer.capabilities();
    let mut synchronizer = check.synchronizer(writer.as_mut())?;
    let sample = Sample::after(Head::EMPTY).lines(2, "promised");
    let appended = writer.append(Head::EMPTY, &sample.batch(), soon());
    let reached = check.works("appending", appended)?;
    check.same("what append reached", &reached.satisfies(promised.append), &true)?;
    let reached = check.works("syncing", synchronizer.sync(soon()))?;
    check.same("what sync reached", &reached.satisfies(promised.sync), &true)?;
    let reached = check.works("syncing nothing new", synchronizer.sync(soon()))?;
    check.same("what sync reached again", &reached.satisfies(promised.sync), &true)
}

/// A published checkpoint is there, byte for byte, after opening again, and the tree at its size,
/// if the store gives one, has its root.
///
/// # Errors
///
/// When the store does otherwise.
pub fn a_checkpoint_survives_reopening(store: &mut dyn Store) -> Result<(), Violation> {
    let check = Check("a_checkpoint_survives_reopening");
    let mut writer = check.created(store)?;
    let mut synchronizer = check.synchronizer(writer.as_mut())?;
    let sample = Sample::after(Head::EMPTY).lines(600, "signed");
    check.append(writer.as_mut(), &sample)?;
    for size in [0, 1, 255, 256, 257, 599, 600] {
        publish(check, synchronizer.as_mut(), &sample, size)?;
    }
    drop(synchronizer);
    drop(writer);
    let (_, opened) = check.reopened(store)?;
    let range = sample.range(600);
    check.same("the newest checkpoint", &opened.checkpoint, &Some(sample.checkpoint(600)))?;
    match opened.signed_range {
        Some(found) => check.same("the tree at the checkpoint", &found, &range),
        None => Ok(()),
    }
}

/// A checkpoint is never replaced by an older one, and never about lines that are not there.
///
/// # Errors
///
/// When the store does otherwise.
pub fn a_checkpoint_is_never_replaced_by_an_older_one(store: &mut dyn Store) -> Result<(), Violation> {
    let check = Check("a_checkpoint_is_never_replaced_by_an_older_one");
    let mut writer = check.created(store)?;
    let mut synchronizer = check.synchronizer(writer.as_mut())?;
    let sample = Sample::after(Head::EMPTY).lines(9, "signed");
    check.append(writer.as_mut(), &sample.first(7))?;
    publish(check, synchronizer.as_mut(), &sample, 5)?;
    for wrong in [3, 9] {
        let range = sample.range(wrong);
        if synchronizer.publish(&sample.checkpoint(wrong), &range, soon()).is_ok() {
            return Err(
                check.violation(format!("a checkpoint of size {wrong} was taken after one of size 5, over 7 lines"))
            );
        }
    }
    drop(synchronizer);
    drop(writer);
    let (_, opened) = check.reopened(store)?;
    let newest = Some(sample.checkpoint(5));
    check.same("the newest checkpoint", &opened.checkpoint, &newest)
}

fn publish(check: Check, synchronizer: &mut dyn Synchronizer, sample: &Sample, size: usize) -> Result<(), Violation> {
    let range = sample.range(size);
    let published = synchronizer.publish(&sample.checkpoint(size), &range, soon());
    check.works("publishing a checkpoint", published)
}
