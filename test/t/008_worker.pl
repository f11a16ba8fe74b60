# 008_worker.pl: the background worker, preloaded and started by hand; kill -9 under load,
# shutdown, promotion of a standby; the example workers.

use strict;
use warnings;
use File::Basename;
use File::Copy;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::RecursiveCopy;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $examples = dirname(__FILE__) . '/examples';

my $node = PostgreSQL::Test::Cluster->new('worker');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', $ENV{ORCH_TEST_CONF});
$node->append_conf('postgresql.conf', q{
restart_after_crash = on
max_worker_processes = 12
});
$node->start;

my $prepare = q{
CREATE EXTENSION orchestration;
CREATE TABLE trace (run uuid, n integer, pid integer DEFAULT pg_backend_pid());
CREATE FUNCTION act(i jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO trace VALUES ((i->>'run')::uuid, (i->>'n')::integer);
    PERFORM pg_sleep((i->>'seconds')::double precision);
    IF i->>'fail' = 'true' THEN RAISE EXCEPTION 'it fails' USING DETAIL = 'a detail'; END IF;
    RETURN i;
END$$;
SELECT orchestration.register_action('Act', 'function', 'act(jsonb)');
SELECT orchestration.register_action('Example_Double', 'worker'), orchestration.register_action('Example_Slow', 'worker');
SELECT orchestration.set_retry_policy('Example_Double', 2, '10 milliseconds');
CREATE FUNCTION deploy(name text, action text, steps integer) RETURNS integer LANGUAGE sql AS $$
    SELECT orchestration.deploy_orchestration(jsonb_build_object('label', $1, 'processType', 'Orchestrator',
        'start', '{"connector": {"targetReference": "S1"}}'::jsonb,
        'variables', '[{"name": "seconds", "dataType": "Number", "isInput": true, "value": {"numberValue": 0}}, {"name": "fail", "dataType": "Boolean", "isInput": true}]'::jsonb,
        'orchestratedStages', (SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('name', 'S' || n, 'label', 'S' || n,
            'connector', CASE WHEN n < $3 THEN jsonb_build_object('targetReference', 'S' || n + 1) END,
            'stageSteps', jsonb_build_array(jsonb_build_object('name', 'T' || n, 'label', 'T' || n, 'actionType', 'stepBackground', 'actionName', $2,
                'requiresAsyncProcessing', true, 'inputParameters', jsonb_build_array(
                    jsonb_build_object('name', 'run', 'value', '{"elementReference": "$Orchestration.Instance"}'::jsonb),
                    jsonb_build_object('name', 'n', 'value', jsonb_build_object('numberValue', n)),
                    jsonb_build_object('name', 'fail', 'value', '{"elementReference": "fail"}'::jsonb),
                    jsonb_build_object('name', 'seconds', 'value', '{"elementReference": "seconds"}'::jsonb))))))) FROM generate_series(1, $3) n)), $1) $$;
SELECT deploy('Functions', 'Act', 3), deploy('Doubles', 'Example_Double', 3), deploy('Slow', 'Example_Slow', 1);
SELECT orchestration.activate_orchestration('Functions'), orchestration.activate_orchestration('Doubles'), orchestration.activate_orchestration('Slow');
};
$node->safe_psql('postgres', $prepare);

my $workers = q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'orchestration worker' AND datname = 'postgres'};
my $open = q{SELECT count(*) FROM orchestration.run WHERE status = 'InProgress'};
# each step of each run once, in order
my $exact = q{SELECT count(*) FILTER (WHERE times <> 1 OR NOT ordered), count(*) FROM (
    SELECT t.run, t.n, count(*) AS times, true AS ordered FROM trace t GROUP BY 1, 2) x};

# ------------------------------------------------------------ started by hand
my $pid = $node->safe_psql('postgres', 'SELECT orchestration.start_background_worker()');
ok($node->poll_query_until('postgres', "$workers", '1'), 'a worker started by hand shows in pg_stat_activity');
# more workers than max_worker_processes
$node->safe_psql('postgres', 'SELECT orchestration.start_background_worker() FROM generate_series(1, 50)');
usleep(500_000);
is($node->safe_psql('postgres', $workers), '1', 'a second worker for the same database ends without an error');
$node->safe_psql('postgres', q{SELECT count(orchestration.start_orchestration('Functions')) FROM generate_series(1, 20)});
ok($node->poll_query_until('postgres', $open, '0'), 'it executes functions');
is($node->safe_psql('postgres', q{SELECT status, count(*) FROM orchestration.run GROUP BY 1}), 'Completed|20', 'all runs are Completed');
is($node->safe_psql('postgres', $exact), '0|60', 'each function ran once');
is($node->safe_psql('postgres', q{SELECT count(*) FROM orchestration.engine_stats() WHERE kind = 'counter'}), '0', 'without preload there are no counters');

# a function that changes its run's own record, at once and in a deferred trigger: the change
# starts no further run
$node->safe_psql('postgres', q{
CREATE TABLE own (id integer PRIMARY KEY, n integer NOT NULL DEFAULT 0);
CREATE TABLE own_log (id integer);
CREATE FUNCTION own_later() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE own SET n = n + 10 WHERE id = NEW.id; RETURN NULL; END';
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON own_log DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION own_later();
CREATE FUNCTION act_own(i jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    UPDATE own SET n = n + 1 WHERE id = (i->>'id')::integer;
    INSERT INTO own_log VALUES ((i->>'id')::integer);
    RETURN '{}';
END$$;
SELECT orchestration.register_action('Act_Own', 'function', 'act_own(jsonb)'), orchestration.register_record_type('Own', 'own');
SELECT orchestration.deploy_orchestration('{"label": "Own", "fullName": "Own", "processType": "Orchestrator",
    "start": {"object": "Own", "triggerType": "RecordAfterSave", "recordTriggerType": "CreateAndUpdate", "connector": {"targetReference": "S"}},
    "orchestratedStages": [{"name": "S", "label": "S", "stageSteps": [{"name": "T", "label": "T", "actionType": "stepBackground", "actionName": "Act_Own",
        "requiresAsyncProcessing": true, "inputParameters": [{"name": "id", "value": {"elementReference": "$Record.Id"}}]}]}]}'::jsonb);
SELECT orchestration.activate_orchestration('Own');
INSERT INTO own VALUES (1), (2);
});
ok($node->poll_query_until('postgres', $open, '0'), 'it executes functions that change their own records');
is($node->safe_psql('postgres', q{SELECT (SELECT count(*) FROM orchestration.run WHERE orchestration_name = 'Own'), string_agg(n::text, ' ') FROM own}), '2|11 11', 'and none starts its own orchestration again');
$node->safe_psql('postgres', q{SELECT orchestration.deactivate_orchestration('Own'); DELETE FROM orchestration.run WHERE orchestration_name = 'Own'});

# its activity is shown, a failure is recorded in full, and the worker goes on
$node->safe_psql('postgres', q{SELECT orchestration.start_orchestration('Functions', inputs => '{"seconds": 3}')});
ok($node->poll_query_until('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'orchestration worker'
    AND state = 'active' AND query LIKE 'orchestration: action "Act" of step "T1" of run OR-%'}, '1'), 'pg_stat_activity shows its activity');
$node->safe_psql('postgres', q{SELECT orchestration.cancel_run(id) FROM orchestration.run WHERE status = 'InProgress'});
$node->safe_psql('postgres', q{SELECT orchestration.start_orchestration('Functions', inputs => '{"fail": true}')});
ok($node->poll_query_until('postgres', q{SELECT status FROM orchestration.run ORDER BY id DESC LIMIT 1}, 'Error'), 'a function that fails fails its step');
is($node->safe_psql('postgres', q{SELECT error->>'message', error->>'sqlstate', error->>'detail', error->>'context' LIKE '%act(jsonb)%' FROM orchestration.step_run WHERE status = 'Error'}),
	'it fails|P0001|a detail|t', 'message, SQLSTATE, detail and context are kept');
$node->safe_psql('postgres', q{SELECT orchestration.cancel_run(id) FROM orchestration.run WHERE status = 'InProgress'});

# a timeout
$node->safe_psql('postgres', q{SELECT orchestration.set_retry_policy('Act', 1, timeout => '200 milliseconds');
	SELECT orchestration.start_orchestration('Functions', inputs => '{"seconds": 60}')});
ok($node->poll_query_until('postgres', q{SELECT status FROM orchestration.run ORDER BY id DESC LIMIT 1}, 'Error'), 'a function that takes too long is canceled');
is($node->safe_psql('postgres', q{SELECT error->>'sqlstate' FROM orchestration.run ORDER BY id DESC LIMIT 1}), '57014', 'and its step fails');
$node->safe_psql('postgres', q{SELECT orchestration.set_retry_policy('Act', 3, '10 milliseconds', jitter => 0)});

# an error outside of functions ends a transaction, not the worker
$node->safe_psql('postgres', q{SELECT orchestration.cancel_run(id) FROM orchestration.run WHERE status = 'InProgress'});
$pid = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'orchestration worker'});
my $trouble = -s $node->logfile;
$node->safe_psql('postgres', q{
CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trouble in the queue'; END$$;
CREATE TRIGGER trouble BEFORE UPDATE ON orchestration.step_queue FOR EACH ROW EXECUTE FUNCTION trouble();
SELECT orchestration.start_orchestration('Functions')});
ok($node->poll_query_until('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'orchestration worker' AND query = 'orchestration: waiting after an error'}, '1'),
	'after an error it waits');
like(slurp_file($node->logfile, $trouble), qr/ERROR:  trouble in the queue/, 'which it has reported');
is($node->safe_psql('postgres', $open), '1', 'nothing was claimed');
$node->safe_psql('postgres', 'DROP TRIGGER trouble ON orchestration.step_queue');
ok($node->poll_query_until('postgres', $open, '0'), 'and it goes on when the reason is gone');
is($node->safe_psql('postgres', q{SELECT status FROM orchestration.run ORDER BY id DESC LIMIT 1}), 'Completed', 'with what it could not claim');
$trouble = -s $node->logfile;
is($node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)"), 't', 'it is canceled while it has nothing to do');
$node->safe_psql('postgres', q{SELECT orchestration.start_orchestration('Functions')});
ok($node->poll_query_until('postgres', $open, '0'), 'another run is carried out');
like(slurp_file($node->logfile, $trouble), qr/canceling statement due to user request/, 'after the error');
is($node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'orchestration worker'}), $pid, 'by the same worker');

# ------------------------------------------------------------------ preloaded
$node->append_conf('postgresql.conf', q{
shared_preload_libraries = 'orchestration'
orchestration.worker_databases = 'postgres'
orchestration.worker_naptime = '20s'
});
my $begin = time;
$node->safe_psql('postgres', q{SELECT orchestration.start_orchestration('Functions', inputs => '{"seconds": 30}')});
ok($node->poll_query_until('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'orchestration worker' AND query LIKE 'orchestration: action%'}, '1'), 'it is at work');
$node->restart;
ok(time - $begin < 25, 'a shutdown does not wait for it');
ok($node->poll_query_until('postgres', $workers, '1'), 'preloaded, it starts with the server');
ok($node->poll_query_until('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'orchestration worker' AND query LIKE 'orchestration: action%'}, '1'), 'and claims the steps that the last worker left');
is($node->safe_psql('postgres', q{SELECT outcome FROM orchestration.step_attempt a JOIN orchestration.run r ON r.id = a.run_id WHERE r.status = 'InProgress'}), 'LeaseLost', 'the lost attempt is recorded');
$node->safe_psql('postgres', q{SELECT orchestration.cancel_run(id) FROM orchestration.run WHERE status = 'InProgress'});
$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'orchestration worker'});
ok($node->poll_query_until('postgres', $workers, '1'), 'terminated, it is started again');
$node->safe_psql('postgres', 'TRUNCATE trace');
$begin = time;
$node->safe_psql('postgres', q{SELECT count(orchestration.start_orchestration('Functions')) FROM generate_series(1, 5)});
ok($node->poll_query_until('postgres', $open, '0'), 'it executes functions');
ok(time - $begin < 15, 'a commit wakes it, long before its naptime is over');
is($node->safe_psql('postgres', $exact), '0|15', 'each function ran once');
is($node->safe_psql('postgres', q{SELECT string_agg(name || ' ' || value, ', ' ORDER BY name) FROM orchestration.engine_stats() WHERE kind = 'counter' AND name IN ('runs_started', 'runs_completed')}),
	'runs_completed 5, runs_started 5', 'counters');

# killed repeatedly under load: no step is lost, none is executed twice
for my $round (1 .. 3)
{
	$node->safe_psql('postgres', q{SELECT count(orchestration.start_orchestration('Functions', inputs => '{"seconds": 0.01}')) FROM generate_series(1, 20)});
	usleep(100_000 + 200_000 * rand);
	my $victim = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'orchestration worker'});
	kill 'KILL', $victim if $victim;
	ok($node->poll_query_until('postgres', undef, ''), "killed, round $round: the server comes back");
}
ok($node->poll_query_until('postgres', $open, '0'), 'all runs end');
is($node->safe_psql('postgres', $exact), '0|195', 'each function had its effect once');
is($node->safe_psql('postgres', q{SELECT count(*) FROM orchestration.verify()}), '0', 'verify() finds nothing');

# ------------------------------------------------------------------ a standby
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->safe_psql('postgres', q{SELECT count(orchestration.start_orchestration('Functions', inputs => '{"seconds": 0.2}')) FROM generate_series(1, 10)});
$node->wait_for_catchup($standby, 'replay', $node->lsn('write'));
is($standby->safe_psql('postgres', $workers), '0', 'a standby has no worker');
is($standby->safe_psql('postgres', q{SELECT orchestration.query('SELECT Id FROM FlowOrchestrationInstance LIMIT 5') ->> 'totalSize'}), '5', 'query() works on it');
my $more = q{SELECT orchestration.query('SELECT Id FROM FlowOrchestrationStepInstance', batch_size => 200) ->> 'nextRecordsUrl'};
my $locator = $node->safe_psql('postgres', $more);
$standby->psql('postgres', $more, stderr => \my $refused);
like($refused, qr/ERROR:  the query has more than 200 records, and a read-only transaction cannot keep further pages\nHINT:/, 'if the result fits one page');
$standby->psql('postgres', "SELECT orchestration.query_more('$locator')", stderr => \$refused);
like($refused, qr/ERROR:  a standby server does not have the pages of queries\nHINT:/, 'query_more() is refused');
$node->stop('immediate');
$standby->promote;
ok($standby->poll_query_until('postgres', $workers, '1'), 'after the promotion it starts');
ok($standby->poll_query_until('postgres', $open, '0'), 'and goes on where the primary stopped');
is($standby->safe_psql('postgres', $exact), '0|225', 'each function had its effect once');
is($standby->safe_psql('postgres', q{SELECT count(*) FROM orchestration.verify()}), '0', 'verify() finds nothing');

# ------------------------------------------------------------------- examples
my $db = $standby;
my @workers;
my %commands = (python => [ '/usr/bin/python3', "$examples/python/examples/worker.py" ]);
my $modules = PostgreSQL::Test::Utils::tempdir();
PostgreSQL::Test::RecursiveCopy::copypath("$examples/node", "$modules/node");
my $npm = system("cd $modules/node && HOME=$modules npm install --no-audit --no-fund >npm.log 2>&1");
is($npm, 0, 'npm install');
$commands{node} = [ 'node', "$modules/node/examples/worker.js" ];
for my $language (sort keys %commands)
{
	local %ENV = (%ENV, PGHOST => $db->host, PGPORT => $db->port, PGDATABASE => 'postgres', PGUSER => $ENV{USER} // getpwuid($<), POLL => 60, LEASE => 1,
		PYTHONPATH => "$examples/python", PYTHONDONTWRITEBYTECODE => 1);
	my ($out, $err) = ('', '');
	my $worker = IPC::Run::start([ @{ $commands{$language} }, 'Example_Double', 'Example_Slow' ], '>', \$out, '2>', \$err);
	ok(pump_until($worker, IPC::Run::timeout(60), \$out, qr/works on/), "$language: it starts");
	$db->safe_psql('postgres', q{SELECT count(orchestration.start_orchestration('Doubles')) FROM generate_series(1, 30)});
	ok($db->poll_query_until('postgres', $open, '0'), "$language: the runs end");
	is($db->safe_psql('postgres', q{SELECT count(*) FROM orchestration.step_run t JOIN orchestration.run r ON r.id = t.run_id
	    WHERE r.orchestration_name = 'Doubles' AND r.status = 'Completed' AND (t.outputs->>'double')::int = 2 * substr(t.name, 2)::int}), $language eq 'node' ? '90' : '180', "$language: with the right outputs");
	# it waits for a notification: POLL is a minute
	usleep(300_000);
	$begin = time;
	$db->safe_psql('postgres', q{SELECT orchestration.start_orchestration('Doubles')});
	ok($db->poll_query_until('postgres', $open, '0'), "$language: idle, it is woken");
	ok(time - $begin < 20, "$language: at once");
	$db->safe_psql('postgres', q{DELETE FROM orchestration.run WHERE id = (SELECT id FROM orchestration.run ORDER BY id DESC LIMIT 1)});
	# also just after it polled
	my $last = $db->safe_psql('postgres', q{SELECT max(name) FROM orchestration.run});
	$begin = time;
	for (1 .. 10)
	{
		$db->safe_psql('postgres', q{SELECT orchestration.start_orchestration('Doubles')});
		$db->poll_query_until('postgres', $open, '0');
	}
	ok(time - $begin < 30, "$language: each time");
	$db->safe_psql('postgres', "DELETE FROM orchestration.run WHERE name > '$last'");
	# a step longer than the lease: the heartbeat extends the lease; a stop lets the step finish
	$db->safe_psql('postgres', q{SELECT orchestration.start_orchestration('Slow', inputs => '{"seconds": 3}')});
	ok($db->poll_query_until('postgres', q{SELECT count(*) FROM orchestration.step_queue WHERE lease_id IS NOT NULL}, '1'), "$language: a long step is claimed");
	usleep(500_000);
	$worker->signal('TERM');
	$worker->finish;
	is($worker->result(0), 0, "$language: stopped, it ends well");
	like($out, qr/goes/, "$language: gracefully") or diag($err);
	is($db->safe_psql('postgres', q{SELECT r.status, t.attempt, (SELECT count(*) FROM orchestration.step_attempt a WHERE a.run_id = r.id)
	    FROM orchestration.run r JOIN orchestration.step_run t ON t.run_id = r.id ORDER BY r.id DESC LIMIT 1}), 'Completed|1|0', "$language: and what it had is done, in one attempt");
	# an unknown action is tried as often as its policy says, then the step fails
	$db->safe_psql('postgres', q{SELECT orchestration.register_action('Unknown', 'worker', topic => 'Example_Double'); SELECT orchestration.set_retry_policy('Unknown', 2, '10 milliseconds');
	    SELECT deploy('Unknowns', 'Unknown', 1), orchestration.activate_orchestration('Unknowns')});
	my $again = IPC::Run::start([ @{ $commands{$language} }, 'Example_Double' ], '>', \$out, '2>', \$err);
	$db->safe_psql('postgres', q{SELECT orchestration.start_orchestration('Unknowns')});
	ok($db->poll_query_until('postgres', q{SELECT status FROM orchestration.run ORDER BY id DESC LIMIT 1}, 'Error'), "$language: a failure fails the step");
	is($db->safe_psql('postgres', q{SELECT count(*) FROM orchestration.step_attempt a JOIN orchestration.run r ON r.id = a.run_id WHERE r.orchestration_name = 'Unknowns' AND r.status = 'Error'}), $language eq 'node' ? '1' : '2', "$language: after a retry");
	$again->signal('TERM');
	$again->finish;
}
is($db->safe_psql('postgres', q{SELECT count(*) FROM orchestration.verify()}), '0', 'verify() finds nothing');
$standby->stop;

done_testing();
