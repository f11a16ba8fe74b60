# 007_access_load.pl: the records that a user sees among 100,000 principals and 10,000 rules; and
# an interrupt while a session loads its access leaves a correct state.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('load');
$node->init;
$node->append_conf('postgresql.conf', $ENV{ORCH_TEST_CONF});
$node->append_conf('postgresql.conf', "fsync = off\njit = off\n");
$node->start;
$node->safe_psql('postgres', q{
CREATE EXTENSION orchestration;
CREATE ROLE ann LOGIN;
INSERT INTO orchestration.principal (kind, username, name) SELECT 'User', 'u' || i, 'U' || i FROM generate_series(1, 90000) i;
INSERT INTO orchestration.principal (kind, developer_name, name) SELECT 'Group', 'g' || i, 'G' || i FROM generate_series(1, 10000) i;
SELECT orchestration.create_user('ann', 'Ann', 'ann');
CREATE TABLE u AS SELECT id, substr(username, 2)::integer AS n FROM orchestration.principal WHERE username ~ '^u\d';
CREATE TABLE g AS SELECT id, substr(developer_name, 2)::integer AS n FROM orchestration.principal WHERE developer_name ~ '^g\d';
-- Ann is in 1,000 groups, in 10 of them only through another group; 1,000 groups of ten owners
INSERT INTO orchestration.membership (group_id, member_id) SELECT g.id, p.id FROM g, orchestration.principal p WHERE g.n BETWEEN 11 AND 1000 AND p.username = 'ann';
INSERT INTO orchestration.membership (group_id, member_id) SELECT a.id, b.id FROM g a JOIN g b ON a.n <= 10 AND b.n = a.n + 10;
INSERT INTO orchestration.membership (group_id, member_id) SELECT g.id, u.id FROM g JOIN u ON u.n <= 10000 AND g.n = 1001 + u.n % 1000;
INSERT INTO orchestration.owner_sharing_rule (object, access_level, user_or_group_id, group_id, name)
SELECT (enum_range(NULL::orchestration.shared_object))[1 + i % 4], 'Read', t.id, s.id, 'rule'
  FROM generate_series(0, 19999) i JOIN g t ON t.n = 1 + i % 1000 JOIN g s ON s.n = 1001 + (i * 7 + i / 1000) % 1000 WHERE s.n % 2 = 0;
INSERT INTO orchestration.run (owner_id, status) SELECT id, 'InProgress' FROM u WHERE n <= 20000;
ANALYZE;
});
my $expected = $node->safe_psql('postgres', q{
WITH RECURSIVE mine (id) AS (
    SELECT id FROM orchestration.principal WHERE username = 'ann'
    UNION SELECT m.group_id FROM mine JOIN orchestration.membership m ON m.member_id = mine.id)
SELECT count(*) FROM orchestration.run r WHERE EXISTS (
    SELECT FROM orchestration.owner_sharing_rule s JOIN orchestration.membership m ON m.group_id = s.group_id
     WHERE s.object = 'FlowOrchestrationInstance' AND m.member_id = r.owner_id AND s.user_or_group_id IN (SELECT id FROM mine))});
cmp_ok($expected, '>', 1000, "$expected of 20,000 runs must be visible");
is($node->safe_psql('postgres', 'SELECT count(*) FROM orchestration.run', extra_params => [ '-U', 'ann' ]), $expected, 'and they are');
is($node->safe_psql('postgres', 'SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SELECT count(*) FROM orchestration.run', extra_params => [ '-U', 'ann' ]), $expected, 'by index too');

# one session: interrupted at many moments of its first query, then asked again
my ($interrupted, $script) = (0, "SELECT orchestration.acting_user_id() IS NULL;\n");
for my $ms (1 .. 20)
{
	# another principal: the loaded access is out of date
	$script .= "SET statement_timeout = $ms;\nSELECT count(*) FROM orchestration.run;\nRESET statement_timeout;\nSELECT 'now ' || count(*) FROM orchestration.run;\n"
	  . qq{\\! psql -XAtqc "UPDATE orchestration.principal SET modified_at = now() WHERE username = 'u1'" -h @{[$node->host]} -p @{[$node->port]} postgres >/dev/null\n};
}
my ($stdout, $stderr);
$node->psql('postgres', $script, stdout => \$stdout, stderr => \$stderr, on_error_stop => 0, extra_params => [ '-U', 'ann' ]);
$interrupted = () = $stderr =~ /canceling statement due to statement timeout/g;
my @now = $stdout =~ /^now (\d+)$/mg;
is(scalar(@now), 20, 'asked twenty times');
is_deeply([ grep { $_ != $expected } @now ], [], 'correct after every interrupt');
cmp_ok($interrupted, '>', 0, "some queries were interrupted ($interrupted)");
is($node->safe_psql('postgres', 'SELECT count(*) FROM orchestration.verify()'), '0', 'verify()');
$node->stop;
done_testing();
