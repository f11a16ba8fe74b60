# 016_rest.pl: examples/rest/, the gateway before the documented calls, with the client that the
# platform's users have (jsforce), over HTTP and TLS; and with requests that no such client makes.

use strict;
use warnings;
use File::Basename;
use File::Copy;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $here = dirname(__FILE__);
my $node = PostgreSQL::Test::Cluster->new('rest');
$node->init;
$node->append_conf('postgresql.conf', $ENV{ORCH_TEST_CONF});
$node->start;
$node->safe_psql('postgres', 'CREATE ROLE web LOGIN; GRANT SET ON PARAMETER orchestration.user_id TO web');

my $modules = PostgreSQL::Test::Utils::tempdir();
copy($_, $modules) for ("$here/examples/rest/gateway.js", glob("$here/rest/*"));
is(system("cd $modules && HOME=$modules npm ci --no-audit --no-fund >npm.log 2>&1"), 0, 'npm ci') or diag(slurp_file("$modules/npm.log"));
my $lines = () = slurp_file("$modules/gateway.js") =~ /\n/g;
ok($lines <= 200, "the gateway has at most 200 lines ($lines)");
is(system("cd $modules && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem 2>/dev/null"), 0, 'a certificate');

# Ann has 650 runs, the first two of them with stages, steps and work items, the third with 450
# steps, and had one more; Bea has 5; Boss may see and do all; Gone is not active any more.
my $prepare = q{
CREATE EXTENSION orchestration;
SELECT orchestration.create_user(n || '@x', initcap(n)) FROM unnest(ARRAY['ann', 'bea', 'boss', 'gone']) n;
CREATE VIEW person AS SELECT id, name, split_part(username, '@', 1) || '-token' AS token FROM orchestration.principal WHERE username LIKE '%@x';
SELECT orchestration.update_user(id, modify_all_data => true, view_all_data => true) FROM person WHERE name = 'Boss';
SELECT orchestration.update_user(id, is_active => false) FROM person WHERE name = 'Gone';
SELECT orchestration.add_group_member(orchestration.create_group('Team'), id) FROM person WHERE name = 'Bea';
INSERT INTO orchestration.run (name, owner_id, status, ended_at) SELECT 'A-000', id, 'Completed', now() - interval '2 days' FROM person WHERE name = 'Ann';
SELECT orchestration.purge_runs('0', 10);
INSERT INTO orchestration.run (name, owner_id, status) SELECT 'A-' || lpad(i::text, 3, '0'), id, 'InProgress' FROM person, generate_series(1, 650) i WHERE name = 'Ann';
INSERT INTO orchestration.run (name, owner_id, status) SELECT 'B-' || i, id, 'InProgress' FROM person, generate_series(1, 5) i WHERE name = 'Bea';
INSERT INTO orchestration.stage_run (run_id, name, label, position, status, owner_id) SELECT id, 'Stage', 'The stage', 1, 'InProgress', owner_id FROM orchestration.run WHERE name IN ('A-001', 'A-002');
INSERT INTO orchestration.step_run (run_id, stage_run_id, step_type, name, label, status, owner_id)
SELECT run_id, id, 'InteractiveStep', 'Step' || n, 'Step ' || n, 'InProgress', owner_id FROM orchestration.stage_run, generate_series(1, 3) n;
INSERT INTO orchestration.stage_run (run_id, name, label, position, status, owner_id) SELECT id, 'Large', 'Large', 1, 'InProgress', owner_id FROM orchestration.run WHERE name = 'A-003';
INSERT INTO orchestration.step_run (run_id, stage_run_id, step_type, name, label, status, owner_id)
SELECT run_id, id, 'BackgroundStep', 'Step' || n, 'Step ' || n, 'InProgress', owner_id FROM orchestration.stage_run, generate_series(1, 450) n WHERE name = 'Large';
INSERT INTO orchestration.work_item (run_id, step_run_id, status, assignee_id, owner_id, label) SELECT run_id, id, 'Assigned', owner_id, owner_id, 'Do ' || name FROM orchestration.step_run WHERE step_type = 'InteractiveStep';
};

# a gateway before a database with these records; its process and its URL
sub gateway
{
	my ($database, $host, @options) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, $prepare);
	my $tokens = $node->safe_psql($database, q{SELECT json_object_agg(encode(sha256(convert_to(token, 'UTF8')), 'hex'), id)
	    FROM (SELECT token, id FROM person UNION ALL SELECT 'nobody-token', '01a1fcc1-ef46-7bd9-8132-aead880d2434') t});
	append_to_file("$modules/$database.json", $tokens);
	local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port, PGDATABASE => $database, PGUSER => 'web');
	my ($out, $err) = ('', '');
	my $process = IPC::Run::start([ 'node', "$modules/gateway.js", '--tokens', "$modules/$database.json", '--host', $host, '--port', '0', @options ],
		'<', \undef, '>', \$out, '2>', "$modules/$database.log");
	ok(pump_until($process, IPC::Run::timeout(60), \$out, qr/listens on \S+\n/), "$database: the gateway starts");
	my ($url) = $out =~ /listens on (\S+)/;
	return ($process, $url);
}

# the status of a GET with Ann's token
sub status_of
{
	my ($url) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'node', '-e', "fetch('$url', {headers: {authorization: 'Bearer ann-token'}}).then((r) => console.log(r.status))" ], '>', \$out, '2>', \$err);
	chomp($out);
	return $out;
}

# a program that prints TAP; its lines become ours
sub play
{
	my ($what, $program, @arguments) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'node', "$modules/$program", @arguments ], '<', \undef, '>', \$out, '2>', \$err, IPC::Run::timeout(300));
	my $run = 0;
	while ($out =~ /^(not )?ok - (.*)\n((?:# .*\n)*)/mg)
	{
		my ($failed, $name, $reason) = ($1, $2, $3);
		$run++;
		ok(!$failed, "$what: $name") or diag($reason);
	}
	my ($planned) = $out =~ /^1\.\.(\d+)$/m;
	is($run, $planned, "$what: all tests ran") or diag($err);
}

# ---- the client, over HTTP and TLS
my ($http, $url) = gateway('http', '127.0.0.1');
play('http', 'client.js', $url);
my ($https, $tls_url) = gateway('https', 'localhost', '--cert', "$modules/cert.pem", '--key', "$modules/key.pem");
like($tls_url, qr/^https:/, 'TLS');
{
	local $ENV{NODE_EXTRA_CA_CERTS} = "$modules/cert.pem";
	play('https', 'client.js', $tls_url);
}
$https->signal('INT');
$https->finish;
is($https->result(0), 0, 'SIGINT: it ends well');

# ---- the role of the gateway without a user
for my $call ('SELECT count(*) FROM orchestration.flow_orchestration_instance', 'SELECT count(*) FROM orchestration."user"')
{
	is($node->safe_psql('http', $call, extra_params => [ '-U', 'web' ]), '0', "$call: nothing without a user");
}
# the server is not there
{
	local %ENV = (%ENV, PGHOST => 'localhost', PGPORT => PostgreSQL::Test::Cluster::get_free_port(), PGDATABASE => 'http', PGUSER => 'web');
	my ($out, $process) = ('');
	$process = IPC::Run::start([ 'node', "$modules/gateway.js", '--tokens', "$modules/http.json", '--port', '0' ], '<', \undef, '>', \$out, '2>', "$modules/away.log");
	ok(pump_until($process, IPC::Run::timeout(60), \$out, qr/listens on \S+\n/), 'a gateway without a server starts');
	my ($away) = $out =~ /listens on (\S+)/;
	is(status_of("$away/services/data/v60.0/limits"), 503, 'it tells that the database does not answer') for 1 .. 2;
	$process->signal('TERM');
	$process->finish;
	is($process->result(0), 0, 'and ends well');
}
my ($result, $stdout, $stderr) = $node->psql('http', q{SELECT orchestration.query('SELECT Id FROM FlowOrchestrationInstance')}, extra_params => [ '-U', 'web' ]);
like($stderr, qr/acts as no active user/, 'query() is refused without a user');
($result, $stdout, $stderr) = $node->psql('http', 'SELECT * FROM orchestration.principal', extra_params => [ '-U', 'web' ]);
like($stderr, qr/permission denied/, 'tables are refused');

# ---- hostile requests; SIGHUP reads the tokens again
my ($attack, $attack_url) = gateway('attack', '127.0.0.1');
{
	local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port, PGDATABASE => 'attack', PGUSER => $ENV{USER} // getpwuid($<));
	play('attack', 'attack.js', $attack_url, $attack->{KIDS}[0]{PID});
}
$attack->finish;
is($attack->result(0), 0, 'SIGTERM: it ends well');
unlike(slurp_file("$modules/attack.log"), qr/ann-token|Bearer/, 'the log has no token');
like(slurp_file("$modules/attack.log"), qr/query_more/, 'the log says why a request failed');
open(my $empty, '>', "$modules/http.json") or die;
print $empty '{}';
close($empty);
$http->signal('HUP');
usleep(500_000);
is(status_of("$url/services/data/v60.0/limits"), 401, 'SIGHUP: a token that was removed is refused');
append_to_file("$modules/http.json", 'no JSON');
$http->signal('HUP');
usleep(500_000);
is(status_of("$url/services/data/v60.0/limits"), 401, 'SIGHUP: the gateway survives a file that is not JSON');
$http->signal('TERM');
$http->finish;

is($node->safe_psql($_, 'SELECT count(*) FROM orchestration.verify()'), '0', "$_: verify() finds nothing") for qw(http https attack);
$node->stop;

done_testing();
