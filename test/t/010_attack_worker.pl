# 010_attack_worker.pl: attacks by owners of actions in the background worker, and in the worker
# that starts when a standby is promoted.
#
# One owner attacks with one action, which executes the statement in its run's inputs: in its
# body, in a deferred trigger, in a trigger that a deferred trigger deferred, in a held cursor, in
# a subtransaction.  After each attack another owner's action reports the state of the session
# and writes to a table whose name it does not qualify.  test/pgtap/attack_owner.sql does the
# same in sessions.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('attack_worker');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', $ENV{ORCH_TEST_CONF});
$node->append_conf('postgresql.conf', q{
shared_preload_libraries = 'orchestration'
orchestration.worker_databases = 'postgres'
orchestration.worker_naptime = '200ms'
orchestration.function_timeout = '1s'
orchestration.max_lost_leases = 0
log_min_messages = log
});
$node->start;

$node->safe_psql('postgres', q{
CREATE EXTENSION orchestration;
CREATE ROLE regress_evil;
CREATE ROLE regress_honest;
CREATE ROLE regress_friend;
GRANT regress_friend TO regress_evil;
SELECT orchestration.create_user('evil', 'Evil', 'regress_evil'), orchestration.create_user('honest', 'Honest', 'regress_honest');
CREATE SCHEMA ev AUTHORIZATION regress_evil;
CREATE SCHEMA ho AUTHORIZATION regress_honest;
GRANT USAGE ON SCHEMA ev, ho TO PUBLIC;

-- the attacker reads its identity and the rows that it sees
SET ROLE regress_evil;
CREATE TABLE ev.loot (how text, who name DEFAULT current_user, session name DEFAULT session_user, super text DEFAULT current_setting('is_superuser'), runs bigint, at timestamptz DEFAULT clock_timestamp());
GRANT ALL ON ev.loot TO PUBLIC;
CREATE FUNCTION ev.see(how text) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ev.loot (how, runs) SELECT $1, count(*) FROM orchestration.run;
    IF current_user <> 'regress_evil' THEN
        ALTER ROLE regress_evil SUPERUSER;
    END IF;
    RETURN 1;
END $$;
CREATE FUNCTION ev.try(statement text, how text) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ev.see(how);
    BEGIN
        EXECUTE statement;
    EXCEPTION WHEN OTHERS THEN
        PERFORM ev.see(how || ', refused ' || SQLSTATE);
    END;
    RETURN ev.see(how || ', after');
END $$;
CREATE TABLE ev.deferred (statement text, how text, depth integer);
CREATE FUNCTION ev.fires() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.depth > 0 THEN
        PERFORM ev.see('depth');
        INSERT INTO ev.deferred VALUES (NEW.statement, NEW.how, NEW.depth - 1);
    ELSE
        PERFORM ev.try(NEW.statement, NEW.how);
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER d AFTER INSERT ON ev.deferred DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ev.fires();
CREATE TABLE ev.parent (i integer PRIMARY KEY);
CREATE TABLE ev.child (i integer REFERENCES ev.parent DEFERRABLE INITIALLY DEFERRED);
CREATE FUNCTION ev.seen(i integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM ev.see('excluded'); RETURN i; END $$;
CREATE TABLE ev.excluded (i integer, EXCLUDE USING btree ((ev.seen(i)) WITH =) DEFERRABLE INITIALLY DEFERRED);
CREATE FUNCTION ev.steal() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM ev.see('stolen'); RETURN NEW; END $$;
CREATE FUNCTION ev.deep(i integer) RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RETURN ev.deep(i + 1); END $$;
CREATE FUNCTION ev.act(j jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    CASE j->>'place'
        WHEN 'body' THEN EXECUTE j->>'statement';
        WHEN 'try' THEN PERFORM ev.try(j->>'statement', 'try');
        WHEN 'subtransaction' THEN
            BEGIN
                EXECUTE j->>'statement';
                RAISE 'undo';
            EXCEPTION WHEN OTHERS THEN
                PERFORM ev.see('undone');
            END;
        WHEN 'deferred' THEN INSERT INTO ev.deferred VALUES (j->>'statement', 'deferred', 0);
        WHEN 'deferred twice' THEN INSERT INTO ev.deferred VALUES (j->>'statement', 'deferred twice', 2);
        WHEN 'held cursor' THEN EXECUTE format('DECLARE evil CURSOR WITH HOLD FOR SELECT ev.try(%L, ''held cursor'')', j->>'statement');
        WHEN 'deferred cursor' THEN INSERT INTO ev.deferred VALUES (format('DECLARE evil CURSOR WITH HOLD FOR SELECT ev.try(%L, ''deferred cursor'')', j->>'statement'), 'deferred', 0);
    END CASE;
    PERFORM ev.see('end');
    RETURN '{}';
END $$;
RESET ROLE;

-- the other owner
SET ROLE regress_honest;
CREATE TABLE ho.audit (t text);
CREATE FUNCTION ho.inner() RETURNS void LANGUAGE plpgsql SET search_path = ho AS $$ BEGIN INSERT INTO audit VALUES ('inner'); END $$;
CREATE FUNCTION ho.probe(j jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit VALUES ('outer');
    PERFORM ho.inner();
    RETURN jsonb_build_object('state', jsonb_build_object(
        'settings', (SELECT jsonb_object_agg(name, setting) FROM pg_settings WHERE name NOT LIKE 'transaction_%' OR name = 'transaction_timeout'),
        'custom', COALESCE(current_setting('evil.custom', true), ''),
        'transaction', concat_ws(' ', current_setting('transaction_read_only'), current_setting('transaction_isolation')),
        'users', concat_ws(' ', current_user, session_user, current_setting('role'), current_setting('is_superuser')),
        'prepared', (SELECT jsonb_agg(p.name) FROM pg_prepared_statements p),
        'cursors', (SELECT jsonb_agg(c.name) FROM pg_cursors c WHERE c.name !~ '^<'),
        'listening', (SELECT jsonb_agg(l) FROM pg_listening_channels() l),
        'advisory', (SELECT jsonb_agg(concat_ws(' ', classid, objid, objsubid, mode) ORDER BY 1) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
            AND mode <> 'ShareLock'), -- the mark of the step, which ends with its transaction
        'temporary', (SELECT jsonb_agg(pg_describe_object(classid, objid, 0)) FROM pg_depend WHERE refclassid = 'pg_namespace'::regclass AND refobjid = pg_my_temp_schema())));
END $$;
RESET ROLE;

SELECT orchestration.register_action('Evil', 'function', 'ev.act(jsonb)');
SET search_path = ho, public;
SELECT orchestration.register_action('Probe', 'function', 'ho.probe(jsonb)');
RESET search_path;
CREATE FUNCTION define(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM orchestration.deploy_orchestration(jsonb_build_object('fullName', name, 'label', name, 'processType', 'Orchestrator', 'start', '{"connector": {"targetReference": "S"}}'::jsonb,
        'variables', '[{"name": "statement", "dataType": "String", "isInput": true}, {"name": "place", "dataType": "String", "isInput": true}]'::jsonb,
        'orchestratedStages', jsonb_build_array(jsonb_build_object('name', 'S', 'label', 'S', 'stageSteps', jsonb_build_array(jsonb_build_object('name', 'T', 'label', 'T', 'actionType', 'stepBackground', 'actionName', name,
            'requiresAsyncProcessing', true, 'inputParameters', '[{"name": "statement", "value": {"elementReference": "statement"}}, {"name": "place", "value": {"elementReference": "place"}}]'::jsonb))))));
    PERFORM orchestration.activate_orchestration(name);
END $$;
SELECT define('Evil'), define('Probe');

-- run one after another; one that does not end also ends the worker
CREATE TABLE result (number serial, label text, status text, sqlstate text, probe text, state jsonb, seen text, workers bigint, locks bigint);
CREATE PROCEDURE play(name text, inputs jsonb, INOUT id uuid) LANGUAGE plpgsql AS $$
DECLARE
    begun timestamptz := clock_timestamp();
BEGIN
    id := orchestration.start_orchestration(name, inputs => inputs);
    COMMIT;
    WHILE (SELECT status = 'InProgress' FROM orchestration.run r WHERE r.id = play.id) LOOP
        -- an error of the server fails no step: the worker tries again, as long as the run goes on
        IF inputs->>'statement' ~ '40001|53200' AND clock_timestamp() > begun + interval '3 seconds' THEN
            PERFORM orchestration.cancel_run(id);
            COMMIT;
            EXIT;
        END IF;
        IF clock_timestamp() > begun + interval '40 seconds' THEN
            PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'orchestration worker';
            PERFORM orchestration.cancel_run(id);
            COMMIT;
            EXIT;
        END IF;
        PERFORM pg_sleep(0.02);
        COMMIT;
    END LOOP;
    COMMIT;
END $$;
CREATE PROCEDURE attack(place text, statement text) LANGUAGE plpgsql AS $$
DECLARE
    run uuid;
    probe uuid;
    begun timestamptz := clock_timestamp();
BEGIN
    CALL play('Evil', jsonb_build_object('place', place, 'statement', statement), run);
    CALL play('Probe', '{}', probe);
    INSERT INTO result (label, status, sqlstate, probe, state, seen, workers, locks)
    SELECT place || ': ' || statement, r.status, COALESCE(r.error->>'sqlstate', ''), p.status, (SELECT t.outputs->'state' FROM orchestration.step_run t WHERE t.run_id = probe),
           (SELECT string_agg(DISTINCT how, '; ') FROM ev.loot WHERE at > begun),
           (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'orchestration worker'),
           (SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = 'advisory' AND a.backend_type = 'orchestration worker' AND l.granted AND l.mode = 'ExclusiveLock')
      FROM orchestration.run r, orchestration.run p WHERE r.id = run AND p.id = probe;
    COMMIT;
END $$;
});

my $workers = q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'orchestration worker' AND datname = 'postgres'};

# statements that would give the owner another identity
my @identity = (
	'RESET SESSION AUTHORIZATION',
	'SET SESSION AUTHORIZATION DEFAULT',
	'SET LOCAL SESSION AUTHORIZATION DEFAULT',
	'SET SESSION AUTHORIZATION regress_friend',
	"SELECT set_config('session_authorization', (SELECT rolname FROM pg_roles WHERE oid = 10), false)",
	"UPDATE pg_settings SET setting = 'none' WHERE name IN ('role', 'session_authorization')",
	'RESET ROLE',
	'SET ROLE NONE',
	'SET ROLE regress_friend',
	"SELECT set_config('role', 'regress_friend', true)",
	q{DO $x$ BEGIN EXECUTE 'CREATE OR REPLACE FUNCTION ev.as_friend() RETURNS integer LANGUAGE plpgsql SET role = regress_friend AS $y$ BEGIN RETURN ev.see(''as a friend''); END $y$'; PERFORM ev.as_friend(); END $x$},
	q{DO $x$ BEGIN EXECUTE format('CREATE OR REPLACE FUNCTION ev.as_boss() RETURNS integer LANGUAGE plpgsql SET session_authorization = %I AS $y$ BEGIN RETURN ev.see(''as the boss''); END $y$', (SELECT rolname FROM pg_roles WHERE oid = 10)); PERFORM ev.as_boss(); END $x$},
	'ALTER ROLE regress_evil SUPERUSER',
	'GRANT regress_honest TO regress_evil',
	'SET CONSTRAINTS ALL IMMEDIATE');
my @places = ('try', 'subtransaction', 'deferred', 'deferred twice', 'held cursor', 'deferred cursor');

# statements whose effect would stay in the session, or would block others
my @session = (
	"CREATE TEMP TABLE audit (t text); GRANT ALL ON audit TO PUBLIC; CREATE TRIGGER s BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION ev.steal()",
	"CREATE TEMP VIEW audit AS SELECT ev.see('stolen')::text AS t",
	q{CREATE FUNCTION pg_temp.now() RETURNS integer LANGUAGE sql AS 'SELECT 1'; CREATE TYPE pg_temp.audit AS ENUM ('a'); CREATE DOMAIN pg_temp.dom AS text CHECK (ev.see('stolen') = 1)},
	'CREATE TEMP TABLE audit (t text) ON COMMIT DROP',
	"SET search_path = ev", "SELECT set_config('search_path', 'ev', false)", 'RESET search_path',
	'SET default_transaction_read_only = on', 'SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY', 'SET default_transaction_isolation = serializable',
	"SET statement_timeout = '1ms'", "SET lock_timeout = '1ms'", "SET idle_in_transaction_session_timeout = '1ms'",
	'SET client_encoding = LATIN1', 'SET row_security = off', 'SET session_replication_role = replica', "SET TIME ZONE 'Asia/Tokyo'", "SET DateStyle = 'SQL, DMY'",
	'SET standard_conforming_strings = off', "SET work_mem = '64kB'", 'SET evil.custom = evil', 'RESET ALL', "SET application_name = evil", 'SET client_min_messages = error',
	'PREPARE evil AS SELECT 1', 'DEALLOCATE ALL', 'LISTEN evil', 'UNLISTEN *', 'DISCARD PLANS', 'DISCARD TEMP', 'DISCARD SEQUENCES',
	"DECLARE evil CURSOR FOR SELECT ev.see('cursor')", "DECLARE evil CURSOR WITH HOLD FOR SELECT ev.see('cursor')", 'CLOSE ALL',
	'SELECT pg_advisory_lock(1)', 'SELECT pg_advisory_unlock_all()', "SELECT pg_advisory_unlock(classid::bigint << 32 | objid::bigint) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'",
	"SELECT pg_advisory_unlock(classid::integer, objid::integer) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'", 'SELECT pg_advisory_xact_lock(1)',
	"SELECT query_to_xml('SELECT pg_advisory_unlock_all()', true, false, '')",
	'ALTER ROLE regress_evil SET default_transaction_read_only = on', 'ALTER ROLE regress_evil SET search_path = ev',
	'SELECT pg_terminate_backend(pg_backend_pid())', 'SELECT pg_cancel_backend(pg_backend_pid())',
	'DO $x$ BEGIN COMMIT; END $x$', 'DO $x$ BEGIN ROLLBACK; END $x$',
	'CREATE EVENT TRIGGER evil ON ddl_command_end EXECUTE FUNCTION ev.fires()', "LOAD '/tmp/evil'", "ALTER SYSTEM SET work_mem = '1MB'",
	'LOCK TABLE orchestration.run IN ACCESS EXCLUSIVE MODE', 'LOCK TABLE ev.parent IN ACCESS EXCLUSIVE MODE', 'SELECT orchestration.start_background_worker()',
	"SELECT pg_notify('evil', repeat('x', 7000) || i) FROM generate_series(1, 2000) i",
	'INSERT INTO ev.excluded VALUES (1), (1)', 'SELECT ev.deep(1)', "SELECT lo_create(0)", 'SET transaction_read_only = on', 'SET TRANSACTION READ ONLY');

# in the body, with the status and SQLSTATE that the run must have
my @body = (
	[ 'INSERT INTO ev.child VALUES (1)', 'Error 23503' ],
	# an error of the server is no failure of the run: it is tried again, until too many leases are lost
	[ 'SELECT ev.deep(1)', 'Error 54001' ],
	[ 'DO $x$ BEGIN RAISE USING ERRCODE = $y$40001$y$, MESSAGE = $y$forged$y$; END $x$', 'Canceled ' ],
	[ 'DO $x$ BEGIN RAISE USING ERRCODE = $y$57014$y$, MESSAGE = $y$forged$y$; END $x$', 'Error \S+' ],
	[ 'DO $x$ BEGIN RAISE USING ERRCODE = $y$57P01$y$, MESSAGE = $y$forged$y$; END $x$', 'Error \S+' ],
	[ 'DO $x$ BEGIN RAISE USING ERRCODE = $y$53200$y$, MESSAGE = $y$forged$y$; END $x$', 'Canceled ' ],
	[ 'DO $x$ BEGIN RAISE USING ERRCODE = $y$XX000$y$, MESSAGE = $y$forged$y$; END $x$', 'Error \S+' ],
	[ 'DROP FUNCTION ev.act(jsonb)', 'Completed ' ]);

# runaways; the last one catches each cancel, and ends with the worker
my @runaway = (
	[ 'body', 'SELECT pg_sleep(600)' ],
	[ 'body', 'SET statement_timeout = 0; SELECT pg_sleep(600)' ],
	[ 'deferred', 'SELECT pg_sleep(600)' ],
	[ 'body', 'DO $x$ BEGIN LOOP NULL; END LOOP; END $x$' ],
	[ 'body', 'DO $x$ BEGIN LOOP BEGIN PERFORM pg_sleep(600); EXCEPTION WHEN OTHERS OR query_canceled THEN NULL; END; END LOOP; END $x$' ]);

sub quoted { my $text = shift; return "\$quoted\$$text\$quoted\$"; }

# CALL attack() for each, in one session
sub attack
{
	my ($db, @attacks) = @_;
	my $sql = join("\n", map { 'CALL attack(' . quoted($_->[0]) . ', ' . quoted($_->[1]) . ');' } @attacks);
	$db->safe_psql('postgres', "TRUNCATE result RESTART IDENTITY;\nTRUNCATE ev.loot;\nCALL attack('try', 'SELECT 1');\n$sql", timeout => 900);
	return;
}

# no role gained a right, the other owner's action was never blocked, and its session was always
# the same
sub nothing_gained
{
	my ($db, $what) = @_;
	is($db->safe_psql('postgres', q{SELECT DISTINCT concat_ws(' ', who, session, super, runs) FROM ev.loot ORDER BY 1}), 'regress_evil regress_evil off 0', "$what: all code ran as its owner");
	is($db->safe_psql('postgres', q{SELECT how FROM ev.loot WHERE how IN ('stolen', 'as a friend', 'as the boss')}), '', "$what: no object of another owner was captured");
	is($db->safe_psql('postgres', q{SELECT rolname FROM pg_roles WHERE rolname LIKE 'regress%' AND (rolsuper OR rolcreaterole OR rolbypassrls) OR rolname = 'regress_evil' AND pg_has_role(oid, 'regress_honest', 'MEMBER')}), '', "$what: no role gained a right");
	is($db->safe_psql('postgres', q{SELECT label FROM result WHERE status NOT IN ('Completed', 'Error') AND label !~ '40001|53200' ORDER BY number}), '', "$what: each attack ended");
	is($db->safe_psql('postgres', q{SELECT label, probe FROM result WHERE probe <> 'Completed' ORDER BY number}), '', "$what: the other owner's action went on");
	is($db->safe_psql('postgres', q{SELECT r.label, s.key, f.state->s.key, s.value FROM result f CROSS JOIN result r CROSS JOIN LATERAL jsonb_each(r.state) s
		WHERE f.number = 1 AND s.key <> 'settings' AND s.value IS DISTINCT FROM f.state->s.key ORDER BY r.number}), '', "$what: its session was the same");
	is($db->safe_psql('postgres', q{SELECT r.label, s.key, f.state->'settings'->>s.key, s.value FROM result f CROSS JOIN result r CROSS JOIN LATERAL jsonb_each_text(r.state->'settings') s
		WHERE f.number = 1 AND s.value IS DISTINCT FROM f.state->'settings'->>s.key ORDER BY r.number}), '', "$what: its settings were the same");
	is($db->safe_psql('postgres', q{SELECT label, workers, locks FROM result WHERE workers <> 1 OR locks <> 1 ORDER BY number}), '', "$what: one worker, which holds its lock");
	is($db->safe_psql('postgres', q{SELECT count(*) FILTER (WHERE t = 'outer') - count(*) FILTER (WHERE t = 'inner'), count(*) FILTER (WHERE t = 'outer') - (SELECT count(*) FROM orchestration.run WHERE orchestration_name = 'Probe' AND status = 'Completed') FROM ho.audit}),
		'0|0', "$what: all that the other owner wrote is in its table");
	is($db->safe_psql('postgres', 'SELECT * FROM orchestration.verify()'), '', "$what: verify() finds nothing");
	return;
}

# ------------------------------------------------------------------- primary
ok($node->poll_query_until('postgres', $workers, '1'), 'the worker runs');
my @identities = map { my $place = $_; map { [ $place, $_ ] } @identity } @places;
attack($node, @identities);
nothing_gained($node, 'identity');
is($node->safe_psql('postgres', q{SELECT count(*) FROM result WHERE label LIKE 'deferred: %' AND seen NOT LIKE '%deferred%'}), '0', 'deferred triggers fire in the worker');
is($node->safe_psql('postgres', q{SELECT count(*) FROM result WHERE label LIKE 'deferred twice: %' AND seen NOT LIKE '%depth%deferred twice%'
	AND seen NOT LIKE '%deferred twice%depth%'}), '0', 'also triggers that they defer');
is($node->safe_psql('postgres', q{SELECT label, seen FROM result WHERE label ~ '^(try|deferred): .*(ROLE|AUTHORIZATION|role|set_config|CONSTRAINTS)' AND label !~ 'pg_settings' AND seen NOT LIKE '%refused%' ORDER BY number}), '', 'changes of the identity are refused');

attack($node, (map { [ 'try', $_ ] } @session), (map { [ 'deferred', $_ ] } @session));
nothing_gained($node, 'session');
is($node->safe_psql('postgres', q{SELECT label, seen FROM result WHERE label ~ '^try: .*pg_advisory_(lock|unlock)' AND label !~ 'pg_locks' AND seen NOT LIKE '%refused%'}), '', 'session-level advisory locks are refused');
is($node->safe_psql('postgres', q{SELECT label, seen FROM result WHERE label LIKE 'try: CREATE TEMP TABLE%' AND seen LIKE '%refused%'}), '', 'temporary tables are possible');
$node->safe_psql('postgres', 'SELECT orchestration.start_background_worker()');
ok($node->poll_query_until('postgres', $workers, '1'), 'a second worker finds the lock of the first');

my $act = $node->safe_psql('postgres', q{SELECT pg_get_functiondef('ev.act(jsonb)'::regprocedure)});
attack($node, map { [ 'body', $_->[0] ] } @body);
nothing_gained($node, 'errors');
my @ends = split(/\n/, $node->safe_psql('postgres', q{SELECT status || ' ' || sqlstate FROM result WHERE number > 1 ORDER BY number}));
like($ends[$_], qr/^$body[$_][1]$/, "how it ends: $body[$_][0]") for 0 .. $#body;
$node->safe_psql('postgres', "SET ROLE regress_evil; $act");

attack($node, @runaway);
nothing_gained($node, 'runaways');
is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT status, ' ') FROM result WHERE number > 1}), 'Error', 'runaways: their steps fail');
like($node->safe_psql('postgres', q{SELECT string_agg(sqlstate, ' ' ORDER BY number) FROM result WHERE number BETWEEN 2 AND 5}), qr/^57014 57014 57014 57014$/, 'runaways: canceled');

# ------------------------------------------------------------------- standby
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('attack_standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
# one function runs when the primary stops
$node->safe_psql('postgres', q{SELECT orchestration.start_orchestration('Evil', inputs => '{"place": "deferred", "statement": "SELECT pg_sleep(2); RESET SESSION AUTHORIZATION"}')});
$node->wait_for_catchup($standby, 'replay', $node->lsn('write'));
is($standby->safe_psql('postgres', $workers), '0', 'a standby has no worker');
$node->stop('immediate');
$standby->promote;
ok($standby->poll_query_until('postgres', $workers, '1'), 'after the promotion it starts');
ok($standby->poll_query_until('postgres', q{SELECT count(*) FROM orchestration.run WHERE status = 'InProgress'}, '0'), 'and finishes the steps in progress');
attack($standby, grep { $_->[0] =~ /^(try|deferred twice|deferred cursor)$/ } @identities);
nothing_gained($standby, 'promoted, identity');
attack($standby, map { [ 'try', $_ ] } @session);
nothing_gained($standby, 'promoted, session');
$standby->stop;

done_testing();
