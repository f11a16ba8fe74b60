# 013_wake.pl: sessions that wait, where the library is preloaded: COMMIT PREPARED in a
# session that never called the extension, also after a crash; DISCARD ALL; a transaction
# with more assignees than the server has locks; steps that become available while a
# transaction is held open; a standby.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $node = PostgreSQL::Test::Cluster->new('wake');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', $ENV{ORCH_TEST_CONF});
$node->append_conf('postgresql.conf', q{
shared_preload_libraries = 'orchestration'
max_prepared_transactions = 4
max_connections = 20
});
$node->start;

$node->safe_psql('postgres', q{
CREATE EXTENSION orchestration;
SELECT orchestration.register_action('wake', 'worker'), orchestration.register_action('form', 'screen');
CREATE FUNCTION deploy(name text, step jsonb) RETURNS boolean LANGUAGE sql AS $$
    SELECT orchestration.deploy_orchestration(jsonb_build_object('label', $1, 'processType', 'Orchestrator',
        'start', '{"connector": {"targetReference": "S"}}'::jsonb, 'variables', '[{"name": "who", "dataType": "String", "isInput": true}]'::jsonb,
        'orchestratedStages', jsonb_build_array(jsonb_build_object('name', 'S', 'label', 'S', 'stageSteps', jsonb_build_array(
            '{"name": "T", "label": "T"}'::jsonb || $2)))), $1);
    SELECT orchestration.activate_orchestration($1) IS NOT NULL; $$;
SELECT deploy('Wake', '{"actionName": "wake", "actionType": "stepBackground", "requiresAsyncProcessing": true}'),
       deploy('Form', '{"actionName": "form", "actionType": "stepInteractive",
           "assignees": [{"assigneeType": "User", "assignee": {"elementReference": "who"}}]}');
});

# a session of psql; returns its output, notifications included
sub session { return $node->background_psql('postgres', on_error_stop => 0); }

# does the session get a notification?  psql reports it after a statement
sub is_notified
{
	my ($session, $name) = @_;
	my $until = time() + 10;
	my $said = '';

	while ($said !~ /Asynchronous notification/ && time() < $until)
	{
		$said .= $session->query('SELECT 1');
		usleep(20_000);
	}
	like($said, qr/Asynchronous notification "orchestration_steps_/, $name);
}

my $start = q{SELECT orchestration.start_orchestration('Wake') IS NOT NULL};
# the time to wait: until a lease claimed before ends, or without limit
my $due_in = q{SELECT coalesce(extract(epoch FROM max_wait)::float8, 'infinity') FROM orchestration.listen_for_steps('{wake}', pg_backend_pid()) LIMIT 1};
my $listen = qq{SELECT CASE WHEN s > 1000 THEN 'long' ELSE s::text END FROM ($due_in) l (s)};
my $claim = q{SELECT count(*) FROM orchestration.claim_steps('w', '{wake}', 100, '1 hour')};

my $waiting = session();
is($waiting->query($due_in), 'Infinity', 'no step is due: the session may wait without limit');
$node->safe_psql('postgres', "BEGIN; $start; PREPARE TRANSACTION 'x'");
$node->safe_psql('postgres', "COMMIT PREPARED 'x'");
is_notified($waiting, 'COMMIT PREPARED in a session that has not called the extension');
is($waiting->query($claim), '1', 'and the step is claimed');

is($waiting->query($listen), 'long', 'it waits again');
$node->safe_psql('postgres', "BEGIN; $start; PREPARE TRANSACTION 'y'");
$waiting->quit;
$node->stop('immediate');
$node->start;
$waiting = session();
is($waiting->query($listen), 'long', 'after a crash, with a prepared transaction');
$node->safe_psql('postgres', "COMMIT PREPARED 'y'");
is_notified($waiting, 'COMMIT PREPARED after a crash');
is($waiting->query($claim), '1', 'and the step is claimed');

is($waiting->query($listen), 'long', 'it waits');
$waiting->query('DISCARD ALL');
is($waiting->query($listen), 'long', 'after DISCARD ALL, too');
is($waiting->query('SELECT count(*) > 0 FROM pg_listening_channels()'), 't', 'and listens');
$node->safe_psql('postgres', $start);
is_notified($waiting, 'after DISCARD ALL');
$waiting->query($claim);

# waiting sessions learn of the retry of a step
$node->safe_psql('postgres', q{SELECT orchestration.set_retry_policy('wake', 2, '0.2 seconds', jitter => 0)});
$node->safe_psql('postgres', $start);
my $leased = $node->safe_psql('postgres', q{SELECT jsonb_agg(jsonb_build_object('step_id', step_id, 'lease_id', lease_id, 'message', 'no'))
    FROM orchestration.claim_steps('other', '{wake}', 1, '100 seconds')});
my $due = $waiting->query($due_in);
cmp_ok($due, '>', 50, 'the session may wait until the lease ends');
cmp_ok($due, '<=', 100, 'and not longer');
$node->safe_psql('postgres', "SELECT orchestration.fail_steps('$leased')");
is_notified($waiting, 'a retry');
cmp_ok($waiting->query($due_in), '<', 1, 'the session may wait until the retry is due');
usleep(300_000);
is($waiting->query($claim), '1', 'and then it is claimed');

# more assignees than the server has locks: 64 * (20 + 4), and a reserve
is($node->psql('postgres', q{
SELECT count(orchestration.create_user('user' || n || '@example.com', 'User ' || n)) FROM generate_series(1, 8000) n;
SELECT count(orchestration.start_orchestration('Form', inputs => jsonb_build_object('who', 'user' || n || '@example.com'))) FROM generate_series(1, 8000) n;
}), 0, 'a transaction that assigns to 8,000 commits');

# steps that become available while another transaction keeps 20,000 entries
$node->safe_psql('postgres', q{ALTER TABLE orchestration.step_queue SET (autovacuum_enabled = off)});
my $holder = session();
$holder->query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM orchestration.run');
my $writer = session();
$writer->query("BEGIN; $start");
$node->safe_psql('postgres', qq{SELECT count(orchestration.start_orchestration('Wake')) FROM generate_series(1, 20000)});
$node->safe_psql('postgres', q{DO $$
DECLARE r jsonb := '[]';
BEGIN
    LOOP
        SELECT coalesce(jsonb_agg(jsonb_build_object('step_id', step_id, 'lease_id', lease_id)) FILTER (WHERE accepted IS NULL), '[]')
          INTO r FROM orchestration.complete_and_claim(r, 'w', '{wake}', 1000);
        EXIT WHEN r = '[]';
        COMMIT;
    END LOOP;
END$$});
$waiting->query($claim) for 1 .. 3;
my $late = 0;
for my $n (1 .. 20)
{
	$node->safe_psql('postgres', $start);
	# steps of other sessions are found at the first claim, or within 0.1 seconds
	my $until = time() + 0.1;
	my $found = 0;
	while (!$found && time() < $until) { $found = $waiting->query($claim); }
	$late++ unless $found;
}
is($late, 0, 'new steps are found beside 20,000 entries of an open transaction');
$writer->query('COMMIT');
my $until = time() + 0.1;
my $found = 0;
while (!$found && time() < $until) { $found = $waiting->query($claim); }
is($found, 1, 'and a step that was queued before all of them, and is committed now');
$holder->quit;
$writer->quit;
$waiting->quit;

is($node->safe_psql('postgres', 'SELECT count(*) FROM orchestration.verify()'), '0', 'verify() is empty');

# another secret in the same session
$node->safe_psql('postgres', 'CREATE DATABASE again');
$node->safe_psql('postgres', 'CREATE ROLE kim');
my $again = $node->background_psql('again', on_error_stop => 0);
my @channels;
for (1 .. 2)
{
	$again->query(q{DROP EXTENSION IF EXISTS orchestration});
	$again->query(q{CREATE EXTENSION orchestration});
	$again->query(q{SELECT orchestration.create_user('kim@example.com', 'Kim')});
	$again->query(q{UPDATE orchestration.principal SET role_name = 'kim' WHERE name = 'Kim'});
	$again->query(q{SET ROLE kim});
	push @channels, $again->query(q{SELECT string_agg(channel, ' ' ORDER BY channel) FROM orchestration.listen_for_work(pg_backend_pid())});
	$again->query(q{RESET ROLE});
}
isnt($channels[0], $channels[1], 'DROP and CREATE EXTENSION change the channels');
$node->safe_psql('again', q{
SELECT orchestration.register_action('form', 'screen');
SELECT orchestration.deploy_orchestration('{"label": "F", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}},
    "orchestratedStages": [{"name": "S", "label": "S", "stageSteps": [{"name": "T", "label": "T", "actionName": "form",
        "actionType": "stepInteractive", "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "kim@example.com"}}]}]}]}'::jsonb, 'F');
SELECT orchestration.activate_orchestration('F'), orchestration.start_orchestration('F');
});
my $heard = '';
for (1 .. 200) { $heard .= $again->query('SELECT 1'); last if $heard =~ /notification/; usleep(20_000); }
like($heard, qr/notification "orchestration_work_/, 'and the session is notified on them');
$again->quit;

# a commit that waits for a standby, as long as the standby is unreachable
my $kim = q{SET ROLE kim; SELECT count(channel) > 0 FROM orchestration.listen_for_work(pg_backend_pid())};
is($node->safe_psql('again', $kim), 't', 'a user listens for work');
$node->append_conf('postgresql.conf', "synchronous_standby_names = 'gone'");
$node->reload;
my $commit = IPC::Run::start([ 'psql', '-qXd', $node->connstr('again'), '-c', q{SELECT orchestration.start_orchestration('F')} ], '>', \my $said, '2>', \my $warned);
ok($node->poll_query_until('again', q{SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'}, '1'), 'a commit waits for a standby');
my ($status, $answer, $trouble) = $node->psql('again', "\\set VERBOSITY verbose\n$kim", timeout => 60);
like($trouble, qr/ERROR:  55P03: /, 'a session that listens meanwhile is asked to try again');
$node->append_conf('postgresql.conf', "synchronous_standby_names = ''");
$node->reload;
$commit->finish;
is($node->safe_psql('again', $kim), 't', 'and can listen after the wait has ended');

$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
my ($ret, $out, $err) = $standby->psql('postgres', $due_in);
like($err, qr/cannot execute listen_for_steps\(\) during recovery/, 'not on a standby');
$standby->stop;
$node->stop;

done_testing();
