# 003_dump_restore.pl: pg_dump and pg_restore bring back a database of open and
# ended runs unchanged, and the runs go on in the copy.
#
# The user's tables are in a schema that pg_dump loads before the extension's and in one that it
# loads after it: lookups between them must not depend on the order.
#
# Every usual form of dump is restored: COPY, and INSERT of one or many rows; all at once, or the
# data into an existing schema, with or without its triggers.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('dump');
$node->init;
$node->append_conf('postgresql.conf', $ENV{ORCH_TEST_CONF});
$node->start;

my @tables = qw(principal membership record_type action orchestration_definition
	orchestration_version definition_log run run_migration stage_run step_run run_record work_item step_queue run_log
	default_access owner_sharing_rule share_grant field_tracking field_change
	feed_item feed_comment feed_like feed_tracked_change record_view tombstone
	tombstone_horizon sobject_layout
	submission submission_item submission_detail approval_delegation message step_message reminder);
my @sequences = qw(run_name_seq work_item_name_seq run_log_number_seq
	submission_name_seq submission_item_name_seq submission_detail_name_seq);

$node->safe_psql('postgres', 'CREATE DATABASE source');
$node->safe_psql('source', q{
CREATE EXTENSION orchestration;
CREATE SCHEMA aaa;
CREATE SCHEMA zzz;
CREATE TABLE aaa.claim (id text PRIMARY KEY, amount numeric);
CREATE TABLE zzz.parcel (id integer PRIMARY KEY, place text);
INSERT INTO aaa.claim VALUES ('c1', 10), ('c2', 20);
INSERT INTO zzz.parcel VALUES (1, 'here'), (2, 'there');
SELECT orchestration.register_record_type('Claim', 'aaa.claim');
SELECT orchestration.register_record_type('Parcel', 'zzz.parcel');
CREATE FUNCTION zzz.act(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
SELECT orchestration.register_action('screen', 'screen');
SELECT orchestration.register_action('worker', 'worker');
SELECT orchestration.register_action('act', 'function', 'zzz.act(jsonb)');
SELECT orchestration.create_user('ada@example.com', 'Ada');
SELECT orchestration.add_group_member(orchestration.create_queue('Desk'),
       (SELECT id FROM orchestration.principal WHERE username = 'ada@example.com'));
SELECT orchestration.add_group_member(orchestration.create_group('Aaa_Inner'),
       (SELECT id FROM orchestration.principal WHERE username = 'ada@example.com'));
SELECT orchestration.add_group_member(orchestration.create_group('Outer'),
       (SELECT id FROM orchestration.principal WHERE developer_name = 'Aaa_Inner'));
SELECT orchestration.set_default_access('FlowOrchestrationWorkItem', 'Read');
SELECT orchestration.create_owner_sharing_rule('FlowOrchestrationInstance', o.id, d.id, 'Edit', 'Rule')
  FROM orchestration.principal o, orchestration.principal d
 WHERE o.developer_name = 'Outer' AND d.developer_name = 'Desk';

-- users and workers at the same time, then a function; about the record of an action
SELECT orchestration.deploy_orchestration(format($${"label": "%1$s", "processType": "Orchestrator",
  "start": {"object": "%1$s", "triggerType": "RecordAfterSave", "recordTriggerType": "Create",
            "filters": [{"field": "id", "operator": "IsNull", "value": {"booleanValue": true}}],
            "connector": {"targetReference": "First"}},
  "variables": [{"name": "R", "dataType": "SObject", "objectType": "%1$s", "value": {"elementReference": "$Record"}}],
  "orchestratedStages": [
    {"name": "First", "label": "First", "connector": {"targetReference": "Second"}, "stageSteps": [
      {"name": "Look", "label": "Look", "actionName": "screen", "actionType": "stepInteractive",
       "assignees": [{"assignee": {"stringValue": "Desk"}, "assigneeType": "Queue"}],
       "inputParameters": [{"name": "ActionInput__RecordId", "value": {"elementReference": "R.Id"}},
         {"name": "ActionInput__CustomEmailSubject", "value": {"stringValue": "Look at it"}}]},
      {"name": "Send", "label": "Send", "actionName": "worker", "actionType": "stepBackground", "requiresAsyncProcessing": true}]},
    {"name": "Second", "label": "Second", "stageSteps": [
      {"name": "Act", "label": "Act", "actionName": "act", "actionType": "stepBackground"}]}]}$$, name)::jsonb,
  name || '_Handling') FROM orchestration.record_type;
SELECT orchestration.activate_orchestration(name || '_Handling') FROM orchestration.record_type;

-- a loop: three times through one stage; deployed in XML
SELECT orchestration.deploy_orchestration($$<Flow xmlns="http://soap.sforce.com/2006/04/metadata">
<label>Loop</label><processType>Orchestrator</processType>
<start><connector><targetReference>Again</targetReference></connector></start>
<variables><name>n</name><dataType>Number</dataType><value><numberValue>0</numberValue></value></variables>
<orchestratedStages><name>Again</name><label>Again</label><connector><targetReference>Count</targetReference></connector>
 <stageSteps><name>Act</name><label>Act</label><actionName>act</actionName><actionType>stepBackground</actionType></stageSteps></orchestratedStages>
<assignments><name>Count</name><label>Count</label><connector><targetReference>Enough</targetReference></connector>
 <assignmentItems><assignToReference>n</assignToReference><operator>Add</operator><value><numberValue>1</numberValue></value></assignmentItems></assignments>
<decisions><name>Enough</name><label>Enough</label>
 <rules><name>No</name><label>No</label><conditionLogic>and</conditionLogic><connector><targetReference>Again</targetReference></connector>
  <conditions><leftValueReference>n</leftValueReference><operator>LessThan</operator><rightValue><numberValue>3</numberValue></rightValue></conditions></rules></decisions>
</Flow>$$::xml, 'Loop');
SELECT orchestration.activate_orchestration('Loop');

-- every new record starts it; records of the source are older, and restored records are not new
SELECT orchestration.deploy_orchestration(format($${"label": "%1$s", "processType": "Orchestrator",
  "start": {"object": "%1$s", "triggerType": "RecordAfterSave", "recordTriggerType": "CreateAndUpdate",
            "connector": {"targetReference": "Only"}},
  "orchestratedStages": [{"name": "Only", "label": "Only", "stageSteps": [
    {"name": "Act", "label": "Act", "actionName": "act", "actionType": "stepBackground"}]}]}$$, name)::jsonb,
  name || '_Welcome') FROM orchestration.record_type;
SELECT orchestration.activate_orchestration(name || '_Welcome') FROM orchestration.record_type;
});

# approvals: two decisions at once; the path of a recall asks for one, too
$node->safe_psql('source', q{
CREATE FUNCTION zzz.decision(name text) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('name', name, 'label', name, 'actionName', 'screen', 'actionType', 'stepApproval',
    'assignees', '[{"assignee": {"stringValue": "ada@example.com"}, "assigneeType": "User"}]'::jsonb) $$;
SELECT orchestration.deploy_orchestration(jsonb_build_object('label', 'Sign off', 'processType', 'ApprovalWorkflow',
  'start', '{"connector": {"targetReference": "Ask"}, "scheduledPaths": [{"pathType": "ApprovalRecall", "connector": {"targetReference": "Undo"}}]}'::jsonb,
  'variables', (SELECT jsonb_agg(jsonb_build_object('name', v, 'dataType', 'String', 'isInput', true))
                  FROM unnest('{recordId,submitter,submissionComments,firstApprover}'::text[]) v),
  'orchestratedStages', jsonb_build_array(
    jsonb_build_object('name', 'Ask', 'label', 'Ask', 'stageSteps', jsonb_build_array(zzz.decision('One'), zzz.decision('Two'))),
    jsonb_build_object('name', 'Undo', 'label', 'Undo', 'stageSteps', jsonb_build_array(zzz.decision('Sure'))))), 'Sign_off');
SELECT orchestration.activate_orchestration('Sign_off');
SELECT orchestration.create_user('bob@example.com', 'Bob');
SELECT orchestration.create_approval_delegation(a.id, b.id, comments => 'on leave')
  FROM orchestration.principal a, orchestration.principal b WHERE a.username = 'ada@example.com' AND b.username = 'bob@example.com';
});

# one run for each state; the run's idempotency key names it
$node->safe_psql('source', q{
CREATE FUNCTION zzz.run(text) RETURNS uuid LANGUAGE sql AS
  'SELECT id FROM orchestration.run WHERE idempotency_key = $1';
CREATE FUNCTION zzz.item(text) RETURNS uuid LANGUAGE sql AS
  'SELECT id FROM orchestration.work_item WHERE run_id = zzz.run($1) AND status = ''Assigned''';
CREATE FUNCTION zzz.result(run text, OUT results jsonb) LANGUAGE sql AS $$
  SELECT jsonb_agg(jsonb_build_object('step_id', c.step_id, 'lease_id', c.lease_id, 'message', 'no paper', 'outputs', '{"tracking": 7}'::jsonb))
    FROM orchestration.claim_steps('worker 1', '{worker}', 1) c
   WHERE c.run_id = zzz.run(run) $$;

SET orchestration.messages = 'all';
SELECT orchestration.start_orchestration('Claim_Handling', 'c1', NULL, 'completed');
SELECT orchestration.remind_assignees('0');
SELECT orchestration.complete_work_item(zzz.item('completed'), '{"ok": true}');
SELECT orchestration.complete_steps(zzz.result('completed'));
SELECT orchestration.start_orchestration('Parcel_Handling', '1', NULL, 'canceled');
SELECT orchestration.cancel_run(zzz.run('canceled'));
SELECT orchestration.start_orchestration('Parcel_Handling', '2', NULL, 'failed');
SELECT orchestration.fail_steps(zzz.result('failed'));
SELECT orchestration.start_orchestration('Claim_Handling', 'c2', NULL, 'suspended');
SELECT orchestration.suspend_run(zzz.run('suspended'));
SELECT orchestration.complete_work_item(zzz.item('suspended'), '{"ok": true}', 'once');
SELECT orchestration.complete_steps(zzz.result('suspended'));
SELECT orchestration.start_orchestration('Parcel_Handling', '2', NULL, 'screen failed');
SELECT orchestration.complete_steps(zzz.result('screen failed'));
SELECT orchestration.fail_work_item(zzz.item('screen failed'), 'the screen broke');
SELECT orchestration.start_orchestration('Claim_Handling', 'c2', NULL, 'leased');
SELECT zzz.result('leased');
SELECT orchestration.start_orchestration('Parcel_Handling', '1', NULL, 'waiting');
SELECT orchestration.start_orchestration('Loop', NULL, NULL, 'loop');
-- feeds, history, views, deleted records
SELECT orchestration.set_feed_tracking('FlowOrchestrationInstance', '{Status}');
SELECT orchestration.set_layout('FlowOrchestrationInstance', '{"sections": [{"heading": "x", "fields": ["Name"]}]}');
SELECT orchestration.suspend_run(zzz.run('waiting')), orchestration.resume_run(zzz.run('waiting'));
SELECT orchestration.comment_on_feed_item(p, 'a comment'), orchestration.like_feed_item(p)
  FROM orchestration.post_to_feed(zzz.run('waiting'), 'a post') p;
SELECT orchestration.view_record(zzz.run('waiting'));
SELECT orchestration.cancel_run(orchestration.start_orchestration('Parcel_Handling', '1', NULL, 'gone'));
DELETE FROM orchestration.run WHERE id = zzz.run('gone');
UPDATE orchestration.tombstone SET deleted_at = now() - interval '20 days' WHERE object = 'FlowOrchestrationLog';
SELECT orchestration.remove_expired();
-- an approval in every status, with work items in every status
CREATE FUNCTION zzz.decide(run text, step text, decision text) RETURNS text LANGUAGE sql AS $$
  SELECT orchestration.review_approval(a.id, decision, 'said so')::text FROM orchestration.submission_item a
   WHERE a.run_id = zzz.run(run) AND a.condition_name = step AND a.status = 'Assigned' $$;
SELECT orchestration.start_orchestration('Sign_off', NULL, '{"submitter": "bob@example.com", "submissionComments": "please"}', k)
  FROM unnest('{asked,approved,rejected,withdrawn,called off,recalled,recall asks,broken,halted}'::text[]) k;
SELECT zzz.decide('asked', 'One', 'Reject');
SELECT zzz.decide('approved', 'One', 'Approve'), zzz.decide('approved', 'Two', 'Approve');
SELECT zzz.decide('rejected', 'One', 'Approve'), zzz.decide('rejected', 'Two', 'Reject');
UPDATE orchestration.step_run SET status = 'Completed' WHERE run_id = zzz.run('withdrawn') AND name = 'One';
SELECT orchestration.cancel_run(zzz.run('called off'), 'no longer needed');
SELECT orchestration.recall_run(zzz.run(k), 'changed my mind') FROM unnest('{recalled,recall asks}'::text[]) k;
SELECT zzz.decide('recalled', 'Sure', 'Approve');
UPDATE orchestration.run SET status = 'Error' WHERE id = zzz.run('broken');
SELECT orchestration.suspend_run(zzz.run('halted'));
SELECT orchestration.reassign_work_item(w.id, p.id, 'to bob') FROM orchestration.work_item w, orchestration.principal p
 WHERE w.run_id = zzz.run('halted') AND w.label = 'Two' AND p.username = 'bob@example.com';
SELECT orchestration.share_record(s.id, p.id), orchestration.view_record(s.id) FROM orchestration.submission s, orchestration.principal p
 WHERE s.run_id = zzz.run('asked') AND p.username = 'ada@example.com';
-- imported runs, without a version
INSERT INTO orchestration.run (name, status, ended_at) VALUES ('imported', 'Completed', now()), ('imported, open', 'InProgress', NULL);
INSERT INTO orchestration.stage_run (run_id, name, label, position, status)
  SELECT id, 'Old', 'Old', 1, CASE status WHEN 'Completed' THEN 'Completed' ELSE 'InProgress' END::orchestration.stage_status
    FROM orchestration.run WHERE name LIKE 'imported%';
INSERT INTO orchestration.step_run (run_id, stage_run_id, step_type, name, label, status)
  SELECT run_id, id, 'InteractiveStep', 'Step', 'Step', 'Discontinued' FROM orchestration.stage_run WHERE name = 'Old' AND status = 'Completed';
});
is($node->safe_psql('source', 'SELECT status, count(*) FROM orchestration.run GROUP BY 1 ORDER BY 1'),
	"Canceled|3\nCompleted|5\nError|3\nInProgress|6\nSuspended|2", 'a run in every status');
is($node->safe_psql('source', q{SELECT r.idempotency_key, s.status, string_agg(a.status::text, ' ' ORDER BY a.id)
	  FROM orchestration.submission s JOIN orchestration.run r ON r.id = s.run_id
	  JOIN orchestration.submission_item a ON a.run_id = s.run_id GROUP BY 1, 2 ORDER BY 1}),
	"approved|Approved|Approved Approved\nasked|InProgress|Rejected Assigned\nbroken|Errored|Errored Errored\ncalled off|Canceled|Canceled Canceled\n"
	  . "halted|Suspended|Assigned Assigned\nrecall asks|Recalled|Recalled Recalled Assigned\nrecalled|Recalled|Recalled Recalled Approved\n"
	  . "rejected|Rejected|Approved Rejected\nwithdrawn|InProgress|Withdrawn Assigned",
	'a submission and an approval work item in every status');
is($node->safe_psql('source', q{SELECT s FROM unnest(enum_range(NULL::orchestration.approval_submission_status)) s
	WHERE NOT EXISTS (SELECT FROM orchestration.submission x WHERE x.status = s) UNION ALL SELECT a::text::orchestration.approval_submission_status
	FROM unnest(enum_range(NULL::orchestration.approval_work_item_status)) a WHERE NOT EXISTS (SELECT FROM orchestration.submission_item x WHERE x.status = a)}),
	'', 'none is missing');
is($node->safe_psql('source', q{SELECT count(*), max(position) FROM orchestration.stage_run WHERE run_id = zzz.run('loop')}),
	'3|3', 'one run went through a loop');
is($node->safe_psql('source', q{SELECT count(*) FROM orchestration.step_run WHERE pending IS NOT NULL}),
	'2', 'and one has pending outcomes');
is($node->safe_psql('source', 'SELECT * FROM orchestration.verify()'), '', 'verify() of the source');

# must be equal: rows, sequences, triggers
sub contents
{
	my ($db) = @_;
	my %contents;
	for my $table (map { "orchestration.$_" } @tables)
	{
		# the automated process user comes with the extension
		my $where = $table =~ /principal/ ? "WHERE t.username IS DISTINCT FROM 'autoproc'" : '';
		$contents{$table} = $node->safe_psql($db,
			"SELECT count(*) || ' ' || md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM $table t $where");
	}
	$contents{'user tables'} = $node->safe_psql($db,
		'SELECT * FROM aaa.claim ORDER BY 1; SELECT * FROM zzz.parcel ORDER BY 1');
	for my $sequence (@sequences)
	{
		$contents{$sequence} = $node->safe_psql($db,
			"SELECT last_value, is_called FROM orchestration.$sequence");
	}
	$contents{triggers} = $node->safe_psql($db, q{
		SELECT tgrelid::regclass, tgname, tgenabled, pg_get_triggerdef(oid)
		  FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2});
	return \%contents;
}

my $source = contents('source');
unlike($source->{"orchestration.$_"}, qr/^0/, "source has rows in $_") for @tables;
like($source->{triggers}, qr/claim.*orchestration_record_change.*parcel.*orchestration_record_change/s,
	'source has the triggers of registered tables');

my $dir = $node->backup_dir;
mkdir $dir;
my %dump = (
	'plain.sql' => [],
	'custom' => ['-Fc'],
	'inserts.sql' => ['--inserts'],
	'inserts' => [ '-Fc', '--column-inserts', '--rows-per-insert=7', '--on-conflict-do-nothing' ],
	'schema.sql' => ['--schema-only'],
	'data.sql' => ['--data-only'],
	'data_inserts.sql' => [ '--data-only', '--inserts' ],
	'data_untriggered.sql' => [ '--data-only', '--disable-triggers' ]);
$node->command_ok([ 'pg_dump', @{ $dump{$_} }, '-f', "$dir/$_", $node->connstr('source') ],
	"pg_dump @{ $dump{$_} }") for sort keys %dump;
my @psql = ('psql', '-XqAtv', 'ON_ERROR_STOP=1', '-f');

my %restore = (
	plain => [ @psql, "$dir/plain.sql", '-d' ],
	inserts => [ @psql, "$dir/inserts.sql", '-d' ],
	many_rows => [ 'pg_restore', '-e', "$dir/inserts", '-d' ],
	data => [ @psql, "$dir/data.sql", '-d' ],
	data_inserts => [ @psql, "$dir/data_inserts.sql", '-d' ],
	data_once => [ 'pg_restore', '-1', '--data-only', "$dir/custom", '-d' ],
	data_untriggered => [ @psql, "$dir/data_untriggered.sql", '-d' ],
	custom => [ 'pg_restore', '-e', "$dir/custom", '-d' ],
	parallel => [ 'pg_restore', '-e', '--section=post-data', "$dir/custom", '-d' ]);

# pg_dump records no order between the data of extension tables, so a parallel restore must
# disable triggers, foreign keys included
my %before = (
	(map { $_ => [ [ @psql, "$dir/schema.sql", '-d' ] ] } grep { /^data/ } keys %restore),
	parallel => [
		[ 'pg_restore', '-e', '--section=pre-data', "$dir/custom", '-d' ],
		[ 'pg_restore', '-e', '--data-only', '--disable-triggers', '-j2', "$dir/custom", '-d' ] ]);

for my $db (sort keys %restore)
{
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->command_ok([ @$_, $node->connstr($db) ], "$db: $_->[2]") for @{ $before{$db} // [] };
	$node->command_ok([ @{ $restore{$db} }, $node->connstr($db) ], "$db: restored");
	my $copy = contents($db);
	is($copy->{$_}, $source->{$_}, "$db: $_ equal") for sort keys %$source;
	is($node->safe_psql($db, 'SELECT * FROM orchestration.verify()'), '', "$db: verify()");

	# the guard is on
	my ($rc, $out, $err) = $node->psql($db,
		q{\set VERBOSITY verbose
		UPDATE orchestration.run SET status = 'InProgress' WHERE id = zzz.run('completed')});
	like($err, qr/ERROR:  OR001: run \S+ cannot change from Completed to InProgress/, "$db: an illegal change is refused");
	($rc, $out, $err) = $node->psql($db,
		q{\set VERBOSITY verbose
		INSERT INTO orchestration.stage_run (run_id, name, label, position, status) VALUES (zzz.run('canceled'), 'x', 'x', 2, 'InProgress')});
	like($err, qr/ERROR:  OR002: /, "$db: an illegal neighbour is refused");

	# the same call as before the dump is recognised
	is($node->safe_psql($db, q{SELECT orchestration.start_orchestration('Claim_Handling', 'c1', NULL, 'completed') = zzz.run('completed')}),
		't', "$db: an idempotency key still works");
	is($node->safe_psql($db, q{SELECT orchestration.complete_work_item(
			(SELECT id FROM orchestration.work_item WHERE idempotency_key = 'once'), '{"ok": true}', 'once')}),
		'f', "$db: that of a work item too");

	# everything goes on to Completed
	$node->safe_psql($db, $_) for (
		q{SELECT orchestration.resume_run(zzz.run('suspended'))},
		q{SELECT orchestration.resume_run(zzz.run('failed'))},
		q{SELECT orchestration.resume_run(zzz.run('screen failed'))},
		q{SELECT orchestration.complete_work_item(id) FROM orchestration.work_item WHERE status = 'Assigned' AND NOT is_approval});
	is($node->safe_psql($db, q{
		SELECT accepted, reason FROM orchestration.complete_steps(
		  (SELECT jsonb_agg(jsonb_build_object('step_id', step_run_id, 'lease_id', lease_id))
		     FROM orchestration.step_queue WHERE lease_id IS NOT NULL))}),
		't|', "$db: the lease of before the dump is good");
	is($node->safe_psql($db, q{
		WITH c AS MATERIALIZED (SELECT * FROM orchestration.claim_steps('worker 2', '{worker}', 10))
		SELECT count(*), bool_and(attempt = 1 OR run_id = zzz.run('failed')) FROM c}),
		'2|t', "$db: ready steps can be claimed");
	is($node->safe_psql($db, q{
		SELECT accepted, reason FROM orchestration.complete_steps(
		  (SELECT jsonb_agg(jsonb_build_object('step_id', step_run_id, 'lease_id', lease_id))
		     FROM orchestration.step_queue WHERE lease_id IS NOT NULL))}),
		"t|\nt|", "$db: and completed");
	is($node->safe_psql($db, 'SELECT idempotency_key, status FROM orchestration.run WHERE version_id IS NOT NULL AND NOT is_approval ORDER BY 1'),
		"canceled|Canceled\ncompleted|Completed\nfailed|Completed\nleased|Completed\nloop|Completed\nscreen failed|Completed\nsuspended|Completed\nwaiting|Completed",
		"$db: all others go on to Completed");

	# approvals: those that are open can be decided, by the way of a recall, too; numbers go on
	($rc, $out, $err) = $node->psql($db, q{\set VERBOSITY verbose
		UPDATE orchestration.submission SET status = 'Approved' WHERE run_id = zzz.run('asked')});
	like($err, qr/ERROR:  OR005: approval submission AS-000000001 cannot be changed/, "$db: nobody writes submissions");
	($rc, $out, $err) = $node->psql($db, q{\set VERBOSITY verbose
		SELECT orchestration.resume_run(zzz.run('broken'))});
	like($err, qr/ERROR:  OR004: .* it is an approval/, "$db: a failed approval is not resumed");
	$node->safe_psql($db, q{SELECT orchestration.resume_run(zzz.run('halted'))});
	$node->safe_psql($db, q{SELECT orchestration.review_approval(id, 'Approve') FROM orchestration.approval_work_item WHERE status = 'Assigned'});
	is($node->safe_psql($db, q{SELECT r.idempotency_key, r.status, s.status FROM orchestration.submission s JOIN orchestration.run r ON r.id = s.run_id ORDER BY 1}),
		"approved|Completed|Approved\nasked|Completed|Rejected\nbroken|Error|Errored\ncalled off|Canceled|Canceled\nhalted|Completed|Approved\n"
		  . "recall asks|Canceled|Recalled\nrecalled|Canceled|Recalled\nrejected|Completed|Rejected\nwithdrawn|Completed|Approved",
		"$db: open approvals are decided");
	is($node->safe_psql($db, q{SELECT orchestration.start_orchestration('Sign_off', idempotency_key => 'next') IS NOT NULL;
		SELECT (SELECT name FROM orchestration.submission WHERE run_id = zzz.run('next')),
		       (SELECT string_agg(name, ' ' ORDER BY name) FROM orchestration.submission_item WHERE run_id = zzz.run('next'))}),
		"t\nAS-000000010|AWI-000000021 AWI-000000022", "$db: the numbers of submissions go on");
	$node->safe_psql($db, q{DELETE FROM zzz.parcel WHERE id = 1});
	is($node->safe_psql($db, q{SELECT count(*) FROM orchestration.run WHERE triggering_record_type = 'Parcel' AND triggering_record_id = '1'}),
		'0', "$db: the lookup to a deleted record is cleared");
	$node->safe_psql($db, q{INSERT INTO zzz.parcel VALUES (3, 'new'); INSERT INTO aaa.claim VALUES ('c3', 30)});
	is($node->safe_psql($db, q{SELECT orchestration_name, triggering_record_id FROM orchestration.run WHERE orchestration_name ~ 'Welcome' ORDER BY 1}),
		"Claim_Welcome|c3\nParcel_Welcome|3", "$db: a new record starts a run");
	is($node->safe_psql($db, 'SELECT * FROM orchestration.verify()'), '', "$db: verify() at the end");
}

# ---- record types name their tables, which have other OIDs here
{
	my $types = q{SELECT name, orchestration_internal.record_type_table(name) FROM orchestration.record_type ORDER BY 1};
	my $oids = q{SELECT string_agg(orchestration_internal.record_type_table(name)::oid::text, ' ' ORDER BY name) FROM orchestration.record_type};

	is($node->safe_psql('data', $types), "Claim|aaa.claim\nParcel|zzz.parcel", 'data: each record type has its table');
	isnt($node->safe_psql('data', $oids), $node->safe_psql('source', $oids), 'data: which has another OID');

	# a table that is dropped and restored, alone: its record type, runs and lookups are still there
	my $lookups = q{SELECT count(*) FROM orchestration.run WHERE triggering_record_type = 'Parcel'};
	my $before = $node->safe_psql('custom', $lookups);
	$node->command_ok([ 'pg_dump', '-t', 'zzz.parcel', '-f', "$dir/parcel.sql", $node->connstr('custom') ], 'pg_dump -t');
	my ($rc, $out, $err) = $node->psql('custom', 'DROP TABLE zzz.parcel');
	like($err, qr/WARNING:  record type "Parcel" has lost its table zzz.parcel/, 'DROP TABLE warns');
	is($node->safe_psql('custom', $lookups), $before, 'lookups stay');
	like($node->safe_psql('custom', 'SELECT invariant, detail FROM orchestration.verify()'),
		qr/^record type without a table\|table zzz.parcel of record type "Parcel" does not exist$/, 'verify() reports it, in one row');
	$node->command_ok([ @psql, "$dir/parcel.sql", '-d', $node->connstr('custom') ], 'the table is restored');
	is($node->safe_psql('custom', 'SELECT * FROM orchestration.verify()'), '', 'verify()');
	is($node->safe_psql('custom', "$lookups AND orchestration.record_exists('Parcel', triggering_record_id)"), $before, 'all lookups lead to their records');
	$node->safe_psql('custom', q{INSERT INTO zzz.parcel VALUES (4, 'new')});
	is($node->safe_psql('custom', q{SELECT orchestration_name FROM orchestration.run WHERE triggering_record_id = '4'}), 'Parcel_Welcome', 'and new records start runs');
}

# no object stays
$node->safe_psql('plain', 'SET client_min_messages = error; DROP EXTENSION orchestration CASCADE');
is($node->safe_psql('plain', q{
	SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname = 'orchestration'
	UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
	UNION ALL SELECT 'class ' || oid::regclass FROM pg_class
	           WHERE oid >= 16384 AND relnamespace NOT IN ('aaa'::regnamespace, 'zzz'::regnamespace, 'pg_toast'::regnamespace)
	UNION ALL SELECT 'type ' || oid::regtype FROM pg_type
	           WHERE oid >= 16384 AND typnamespace NOT IN ('aaa'::regnamespace, 'zzz'::regnamespace, 'pg_toast'::regnamespace)
	UNION ALL SELECT 'function ' || oid::regprocedure FROM pg_proc
	           WHERE oid >= 16384 AND pronamespace NOT IN ('aaa'::regnamespace, 'zzz'::regnamespace)
	UNION ALL SELECT 'event trigger ' || evtname FROM pg_event_trigger}),
	'', 'DROP EXTENSION CASCADE leaves no object');
is($node->safe_psql('plain', 'SELECT count(*) FROM aaa.claim'), '3', 'the tables of the user stay');
$node->safe_psql('plain', 'CREATE EXTENSION orchestration');
is($node->safe_psql('plain', 'SELECT * FROM orchestration.verify()'), '', 'it can be created again');

$node->stop;
done_testing();
