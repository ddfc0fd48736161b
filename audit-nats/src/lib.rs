//! NATS JetStream as a store of the audit log: one message for each batch.
