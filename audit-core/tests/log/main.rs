//! The log as its users see it: activities, deadlines, limits, checkpoints, opening and closing.

mod activity;
mod checkpoint;
mod close;
mod deadline;
mod failure;
mod limits;
mod open;
mod races;
mod support;
