CREATE TABLE {schema}.schema_version (
  version integer PRIMARY KEY,
  installed timestamptz NOT NULL DEFAULT now()
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
  line text NOT NULL,
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
  id uuid PRIMARY KEY,
  position bigint GENERATED ALWAYS AS IDENTITY,
  log text COLLATE "C" NOT NULL,
  time timestamptz NOT NULL,
  event text NOT NULL
);
CREATE UNIQUE INDEX outbox_position ON {schema}.outbox (log, position);
