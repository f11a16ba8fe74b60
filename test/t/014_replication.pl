# 014_replication.pl: a logical replica.  Rights revoked on the publisher end in open sessions of
# the subscriber, whichever cache they depend on; FOR ALL TABLES is possible; the subscriber can
# become the primary.  The commands are those of the README, "Replicas".

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my %node;
for my $name (qw(publisher subscriber))
{
	$node{$name} = PostgreSQL::Test::Cluster->new($name);
	$node{$name}->init(allows_streaming => 'logical');
	$node{$name}->append_conf('postgresql.conf', $ENV{ORCH_TEST_CONF});
	$node{$name}->start;
	$node{$name}->safe_psql('postgres', 'CREATE ROLE ann LOGIN');
}
my ($publisher, $subscriber) = @node{qw(publisher subscriber)};

sub document
{
	my ($step, $action) = @_;
	return qq({"label": "Handle", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}},
	  "orchestratedStages": [{"name": "S", "label": "S", "stageSteps": [
	    {"name": "Look", "label": "Look", "actionName": "screen", "actionType": "stepInteractive",
	     "assignees": [{"assignee": {"stringValue": "Desk"}, "assigneeType": "Queue"}]},
	    {"name": "$step", "label": "$step", "actionName": "$action", "actionType": "stepBackground"}]}]});
}

$publisher->safe_psql('postgres', q{
CREATE EXTENSION orchestration;
CREATE TABLE claim (id text PRIMARY KEY, other text NOT NULL UNIQUE);
CREATE FUNCTION act(jsonb) RETURNS jsonb LANGUAGE sql AS $$SELECT '{"said": "act"}'::jsonb$$;
CREATE FUNCTION act2(jsonb) RETURNS jsonb LANGUAGE sql AS $$SELECT '{"said": "act2"}'::jsonb$$;
INSERT INTO claim VALUES ('c1', 'o1');
SELECT orchestration.register_record_type('Claim', 'claim');
SELECT orchestration.register_action('screen', 'screen'), orchestration.register_action('act', 'function', 'act(jsonb)');
SELECT orchestration.create_user('ann@example.com', 'Ann', 'ann'), orchestration.create_queue('Desk'), orchestration.create_group('Team');
SELECT orchestration.add_group_member(g.id, u.id) FROM orchestration.principal g, orchestration.principal u
 WHERE g.developer_name = 'Team' AND u.username = 'ann@example.com';
});
$publisher->safe_psql('postgres', 'SELECT orchestration.deploy_orchestration(' . "\$\$" . document('First', 'act') . "\$\$::jsonb, 'Handle')");
$publisher->safe_psql('postgres', q{SELECT orchestration.activate_orchestration('Handle');
SELECT orchestration.start_orchestration('Handle') FROM generate_series(1, 3);
SELECT orchestration.set_history_tracking('FlowOrchestrationInstance', '{Status}')});

# the schema, then the rows
my $dir = $publisher->backup_dir;
mkdir $dir;
$publisher->command_ok([ 'pg_dump', '--schema-only', '-f', "$dir/schema.sql", $publisher->connstr('postgres') ], 'pg_dump --schema-only');
$subscriber->command_ok([ 'psql', '-XqAtv', 'ON_ERROR_STOP=1', '-f', "$dir/schema.sql", $subscriber->connstr('postgres') ], 'and loaded');
my $publish = q{
SELECT 'CREATE PUBLICATION orchestration FOR TABLE ' || string_agg(t::regclass ||
       CASE t::regclass WHEN 'orchestration.principal'::regclass
            THEN $$ WHERE (id <> '00000000-0000-7000-8000-000000000001')$$ ELSE '' END, ', ')
  FROM pg_extension e, unnest(e.extconfig) t JOIN pg_class c ON c.oid = t AND c.relkind = 'r'
 WHERE e.extname = 'orchestration' \gexec
ALTER PUBLICATION orchestration ADD TABLE claim;
};
$publisher->safe_psql('postgres', $publish);
my $connection = $publisher->connstr . ' dbname=postgres';
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION orchestration CONNECTION '$connection' PUBLICATION orchestration");
$subscriber->wait_for_subscription_sync($publisher, 'orchestration');
sub arrives { $publisher->wait_for_catchup('orchestration') }

# the contents of both sides: all dumped tables, except the seeded user
my $contents = q{
SELECT string_agg(format('SELECT %L, count(*) || '' '' || COALESCE(md5(string_agg(t::text, '','' ORDER BY t::text)), '''') FROM %s t WHERE t::text !~ ''autoproc''', c.oid::regclass, c.oid::regclass), ' UNION ALL ' ORDER BY c.oid::regclass::text) || ' ORDER BY 1'
  FROM pg_extension e, unnest(e.extconfig) x JOIN pg_class c ON c.oid = x AND c.relkind = 'r' WHERE e.extname = 'orchestration' \gexec
SELECT * FROM claim};
sub equal
{
	my ($db, $name) = @_;
	is($subscriber->safe_psql($db, $contents), $publisher->safe_psql('postgres', $contents), $name);
	is($subscriber->safe_psql($db, 'SELECT * FROM orchestration.verify()'), '', "$name: verify()");
}
equal('postgres', 'the first copy');

# the subscriber uses numbers itself, even for a dry run
my ($rc, $out, $err) = $subscriber->psql('postgres', q{SELECT orchestration.dry_run('Handle')});
like($err, qr/run_name_key/, 'the sequences do not follow');
is($subscriber->safe_psql('postgres', 'SELECT count(*) FROM orchestration.advance_sequences()'), '6', 'advance_sequences()');

# ---- open sessions: Ann's, and an administrator's
my %session;
$session{ann} = $subscriber->background_psql('postgres', extra_params => [ '-U', 'ann' ]);
$session{admin} = $subscriber->background_psql('postgres');

my $runs = 'SELECT count(*) FROM orchestration.run';
my $ann = q{(SELECT id FROM orchestration.principal WHERE username = 'ann@example.com')};
my $desk = "(SELECT id FROM orchestration.principal WHERE developer_name = 'Desk')";
my $team = "(SELECT id FROM orchestration.principal WHERE developer_name = 'Team')";
my $run = "(SELECT id FROM orchestration.run WHERE name = 'OR-00000001')";
my $steps = q{SELECT string_agg(step, ' ' ORDER BY number) FROM orchestration.dry_run('Handle') WHERE event = 'StartStep'};
my $said = q{SELECT max(detail #>> '{outputs,said}') FROM orchestration.dry_run('Handle') WHERE step IN ('First', 'Second')};
my $history = "BEGIN; UPDATE orchestration.run SET interview_id = '00000000-0000-4000-8000-000000000001' WHERE name = 'OR-00000001'; SELECT count(*) FROM orchestration.field_change WHERE field = 'InterviewId'; ROLLBACK";

# the session, its query, the answer; then the statement on the publisher, and so on
for my $case (
	[ 'principal: View All Data', 'ann', $runs, 0,
		"SELECT orchestration.update_user($ann, view_all_data => true)", 3,
		"SELECT orchestration.update_user($ann, view_all_data => false)", 0 ],
	[ 'membership', 'ann', 'SELECT count(*) FROM orchestration.work_item', 0,
		"SELECT orchestration.add_group_member($desk, $ann)", 3,
		"SELECT orchestration.remove_group_member($desk, $ann)", 0 ],
	[ 'share_grant', 'ann', $runs, 0,
		"SELECT orchestration.share_record($run, $ann, 'Read')", 1,
		"SELECT orchestration.unshare_record($run, $ann)", 0 ],
	[ 'default_access', 'ann', $runs, 0,
		q{SELECT orchestration.set_default_access('FlowOrchestrationInstance', 'Read')}, 3,
		q{SELECT orchestration.set_default_access('FlowOrchestrationInstance', 'Private')}, 0 ],
	[ 'owner_sharing_rule', 'ann', $runs, 0,
		"SELECT orchestration.create_orchestration_sharing_rule('Handle', $team, 'Read', '{FlowOrchestrationInstance}')", 3,
		'SELECT orchestration.delete_sharing_rule(id) FROM orchestration.owner_sharing_rule', 0 ],
	[ 'principal: is_active', 'ann', 'SELECT orchestration.acting_user_id() IS NOT NULL', 't',
		"SELECT orchestration.update_user($ann, is_active => false)", 'f',
		"SELECT orchestration.update_user($ann, is_active => true)", 't' ],
	[ 'orchestration_definition', 'admin', $steps, 'Look First',
		'SELECT orchestration.deploy_orchestration(' . "\$\$" . document('Second', 'act') . "\$\$::jsonb, 'Handle'); SELECT orchestration.activate_orchestration('Handle')", 'Look Second' ],
	[ 'action', 'admin', $said, 'act',
		q{SELECT orchestration.register_action('act', 'function', 'act2(jsonb)')}, 'act2' ],
	[ 'record_type', 'admin', q{SELECT orchestration.record_exists('Claim', 'c1')}, 't',
		q{SELECT orchestration.unregister_record_type('Claim'); SELECT orchestration.register_record_type('Claim', 'claim', 'other')}, 'f' ],
	[ 'field_tracking', 'admin', $history, 0,
		q{SELECT orchestration.set_history_tracking('FlowOrchestrationInstance', '{Status,InterviewId}')}, 1,
		q{SELECT orchestration.set_history_tracking('FlowOrchestrationInstance', '{Status}')}, 0 ])
{
	my ($name, $who, $query, $before, @changes) = @$case;
	is($session{$who}->query_safe($query), $before, "$name: before");
	while (@changes)
	{
		my ($change, $after) = splice(@changes, 0, 2);
		$publisher->safe_psql('postgres', $change);
		arrives();
		is($session{$who}->query_safe($query), $after, "$name: an open session of the subscriber sees the change");
	}
}
# the publisher's table gets another name: DDL is not replicated, so the subscriber's follows by hand
$publisher->safe_psql('postgres', q{ALTER TABLE claim RENAME TO demand});
arrives();
is($session{admin}->query_safe(q{SELECT table_name, orchestration.record_exists('Claim', 'o1'), orchestration_internal.record_type_problem('Claim') FROM orchestration.record_type}),
	'demand|f|table public.demand of record type "Claim" does not exist', 'record_type: the subscriber says that its table has another name');
($rc, $out, $err) = $subscriber->psql('postgres', q{SELECT orchestration.start_orchestration('Handle', 'o1')});
like($err, qr/no registered record type has a record "o1"/, 'record_type: no record is found meanwhile');
$subscriber->safe_psql('postgres', 'ALTER TABLE claim RENAME TO demand');
is($session{admin}->query_safe(q{SELECT orchestration.record_exists('Claim', 'o1'), orchestration_internal.record_type_table('Claim')}), 't|demand', 'record_type: renamed there too, it is found');
$publisher->safe_psql('postgres', q{ALTER TABLE demand RENAME TO claim});
$subscriber->safe_psql('postgres', 'ALTER TABLE demand RENAME TO claim');
arrives();
is($session{admin}->query_safe(q{SELECT orchestration.record_exists('Claim', 'o1'), orchestration_internal.record_type_table('Claim')}), 't|claim', 'record_type: and back');
$_->quit for values %session;
equal('postgres', 'after all changes');

# ---- FOR ALL TABLES: the publisher's rows replace those of CREATE EXTENSION
$publisher->safe_psql('postgres', 'CREATE PUBLICATION everything FOR ALL TABLES');
$subscriber->safe_psql('postgres', 'CREATE DATABASE everything');
$subscriber->command_ok([ 'psql', '-XqAtv', 'ON_ERROR_STOP=1', '-f', "$dir/schema.sql", $subscriber->connstr('everything') ], 'the schema');
$subscriber->safe_psql('everything', q{
SET session_replication_role = replica;
SELECT format('DELETE FROM %s', oid::regclass) FROM pg_class
 WHERE relnamespace = 'orchestration'::regnamespace AND relkind = 'r' \gexec
RESET session_replication_role;
});
$subscriber->safe_psql('everything', "CREATE SUBSCRIPTION everything CONNECTION '$connection' PUBLICATION everything");
$subscriber->wait_for_subscription_sync($publisher, 'everything', 'everything');
equal('everything', 'FOR ALL TABLES');
$subscriber->safe_psql('everything', 'DROP SUBSCRIPTION everything');

# ---- the subscriber becomes the primary
$publisher->safe_psql('postgres', q{SELECT orchestration.start_orchestration('Handle') FROM generate_series(4, 20);
	SELECT orchestration.cancel_run(id) FROM orchestration.run WHERE name = 'OR-00000020'});
arrives();
$publisher->stop;
$subscriber->safe_psql('postgres', 'ALTER SUBSCRIPTION orchestration DISABLE; ALTER SUBSCRIPTION orchestration SET (slot_name = NONE); DROP SUBSCRIPTION orchestration');
($rc, $out, $err) = $subscriber->psql('postgres', q{SELECT orchestration.start_orchestration('Handle')});
like($err, qr/run_name_key/, 'the sequences did not follow the new runs');
is($subscriber->safe_psql('postgres', q{SELECT s.sequence, s.last_value = CASE s.sequence WHEN 'run_log_number_seq' THEN (SELECT max(number) FROM orchestration.run_log) WHEN 'run_name_seq' THEN 20 WHEN 'work_item_name_seq' THEN 20 ELSE 1 END
	FROM orchestration.advance_sequences() s}), join("\n", map { "${_}_seq|t" } qw(run_log_number run_name submission_detail_name submission_item_name submission_name work_item_name)), 'advance_sequences() once more');
$subscriber->safe_psql('postgres', q{SELECT orchestration.start_orchestration('Handle')});
is($subscriber->safe_psql('postgres', q{SELECT max(name) FROM orchestration.run UNION ALL SELECT max(name) FROM orchestration.work_item}),
	"OR-00000021\nWI-00000021", 'a new run has the next numbers');
$subscriber->safe_psql('postgres', q{SELECT orchestration.complete_work_item(id) FROM orchestration.work_item WHERE status = 'Assigned'});
is($subscriber->safe_psql('postgres', 'SELECT status, count(*) FROM orchestration.run GROUP BY 1 ORDER BY 1'), "Canceled|1\nCompleted|20", 'all runs go on');
is($subscriber->safe_psql('postgres', q{SELECT bool_and(first > last) FROM (SELECT (SELECT min(number) FROM orchestration.run_log l WHERE l.run_id = r.id) AS first,
	(SELECT max(number) FROM orchestration.run_log l JOIN orchestration.run o ON o.id = l.run_id WHERE o.name = 'OR-00000020') AS last
	FROM orchestration.run r WHERE r.name = 'OR-00000021') x}), 't', 'and their log entries come after the earlier ones');
is($subscriber->safe_psql('postgres', 'SELECT * FROM orchestration.verify()'), '', 'verify() of the new primary');

$subscriber->stop;
done_testing();
