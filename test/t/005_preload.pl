# 005_preload.pl: the library in shared_preload_libraries or loaded at first use,
# and the roles that may change its settings.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('preload');
$node->init;
$node->append_conf('postgresql.conf', $ENV{ORCH_TEST_CONF});
$node->start;
$node->safe_psql('postgres', q{
CREATE EXTENSION orchestration;
CREATE ROLE mallory LOGIN;
CREATE ROLE gateway LOGIN;
GRANT USAGE ON SCHEMA orchestration TO mallory, gateway;
GRANT EXECUTE ON FUNCTION orchestration.new_id() TO mallory, gateway;
CREATE FUNCTION act(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
SELECT orchestration.register_action('act', 'function', 'act(jsonb)');
SELECT orchestration.deploy_orchestration('{"label": "x", "processType": "Orchestrator",
  "start": {"connector": {"targetReference": "S"}},
  "orchestratedStages": [{"name": "S", "label": "S", "connector": {"targetReference": "S"}, "stageSteps": [
    {"name": "A", "label": "A", "actionName": "act", "actionType": "stepBackground"}]}]}'::jsonb, 'Endless');
SELECT orchestration.activate_orchestration('Endless');
});

my $load = 'SELECT FROM orchestration.new_id();';
for my $preloaded (0, 1)
{
	my $how = $preloaded ? 'preloaded' : 'loaded at first use';
	if ($preloaded)
	{
		$node->append_conf('postgresql.conf', "shared_preload_libraries = 'orchestration'\n");
		$node->restart;
	}
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_settings WHERE name = 'orchestration.max_elements'}),
		$preloaded, "$how: the setting at the start of a session");
	is($node->safe_psql('postgres', qq{$load SHOW orchestration.max_elements}), '1000', "$how: its default");

	# a superuser
	is($node->safe_psql('postgres', qq{
		$load SET orchestration.max_elements = 3;
		SELECT FROM orchestration.start_orchestration('Endless');
		SELECT status, error->>'message', (SELECT count(*) FROM orchestration.stage_run s WHERE s.run_id = r.id)
		  FROM orchestration.run r ORDER BY id DESC LIMIT 1}),
		'Error|the run entered 3 elements without waiting|3', "$how: a superuser can set it, and it holds");

	# an ordinary role, in every possible way
	my ($rc, $out, $err) = $node->psql('postgres', "$load SET orchestration.max_elements = 5",
		extra_params => [ '-U', 'mallory' ]);
	like($err, qr/permission denied to set parameter "orchestration.max_elements"/, "$how: an ordinary role may not set it");
	($rc, $out, $err) = $node->psql('postgres',
		"SET orchestration.max_elements = 5; $load SHOW orchestration.max_elements",
		extra_params => [ '-U', 'mallory' ]);
	unlike($out, qr/^5$/m, "$how: also before the library is loaded");
	{
		local $ENV{PGOPTIONS} = '-c orchestration.max_elements=5';
		# the server may refuse the session before psql would read its input
		($out, $err) = run_command([ 'psql', '-XAt', '-U', 'mallory', '-d', $node->connstr('postgres'),
				'-c', "$load SHOW orchestration.max_elements" ]);
		unlike($out, qr/^5$/m, "$how: and by PGOPTIONS");
	}
	($rc, $out, $err) = $node->psql('postgres', "$load ALTER ROLE mallory SET orchestration.max_elements = 5",
		extra_params => [ '-U', 'mallory' ]);
	isnt($rc, 0, "$how: and by ALTER ROLE");

	# a role with the privilege to set it
	$node->safe_psql('postgres', "$load GRANT SET ON PARAMETER orchestration.max_elements TO gateway");
	is($node->safe_psql('postgres', "$load SET orchestration.max_elements = 7; SHOW orchestration.max_elements",
			extra_params => [ '-U', 'gateway' ]),
		'7', "$how: granted with GRANT SET ON PARAMETER");
	$node->safe_psql('postgres', "$load REVOKE SET ON PARAMETER orchestration.max_elements FROM gateway");
	($rc, $out, $err) = $node->psql('postgres', "$load SET orchestration.mistyped = 1");
	like($err, qr/invalid configuration parameter name "orchestration.mistyped"/, "$how: no other name is accepted");
	is($node->safe_psql('postgres', 'SELECT * FROM orchestration.verify()'), '', "$how: verify()");
}
$node->stop;
done_testing();
