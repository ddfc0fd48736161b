-- Whether an object has the members that it needs, and no others. Those in `texts` are text, and what is
-- not needed may be null; those in `others` are looked at elsewhere.
CREATE FUNCTION {schema}.check_members(given json, what text, needed text[], texts text[], others text[])
RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, {schema}, pg_temp
AS $check_members$
DECLARE
  member record;
BEGIN
  IF json_typeof(given) IS DISTINCT FROM 'object' THEN
    RAISE EXCEPTION '% is a JSON object', what USING ERRCODE = 'check_violation';
  END IF;
  FOR member IN SELECT of_it.key, json_typeof(of_it.value) AS kind FROM json_each(given) AS of_it LOOP
    IF member.key = ANY (others) THEN
      CONTINUE;
    END IF;
    IF member.key <> ALL (texts) THEN
      RAISE EXCEPTION '% has no member "%"', what, member.key USING ERRCODE = 'check_violation';
    END IF;
    IF member.kind <> 'string' AND (member.kind <> 'null' OR member.key = ANY (needed)) THEN
      RAISE EXCEPTION 'the member "%" of % is a string', member.key, what USING ERRCODE = 'check_violation';
    END IF;
  END LOOP;
  FOR member IN SELECT name FROM unnest(needed) AS names (name) WHERE given -> name IS NULL LOOP
    RAISE EXCEPTION '% has a member "%", a string', what, member.name USING ERRCODE = 'check_violation';
  END LOOP;
END
$check_members$;

-- What JSON allows and a reader may not take: a name twice, endless nesting, numbers without bound.
CREATE FUNCTION {schema}.check_value(given json, depth integer) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, {schema}, pg_temp
AS $check_value$
DECLARE
  inside record;
BEGIN
  IF depth > 32 THEN
    RAISE EXCEPTION 'an event is nested at most 32 deep' USING ERRCODE = 'check_violation';
  END IF;
  IF json_typeof(given) = 'number' THEN
    -- Raises `numeric_value_out_of_range`.
    PERFORM (given #>> '{}')::double precision;
  ELSIF json_typeof(given) = 'array' THEN
    FOR inside IN SELECT element FROM json_array_elements(given) AS elements (element) LOOP
      PERFORM check_value(inside.element, depth + 1);
    END LOOP;
  ELSIF json_typeof(given) = 'object' THEN
    FOR inside IN SELECT key FROM json_object_keys(given) AS keys (key) GROUP BY key HAVING count(*) > 1 LOOP
      RAISE EXCEPTION 'the member "%" is given twice', inside.key USING ERRCODE = 'check_violation';
    END LOOP;
    FOR inside IN SELECT of_it.value FROM json_each(given) AS of_it
      WHERE json_typeof(of_it.value) IN ('number', 'array', 'object') LOOP
      PERFORM check_value(inside.value, depth + 1);
    END LOOP;
  END IF;
END
$check_value$;

-- Whether the relay will be able to read an event: what it cannot, aborts the caller's transaction instead.
CREATE FUNCTION {schema}.check_event(given json) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, {schema}, pg_temp
AS $check_event$
DECLARE
  actor json;
  principal json;
BEGIN
  PERFORM check_members(given, 'an event', '{action}', '{action,resource,trace}', '{actor,attrs}');
  PERFORM check_value(given, 0);
  IF json_typeof(given -> 'attrs') <> 'object' THEN
    RAISE EXCEPTION 'the member "attrs" of an event is a JSON object' USING ERRCODE = 'check_violation';
  END IF;
  actor := given -> 'actor';
  IF actor IS NULL OR json_typeof(actor) = 'null' THEN
    RETURN;
  END IF;
  PERFORM check_members(
    actor, 'an actor', '{type}', '{type,id,issuer,auth,credential,reason}', '{verified,on_behalf_of}');
  IF json_typeof(actor -> 'verified') <> 'boolean' THEN
    RAISE EXCEPTION 'the member "verified" of an actor is true or false' USING ERRCODE = 'check_violation';
  END IF;
  IF json_typeof(actor -> 'on_behalf_of') <> 'array' THEN
    RAISE EXCEPTION 'the member "on_behalf_of" of an actor is an array' USING ERRCODE = 'check_violation';
  END IF;
  IF actor -> 'on_behalf_of' IS NOT NULL THEN
    FOR principal IN SELECT element FROM json_array_elements(actor -> 'on_behalf_of') AS elements (element) LOOP
      PERFORM check_members(principal, 'a principal', '{type,id}', '{type,id,issuer}', '{}');
    END LOOP;
  END IF;
END
$check_event$;

-- Puts an event into the outbox, in the caller's transaction. Returns its identifier. An event that was put
-- before, recorded or not, is not put again.
CREATE FUNCTION {schema}.put(
  to_log text, new_event text, new_id uuid DEFAULT NULL, happened timestamptz DEFAULT NULL) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp
AS $put$
DECLARE
  head heads%ROWTYPE;
  moment timestamptz := coalesce(happened, clock_timestamp());
  new_digest bytea := sha256(convert_to(new_event, 'UTF8'));
  made uuid := new_id;
BEGIN
  SELECT * INTO head FROM heads WHERE heads.log = to_log;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no log %', to_log USING ERRCODE = 'no_data_found';
  END IF;
  IF NOT EXISTS (
    SELECT FROM (SELECT head.writer AS role
      UNION ALL SELECT allowed.role FROM outbox_roles AS allowed WHERE allowed.log = to_log) AS may
    JOIN pg_roles ON pg_roles.rolname = may.role WHERE pg_has_role(session_user, pg_roles.oid, 'MEMBER')) THEN
    RAISE EXCEPTION 'the role % may not put events into the outbox of %: its writer % has to call allow_put',
      session_user, to_log, head.writer USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF octet_length(new_event) > 61440 THEN
    RAISE EXCEPTION 'an event has at most 61440 bytes, this one %', octet_length(new_event)
      USING ERRCODE = 'program_limit_exceeded';
  END IF;
  PERFORM check_event(new_event::json);
  IF moment NOT BETWEEN '1970-01-01 00:00:00+00' AND '9999-12-31 00:00:00+00' THEN
    RAISE EXCEPTION 'an event happens between 1970 and 9999, not at %', moment USING ERRCODE = 'datetime_field_overflow';
  END IF;
  IF made IS NULL THEN
    -- A UUID of version 7 (RFC 9562 §5.7): milliseconds in front of random bits.
    made := encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
      PLACING substring(int8send((extract(epoch FROM moment) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
      52, 1), 53, 1), 'hex')::uuid;
  END IF;
  -- Waits for a transaction that puts the same one, and knows then whether it committed.
  INSERT INTO outbox_ids (log, id, digest) VALUES (to_log, made, new_digest) ON CONFLICT DO NOTHING;
  IF FOUND THEN
    INSERT INTO outbox (log, id, time, event) VALUES (to_log, made, moment, new_event);
  ELSIF NOT EXISTS (SELECT FROM outbox_ids AS known
    WHERE known.log = to_log AND known.id = made AND known.digest = new_digest) THEN
    RAISE EXCEPTION 'another event was put with the identifier %', made USING ERRCODE = 'unique_violation';
  END IF;
  RETURN made;
END
$put$;

-- Lets another role put events into the outbox of a log, or takes that back.
CREATE FUNCTION {schema}.allow_put(to_log text, who name, allowed boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp
AS $allow_put$
BEGIN
  PERFORM check_log(to_log);
  IF NOT allowed THEN
    DELETE FROM outbox_roles WHERE outbox_roles.log = to_log AND outbox_roles.role = who;
  ELSIF EXISTS (SELECT FROM pg_roles WHERE rolname = who) THEN
    INSERT INTO outbox_roles (log, role) VALUES (to_log, who) ON CONFLICT DO NOTHING;
  ELSE
    RAISE EXCEPTION 'there is no role %', who USING ERRCODE = 'undefined_object';
  END IF;
END
$allow_put$;

-- The oldest events in the outbox of a log, but for those in doubt.
CREATE FUNCTION {schema}.pending(to_log text, in_doubt uuid[], most bigint)
RETURNS TABLE (event_id uuid, event_position bigint, happened timestamptz, event_text text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp
AS $pending$
BEGIN
  PERFORM check_log(to_log);
  RETURN QUERY SELECT outbox.id, outbox.position, outbox.time, outbox.event FROM outbox
    WHERE outbox.log = to_log AND outbox.id <> ALL (in_doubt) ORDER BY outbox.position LIMIT most;
END
$pending$;

-- Takes events out of the outbox that the log's policy excludes.
CREATE FUNCTION {schema}.discard(to_log text, excluded uuid[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp
AS $discard$
DECLARE
  gone bigint;
BEGIN
  PERFORM check_log(to_log);
  DELETE FROM outbox WHERE outbox.log = to_log AND outbox.id = ANY (excluded);
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END
$discard$;
