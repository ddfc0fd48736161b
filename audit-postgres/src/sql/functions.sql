-- Who may write a log is decided by the session's user: poolers and SECURITY DEFINER leave it alone.
CREATE FUNCTION {schema}.check_writer(writer name, to_log text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, {schema}, pg_temp
AS $check_writer$
BEGIN
  IF NOT pg_has_role(session_user, writer, 'MEMBER') THEN
    RAISE EXCEPTION 'the log % belongs to the role %, not to %', to_log, writer, session_user
      USING ERRCODE = 'insufficient_privilege';
  END IF;
END
$check_writer$;

CREATE FUNCTION {schema}.check_log(to_log text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, {schema}, pg_temp
AS $check_log$
DECLARE
  head heads%ROWTYPE;
BEGIN
  SELECT * INTO head FROM heads WHERE heads.log = to_log;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no log %', to_log USING ERRCODE = 'no_data_found';
  END IF;
  PERFORM check_writer(head.writer, to_log);
END
$check_log$;

-- What a commit means must not depend on a default that somebody lowered.
CREATE FUNCTION {schema}.commit_durably() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, {schema}, pg_temp
AS $commit_durably$
BEGIN
  IF current_setting('synchronous_commit') NOT IN ('on', 'remote_apply') THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
END
$commit_durably$;

CREATE FUNCTION {schema}.create_log(to_log text, key text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp
AS $create_log$
BEGIN
  PERFORM commit_durably();
  INSERT INTO heads (log, verifier_key, writer) VALUES (to_log, key, session_user) ON CONFLICT DO NOTHING;
  RETURN FOUND;
END
$create_log$;

-- Appends lines behind the head that is expected, or says which head is there instead.
CREATE FUNCTION {schema}.append(
  to_log text, expected_size bigint, expected_leaf bytea, new_leaf bytea,
  new_lines text[], times timestamptz[], kinds text[], ids uuid[], actor_types text[], actor_ids text[],
  actions text[], resources text[], results text[], statuses integer[], traces text[],
  OUT appended boolean, OUT size bigint, OUT leaf bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp
AS $append$
DECLARE
  head heads%ROWTYPE;
BEGIN
  -- Rows are numbered by subscript: another first one would leave a hole, or come before the head.
  IF array_ndims(new_lines) IS DISTINCT FROM 1 OR array_lower(new_lines, 1) <> 1 THEN
    RAISE EXCEPTION 'lines come as an array of one dimension, from 1 on and not empty' USING ERRCODE = 'array_subscript_error';
  END IF;
  PERFORM commit_durably();
  SELECT * INTO head FROM heads WHERE heads.log = to_log FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no log %', to_log USING ERRCODE = 'no_data_found';
  END IF;
  PERFORM check_writer(head.writer, to_log);
  appended := coalesce(head.next_seq = expected_size AND head.last_leaf = expected_leaf, false);
  size := head.next_seq;
  leaf := head.last_leaf;
  IF NOT appended THEN
    RETURN;
  END IF;
  INSERT INTO lines (log, seq, line, time, kind, id, actor_type, actor_id, action, resource, result, status, trace)
    SELECT to_log, expected_size + new.number - 1, new.line, new.time, new.kind, new.id, new.actor_type, new.actor_id,
           new.action, new.resource, new.result, new.status, new.trace
    -- In lockstep and not in FROM, where every array would be copied once more.
    FROM (SELECT generate_subscripts(new_lines, 1) AS number, unnest(new_lines) AS line, unnest(times) AS time,
                 unnest(kinds) AS kind, unnest(ids) AS id, unnest(actor_types) AS actor_type,
                 unnest(actor_ids) AS actor_id, unnest(actions) AS action, unnest(resources) AS resource,
                 unnest(results) AS result, unnest(statuses) AS status, unnest(traces) AS trace) AS new;
  size := expected_size + cardinality(new_lines);
  leaf := new_leaf;
  UPDATE heads SET next_seq = size, last_leaf = new_leaf WHERE heads.log = to_log;
  -- An event leaves the outbox with the line that records it, and only with that.
  IF EXISTS (SELECT FROM outbox WHERE outbox.log = to_log) THEN
    DELETE FROM outbox USING (SELECT unnest(ids) AS id, unnest(kinds) AS kind) AS new
      WHERE new.kind = 'event' AND outbox.log = to_log AND outbox.id = new.id;
  END IF;
END
$append$;

-- Waits for what an earlier writer left on its way: from then on the head row says where the log ends.
CREATE FUNCTION {schema}.wait_for_appends(to_log text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp
AS $wait_for_appends$
BEGIN
  PERFORM check_log(to_log);
  -- It changes nothing: no disk and no standby has to be waited for.
  PERFORM set_config('synchronous_commit', 'off', true);
  PERFORM FROM heads WHERE heads.log = to_log FOR UPDATE;
END
$wait_for_appends$;

-- Keeps a checkpoint, unless a newer one is there or its lines are not.
CREATE FUNCTION {schema}.publish(
  to_log text, at_size bigint, new_note text, new_peaks bytea,
  OUT kept boolean, OUT newest bigint, OUT size bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp
AS $publish$
DECLARE
  head heads%ROWTYPE;
BEGIN
  PERFORM commit_durably();
  SELECT * INTO head FROM heads WHERE heads.log = to_log;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no log %', to_log USING ERRCODE = 'no_data_found';
  END IF;
  PERFORM check_writer(head.writer, to_log);
  size := head.next_seq;
  SELECT max(checkpoints.size) INTO newest FROM checkpoints WHERE checkpoints.log = to_log;
  kept := at_size >= coalesce(newest, 0) AND at_size <= size;
  IF kept AND NOT EXISTS (SELECT FROM checkpoints AS there
    WHERE there.log = to_log AND there.size = at_size AND there.note = new_note) THEN
    INSERT INTO checkpoints (log, size, note, peaks) VALUES (to_log, at_size, new_note, new_peaks);
  END IF;
END
$publish$;

CREATE FUNCTION {schema}.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, {schema}, pg_temp
AS $refuse_change$
BEGIN
  RAISE EXCEPTION '%.% only grows: % is refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'restrict_violation';
END
$refuse_change$;

CREATE FUNCTION {schema}.only_forward() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, {schema}, pg_temp
AS $only_forward$
BEGIN
  IF NEW.log <> OLD.log OR NEW.verifier_key <> OLD.verifier_key OR NEW.next_seq < OLD.next_seq
    OR (NEW.next_seq = OLD.next_seq AND NEW.last_leaf <> OLD.last_leaf) THEN
    RAISE EXCEPTION 'the head of % only moves forward', OLD.log USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END
$only_forward$;
