# 018_mailer.pl: examples/mailer/: each message is sent once by two mailers at once, and again after
# a mailer died; hostile texts and names; a server that refuses; TLS and login.

use strict;
use warnings;
use File::Basename;
use File::Copy;
use IPC::Run ();
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $here = dirname(__FILE__);
my $node = PostgreSQL::Test::Cluster->new('mailer');
$node->init;
$node->append_conf('postgresql.conf', $ENV{ORCH_TEST_CONF});
$node->start;
my $folder = PostgreSQL::Test::Utils::tempdir();
copy("$here/examples/mailer/mailer.py", $folder);
my $lines = () = slurp_file("$folder/mailer.py") =~ /\n/g;
ok($lines < 150, "the mailer has fewer than 150 lines ($lines)");

$node->safe_psql('postgres', q{
CREATE EXTENSION orchestration;
SELECT orchestration.create_user(n, n) FROM unnest(ARRAY['ann@example.com', 'bob@example.com', 'plain', E'eve@example.com\r\nBcc: all@example.com',
    'eve@example.com, all@example.com', '<eve@example.com>', 'eve@example.com> SIZE=1', 'eve..x@example.com', '"eve"@example.com', 'gone@example.com']) n;
UPDATE orchestration.principal SET is_active = false WHERE name = 'gone@example.com';
SELECT orchestration.create_group('Team', 'Team'), orchestration.create_group('Empty', 'Empty'), orchestration.create_group('Evil', 'Evil');
INSERT INTO orchestration.membership (group_id, member_id, member_kind) SELECT g.id, u.id, 'User' FROM orchestration.principal g, orchestration.principal u
 WHERE (g.name = 'Team' AND u.name IN ('ann@example.com', 'bob@example.com', 'plain', 'gone@example.com')) OR (g.name = 'Evil' AND u.name LIKE '%eve%');
INSERT INTO orchestration.run (name, owner_id, status) SELECT 'R', id, 'InProgress' FROM orchestration.principal WHERE name = 'ann@example.com';
CREATE FUNCTION note(recipient text, subject text, body text DEFAULT 'text', is_html boolean DEFAULT false) RETURNS void LANGUAGE sql AS $$
    INSERT INTO orchestration.message (kind, recipient_id, run_id, subject, body, is_html) SELECT 'Assigned', p.id, r.id, $2, $3, $4 FROM orchestration.principal p, orchestration.run r WHERE p.name = $1 $$;
CREATE ROLE mailer LOGIN;
GRANT EXECUTE ON FUNCTION orchestration.next_messages(integer), orchestration.message_sent(uuid[]), orchestration.message_failed(uuid, text, interval) TO mailer;
});

my ($port, $err) = ('', '');
my $smtp = IPC::Run::start([ 'python3', "$here/mailer/smtp.py", $folder ], '<', \undef, '>', \$port, '2>', \$err);
ok(pump_until($smtp, IPC::Run::timeout(60), \$port, qr/\d+\n/), 'the SMTP server starts') or diag($err);
chomp($port);
my %env = (PGHOST => $node->host, PGPORT => $node->port, PGDATABASE => 'postgres', PGUSER => 'mailer', SMTP_PORT => $port, SMTP_SECURITY => 'none',
	MAIL_FROM => 'workflow@example.com', MAIL_DOMAIN => 'example.org');

# starts a mailer; ends it; what it printed
sub start_mailer
{
	my ($out, @arguments) = @_;
	local %ENV = (%ENV, %env);
	return IPC::Run::start([ 'python3', "$folder/mailer.py", @arguments ], '<', \undef, '>', $out, '2>&1');
}

sub run_mailer
{
	my $out = '';
	my $mailer = start_mailer(\$out, @_);
	$mailer->finish;
	return $out;
}

# the mails since the last call
sub mails
{
	return () unless -e "$folder/mails";
	my @mails = map { decode_json($_) } split(/\n/, slurp_file("$folder/mails"));
	unlink("$folder/mails");
	return @mails;
}

sub left
{
	return $node->safe_psql('postgres', 'SELECT count(*) FROM orchestration.message');
}

sub wait_for
{
	my ($what) = @_;
	for (1 .. 600)
	{
		return 1 if $what->();
		usleep(100_000);
	}
	return 0;
}

# two at once
$node->safe_psql('postgres', q{SELECT note('ann@example.com', 'message ' || n) FROM generate_series(1, 40) n});
my @outs = ('', '');
my @mailers = map { start_mailer(\$outs[$_], '--once') } 0, 1;
$_->finish for @mailers;
is(join(' ', sort { $a <=> $b } map { $_->{subject} =~ /^message (\d+)$/ } mails()), join(' ', 1 .. 40), 'two mailers send each message once') or diag(@outs);
is(left(), 0, 'none is left');
is("@outs", ' ', 'they print nothing');

# one dies after the server has the mail, and before it says so
append_to_file("$folder/hold", '');
$node->safe_psql('postgres', q{SELECT note('ann@example.com', 'again')});
my $killed = start_mailer(\$outs[0]);
ok(wait_for(sub { -s "$folder/mails" }), 'the server has the mail');
is(run_mailer('--once'), '', 'another mailer does not get the message meanwhile');
$killed->signal('KILL');
$killed->finish;
unlink("$folder/hold");
ok(wait_for(sub { $node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'mailer'}) == 0 }), 'the session of a killed mailer ends');
is(left(), 1, 'the message is still there');
is(run_mailer('--once'), '', 'the next mailer runs');
my @again = mails();
is(scalar(@again), 2, 'it sends the message again');
is($again[0]{id}, $again[1]{id}, 'with the same id');
is(left(), 0, 'and removes it');

# hostile texts and names
$node->safe_psql('postgres', q{
ALTER TABLE orchestration.message DROP CONSTRAINT message_subject_check;
SELECT note('ann@example.com', E'Hello\r\nBcc: all@example.com\r\n\r\nbody', E'one\n.\nMAIL FROM:<eve@example.com>\r\n.\r\nQUIT\n.dots\n' || repeat('long ', 400));
SELECT note('ann@example.com', 'Größe ' || chr(8232) || E'\x1b[31m 😀', '<p>Größe 😀</p>', true);
SELECT note('Team', 'team'), note('Empty', 'nobody'), note('Evil', 'evil'), note('gone@example.com', 'inactive'), note('plain', '');
});
my $out = run_mailer('--once');
is(left(), 0, 'all are sent');
my %mails = map { $_->{subject} => $_ } mails();
is(scalar(keys %mails), 4, 'nothing is sent to groups without members, to inactive users, to names that are no address');
my $hello = $mails{'Hello Bcc: all@example.com body'};
is_deeply($hello->{rcpt}, ['ann@example.com'], 'a subject adds no recipient');
ok(!grep(/^Bcc$/i, map { @{ $_->{headers} } } values %mails), 'nor a header');
like($hello->{body} =~ s/\r\n/\n/gr, qr/\Aone\n\.\nMAIL FROM:<eve\@example\.com>\n\.\nQUIT\n\.dots\n(long ){400}\n\z/, 'a body ends no mail');
is_deeply([ sort @{ $mails{team}{rcpt} } ], [ 'ann@example.com', 'bob@example.com', 'plain@example.org' ], 'active members get a mail');
unlike($mails{team}{to}, qr/@/, 'and do not learn of each other');
my ($html) = grep { $_->{type} eq 'text/html' } values %mails;
is($html->{body} =~ s/\s+\z//r, "<p>Gr\x{f6}\x{df}e \x{1F600}</p>", 'HTML');
is($html->{subject}, "Gr\x{f6}\x{df}e [31m \x{1F600}", 'its subject is one line without control characters');
is(scalar(() = $out =~ /no address/g), 6, 'hostile usernames are named');
unlike(join(' ', map { @{ $_->{rcpt} } } values %mails), qr/eve|all\@/, 'and get no mail');

# refused, then taken; some of the recipients refused
append_to_file("$folder/refuse", '@');
$node->safe_psql('postgres', q{SELECT note('ann@example.com', 'refused')});
like(run_mailer('--once'), qr/not now/, 'the server refuses');
is($node->safe_psql('postgres', q{SELECT attempts, last_error LIKE '%not now%', available_at > now() FROM orchestration.message}), '1|t|t', 'the message is kept, with the reason');
is(run_mailer('--once'), '', 'and not due');
unlink("$folder/refuse");
append_to_file("$folder/refuse", 'bob@');
$node->safe_psql('postgres', q{UPDATE orchestration.message SET available_at = now(); SELECT note('Team', 'in part')});
like(run_mailer('--once'), qr/bob\@example\.com.*not now/, 'a refused member is named');
is(join(' ', map { $_->{subject} . ':' . @{ $_->{rcpt} } } mails()), 'refused:1 in part:2', 'the others get the mail');
is(left(), 0, 'none is left');
unlink("$folder/refuse");
$env{SMTP_PORT} = 1;
$node->safe_psql('postgres', q{SELECT note('ann@example.com', 'nobody listens')});
like(run_mailer('--once'), qr/refused/, 'no server');
is($node->safe_psql('postgres', q{SELECT attempts, last_error LIKE '%efused%' FROM orchestration.message}), '1|t', 'the message is kept');
$env{SMTP_PORT} = $port;

# a dry run
$node->safe_psql('postgres', q{UPDATE orchestration.message SET available_at = now()});
like(run_mailer('--dry-run'), qr/^RCPT TO: ann\@example\.com\nFrom: workflow\@example\.com\nTo: ann\@example\.com\nSubject: nobody listens\n/m, 'a dry run prints the mail');
my @none = mails();
is(left() . @none, '10', 'and sends nothing');

# TLS and login; a mailer that stays, until SIGTERM
is(system("cd $folder && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem 2>/dev/null"), 0, 'a certificate');
@env{qw(SMTP_SECURITY SMTP_USER SMTP_PASSWORD POLL)} = ('starttls', 'me', 'secret', 1);
like(run_mailer('--once'), qr/CERTIFICATE_VERIFY_FAILED/, 'an unknown certificate');
$env{SMTP_CA} = "$folder/cert.pem";
$node->safe_psql('postgres', q{UPDATE orchestration.message SET available_at = now()});
my $staying = start_mailer(\$out);
ok(wait_for(sub { left() == 0 }), 'sent');
$node->safe_psql('postgres', q{SELECT note('bob@example.com', 'later')});
ok(wait_for(sub { left() == 0 }), 'and what comes later');
$staying->signal('TERM');
$staying->finish;
is($staying->result(0), 0, 'SIGTERM ends it');
is(join(' ', map { "$_->{subject}:$_->{secure}:" . ($_->{login} // '') } mails()), 'nobody listens:1:PLAIN AG1lAHNlY3JldA== later:1:PLAIN AG1lAHNlY3JldA==', 'encrypted, after a login');

$smtp->kill_kill;
done_testing();
