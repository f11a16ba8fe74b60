-- formula_example: each function of formulas against the examples of the platform,
-- test/formula/examples.csv.  value: what the platform computes, as JSON; "here": what is computed
-- here, where it differs (doc/formulas.md says why).  Null and the empty text count as the same.
-- Sources: help "Formula Operators and Functions" and its pages; engine: tests of
-- github.com/salesforce/formula-engine.
\pset format unaligned
\t on
\getenv dir PG_ABS_SRCDIR
\set file :dir '/formula/examples.csv'
CREATE TEMP TABLE example (formula text, value text, source text, here text);
COPY example FROM :'file' CSV HEADER;
-- the value of a formula as JSON, or its error
CREATE FUNCTION pg_temp.try(formula text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN COALESCE(NULLIF(orchestration.evaluate_formula($1, '{}')::text, '""'), 'null');
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
-- a text in the table is written as it is, between quotes
SELECT formula || ' is ' || pg_temp.try(formula) || ', not ' || COALESCE(here, value) || ' (' || source || ')' AS wrong
  FROM example
 WHERE pg_temp.try(formula) <> COALESCE(NULLIF(CASE WHEN COALESCE(here, value) LIKE '"%' THEN to_jsonb(substr(COALESCE(here, value), 2, length(COALESCE(here, value)) - 2))::text
                                         ELSE COALESCE(here, value) END, '""'), 'null');
SELECT count(*) > 400 AS examples, count(here) AS different, count(DISTINCT formula) = count(*) AS no_formula_twice FROM example;
-- what differs
SELECT formula, value, here FROM example WHERE here IS NOT NULL ORDER BY formula COLLATE "C";
-- every function of doc/formulas.md is there and has an example, except those that ask for the time or the
-- prior record; and every function of the examples is in it
\set doc :dir '/../doc/formulas.md'
CREATE TEMP TABLE page (line text);
COPY page FROM :'doc' (DELIMITER E'\x01');
CREATE TEMP TABLE documented AS SELECT substring(line FROM '^\| `([A-Z0-9]+)\(') AS name FROM page WHERE line ~ '^\| `[A-Z0-9]+\(';
SELECT count(*), count(*) FILTER (WHERE pg_temp.try(name || '(1, 2, 3, 4, 5, 6, 7)') LIKE '%not supported%') AS unknown FROM documented;
SELECT string_agg(name, ' ' ORDER BY name) AS without_example FROM documented
 WHERE NOT EXISTS (SELECT FROM example WHERE formula ~* ('\m' || name || '\('));
SELECT DISTINCT upper(m[1]) AS undocumented FROM example, regexp_matches(formula, '\m([A-Za-z][A-Za-z0-9]*)\(', 'g') m WHERE upper(m[1]) NOT IN (SELECT name FROM documented);
-- functions of the platform that are not there say what to use instead; others are unknown
SELECT m FROM unnest(string_to_array('CURRENCYRATE GETRECORDIDS GETSESSIONID HYPERLINK IMAGE IMAGEPROXYURL INCLUDE JUNCTIONIDLIST LINKTO PARENTGROUPVAL PREDICT PREVGROUPVAL REQUIRESCRIPT URLFOR VLOOKUP SUBSTR NOBODY', ' ')) f,
    LATERAL (SELECT message AS m FROM orchestration.validate_orchestration(jsonb_build_object('label', 'x', 'processType', 'Orchestrator', 'formulas', jsonb_build_array(jsonb_build_object('name', 'F', 'dataType', 'Number', 'expression', f || '(1)')))) WHERE severity = 'ERROR') v;
