# 006_identity.pl: the user of a session: by its role, by the setting of a gateway, also through
# PgBouncer; and by no other means.

use strict;
use warnings;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('identity');
$node->init;
$node->append_conf('postgresql.conf', $ENV{ORCH_TEST_CONF});
$node->start;
$node->safe_psql('postgres', q{
CREATE EXTENSION orchestration;
CREATE ROLE ann LOGIN;
CREATE ROLE bea LOGIN;
CREATE ROLE mallory LOGIN;
CREATE ROLE web LOGIN;
CREATE ROLE authenticator LOGIN NOINHERIT;
GRANT ann, bea TO authenticator;
CREATE ROLE gate LOGIN;
GRANT ann TO gate;
GRANT SET ON PARAMETER orchestration.user_id TO web, gate;
SELECT orchestration.create_user('ann@x', 'Ann', 'ann');
SELECT orchestration.create_user('bea@x', 'Bea', 'bea');
SELECT orchestration.create_user('mallory@x', 'Mallory', 'mallory');
INSERT INTO orchestration.run (name, owner_id, status)
SELECT p.name || '-' || i, p.id, 'InProgress' FROM orchestration.principal p, generate_series(1, 2) i WHERE p.name IN ('Ann', 'Bea');
CREATE DATABASE mallorys OWNER mallory;
});
my %id = map { $_ => $node->safe_psql('postgres', "SELECT id FROM orchestration.principal WHERE name = '$_'") } qw(Ann Bea Mallory);
my $see = q{SELECT COALESCE(string_agg(name, ' ' ORDER BY name), 'nothing') FROM orchestration.flow_orchestration_instance};
my $who = q{SELECT COALESCE((SELECT u.name FROM orchestration."user" u WHERE u.id = orchestration.acting_user_id()), 'nobody')};

# the records that a role sees; further connection options
sub sees
{
	my ($role, $sql, %options) = @_;
	local $ENV{PGOPTIONS} = $options{options} // '';
	my ($stdout, $stderr);
	$node->psql($options{database} // 'postgres', $sql, stdout => \$stdout, stderr => \$stderr,
		extra_params => [ '-U', $role ], on_error_stop => 0);
	return wantarray ? ($stdout, $stderr) : $stdout;
}

# ---- by role
is(sees('ann', $see), 'Ann-1 Ann-2', 'a role acts as its user');
is(sees('bea', $see), 'Bea-1 Bea-2', 'another role acts as another user');
is(sees('mallory', $see), 'nothing', 'a user without records sees none');
is(sees('web', $see), 'nothing', 'a gateway that names no user has no user');
is(sees('ann', qq{ALTER ROLE ann SET orchestration.max_elements = 1; $see}), 'Ann-1 Ann-2', 'a gateway may not change other settings of the extension');

# ---- a role set for each transaction, as PostgREST does
is(sees('authenticator', "BEGIN; SET LOCAL ROLE ann; $see; COMMIT; BEGIN; SET LOCAL ROLE bea; $see; COMMIT; $see"),
	"Ann-1 Ann-2\nBea-1 Bea-2\nnothing", 'SET LOCAL ROLE for each transaction, no user in between');
is(sees('authenticator', "BEGIN; SET LOCAL ROLE ann; SELECT orchestration.suspend_run(id) FROM orchestration.run WHERE name = 'Ann-1'; COMMIT"), 't', 'with the rights of the user');
is($node->safe_psql('postgres', q{SELECT l.actor FROM orchestration.flow_orchestration_log l WHERE l.kind = 'SuspendInstance'}), 'ann@x', 'the log has the user');

# ---- one role for many users
is(sees('web', "BEGIN; SET LOCAL orchestration.user_id = '$id{Ann}'; $see; COMMIT; BEGIN; SET LOCAL orchestration.user_id = '$id{Bea}'; $see; COMMIT; $see"),
	"Ann-1 Ann-2\nBea-1 Bea-2\nnothing", 'SET LOCAL for each transaction, no user in between');
is(sees('web', "BEGIN; SET LOCAL orchestration.user_id = '$id{Ann}'; SELECT orchestration.resume_run(id) FROM orchestration.run WHERE name = 'Ann-1'; COMMIT"), 'InProgress', 'with the rights of the user');
is($node->safe_psql('postgres', q{SELECT l.actor FROM orchestration.flow_orchestration_log l WHERE l.kind = 'ResumeInstance'}), 'ann@x', 'the log has the user, not the gateway');
is($node->safe_psql('postgres', q{SELECT u.name FROM orchestration.run r JOIN orchestration.principal u ON u.id = r.modified_by WHERE r.name = 'Ann-1'}), 'Ann', 'LastModifiedById too');
is(sees('web', "SET orchestration.user_id = '$id{Ann}'; $see; DISCARD ALL; $see"), "Ann-1 Ann-2\nnothing", 'DISCARD ALL ends it');

# ---- through PgBouncer in transaction mode, one connection to the server
my ($bouncer) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin';
my $dir = PostgreSQL::Test::Utils::tempdir;
my $port = PostgreSQL::Test::Cluster::get_free_port();
open(my $ini, '>', "$dir/pgbouncer.ini") or die;
print $ini sprintf("[databases]\npostgres = host=%s port=%d dbname=postgres\n[pgbouncer]\nlisten_addr =\nlisten_port = %d\nunix_socket_dir = %s\nauth_type = any\nauth_file =\npool_mode = transaction\ndefault_pool_size = 1\nmax_client_conn = 20\nlogfile = %s/log\npidfile = %s/pid\nignore_startup_parameters = options,extra_float_digits\n",
	$node->host, $node->port, $port, $dir, $dir, $dir);
close($ini);
# auth_type any accepts every name; PgBouncer logs in with the name forced here
system_or_bail('sed', '-i', 's/dbname=postgres/dbname=postgres user=web/', "$dir/pgbouncer.ini");
my $bouncer_run = IPC::Run::start([ $bouncer, '-q', "$dir/pgbouncer.ini" ], '<', \undef, '>', "$dir/out", '2>', "$dir/err");
my $up = 0;
for (1 .. 100)
{
	if (-S "$dir/.s.PGSQL.$port") { $up = 1; last; }
	select(undef, undef, undef, 0.1);
}
ok($up, 'PgBouncer runs') or diag(slurp_file("$dir/err"));

# two clients at once
sub client
{
	my ($in, $out) = ('', '');
	my $run = IPC::Run::start([ 'psql', '-XAtq', '-h', $dir, '-p', $port, '-U', 'web', 'postgres' ], '<', \$in, '>', \$out, '2>&1',
		IPC::Run::timeout(60));
	return { run => $run, in => \$in, out => \$out, n => 0 };
}
sub ask
{
	my ($client, $sql) = @_;
	my $mark = 'mark' . ++$client->{n};
	${ $client->{out} } = '';
	${ $client->{in} } .= "$sql;\n\\echo $mark\n";
	$client->{run}->pump until ${ $client->{out} } =~ /$mark\n/;
	(my $said = ${ $client->{out} }) =~ s/\n?$mark\n.*//s;
	return $said;
}
my ($one, $two) = (client(), client());
for my $turn (1 .. 3)
{
	is(ask($one, "BEGIN; SET LOCAL orchestration.user_id = '$id{Ann}'; $see; COMMIT"), 'Ann-1 Ann-2', "pooled, turn $turn: the first client's user");
	is(ask($two, $see), 'nothing', "pooled, turn $turn: the second client does not get that user");
	is(ask($two, "BEGIN; SET LOCAL orchestration.user_id = '$id{Bea}'; $see; COMMIT"), 'Bea-1 Bea-2', "pooled, turn $turn: the second client's user");
	is(ask($one, $see), 'nothing', "pooled, turn $turn: the first client does not get that user");
}
is(ask($one, "BEGIN; SET LOCAL orchestration.user_id = '$id{Ann}'; ROLLBACK; $see"), 'nothing', 'pooled: a transaction rolled back leaves no user');
is(ask($one, 'SELECT pg_backend_pid()'), ask($two, 'SELECT pg_backend_pid()'), 'pooled: all clients used one connection');
# the README warns of this
is(ask($one, "SET orchestration.user_id = '$id{Ann}'"), '', 'pooled: SET without LOCAL');
is(ask($two, $see), 'Ann-1 Ann-2', 'pooled: it stays for the next client, like every setting');
ask($one, 'RESET orchestration.user_id');
for my $client ($one, $two)
{
	${ $client->{in} } .= "\\q\n";
	$client->{run}->finish;
}
$bouncer_run->signal('INT');
$bouncer_run->finish;

# ---- by no other means, with the library loaded or not
my $load = 'SELECT FROM orchestration_internal.is_user();';
for my $how ('at first use', 'session_preload_libraries', 'shared_preload_libraries')
{
	if ($how ne 'at first use')
	{
		$node->adjust_conf('postgresql.conf', 'session_preload_libraries', undef);
		$node->append_conf('postgresql.conf', "$how = 'orchestration'\n");
		$node->restart;
	}
	my ($out, $err);
	my $preloaded = $how ne 'at first use';
	my $denied = qr/permission denied to set parameter "orchestration.user_id"/;
	is(sees('mallory', "SET orchestration.user_id = ''; $see; $who"), "nothing\nMallory", "$how: SET '' as the first statement");
	# Before the library is loaded any role can set the value.  The value is refused when the
	# library is loaded, and later statements do not run as the role's own user instead.
	for my $set ("SET orchestration.user_id = '%s'", "SELECT set_config('orchestration.user_id', '%s', false) IS NULL", "BEGIN; SET LOCAL orchestration.user_id = '%s'")
	{
		for my $value ($id{Ann}, $id{Mallory}, 'x')
		{
			my $statement = sprintf($set, $value);
			($out, $err) = sees('mallory', "$statement; $who; $see; SELECT orchestration.start_orchestration('x')");
			like($err, $denied, "$how: $statement as the first statement is refused");
			my $said = $preloaded && $set !~ /BEGIN/ ? 'Mallory nothing' : '';
			is(join(' ', grep { $_ ne 'f' } split(/\n/, $out)), $said, "$how: $statement: and " . ($said ? 'was never set' : 'no statement runs as the role'));
			like($err, qr/x" does not exist|active version|aborted|permission denied/, "$how: $statement: no run starts");
		}
	}
	($out, $err) = sees('mallory', "SET orchestration.user_id = '$id{Ann}'; $who; RESET orchestration.user_id; $who");
	is((split(/\n/, $out))[-1], 'Mallory', "$how: the role's own user after RESET");
	($out, $err) = sees('mallory', "BEGIN; SET LOCAL orchestration.user_id = '$id{Ann}'; $who; ROLLBACK; $who");
	is((split(/\n/, $out))[-1], 'Mallory', "$how: the role's own user after the transaction");
	# a role with the privilege need not load the library first
	is(sees('web', "SELECT set_config('orchestration.user_id', '$id{Ann}', false) IS NULL; $who; $see"), "f\nAnn\nAnn-1 Ann-2", "$how: a gateway, as the first statement");
	is(sees('web', "BEGIN; SET LOCAL orchestration.user_id = '$id{Bea}'; $who; COMMIT; $who"), "Bea\nnobody", "$how: for one transaction");
	is(sees('gate', "BEGIN; SET LOCAL orchestration.user_id = '$id{Bea}'; SET LOCAL ROLE ann; $who; COMMIT"), 'Bea', "$how: the role that set it counts, not the role that loads the library");
	($out, $err) = sees('web', "SET orchestration.user_id = 'x'; $who; $see");
	like($err, qr/invalid value for parameter "orchestration.user_id": "x"/, "$how: a gateway that sets an invalid id is refused");
	unlike($out, qr/Ann|Bea/, "$how: and sees no records");
	($out, $err) = sees('mallory', "$load SET orchestration.user_id = '$id{Ann}'; $see");
	like($err, qr/permission denied to set parameter "orchestration.user_id"/, "$how: SET with the library loaded is refused");
	is($out, 'nothing', "$how: and no records are visible");
	unlike(scalar sees('mallory', "BEGIN; SET LOCAL orchestration.user_id = '$id{Ann}'; $see; $who; COMMIT; $see; $who"), qr/Ann/, "$how: SET LOCAL");
	unlike(scalar sees('mallory', "BEGIN; SAVEPOINT a; SET LOCAL orchestration.user_id = '$id{Ann}'; RELEASE a; $see; $who; ROLLBACK; $who"), qr/Ann/, "$how: in a savepoint");
	unlike(scalar sees('mallory', "CREATE FUNCTION pg_temp.f() RETURNS text LANGUAGE sql SET orchestration.user_id = '$id{Ann}' AS \$\$ $who \$\$; SELECT pg_temp.f()"), qr/Ann/, "$how: a function's SET clause");
	($out, $err) = sees('mallory', $see, options => "-c orchestration.user_id=$id{Ann}");
	unlike($out, qr/Ann/, "$how: connection options");
	like($err, $denied, "$how: which are refused");
	($out, $err) = sees('mallory', "ALTER ROLE mallory SET orchestration.user_id = '$id{Ann}'");
	like($err, qr/permission denied to set parameter/, "$how: ALTER ROLE by the role itself");
	($out, $err) = sees('mallory', "ALTER DATABASE mallorys SET orchestration.user_id = '$id{Ann}'", database => 'mallorys');
	like($err, qr/permission denied to set parameter/, "$how: ALTER DATABASE by its owner");
	# a superuser may set it for a role; without the grant it has no effect
	$node->safe_psql('postgres', "$load ALTER ROLE mallory SET orchestration.user_id = '$id{Ann}'");
	is(sees('mallory', "$who"), 'Ann', "$how: ALTER ROLE by a superuser gives the role another user");
	is(sees('mallory', "$load RESET orchestration.user_id; $who"), 'Ann', "$how: which the role cannot change");
	$node->safe_psql('postgres', 'ALTER ROLE mallory RESET orchestration.user_id');
	is(sees('mallory', $who), 'Mallory', "$how: the role's own user again");
}
$node->safe_psql('postgres', "ALTER ROLE ann SET orchestration.user_id = '00000000-0000-7000-8000-0000000000ff'");
is(sees('ann', $who), 'nobody', 'a value that names no user leaves the role without a user');
$node->safe_psql('postgres', 'ALTER ROLE ann RESET orchestration.user_id');

# ---- users are mapped by the name of the role
$node->safe_psql('postgres', 'ALTER ROLE ann RENAME TO anna');
is(sees('anna', $who), 'nobody', 'a renamed role has no user');
$node->safe_psql('postgres', 'CREATE ROLE ann LOGIN');
is(sees('ann', $who), 'Ann', 'a new role of that name acts as the user');
$node->safe_psql('postgres', q{SELECT orchestration.update_user(id, role_name => 'anna') FROM orchestration.principal WHERE name = 'Ann'});
is(sees('anna', $who) . ' ' . sees('ann', $who), 'Ann nobody', 'mapped again');
is($node->safe_psql('postgres', 'SELECT count(*) FROM orchestration.verify()'), '0', 'verify()');


# ---- a session with plans for a user who sees all records survives DROP EXTENSION
$node->safe_psql('postgres', q{SELECT orchestration.update_user(id, view_all_data => true) FROM orchestration.principal WHERE name = 'Ann'});
is($node->safe_psql('postgres', q{
SET client_min_messages = error;
SET ROLE anna;
SELECT count(*) FROM orchestration.run;
RESET ROLE;
DROP EXTENSION orchestration CASCADE;
SELECT count(*) FROM pg_class WHERE relname = 'pg_class';
CREATE EXTENSION orchestration;
SELECT count(*) FROM orchestration.run;}), "4\n1\n0", 'DROP EXTENSION after plans for a user who sees all records');
$node->stop;
done_testing();
