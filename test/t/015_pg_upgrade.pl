# 015_pg_upgrade.pl: pg_upgrade transfers a cluster full of open runs row for row, whether the old
# or the new cluster preloads the worker, and every function step is executed once.
#
# pg_upgrade starts both servers.  A worker that executed steps then would lose runs, because the
# files of the tables are copied after the commit log.  The same major version is enough to test
# that, because the worker starts with the server.  For another version set ORCH_OLD_INSTALL, the
# parent folder of the old bin, and ORCH_OLD_CONF, the settings with which the old server finds
# the extension.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $worker_on = q{
shared_preload_libraries = 'orchestration'
orchestration.worker_databases = 'app'
};

# ------------------------------------------------------------- the old cluster
my @old_install = $ENV{ORCH_OLD_INSTALL} ? (install_path => $ENV{ORCH_OLD_INSTALL}) : ();
my $old = PostgreSQL::Test::Cluster->new('old', @old_install);
$old->init;
$old->append_conf('postgresql.conf', $ENV{ORCH_OLD_CONF} // $ENV{ORCH_TEST_CONF});
# the start of each new cluster
my $blank = $old;
if (@old_install)
{
	$blank = PostgreSQL::Test::Cluster->new('blank');
	$blank->init;
	$blank->append_conf('postgresql.conf', $ENV{ORCH_TEST_CONF});
}
$blank->backup_fs_cold('blank');
$old->start;
my $from = $old->safe_psql('postgres', q{SELECT now() - interval '1 hour'});
$old->safe_psql('postgres', 'CREATE ROLE ada LOGIN; CREATE DATABASE app');

$old->safe_psql('app', q{
CREATE EXTENSION orchestration;
CREATE TABLE pace (seconds double precision);
INSERT INTO pace VALUES (600);
CREATE TABLE trace (run uuid, n integer);
CREATE FUNCTION act(i jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.trace VALUES ((i->>'run')::uuid, (i->>'n')::integer);
	PERFORM pg_sleep(seconds) FROM public.pace WHERE i->>'n' = '0';
	RETURN '{}';
END$$;
-- a plain table and a partitioned one
CREATE SCHEMA zzz;
CREATE TABLE claim (id text PRIMARY KEY, amount numeric);
CREATE TABLE zzz.parcel (id integer PRIMARY KEY, place text) PARTITION BY RANGE (id);
CREATE TABLE zzz.parcel_low PARTITION OF zzz.parcel FOR VALUES FROM (0) TO (100);
CREATE TABLE zzz.parcel_high PARTITION OF zzz.parcel FOR VALUES FROM (100) TO (1000) PARTITION BY RANGE (id);
CREATE TABLE zzz.parcel_100 PARTITION OF zzz.parcel_high FOR VALUES FROM (100) TO (200);
INSERT INTO claim VALUES ('c1', 10), ('c2', 20);
SELECT orchestration.register_record_type('Claim', 'claim'), orchestration.register_record_type('Parcel', 'zzz.parcel');
SELECT orchestration.register_action('Act', 'function', 'act(jsonb)'), orchestration.register_action('Screen', 'screen'),
       orchestration.register_action('Work', 'worker');
SELECT orchestration.set_retry_policy('Work', 3, '10 milliseconds');
SELECT orchestration.create_user('ada@example.com', 'Ada', 'ada');
SELECT orchestration.add_group_member(orchestration.create_queue('Desk'), id) FROM orchestration.principal WHERE username = 'ada@example.com';
SELECT orchestration.set_global('$Organization', '{"Name": "Acme"}');
SELECT orchestration.set_default_access('FlowOrchestrationWorkItem', 'Read');
SELECT orchestration.create_owner_sharing_rule('FlowOrchestrationInstance', d.id, a.id, 'Edit', 'Rule')
  FROM orchestration.principal d, orchestration.principal a WHERE d.developer_name = 'Desk' AND a.username = 'ada@example.com';
SELECT orchestration.set_history_tracking('FlowOrchestrationStepInstance', '{Status}');
SELECT orchestration.set_feed_tracking('FlowOrchestrationInstance', '{Status}');
SELECT orchestration.set_layout('FlowOrchestrationInstance', '{"sections": [{"heading": "x", "fields": ["Name"]}]}');

-- three functions, one after the other
CREATE FUNCTION deploy(name text, first integer, last integer) RETURNS integer LANGUAGE sql AS $$
	SELECT orchestration.deploy_orchestration(jsonb_build_object('label', $1, 'processType', 'Orchestrator',
		'start', jsonb_build_object('connector', jsonb_build_object('targetReference', 'S' || $2)),
		'orchestratedStages', (SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('name', 'S' || n, 'label', 'S' || n,
			'connector', CASE WHEN n < $3 THEN jsonb_build_object('targetReference', 'S' || n + 1) END,
			'stageSteps', jsonb_build_array(jsonb_build_object('name', 'T' || n, 'label', 'T' || n,
				'actionType', 'stepBackground', 'actionName', 'Act', 'requiresAsyncProcessing', true,
				'inputParameters', jsonb_build_array(
					jsonb_build_object('name', 'run', 'value', '{"elementReference": "$Orchestration.Instance"}'::jsonb),
					jsonb_build_object('name', 'n', 'value', jsonb_build_object('numberValue', n)))))))) FROM generate_series($2, $3) n)), $1) $$;
SELECT deploy('Functions', 1, 3), deploy('Slow', 0, 0);
SELECT orchestration.activate_orchestration('Functions'), orchestration.activate_orchestration('Slow');
-- users and a worker at the same time, then a function; started by a row of its record type
SELECT orchestration.deploy_orchestration(format($${"label": "%1$s", "processType": "Orchestrator",
  "start": {"object": "%1$s", "triggerType": "RecordAfterSave", "recordTriggerType": "Create",
            "connector": {"targetReference": "First"}},
  "variables": [{"name": "R", "dataType": "SObject", "objectType": "%1$s", "value": {"elementReference": "$Record"}}],
  "orchestratedStages": [
    {"name": "First", "label": "First", "connector": {"targetReference": "Second"}, "stageSteps": [
      {"name": "Look", "label": "Look", "actionName": "Screen", "actionType": "stepInteractive",
       "assignees": [{"assignee": {"stringValue": "Desk"}, "assigneeType": "Queue"}],
       "inputParameters": [{"name": "ActionInput__RecordId", "value": {"elementReference": "R.Id"}},
         {"name": "ActionInput__CustomEmailSubject", "value": {"stringValue": "Look at it"}}]},
      {"name": "Send", "label": "Send", "actionName": "Work", "actionType": "stepBackground", "requiresAsyncProcessing": true}]},
    {"name": "Second", "label": "Second", "stageSteps": [
      {"name": "Do", "label": "Do", "actionName": "Act", "actionType": "stepBackground", "requiresAsyncProcessing": true,
       "inputParameters": [{"name": "run", "value": {"elementReference": "$Orchestration.Instance"}}, {"name": "n", "value": {"numberValue": 4}}]}]}]}$$,
  name)::jsonb, name || '_Handling') FROM orchestration.record_type;
SELECT orchestration.activate_orchestration(name || '_Handling') FROM orchestration.record_type;
});

# On 18 pg_upgrade looks for $libdir/name in the server's own folder only, where this
# library is not installed; by its plain name it is found in dynamic_library_path.
$old->safe_psql('app', q{UPDATE pg_proc SET probin = 'orchestration' WHERE probin = '$libdir/orchestration'})
	if $blank->pg_version >= 18;

# Sites that cannot preload start the worker at login; pg_upgrade logs in, too.
$old->safe_psql('app', q{
CREATE FUNCTION at_login() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
	IF current_setting('test.login', true) = 'on' THEN
		PERFORM orchestration.start_background_worker();
	END IF;
END$$;
CREATE EVENT TRIGGER at_login ON login EXECUTE FUNCTION at_login()}) if $old->pg_version >= 17;

# a lease of a background worker that ended with its server
$old->safe_psql('app', q{SELECT orchestration.start_orchestration('Slow')});
$old->safe_psql('app', 'SELECT orchestration.start_background_worker()');
$old->poll_query_until('app', q{SELECT count(*) = 1 FROM pg_stat_activity
	WHERE backend_type = 'orchestration worker' AND wait_event = 'PgSleep'}) or die 'the worker does not work';
$old->stop('immediate');
$old->start;

$old->safe_psql('app', q{
UPDATE pace SET seconds = 0;
SELECT count(orchestration.start_orchestration('Functions')) FROM generate_series(1, 60);
SELECT orchestration.run_queued_steps(25);
SELECT orchestration.run_queued_steps(25);
SELECT orchestration.suspend_run(id) FROM (SELECT id FROM orchestration.run WHERE status = 'InProgress'
	AND version_id = (SELECT id FROM orchestration.orchestration_version v WHERE v.label = 'Functions') ORDER BY id DESC LIMIT 2) r;
INSERT INTO zzz.parcel VALUES (1, 'here'), (101, 'there'), (102, 'everywhere');
INSERT INTO claim VALUES ('c3', 30);
SET orchestration.messages = 'all';
SELECT orchestration.start_orchestration('Claim_Handling', 'c1', NULL, 'key');
SELECT orchestration.remind_assignees('0');
-- a failed attempt, leases of workers, a completed item, a run that is shared, viewed and posted on
WITH c AS MATERIALIZED (SELECT * FROM orchestration.claim_steps('worker 0', '{Work}'))
SELECT orchestration.fail_steps(jsonb_build_array(jsonb_build_object('step_id', step_id, 'lease_id', lease_id, 'message', 'later'))) FROM c;
SELECT * FROM orchestration.claim_steps('worker 1', '{Work}', 2, '1 hour');
SELECT * FROM orchestration.claim_steps('worker 2', '{Work}', 1, '1 hour');
SELECT orchestration.complete_work_item(id, '{"ok": true}', 'once') FROM orchestration.work_item WHERE related_record_id = '101';
SELECT orchestration.comment_on_feed_item(p, 'a comment'), orchestration.like_feed_item(p), orchestration.share_record(r, a),
       orchestration.view_record(r)
  FROM (SELECT id AS r, (SELECT id FROM orchestration.principal WHERE username = 'ada@example.com') AS a
          FROM orchestration.run WHERE idempotency_key = 'key') x, orchestration.post_to_feed(r, 'a post') p;
SELECT orchestration.cancel_run(orchestration.start_orchestration('Claim_Handling', 'c2', NULL, 'canceled'));
SELECT orchestration.cancel_run(orchestration.start_orchestration('Claim_Handling', 'c2', NULL, 'gone'));
DELETE FROM orchestration.run WHERE idempotency_key = 'gone';
-- a run that was migrated to another version
SELECT orchestration.deploy_orchestration(document || '{"description": "two"}', 'Claim_Handling') FROM orchestration.orchestration_version WHERE label = 'Claim';
SELECT migrated FROM orchestration.migrate_runs('Claim_Handling', 1, 2, false, 1);
-- approvals: one recalled, one open, with a message of its own
SELECT orchestration.create_user('bob@example.com', 'Bob'), orchestration.create_user('carl@example.com', 'Carl');
SELECT orchestration.create_approval_delegation(a.id, b.id) FROM orchestration.principal a, orchestration.principal b WHERE a.name = 'Bob' AND b.name = 'Carl';
SELECT orchestration.deploy_orchestration('{"label": "Sign off", "processType": "ApprovalWorkflow", "start": {"connector": {"targetReference": "Ask"}},
  "variables": [{"name": "recordId", "dataType": "String", "isInput": true}, {"name": "submitter", "dataType": "String", "isInput": true},
                {"name": "submissionComments", "dataType": "String", "isInput": true}, {"name": "firstApprover", "dataType": "String", "isInput": true}],
  "orchestratedStages": [{"name": "Ask", "label": "Ask", "stageSteps": [
    {"name": "Decide", "label": "Decide", "actionName": "Screen", "actionType": "stepApproval", "assignees": [{"assignee": {"stringValue": "bob@example.com"}, "assigneeType": "User"}],
     "inputParameters": [{"name": "ActionInput__CustomEmailSubject", "value": {"stringValue": "Please decide"}}, {"name": "ActionInput__CustomEmailBody", "value": {"stringValue": "Soon"}}]}]}]}', 'Sign_off');
SELECT orchestration.activate_orchestration('Sign_off');
SELECT orchestration.recall_run(orchestration.start_orchestration('Sign_off'), 'changed my mind');
SELECT orchestration.start_orchestration('Sign_off', NULL, '{"submissionComments": "please"}');
SELECT orchestration.remind_assignees('0');
UPDATE orchestration.tombstone SET deleted_at = now() - interval '20 days' WHERE object = 'FlowOrchestrationLog';
SELECT orchestration.remove_expired();
INSERT INTO orchestration.query_locator (id, user_id, soql, api_version, include_deleted, batch_size, total)
SELECT id, id, 'SELECT Id FROM User', 670, false, 200, 201 FROM orchestration.principal WHERE username = 'ada@example.com';
INSERT INTO orchestration.query_locator_page SELECT id, 200, ARRAY[id] FROM orchestration.query_locator;
-- statements in functions that begin after this
GRANT USAGE ON SCHEMA orchestration TO ada;
GRANT EXECUTE ON FUNCTION orchestration.my_work_items TO ada;
});
# up to this time get_updated() must give the same answer afterwards
my $to = $old->safe_psql('postgres', q{SELECT now() + interval '2 minutes'});

# the open work
my $functions_open = q{SELECT count(*) FROM orchestration.step_queue WHERE topic = '' AND available_at < 'infinity'};
is($old->safe_psql('app', q{SELECT count(*), count(*) FILTER (WHERE lease_id IS NOT NULL) FROM orchestration.step_queue WHERE topic = ''}),
	'61|1', 'old: function steps are due, one is leased to a dead worker');
is($old->safe_psql('app', q{SELECT count(*), count(*) FILTER (WHERE lease_id IS NOT NULL) FROM orchestration.step_queue WHERE topic = 'Work'}),
	'5|3', 'old: workers hold leases');
is($old->safe_psql('app', q{SELECT count(*), count(DISTINCT run) FROM trace}), '50|50', 'old: runs are open');

# Must be equal, and no part may be empty.
sub rows
{
	my ($node, $sql) = @_;
	return split /\n/, $node->safe_psql('app', $sql);
}

sub contents
{
	my ($node) = @_;
	my %contents;
	for my $table (rows($node, q{SELECT c.oid::regclass FROM pg_class c WHERE relkind IN ('r', 'p')
		AND relnamespace IN ('orchestration'::regnamespace, 'public'::regnamespace, 'zzz'::regnamespace)}))
	{
		$contents{$table} = "SELECT count(*) || ' ' || md5(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE \"C\")) FROM $table t";
	}
	for my $sequence (rows($node, q{SELECT oid::regclass FROM pg_class WHERE relkind = 'S' AND relnamespace = 'orchestration'::regnamespace}))
	{
		$contents{$sequence} = "SELECT last_value || ' ' || is_called FROM $sequence";
	}
	my $lists = {
		triggers => q{SELECT concat_ws(' ', tgrelid::regclass, tgname, tgenabled, pg_get_triggerdef(oid)) FROM pg_trigger WHERE NOT tgisinternal},
		'event triggers' => q{SELECT concat_ws(' ', evtname, evtevent, evtenabled, evttags) FROM pg_event_trigger},
		policies => q{SELECT p FROM pg_policies p},
		members => q{SELECT concat_ws(' ', pg_describe_object(classid, objid, objsubid), deptype) FROM pg_depend
			WHERE refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'orchestration')},
		configuration => q{SELECT concat_ws(' ', unnest(extconfig)::regclass, unnest(extcondition)) FROM pg_extension WHERE extname = 'orchestration'},
		functions => q{SELECT concat_ws(' ', oid::regprocedure, prosrc, probin, prosqlbody IS NULL, proconfig, prosupport::regproc, procost, prorows,
			(SELECT array_agg(a::text ORDER BY a::text) FROM unnest(COALESCE(proacl, acldefault('f', proowner))) a))
			FROM pg_proc WHERE pronamespace IN ('orchestration'::regnamespace, 'orchestration_internal'::regnamespace)},
		relations => q{SELECT concat_ws(' ', oid::regclass, relacl, relrowsecurity, reloptions) FROM pg_class
			WHERE relnamespace = 'orchestration'::regnamespace},
		# a function with default rights has no row afterwards
		'first rights' => q{SELECT concat_ws(' ', pg_describe_object(classoid, objoid, objsubid), rights)
			FROM pg_init_privs, LATERAL (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(initprivs) a) r (rights)
			WHERE objoid >= 16384 AND (classoid <> 'pg_proc'::regclass OR rights <>
				(SELECT array_agg(a::text ORDER BY a::text) FROM pg_proc p, unnest(acldefault('f', proowner)) a WHERE p.oid = objoid))},
		comments => q{SELECT concat_ws(' ', pg_describe_object(classoid, objoid, objsubid), description) FROM pg_description WHERE objoid >= 16384},
		'updated runs' => qq{SELECT jsonb_array_elements_text(orchestration.get_updated('FlowOrchestrationInstance', '$from', '$to')->'ids')},
		'deleted runs' => qq{SELECT jsonb_array_elements(orchestration.get_deleted('FlowOrchestrationInstance', '$from', '$to')->'deletedRecords')},
	};
	# versions differ: fewer memberships are recorded since 16, and owners may have
	# more rights since 17
	delete @$lists{ 'members', 'relations', 'first rights' } if @old_install;
	$contents{$_} = "SELECT count(*) || ' ' || md5(string_agg(x::text, E'\\n' ORDER BY x::text COLLATE \"C\")) FROM ($lists->{$_}) l (x)" for keys %$lists;
	my @names = sort keys %contents;
	my @values = rows($node, join ' UNION ALL ', map { "($contents{$_})" } @names);
	@contents{@names} = @values;
	return \%contents;
}

sub differences
{
	my ($was, $is) = @_;
	return join ', ', grep { ($was->{$_} // '') ne ($is->{$_} // '') } sort keys %{ { %$was, %$is } };
}

is($old->safe_psql('app', 'SELECT * FROM orchestration.verify()'), '', 'old: verify()');
my $before = contents($old);
$old->stop;
is(join(', ', grep { $before->{$_} =~ /^0|^$/ } sort keys %$before), '', 'old: no part is empty');

# ------------------------------------------ a server in the mode of pg_upgrade
{
	my $workers = q{SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'orchestration%'};

	$old->backup_fs_cold('full');
	my $node = PostgreSQL::Test::Cluster->new('mode', @old_install);
	$node->init_from_backup($old, 'full');
	$node->append_conf('postgresql.conf', "$worker_on log_min_messages = debug1\n");
	my $pg_ctl = $node->config_data('--bindir') . '/pg_ctl';
	$node->command_ok([ $pg_ctl, '-w', '-D', $node->data_dir, '-l', $node->logfile, '-o', '-b', 'start' ], 'mode: started with -b');
	my ($rc, $out, $err) = $node->psql('app', 'SELECT orchestration.start_background_worker() IS NULL');
	is($out, 't', 'mode: no worker is started by hand');
	like($err, qr/WARNING:  a background worker cannot be started in binary-upgrade mode/, 'mode: the call reports that');
	usleep(1_000_000);
	is($node->safe_psql('app', $workers), '0', 'mode: neither launcher nor worker runs');
	is(differences($before, contents($node)), '', 'mode: no row was changed');
	unlike(slurp_file($node->logfile), qr/registering background worker "orchestration/, 'mode: no worker was registered either');
	$node->command_ok([ $pg_ctl, '-w', '-D', $node->data_dir, '-m', 'fast', 'stop' ], 'mode: stopped');
	$node->start;
	like(slurp_file($node->logfile), qr/registering background worker "orchestration launcher/, 'mode: without -b one is started');
	ok($node->poll_query_until('app', $functions_open, '0'), 'mode: the worker works when the server is started without -b');
	$node->stop;
}

# ------------------------------------------------------------------ four cases
my @bindirs = ('-b', $old->config_data('--bindir'), '-B', $blank->config_data('--bindir'));
chdir $PostgreSQL::Test::Utils::tmp_check;
for my $case ([ 0, 0 ], [ 0, 1, '--jobs=2' ], [ 1, 0 ], [ 1, 1, '--link' ])
{
	my ($old_preloads, $new_preloads, @options) = @$case;
	my $name = sprintf 'old %s, new %s', map { $_ ? 'preloads' : 'does not' } $old_preloads, $new_preloads;
	my $source = PostgreSQL::Test::Cluster->new("source$old_preloads$new_preloads", @old_install);
	my $node = PostgreSQL::Test::Cluster->new("new$old_preloads$new_preloads");

	$source->init_from_backup($old, 'full');
	$node->init_from_backup($blank, 'blank');
	$source->append_conf('postgresql.conf', $old_preloads ? $worker_on : 'test.login = on');
	$node->append_conf('postgresql.conf', $worker_on) if $new_preloads;
	$node->command_ok([ 'pg_upgrade', '--no-sync', @bindirs, '-d', $source->data_dir, '-D', $node->data_dir,
			'-s', $node->host, '-p', $source->port, '-P', $node->port, @options ],
		"$name: pg_upgrade");

	# before any worker
	$node->append_conf('postgresql.conf', "orchestration.worker_databases = ''") if $new_preloads;
	$node->start;
	is(differences($before, contents($node)), '', "$name: all contents are unchanged");
	is($node->safe_psql('app', 'SELECT * FROM orchestration.verify()'), '', "$name: verify()");
	is($node->safe_psql('app', q{SELECT name, orchestration_internal.record_type_table(name), orchestration_internal.record_type_problem(name) FROM orchestration.record_type ORDER BY 1}),
		"Claim|claim|\nParcel|zzz.parcel|", "$name: record types have their tables");
	is($node->safe_psql('app', q{SELECT count(*) FROM orchestration.my_work_items()}, extra_params => [ '-U', 'ada' ]), '4',
		"$name: a user sees her work items");

	# triggers of records, event triggers, keys, sequences
	is($node->safe_psql('app', q{
		CREATE TABLE zzz.parcel_200 PARTITION OF zzz.parcel_high FOR VALUES FROM (200) TO (300);
		INSERT INTO zzz.parcel VALUES (2, 'here'), (201, 'new');
		DELETE FROM zzz.parcel WHERE id = 102;
		SELECT triggering_record_id, count(*) FROM orchestration.run WHERE triggering_record_type = 'Parcel' GROUP BY 1 ORDER BY 1}),
		"1|1\n101|1\n2|1\n201|1", "$name: rows start runs, and rows that go are forgotten");
	is($node->safe_psql('app', q{SELECT orchestration.start_orchestration('Claim_Handling', 'c1', NULL, 'key') =
		(SELECT id FROM orchestration.run WHERE idempotency_key = 'key')}), 't', "$name: an idempotency key is known");
	is($node->safe_psql('app', q{SELECT count(*) - count(DISTINCT name) FROM orchestration.run}), '0', "$name: no name is given twice");
	is($node->safe_psql('app', q{
		SELECT count(*), bool_and(accepted) FROM orchestration.complete_steps(
		  (SELECT jsonb_agg(jsonb_build_object('step_id', step_run_id, 'lease_id', lease_id))
		     FROM orchestration.step_queue WHERE topic = 'Work' AND lease_id IS NOT NULL))}), '3|t', "$name: leases of workers are good");
	is($node->safe_psql('app', q{
		WITH c AS MATERIALIZED (SELECT * FROM orchestration.claim_steps('worker 3', '{Work}', 10))
		SELECT bool_and(accepted) FROM orchestration.complete_steps(
		  (SELECT jsonb_agg(jsonb_build_object('step_id', step_id, 'lease_id', lease_id)) FROM c))}), 't', "$name: and the others can be claimed");
	$node->safe_psql('app', q{
		SELECT orchestration.complete_work_item(id) FROM orchestration.work_item WHERE status = 'Assigned' AND NOT is_approval;
		SELECT orchestration.review_approval(id, 'Approve') FROM orchestration.approval_work_item WHERE status = 'Assigned';
		SELECT orchestration.resume_run(id) FROM orchestration.run WHERE status = 'Suspended'});

	is($node->safe_psql('app', 'SELECT name, status FROM orchestration.submission ORDER BY id'), "AS-000000001|Recalled\nAS-000000002|Approved",
		"$name: an open approval is decided");

	# now the worker
	$node->stop;
	$node->append_conf('postgresql.conf', $worker_on);
	$node->start;
	ok($node->poll_query_until('app', $functions_open, '0'), "$name: the worker executes all functions");
	is($node->safe_psql('app', 'SELECT status, count(*) FROM orchestration.run GROUP BY 1 ORDER BY 1'), "Canceled|2\nCompleted|69",
		"$name: all runs go on to Completed");
	is($node->safe_psql('app', q{
		SELECT count(*) FILTER (WHERE times <> 1), count(*) FROM (
		  SELECT count(t.run) AS times
		    FROM orchestration.step_run s
		    LEFT JOIN trace t ON t.run = s.run_id AND t.n = CASE s.name WHEN 'Do' THEN 4 ELSE right(s.name, 1)::integer END
		   WHERE s.name = 'Do' OR s.name LIKE 'T_'
		   GROUP BY s.id HAVING bool_and(s.status = 'Completed')) x}), '0|188', "$name: each function was carried out once");
	is($node->safe_psql('app', 'SELECT * FROM orchestration.verify()'), '', "$name: verify() at the end");
	$node->stop;
}
done_testing();
