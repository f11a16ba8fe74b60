# 017_driver.pl: the first calls of a program, with the drivers that programs use, and without a
# cast: a document as a string, the key of a record as a value of the language.
#
# Drivers differ in the types that they give to parameters: none (node-postgres, psycopg for
# strings), varchar (JDBC), that of the value (psycopg for numbers, dates, uuids), or a literal in
# the SQL (psycopg2).  test/sql/request.sql has the types one by one.

use strict;
use warnings;
use File::Basename;
use File::Copy;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $here = dirname(__FILE__);
my $node = PostgreSQL::Test::Cluster->new('driver');
$node->init;
$node->append_conf('postgresql.conf', $ENV{ORCH_TEST_CONF});
$node->start;

my $json = encode_json({ label => 'By_JSON', processType => 'Orchestrator', start => { connector => { targetReference => 'S' } },
		orchestratedStages => [ { name => 'S', label => 'S', stageSteps => [ { name => 'W', label => 'W', actionName => 'Work', actionType => 'stepBackground' } ] } ] });
my $xml = qq{<?xml version="1.0" encoding="UTF-8"?>
<Flow xmlns="http://soap.sforce.com/2006/04/metadata"><label>By XML</label><processType>Orchestrator</processType><status>Active</status>
<start><connector><targetReference>S</targetReference></connector></start>
<orchestratedStages><name>S</name><label>S</label><stageSteps><name>W</name><label>W</label><actionName>Work</actionName><actionType>stepBackground</actionType></stageSteps></orchestratedStages></Flow>};
my ($false, $true) = (JSON::PP::false, JSON::PP::true);

# a call, its parameters and its result; undef: any
my @calls = (
	[ 'SELECT count(*) FROM orchestration.validate_orchestration($1)', [$xml], '0' ],
	[ 'SELECT count(*) FROM orchestration.validate_orchestration($1)', [$json], '0' ],
	[ 'SELECT orchestration.deploy_orchestration($1)', [$xml], '1' ],
	[ 'SELECT orchestration.deploy_orchestration($1)', [$json], '1' ],
	[ 'SELECT orchestration.deploy_orchestration($1, $2)', [ $xml, 'Named' ], '1' ],
	[ 'SELECT orchestration.deploy_orchestration($1, $2, $3)', [ $json, 'Named_And_Active', $true ], '1' ],
	[ 'SELECT orchestration.deploy_orchestration($1, activate => $2)', [ "\n  $xml", $true ], undef ],
	[ 'SELECT orchestration.deploy_orchestration($1, $2, $3)', [ $json, undef, $false ], undef ],
	[ 'SELECT orchestration.deploy_orchestration($1)', ['By_XML.flow-meta.xml'], 'error' ],
	[ 'SELECT orchestration.activate_orchestration($1)', ['By_JSON'], undef ],
	[ 'SELECT orchestration.record_exists($1, $2)', [ 'Number', 5 ], 't' ],
	[ 'SELECT orchestration.record_exists($1, $2)', [ 'Number', '5' ], 't' ],
	[ 'SELECT orchestration.record_exists($1, $2)', [ 'Number', 6 ], 'f' ],
	[ 'SELECT orchestration.record_exists($1, $2)', [ 'Id', { uuid => '11111111-2222-3333-4444-555555555555' } ], 't' ],
	[ 'SELECT orchestration.record_exists($1, $2)', [ 'Day', { date => '2026-02-01' } ], 't' ],
	[ 'SELECT orchestration.record_exists($1, $2)', [ 'Amount', { decimal => '1.50' } ], 't' ],
	[ 'SELECT orchestration.start_orchestration($1) IS NOT NULL', ['By_XML'], 't' ],
	[ 'SELECT orchestration.start_orchestration($1, $2) IS NOT NULL', [ 'By_JSON', 5 ], 't' ],
	[ 'SELECT orchestration.start_orchestration($1, $2) IS NOT NULL', [ 'By_JSON', '5' ], 't' ],
	[ 'SELECT orchestration.start_orchestration($1, $2) IS NOT NULL', [ 'By_JSON', undef ], 't' ],
	[ 'SELECT orchestration.start_orchestration($1, $2) IS NOT NULL', [ 'By_JSON', { date => '2026-02-01' } ], 't' ],
	[ 'SELECT orchestration.start_orchestration($1, record_key => $2, idempotency_key => $3) IS NOT NULL', [ 'By_JSON', { uuid => '11111111-2222-3333-4444-555555555555' }, 'k' ], 't' ],
	[ 'SELECT orchestration.start_orchestration($1, record_key => $2, idempotency_key => $3) IS NOT NULL', [ 'By_JSON', '11111111-2222-3333-4444-555555555555', 'k' ], 't' ],
	[ 'SELECT orchestration.start_orchestration($1, idempotency_key => $2) IS NOT NULL', [ 'By_JSON', 'k' ], 'error' ],
	[ 'SELECT count(*) > 1 FROM orchestration.dry_run($1, $2)', [ 'By_JSON', 5 ], 't' ],
	[ 'SELECT count(*) FROM orchestration.retry_failed_runs($1)', ['By_JSON'], '0' ],
	[ 'SELECT string_agg(triggering_record_id, $1 ORDER BY id) FROM orchestration.run', [' '], '5 5 2026-02-01 11111111-2222-3333-4444-555555555555' ]);
my $file = PostgreSQL::Test::Utils::tempdir() . '/calls.json';
append_to_file($file, encode_json([ map { [ @$_[ 0, 1 ] ] } @calls ]));

# node-postgres: what test/t/rest/ installs
my $modules = PostgreSQL::Test::Utils::tempdir();
copy($_, $modules) for (glob("$here/rest/package*.json"), "$here/driver/driver.js");
my $npm = system("cd $modules && HOME=$modules npm ci --no-audit --no-fund >npm.log 2>&1") == 0;
my $python = $ENV{ORCH_TEST_PYTHON} || '/usr/bin/python3';
my %drivers = (map { ($_ => [ $python, "$here/driver/driver.py", $_ ]) } qw(psycopg psycopg_client psycopg_prepared psycopg2 pg8000 sqlalchemy));
$drivers{'node-postgres'} = [ 'node', "$modules/driver.js" ];

for my $driver (sort keys %drivers)
{
  SKIP: {
		(my $database = $driver) =~ s/\W/_/g;
		$node->safe_psql('postgres', "CREATE DATABASE $database");
		$node->safe_psql($database, q{
			CREATE EXTENSION orchestration;
			SELECT orchestration.register_action('Work', 'worker');
			CREATE TABLE number (id bigint PRIMARY KEY); INSERT INTO number VALUES (5);
			CREATE TABLE id (id uuid PRIMARY KEY); INSERT INTO id VALUES ('11111111-2222-3333-4444-555555555555');
			CREATE TABLE day (id date PRIMARY KEY); INSERT INTO day VALUES ('2026-02-01');
			CREATE TABLE amount (id numeric PRIMARY KEY); INSERT INTO amount VALUES (1.5);
			SELECT orchestration.register_record_type(initcap(t), t::regclass) FROM unnest('{number,id,day,amount}'::text[]) t});
		local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port, PGDATABASE => $database, PGUSER => scalar getpwuid($<));
		my ($out, $err) = run_command([ @{ $drivers{$driver} }, $file ]);
		skip "$driver is not installed: $1", 1 if $out =~ /^skip (.*)/;
		my %answer = map { /^(\d+) (.*)/ ? ($1 => $2) : () } split /\n/, $out;
		for my $n (0 .. $#calls)
		{
			my ($sql, $parameters, $expected) = @{ $calls[$n] };
			my $got = $answer{$n} // "nothing; $err";
			my $name = "$driver: $sql with " . substr(encode_json($parameters), 0, 60);
			if (!defined $expected) { unlike($got, qr/^(error|nothing)/, $name) }
			elsif ($expected eq 'error') { like($got, qr/^error (?!.*not unique)/, $name) }
			else { is($got, $expected, $name) }
		}
	}
}
diag('npm ci failed: node-postgres is not tried') unless $npm;
done_testing();
