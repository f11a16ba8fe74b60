# 002_restart.pl: an engine call takes effect as a whole or not at all, also when a backend
# is killed in the middle of it or the server stops at once.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use IPC::Run ();

my $node = PostgreSQL::Test::Cluster->new('restart');
$node->init;
$node->append_conf('postgresql.conf',
	"$ENV{ORCH_TEST_CONF}\nfsync = on\nrestart_after_crash = on\n");
$node->start;

$node->safe_psql('postgres', q{
CREATE EXTENSION orchestration;
CREATE TABLE trace (run uuid, at text);
CREATE TABLE pause (at text);
CREATE FUNCTION act(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.trace VALUES (($1->>'run')::uuid, $1->>'at');
    IF EXISTS (SELECT FROM public.pause p WHERE p.at = $1->>'at') THEN
        PERFORM pg_advisory_xact_lock(1);
        PERFORM pg_sleep(60);
    END IF;
    RETURN NULL;
END$$;
SELECT orchestration.register_action('act', 'function', 'act(jsonb)'),
       orchestration.register_action('screen', 'screen'),
       orchestration.register_action('worker', 'worker');
SELECT orchestration.deploy_orchestration(jsonb_build_object('label', 'Restart', 'processType', 'Orchestrator',
  'start', '{"connector": {"targetReference": "S1"}}'::jsonb,
  'orchestratedStages', jsonb_agg(jsonb_strip_nulls(jsonb_build_object('name', 'S' || n, 'label', 'S' || n,
    'connector', CASE WHEN n < 3 THEN jsonb_build_object('targetReference', 'S' || n + 1) END,
    'stageSteps', jsonb_build_array(
      jsonb_build_object('name', 'Act' || n, 'label', 'x', 'actionName', 'act', 'actionType', 'stepBackground',
        'inputParameters', jsonb_build_array(
           jsonb_build_object('name', 'run', 'value', '{"elementReference": "$Orchestration.Instance"}'::jsonb),
           jsonb_build_object('name', 'at', 'value', jsonb_build_object('stringValue', 'S' || n)))),
      CASE n WHEN 2 THEN jsonb_build_object('name', 'Look', 'label', 'x', 'actionName', 'screen', 'actionType', 'stepInteractive',
        'assignees', '[{"assigneeType": "User", "assignee": {"stringValue": "autoproc"}}]'::jsonb)
      ELSE jsonb_build_object('name', 'Work' || n, 'label', 'x', 'actionName', 'worker', 'actionType', 'stepBackground',
        'requiresAsyncProcessing', true) END))))), 'Restart')
  FROM generate_series(1, 3) n;
SELECT orchestration.activate_orchestration('Restart');
});

# all rows, in one line
sub counts
{
	return $node->safe_psql('postgres', q{
		SELECT (SELECT count(*) FROM orchestration.run), (SELECT count(*) FROM orchestration.stage_run),
		       (SELECT count(*) FROM orchestration.step_run), (SELECT count(*) FROM orchestration.work_item),
		       (SELECT count(*) FROM orchestration.run_log), (SELECT count(*) FROM trace),
		       (SELECT string_agg(DISTINCT status::text, ',') FROM orchestration.step_run)});
}

sub work
{
	return $node->safe_psql('postgres', q{
		CREATE TEMP TABLE c AS SELECT * FROM orchestration.claim_steps('w', '{worker}', 1000);
		SELECT count(*), bool_and(accepted) FROM orchestration.complete_steps(
			(SELECT jsonb_agg(jsonb_build_object('step_id', step_id, 'lease_id', lease_id)) FROM c))});
}

# kill the backend that executes a call while its action pauses at a stage
sub kill_in
{
	my ($stage, $sql) = @_;

	$node->safe_psql('postgres', "INSERT INTO pause VALUES ('$stage')");
	my $before = counts();
	my ($in, $out, $err) = ($sql . ";\n", '', '');
	my $session = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-f', '-' ],
		'<', \$in, '>', \$out, '2>', \$err, IPC::Run::timeout(120));
	$session->pump_nb;
	ok($node->poll_query_until('postgres',
			q{SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND granted}),
		"$stage: the call is under way");
	my $pid = $node->safe_psql('postgres',
		q{SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted});
	is(PostgreSQL::Test::Utils::system_log('pg_ctl', 'kill', 'KILL', $pid), 0, "$stage: backend killed");
	$session->finish;
	like($err, qr/server closed the connection|terminating connection|connection to server was lost/,
		"$stage: its client got an error");
	ok($node->poll_query_until('postgres', undef, ''), "$stage: the server is back");
	is(counts(), $before, "$stage: the call has no effect");
	is($node->safe_psql('postgres', 'SELECT * FROM orchestration.verify()'), '', "$stage: verify()");
	$node->safe_psql('postgres', 'DELETE FROM pause');
}

# 1. kill -9 in the middle of a start, of a result, of a work item
kill_in('S1', "SELECT orchestration.start_orchestration('Restart')");
$node->safe_psql('postgres', "SELECT orchestration.start_orchestration('Restart', idempotency_key => 'k' || n) FROM generate_series(1, 3) n");
kill_in('S2', q{
	SELECT * INTO TEMP c FROM orchestration.claim_steps('w', '{worker}', 10);
	SELECT orchestration.complete_steps((SELECT jsonb_agg(jsonb_build_object('step_id', step_id, 'lease_id', lease_id)) FROM c))});
is($node->safe_psql('postgres', 'SELECT count(*) FROM orchestration.step_queue WHERE lease_id IS NOT NULL'),
	'3', 'the claim committed before is still valid');
$node->safe_psql('postgres', q{
	SELECT orchestration.complete_steps((SELECT jsonb_agg(jsonb_build_object('step_id', step_run_id, 'lease_id', lease_id))
	  FROM orchestration.step_queue))});
kill_in('S3', q{SELECT orchestration.complete_work_item(id) FROM orchestration.work_item WHERE status = 'Assigned'});
is($node->safe_psql('postgres', q{SELECT count(*) FROM orchestration.work_item WHERE status = 'Assigned'}),
	'3', 'the work items are still assigned');
is($node->safe_psql('postgres', q{SELECT bool_and(orchestration.complete_work_item(id)) FROM orchestration.work_item WHERE status = 'Assigned'}),
	't', 'and can be completed');
is(work(), '3|t', 'workers go on');
is($node->safe_psql('postgres', 'SELECT status, count(*) FROM orchestration.run GROUP BY 1'), 'Completed|3', 'the runs are Completed');

# 2. an immediate stop under load: acknowledged calls have taken effect as a whole
my @load;
for my $client (1 .. 4)
{
	my ($in, $out, $err) = ('', '', '');
	$in .= "SELECT orchestration.start_orchestration('Restart', idempotency_key => 'c$client-$_');\n" for 1 .. 20000;
	my %client = (in => \$in, out => \$out, err => \$err);
	$client{session} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-f', '-' ],
		'<', $client{in}, '>', $client{out}, '2>', $client{err}, IPC::Run::timeout(120));
	push @load, \%client;
}
my $enough = 0;
while (!$enough)
{
	$_->{session}->pump_nb for @load;
	$enough = !grep { (() = ${ $_->{out} } =~ /\n/g) < 25 } @load;
}
$node->stop('immediate');
for my $client (@load)
{
	eval { $client->{session}->finish; };
}
my @acknowledged = map { ${ $_->{out} } =~ /^([0-9a-f-]{36})$/mg } @load;
cmp_ok(scalar @acknowledged, '>=', 100, 'starts were acknowledged: ' . @acknowledged);
$node->start;
like(PostgreSQL::Test::Utils::slurp_file($node->logfile),
	qr/database system was not properly shut down; automatic recovery in progress/, 'the server recovered');
is($node->safe_psql('postgres', 'SELECT count(*) FROM orchestration.run WHERE id IN (\'' . join("','", @acknowledged) . '\')'),
	scalar @acknowledged, 'every acknowledged run exists');
is($node->safe_psql('postgres', q{
	SELECT count(*) FROM orchestration.run r
	 WHERE r.status = 'InProgress' AND NOT (
	       (SELECT count(*) FROM trace t WHERE t.run = r.id) = 1
	   AND (SELECT count(*) FROM orchestration.step_run s WHERE s.run_id = r.id) = 2
	   AND (SELECT count(*) FROM orchestration.step_queue q WHERE q.run_id = r.id) = 1)}),
	'0', 'with the writes of its action, its steps and its row in the queue');
is($node->safe_psql('postgres', 'SELECT * FROM orchestration.verify()'), '', 'verify() after the recovery');
like(work(), qr/^\d+\|t$/, 'waiting runs go on: workers');
while ($node->safe_psql('postgres', 'SELECT count(*) FROM orchestration.step_queue') > 0) { work() }
$node->safe_psql('postgres', q{SELECT count(orchestration.complete_work_item(id)) FROM orchestration.work_item WHERE status = 'Assigned'});
while ($node->safe_psql('postgres', 'SELECT count(*) FROM orchestration.step_queue') > 0) { work() }
is($node->safe_psql('postgres', q{SELECT count(*) FROM orchestration.run WHERE status <> 'Completed'}), '0', 'to Completed');
is($node->safe_psql('postgres', 'SELECT * FROM orchestration.verify()'), '', 'verify() at the end');

$node->stop;
done_testing();
