//! The real servers that the stores are tested against, and what makes their keys.

use crate::install::Tool;

/// Programs, and the Debian packages that bring them.
pub(crate) const TOOLS: [Tool; 9] = [
    Tool { program: "radosgw", package: "radosgw", purpose: "S3 with Object Lock, as Ceph has it" },
    Tool { program: "ceph-mon", package: "ceph-mon", purpose: "the monitor below it" },
    Tool { program: "ceph-osd", package: "ceph-osd", purpose: "the disk below it" },
    Tool { program: "nats-server", package: "nats-server", purpose: "JetStream, as Debian has it" },
    Tool { program: "openssl", package: "openssl", purpose: "makes certificates for the servers" },
    Tool { program: "pgbouncer", package: "pgbouncer", purpose: "a transaction pooler" },
    Tool { program: "postgres", package: "postgresql", purpose: "PostgreSQL" },
    Tool { program: "python3 -m ensurepip", package: "python3-venv", purpose: "servers that are Python packages" },
    Tool { program: "setpriv", package: "util-linux", purpose: "PostgreSQL does not run as root" },
];
