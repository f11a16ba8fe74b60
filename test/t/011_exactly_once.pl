# 011_exactly_once.pl: the effect of a function is committed with its outcome, or not at all: with
# one to three workers, lost leases and canceled runs.  No lease stays behind, and no step fails
# because of another session.  Workers start and end with their databases.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $node = PostgreSQL::Test::Cluster->new('once');
$node->init;
$node->append_conf('postgresql.conf', $ENV{ORCH_TEST_CONF});
$node->append_conf('postgresql.conf', q{
max_worker_processes = 12
});
$node->start;

my $prepare = q{
CREATE EXTENSION orchestration;
CREATE TABLE effect (run uuid, what text, pid integer DEFAULT pg_backend_pid());
CREATE FUNCTION act(i jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    until timestamptz := clock_timestamp() + COALESCE(i->>'seconds', '0')::float8 * '1 second'::interval;
BEGIN
    INSERT INTO effect VALUES ((i->>'run')::uuid, i->>'what');
    WHILE clock_timestamp() < until LOOP
        BEGIN
            PERFORM pg_sleep(extract(epoch FROM until - clock_timestamp()));
        EXCEPTION WHEN query_canceled THEN
            IF i->>'what' <> 'stubborn' THEN RAISE; END IF;
        END;
    END LOOP;
    IF i->>'what' LIKE 'SELECT %' THEN EXECUTE i->>'what' USING (i->>'run')::uuid; END IF;
    RETURN '{}';
END$$;
SELECT orchestration.register_action('Act', 'function', 'act(jsonb)');
SELECT orchestration.deploy_orchestration('{"label": "Once", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}},
    "variables": [{"name": "what", "dataType": "String", "isInput": true, "value": {"stringValue": "plain"}}, {"name": "seconds", "dataType": "Number", "isInput": true}],
    "orchestratedStages": [{"name": "S", "label": "S", "stageSteps": [{"name": "T", "label": "T", "actionName": "Act", "actionType": "stepBackground", "requiresAsyncProcessing": true,
        "inputParameters": [{"name": "run", "value": {"elementReference": "$Orchestration.Instance"}}, {"name": "what", "value": {"elementReference": "what"}},
            {"name": "seconds", "value": {"elementReference": "seconds"}}]}]}]}'::jsonb, 'Once'),
    orchestration.activate_orchestration('Once');
CREATE VIEW state AS SELECT r.id, r.status, (SELECT string_agg(e.what, ' ') FROM effect e WHERE e.run = r.id) AS effects FROM orchestration.run r;
};
my $workers = q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'orchestration worker' AND datname = current_database()};
my $busy = q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'orchestration worker' AND datname = current_database() AND query LIKE 'orchestration: action%' AND state = 'active'};
my $open = q{SELECT count(*) FROM orchestration.run WHERE status = 'InProgress'};

sub start
{
	my ($what, $seconds) = @_;
	return $node->safe_psql('postgres', qq{SELECT orchestration.start_orchestration('Once', inputs => jsonb_build_object('what', '$what', 'seconds', $seconds))});
}

sub state
{
	my $run = shift;
	return $node->safe_psql('postgres', "SELECT status, COALESCE(effects, 'none') FROM state WHERE id = '$run'");
}

# the possible ends of a run: one effect and Completed, or no effect
sub ends_well
{
	my ($run, $name) = @_;
	ok($node->poll_query_until('postgres', $open, '0'), "$name: the run ends");
	ok($node->poll_query_until('postgres', $busy, '0'), "$name: no worker executes it any more");
	like(state($run), qr/^(Completed\|\w+|Error\|none)$/, "$name: one effect, or none");
}

sub leases { return $node->safe_psql('postgres', 'SELECT count(*) FROM orchestration.step_queue WHERE leased_until > now()'); }

$node->safe_psql('postgres', $prepare);

# ------------------------------------------------- functions that outlive their lease
# started by hand and not preloaded: only the lock keeps other workers out
$node->safe_psql('postgres', q{SELECT orchestration.set_retry_policy('Act', 3, '0', timeout => '500 milliseconds')});
$node->safe_psql('postgres', 'SELECT orchestration.start_background_worker()');
my $run = start('stubborn', 2);
ends_well($run, 'one worker');
is(state($run), 'Completed|stubborn', 'one worker: the step took longer than its lease, but no other worker claimed it');

$run = start('stubborn', 3);
ok($node->poll_query_until('postgres', q{SELECT count(*) FROM orchestration.step_queue WHERE leased_until < now()}, '1'), 'a session beside it: the lease ends');
is($node->safe_psql('postgres', 'SELECT orchestration.run_queued_steps(1)'), '1', 'a session beside it: it executes the step');
ends_well($run, 'a session beside it');
is(state($run), 'Completed|stubborn', 'a session beside it: one effect');
is($node->safe_psql('postgres', "SELECT string_agg(outcome::text, ' ') FROM orchestration.step_attempt WHERE run_id = '$run'"), 'TimedOut', 'a session beside it: the attempt of the worker is recorded');

# a trigger on a table of the extension releases the lock of the worker
$node->safe_psql('postgres', q{CREATE FUNCTION unlock() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_unlock_all(); RETURN NULL; END';
	CREATE TRIGGER unlock AFTER UPDATE ON orchestration.step_queue FOR EACH STATEMENT EXECUTE FUNCTION unlock()});
for my $number (2, 3)
{
	my @runs = map { start('stubborn', 3) } 1 .. 2;
	$node->poll_query_until('postgres', $busy, '1');
	$node->safe_psql('postgres', 'SELECT orchestration.start_background_worker()') for 2 .. $number;
	ok($node->poll_query_until('postgres', "SELECT count(*) >= $number FROM pg_stat_activity WHERE backend_type = 'orchestration worker'", 't'), "$number workers: they run");
	ends_well($_, "$number workers") for @runs;
}
$node->safe_psql('postgres', 'DROP TRIGGER unlock ON orchestration.step_queue');
$node->safe_psql('postgres', 'SELECT orchestration.stop_background_worker(); SELECT orchestration.start_background_worker()');
is($node->safe_psql('postgres', $workers), '1', 'afterwards there is one worker');
$node->safe_psql('postgres', q{SELECT orchestration.set_retry_policy('Act', 3, '0')});

# --------------------------------------------------- runs that end meanwhile
for my $way ('SELECT orchestration.cancel_run(%s)', q{UPDATE orchestration.run SET status = 'Canceled' WHERE id = %s},
	q{UPDATE orchestration.stage_run SET status = 'Completed' WHERE run_id = %s})
{
	$run = start('plain', 600);
	ok($node->poll_query_until('postgres', $busy, '1'), "$way: the function runs");
	$node->safe_psql('postgres', sprintf($way, "'$run'"));
	ok($node->poll_query_until('postgres', $busy, '0'), "$way: it is interrupted");
	is($node->safe_psql('postgres', "SELECT count(*) FROM effect WHERE run = '$run'"), '0', "$way: its writes are undone");
}
$run = start('plain', 2);
ok($node->poll_query_until('postgres', $busy, '1'), 'suspended: the function runs');
$node->safe_psql('postgres', "SELECT orchestration.suspend_run('$run')");
ok($node->poll_query_until('postgres', $busy, '0'), 'suspended: it ends');
is(state($run), 'Suspended|plain', 'suspended: its outcome is pending');
$node->safe_psql('postgres', "SELECT orchestration.resume_run('$run')");
is(state($run), 'Completed|plain', 'suspended: and applied by the resume');
$run = start('SELECT orchestration.cancel_run($1)', 0);
ok($node->poll_query_until('postgres', $open, '0'), 'a function that cancels its own run');
is(state($run), 'Canceled|SELECT orchestration.cancel_run($1)', 'keeps its writes');
# a signal for an earlier function that arrives too late
$run = start('plain', 2);
ok($node->poll_query_until('postgres', $busy, '1'), 'a signal for another: the function runs');
kill 'USR2', $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'orchestration worker'});
ends_well($run, 'a signal for another');
is($node->safe_psql('postgres', "SELECT status, effects, (SELECT count(*) FROM orchestration.step_attempt WHERE run_id = id) FROM state WHERE id = '$run'"),
	'Completed|plain|0', 'a signal for another: it starts again, and the attempt does not count');

# ------------------------------------------------------------ no lease stays behind
# settings of the database do not reach the worker
$node->safe_psql('postgres', q{ALTER DATABASE postgres SET lock_timeout = '100ms'; ALTER DATABASE postgres SET statement_timeout = '100ms'; ALTER DATABASE postgres SET exit_on_error = on; ALTER DATABASE postgres SET transform_null_equals = on});
$node->safe_psql('postgres', 'SET statement_timeout = 0; SELECT orchestration.stop_background_worker(); SELECT orchestration.start_background_worker()');
$run = start('plain', 3);
ok($node->poll_query_until('postgres', $busy, '1'), 'a locked run: the function runs');
$node->safe_psql('postgres', "SET statement_timeout = 0; BEGIN; SELECT FROM orchestration.run WHERE id = '$run' FOR UPDATE; SELECT pg_sleep(6); COMMIT");
ends_well($run, 'a locked run');
is(state($run), 'Completed|plain', 'a locked run: one effect');
$node->safe_psql('postgres', "ALTER DATABASE postgres RESET $_") for qw(lock_timeout statement_timeout exit_on_error transform_null_equals);
# neither the outcome nor the failure can be recorded, as on a full disk:
$node->safe_psql('postgres', q{CREATE TABLE full_disk ();
	CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF to_regclass('public.full_disk') IS NOT NULL THEN RAISE 'no space left' USING ERRCODE = 'disk_full'; END IF; RETURN NEW; END$$;
	CREATE TRIGGER full_disk BEFORE UPDATE ON orchestration.step_run FOR EACH ROW WHEN (OLD.status = 'InProgress') EXECUTE FUNCTION full_disk()});
$run = start('plain', 0);
ok($node->poll_query_until('postgres', q{SELECT attempt > 1 OR lease_id IS NULL AND attempt = 1 FROM orchestration.step_queue}, 't'), 'a full disk: the lease is given back');
is($node->safe_psql('postgres', q{SELECT lost, failures FROM orchestration.step_queue}), '0|0', 'a full disk: the step does not fail');
$node->safe_psql('postgres', 'DROP TABLE full_disk');
ends_well($run, 'a full disk');
is(state($run), 'Completed|plain', 'a full disk: later it ends');
$node->safe_psql('postgres', 'DROP FUNCTION full_disk() CASCADE');
# conflicts with other sessions
$node->safe_psql('postgres', 'CREATE SEQUENCE tries');
$node->safe_psql('postgres', q{CREATE FUNCTION raise(uuid) RETURNS void LANGUAGE plpgsql AS $$BEGIN
	IF nextval('tries') <= 8 THEN RAISE 'not serializable' USING ERRCODE = CASE WHEN currval('tries') % 2 = 0 THEN 'serialization_failure' ELSE 'deadlock_detected' END; END IF; END$$});
$run = start('SELECT raise($1)', 0);
ok($node->poll_query_until('postgres', $open, '0'), 'eight deadlocks and serialization failures: the run ends');
is($node->safe_psql('postgres', "SELECT status, effects FROM state WHERE id = '$run'"), 'Completed|SELECT raise($1)', 'and its step does not fail');
# terminated in the middle
$run = start('plain', 3);
ok($node->poll_query_until('postgres', $busy, '1'), 'terminated: the function runs');
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE backend_type = 'orchestration worker'});
is(leases(), '0', 'terminated: no lease stays behind');
ends_well($run, 'terminated');
is(state($run), 'Completed|plain', 'terminated: one effect');
# a lease of a worker that has ended
$run = start('plain', 0);
is($node->safe_psql('postgres', q{SELECT orchestration.stop_background_worker()}), 't', 'stopped');
$run = start('plain', 0);
$node->safe_psql('postgres', q{UPDATE orchestration.step_queue SET worker = 'background worker 1', lease_id = orchestration.new_id(), claimed_at = now(), leased_until = now() + '1 hour'});
like($node->safe_psql('postgres', q{SELECT detail FROM orchestration.needs_attention() WHERE kind = 'held_lease'}), qr/^background worker 1 has a lease on it until/, 'needs_attention() lists the lease of a worker that has ended');
$node->safe_psql('postgres', q{SELECT orchestration.start_background_worker()});
ends_well($run, 'the next worker finds it');

# ---------------------------------------- no session stops others from their steps
# a transaction that stays open with locks, until release()
my @holders;
sub hold
{
	my $sql = shift;
	push @holders, IPC::Run::start([ 'psql', '-qXd', $node->connstr('postgres'), '-c', "BEGIN; $sql; SELECT 'held', pg_sleep(3000)" ], '>', \my $out, '2>', \my $err);
	ok($node->poll_query_until('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%''held''%' AND state = 'active' AND wait_event = 'PgSleep' AND pid <> pg_backend_pid()}, '1'), "held: $sql");
}
sub release
{
	$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE query LIKE '%''held''%' AND pid <> pg_backend_pid()});
	(pop @holders)->finish;
}
sub goes_on
{
	my $name = shift;
	my $other = start('plain', 0);
	ok($node->poll_query_until('postgres', "SELECT status FROM state WHERE id = '$other'", 'Completed'), "$name: another run goes on");
}
# with the run
$run = start('plain', 3);
ok($node->poll_query_until('postgres', $busy, '1'), 'a user holds the run: the function runs');
hold("SELECT FROM orchestration.run WHERE id = '$run' FOR UPDATE");
goes_on('a user holds the run');
is(state($run), 'InProgress|none', 'a user holds the run: its function has no effect yet');
release();
ends_well($run, 'a user holds the run');
# with the row in the queue, when the lease is to be given back
$node->safe_psql('postgres', q{ALTER SEQUENCE tries RESTART; CREATE FUNCTION conflicts(uuid) RETURNS void LANGUAGE plpgsql AS $$BEGIN
	IF nextval('tries') = 1 THEN RAISE 'not serializable' USING ERRCODE = 'serialization_failure'; END IF; END$$});
$run = start('SELECT conflicts($1)', 3);
ok($node->poll_query_until('postgres', $busy, '1'), 'a user holds the step: the function runs');
hold("SELECT FROM orchestration.step_queue WHERE run_id = '$run' FOR UPDATE");
ok($node->poll_query_until('postgres', $busy, '0'), 'a user holds the step: the function is rolled back');
goes_on('a user holds the step');
release();
ok($node->poll_query_until('postgres', $open, '0'), 'a user holds the step: the run ends');
is(state($run), 'Completed|SELECT conflicts($1)', 'a user holds the step: no lease stays behind');
# an action that the outcome starts
$node->safe_psql('postgres', q{SELECT orchestration.set_retry_policy('Act', 3, '0', timeout => '2 seconds');
CREATE FUNCTION sleeps(jsonb) RETURNS jsonb LANGUAGE sql AS $$SELECT pg_sleep(3000); SELECT '{}'::jsonb$$;
SELECT orchestration.register_action('Sleeps', 'function', 'sleeps(jsonb)');
SELECT orchestration.deploy_orchestration('{"label": "Then", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}}, "orchestratedStages": [
    {"name": "S", "label": "S", "connector": {"targetReference": "U"}, "stageSteps": [{"name": "T", "label": "T", "actionName": "Act", "actionType": "stepBackground", "requiresAsyncProcessing": true}]},
    {"name": "U", "label": "U", "stageSteps": [{"name": "V", "label": "V", "actionName": "Sleeps", "actionType": "stepBackground"}]}]}'::jsonb, 'Then'),
    orchestration.activate_orchestration('Then')});
$run = $node->safe_psql('postgres', q{SELECT orchestration.start_orchestration('Then')});
ok($node->poll_query_until('postgres', $busy, '1'), 'an action after the function: it runs');
goes_on('an action after the function');
is($node->safe_psql('postgres', "SELECT status FROM orchestration.run WHERE id = '$run'"), 'InProgress', 'an action after the function: it ends no step');
ok($node->poll_query_until('postgres', q{WITH now AS (UPDATE orchestration.step_queue SET available_at = now() WHERE lease_id IS NULL RETURNING attempt) SELECT bool_or(attempt > 1) FROM now}, 't'), 'an action after the function: it is tried again');
is($node->safe_psql('postgres', "SELECT orchestration.cancel_run('$run')"), 't', 'an action after the function: until the run is canceled');
$node->safe_psql('postgres', q{SELECT orchestration.set_retry_policy('Act', 3, '0')});
# a worker that has just been started
is($node->safe_psql('postgres', q{SELECT orchestration.stop_background_worker(); SELECT orchestration.start_background_worker() > 0; SELECT orchestration.stop_background_worker()}), "t\nt\nt", 'a worker that has just been started is stopped');
is($node->safe_psql('postgres', $workers), '0', 'and has ended');
$node->safe_psql('postgres', 'SELECT orchestration.start_background_worker()');

# ---------------------------------------------------------------- one broken run
$node->safe_psql('postgres', q{SELECT orchestration.stop_background_worker()});
$node->safe_psql('postgres', q{UPDATE orchestration.action SET max_attempts = 1});
my $broken = start('plain', 0);
my $worn = start('plain', 0);
my $good = start('plain', 0);
$node->safe_psql('postgres', qq{SET session_replication_role = replica;
	UPDATE orchestration.run SET version_id = orchestration.new_id() WHERE id IN ('$broken', '$worn');
	UPDATE orchestration.step_queue SET worker = 'w', lease_id = orchestration.new_id(), lost = 100, claimed_at = now() - interval '1 hour', leased_until = now() - interval '1 minute' WHERE run_id = '$worn'});
like($node->safe_psql('postgres', q{SELECT string_agg(detail, ', ') FROM orchestration.needs_attention() WHERE kind = 'unmovable_run'}), qr/^it cannot be moved: there is no orchestration version [-0-9a-f]+, it cannot be moved: /, 'needs_attention() names broken runs');
my ($done, $out, $err) = $node->psql('postgres', 'SELECT orchestration.run_queued_steps()');
is($out, '1', 'run_queued_steps() goes on with the others');
like($err, qr/WARNING:  step "T" of run OR-\d+ is passed over: there is no orchestration version/, 'and names it');
is(state($good), 'Completed|plain', 'the other run is Completed');
$good = start('plain', 0);
$node->safe_psql('postgres', q{UPDATE orchestration.step_queue SET available_at = now() - interval '1 hour'; SELECT orchestration.start_background_worker()});
ok($node->poll_query_until('postgres', "SELECT status FROM orchestration.run WHERE id = '$good'", 'Completed'), 'so does the background worker');
is($node->safe_psql('postgres', "SELECT count(*) FROM effect WHERE run IN ('$broken', '$worn')"), '0', 'functions of broken runs have no effect');
is($node->safe_psql('postgres', "SELECT orchestration.cancel_run('$broken')"), 't', 'a broken run can be canceled');
is($node->safe_psql('postgres', "SELECT r.accepted, r.reason FROM orchestration.step_run t, orchestration.complete_steps(jsonb_build_array(jsonb_build_object('step_id', t.id, 'lease_id', t.id))) r WHERE t.run_id = '$worn'") =~ /^f\|the run cannot be moved: there is no orchestration version/, 1, 'only the results of that run are refused');
$node->safe_psql('postgres', qq{SET session_replication_role = replica; DELETE FROM orchestration.step_queue; DELETE FROM orchestration.step_attempt; DELETE FROM orchestration.run_log; DELETE FROM orchestration.field_change; DELETE FROM orchestration.step_run; DELETE FROM orchestration.stage_run; DELETE FROM orchestration.run; SELECT orchestration.rebuild_open_runs()});
is($node->safe_psql('postgres', q{SELECT count(*) FROM orchestration.verify()}), '0', 'verify() finds nothing');
$node->safe_psql('postgres', q{UPDATE orchestration.action SET max_attempts = 3});

# -------------------------------------------------------------- it starts and it ends
$run = start('plain', 600);
ok($node->poll_query_until('postgres', $busy, '1'), 'stop: the function runs');
is($node->safe_psql('postgres', q{SELECT orchestration.stop_background_worker()}), 't', 'stop: there was a worker');
is($node->safe_psql('postgres', $workers), '0', 'stop: it has ended when the call returns');
is($node->safe_psql('postgres', q{SELECT lease_id IS NULL, lost, failures FROM orchestration.step_queue}), 't|0|0', 'stop: its step waits, and the attempt does not count');
is($node->safe_psql('postgres', q{SELECT orchestration.stop_background_worker()}), 'f', 'stop: there was no worker');
$node->safe_psql('postgres', "SELECT orchestration.cancel_run('$run'); SELECT orchestration.start_background_worker()");
$node->safe_psql('postgres', q{DROP EXTENSION orchestration CASCADE});
ok($node->poll_query_until('postgres', $workers, '0'), 'DROP EXTENSION: the worker ends');
$node->safe_psql('postgres', q{CREATE DATABASE forced});
$node->safe_psql('forced', 'CREATE EXTENSION orchestration; SELECT orchestration.start_background_worker()');
$node->safe_psql('postgres', 'DROP DATABASE forced WITH (FORCE)');
my $missing = qr/database \d+ does not exist/;
my $log = -s $node->logfile;
for (1 .. 100) { last if slurp_file($node->logfile) =~ $missing; usleep(100_000); }
like(slurp_file($node->logfile), $missing, 'DROP DATABASE WITH (FORCE): the worker finds no database');
$log = -s $node->logfile;

# preloaded: databases that do not exist yet, or have no extension yet
$node->append_conf('postgresql.conf', q{
shared_preload_libraries = 'orchestration'
orchestration.worker_databases = 'later, nowhere'
orchestration.worker_naptime = '1h'
});
$node->restart;
$node->poll_query_until('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'orchestration launcher'}, '1');
$node->safe_psql('postgres', q{CREATE DATABASE later});
usleep(1_500_000);
$node->safe_psql('later', $prepare);
my $late = $node->safe_psql('later', q{SELECT orchestration.start_orchestration('Once')});
ok($node->poll_query_until('later', $workers, '1'), 'CREATE EXTENSION, and the first function: the launcher starts the worker');
ok($node->poll_query_until('later', $open, '0'), 'which executes it');
is($node->safe_psql('later', q{SELECT orchestration.stop_background_worker()}), 't', 'a listed database: stopped');
$node->safe_psql('later', q{SELECT orchestration.start_orchestration('Once')});
usleep(1_500_000);
is($node->safe_psql('later', $workers), '0', 'a listed database: the launcher does not start it again');
$node->safe_psql('later', q{SELECT orchestration.start_background_worker()});
ok($node->poll_query_until('later', $open, '0'), 'a listed database: the call does');
$node->safe_psql('later', 'DROP EXTENSION orchestration CASCADE');
ok($node->poll_query_until('later', $workers, '0'), 'DROP EXTENSION wakes the worker, which sleeps for an hour');
$node->safe_psql('postgres', 'DROP DATABASE later');
my $tail = substr(slurp_file($node->logfile), $log);
my $said = () = $tail =~ /database "nowhere" of "orchestration.worker_databases" does not exist/g;
is($said, 1, 'a missing database is reported once');
is(() = $tail =~ /FATAL/g, 0, 'and no worker fails') or diag($tail);
$node->stop;
done_testing();
