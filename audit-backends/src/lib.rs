//! Opens any store of the audit log from a URL or a configuration file.
