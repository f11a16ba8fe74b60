-- Activation: what a definition needs from the database, with line and place.
\pset format unaligned
\pset tuples_only on

CREATE SCHEMA activation;
SET search_path = activation, public;
CREATE TYPE mood AS ENUM ('New', 'Approved', 'Rejected');
CREATE TYPE size AS (width integer, height integer);
CREATE DOMAIN short AS varchar(3);
-- its values look as this function says, which runs in a run only
CREATE TYPE told AS ENUM ('A', 'B');
CREATE FUNCTION tell(told) RETURNS json LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'told'; RETURN '"told"'; END $$;
CREATE CAST (told AS json) WITH FUNCTION tell(told);

CREATE FUNCTION pg_temp.rows(document jsonb)
    RETURNS TABLE (severity text, line integer, place text, message text)
    LANGUAGE sql AS $$ SELECT v.severity, v.line, v.place, v.message FROM orchestration.validate_orchestration(document) v $$;
CREATE FUNCTION pg_temp.filtered(object text, filters jsonb, trigger_type text DEFAULT 'CreateAndUpdate', logic text DEFAULT 'and') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('label', 'T', 'processType', 'Orchestrator', 'orchestratedStages', '[{"name": "S", "label": "S"}]'::jsonb,
        'start', jsonb_build_object('connector', '{"targetReference": "S"}'::jsonb, 'object', object, 'triggerType', 'RecordAfterSave',
            'recordTriggerType', trigger_type, 'filterLogic', logic, 'filters', filters))
$$;
CREATE FUNCTION pg_temp.filter(field text, operator text, value jsonb) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('field', field, 'operator', operator, 'value', value))
$$;

--
-- Every type of column with every operator and every kind of literal
--
CREATE TABLE kind (n integer GENERATED ALWAYS AS IDENTITY, type text, samples text[], shown jsonb[] DEFAULT '{NULL}');
INSERT INTO kind (type, samples) VALUES
    ('boolean', '{true,false}'), ('smallint', '{5,-1}'), ('integer', '{5,0}'), ('bigint', '{5,100000}'), ('numeric', '{5,1.5,100000}'),
    ('numeric(5,2)', '{5,1.5,-999.99}'), ('double precision', '{5,1.5}'), ('text', '{x,5,true,2026-01-31,ABCDEF,""}'),
    ('varchar(3)', '{x,5,ABC}'), ('char(3)', '{x,ABC}'), ('short', '{x,5}'), ('name', '{x,ABCDEF}'), ('mood', '{New,Approved}'),
    ('uuid', '{018f2b6e-0000-7000-8000-000000000001}'), ('date', '{2026-01-31,1999-12-31}'), ('timestamp', '{2026-01-31T12:00:00}'),
    ('timestamptz', '{2026-01-31T12:00:00Z}'), ('time', '{12:00:00}'), ('bytea', '{x}'), ('inet', '{10.0.0.1}'), ('int4range', '{"[1,3)"}'),
    ('text[]', '{"{x,5}","{}"}'), ('size', '{"(1,2)"}'), ('oid', '{5}'), ('money', '{5}'), ('jsonb', '{}'), ('told', '{}');
DO $$
DECLARE
    k record;
    sample text;
    value jsonb;
BEGIN
    FOR k IN SELECT * FROM kind LOOP
        EXECUTE format('CREATE TABLE kind_%s (id integer PRIMARY KEY, c %s)', k.n, k.type);
        PERFORM orchestration.register_record_type('Kind_' || k.n, ('kind_' || k.n)::regclass);
        FOREACH sample IN ARRAY k.samples LOOP
            EXECUTE format('SELECT to_jsonb(x)->''c'' FROM (SELECT %L::%s AS c) x', sample, k.type) INTO value;
            UPDATE kind SET shown = shown || value WHERE n = k.n;
        END LOOP;
    END LOOP;
END
$$;
CREATE TABLE literal (l integer GENERATED ALWAYS AS IDENTITY, value jsonb);
INSERT INTO literal (value) VALUES (NULL), ('{"stringValue": "x"}'), ('{"stringValue": "5"}'), ('{"stringValue": "true"}'), ('{"stringValue": "2026-01-31"}'),
    ('{"stringValue": "ABCDEF"}'), ('{"stringValue": "018f2b6e-0000-7000-8000-000000000001"}'), ('{"numberValue": 5}'), ('{"numberValue": 1.5}'),
    ('{"numberValue": 100000}'), ('{"booleanValue": true}'), ('{"dateValue": "2026-01-31"}'), ('{"dateTimeValue": "2026-01-31T12:00:00Z"}'), ('{"timeValue": "12:00:00"}');
CREATE TABLE operator (o integer GENERATED ALWAYS AS IDENTITY, name text);
INSERT INTO operator (name) SELECT unnest('{EqualTo,NotEqualTo,GreaterThan,LessThan,GreaterThanOrEqualTo,LessThanOrEqualTo,StartsWith,EndsWith,Contains,In,NotIn,IsNull,IsChanged,IsBlank,IsEmpty,WasSet}'::text[]);

-- what activation says of a filter: . nothing, w warns, e refuses; d: deployment refuses it
CREATE TABLE verdict AS
    SELECT k.n, o.o, l.l, COALESCE(v.verdict, '.') AS verdict, v.message
      FROM kind k, operator o, literal l,
           LATERAL (SELECT min(CASE v.severity WHEN 'ERROR' THEN 'd' WHEN 'ACTIVATION ERROR' THEN 'e' ELSE 'w' END) AS verdict, string_agg(v.message, '; ') AS message
                      FROM orchestration.validate_orchestration(pg_temp.filtered('Kind_' || k.n, jsonb_build_array(pg_temp.filter('C', o.name, l.value)))) v) v;
-- what a run says, for each value: t holds, f does not, x cannot be evaluated
CREATE FUNCTION pg_temp.evaluate(op text, literal jsonb, value jsonb) RETURNS "char" LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE WHEN orchestration.evaluate_conditions(
        jsonb_build_object('conditions', jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('leftValueReference', '$Record.C', 'operator', op, 'rightValue', literal)))),
        jsonb_build_object('$Record.C', value, '$Record__Prior.C', NULL)) THEN 't' ELSE 'f' END;
EXCEPTION WHEN sqlstate 'OR301' THEN
    RETURN 'x';
END
$$;
CREATE TABLE outcome AS
    SELECT v.*, s.value, pg_temp.evaluate(o.name, l.value, s.value) AS outcome
      FROM verdict v JOIN kind k USING (n) JOIN operator o USING (o) JOIN literal l USING (l), LATERAL unnest(k.shown) s (value)
     WHERE v.verdict <> 'd';
SELECT count(*), count(DISTINCT verdict) FROM outcome;
-- what is accepted can be evaluated; what is refused fails for every value, or never holds; a warning says what is so
CREATE VIEW wrong AS
    SELECT k.type, o.name, l.value AS literal, v.verdict, v.message, string_agg(v.outcome, '' ORDER BY v.outcome) AS outcomes
      FROM outcome v JOIN kind k USING (n) JOIN operator o USING (o) JOIN literal l USING (l)
     GROUP BY 1, 2, 3, 4, 5
    HAVING CASE WHEN v.verdict = '.' THEN bool_or(v.outcome = 'x')
                WHEN v.verdict = 'e' THEN bool_or(v.outcome = 't' AND v.value IS NOT NULL)
                WHEN v.message LIKE '%always holds%' THEN bool_or(v.outcome <> 't')
                WHEN v.message LIKE '%not compared as one%' THEN false
                ELSE true END;
SELECT * FROM wrong ORDER BY type, name, literal;
-- the verdicts, in the order of the literals
SELECT k.type, o.name, string_agg(v.verdict, '' ORDER BY v.l) FROM verdict v JOIN kind k USING (n) JOIN operator o USING (o) GROUP BY k.n, k.type, o.o, o.name ORDER BY k.n, o.o;
-- and why
SELECT k.type, o.name, v.message FROM verdict v JOIN kind k USING (n) JOIN operator o USING (o)
 WHERE v.verdict IN ('e', 'w') AND (o.name = 'EqualTo' OR (k.type = 'mood' AND o.name IN ('StartsWith', 'NotEqualTo'))) ORDER BY k.n, o.o, v.l;
