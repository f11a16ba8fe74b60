-- report: run_report() and orchestration_report() are well-formed, escape what users wrote, show
-- what their caller may read, and say what they left out.  In a browser: test/t/020_report.pl.
\getenv dir PG_ABS_SRCDIR
\set helper :dir '/sql/helper.psql'
\i :helper
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on

CREATE ROLE report_eve; CREATE ROLE report_nobody; CREATE ROLE report_ann;
SELECT pg_temp.person('ann.report@example.com', 'Ann </td><script>', 'report_ann');
SELECT pg_temp.person('eve.report@example.com', 'Eve', 'report_eve');
SELECT orchestration.register_action('Report_Screen', 'screen');
CREATE FUNCTION public.report_work(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', E'</style> ]]> \x01 \u202E & "quoted"' USING HINT = '<b>';
END $$;
SELECT orchestration.register_action('Report_Work', 'function', 'public.report_work(jsonb)');
SELECT pg_temp.orchestration('Report_Plain', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(
    pg_temp.stage('S', NULL, pg_temp.step('Ask', 'I', 'Report_Screen', assignee => 'ann.report@example.com')))));
SELECT pg_temp.orchestration('Report_Fails', 'S', jsonb_build_object('orchestratedStages', jsonb_build_array(
    pg_temp.stage('S', NULL, pg_temp.step('Work', 'B', 'Report_Work')) || '{"label": "<S> & ''T''"}')));
SELECT orchestration.start_orchestration('Report_Plain') AS plain \gset
SELECT orchestration.start_orchestration('Report_Fails') AS fails \gset
SELECT name AS plain_name FROM orchestration.run WHERE id = :'plain' \gset

-- the text of a path in a page, which must be a document
CREATE FUNCTION pg_temp.texts(page text, path text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT array_to_string(xpath('.//text()', x), '') FROM unnest(xpath(path, xmlparse(DOCUMENT page))) x
$$;
CREATE FUNCTION pg_temp.number(page text, path text) RETURNS bigint LANGUAGE sql AS $$
    SELECT cardinality(xpath(path, xmlparse(DOCUMENT page)))::bigint
$$;

-- 1. what a page has
SELECT orchestration.run_report(:'plain') AS page \gset
SELECT pg_temp.texts(:'page', '//title'), pg_temp.texts(:'page', '//h1'), pg_temp.texts(:'page', '//p[@id="status"]');
SELECT pg_temp.texts(:'page', '//h2');
SELECT pg_temp.texts(:'page', '//dl[@id="head"]//dt');
SELECT pg_temp.texts(:'page', '//table[@id="timeline"]/tbody/tr/th');
SELECT pg_temp.texts(:'page', '//table[@id="people"]/tbody/tr/td[position() != 6 and position() != 8]');
SELECT pg_temp.texts(:'page', '//table[@id="log"]/tbody/tr/td[2]');
SELECT pg_temp.number(:'page', '//*[local-name() = "svg" and not(ancestor::*[local-name() = "svg"])]'), pg_temp.number(:'page', '//script | //img | //iframe | //a[not(starts-with(@href, "#"))] | //@onclick');
SELECT xpath('//meta[@http-equiv]/@content', xmlparse(DOCUMENT :'page'));
-- by name, by id as text
SELECT pg_temp.texts(orchestration.run_report(:'plain_name'), '//h1') = pg_temp.texts(orchestration.run_report(:'plain'::uuid), '//h1');
-- characters that neither XML nor a reader can have
SELECT orchestration.run_report(:'fails') AS page \gset
SELECT pg_temp.texts(:'page', '//p[@id="status"]'), pg_temp.texts(:'page', '//section[h2 = "Errors"]//p[starts-with(., "Message")]');
SELECT pg_temp.texts(:'page', '//section[h2 = "Errors"]/p') ~ '^The run (cannot|can) be resumed', pg_temp.texts(:'page', '//table[@id="timeline"]//th[@class="l0"]');
SELECT :'page' ~ '[^\n\t\x20-\x7e]';
-- a run with no version has no diagram
INSERT INTO orchestration.run (name, status, ended_at, orchestration_label) VALUES ('REPORT-1', 'Completed', now(), 'imported') RETURNING id AS imported \gset
SELECT pg_temp.texts(orchestration.run_report('REPORT-1'), '//p[@class="note"]');

-- 2. the middle of long lists is left out, and long text is cut
INSERT INTO orchestration.run_log (run_id, kind, comments) SELECT :'imported', 'StartStep', n || repeat('<', 1300) FROM generate_series(1, 10000) n;
SELECT orchestration.post_to_feed(:'imported', repeat('&', 10000)) IS NOT NULL;
SELECT orchestration.run_report('REPORT-1') AS page \gset
SELECT pg_temp.number(:'page', '//table[@id="log"]/tbody/tr'), pg_temp.texts(:'page', '//td[@class="gap"]'), length(:'page') < 5000000;
SELECT pg_temp.texts(:'page', '//table[@id="log"]/tbody/tr[last()]/td[8]') = '10000' || repeat('&lt;', 1300);
SELECT right(pg_temp.texts(:'page', '//table[@id="feed"]//td[5]'), 25);

-- 3. each caller sees what that caller may read
SET ROLE report_eve;
SELECT pg_temp.try(format('SELECT orchestration.run_report(%L::uuid)', :'plain'));
SELECT pg_temp.try(format('SELECT orchestration.run_report(%L)', :'plain_name'));
SELECT orchestration.orchestration_report('Report_Plain') AS page \gset
SELECT string_agg(t, ' ') FROM pg_temp.texts(:'page', '//dl[@id="head"]//dd') t;
SELECT pg_temp.texts(:'page', '//section/p[@class="note" and not(i)]');
RESET ROLE;
-- the run alone is shared: not its stages, steps and work items
SELECT orchestration.share_record(:'plain', p.id, 'Read') IS NOT NULL FROM orchestration.principal p WHERE username = 'eve.report@example.com';
SET ROLE report_eve;
SELECT orchestration.run_report(:'plain') AS page \gset
SELECT pg_temp.texts(:'page', '//p[@class="note" and not(i)]');
SELECT pg_temp.texts(:'page', '//table[@id="log"]/tbody/tr/td[3]') || '-';
SET ROLE report_nobody;
SELECT pg_temp.try(format('SELECT orchestration.run_report(%L::uuid)', :'plain'));
SELECT pg_temp.try('SELECT orchestration.orchestration_report(''Report_Plain'')');
RESET ROLE;
SELECT pg_temp.try('SELECT orchestration.run_report(NULL::uuid)'), pg_temp.try('SELECT orchestration.run_report(NULL::text)');
SELECT pg_temp.try('SELECT orchestration.run_report(''no such <run>'')'), pg_temp.try('SELECT orchestration.run_report(''00000000-0000-7000-8000-00000000ffff'')');

-- 4. an orchestration
SELECT orchestration.set_due_date(pg_temp.item('Ask', :'plain'), now() - interval '1 day');
SELECT orchestration.orchestration_report('Report_Plain') AS page \gset
SELECT pg_temp.texts(:'page', '//h1'), string_agg(t, ' ') FROM pg_temp.texts(:'page', '//dl[@id="head"]//dd') t;
SELECT pg_temp.texts(:'page', '//h2');
SELECT pg_temp.texts(:'page', '//table[@id="waits"]/tbody/tr/td[position() < 5]');
SELECT pg_temp.texts(:'page', '//table[@id="overdue"]/tbody/tr/td[position() > 1 and position() < 5]');
SELECT pg_temp.number(:'page', '//*[local-name() = "rect"]'), pg_temp.number(:'page', '//table[@id="days"]/tbody/tr');
SELECT orchestration.orchestration_report('Report_Fails', '2 years') AS page \gset
SELECT pg_temp.texts(:'page', '//table[@id="failures"]/tbody/tr/td[position() < 6]');
SELECT pg_temp.texts(:'page', '//table[@id="durations"]/tbody/tr/td[position() < 3]');
SELECT pg_temp.texts(:'page', '//table[@id="versions"]/tbody/tr/td[position() != 3]');
SELECT pg_temp.number(:'page', '//table[@id="days"]/tbody/tr') BETWEEN 50 AND 60, string_agg(t, ' ') FROM pg_temp.texts(:'page', '//table[@id="days"]/tbody/tr[last()]/td[position() > 1]') t;
SELECT pg_temp.try('SELECT orchestration.orchestration_report(''Report_None'')'), pg_temp.try('SELECT orchestration.orchestration_report(NULL)');
SELECT pg_temp.try('SELECT orchestration.orchestration_report(''Report_Plain'', ''-1 day''::interval)');

-- 5. the caller's operators are not used
CREATE SCHEMA report_trap;
CREATE FUNCTION report_trap.equal(uuid, uuid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$;
CREATE OPERATOR report_trap.= (FUNCTION = report_trap.equal, LEFTARG = uuid, RIGHTARG = uuid);
SET search_path = report_trap, pg_catalog;
SELECT length(orchestration.run_report(:'plain'::pg_catalog.uuid)) > 1000, length(orchestration.orchestration_report('Report_Plain')) > 1000;
RESET search_path;
DROP SCHEMA report_trap CASCADE;

SELECT pg_temp.clean_up();
SELECT * FROM orchestration.verify();
DROP FUNCTION public.report_work(jsonb);
UPDATE orchestration.principal SET role_name = NULL WHERE role_name LIKE 'report\_%';
DROP ROLE report_eve, report_nobody, report_ann;
