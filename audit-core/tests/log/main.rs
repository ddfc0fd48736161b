//! The log as its users see it: activities, deadlines, limits, checkpoints, opening and closing.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod activity;
mod audited;
mod checkpoint;
mod close;
mod deadline;
mod failure;
mod later_actor;
mod limits;
mod open;
mod policy_change;
mod policy_file;
mod races;
mod support;
