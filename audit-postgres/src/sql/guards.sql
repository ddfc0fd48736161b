CREATE TRIGGER lines_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON {schema}.lines
  FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER checkpoints_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON {schema}.checkpoints
  FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER heads_stay BEFORE DELETE OR TRUNCATE ON {schema}.heads
  FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();
CREATE TRIGGER heads_move_forward BEFORE UPDATE ON {schema}.heads
  FOR EACH ROW EXECUTE FUNCTION {schema}.only_forward();

-- ALWAYS: session_replication_role = replica does not pass them either.
ALTER TABLE {schema}.lines ENABLE ALWAYS TRIGGER lines_only_grow;
ALTER TABLE {schema}.checkpoints ENABLE ALWAYS TRIGGER checkpoints_only_grow;
ALTER TABLE {schema}.heads ENABLE ALWAYS TRIGGER heads_stay;
ALTER TABLE {schema}.heads ENABLE ALWAYS TRIGGER heads_move_forward;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {schema} FROM PUBLIC;
GRANT USAGE ON SCHEMA {schema} TO {schema}_writer, {schema}_reader;
GRANT SELECT ON {schema}.schema_version, {schema}.installation, {schema}.heads, {schema}.lines, {schema}.checkpoints
  TO {schema}_writer, {schema}_reader;
-- Nobody reads the outbox: each writer gets what is pending for its own logs.
GRANT EXECUTE ON FUNCTION {schema}.create_log, {schema}.append, {schema}.wait_for_appends, {schema}.publish,
  {schema}.put, {schema}.allow_put, {schema}.pending, {schema}.discard
  TO {schema}_writer;

INSERT INTO {schema}.installation DEFAULT VALUES;
INSERT INTO {schema}.schema_version (version) VALUES (1);
