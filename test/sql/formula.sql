-- formula: expressions, their types, null and errors in their functions (src/evaluate/formula*.c);
-- what the functions compute is in formula_example.sql.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset format unaligned
\t on
CREATE FUNCTION pg_temp.f(formula text, v jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql
    AS $$ SELECT orchestration.evaluate_formula($1, $2) $$;
-- the value of a formula, or its error
CREATE FUNCTION pg_temp.try(formula text, v jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    RETURN COALESCE(orchestration.evaluate_formula($1, $2)::text, 'null');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN SQLSTATE || ' ' || SQLERRM || COALESCE(': ' || NULLIF(detail, ''), '');
END
$$;

-- precedence of operators
SELECT f || ' -> ' || pg_temp.try(f) FROM unnest(ARRAY[
    '1 + 2 * 3', '(1 + 2) * 3', '2 ^ 3 ^ 2', '-2 ^ 2', '10 - 4 - 3', '12 / 4 / 3', '1 + 1 = 2 && 2 > 1',
    '1 = 2 || 3 = 3 && false', '!true || true', 'NOT(1 > 2)', '"a" & "b" & 3', '''single'' + " double"',
    '1 <> 2', '1 != 1', '3 >= 3', '"a" < "b"', '/* a comment */ 7', '"a\"b\\c"', '+5', '.5 + 1.5',
    'if(True, 1, 2)', 'null', '"x" & null & "y"']) f;
-- texts that are not formulas
SELECT f || ' -> ' || pg_temp.try(f) FROM unnest(ARRAY[
    '', '1 +', '(1', '1 2', 'ROUND(1', '"open', '{!open', '{!}', 'nobody', 'NOBODY(1)', '1 ++', '/* open', '1.2.3', 'LEFT("a")',
    'AND()', 'NOW(1)', '= 1', repeat('(', 100000) || '1', repeat('1+', 3000) || '1']) f WHERE length(f) < 4000
UNION ALL SELECT 'long -> ' || pg_temp.try(repeat('1+', 3000) || '1')
UNION ALL SELECT 'deep -> ' || pg_temp.try(repeat('(', 3800) || '1');
-- types known in advance are checked before evaluation
SELECT f || ' -> ' || pg_temp.try(f) FROM unnest(ARRAY[
    '"a" * 2', 'LEN(5)', 'AND(1, true)', 'IF("yes", 1, 2)', '1 = "1"', 'true > 1', 'YEAR(5)', 'NOT("a")', 'MAX(1, "2")', 'CONTAINS("a", 1)']) f;
-- other types are checked during evaluation
SELECT f || ' -> ' || pg_temp.try(f, '{"t": "text", "n": 3, "b": true, "r": {"x": 1}, "c": [1], "z": null}') FROM unnest(ARRAY[
    '{!t} * 2', 'LEN({!n})', 'AND({!n})', '{!t} = {!n}', '{!t} > {!b}', '{!r} = {!c}', 'YEAR({!t})', '{!r} + 1',
    '{!n} + {!b}', '{!t} + {!t}', '{!n} + {!n}', '{!missing}', '1 / ({!n} - 3)', 'VALUE({!t})', '{!b} < {!b}', '{!b} = {!b}', '{!b} <> {!b}']) f;
-- null is no number, no text, and not true
SELECT f || ' -> ' || pg_temp.try(f, '{"z": null, "e": ""}') FROM unnest(ARRAY[
    '{!z} + 1', '{!z} * 2', '{!z} = null', '{!z} = {!e}', '{!z} <> 1', '{!z} < 1', 'AND({!z}, true)', 'OR({!z}, true)', 'NOT({!z})',
    'IF({!z}, 1, 2)', 'CONTAINS({!z}, "a")', 'LEN({!z})', 'ISBLANK({!z})', 'ISBLANK({!e})', 'ISNULL({!z})', 'BLANKVALUE({!z}, 5)',
    'NULLVALUE({!e}, 5)', 'UPPER({!z})', '"a" + {!z}', 'MAX(1, {!z})', 'TEXT({!z})', 'YEAR({!z})', 'DATEVALUE({!e})']) f;
-- numbers
SELECT f || ' -> ' || pg_temp.try(f) FROM unnest(ARRAY[
    'ABS(-3)', 'CEILING(1.2)', 'FLOOR(-1.2)', 'MCEILING(-1.5)', 'MFLOOR(-1.5)', 'ROUND(2.345, 2)', 'ROUND(25, -1)', 'TRUNC(2.9)', 'TRUNC(2.99, 1)',
    'MOD(10, 3)', 'MAX(1, 5, 3)', 'MIN(4, 2)', 'SQRT(16)', 'EXP(0)', 'LN(1)', 'LOG(1000)', 'VALUE("12.5")', 'VALUE("")',
    'ISNUMBER("12")', 'ISNUMBER("x")', 'SQRT(-1)', 'CASE(2, 1, "one", 2, "two", "many")', 'CASE("x", "y", 1, 2)', 'CASE(1, 2, 3, 4, 5)']) f;
-- texts, in characters
SELECT f || ' -> ' || pg_temp.try(f) FROM unnest(ARRAY[
    'LEN("grün")', 'LEFT("grün", 3)', 'RIGHT("grün", 2)', 'MID("grünlich", 3, 2)', 'MID("abc", 9, 1)', 'LEFT("abc", -1)', 'RIGHT("abc", 9)',
    'UPPER("abc")', 'LOWER("ABC")', 'LPAD("7", 3, "0")', 'RPAD("7", 3)', 'LPAD("abcdef", 3)', 'LPAD("a", 2000000)', 'SUBSTITUTE("a-b-c", "-", "+")',
    'TRIM("  a b ")', 'TEXT(12.5)', 'TEXT(true)', '"a" & BR() & "b"', 'CONTAINS("abc", "bc")', 'BEGINS("abc", "bc")', 'BEGINS("abc", "ab")',
    'FIND("c", "abcabc")', 'FIND("c", "abcabc", 4)', 'FIND("x", "abc")', 'FIND("", "abc")', 'INCLUDES("red;green", "green")', 'INCLUDES("red;green", "gre")',
    'ISPICKVAL("New", "New")', 'ISPICKVAL("", null)', 'CASESAFEID("0Xz")']) f;
-- dates, in UTC
SELECT f || ' -> ' || pg_temp.try(f) FROM unnest(ARRAY[
    'DATE(2028, 2, 29)', 'DATE(2027, 2, 29)', 'DATEVALUE("2027-03-04T23:30:00-02:00")', 'DATETIMEVALUE("2027-03-04")', 'DATE(2027, 1, 31) + 1',
    'DATE(2027, 1, 1) - DATE(2026, 12, 25)', '3 + DATE(2027, 1, 1)', 'DATETIMEVALUE("2027-01-01T12:00:00Z") + 0.5', 'DATE(2027, 1, 1) + 0.5', 'DATE(2027,1,1) - 1',
    'DATETIMEVALUE("2027-01-02") - DATETIMEVALUE("2027-01-01T18:00:00Z")', 'ADDMONTHS(DATE(2027, 1, 31), 1)', 'ADDMONTHS(DATE(2027, 1, 31), -2)',
    'YEAR(DATE(2027, 5, 6))', 'MONTH(DATE(2027, 5, 6))', 'DAY(DATE(2027, 5, 6))', 'WEEKDAY(DATE(2027, 5, 9))', 'HOUR(DATETIMEVALUE("2027-01-01T13:14:15Z"))',
    'MINUTE(DATETIMEVALUE("2027-01-01T13:14:15Z"))', 'SECOND(DATETIMEVALUE("2027-01-01T13:14:15Z"))', 'DATE(2027, 1, 2) > DATE(2027, 1, 1)',
    'DATE(2027, 1, 2) = "2027-01-02T00:00:00Z"', 'DATE(2027, 1, 2) = "soon"', 'DATE(2027, 1, 1) + 999999999', 'TODAY() <= NOW()', 'DATE(2027, 1, 1) * 2']) f;
-- ISCHANGED, ISNEW, PRIORVALUE
SELECT f || ' -> ' || pg_temp.try(f, '{"$Record.Status": "New", "$Record__Prior.Status": "Old", "$Record__Prior": null}') FROM unnest(ARRAY[
    'ISCHANGED({!$Record.Status})', 'PRIORVALUE({!$Record.Status})', 'PRIORVALUE("x")', 'ISNEW()']) f;
-- of a new record nothing has changed, and the prior value is the present one
SELECT f || ' -> ' || pg_temp.try(f, '{"$Record.Status": "New", "$Record__Prior.Status": null, "$Record__Prior": null}') FROM unnest(ARRAY[
    'ISCHANGED({!$Record.Status})', 'PRIORVALUE({!$Record.Status})', 'ISNEW()']) f;
SELECT f || ' -> ' || pg_temp.try(f, '{"$Record.Status": "New", "$Record__Prior.Status": null}') FROM unnest(ARRAY[
    'ISCHANGED({!$Record.Status})', 'PRIORVALUE({!$Record.Status})', 'ISNEW()']) f;
-- null in each place of each function that takes more than one argument
SELECT string_agg(f || ' -> ' || pg_temp.try(f, '{"z": null}'), E'\n' ORDER BY n) FROM unnest(ARRAY[
    'ROUND({!z}, 1)', 'ROUND(1.25, {!z})', 'MOD({!z}, 2)', 'MOD(3, {!z})', 'LEFT({!z}, 1)', 'LEFT("a", {!z})', 'RIGHT("a", {!z})', 'MID("abc", {!z}, 1)', 'MID("abc", 1, {!z})',
    'LPAD({!z}, 3)', 'LPAD("a", {!z})', 'LPAD("a", 3, {!z})', 'RPAD("a", 3, "")', 'SUBSTITUTE({!z}, "a", "b")', 'SUBSTITUTE("a", {!z}, "b")', 'SUBSTITUTE("abc", "b", {!z})', 'SUBSTITUTE("abc", "", "x")',
    'CONTAINS("a", {!z})', 'CONTAINS("a", "")', 'BEGINS({!z}, "a")', 'FIND({!z}, "abc")', 'FIND("a", {!z})', 'FIND("a", "abc", {!z})', 'FIND("a", "abca", 0)', 'FIND("a", "abca", 9)', 'INCLUDES({!z}, "a")', 'INCLUDES("a;b", {!z})',
    'ISPICKVAL({!z}, "a")', 'LOWER({!z})', 'TRIM({!z})', 'TRIM("")', 'VALUE({!z})', 'ISNUMBER({!z})', 'ISNUMBER(5)', 'DATE({!z}, 1, 1)', 'DATE(2027, 1, {!z})', 'DATEVALUE({!z})', 'ADDMONTHS({!z}, 1)', 'ADDMONTHS(DATE(2027, 1, 1), {!z})',
    'CASE({!z}, null, 1, 2)', 'CASE({!z}, 1, 1, 2)', 'MAX({!z})', 'MIN({!z}, {!z})', 'TRUE()', 'FALSE()', '{! z }', 'SQRT({!z})', '{!z} ^ 2', '2 ^ {!z}', '-{!z}', 'TEXT({!z})']) WITH ORDINALITY x (f, n);
-- out of range, too long, of another type
SELECT string_agg(f || ' -> ' || pg_temp.try(f, '{"t": "text", "b": true, "n": 3, "d": "2027-01-01T00:00:00Z", "c": [1]}'), E'\n' ORDER BY n) FROM unnest(ARRAY[
    'LEFT("a", 3000000000)', 'LEFT("a", {!t})', 'ROUND(1.5, 3000000000)', 'DATE(0, 1, 1)', 'DATE(10000, 1, 1)', 'DATE(2027, 13, 1)', 'ADDMONTHS(DATE(2027, 1, 1), 200000)', 'ADDMONTHS(DATE(9999, 12, 1), 1)', 'ADDMONTHS({!d}, 1)',
    'DATE(9999, 12, 31) + 1', 'DATE(1, 1, 1) - 1', 'DATE(2027, 1, 1) - 9999999', '1 - DATE(2027, 1, 1)', '{!d} - {!t}', '{!d} - {!b}', '{!d} > {!t}', 'DATE(2027, 1, 1) > {!t}', '{!t} > DATE(2027, 1, 1)', 'DATE(2027, 1, 1) > {!n}', '{!c} = {!c}', '{!c} & "x"',
    'SUBSTITUTE(LPAD("", 900000, "a"), "a", "bb")', 'LPAD("", 900000, "a") & LPAD("", 900000, "a")', 'RPAD("x", 1000001, "y")', 'VALUE({!c})', 'ISNUMBER({!c})', 'TEXT({!c})', 'TEXT(DATE(2027, 1, 1))', 'TEXT({!d})', 'UPPER({!n})', 'DATEVALUE({!n})', 'NOT({!n})', 'IF({!t}, 1, 2)',
    '10 ^ 1000000', '0 ^ -1', 'LN(0)', 'LOG(-1)', 'EXP(100000)', 'MOD(1, 0)', '1 / 0', 'ABS({!t})', 'DATETIMEVALUE("2027-01-01T00:00:00.25Z")', 'DATETIMEVALUE("2027-01-01") + 0.0000001']) WITH ORDINALITY x (f, n);
-- times of day, patterns, codes, places: null, and what does not fit
SELECT string_agg(f || ' -> ' || pg_temp.try(f, '{"z": null, "t": "text", "n": 3, "h": "08:30:00", "m": "2027-01-01T10:20:30.456Z", "c": [1]}'), E'\n' ORDER BY n) FROM unnest(ARRAY[
    'HOUR({!h})', 'MINUTE({!m})', 'MILLISECOND({!m})', 'SECOND({!z})', 'HOUR({!t})', 'HOUR({!n})', 'HOUR(TODAY())', 'TIMEVALUE({!z})', 'TIMEVALUE({!t})', 'TIMEVALUE("25:00")', 'TIMEVALUE({!h}) + 86400000', 'TIMEVALUE({!h}) - 30600001', '1000 + TIMEVALUE({!h})',
    'TIMEVALUE({!h}) + {!n} * 10 ^ 30', 'TIMEVALUE({!h}) - {!m}', 'TIMEVALUE({!h}) + TIMEVALUE({!h})', 'TIMEVALUE({!h}) = {!h}', 'TIMEVALUE({!h}) < {!t}', 'TIMEVALUE({!h}) = TODAY()', 'TIMEVALUE({!h}) > 5', 'TEXT(TIMEVALUE({!h}))', 'TEXT({!h})', 'TEXT({!m})',
    'UNIXTIMESTAMP({!z})', 'UNIXTIMESTAMP({!t})', 'UNIXTIMESTAMP(DATE(1, 1, 1))', 'FROMUNIXTIME({!z})', 'FROMUNIXTIME(-62135596801)', 'FROMUNIXTIME(10 ^ 20)', 'FROMUNIXTIME(0.5)', 'FORMATDURATION({!z})', 'FORMATDURATION({!t})', 'FORMATDURATION({!m})', 'FORMATDURATION({!m}, {!h})', 'FORMATDURATION({!h}, {!z})', 'FORMATDURATION(10 ^ 20)',
    'ISOWEEK({!z})', 'DAYOFYEAR({!t})', 'TODAY() + TODAY()', 'TRUE + 1', 'DATE(2027, 1, 2) - "2027-01-01"',
    'REGEX({!z}, "")', 'REGEX({!t}, {!z})', 'REGEX("a", "(")', 'REGEX("ABC", "(?i)abc")', 'REGEX("abcd", "abc")', 'REGEX("a1", "[a-z]\\d")', 'REGEX({!n}, "3")', 'ASCII({!z})', 'ASCII({!n})', 'CHR({!z})', 'CHR(55296)', 'CHR(1114112)', 'CHR(65)', 'INITCAP({!z})', 'REVERSE({!z})', 'PICKLISTCOUNT({!z})', 'PICKLISTCOUNT("a;;b;")',
    'CASESAFEID({!z})', 'CASESAFEID({!n})', 'CASESAFEID("0Xz-00000000000")', 'HTMLENCODE({!z})', 'URLENCODE({!z})', 'URLENCODE("ü/?")', 'JSENCODE({!n})', 'LOWER("I", {!z})', 'UPPER("a", 1)', 'DISTANCE({!z}, GEOLOCATION(1, 1), "km")', 'DISTANCE({!t}, {!t}, "km")', 'DISTANCE(GEOLOCATION(1, 1), GEOLOCATION(1, 1), "m")', 'GEOLOCATION(91, 0)', 'GEOLOCATION({!z}, 0)', 'GEOLOCATION(1, 1) = GEOLOCATION(1, 1)',
    'SIN({!z})', 'SIN({!t})', 'ATAN2(0, 0)', '10 ^ 64', '10 ^ 65', '0.1 ^ 100', '0 ^ 0', '2 ^ 0.5', '(-8) ^ 0.5', '1 / 3 * 3', 'NOT false', 'NOT NOT true && true', 'not', 'CASE({!n}, "3", 1, 2)', 'CASE({!z}, "", 1, 2)', 'ISNULL("")', 'ISNULL({!z})', 'NULLVALUE("", 1)', 'ISCHANGED(1)', 'IF(true, null, "a") = 1']) WITH ORDINALITY x (f, n);
-- arguments
SELECT orchestration.evaluate_formula(NULL, '{}');
SELECT orchestration.evaluate_formula('1', NULL);
SELECT orchestration.evaluate_formula('1', '[]');

-- in definitions: types of resources, and formulas that refer to themselves
CREATE FUNCTION pg_temp.check(formulas jsonb) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT place || ': ' || message FROM orchestration.validate_orchestration(jsonb_build_object('label', 'x', 'processType', 'Orchestrator',
        'variables', '[{"name": "n", "dataType": "Number"}, {"name": "s", "dataType": "String"}, {"name": "d", "dataType": "DateTime"}]'::jsonb,
        'formulas', formulas))
     WHERE severity = 'ERROR'
$$;
SELECT pg_temp.check('[{"name": "A", "dataType": "Boolean", "expression": "{!n} + 1"},
    {"name": "B", "dataType": "Number", "expression": "{!s} * 2"},
    {"name": "C", "dataType": "String", "expression": "{!d} & {!n}"},
    {"name": "D", "dataType": "SObject", "expression": "1"},
    {"name": "E", "expression": "{!nothing}"},
    {"name": "F", "expression": "{!s.x}"},
    {"name": "G", "dataType": "Date", "expression": "{!d} + 1"},
    {"name": "H", "dataType": "Number", "scale": 20, "expression": "1"}]');
SELECT pg_temp.check('[{"name": "A", "expression": "{!B} + 1"}, {"name": "B", "expression": "{!A} + 1"}]');
SELECT pg_temp.check('[{"name": "A", "expression": "{!A} + 1"}]');

