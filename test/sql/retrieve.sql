-- retrieve(): order, nulls, types, limits, records and fields hidden by sharing and privileges.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
SET TimeZone = 'UTC';
CREATE ROLE regress_orch_reader;
SELECT pg_temp.person('reader@example.com', 'Reader', 'regress_orch_reader');
INSERT INTO orchestration.run (name, status, owner_id, current_stage, ended_at) SELECT 'R-' || n, CASE n WHEN 3 THEN 'Completed' ELSE 'InProgress' END::orchestration.run_status,
    CASE WHEN n < 4 THEN p.id ELSE '00000000-0000-7000-8000-000000000001' END, NULL, CASE n WHEN 3 THEN '2026-01-02 03:04:05.678901Z'::timestamptz END
  FROM generate_series(1, 4) n, orchestration.principal p WHERE p.username = 'reader@example.com';
CREATE FUNCTION pg_temp.ids(VARIADIC names text[]) RETURNS text[] LANGUAGE sql AS $$
    SELECT array_agg(COALESCE((SELECT id::text FROM orchestration.run r WHERE r.name = x), x) ORDER BY n) FROM unnest(names) WITH ORDINALITY x(x, n) $$;
-- same length, same order, an id given twice; ids in other spellings, and texts that are no ids
SELECT x->>'Name' FROM json_array_elements(orchestration.retrieve('{Name}', 'FlowOrchestrationInstance', pg_temp.ids('R-3', 'R-1', 'nonsense', 'R-3', '', '00000000-0000-0000-0000-000000000000', 'R-2'))) x;
SELECT pg_temp.masked(orchestration.retrieve('{Name}', 'FlowOrchestrationInstance', ARRAY[NULL, upper(replace((pg_temp.ids('R-1'))[1], '-', '')), '{' || (pg_temp.ids('R-2'))[1] || '}'])::text);
SELECT orchestration.retrieve('{Name}', 'FlowOrchestrationInstance', '{}');
-- every type in its notation; times in UTC whatever the session's
SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German';
SELECT pg_temp.masked((x::jsonb - 'Id' - 'CreatedDate' - 'LastModifiedDate' - 'SystemModstamp' - 'OwnerId' - 'Duration')::text) FROM json_array_elements(orchestration.retrieve(ARRAY(SELECT name FROM orchestration.sobject_field WHERE object = 'FlowOrchestrationInstance'), 'FlowOrchestrationInstance', pg_temp.ids('R-3'))) x;
SELECT x->>'CreatedDate' ~ '^20[0-9-]{8}T[0-9:]{8}[.][0-9]{3}[+]0000$', json_typeof(x->'Duration') FROM json_array_elements(orchestration.retrieve('{createddate,duration,Duration}', 'FlowOrchestrationInstance', pg_temp.ids('R-1'))) x;
RESET TimeZone; RESET DateStyle;
-- the fields in the order in which they are asked for, each once and under its own name, after attributes with the url; the id need not be asked for
SELECT pg_temp.masked(orchestration.retrieve('{status,Name,IsDeleted,NAME,Status}', 'flowORCHESTRATIONinstance', pg_temp.ids('R-1', 'R-2'))::text);
SELECT string_agg(k, ' ' ORDER BY n) FROM json_array_elements(orchestration.retrieve(ARRAY(SELECT name FROM orchestration.sobject_field WHERE object = 'FlowOrchestrationInstance' ORDER BY name COLLATE "C" DESC), 'FlowOrchestrationInstance', pg_temp.ids('R-3'))) x, json_object_keys(x) WITH ORDINALITY k(k, n);
SELECT x->'attributes'->>'url' = '/services/data/v67.0/sobjects/FlowOrchestrationInstance/' || (x->>'Id') FROM json_array_elements(orchestration.retrieve('{Id}', 'FlowOrchestrationInstance', pg_temp.ids('R-3'))) x;
-- texts are escaped; times are truncated, never rounded up
UPDATE orchestration.run SET interview_id = NULL, orchestration_label = E'a "quoted" \\ text\n\u00e4' WHERE name = 'R-4';
SELECT x->>'OrchestrationLabel', x::text ~ '"OrchestrationLabel":"a \\"quoted\\" \\\\ text\\nä"' FROM json_array_elements(orchestration.retrieve('{OrchestrationLabel}', 'FlowOrchestrationInstance', pg_temp.ids('R-4'))) x;
SELECT (x->>'CreatedDate')::timestamptz = date_trunc('milliseconds', r.created_at), x->>'CreatedDate' ~ '^20[0-9-]{8}T[0-9:]{8}[.][0-9]{3}[+]0000$'
  FROM orchestration.run r, json_array_elements(orchestration.retrieve('{CreatedDate}', 'FlowOrchestrationInstance', ARRAY[r.id::text])) x WHERE r.name = 'R-4';
-- sharing
SET ROLE regress_orch_reader;
SELECT x->>'Name' FROM json_array_elements(orchestration.retrieve('{Name}', 'FlowOrchestrationInstance', ARRAY(SELECT current_setting('regress.ids', true)))) x;
RESET ROLE;
SELECT set_config('regress.ids', array_to_string(pg_temp.ids('R-1', 'R-4', 'R-2'), ','), false) IS NOT NULL;
SET ROLE regress_orch_reader;
SELECT x->>'Name' FROM json_array_elements(orchestration.retrieve('{Name}', 'FlowOrchestrationInstance', string_to_array(current_setting('regress.ids'), ','))) x;
RESET ROLE;
-- the session keeps a plan; the plan is right for the next role
SELECT x->>'Name' FROM json_array_elements(orchestration.retrieve('{Name}', 'FlowOrchestrationInstance', string_to_array(current_setting('regress.ids'), ','))) x;
-- the log and the history, whose rows are found by the time in their ids
UPDATE orchestration.run SET status = 'Suspended' WHERE name = 'R-1';
SELECT x->>'Field', x->>'OldValue', x->>'NewValue', x->>'DataType' FROM json_array_elements(orchestration.retrieve('{Field,OldValue,NewValue,DataType}', 'FlowOrchestrationInstanceHistory',
    ARRAY(SELECT id::text FROM orchestration.flow_orchestration_instance_history))) x;
SELECT x->>'Kind' FROM json_array_elements(orchestration.retrieve('{Kind}', 'FlowOrchestrationLog', ARRAY(SELECT id::text FROM orchestration.flow_orchestration_log ORDER BY name) || '{00000000-0000-7000-8000-000000000001}')) x;
-- refused
SELECT pg_temp.try('SELECT orchestration.retrieve(''{Id,Nonsense}'', ''FlowOrchestrationInstance'', ''{}'')');
SELECT pg_temp.try('SELECT orchestration.retrieve(''{}'', ''FlowOrchestrationInstance'', ''{}'')');
SELECT pg_temp.try('SELECT orchestration.retrieve(ARRAY[NULL], ''FlowOrchestrationInstance'', ''{}'')');
SELECT pg_temp.try('SELECT orchestration.retrieve(''{Id}'', ''run'', ''{}'')');
SELECT pg_temp.try('SELECT orchestration.retrieve(NULL, ''FlowOrchestrationInstance'', ''{}'')');
SELECT pg_temp.try('SELECT json_array_length(orchestration.retrieve(''{Id}'', ''FlowOrchestrationInstance'', array_fill(''x''::text, ''{2000}'')))');
SELECT pg_temp.try('SELECT orchestration.retrieve(''{Id}'', ''FlowOrchestrationInstance'', array_fill(''x''::text, ''{2001}''))');
BEGIN;
REVOKE SELECT ON orchestration.flow_orchestration_instance FROM PUBLIC;
GRANT SELECT (id, name) ON orchestration.flow_orchestration_instance TO PUBLIC;
SET ROLE regress_orch_reader;
SELECT pg_temp.try('SELECT orchestration.retrieve(''{Name,Status}'', ''FlowOrchestrationInstance'', ''{}'')');
SELECT pg_temp.try('SELECT orchestration.retrieve(''{Name}'', ''FlowOrchestrationInstance'', ''{}'')');
ROLLBACK;
SELECT pg_temp.clean_up();
SELECT orchestration.update_user(id, role_name => '') FROM orchestration.principal WHERE username = 'reader@example.com';
DROP ROLE regress_orch_reader;
