# 004_upgrade.pl: ALTER EXTENSION UPDATE of a database of open runs.
#
# For each path from an earlier version to the current one: a server of the earlier version gets runs
# with claimed, queued and failed steps, work items and messages; the files of the later version
# take their place; the extension is updated.  Its objects must be those of a new installation,
# no run may be lost, and all must go on to their ends.
#
# Earlier releases are built by test/long/upgrade.sh: ORCH_OLD_RELEASES names their folders,
# separated by colons, each with what make install DESTDIR= put there.  One path is always tested:
# from the version of this tree to one that this file makes up, in a copy of the installed files.

use strict;
use warnings;
use File::Copy qw(copy);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($installed) = $ENV{ORCH_TEST_CONF} =~ m{dynamic_library_path = '(.*?)/usr/} or die 'ORCH_TEST_CONF names no folder';
my $sharedir = substr(glob("$installed/usr/share/postgresql/*/extension"), length($installed));

# settings of a server that is to find the files of another folder
sub settings
{
	my ($folder) = @_;
	return $ENV{ORCH_TEST_CONF} =~ s/\Q$installed\E/$folder/gr;
}

sub version_of
{
	my ($folder) = @_;
	return slurp_file("$folder$sharedir/orchestration.control") =~ /^default_version = '(.*)'/m ? $1 : die "no version in $folder";
}

# -------------------------------------------------- the version that is made up
my $current = version_of($installed);
my $next = $current =~ s/(\d+)$/$1 + 1/er;
my $changes = q{
SET LOCAL search_path = pg_catalog, pg_temp;
CREATE TABLE orchestration.rehearsal (
    run_id uuid PRIMARY KEY REFERENCES orchestration.run (id) ON DELETE CASCADE,
    note   text NOT NULL DEFAULT '');
COMMENT ON TABLE orchestration.rehearsal IS 'A table of the next version';
ALTER TABLE orchestration.rehearsal ENABLE ROW LEVEL SECURITY;
CREATE POLICY rehearsal_visible ON orchestration.rehearsal FOR SELECT
    USING (EXISTS (SELECT FROM orchestration.run r WHERE r.id = run_id));
SELECT pg_extension_config_dump('orchestration.rehearsal', '');
INSERT INTO orchestration.rehearsal (run_id) SELECT id FROM orchestration.run;
CREATE FUNCTION orchestration.rehearsed(run uuid) RETURNS boolean LANGUAGE sql STABLE
    AS 'SELECT EXISTS (SELECT FROM orchestration.rehearsal h WHERE h.run_id = run)';
COMMENT ON FUNCTION orchestration.rehearsed(uuid) IS 'A function of the next version';
REVOKE ALL ON FUNCTION orchestration.rehearsed(uuid) FROM PUBLIC;
GRANT SELECT ON orchestration.rehearsal TO PUBLIC;
};

# a copy of the installed files with the next version
sub make_next
{
	my ($folder, $more) = @_;
	my $extension = "$folder$sharedir";

	system_or_bail('cp', '-r', $installed, $folder);
	append_to_file("$extension/orchestration--$current--$next.sql", $changes);
	copy("$extension/orchestration--$current.sql", "$extension/orchestration--$next.sql") or die $!;
	append_to_file("$extension/orchestration--$next.sql", $changes . $more);
	my $control = slurp_file("$extension/orchestration.control") =~ s/^(default_version = ).*/$1'$next'/mr;
	unlink "$extension/orchestration.control";
	append_to_file("$extension/orchestration.control", $control);
	return $folder;
}

# ----------------------------------------------------------------- open work
my $work = q{
CREATE TABLE claim (id text PRIMARY KEY, amount numeric);
CREATE TABLE trace (run uuid, n integer);
CREATE FUNCTION act(i jsonb) RETURNS jsonb LANGUAGE sql AS $$
	INSERT INTO public.trace VALUES ((i->>'run')::uuid, (i->>'n')::integer) RETURNING '{}'::jsonb $$;
SELECT orchestration.register_record_type('Claim', 'claim');
SELECT orchestration.register_action('Act', 'function', 'act(jsonb)'), orchestration.register_action('Screen', 'screen'),
       orchestration.register_action('Work', 'worker');
SELECT orchestration.set_retry_policy('Work', 3, '10 milliseconds');
SELECT orchestration.create_user('ada@example.com', 'Ada', 'ada');
SET orchestration.messages = 'all';
SELECT orchestration.deploy_orchestration('{"label": "Claim", "processType": "Orchestrator",
  "start": {"object": "Claim", "triggerType": "RecordAfterSave", "recordTriggerType": "Create", "connector": {"targetReference": "First"}},
  "orchestratedStages": [
    {"name": "First", "label": "First", "connector": {"targetReference": "Second"}, "stageSteps": [
      {"name": "Look", "label": "Look", "actionName": "Screen", "actionType": "stepInteractive",
       "assignees": [{"assignee": {"stringValue": "ada@example.com"}, "assigneeType": "User"}]},
      {"name": "Send", "label": "Send", "actionName": "Work", "actionType": "stepBackground", "requiresAsyncProcessing": true},
      {"name": "Do", "label": "Do", "actionName": "Act", "actionType": "stepBackground", "requiresAsyncProcessing": true,
       "inputParameters": [{"name": "run", "value": {"elementReference": "$Orchestration.Instance"}}, {"name": "n", "value": {"numberValue": 1}}]}]},
    {"name": "Second", "label": "Second", "stageSteps": [
      {"name": "End", "label": "End", "actionName": "Act", "actionType": "stepBackground", "requiresAsyncProcessing": true,
       "inputParameters": [{"name": "run", "value": {"elementReference": "$Orchestration.Instance"}}, {"name": "n", "value": {"numberValue": 2}}]}]}]}'::jsonb, 'Claim_Handling');
SELECT orchestration.activate_orchestration('Claim_Handling');
INSERT INTO claim SELECT 'c' || n, n FROM generate_series(1, 10) n;
SELECT orchestration.run_queued_steps(4);
WITH c AS MATERIALIZED (SELECT * FROM orchestration.claim_steps('worker 0', '{Work}'))
SELECT orchestration.fail_steps(jsonb_build_array(jsonb_build_object('step_id', step_id, 'lease_id', lease_id, 'message', 'later'))) FROM c;
SELECT * FROM orchestration.claim_steps('worker 1', '{Work}', 3, '1 hour');
SELECT orchestration.complete_work_item(id) FROM (SELECT id FROM orchestration.work_item ORDER BY id LIMIT 2) w;
SELECT orchestration.remind_assignees('0');
SELECT orchestration.suspend_run(id) FROM (SELECT id FROM orchestration.run ORDER BY id DESC LIMIT 1) r;
};

my $state = q{
SELECT 'run ' || status, count(*) FROM orchestration.run GROUP BY 1
UNION ALL SELECT 'stage ' || status, count(*) FROM orchestration.stage_run GROUP BY 1
UNION ALL SELECT 'step ' || name || ' ' || status, count(*) FROM orchestration.step_run GROUP BY 1
UNION ALL SELECT 'item ' || status, count(*) FROM orchestration.work_item GROUP BY 1
UNION ALL SELECT concat_ws(' ', 'queued', topic, 'after', failures, 'failures', worker), count(*) FROM orchestration.step_queue GROUP BY 1
UNION ALL SELECT 'message', count(*) FROM orchestration.message
UNION ALL SELECT 'log ' || kind, count(*) FROM orchestration.run_log GROUP BY 1
ORDER BY 1};

# ------------------------------------------------ the objects of the extension
# pg_dump writes the members of an extension with --binary-upgrade; what it leaves out follows
sub objects
{
	my ($node, $database) = @_;
	my ($dump) = run_command([ 'pg_dump', '--binary-upgrade', '--schema-only', '-d', $node->connstr($database) ]);
	# statements, without ids, in an order that does not depend on ids
	# and without the rows and tables of the database
	my @objects = sort grep { /orchestration/ && !/\bsetval\(|binary_upgrade_create_empty_extension|TRIGGER .* ON public\./ } map { s/^--.*\n?//mgr =~ s/^SELECT pg_catalog\.binary_upgrade_set.*\n?//mgr =~ s/\A\s+|\s+\z//gr }
		split /\n\n+/, $dump =~ s/'\d{5,}'::(pg_catalog\.)?oid/'id'::oid/gr =~ s/\b(oid|relfrozenxid|relminmxid) = '\d+'/$1/gr =~ s/^\\(un)?restrict.*$//mgr;
	push @objects, $node->safe_psql($database, $_) for
		q{SELECT pg_describe_object(classid, objid, objsubid), deptype FROM pg_depend
		   WHERE refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'orchestration') ORDER BY 1},
		q{SELECT unnest(extconfig)::regclass::text, unnest(extcondition) FROM pg_extension WHERE extname = 'orchestration' ORDER BY 1},
		q{SELECT attrelid::regclass::text, attnum, attname FROM pg_attribute WHERE attnum > 0 AND attrelid IN
		   (SELECT oid FROM pg_class WHERE relnamespace = 'orchestration'::regnamespace) ORDER BY 1, 2},
		q{SELECT pg_describe_object(classoid, objoid, objsubid) COLLATE "C", (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(initprivs) a)
		   FROM pg_init_privs WHERE privtype = 'e' ORDER BY 1},
		q{SELECT pg_describe_object(classoid, objoid, objsubid) COLLATE "C", description FROM pg_description WHERE objoid >= 16384 ORDER BY 1};
	return join "\n\n", @objects;
}

# the first lines in which two texts differ
sub differences
{
	my ($one, $other) = @_;
	my (%one, %other);
	$one{$_}++ for split /\n/, $one;
	$other{$_}++ for split /\n/, $other;
	my @differences = sort grep { ($one{$_} // 0) != ($other{$_} // 0) } keys %{ { %one, %other } };
	return join "\n", @differences[0 .. ($#differences < 9 ? $#differences : 9)];
}

sub upgrade
{
	my ($name, $old, $new) = @_;
	my ($from, $to) = (version_of($old), version_of($new));
	my $node = PostgreSQL::Test::Cluster->new($name);
	my $path = "$name: $from to $to";

	$node->init;
	$node->append_conf('postgresql.conf', settings($old));
	$node->start;
	$node->safe_psql('postgres', 'CREATE ROLE ada LOGIN; CREATE DATABASE app');
	$node->safe_psql('app', "CREATE EXTENSION orchestration; $work");
	is($node->safe_psql('app', q{SELECT count(*) FROM orchestration.run WHERE ended_at IS NULL}), '10', "$path: runs are open");
	my $before = $node->safe_psql('app', $state);
	$node->stop;

	# the files of the package are replaced; the database comes later
	$node->append_conf('postgresql.conf', settings($new));
	$node->start;
	is($node->safe_psql('app', $state), $before, "$path: the new library reads the old tables");
	$node->safe_psql('app', 'ALTER EXTENSION orchestration UPDATE');
	is($node->safe_psql('app', q{SELECT extversion FROM pg_extension WHERE extname = 'orchestration'}), $to, "$path: ALTER EXTENSION UPDATE");
	is($node->safe_psql('app', $state), $before, "$path: all is as it was");
	is($node->safe_psql('app', 'SELECT * FROM orchestration.verify()'), '', "$path: verify()");

	$node->safe_psql('postgres', 'CREATE DATABASE fresh');
	$node->safe_psql('fresh', 'CREATE EXTENSION orchestration');
	my ($updated, $fresh) = (objects($node, 'app'), objects($node, 'fresh'));
	my $differences = differences($updated, $fresh);

	# sessions, leases, items and the queue go on
	is($node->safe_psql('app', q{
		SELECT count(*), bool_and(accepted) FROM orchestration.complete_steps(
		  (SELECT jsonb_agg(jsonb_build_object('step_id', step_run_id, 'lease_id', lease_id))
		     FROM orchestration.step_queue WHERE topic = 'Work' AND lease_id IS NOT NULL))}), '3|t', "$path: leases of workers are good");
	is($node->safe_psql('app', q{
		WITH c AS MATERIALIZED (SELECT * FROM orchestration.claim_steps('worker 2', '{Work}', 10))
		SELECT count(*), bool_and(accepted) FROM orchestration.complete_steps(
		  (SELECT jsonb_agg(jsonb_build_object('step_id', step_id, 'lease_id', lease_id)) FROM c))}), '7|t', "$path: the others can be claimed");
	is($node->safe_psql('app', q{SELECT count(*) FROM orchestration.my_work_items()}, extra_params => [ '-U', 'ada' ]), '8',
		"$path: a user sees her work items");
	$node->safe_psql('app', q{
		SELECT orchestration.resume_run(id) FROM orchestration.run WHERE status = 'Suspended';
		WITH c AS MATERIALIZED (SELECT * FROM orchestration.claim_steps('worker 3', '{Work}', 10))
		SELECT orchestration.complete_steps(jsonb_agg(jsonb_build_object('step_id', step_id, 'lease_id', lease_id))) FROM c HAVING count(*) > 0;
		SELECT orchestration.complete_work_item(id) FROM orchestration.work_item WHERE status = 'Assigned';
		INSERT INTO claim VALUES ('new', 1);
		SELECT orchestration.cancel_run(id) FROM orchestration.run WHERE triggering_record_id = 'new'});
	$node->safe_psql('app', 'SELECT orchestration.run_queued_steps(100)') for 1 .. 3;
	is($node->safe_psql('app', q{SELECT status, count(*) FROM orchestration.run GROUP BY 1 ORDER BY 1}), "Canceled|1\nCompleted|10",
		"$path: all runs end");
	is($node->safe_psql('app', q{SELECT count(*), count(DISTINCT (run, n)) FROM trace}), '20|20', "$path: each function was carried out once");
	is($node->safe_psql('app', 'SELECT * FROM orchestration.verify()'), '', "$path: verify() at the end");
	$node->safe_psql('app', 'DROP TABLE claim; DROP EXTENSION orchestration');
	is($node->safe_psql('app', q{SELECT count(*) FROM pg_namespace WHERE nspname = 'orchestration'}), '0', "$path: nothing is left behind");
	$node->stop;
	return $differences;
}

my $tmp = $PostgreSQL::Test::Utils::tmp_check;
# pg_extension_update_paths() and ALTER EXTENSION where there is nothing to do
{
	my $node = PostgreSQL::Test::Cluster->new('same');
	$node->init;
	$node->append_conf('postgresql.conf', $ENV{ORCH_TEST_CONF});
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION orchestration');
	is($node->safe_psql('postgres', q{SELECT extversion FROM pg_extension WHERE extname = 'orchestration'}), $current, "installed: version $current");
	my ($rc, $out, $err) = $node->psql('postgres', 'ALTER EXTENSION orchestration UPDATE');
	like($err, qr/version "\Q$current\E" of extension "orchestration" is already installed/, 'UPDATE reports that there is nothing to do');
	($rc, $out, $err) = $node->psql('postgres', q{ALTER EXTENSION orchestration UPDATE TO '0.0.0'});
	isnt($rc, 0, 'an unknown version is refused');
	$node->stop;
}

is(upgrade('rehearsal', $installed, make_next("$tmp/next", '')), '', 'rehearsal: the objects are those of a new installation');
# an upgrade script that forgets something is found
my $forgotten = upgrade('forgotten', $installed,
	make_next("$tmp/forgotten", "ALTER TABLE orchestration.rehearsal ADD COLUMN forgotten integer;\n"));
like($forgotten, qr/forgotten/, 'forgotten: a difference to a new installation is found');

for my $release (split /:/, $ENV{ORCH_OLD_RELEASES} // '')
{
	my $from = version_of($release);
	is(upgrade("from_$from", $release, $installed), '', "from $from: the objects are those of a new installation");
}
done_testing();
