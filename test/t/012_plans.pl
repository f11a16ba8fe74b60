# 012_plans.pl: the rows that a statement of the extension reads depend on its arguments, not on
# the statistics at the time of its planning.
#
# A session plans everything in one state of the statistics, another session loads runs, and
# auto_explain then reports the rows that each node reads: of kept plans, of foreign keys and in
# functions.  test/check/plans.sh checks the plans that are not executed here.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('plans');
$node->init;
$node->append_conf('postgresql.conf', $ENV{ORCH_TEST_CONF});
$node->append_conf('postgresql.conf', "fsync = off\nautovacuum = off\n");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION orchestration');
$node->safe_psql('fresh', q{
CREATE ROLE bench LOGIN;
SELECT orchestration.register_action('bench', 'worker');
SELECT orchestration.register_action('form', 'screen');
SELECT orchestration.create_user('bench@example.com', 'Bench', 'bench');
-- three stages of two asynchronous steps
SELECT orchestration.deploy_orchestration(jsonb_build_object('label', 'Bench', 'processType', 'Orchestrator',
           'start', '{"connector": {"targetReference": "S1"}}'::jsonb,
           'orchestratedStages', jsonb_agg(jsonb_strip_nulls(jsonb_build_object('name', 'S' || g, 'label', 'Stage ' || g,
               'connector', CASE WHEN g < 3 THEN jsonb_build_object('targetReference', 'S' || g + 1) END,
               'stageSteps', (SELECT jsonb_agg(jsonb_build_object('name', 'T' || g || t, 'label', 'Step ' || t, 'actionName', 'bench',
                   'actionType', 'stepBackground', 'requiresAsyncProcessing', true)) FROM generate_series(1, 2) t))))), 'Bench')
  FROM generate_series(1, 3) g;
SELECT orchestration.activate_orchestration('Bench');
SELECT orchestration.deploy_orchestration('{"label": "Waits", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}},
    "orchestratedStages": [{"name": "S", "label": "S", "stageSteps": [{"name": "T", "label": "T", "actionName": "form", "actionType": "stepInteractive",
        "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "bench@example.com"}}]}]}]}'::jsonb, 'Waits');
SELECT orchestration.activate_orchestration('Waits');
-- two members of a unanimous approval, with a text of its own for messages
SELECT orchestration.create_user('second@example.com');
SELECT orchestration.deploy_orchestration('{"label": "Approves", "processType": "ApprovalWorkflow", "start": {"connector": {"targetReference": "S"}},
    "orchestratedStages": [{"name": "S", "label": "S", "stageSteps": [{"name": "T", "label": "T", "actionName": "form", "actionType": "stepApproval",
        "requiresMultiMemberApproval": "true", "inputParameters": [{"name": "ActionInput__CustomEmailSubject", "value": {"stringValue": "Please"}}],
        "assignees": [{"assigneeType": "User", "assignee": {"stringValue": "bench@example.com"}},
            {"assigneeType": "User", "assignee": {"stringValue": "second@example.com"}}]}]}]}'::jsonb, 'Approves');
SELECT orchestration.activate_orchestration('Approves');
CREATE TABLE demand (id bigint PRIMARY KEY, amount numeric);
SELECT orchestration.register_record_type('Demand', 'demand');
SELECT orchestration.deploy_orchestration(jsonb_set(v.document, '{start}',
           '{"connector": {"targetReference": "S1"}, "object": "Demand", "recordTriggerType": "Create", "triggerType": "RecordAfterSave"}'), 'Bench_Record')
  FROM orchestration.orchestration_version v JOIN orchestration.orchestration_definition d ON d.id = v.orchestration_id AND d.name = 'Bench';
SELECT orchestration.activate_orchestration('Bench_Record');
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA orchestration TO bench;
-- the results of a batch of steps, and of one
CREATE FUNCTION public.complete(n integer) RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT count(*) FROM orchestration.complete_steps((SELECT COALESCE(jsonb_agg(jsonb_build_object('step_id', step_id, 'lease_id', lease_id, 'outputs', '{}'::jsonb)), '[]')
        FROM orchestration.claim_steps('w', '{bench}', n))) $$;
CREATE FUNCTION public.complete_and_claim(n integer) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    r jsonb;
BEGIN
    SELECT COALESCE(jsonb_agg(jsonb_build_object('step_id', step_id, 'lease_id', lease_id, 'outputs', '{}'::jsonb)), '[]') INTO r FROM orchestration.claim_steps('w', '{bench}', n);
    RETURN (SELECT count(*) FROM orchestration.complete_and_claim(r, 'w', '{bench}', n));
END$$;
});

# the first column of every index
my %first = map { split /\|/ } split /\n/, $node->safe_psql('fresh', q{
SELECT i.relname, a.attname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
  JOIN pg_attribute a ON a.attrelid = i.oid AND a.attnum = 1 JOIN pg_am m ON m.oid = i.relam
 WHERE i.relnamespace = 'orchestration'::regnamespace AND m.amname = 'btree'});

# does an index scan look up its first column?
sub looks_up
{
	my ($index, $condition) = @_;
	return !defined $first{$index} || (defined $condition && $condition =~ /\b$first{$index}\b/);
}

# -------------------------------------------- rows read by the execution
# executes every planned statement on a few rows; ends the runs that it starts
my $workload = q{
SELECT orchestration.start_orchestration('Bench');
SELECT orchestration.start_orchestration('Bench', idempotency_key => 'k' || clock_timestamp());
INSERT INTO demand SELECT 1 + COALESCE(max(id), 0), 1 FROM demand;
INSERT INTO demand SELECT g + (SELECT max(id) FROM demand), 1 FROM generate_series(1, 3) g;
UPDATE demand SET amount = 2 WHERE id = 1;
SELECT public.complete(1);
SELECT public.complete(2);
SELECT public.complete(20);
SELECT public.complete_and_claim(5);
SELECT public.complete(8);
SELECT count(*) FROM orchestration.fail_steps((SELECT COALESCE(jsonb_agg(jsonb_build_object('step_id', step_id, 'lease_id', lease_id, 'message', 'm')), '[]') FROM orchestration.claim_steps('w', '{bench}', 2)));
SELECT count(*) FROM orchestration.extend_leases((SELECT COALESCE(jsonb_agg(jsonb_build_object('step_id', step_id, 'lease_id', lease_id)), '[]') FROM orchestration.claim_steps('w', '{bench}', 2)));
SELECT orchestration.run_queued_steps();
SELECT count(*) FROM orchestration.listen_for_steps('{bench}', pg_backend_pid());
SELECT orchestration.start_orchestration('Waits') AS w \gset
SELECT id AS item FROM orchestration.work_item WHERE run_id = :'w' \gset
SELECT id AS stage FROM orchestration.stage_run WHERE run_id = :'w' \gset
SELECT id AS "user" FROM orchestration."user" WHERE username = 'bench@example.com' \gset
SELECT orchestration.suspend_run(:'w');
SELECT orchestration.resume_run(:'w');
SELECT orchestration.set_due_date(:'item', now() + interval '1 day');
UPDATE orchestration.work_item SET related_record_type = 'Demand', related_record_id = '1', record_locked = true WHERE id = :'item';
SELECT orchestration.unlock_record('Demand', '1');
SELECT orchestration.share_record(:'w', :'user', 'Edit');
SELECT orchestration.share_record(:'stage', :'user', 'Read');
SELECT orchestration.unshare_record(:'stage', :'user');
SELECT orchestration.post_to_feed(:'w', 'text') AS post \gset
SELECT orchestration.comment_on_feed_item(:'post', 'text');
SELECT orchestration.like_feed_item(:'post');
SELECT orchestration.change_owner(:'stage', :'user');
SELECT orchestration.view_record(:'w');
SELECT count(orchestration.run_diagram(:'w'));
SET ROLE bench;
SELECT count(*) FROM orchestration.my_work_items(5);
SELECT count(*) FROM orchestration.flow_orchestration_instance WHERE id = :'w';
SELECT orchestration.complete_work_item(:'item');
RESET ROLE;
SELECT orchestration.start_orchestration('Waits') AS w \gset
SELECT orchestration.cancel_run(:'w');
DELETE FROM orchestration.run WHERE id = :'w';
SELECT orchestration.start_orchestration('Approves') AS w \gset
SELECT id AS item FROM orchestration.work_item WHERE run_id = :'w' AND is_approval AND assignee_id = :'user' \gset
SELECT orchestration.remind_assignees('0', 5) > 0;
SET ROLE bench;
SELECT orchestration.review_approval(:'item', 'Approve');
RESET ROLE;
SELECT orchestration.recall_run(:'w');
DELETE FROM orchestration.run WHERE id = :'w';
SELECT orchestration.start_orchestration('Bench') AS w \gset
SELECT orchestration.suspend_run(:'w');
SELECT orchestration.cancel_run(:'w');
SELECT orchestration.purge_runs('0', 3);
UPDATE orchestration.run SET status = 'Suspended' WHERE id IN (SELECT id FROM orchestration.run WHERE status = 'InProgress' ORDER BY id LIMIT 3);
UPDATE orchestration.run SET status = 'InProgress' WHERE status = 'Suspended';
SELECT count(*) FROM orchestration.dry_run('Waits');
SELECT orchestration.deploy_orchestration(v.document || jsonb_build_object('description', clock_timestamp()), 'Again') IS NULL FROM orchestration.orchestration_version v LIMIT 1;
INSERT INTO orchestration.query_locator (id, user_id, soql, api_version, include_deleted, batch_size, total)
VALUES (orchestration.new_id(), :'user', '', 670, false, 200, 201) RETURNING id AS locator \gset
INSERT INTO orchestration.query_locator_page VALUES (:'locator', 200, ARRAY[:'w']::uuid[]);
DELETE FROM orchestration.query_locator WHERE id = :'locator';
};
my $watch = q{
SELECT count(*) FROM orchestration.verify();
SELECT count(*) FROM orchestration.needs_attention();
SELECT count(*) FROM orchestration.engine_stats();
SELECT count(*) FROM orchestration.run_overview;
SELECT count(*) FROM orchestration.open_runs;
SELECT count(*) FROM orchestration.run_outcomes;
SELECT count(*) FROM orchestration.queue_overview;
SELECT count(*) FROM orchestration.engine_runs();
SELECT count(*) FROM orchestration.engine_queue();
};
my $drain = q{
SELECT count(orchestration.cancel_run(id)) FROM orchestration.run WHERE status NOT IN ('Completed', 'Canceled');
};
my $gone = $drain . q{
SELECT orchestration.purge_runs('0', 100000);
};
my $start = sub { "SELECT count(orchestration.start_orchestration('$_[0]')) FROM generate_series(1, $_[1]);\n" };
my %states = (
	'1 never analyzed' => '',
	'2 analyzed empty' => 'ANALYZE;',
	'3 analyzed empty with dead rows' => $start->('Bench', 150) . $start->('Waits', 50) . "SELECT public.complete(300);\n" . $gone . "ANALYZE;\n",
	'4 at 100 runs' => $start->('Bench', 70) . $start->('Waits', 30) . "ANALYZE;\n",
	# as the planner sees it
	'5 at 1,000,000 rows' => $start->('Bench', 70) . $start->('Waits', 30) . q{ANALYZE;
UPDATE pg_class SET reltuples = 1000000, relpages = GREATEST(pg_relation_size(oid) / 8192, 1) WHERE relnamespace = 'orchestration'::regnamespace AND relkind IN ('r', 'i');
},
	'6 all ended' => $start->('Bench', 200) . $start->('Waits', 100) . "SELECT public.complete(900);\n" . $drain . "ANALYZE;\n",
	'7 one orchestration with nearly all' => $start->('Bench', 400) . $start->('Waits', 1) . "ANALYZE;\n");
my $plan = q{
LOAD 'auto_explain';
SET auto_explain.log_nested_statements = on;
SET auto_explain.log_analyze = on;
SET auto_explain.log_timing = off;
SET client_min_messages = warning;
};
my $explain = q{
SET client_min_messages = log;
SET auto_explain.log_min_duration = 0;
};
append_to_file($node->basedir . '/load.sql', $start->('Bench', 700) . $start->('Waits', 700));

# a line of EXPLAIN with rows and loops: depth, node, index, rows read, rows returned
sub nodes
{
	my ($plan) = @_;
	my @nodes;
	for (split /\n/, $plan)
	{
		if (/^(\s*)(?:->  )?(\S.*?)\s+\(cost=.*\((?:actual rows=([\d.]+) loops=(\d+)|never executed)\)/)
		{
			push @nodes, { depth => length $1, what => $2, loops => $4 // 0, out => ($3 // 0) * ($4 // 0), read => ($3 // 0) * ($4 // 0) };
		}
		elsif (@nodes && /Rows Removed by (?:Filter|Index Recheck|Join Filter): (\d+)/)
		{
			$nodes[-1]{read} += $1 * $nodes[-1]{loops};
		}
		elsif (@nodes && /Index Cond: (.*)/)
		{
			$nodes[-1]{condition} = $1;
		}
	}
	return @nodes;
}

my %seen;
for my $state (sort keys %states)
{
	(my $database = "s$state") =~ s/\W.*//;
	$node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE fresh");
	$node->safe_psql($database, $states{$state} . "\n") if $states{$state} ne '';
	my $loader = 'psql -XqAt -f ' . $node->basedir . "/load.sql '" . $node->connstr($database) . "' >/dev/null";
	my $script = $plan . $workload . $watch . "\\! $loader\n" . $explain . $workload . $watch;
	my ($stdout, $stderr) = ('', '');
	$node->psql($database, $script, stdout => \$stdout, stderr => \$stderr, on_error_stop => 0);
	my @errors = $stderr =~ /^(?:psql:[^:]*:\d+: )?ERROR: .*$/mg;
	is(join("\n", @errors), '', "$state: no call fails");
	my $rows = $node->safe_psql($database, "SELECT max(c) FROM (SELECT count(*) AS c FROM orchestration.run_log UNION ALL SELECT count(*) FROM orchestration.step_run) x");
	my %worst;
	my $plans = 0;
	for my $entry (split /^(?:psql:[^:]*:\d+: )?LOG:  duration: .*? plan:\n/m, $stderr)
	{
		my ($query, $plan) = $entry =~ /\AQuery Text: (.*?)\n((?:\S[^\n]*)\(cost=.*)\z/s or next;
		# queries of the test itself
		next if $query !~ /orchestration/ || $query =~ /^(?:SELECT count\(\*\) FROM orchestration\.(?:fail|extend)|SELECT (?:id|orchestration)|UPDATE orchestration\.run SET status = '[^']*' WHERE (?:id IN|status)|INSERT INTO demand)/;
		$plans++;
		$query =~ s/\s+/ /g;
		$seen{$query} = 1;
		my @nodes = nodes($plan) or next;
		my $given = 0;
		for my $i (0 .. $#nodes)
		{
			my $node = $nodes[$i];
			$given = $node->{out} if $node->{what} =~ /^Function Scan on|^Result|^CTE Scan/ && $node->{out} > $given;
			$given = $nodes[1]{out} if $i == 1 && $nodes[0]{what} =~ /^(?:Update|Delete|Insert) on/ && $nodes[1]{out} > $given;
		}
		$given = $nodes[0]{out} if $nodes[0]{out} > $given;
		# queries over all rows; purge_runs() reads all runs that are old enough
		my $whole = $query =~ /^WITH due AS|^DELETE FROM orchestration\.run WHERE id = ANY \(ARRAY\(|stage beside run|no step of the stage is under way|'runs_in_progress'|run_outcomes|rebuild_open_runs|FROM orchestration\.(?:verify|needs_attention|engine_\w+|\w+_overview|open_runs)/;
		my $limit = $whole ? 3 * $rows : 60 + 4 * $given;
		for my $node (@nodes)
		{
			my $why;
			$why = "reads $node->{read}" if $node->{read} > $limit && $node->{what} =~ /Scan|Join|Loop/;
			$why = 'reads the whole index' if !$whole && $node->{loops} && $node->{what} =~ /^Index.* using (\w+) on/ && !looks_up($1, $node->{condition}) && $node->{read} > $limit;
			next if !defined $why;
			my $key = substr($query, 0, 160);
			$worst{$key} = "$why rows where at most $limit are allowed: $node->{what}" if !defined $worst{$key} || length $why > length $worst{$key};
		}
	}
	cmp_ok($plans, '>', 200, "$state: $plans statements were executed");
	is(join("\n", map { "$_ ...: $worst{$_}" } sort keys %worst), '', "$state: no statement reads more rows than its arguments ask for");
	$node->safe_psql('postgres', "DROP DATABASE $database");
}

# every foreign key was checked or followed, except those of the description of the objects,
# which only CREATE EXTENSION writes
my @keys = split /\n/, $node->safe_psql('fresh', q{
SELECT conname || '|' || conrelid::regclass || '|' || confrelid::regclass || '|' || confdeltype::text FROM pg_constraint
 WHERE contype = 'f' AND connamespace = 'orchestration'::regnamespace AND conname NOT LIKE 'sobject%'});
my @unseen;
for (@keys)
{
	my ($name, $child, $parent, $action) = split /\|/;
	my ($c, $p) = map { (my $x = $_) =~ s/^orchestration\.//; $x } $child, $parent;
	push @unseen, "$name: check" if !grep { /^SELECT 1 FROM ONLY "orchestration"\."$p" x/ } keys %seen;
	push @unseen, "$name: cascade" if $action eq 'c' && !grep { /^DELETE FROM ONLY "orchestration"\."$c"/ } keys %seen;
}
is(join("\n", @unseen), '', 'every foreign key was executed');
$node->stop;
done_testing();
