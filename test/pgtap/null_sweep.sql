-- null_sweep: bad input everywhere.  Every column of every table set to null,
-- every table given a row of nulls, every function called with each argument
-- null, empty, huge, negative and not ASCII.  Nothing may end in an internal
-- error (XX...) or end the session, and nothing may change.

\set QUIET 1
BEGIN;
SET search_path = public, pg_catalog;
SET client_min_messages = error;
SELECT no_plan();

CREATE FUNCTION pg_temp.try(sql text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        EXECUTE sql;
        RAISE EXCEPTION USING ERRCODE = 'ZZ000';
    EXCEPTION WHEN OTHERS THEN
        RETURN SQLSTATE;
    END;
END
$$;
CREATE TEMP VIEW ours AS
SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'orchestration' WHERE d.deptype = 'e';

-- records to test with: a run that waits
SELECT orchestration.register_action('Screen', 'screen'), orchestration.register_action('Work', 'worker'), orchestration.create_user('ann@example.com') \g /dev/null
SELECT orchestration.deploy_orchestration('{"fullName": "Sweep", "label": "Sweep", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}},
  "orchestratedStages": [{"name": "S", "label": "S", "exitConditionLogic": "and", "stageSteps": [
    {"name": "I", "label": "I", "actionType": "stepInteractive", "actionName": "Screen", "entryConditionLogic": "and", "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "ann@example.com"}}]},
    {"name": "W", "label": "W", "actionType": "stepBackground", "actionName": "Work", "entryConditionLogic": "and"}]}]}'::jsonb) \g /dev/null
SELECT orchestration.activate_orchestration('Sweep') \g /dev/null
SELECT orchestration.start_orchestration('Sweep') \g /dev/null

CREATE TEMP TABLE tried (what text, sqlstate text);
INSERT INTO tried
SELECT format('%s.%s = NULL', c.relname, a.attname), pg_temp.try(format('UPDATE orchestration.%I SET %I = NULL', c.relname, a.attname))
  FROM pg_class c JOIN ours o ON o.classid = 'pg_class'::regclass AND o.objid = c.oid
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relkind IN ('r', 'v');
INSERT INTO tried
SELECT 'nulls into ' || c.relname, pg_temp.try(format('INSERT INTO orchestration.%I (%s) VALUES (%s)', c.relname,
           string_agg(quote_ident(a.attname), ', '), string_agg('NULL', ', ')))
  FROM pg_class c JOIN ours o ON o.classid = 'pg_class'::regclass AND o.objid = c.oid
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relkind = 'r' GROUP BY c.relname;

-- the argument under test, with null and with valid other arguments
CREATE TEMP TABLE value (v text);
INSERT INTO value VALUES ('NULL'), (''''''), ('repeat(''('', 100000)'), ('''-1'''), ('E''\u00e9\u2603'''), ('''[]'''), ('''{}'''), ('''[[[[[]]]]]'''), ('''00000000-0000-0000-0000-000000000000''');
CREATE TEMP VIEW sensible AS
SELECT * FROM (VALUES ('text', '''Sweep'''), ('uuid', '(SELECT id FROM orchestration.run)'), ('jsonb', '''{}'''), ('xml', '''<Flow/>'''), ('json', '''{}'''), ('bytea', '''1'''), ('integer', '1'),
    ('text[]', '''{Work}'''), ('interval', '''1 minute'''), ('regclass', '''pg_class'''), ('regprocedure', '''now()'''), ('name', '''id'''),
    ('orchestration.action_kind', '''screen''')) s(type, v);
INSERT INTO tried
SELECT format('%s argument %s = %s beside %s', p.oid::regprocedure, k, left(v, 20), beside),
       pg_temp.try(format('SELECT * FROM %s(%s)', p.oid::regproc,
           (SELECT string_agg(format('(%s)::%s', CASE WHEN i = k THEN v WHEN beside = 'nulls' THEN 'NULL'
                                                     ELSE (SELECT s.v FROM sensible s WHERE s.type::regtype = t) END,
                              t::regtype), ', ' ORDER BY i)
              FROM unnest(p.proargtypes) WITH ORDINALITY r(d, i),
                   -- any: of a type for which there is no other function
                   LATERAL (SELECT CASE d WHEN '"any"'::regtype THEN 'bytea'::regtype ELSE d END AS t) a)))
  FROM pg_proc p JOIN ours o ON o.classid = 'pg_proc'::regclass AND o.objid = p.oid,
       generate_series(1, p.pronargs) k, value, (VALUES ('nulls'), ('sensible')) b(beside)
 WHERE p.prorettype <> 'trigger'::regtype;
INSERT INTO tried
SELECT format('%s without arguments', p.oid::regprocedure), pg_temp.try(format('SELECT * FROM %s()', p.oid::regproc))
  FROM pg_proc p JOIN ours o ON o.classid = 'pg_proc'::regclass AND o.objid = p.oid WHERE p.pronargs = 0;

SELECT cmp_ok((SELECT count(*)::integer FROM tried), '>', 1000, 'many statements were tried');
SELECT is_empty($$SELECT * FROM tried WHERE sqlstate LIKE 'XX%' ORDER BY 1$$, 'no statement ended in an internal error');
SELECT cmp_ok((SELECT count(*)::integer FROM tried WHERE sqlstate <> 'ZZ000'), '>', 800, 'most statements are refused');
SELECT is((SELECT status::text FROM orchestration.run), 'InProgress', 'the run is unchanged');
SELECT is_empty('SELECT * FROM orchestration.verify()', 'verify() finds nothing');
SELECT diag(format('%s calls and updates, %s refused', count(*), count(*) FILTER (WHERE sqlstate <> 'ZZ000'))) FROM tried;
SELECT * FROM finish();
ROLLBACK;
