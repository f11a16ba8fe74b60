# 019_client.pl: examples/python and examples/node, each as a package: many steps with workers that
# are killed, stopped and paused, and a server that is restarted; a step whose writes happen exactly
# once; run_as; typed errors; a pool in transaction mode, which gets no LISTEN; the types.

use strict;
use warnings;
use File::Basename;
use File::Copy;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::RecursiveCopy;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $here = dirname(__FILE__);
my $examples = -d "$here/examples" ? "$here/examples" : "$here/../../examples";
my $node = PostgreSQL::Test::Cluster->new('client');
$node->init;
$node->append_conf('postgresql.conf', $ENV{ORCH_TEST_CONF});
# a worker that is paused between complete_steps() and its COMMIT holds the lock on the run
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'orchestration'\nidle_in_transaction_session_timeout = '2s'\n");
$node->start;
$node->safe_psql('postgres', q{
CREATE EXTENSION orchestration;
SELECT orchestration.register_action(a, 'worker') FROM unnest('{Example_Double,Example_Slow,Example_Record}'::text[]) a;
SELECT orchestration.create_user('ann@example.com', 'Ann');
SELECT orchestration.allow_run_as_user('Example_Record');
CREATE TABLE example_effect (step_id uuid NOT NULL, acted_as uuid);
CREATE FUNCTION step(name text, action text, input text, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('name', $1, 'label', $1, 'actionName', $2, 'actionType', 'stepBackground', 'requiresAsyncProcessing', true,
        'inputParameters', jsonb_build_array(jsonb_build_object('name', $3, 'value', jsonb_build_object('elementReference', 'number')))) || $4 $$;
CREATE FUNCTION deploy(name text, VARIADIC steps jsonb[]) RETURNS integer LANGUAGE sql AS $$
    SELECT orchestration.deploy_orchestration(jsonb_build_object('label', $1, 'processType', 'Orchestrator',
        'start', '{"connector": {"targetReference": "S"}}'::jsonb,
        'variables', '[{"name": "number", "dataType": "Number", "isInput": true}]'::jsonb,
        'orchestratedStages', jsonb_build_array(jsonb_build_object('name', 'S', 'label', 'S', 'stageSteps', to_jsonb($2)))), $1) $$;
SELECT deploy('Many', step('D', 'Example_Double', 'n'), step('R', 'Example_Record', 'seconds')),
       deploy('One', step('R', 'Example_Record', 'seconds')), deploy('Slow', step('W', 'Example_Slow', 'seconds')),
       deploy('As_Ann', step('R', 'Example_Record', 'seconds', '{"runAsUser": true, "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "ann@example.com"}}]}'));
SELECT orchestration.activate_orchestration(name) FROM unnest('{Many,One,Slow,As_Ann}'::text[]) name;
});

# the packages: of Node with the modules that it needs
my $modules = PostgreSQL::Test::Utils::tempdir();
PostgreSQL::Test::RecursiveCopy::copypath("$examples/node", "$modules/node");
copy("$here/client/errors.js", "$modules/node/errors_test.js");
is(system("cd $modules/node && HOME=$modules npm install --no-audit --no-fund >npm.log 2>&1"), 0, 'npm install');
$ENV{PYTHONPATH} = "$examples/python";
$ENV{PYTHONDONTWRITEBYTECODE} = 1;
my $python = '/usr/bin/python3';
my %worker = (python => [ $python, "$examples/python/examples/worker.py" ], node => [ 'node', "$modules/node/examples/worker.js" ]);
my %errors = (python => [ $python, "$here/client/errors.py" ], node => [ 'node', "$modules/node/errors_test.js" ]);
for my $file (glob("$examples/python/orchestration_worker/*.py $examples/node/*.js"))
{
	my $lines = () = slurp_file($file) =~ /\n/g;
	cmp_ok($lines, '<=', 300, basename($file) . ' is small');
}

my @started;
my %server = (PGHOST => $node->host, PGPORT => $node->port, PGDATABASE => 'postgres', PGUSER => scalar getpwuid($<));

# a worker; options: environment
sub start_worker
{
	my ($language, %options) = @_;
	local %ENV = (%ENV, %server, POLL => 5, LEASE => 2, BATCH => 4, %options);
	my $worker = { out => '' };
	$worker->{run} = IPC::Run::start($worker{$language}, '>', \$worker->{out}, '2>&1');
	push @started, $worker->{run};
	ok(pump_until($worker->{run}, IPC::Run::timeout(60), \$worker->{out}, qr/works on/), "$language: a worker starts") or diag($worker->{out});
	return $worker;
}
sub one { return $node->safe_psql('postgres', $_[0]); }
sub until_true
{
	my ($sql, $name) = @_;
	ok($node->poll_query_until('postgres', $sql), $name);
}
# ends well after SIGTERM
sub stop_worker
{
	my ($worker, $name) = @_;
	$worker->{run}->signal('TERM');
	$worker->{run}->finish;
	is($worker->{run}->result(0), 0, $name) or diag($worker->{out});
	like($worker->{out}, qr/goes$/m, "$name, gracefully");
}
my $ended = q{SELECT NOT EXISTS (SELECT FROM orchestration.run WHERE status <> 'Completed')};
my $claimed = q{SELECT EXISTS (SELECT FROM orchestration.step_queue WHERE lease_id IS NOT NULL)};
my $exact = q{SELECT (SELECT count(*) FROM orchestration.step_run WHERE name = 'R' AND outputs = '{"recorded": true}'),
	(SELECT count(*) FROM example_effect), (SELECT count(DISTINCT step_id) FROM example_effect),
	(SELECT count(*) FROM example_effect e WHERE NOT EXISTS (SELECT FROM orchestration.step_run t WHERE t.id = e.step_id AND t.name = 'R' AND t.status = 'Completed'))};

for my $language (sort keys %worker)
{
	one('DELETE FROM example_effect');
	one('SELECT count(orchestration.cancel_run(id)) FROM orchestration.run WHERE status = $$InProgress$$');
	one("SELECT orchestration.purge_runs('0')") if one('SELECT count(*) FROM orchestration.run');

	# ---- many steps; kill -9, SIGTERM, a pause longer than the lease, a server that stops at once
	my @workers = map { start_worker($language) } 1 .. 4;
	one(q{SELECT count(orchestration.start_orchestration('Many', inputs => '{"number": 0.02}')) FROM generate_series(1, 150)});
	until_true('SELECT count(*) > 20 FROM example_effect', "$language: steps are carried out");
	$workers[0]{run}->signal('KILL');
	$workers[1]{run}->signal('STOP');
	usleep(300_000);
	stop_worker($workers[2], "$language: SIGTERM amid the work");
	$node->stop('immediate');
	$node->start;
	push @workers, start_worker($language);
	usleep(2_500_000);		# longer than the lease
	$workers[1]{run}->signal('CONT');
	until_true($ended, "$language: all runs complete");
	like(one($exact), qr/^150\|150\|150\|0$/, "$language: no step is lost or doubled");
	is(one(q{SELECT count(*) FROM orchestration.step_run WHERE name = 'D' AND outputs->>'double' = '0.04'}), '150', "$language: outputs are right");
	# ---- a lease that ends before the outcome comes
	stop_worker($workers[1], "$language: the paused worker");
	stop_worker($workers[4], "$language: the new worker");
	one(q{SELECT orchestration.start_orchestration('One', inputs => '{"number": 1}')});
	until_true($claimed, "$language: a step is claimed");
	$workers[3]{run}->signal('STOP');
	my $other = start_worker($language);
	until_true($ended, "$language: another worker completes it after the lease");
	$workers[3]{run}->signal('CONT');
	usleep(1_500_000);
	like(one($exact), qr/^151\|151\|151\|0$/, "$language: the first worker's writes are undone");
	stop_worker($workers[3], "$language: the worker that was late");
	like($workers[3]{out}, qr/connecting again/, "$language: that lost its connections before");
	stop_worker($other, "$language: the other worker");

	# ---- a heartbeat, a canceled run, a stop that waits for the step
	my $worker = start_worker($language);
	one(q{SELECT orchestration.start_orchestration('Slow', inputs => '{"number": 5}')});
	until_true($claimed, "$language: a step longer than the lease is claimed");
	stop_worker($worker, "$language: a stop waits for the step");
	is(one(q{SELECT t.status, t.attempt FROM orchestration.step_run t WHERE t.name = 'W'}), 'Completed|1', "$language: its lease was extended");
	$worker = start_worker($language);
	my $run = one(q{SELECT orchestration.start_orchestration('Slow', inputs => '{"number": 600}')});
	until_true($claimed, "$language: a step that takes minutes is claimed");
	one("SELECT orchestration.cancel_run('$run')");
	stop_worker($worker, "$language: a canceled run stops its step");

	# ---- as the user of run_as; without the right to that the step fails
	one("SELECT orchestration.purge_runs('0')");
	one('DELETE FROM example_effect');
	$worker = start_worker($language);
	one(q{SELECT orchestration.start_orchestration('As_Ann', inputs => '{"number": 0}')});
	until_true($ended, "$language: a step with runAsUser");
	is(one(q{SELECT p.name FROM example_effect e JOIN orchestration.principal p ON p.id = e.acted_as}), 'Ann', "$language: acts as the user");
	stop_worker($worker, "$language: the worker");

	# ---- typed errors
	local %ENV = (%ENV, %server);
	my ($out, $err) = run_command($errors{$language});
	is($out, "IllegalStatusChange OR001 True False\nDefinitionError OR202 False False\nCallError OR406 False False\npsycopg 22012", "$language: errors have classes") or diag($err);
	is(one('SELECT count(*) FROM orchestration.verify()'), '0', "$language: verify() is empty");
}

# ---- through PgBouncer in transaction mode
my ($bouncer) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin';
my %pool;
for my $mode ('transaction', 'session')
{
	my $dir = PostgreSQL::Test::Utils::tempdir;
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	append_to_file("$dir/ini", sprintf("[databases]\npostgres = host=%s port=%d dbname=postgres user=%s\n[pgbouncer]\nlisten_addr =\nlisten_port = %d\nunix_socket_dir = %s\nauth_type = any\nauth_file =\npool_mode = %s\ndefault_pool_size = 2\nlogfile = %s/log\npidfile = %s/pid\nignore_startup_parameters = options,extra_float_digits\n",
			$node->host, $node->port, scalar getpwuid($<), $port, $dir, $mode, $dir, $dir));
	$pool{$mode} = { run => IPC::Run::start([ $bouncer, '-q', "$dir/ini" ], '<', \undef, '>', "$dir/out", '2>', "$dir/err"), PGHOST => $dir, PGPORT => $port };
	for (1 .. 100) { last if -S "$dir/.s.PGSQL.$port"; usleep(100_000); }
	ok(-S "$dir/.s.PGSQL.$port", "PgBouncer runs in $mode mode");
}
sub pooled
{
	my ($mode, $sql) = @_;
	local %ENV = (%ENV, %server, PGHOST => $pool{$mode}{PGHOST}, PGPORT => $pool{$mode}{PGPORT});
	my ($out, $err) = run_command([ $python, '-c', "import psycopg, sys\nconn = psycopg.connect(autocommit=True, prepare_threshold=None)\nprint(conn.execute(sys.argv[1].replace('PID', str(conn.info.backend_pid))).fetchall())", $sql ]);
	return $out || $err;
}
my $listen = q{SELECT channel, max_wait::text FROM orchestration.listen_for_steps('{x}', PID)};
my $heard = q{SELECT count(*) FROM pg_listening_channels()};
is(pooled('transaction', $listen), "[(None, '00:00:01')]", 'in transaction mode a row without a channel');
is(pooled('transaction', q{SELECT channel, max_wait::text FROM orchestration.listen_for_messages(PID)}), "[(None, '00:00:05')]", 'also for messages');
is(pooled('transaction', $heard), '[(0,)]', 'and the shared session does not listen');
is(pooled('session', $listen), "[(None, '00:00:01')]", 'in session mode it is the same');
# a client that says what it cannot know leaves a LISTEN; the next honest call ends it
like(pooled('transaction', q{SELECT count(channel) FROM orchestration.listen_for_steps('{x}', pg_backend_pid())}), qr/2/, 'pg_backend_pid() proves nothing');
pooled('transaction', $listen);
is(pooled('transaction', $heard), '[(0,)]', 'a call with the process id of the driver ends that LISTEN');
for my $language (sort keys %worker)
{
	one("SELECT orchestration.purge_runs('0')");
	one('DELETE FROM example_effect');
	my @workers = map { start_worker($language, PGHOST => $pool{transaction}{PGHOST}, PGPORT => $pool{transaction}{PGPORT}, BATCH => 1) } 1 .. 2;
	one(q{SELECT count(orchestration.start_orchestration('Many', inputs => '{"number": 0}')) FROM generate_series(1, 20)});
	until_true($ended, "$language: workers in a pool find their steps");
	is(one($exact), '20|20|20|0', "$language: each once");
	is(pooled('transaction', $heard), '[(0,)]', "$language: no LISTEN is left");
	stop_worker($_, "$language: a worker in a pool") for @workers;
}
for my $mode (keys %pool) { $pool{$mode}{run}->signal('INT'); $pool{$mode}{run}->finish; }

# ---- types
is(one('SELECT count(*) FROM orchestration.verify()'), '0', 'verify() is empty');
SKIP: {
	copy("$here/client/types.ts", "$modules/node/types.ts");
	skip 'typescript cannot be installed', 1
	  if system("cd $modules/node && HOME=$modules npm install --no-save --no-audit --no-fund typescript\@5 \@types/pg \@types/node\@20 >>npm.log 2>&1");
	my ($out) = run_command([ 'sh', '-c', "cd $modules/node && npx tsc --noEmit --strict --target es2022 --module node16 --moduleResolution node16 types.ts" ]);
	is($out, '', 'the types of the Node package');
}
SKIP: {
	skip 'mypy is not installed', 1 if system("$python -c 'import mypy' 2>/dev/null");
	my ($out) = run_command([ $python, '-m', 'mypy', '--strict', '--cache-dir', "$modules/mypy", "$examples/python/orchestration_worker" ]);
	like($out, qr/^Success/, 'the types of the Python package');
}
$_->kill_kill for grep { $_->pumpable } @started;
$node->stop;
done_testing();
