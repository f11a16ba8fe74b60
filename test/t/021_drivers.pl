# 021_drivers.pl: the programs of doc/drivers.md, taken from the page as they stand.

use strict;
use warnings;
use File::Basename;
use File::Copy;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $here = dirname(__FILE__);
my ($page) = grep { -e } ("$here/doc/drivers.md", "$here/../../doc/drivers.md");
my $text = slurp_file($page);
my $node = PostgreSQL::Test::Cluster->new('drivers');
$node->init;
$node->append_conf('postgresql.conf', $ENV{ORCH_TEST_CONF});
$node->append_conf('postgresql.conf', "listen_addresses = '127.0.0.1'\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION orchestration');

# blocks of a language, in the order of the page; a program is found by its first line
my @sql = $text =~ /^```sql\n(.*?)^```$/msg;
my %program = map { /^(?:#|\/\/) ([^\n]+)\n/ ? ($1 => $_) : () } $text =~ /^```(?:python|js|java)\n(.*?)^```$/msg;
is($node->psql('postgres', $_, on_error_die => 0), 0, 'SQL of the page: ' . substr($_, 0, 40)) for @sql;

my $folder = PostgreSQL::Test::Utils::tempdir();
copy($_, $folder) for glob("$here/rest/package*.json");
my $npm = system("cd $folder && HOME=$folder npm ci --no-audit --no-fund >npm.log 2>&1") == 0;
local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port, PGDATABASE => 'postgres', PGUSER => scalar getpwuid($<));
my $url = sprintf('jdbc:postgresql://127.0.0.1:%d/postgres?user=%s', $node->port, $ENV{PGUSER});
my ($jar) = grep { -e } '/usr/share/java/postgresql.jar';

# name, file, command, what it needs and the command that tells whether it is there, what it prints
my @cases = (
	[ 'psycopg 3', 'first.py', ['/usr/bin/python3'], q{/usr/bin/python3 -c 'import psycopg'}, qr/^InProgress\nOR202 there is no orchestration "Nowhere" / ],
	[ 'psycopg 3, as a user', 'user.py', ['/usr/bin/python3'], q{/usr/bin/python3 -c 'import psycopg'}, qr/^True\n0$/ ],
	[ 'psycopg 3 waits', 'waits.py', ['/usr/bin/python3'], q{/usr/bin/python3 -c 'import psycopg'}, qr/^listens$/ ],
	[ 'node-postgres', 'node.js', ['node'], ($npm ? 'true' : 'false'), qr/^InProgress\nOR202 / ],
	[ 'SQLAlchemy', 'alchemy.py', ['/usr/bin/python3'], q{/usr/bin/python3 -c 'import sqlalchemy, psycopg2'}, qr/^InProgress\nOR202$/ ],
	[ 'Django', 'with_django.py', ['/usr/bin/python3'], q{/usr/bin/python3 -c 'import django, psycopg2'}, qr/^InProgress\nOR202$/ ],
	[ 'JDBC: java -cp postgresql.jar Start.java URL', 'Start.java', [ 'java', '-cp', $jar // '' ], 'javac -version && test -e /usr/share/java/postgresql.jar', qr/^started\nOR202$/ ]);

for my $case (@cases)
{
	my ($name, $file, $command, $has, $expected) = @$case;
  SKIP: {
		ok($program{$name}, "the page has a program: $name") or next;
		skip "$name is not installed", 1 if system("$has >/dev/null 2>&1");
		append_to_file("$folder/$file", $program{$name});
		my ($out, $err) = run_command([ @$command, "$folder/$file", $file eq 'Start.java' ? $url : () ]);
		like($out, $expected, "$name runs") or diag($err);
	}
}
# as PostgREST does it
my $request = q{BEGIN; SELECT set_config('request.jwt.claims', '{"email": "%s"}', true) \g /dev/null
	SELECT gateway.act_as_user() \g /dev/null
	SELECT username FROM orchestration."user" WHERE id = orchestration.acting_user_id(); COMMIT; SELECT orchestration.acting_user_id() IS NULL};
is($node->safe_psql('postgres', sprintf($request, 'ann@example.com'), extra_params => [ '-U', 'web' ]), "ann\@example.com\nt", 'the pre-request function sets the user, for its transaction');
is($node->safe_psql('postgres', sprintf($request, 'nobody@example.com'), extra_params => [ '-U', 'web' ]), 't', 'an unknown person is nobody');
is(scalar(keys %program), scalar(@cases), 'every program of the page is run');
is($node->safe_psql('postgres', 'SELECT count(*) FROM orchestration.verify()'), '0', 'verify() is empty');
$node->stop;
done_testing();
