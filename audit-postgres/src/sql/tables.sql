CREATE TABLE {schema}.schema_version (
  version integer PRIMARY KEY,
  installed timestamptz NOT NULL DEFAULT now()
);

-- One row: which installation this is, by whatever name its server is reached.
CREATE TABLE {schema}.installation (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  id uuid NOT NULL DEFAULT gen_random_uuid()
);

-- One row for each log: where it ends. Compared and advanced in the transaction that appends.
CREATE TABLE {schema}.heads (
  log text COLLATE "C" PRIMARY KEY CHECK (octet_length(log) BETWEEN 1 AND 255),
  verifier_key text NOT NULL,
  writer name NOT NULL,
  next_seq bigint NOT NULL DEFAULT 0 CHECK (next_seq >= 0),
  last_leaf bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex') CHECK (octet_length(last_leaf) = 32)
) WITH (fillfactor = 50);

-- `line` is what is hashed, byte for byte. The other columns are for queries and prove nothing.
CREATE TABLE {schema}.lines (
  log text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  line text NOT NULL CHECK (octet_length(line) <= 65535 AND strpos(line, E'\n') = 0),
  time timestamptz,
  kind text,
  id uuid,
  actor_type text,
  actor_id text,
  action text,
  resource text,
  result text,
  status integer,
  trace text,
  PRIMARY KEY (log, seq)
);

CREATE TABLE {schema}.checkpoints (
  log text COLLATE "C" NOT NULL,
  size bigint NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  note text NOT NULL,
  peaks bytea NOT NULL,
  published timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (log, size, id)
);

-- Events that are committed with the caller's own changes, and are not in the log yet.
CREATE TABLE {schema}.outbox (
  log text COLLATE "C" NOT NULL,
  position bigint GENERATED ALWAYS AS IDENTITY,
  id uuid NOT NULL,
  time timestamptz NOT NULL,
  event text NOT NULL,
  PRIMARY KEY (log, position),
  UNIQUE (log, id)
);

-- Every event that was ever put, so that one that is put again is put once.
CREATE TABLE {schema}.outbox_ids (
  log text COLLATE "C" NOT NULL,
  id uuid NOT NULL,
  digest bytea NOT NULL,
  put timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (log, id)
);

-- Roles that may put events into the outbox of a log, besides its writer.
CREATE TABLE {schema}.outbox_roles (
  log text COLLATE "C" NOT NULL,
  role name NOT NULL,
  PRIMARY KEY (log, role)
);
