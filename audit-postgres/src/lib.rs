//! PostgreSQL as a store of the audit log: append-only rows behind one function, and an outbox.
