# 009_clock.pl: the clock of the server jumps forward and back: leases, retries, the background
# worker and the time limit of resuming follow it; no step is lost or executed twice.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

# the server's clock, shifted by the number of seconds in a file: only functions that return the
# time of day, not those that measure or wait
my $dir = PostgreSQL::Test::Utils::tempdir();
my $clock = "$dir/clock";
open(my $source, '>', "$dir/clock.c") or die;
print $source q{
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static long offset(void)
{
	FILE *file = fopen(getenv("CLOCK_FILE"), "r");
	long seconds = 0;
	if (file != NULL) { if (fscanf(file, "%ld", &seconds) != 1) seconds = 0; fclose(file); }
	return seconds;
}
int gettimeofday(struct timeval *tv, void *tz)
{
	static int (*real) (struct timeval *, void *);
	int result;
	if (real == NULL) real = dlsym(RTLD_NEXT, "gettimeofday");
	result = real(tv, tz);
	tv->tv_sec += offset();
	return result;
}
};
close($source);
system("cc -shared -fPIC -o $dir/clock.so $dir/clock.c -ldl") == 0 or die 'cc';

# the difference between the server's clock and the test's
sub set_clock
{
	my ($offset) = @_;
	my %seconds = (d => 86400, h => 3600);
	my ($sign, $number, $unit) = $offset =~ /^([+-])(\d+)([dh])$/ or die;

	open(my $file, '>', "$clock.new") or die;
	print $file ($sign eq '-' ? -1 : 1) * $number * $seconds{$unit}, "\n";
	close($file);
	rename("$clock.new", $clock) or die;
	return;
}

set_clock('+0d');
my $node = PostgreSQL::Test::Cluster->new('clock');
$node->init;
$node->append_conf('postgresql.conf', "$ENV{ORCH_TEST_CONF}
shared_preload_libraries = 'orchestration'
orchestration.worker_databases = 'postgres'
orchestration.worker_naptime = '100ms'
autovacuum = off
");
{
	local %ENV = (%ENV, LD_PRELOAD => "$dir/clock.so", CLOCK_FILE => $clock);
	$node->start;
}

sub sql { return $node->safe_psql('postgres', $_[0]); }

sql(q{
CREATE EXTENSION orchestration;
CREATE TABLE effect (run uuid, step text);
CREATE FUNCTION act(i jsonb) RETURNS jsonb LANGUAGE sql AS $$ INSERT INTO effect VALUES ((i->>'run')::uuid, 'F') RETURNING '{}'::jsonb $$;
SELECT orchestration.register_action('Act', 'function', 'act(jsonb)'), orchestration.register_action('Work', 'worker');
SELECT orchestration.set_retry_policy('Work', 5, '30 minutes', jitter => 0);
SELECT orchestration.deploy_orchestration('{"label": "Clock", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}},
  "orchestratedStages": [{"name": "S", "label": "S", "stageSteps": [
    {"name": "W", "label": "W", "actionType": "stepBackground", "actionName": "Work", "requiresAsyncProcessing": true},
    {"name": "F", "label": "F", "actionType": "stepBackground", "actionName": "Act", "requiresAsyncProcessing": true,
     "inputParameters": [{"name": "run", "value": {"elementReference": "$Orchestration.Instance"}}]}]}]}'::jsonb, 'Clock'),
  orchestration.activate_orchestration('Clock');
CREATE TABLE claimed (who text, step_id uuid, lease_id uuid);
CREATE FUNCTION claim(who text) RETURNS bigint LANGUAGE sql AS $$
    WITH c AS (INSERT INTO claimed SELECT who, step_id, lease_id FROM orchestration.claim_steps(who, '{Work}', 100, '10 minutes') RETURNING 1) SELECT count(*) FROM c $$;
CREATE FUNCTION finish(by text, message text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    WITH c AS (DELETE FROM claimed WHERE who = by RETURNING step_id, lease_id), d AS MATERIALIZED (SELECT jsonb_agg(to_jsonb(c) || CASE WHEN message IS NULL THEN '{}' ELSE jsonb_build_object('message', message) END) AS r FROM c)
    SELECT string_agg(DISTINCT x.accepted || ' ' || COALESCE(x.reason, ''), ', ') FROM d, orchestration.complete_and_claim(d.r, by, '{nothing}') x $$;
});
my $start = q{SELECT count(orchestration.start_orchestration('Clock')) FROM generate_series(1, 5)};
my $open = q{SELECT count(*) FROM orchestration.run WHERE status = 'InProgress'};

sql($start);
is(sql(q{SELECT claim('one')}), '5', 'five steps are claimed');
is(sql(q{SELECT claim('two')}), '0', 'and no other worker gets them');

my $before = sql('SELECT extract(epoch FROM now())');
set_clock('+1d');
cmp_ok(sql('SELECT extract(epoch FROM now())') - $before, '>', 86000, 'a day forward');
is(sql(q{SELECT claim('two')}), '5', 'the leases have ended: another worker gets the steps');
is(sql(q{SELECT finish('one')}), 'false the lease was lost', 'the first one is refused');
is(sql(q{SELECT finish('two', 'not now')}), 'true to be tried again, attempt 1 of 5 failed', 'a failure');
is(sql(q{SELECT claim('two')}), '0', 'is not tried again yet');
set_clock('+25h');
is(sql(q{SELECT claim('two')}), '5', 'an hour later it is tried again');

set_clock('+1d');
is(sql(q{SELECT finish('two')}), 'true ', 'an hour back: leases are still held');
ok($node->poll_query_until('postgres', $open, '0'), 'the runs end, the functions, too');

# steps queued after the clock was set back are not delayed; steps queued before are
set_clock('+25h');
usleep(300_000);
sql(q{SELECT orchestration.set_retry_policy('Work', 5, '0', jitter => 0)});
sql($start);
ok($node->poll_query_until('postgres', q{SELECT count(*) FROM orchestration.step_queue WHERE topic = ''}, '0'), 'functions of earlier runs');
set_clock('+1d');
sql($start);
cmp_ok(sql(q{SELECT claim('three')}), '>=', 5, 'steps queued after it are claimed');
is(sql(q{SELECT finish('three')}), 'true ', 'and completed');
ok($node->poll_query_until('postgres', q{SELECT count(*) FROM orchestration.step_run WHERE name = 'F' AND status = 'InProgress'}, '0'), 'the background worker works');
set_clock('+26h');
sql(q{SELECT claim('three'), finish('three')});
ok($node->poll_query_until('postgres', $open, '0'), 'and when the clock has caught up everything ends');
is(sql(q{SELECT count(*), count(DISTINCT run) FROM effect}), '15|15', 'each function had its effect once');
is(sql(q{SELECT status, count(*) FROM orchestration.run GROUP BY 1}), 'Completed|15', 'all runs are Completed');

# the time limit of resuming
sql($start);
sql(q{SELECT claim('four')});
sql(q{SELECT orchestration.set_retry_policy('Work', 1)});
sql(q{SELECT finish('four', 'no')});
is(sql(q{SELECT count(*) FROM orchestration.run WHERE status = 'Error'}), '5', 'runs fail');
is(sql(q{SELECT orchestration.resume_run(id) FROM orchestration.run WHERE status = 'Error' LIMIT 1}), 't', 'a failed run is resumed');
set_clock('+20d');
my ($ret, $out, $err) = $node->psql('postgres', q{SELECT orchestration.resume_run(id) FROM orchestration.run WHERE status = 'Error' LIMIT 1});
like($err, qr/failed more than 14 days ago/, 'after three weeks no failed run can be resumed');
sql(q{SELECT claim('five'), finish('five')});
ok($node->poll_query_until('postgres', $open, '0'), 'the resumed run ends');
is(sql(q{SELECT count(*) FROM orchestration.verify()}), '0', 'verify() finds nothing');
is(sql(q{SELECT count(*) FROM orchestration.needs_attention() WHERE kind <> 'failed_run'}), '0', 'no run is stuck');
$node->stop;

done_testing();
