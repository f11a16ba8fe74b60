-- query(): the syntax of SOQL.  What is refused, with the whole message, and what is accepted.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\pset format unaligned
\pset tuples_only on
SET TimeZone = 'UTC';
-- code, message and hint of a query
CREATE FUNCTION pg_temp.refused(soql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    hint text;
BEGIN
    RETURN 'accepted: ' || orchestration.query(soql);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', SQLSTATE || ' ' || SQLERRM, 'HINT: ' || NULLIF(hint, ''));
END
$$;
-- rows of a query; its error, if it is refused
CREATE FUNCTION pg_temp.accepted(soql text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN orchestration.query(soql)->>'totalSize';
EXCEPTION WHEN OTHERS THEN
    RETURN concat_ws(E'\n', SQLSTATE || ' ' || SQLERRM);
END
$$;

-- end of the text
SELECT pg_temp.refused('');
SELECT pg_temp.refused('   ');
SELECT pg_temp.refused('SELECT');
SELECT pg_temp.refused(E'SELECT Id\nFROM\n  ');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name = ''x'' AND');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE (Name = ''x''');
SELECT pg_temp.refused('SELECT Id, (SELECT Id FROM StageInstances FROM FlowOrchestrationInstance');

-- tokens out of place
SELECT pg_temp.refused('nonsense');
SELECT pg_temp.refused('DELETE FROM FlowOrchestrationInstance');
SELECT pg_temp.refused('SELECT FROM FlowOrchestrationInstance');
SELECT pg_temp.refused('SELECT Id, FROM FlowOrchestrationInstance');
SELECT pg_temp.refused('SELECT Id Name Status FROM FlowOrchestrationInstance');
SELECT pg_temp.refused('SELECT * FROM FlowOrchestrationInstance');
SELECT pg_temp.refused('SELECT COUNT(*) FROM FlowOrchestrationInstance');
SELECT pg_temp.refused('SELECT COUNT(Id) AS c FROM FlowOrchestrationInstance');
SELECT pg_temp.refused('SELECT COUNT(Id) group FROM FlowOrchestrationInstance');
SELECT pg_temp.refused('SELECT ''Id'' FROM FlowOrchestrationInstance');
SELECT pg_temp.refused('SELECT Id. FROM FlowOrchestrationInstance');
SELECT pg_temp.refused('SELECT .Id FROM FlowOrchestrationInstance');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance first');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance a b');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance, FlowOrchestrationWorkItem');
SELECT pg_temp.refused('SELECT Id FROM a.FlowOrchestrationInstance');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name == ''x''');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name = ''x'')');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE ''x'' = Name');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name NOT LIKE ''x''');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name IN ''x''');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name IN ()');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name IN (''x'',)');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name BETWEEN 1 AND 2');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name IS NULL');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name = [''x'']');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance GROUP Name');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance ORDER BY Name NULLS');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance ORDER BY Name ASC DESC');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance LIMIT five');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance LIMIT 5x');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance LIMIT -1');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance LIMIT 1.5');
SELECT pg_temp.accepted('SELECT Id FROM FlowOrchestrationInstance LIMIT 99999999999999999999');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance OFFSET 2147483648');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance USING everything');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance USING RANGE mine');
SELECT pg_temp.refused('SELECT TYPEOF Owner END FROM FlowOrchestrationInstance');
SELECT pg_temp.refused('SELECT TYPEOF Owner WHEN User THEN COUNT(Id) END FROM FlowOrchestrationInstance');
SELECT pg_temp.refused('SELECT TYPEOF Owner ELSE Name WHEN User THEN Id END FROM FlowOrchestrationInstance');
SELECT pg_temp.refused('SELECT FIELDS() FROM FlowOrchestrationInstance');
SELECT pg_temp.refused('SELECT FIELDS(Name) FROM FlowOrchestrationInstance');
SELECT pg_temp.refused('SELECT FIELDS(ALL) a FROM FlowOrchestrationInstance');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance ORDER BY FIELDS(ALL)');
SELECT pg_temp.refused('SELECT COUNT(Id) FROM FlowOrchestrationInstance GROUP BY ROLLUP(Status), Name');
SELECT pg_temp.refused('SELECT COUNT(Id) FROM FlowOrchestrationInstance GROUP BY CUBE()');
SELECT pg_temp.refused('SELECT COUNT(Id) FROM FlowOrchestrationInstance HAVING COUNT(Id) > 1');

-- clauses twice, and in a wrong order
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name = ''x'' WHERE Name = ''y''');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance LIMIT 1 LIMIT 2');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance LIMIT 1 WHERE Name = ''x''');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance OFFSET 1 LIMIT 1');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name = ''x'' USING SCOPE mine');
SELECT pg_temp.refused('SELECT Status FROM FlowOrchestrationInstance ORDER BY Status GROUP BY Status');

-- AND beside OR, and NOT in a chain
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name = ''a'' AND Name = ''b'' OR Name = ''c''');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name = ''a'' or Name = ''b'' and Name = ''c''');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE (Name = ''a'' AND Name = ''b'' OR Name = ''c'')');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE NOT Name = ''a'' AND Name = ''b''');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name = ''a'' OR NOT Name = ''b''');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE NOT NOT Name = ''a''');
SELECT pg_temp.refused('SELECT Status FROM FlowOrchestrationInstance GROUP BY Status HAVING COUNT(Id) > 1 AND COUNT(Id) < 5 OR COUNT(Id) = 9');

-- refused by name
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name = :name');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name IN :names');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance LIMIT :n');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE :name = Name');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE CreatedDate > 12:00:00Z');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance FOR UPDATE');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance FOR VIEW, REFERENCE');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance FOR VIEW REFERENCE');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance FOR VIEW FOR REFERENCE');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance FOR ever');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance ALL ROWS');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name = ''x'' LIMIT 1 UPDATE TRACKING');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance UPDATE VIEWSTAT');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WITH DATA CATEGORY Geography__c AT usa__c');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WITH SYSTEM_MODE');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WITH nonsense');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE DISTANCE(Location, GEOLOCATION(37.7, -122.4), ''mi'') < 20');
SELECT pg_temp.refused('SELECT GEOLOCATION(1, 2) FROM FlowOrchestrationInstance');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE FORMULA(''Name'') = ''x''');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Duration > USD5000');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Status INCLUDES (''a;b'')');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Status excludes (''a'')');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name = "x"');
SELECT pg_temp.refused('SELECT Id -- the id' || E'\n' || 'FROM FlowOrchestrationInstance');
SELECT pg_temp.refused('SELECT Id /* the id */ FROM FlowOrchestrationInstance');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance;');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance SELECT Id FROM FlowOrchestrationWorkItem');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance LIMIT 5 and more');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name = CurrentStage');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name = Owner.Name');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE CreatedDate = DAY_ONLY(LastModifiedDate)');
SELECT pg_temp.refused('SELECT AVG(LastModifiedDate - CreatedDate) d FROM FlowOrchestrationWorkItem');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Duration+1 > 5');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Duration > 5 * 2');

-- strings
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name = ''x');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name = ''x\''');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name = ''a\xb''');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name = ''a\u12''');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name = ''a\u0000''');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name = ''a\uD83D''');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name = ''a\uDE00\uD83D''');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name = ''100\%''');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name IN (''a'', ''b\_c'')');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name = ''' || repeat('x', 4001) || '''');

-- numbers and dates
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Duration > 1e999');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Duration > 1.2.3');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Duration > ' || repeat('9', 500));
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE CreatedDate > 2026-1-2');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE CreatedDate > 2026-02-30');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE CreatedDate > 2026-13-01T00:00:00Z');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE CreatedDate > 1699-12-31');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE CreatedDate > 4001-01-01');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE CreatedDate > 2026-11-27T15:00Z');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE CreatedDate > 2026-11-27T15:00:00');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE CreatedDate > 2026-11-27T25:00:00Z');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE CreatedDate > 2026-11-27T15:00:00+99:00');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE CreatedDate > 2026-11-27T15:00:00.Z');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE CreatedDate = LAST_N_DAYS');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE CreatedDate = LAST_N_DAYS:x');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE CreatedDate = LAST_N_DAYS:-1');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE CreatedDate = LAST_N_DAYS:2147483648');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE CreatedDate = TODAY:1');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE CreatedDate = SOMEDAY:1');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE CreatedDate = SOMEDAY');

-- the excerpt: rows end with \n, \r\n or \r; tabs become blanks; characters are never cut
SELECT pg_temp.refused(E'SELECT Id\r\nFROM FlowOrchestrationInstance\rWHERE\tName =\t@');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE Name IN (''äöüäöüäöüäöüäöüäöüäöüäöü'', ''€€€€€€€€€€€€'', @, ''日本語日本語日本語日本語日本語日本語日本語日本語日本語'')');
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance ' || repeat('x', 1000) || ' ' || repeat('ü', 1000));
SELECT pg_temp.refused(E'\n\n  @');

-- size and depth
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance' || repeat(' ', 100000));
SELECT pg_temp.refused('SELECT Id FROM FlowOrchestrationInstance WHERE ' || repeat('(', 90000));
SELECT pg_temp.accepted('SELECT Id FROM FlowOrchestrationInstance WHERE ' || repeat('(', 5000) || 'Name = ''x''' || repeat(')', 5000));
SELECT pg_temp.accepted('SELECT Id FROM FlowOrchestrationInstance WHERE ' || repeat('Name=''x'' OR ', 8000) || 'Name = ''x''');
SELECT pg_temp.accepted('SELECT Id FROM FlowOrchestrationInstance WHERE Name = ''' || repeat('ü', 4000) || '''');

-- accepted: words in any case, and names that are words of the language
SELECT pg_temp.accepted('select id, name from floworchestrationinstance');
SELECT pg_temp.accepted(E'\tSeLeCt\r\nId\fFrOm FlowOrchestrationInstance\n');
SELECT pg_temp.accepted('SELECT Id FROM FlowOrchestrationInstance AS a');
SELECT pg_temp.accepted('SELECT a.Id FROM FlowOrchestrationInstance a WHERE a.Name = ''x''');
SELECT pg_temp.accepted('SELECT FlowOrchestrationInstance.Id FROM FlowOrchestrationInstance');
SELECT pg_temp.accepted('SELECT s.Id, o.Name FROM FlowOrchestrationStageInstance s, s.OrchestrationInstance o');
SELECT pg_temp.accepted('SELECT Id, Name, Type FROM Group WHERE Type = ''Nonsense'' ORDER BY Type');
SELECT pg_temp.accepted('SELECT Group.Name, GroupId FROM GroupMember WHERE Group.Name = ''x''');
SELECT pg_temp.accepted('SELECT Id, Timestamp FROM FlowOrchestrationLog ORDER BY Timestamp');
SELECT pg_temp.accepted('SELECT Status, COUNT(Id) FROM FlowOrchestrationInstance GROUP BY Status');
SELECT pg_temp.accepted('SELECT Status Order, COUNT(Id) view FROM FlowOrchestrationInstance GROUP BY Status');
SELECT pg_temp.accepted('SELECT COUNT() FROM FlowOrchestrationInstance');
SELECT pg_temp.accepted('SELECT COUNT ( ) FROM FlowOrchestrationInstance WHERE Status = ''InProgress''');
-- no field of these names, but no error of syntax
SELECT pg_temp.accepted('SELECT First, Last, When, Then, Else, End, By, For, View, Reference, Update, All, Rows, Offset, Scope, As, Order, Group, Count, Date FROM Group');
SELECT pg_temp.accepted('SELECT Id FROM Order WHERE Group = ''x'' ORDER BY Order, Group, Offset');
SELECT pg_temp.accepted('SELECT Group, COUNT(Id) FROM Offset GROUP BY Group HAVING COUNT(Group) > 1 ORDER BY Group');
SELECT pg_temp.accepted('SELECT TYPEOF End WHEN When THEN Then, Else ELSE Else, End END FROM Update');

-- conditions
SELECT pg_temp.accepted('SELECT Id FROM FlowOrchestrationInstance WHERE Name != null AND Name <> ''x'' AND Name >= ''a'' AND Name <= ''b'' AND Name > ''a'' AND Name < ''b''');
SELECT pg_temp.accepted('SELECT Id FROM FlowOrchestrationInstance WHERE NOT Name = ''x''');
SELECT pg_temp.accepted('SELECT Id FROM FlowOrchestrationInstance WHERE (NOT Name LIKE ''x%'') AND Name != null');
SELECT pg_temp.accepted('SELECT Id FROM FlowOrchestrationInstance WHERE NOT (NOT (Name = ''x'' OR Name = ''y''))');
SELECT pg_temp.accepted('SELECT Id FROM FlowOrchestrationInstance WHERE (Name = ''a'' AND Status = ''b'') OR (Name = ''c'' AND (Status = ''d'' OR Status = ''e''))');
SELECT pg_temp.accepted('SELECT Id FROM FlowOrchestrationInstance WHERE Name IN (''a'', ''b'', null) AND Name NOT IN (''c'')');
SELECT pg_temp.accepted('SELECT Id FROM FlowOrchestrationWorkItem WHERE RelatedRecordId != null AND IsDeleted = FALSE AND IsDeleted = False');
SELECT pg_temp.accepted('SELECT Id FROM FlowOrchestrationInstance WHERE Duration > -1.5 AND Duration < +3 AND Duration != .5 AND Duration != 1E2');
SELECT pg_temp.accepted('SELECT Id FROM FlowOrchestrationInstance WHERE Name LIKE ''100\%\_\\x%_''');
SELECT pg_temp.accepted('SELECT Id FROM FlowOrchestrationInstance WHERE Name = ''\n\r\t\b\f\"\''\\\N\R\T\B\F\u00e4\U00C4\uD83D\uDE00''');
SELECT pg_temp.accepted('SELECT Id FROM FlowOrchestrationInstance WHERE Id IN (SELECT OrchestrationInstanceId FROM FlowOrchestrationStageInstance WHERE Status = ''x'')');
SELECT pg_temp.accepted('SELECT Id FROM FlowOrchestrationInstance WHERE Id NOT IN (SELECT OrchestrationInstanceId FROM FlowOrchestrationStageInstance)');

-- dates
SELECT pg_temp.accepted('SELECT Id FROM FlowOrchestrationInstance WHERE CreatedDate > 2024-02-29T23:59:59Z AND CreatedDate < 4000-12-31t00:00:00.123456789z');
SELECT pg_temp.accepted('SELECT Id FROM FlowOrchestrationInstance WHERE CreatedDate >= 2026-11-27T15:00:00+01:00 AND CreatedDate <= 2026-11-27T15:00:00-0330');
SELECT pg_temp.accepted('SELECT Id FROM FlowOrchestrationInstance WHERE DAY_ONLY(CreatedDate) = 1700-01-01');
SELECT pg_temp.accepted('SELECT Id FROM FlowOrchestrationInstance WHERE CreatedDate ' || string_agg(format('!= %s', l), ' AND CreatedDate '))
  FROM unnest('{YESTERDAY,Today,tomorrow,LAST_WEEK,THIS_WEEK,NEXT_WEEK,LAST_MONTH,THIS_MONTH,NEXT_MONTH,LAST_90_DAYS,NEXT_90_DAYS,LAST_QUARTER,THIS_QUARTER,NEXT_QUARTER,LAST_YEAR,THIS_YEAR,NEXT_YEAR,LAST_FISCAL_QUARTER,THIS_FISCAL_QUARTER,NEXT_FISCAL_QUARTER,LAST_FISCAL_YEAR,THIS_FISCAL_YEAR,NEXT_FISCAL_YEAR}'::text[]) l;
SELECT pg_temp.accepted('SELECT Id FROM FlowOrchestrationInstance WHERE CreatedDate ' || string_agg(format('!= LAST_N_%1$s:1 AND CreatedDate > next_n_%1$s : 0 AND CreatedDate < N_%1$s_AGO:12', l), ' AND CreatedDate '))
  FROM unnest('{DAYS,WEEKS,MONTHS,QUARTERS,YEARS,FISCAL_QUARTERS,FISCAL_YEARS}'::text[]) l;

-- functions, groups, order
SELECT pg_temp.accepted('SELECT toLabel(Status), FORMAT(CreatedDate) f FROM FlowOrchestrationInstance');
SELECT pg_temp.accepted('SELECT HOUR_IN_DAY(convertTimezone(CreatedDate)), COUNT(Id) FROM FlowOrchestrationInstance GROUP BY HOUR_IN_DAY(convertTimezone(CreatedDate))');
SELECT pg_temp.accepted('SELECT Status, CALENDAR_YEAR(CreatedDate) y, COUNT(Id) c FROM FlowOrchestrationInstance GROUP BY Status, CALENDAR_YEAR(CreatedDate) HAVING COUNT(Id) > 1 ORDER BY COUNT(Id) DESC NULLS LAST, Status ASC NULLS FIRST LIMIT 10');
SELECT pg_temp.accepted('SELECT Status, GROUPING(Status) g, COUNT(Id) FROM FlowOrchestrationInstance WHERE Name = ''x'' GROUP BY CUBE(Status, Name)');
SELECT pg_temp.accepted('SELECT Status, COUNT(Id) FROM FlowOrchestrationInstance WHERE Name = ''x'' GROUP BY ROLLUP(Status) HAVING GROUPING(Status) = 0');

-- the other clauses
SELECT pg_temp.accepted('SELECT FIELDS(STANDARD) FROM FlowOrchestrationInstance');
SELECT pg_temp.accepted('SELECT fields(all) FROM FlowOrchestrationInstance LIMIT 200');
SELECT pg_temp.accepted('SELECT Id, (SELECT Id, Name FROM StageInstances WHERE Status = ''x'' ORDER BY Name LIMIT 5) FROM FlowOrchestrationInstance');
SELECT pg_temp.accepted('SELECT Id, TYPEOF Owner WHEN User THEN Name, Username WHEN Group THEN Name ELSE Name END FROM FlowOrchestrationInstance');
SELECT pg_temp.accepted('SELECT Id FROM FlowOrchestrationInstance USING SCOPE Everything WHERE Name = ''x'' WITH USER_MODE ORDER BY Name LIMIT 0 OFFSET 0 FOR VIEW');
SELECT pg_temp.accepted('SELECT Id FROM FlowOrchestrationInstance USING SCOPE mine WITH SECURITY_ENFORCED LIMIT 5 OFFSET 10 FOR REFERENCE');
