# 004_upgrade.pl: the install script loads from the installed files.  There is one version; with
# a second one this file will test the upgrade.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('upgrade');
$node->init;
$node->append_conf('postgresql.conf', $ENV{ORCH_TEST_CONF});
$node->start;

my $objects = q{SELECT md5(string_agg(d.classid || ' ' || d.objid, ',' ORDER BY d.classid, d.objid))
	FROM pg_depend d JOIN pg_extension e ON d.refobjid = e.oid AND d.refclassid = 'pg_extension'::regclass
	WHERE e.extname = 'orchestration' AND d.deptype = 'e'};

$node->safe_psql('postgres', 'CREATE EXTENSION orchestration');
my $version = $node->safe_psql('postgres', q{SELECT extversion FROM pg_extension WHERE extname = 'orchestration'});
like($version, qr/^\d+\.\d+\.\d+$/, "installed: version $version");
my $before = $node->safe_psql('postgres', $objects);
my ($rc, $out, $err) = $node->psql('postgres', 'ALTER EXTENSION orchestration UPDATE');
is($rc, 0, 'ALTER EXTENSION UPDATE');
like($err, qr/version "\Q$version\E" of extension "orchestration" is already installed/, 'reports that there is nothing to do');
is($node->safe_psql('postgres', $objects), $before, 'and leaves all objects as they are');
($rc, $out, $err) = $node->psql('postgres', q{ALTER EXTENSION orchestration UPDATE TO '0.0.0'});
isnt($rc, 0, 'an unknown version is refused');

$node->stop;
done_testing();
