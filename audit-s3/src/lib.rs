//! S3 Object Lock as a store of the audit log: one locked object for each group commit.
