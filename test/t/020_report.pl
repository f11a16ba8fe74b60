# 020_report.pl: reports in a browser: runs of 1 and of 31 stages, hostile labels, errors and posts;
# on a desktop and a phone, light and dark, printed.
#
# The browser is Debian's chromium, asked over the pipe of its DevTools protocol.  Without it the
# test is skipped: setup.sh does not install it.  ORCH_SCREENSHOTS: a folder for what it saw.

use strict;
use warnings;
use File::Path;
use IPC::Open3;
use JSON::PP;
use MIME::Base64;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($chromium) = grep { -x } map { ("$_/chromium", "$_/chromium-browser") } split(/:/, $ENV{PATH}), '/usr/bin';
plan skip_all => 'chromium is not installed' unless $chromium;

my $node = PostgreSQL::Test::Cluster->new('report');
$node->init;
$node->append_conf('postgresql.conf', $ENV{ORCH_TEST_CONF});
$node->start;
my $folder = PostgreSQL::Test::Utils::tempdir();

# ------------------------------------------------------------------ the runs

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION orchestration;
CREATE FUNCTION step(name text, label text, type text, action text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('name', name, 'label', label, 'actionName', action, 'actionType', type, 'requiresAsyncProcessing', action = 'Fetch',
        'assignees', CASE type WHEN 'stepInteractive' THEN '[{"assigneeType": "User", "assignee": {"stringValue": "ann@example.com"}}]'::jsonb ELSE '[]' END) $$;
-- stages of an interactive and a background step, one after the other
CREATE FUNCTION deploy(name text, labels text[]) RETURNS void LANGUAGE sql AS $$
    SELECT orchestration.deploy_orchestration(jsonb_build_object('fullName', name, 'label', name || ' <b>&amp;', 'processType', 'Orchestrator',
        'start', '{"connector": {"targetReference": "S1"}}'::jsonb,
        'orchestratedStages', (SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('name', 'S' || n, 'label', label,
            'connector', CASE WHEN n < cardinality(labels) THEN jsonb_build_object('targetReference', 'S' || n + 1) END,
            'stageSteps', jsonb_build_array(step('Ask' || n, label, 'stepInteractive', 'Screen'), step('Do' || n, 'Do ' || n, 'stepBackground', CASE n % 5 WHEN 1 THEN 'Fetch' ELSE 'Work' END))))
            ORDER BY n) FROM unnest(labels) WITH ORDINALITY u (label, n))), activate => true) $$;
SELECT orchestration.create_user('ann@example.com', '<script>window.hacked=1</script>Ann', current_user);
SELECT orchestration.create_user('bob@example.com', 'Bob');
CREATE FUNCTION work(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN
    IF current_setting('test.fail', true) = 'on' THEN RAISE EXCEPTION '</style><script>window.hacked=2</script>' USING DETAIL = ']]><img src=x onerror="window.hacked=3">', HINT = E'\u202Etxet\u2066 \x01\x1b[31m'; END IF;
    RETURN '{}'; END $$;
SELECT orchestration.register_action('Screen', 'screen'), orchestration.register_action('Work', 'function', 'work(jsonb)'), orchestration.register_action('Fetch', 'worker');
SELECT orchestration.set_retry_policy('Fetch', 5, '1 microsecond');
SELECT deploy('One', ARRAY['One stage']);
SELECT deploy('Many', ARRAY(SELECT CASE n
    WHEN 1 THEN '</style><script>window.hacked=4</script>' WHEN 2 THEN ']]><img src=x onerror=window.hacked=5>' WHEN 3 THEN '" onmouseover="window.hacked=6" x="'
    WHEN 4 THEN '&lt;b&gt; &#60;script&#62; <!-- -->' WHEN 5 THEN E'\u202Eevil\u2066\u2067 \u2069 right to left' WHEN 6 THEN repeat('W', 80)
    WHEN 7 THEN E'\U0001F600 \u00e9\u05d0\u05d1\u05d2 \ufffe' WHEN 8 THEN '</title></svg></svg><script>window.hacked=7</script>' WHEN 9 THEN '<iframe src="http://192.0.2.1/">'
    WHEN 10 THEN 'url(http://192.0.2.1/x);}*{background:url(http://192.0.2.1/)}' ELSE 'Stage ' || n END FROM generate_series(1, 31) n));
CREATE FUNCTION play(run uuid, stages integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE item uuid; claimed record; BEGIN
    FOR n IN 1 .. stages LOOP
        FOR claimed IN SELECT * FROM orchestration.claim_steps('worker <1>', '{Fetch}', 10) LOOP
            PERFORM orchestration.fail_steps(jsonb_build_array(jsonb_build_object('step_id', claimed.step_id, 'lease_id', claimed.lease_id, 'message', 'no answer <yet>')));
        END LOOP;
        FOR claimed IN SELECT * FROM orchestration.claim_steps('worker 2', '{Fetch}', 10) LOOP
            PERFORM orchestration.complete_steps(jsonb_build_array(jsonb_build_object('step_id', claimed.step_id, 'lease_id', claimed.lease_id)));
        END LOOP;
        SELECT id INTO item FROM orchestration.work_item WHERE run_id = run AND status = 'Assigned';
        PERFORM orchestration.complete_work_item(item, '{"Comments": "<i>fine</i> & \"good\""}');
    END LOOP; END $$;
SQL

# one statement each, so that times differ
my $one = $node->safe_psql('postgres', q{SELECT orchestration.start_orchestration('One')});
$node->safe_psql('postgres', "SELECT play('$one', 1)");
my $many = $node->safe_psql('postgres', q{SELECT orchestration.start_orchestration('Many')});
$node->safe_psql('postgres', "SELECT play('$many', 1)") for 1 .. 31;
my $failed = $node->safe_psql('postgres', q{SELECT orchestration.start_orchestration('Many')});
$node->safe_psql('postgres', "SELECT play('$failed', 1)") for 1 .. 10;
$node->psql('postgres', "SET test.fail = on; SELECT play('$failed', 1)");
my $open = $node->safe_psql('postgres', q{SELECT orchestration.start_orchestration('Many')});
$node->safe_psql('postgres', <<"SQL");
SELECT orchestration.set_due_date(id, now() - interval '2 days') FROM orchestration.work_item WHERE run_id = '$open';
SELECT orchestration.comment_on_feed_item(orchestration.post_to_feed('$open', '<script>window.hacked=8</script>' || repeat('<&', 4000)), '<b onclick="window.hacked=9">comment</b>');
SELECT orchestration.post_to_feed('$open', 'a link', 'http://192.0.2.1/" onclick="window.hacked=10', 'title <b>');
SQL
is($node->safe_psql('postgres', "SELECT string_agg(status::text, ' ' ORDER BY id) FROM orchestration.run"), 'Completed Completed Error InProgress', 'the runs end as they should');
is($node->safe_psql('postgres', 'SELECT count(*) FROM orchestration.verify()'), '0', 'verify() finds nothing');

sub page
{
	my ($name, $call) = @_;
	my $html = $node->safe_psql('postgres', "SELECT $call");
	unlike($html, qr/[^\x20-\x7e\n\t]/, "$name is ASCII");
	my $file = "$folder/$name.html";
	append_to_file($file, $html);
	return "file://$file";
}
my %pages = (
	one => page('one', "orchestration.run_report('$one'::uuid)"),
	many => page('many', "orchestration.run_report('$many'::uuid)"),
	failed => page('failed', "orchestration.run_report('$failed'::uuid)"),
	open => page('open', "orchestration.run_report('$open'::uuid)"),
	orchestration => page('orchestration', q{orchestration.orchestration_report('Many')}),
	year => page('year', q{orchestration.orchestration_report('Many', '1 year')}));

# --------------------------------------------------------------- the browser

# the browser reads commands from descriptor 3 and writes answers and events to 4
pipe(my $command_in, my $command_out) or die $!;
pipe(my $answer_in, my $answer_out) or die $!;
my $browser = fork();
if ($browser == 0)
{
	my ($in, $out) = (POSIX::dup(fileno($command_in)), POSIX::dup(fileno($answer_out)));
	POSIX::dup2($in, 20); POSIX::dup2($out, 21);
	POSIX::dup2(20, 3); POSIX::dup2(21, 4);
	open(STDERR, '>', "$folder/chromium.log"); open(STDOUT, '>&', \*STDERR);
	$ENV{HOME} = $folder;
	exec($chromium, qw(--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
		--disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars --remote-debugging-pipe), "--user-data-dir=$folder/profile", 'about:blank');

}
close($command_in);
close($answer_out);
binmode($_) for $command_out, $answer_in;
$command_out->autoflush(1);

my ($number, $buffer, $session, @events) = (0, '', undef);
$SIG{ALRM} = sub { kill('KILL', $browser); die 'the browser does not answer: ' . slurp_file("$folder/chromium.log") };
$SIG{PIPE} = 'IGNORE';

sub message
{
	my $end;
	while (($end = index($buffer, "\0")) < 0)
	{
		sysread($answer_in, $buffer, 65536, length($buffer)) or die 'the browser ended: ' . slurp_file("$folder/chromium.log");
	}
	my $message = decode_json(substr($buffer, 0, $end));
	substr($buffer, 0, $end + 1) = '';
	return $message;
}

sub command
{
	my ($method, %parameters) = @_;
	my $id = ++$number;
	alarm(120);
	syswrite($command_out, encode_json({ id => $id, method => $method, params => \%parameters, $session ? (sessionId => $session) : () }) . "\0");
	while (1)
	{
		my $message = message();
		if (($message->{id} // 0) == $id)
		{
			alarm(0);
			die "$method: " . encode_json($message->{error}) if $message->{error};
			return $message->{result};
		}
		push(@events, $message);
	}
}

sub evaluate
{
	my ($expression) = @_;
	my $result = command('Runtime.evaluate', expression => $expression, returnByValue => JSON::PP::true);
	return $result->{exceptionDetails} ? encode_json($result->{exceptionDetails}) : $result->{result}{value};
}

sub show
{
	my ($url, $width, $scheme) = @_;
	command('Emulation.setDeviceMetricsOverride', width => $width, height => 800, deviceScaleFactor => 1, mobile => $width < 500 ? JSON::PP::true : JSON::PP::false);
	command('Emulation.setEmulatedMedia', media => '', features => [ { name => 'prefers-color-scheme', value => $scheme } ]);
	@events = ();
	command('Page.navigate', url => $url);
	alarm(120);
	push(@events, message()) until grep { ($_->{method} // '') eq 'Page.loadEventFired' } @events;
	alarm(0);
}

sub picture
{
	my ($name) = @_;
	return unless $ENV{ORCH_SCREENSHOTS};
	mkpath($ENV{ORCH_SCREENSHOTS});
	append_to_file("$ENV{ORCH_SCREENSHOTS}/$name.png", decode_base64(command('Page.captureScreenshot', captureBeyondViewport => JSON::PP::true)->{data}));
}

# text whose contrast with its background is below 4.5 (WCAG AA)
my $contrast = <<'JS';
(() => {
  const rgb = c => { const m = c.match(/[\d.]+/g).map(Number); return m.length > 3 && m[3] === 0 ? null : m.slice(0, 3); };
  const light = c => { const [r, g, b] = c.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const bad = new Set();
  for (const e of document.querySelectorAll('body *')) {
    if (e.closest('.diagram, title, desc') || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const style = getComputedStyle(e);
    let back = null;
    for (let p = e; p && !back; p = p.parentElement) back = rgb(getComputedStyle(p).backgroundColor);
    const a = light(rgb(e.closest('svg') ? style.fill : style.color)), b = light(back || [255, 255, 255]);
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.add(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2));
  }
  return [...bad].join(', ');
})()
JS

$session = command('Target.attachToTarget', targetId => command('Target.createTarget', url => 'about:blank')->{targetId}, flatten => JSON::PP::true)->{sessionId};
command($_) for qw(Page.enable Network.enable Runtime.enable Log.enable);

for my $name (sort keys %pages)
{
	for my $view ([ 1280, 'light' ], [ 1280, 'dark' ], [ 360, 'light' ], [ 360, 'dark' ])
	{
		my ($width, $scheme) = @$view;
		my $where = "$name, $width px, $scheme";
		show($pages{$name}, $width, $scheme);
		is(evaluate('String(window.hacked) + document.querySelectorAll("script, iframe, img, object, embed, [onerror], [onclick], [onmouseover]").length'), 'undefined0', "$where: no script, nothing that loads");
		is(evaluate('document.documentElement.scrollWidth - innerWidth'), 0, "$where: nothing is wider than the page");
		is(evaluate($contrast), '', "$where: contrast");
		picture("$name-$width-$scheme");
		my @seen = map { $_->{method} eq 'Network.requestWillBeSent' ? $_->{params}{request}{url} : encode_json($_) }
		  grep { $_->{method} =~ /^(Network\.requestWillBeSent|Log\.entryAdded|Runtime\.(consoleAPICalled|exceptionThrown)|Page\.javascriptDialogOpening)$/ } @events;
		is_deeply([ grep { $_ ne $pages{$name} && $_ !~ /^data:/ } @seen ], [], "$where: no request, nothing on the console");
	}
}

# what is there
sub count { return evaluate("document.querySelectorAll(" . encode_json([ $_[0] ]) . "[0]).length"); }
sub content { return evaluate("[...document.querySelectorAll(" . encode_json([ $_[0] ]) . "[0])].map(e => e.textContent).join('|')"); }

show($pages{one}, 1280, 'light');
is(content('h2'), 'Errors|Diagram|Timeline|People|Log|Feed', 'one: its sections');
is(count('#timeline .l0'), 1, 'one: a bar for its stage');
is(evaluate('document.documentElement.lang + document.querySelectorAll("h1").length'), 'en1', 'one: a language, one h1');
is(count('table:not(:has(caption)), table:not(:has(th[scope=col]))'), 0, 'one: every table has a caption and headers');
is(evaluate('[...document.querySelectorAll("svg:not(svg svg)")].filter(s => !s.querySelector("title")).length'), 0, 'one: every SVG has a title');

show($pages{many}, 1280, 'light');
is(count('#timeline .l0'), 31, 'many: a bar for each stage');
is(content('#timeline .l0 > bdi') =~ s/\|.*//r, '</style><script>window.hacked=4</script>', 'many: a hostile label is text');
like(content('#timeline .l0 > bdi'), qr/\|\x{FFFD}evil\x{FFFD}\x{FFFD} \x{FFFD} right to left\|/, 'many: characters that turn the direction are replaced');
is(count('#people tbody tr'), 31, 'many: the work items');
like(content('#people tbody tr:first-child'), qr/<script>window\.hacked=1<\/script>Ann/, 'many: who did them');
cmp_ok(count('#timeline .l2'), '>', 31, 'many: failed attempts have bars');
is(evaluate('(() => { const t = document.querySelector("#timeline td.track div").getBoundingClientRect(); return [...document.querySelectorAll("#timeline .track i")].filter(i => { const b = i.getBoundingClientRect(); return b.left < t.left - 1 || b.right > t.right + 4; }).length; })()'), 0, 'many: no bar leaves its track');

show($pages{failed}, 1280, 'light');
like(content('#recoverable'), qr/^The run can(not| be resumed until \d{4}-\d\d-\d\d)/, 'failed: until when it can be resumed');
like(content('.error'), qr/<\/style><script>window\.hacked=2<\/script>/, 'failed: the message');
like(content('.error'), qr/\Q]]><img src=x onerror="window.hacked=3">/, 'failed: the detail');
is(content('#status'), 'Error', 'failed: its status');

show($pages{open}, 360, 'dark');
like(content('#people'), qr/overdue/, 'open: the overdue work item');
like(content('#feed'), qr/bytes left out/, 'open: a long post is cut');
is(count('#feed a'), 0, 'open: a link of a post is text');

show($pages{orchestration}, 1280, 'light');
is(content('#head dd'), '3|1|1|0|1|0', 'orchestration: its numbers');
is(content('#waits tbody tr td:nth-child(4)') =~ s/\|.*//r, 1, 'orchestration: where a run waits');
is(count('.chart rect'), 2, 'orchestration: a bar for what started and one for what ended');
like(content('#failures'), qr/window\.hacked=2/, 'orchestration: what failed');
is(count('#overdue tbody tr'), 1, 'orchestration: the overdue work item');

# printed: A4, nothing cut at the right
show($pages{many}, 1280, 'dark');
my $pdf = decode_base64(command('Page.printToPDF', preferCSSPageSize => JSON::PP::true, printBackground => JSON::PP::true)->{data});
like($pdf, qr/^%PDF-/, 'many: prints');
append_to_file("$ENV{ORCH_SCREENSHOTS}/many.pdf", $pdf) if $ENV{ORCH_SCREENSHOTS};
command('Emulation.setEmulatedMedia', media => 'print');
command('Emulation.setDeviceMetricsOverride', width => 688, height => 1000, deviceScaleFactor => 1, mobile => JSON::PP::false);
is(evaluate('[...document.querySelectorAll("table, svg")].filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.id || e.tagName).join()'), '', 'many: tables and diagram fit the width of the sheet');

undef $session;
eval { command('Browser.close') };
waitpid($browser, 0);
$node->stop;
done_testing();
