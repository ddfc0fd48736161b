-- Three roles that nobody logs in as: the owner of the tables, those who append, those who read.
DO $roles$
DECLARE
  wanted text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['{schema}_owner', '{schema}_writer', '{schema}_reader'] LOOP
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS', wanted);
    END IF;
  END LOOP;
  -- Whoever installs has to act as the owner; a superuser may without being a member.
  IF NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) THEN
    EXECUTE format('GRANT %I TO CURRENT_USER', '{schema}_owner');
  END IF;
  -- Whoever owns a schema may drop what is in it.
  IF EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = '{schema}'
    AND pg_catalog.pg_get_userbyid(nspowner) <> '{schema}_owner') THEN
    RAISE EXCEPTION 'the schema {schema} belongs to somebody else than {schema}_owner: drop it, or use another name';
  END IF;
END
$roles$;

CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {schema}_owner;
