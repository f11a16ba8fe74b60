-- Requirements: those that hold, those that do not, and those that cannot be evaluated.
\pset format unaligned
\pset tuples_only on

-- one requirement: left and right as JSON values
CREATE FUNCTION pg_temp.holds(op text, lhs jsonb, rhs jsonb) RETURNS boolean LANGUAGE sql AS $$
    SELECT orchestration.evaluate_conditions(jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object(
               'leftValueReference', 'a', 'operator', op, 'rightValue', '{"elementReference": "b"}'::jsonb))),
           jsonb_build_object('a', lhs, 'b', rhs))
$$;
-- the same with a literal on the right
CREATE FUNCTION pg_temp.holds_literal(op text, lhs jsonb, member text, rhs jsonb) RETURNS boolean LANGUAGE sql AS $$
    SELECT orchestration.evaluate_conditions(jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object(
               'leftValueReference', 'a', 'operator', op, 'rightValue', jsonb_build_object(member, rhs)))),
           jsonb_build_object('a', lhs))
$$;

-- every operator over values in order
SELECT op, string_agg(CASE WHEN pg_temp.holds(op, lhs, rhs) THEN 't' ELSE 'f' END, ' ' ORDER BY n)
  FROM unnest('{EqualTo,NotEqualTo,GreaterThan,LessThan,GreaterThanOrEqualTo,LessThanOrEqualTo}'::text[]) WITH ORDINALITY o (op, m),
       (VALUES (1, '1'::jsonb, '2'::jsonb), (2, '2', '2.0'), (3, '10', '9'),
               (4, '"10"', '"9"'), (5, '"a"', '"B"'), (6, '"ab"', '"abc"'), (7, '""', '""'),
               (8, 'null', 'null'), (9, 'null', '1'), (10, '"x"', 'null')) v (n, lhs, rhs)
 GROUP BY op, m ORDER BY m;

SELECT op, string_agg(CASE WHEN pg_temp.holds(op, lhs, rhs) THEN 't' ELSE 'f' END, ' ' ORDER BY n)
  FROM unnest('{StartsWith,EndsWith,Contains}'::text[]) WITH ORDINALITY o (op, m),
       (VALUES (1, '"abcab"'::jsonb, '"ab"'::jsonb), (2, '"xabx"', '"ab"'), (3, '"ab"', '"abc"'), (4, '"abx"', '"AB"'),
               (5, '"aab"', '"ab"'), (6, '""', '""'), (7, '"x"', '""'), (8, 'null', '"x"'), (9, '"x"', 'null')) v (n, lhs, rhs)
 GROUP BY op, m ORDER BY m;

-- IsNull, by the right side; without a right side it means true
SELECT pg_temp.holds_literal('IsNull', 'null', 'booleanValue', 'true'), pg_temp.holds_literal('IsNull', 'null', 'booleanValue', 'false'),
       pg_temp.holds_literal('IsNull', '""', 'booleanValue', 'true'), pg_temp.holds_literal('IsNull', '0', 'stringValue', '"false"'),
       orchestration.evaluate_conditions('{"conditions": [{"leftValueReference": "a", "operator": "IsNull"}]}', '{"a": null}');

-- booleans, also written as text in the definition
SELECT pg_temp.holds('EqualTo', 'true', 'true'), pg_temp.holds('NotEqualTo', 'true', 'false'),
       pg_temp.holds_literal('EqualTo', 'true', 'stringValue', '"True"'), pg_temp.holds_literal('EqualTo', 'false', 'stringValue', '"true"');

-- dates and times: one side is written as a date or time; beside any other text it is one
SELECT pg_temp.holds_literal('EqualTo', '"2026-03-01T12:00:00+02:00"', 'dateTimeValue', '"2026-03-01T10:00:00.000Z"'),
       pg_temp.holds('EqualTo', '"2026-03-01T12:00:00+02:00"', '"2026-03-01T10:00:00.000Z"'),
       pg_temp.holds_literal('LessThan', '"2026-02-28"', 'dateTimeValue', '"2026-02-28T00:00:01Z"'),
       pg_temp.holds_literal('GreaterThan', '"2026-03-01 00:00:00-0100"', 'dateValue', '"2026-03-01"'),
       pg_temp.holds_literal('EqualTo', '"whenever"', 'dateValue', '"2026-03-01"');

-- IsChanged: against the prior record; a new record has none
SELECT v, orchestration.evaluate_conditions(
              '{"conditions": [{"leftValueReference": "$Record.Amount", "operator": "IsChanged", "rightValue": {"booleanValue": true}}]}', v)
  FROM unnest(ARRAY['{"$Record.Amount": 1, "$Record__Prior.Amount": 1.0}', '{"$Record.Amount": 1, "$Record__Prior.Amount": "1"}',
                    '{"$Record.Amount": null, "$Record__Prior.Amount": null}', '{"$Record.Amount": "a", "$Record__Prior.Amount": null}',
                    '{"$Record.Amount": {"x": 1}, "$Record__Prior.Amount": {"x": 1}}', '{"$Record.Amount": [1], "$Record__Prior.Amount": [2]}']::jsonb[]) v;

-- a text beside a number or boolean: both are texts; other unlike types are an error, never false
SELECT pg_temp.holds('EqualTo', '"5"', '5');
SELECT pg_temp.holds('NotEqualTo', 'true', '"true"');
SELECT pg_temp.holds('GreaterThan', 'true', 'false');
SELECT pg_temp.holds('EqualTo', '{"a": 1}', '{"a": 1}');
SELECT pg_temp.holds('Contains', '["a"]', '"a"');
SELECT pg_temp.holds('StartsWith', '12', '"1"');
SELECT pg_temp.holds_literal('EqualTo', 'true', 'stringValue', '"yes"');
SELECT pg_temp.holds_literal('EqualTo', '5', 'dateValue', '"2026-03-01"');
SELECT pg_temp.holds_literal('EqualTo', 'true', 'timeValue', '"12:00:00.000Z"');
SELECT pg_temp.holds('EqualTo', '5', 'true');
SELECT pg_temp.holds('EqualTo', '{"a": 1}', '"{\"a\": 1}"');
SELECT pg_temp.holds('EqualTo', '[1]', '{"a": 1}');
SELECT pg_temp.holds('IsNull', '1', '"x"');
SELECT orchestration.evaluate_conditions('{"conditions": [{"leftValueReference": "Step.Status", "operator": "EqualTo", "rightValue": {"numberValue": 1}}]}', '{"Step.Status": "Completed"}');
SELECT orchestration.evaluate_conditions('{"conditions": [{"leftValueReference": "Step.Status", "operator": "EqualTo"}]}', '{}');
SELECT orchestration.evaluate_conditions('{"conditions": [{"leftValueReference": "$Record.A", "operator": "IsChanged"}]}', '{"$Record.A": 1}');

-- logic over three conditions a, b, c; NOT before AND before OR
SELECT logic, string_agg(CASE WHEN orchestration.evaluate_conditions(jsonb_build_object('conditionLogic', logic, 'conditions',
           (SELECT jsonb_agg(jsonb_build_object('leftValueReference', x, 'operator', 'EqualTo', 'rightValue', '{"booleanValue": true}'::jsonb)) FROM unnest('{a,b,c}'::text[]) x)),
           jsonb_build_object('a', (n & 4) > 0, 'b', (n & 2) > 0, 'c', (n & 1) > 0)) THEN '1' ELSE '0' END, '' ORDER BY n)
  FROM unnest(ARRAY['and', 'OR', '1 AND 2 OR 3', '1 OR 2 AND 3', '(1 OR 2)AND 3', 'not 1 and 2 or 3', 'NOT (1 AND NOT(2 OR 3))', '2']) WITH ORDINALITY l (logic, m),
       generate_series(0, 7) n
 GROUP BY logic, m ORDER BY m;

-- evaluation stops when the result is known: the second condition is not evaluated
SELECT orchestration.evaluate_conditions('{"conditionLogic": "or", "conditions": [
    {"leftValueReference": "a", "operator": "EqualTo", "rightValue": {"numberValue": 1}},
    {"leftValueReference": "a", "operator": "EqualTo", "rightValue": {"stringValue": "x"}}]}', '{"a": 1}');

-- no conditions at all hold; many conditions need no deep stack
SELECT orchestration.evaluate_conditions('{}', '{}');
SELECT orchestration.evaluate_conditions(jsonb_build_object('conditionLogic', logic, 'conditions', jsonb_agg(
           jsonb_build_object('leftValueReference', 'a', 'operator', 'GreaterThan', 'rightValue', jsonb_build_object('numberValue', i)))), '{"a": 100000}')
  FROM generate_series(1, 20000) i, unnest('{and,or}'::text[]) logic GROUP BY logic;
SELECT orchestration.evaluate_conditions(('{"conditionLogic": "' || repeat('(', 100) || '1' || repeat(')', 100) || '", "conditions": [{"leftValueReference": "a", "operator": "IsNull"}]}')::jsonb, '{"a": 1}');

-- values that are not conditions
SELECT orchestration.evaluate_conditions('{"conditionLogic": "1 AND", "conditions": [{"leftValueReference": "a", "operator": "Like"}, 5]}', '{}');
SELECT orchestration.evaluate_conditions('[]', '{}');
SELECT orchestration.evaluate_conditions('{}', '1');
SELECT orchestration.evaluate_conditions(NULL, '{}');
SELECT orchestration.evaluate_conditions('{}', NULL);

-- what is empty, blank, set: of each kind of value
SELECT op, string_agg(CASE WHEN pg_temp.holds_literal(op, v, 'booleanValue', wanted) THEN 't' ELSE 'f' END, ' ' ORDER BY wanted DESC, n)
  FROM unnest('{IsEmpty,IsBlank,WasSet}'::text[]) WITH ORDINALITY o (op, m), unnest('{true,false}'::jsonb[]) wanted,
       unnest('{"\"\"","\" \"","\"x\"","[]","[1]","{}","{\"a\": 1}",null,0,false}'::jsonb[]) WITH ORDINALITY x (v, n)
 GROUP BY op, m ORDER BY m;
SELECT orchestration.evaluate_conditions('{"conditions": [{"leftValueReference": "a", "operator": "IsEmpty"}]}', v)
  FROM unnest('{"{\"a\": null}","{\"a\": []}","{\"a\": \"x\"}"}'::jsonb[]) WITH ORDINALITY x (v, n) ORDER BY n;
-- members of collections; nothing is in null
SELECT op, string_agg(CASE WHEN pg_temp.holds(op, lhs, rhs) THEN 't' ELSE 'f' END, ' ' ORDER BY n)
  FROM unnest('{In,NotIn}'::text[]) WITH ORDINALITY o (op, m),
       (VALUES (1, '1'::jsonb, '[2, 1.0]'::jsonb), (2, '"a"', '["A", "b"]'), (3, 'null', '[null]'), (4, 'null', '[1]'), (5, '1', 'null'), (6, '1', '[]'), (7, 'true', '[false, true]'), (8, 'false', '[true]'), (9, '1', '["1"]'), (10, '{"a": 1}', '[{"a": 1}]')) v (n, lhs, rhs)
 GROUP BY op, m ORDER BY m;
SELECT pg_temp.holds('In', '1', '1');
SELECT pg_temp.holds('NotIn', '1', '{"a": 1}');
-- statuses
SELECT op, string_agg(CASE WHEN orchestration.evaluate_conditions(jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('leftValueReference', 'a', 'operator', op, 'rightValue', jsonb_build_object('booleanValue', wanted)))),
           jsonb_build_object('a', s)) THEN 't' ELSE 'f' END, ' ' ORDER BY wanted DESC, n)
  FROM unnest('{WasVisited,HasError}'::text[]) WITH ORDINALITY o (op, m), unnest('{true,false}'::boolean[]) wanted, unnest('{NotStarted,InProgress,Completed,Error,NULL}'::text[]) WITH ORDINALITY x (s, n)
 GROUP BY op, m ORDER BY m;
-- what reads as a date, and what does not
CREATE FUNCTION pg_temp.date_is(lhs text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM orchestration.evaluate_formula('YEAR({!a})', jsonb_build_object('a', lhs));
    RETURN pg_temp.holds_literal('EqualTo', to_jsonb(lhs), 'dateValue', '"2026-03-01"');
EXCEPTION WHEN sqlstate 'OR301' THEN
    RETURN 'no date';
END $$;
SELECT quote_literal(d), pg_temp.date_is(d) FROM unnest(ARRAY[
    '2026-03-01', ' 2026-03-01 ', '2026-03-01T00:00', '2026-03-01t00:00z', '2026-03-01 00:00:00.000000', '2026-03-01T00:00:00.0000001Z', '2026-03-01T00:00:00.5Z', '2026-03-01T05:30:00+05:30', '2026-02-28T19:00-05',
    '2026-02-28T23:59:60Z', '', '2026-3-1', '2026/03/01', '+026-03-01', '0000-03-01', '2026-00-01', '2026-13-01', '2026-02-29', '2028-02-30', '2026-03-00', '2026-03-01T', '2026-03-01T0:00', '2026-03-01T00.00', '2026-03-01T00:0', '2026-03-01T24:00', '2026-03-01T00:60',
    '2026-03-01T00:00:0', '2026-03-01T00:00:61', '2026-03-01T00:00+5', '2026-03-01T00:00+05:3', '2026-03-01T00:00+16', '2026-03-01T00:00+05:60', '2026-03-01T00:00:00X', '2026-03-01x', 'yesterday', repeat('2', 70)]) WITH ORDINALITY x (d, n) ORDER BY n;
-- a condition whose operator is none at all
SELECT orchestration.evaluate_conditions('{"conditions": [{"leftValueReference": "a", "operator": "Like"}]}', '{}');

-- every operator over every pair of values, with the sides as they stand and changed: equality and
-- order are the same both ways.  A value is given by a reference or written in the definition.
CREATE TEMP TABLE value (n serial, name text, kind text, v jsonb, member text);
INSERT INTO value (name, kind, v, member) VALUES
    ('null', 'null', 'null', NULL), ('text', 'text', '"abc"', 'stringValue'), ('text of a number', 'text', '"5"', 'stringValue'),
    ('text with zeros', 'text', '"5.0"', 'stringValue'), ('text of a boolean', 'text', '"True"', 'stringValue'), ('text of a date', 'text', '"2026-03-01"', 'stringValue'),
    ('empty text', 'text', '""', 'stringValue'), ('number', 'number', '5', 'numberValue'), ('number with zeros', 'number', '5.00', 'numberValue'),
    ('fraction', 'number', '2.50', 'numberValue'), ('boolean', 'boolean', 'true', 'booleanValue'), ('false', 'boolean', 'false', 'booleanValue'),
    ('date', 'date', '"2026-03-01"', 'dateValue'), ('date and time', 'date', '"2026-03-01T10:00:00Z"', 'dateTimeValue'), ('time of day', 'time', '"10:00:00.000Z"', 'timeValue'),
    ('record', 'record', '{"a": 1}', NULL), ('collection', 'collection', '["abc", 5]', NULL);
-- the left side can be a constant, whose type is known; then a run would be needed: the types of the left side are tried in definition.sql
CREATE FUNCTION pg_temp.outcome(op text, l value, r value) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE WHEN orchestration.evaluate_conditions(jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object('leftValueReference', 'a', 'operator', op,
                   'rightValue', CASE WHEN r.member IS NULL THEN '{"elementReference": "b"}'::jsonb ELSE jsonb_build_object(r.member, r.v) END))),
               jsonb_build_object('a', l.v, 'b', r.v)) THEN 't' ELSE 'f' END;
EXCEPTION WHEN sqlstate 'OR301' OR sqlstate 'OR201' THEN
    RETURN '-';
END $$;
SELECT op, l.name, string_agg(pg_temp.outcome(op, l, r), ' ' ORDER BY r.n)
  FROM unnest('{EqualTo,NotEqualTo,GreaterThan,LessThan,GreaterThanOrEqualTo,LessThanOrEqualTo,StartsWith,EndsWith,Contains}'::text[]) WITH ORDINALITY o (op, m), value l, value r
 GROUP BY op, m, l.n, l.name ORDER BY m, l.n;
SELECT count(*) AS pairs,
       count(*) FILTER (WHERE pg_temp.outcome('EqualTo', l, r) <> pg_temp.outcome('EqualTo', r, l)) AS equal_one_way,
       count(*) FILTER (WHERE pg_temp.outcome('NotEqualTo', l, r) <> translate(pg_temp.outcome('EqualTo', l, r), 'tf', 'ft')) AS not_equal_otherwise,
       count(*) FILTER (WHERE pg_temp.outcome('GreaterThan', l, r) <> pg_temp.outcome('LessThan', r, l)) AS greater_one_way,
       count(*) FILTER (WHERE pg_temp.outcome('GreaterThanOrEqualTo', l, r) <> pg_temp.outcome('LessThanOrEqualTo', r, l)) AS greater_or_equal_one_way,
       count(*) FILTER (WHERE (pg_temp.outcome('EqualTo', l, r) = '-') <> (l.kind <> r.kind AND NOT 'null' IN (l.kind, r.kind) AND NOT ('text' IN (l.kind, r.kind)
           AND NOT l.kind || r.kind ~ 'record|collection'))) AS other_than_the_rule
  FROM value l, value r WHERE l.kind NOT IN ('date', 'time') AND r.kind NOT IN ('date', 'time');
