#!/bin/bash
# plans.sh: the plan of every kept plan, as the regress files and plans.sql.inc execute it.
#
# Kept plans do not depend on statistics (src/base/planning.c), so one execution of each is
# enough: the plan must find its rows by the first column of an index, and never read a whole
# table of the extension.  @meant lists the plans that may: tables of few rows, caches of a
# session, work on all rows.  test/t/012_plans.pl checks the number of rows read.
. test/check/lib.sh.inc

plans() {
    local log=$ORCH_WORK/server.log begin
    begin=$(($(stat -c %s "$log") + 1))
    PGOPTIONS='-c session_preload_libraries=auto_explain -c auto_explain.log_min_duration=0 -c auto_explain.log_nested_statements=on' \
        make -s installcheck ISOLATION= >/dev/null 2>&1
    psql -qXAt -c "SELECT i.relname, a.attname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
        JOIN pg_attribute a ON a.attrelid = i.oid AND a.attnum = 1 JOIN pg_am m ON m.oid = i.relam
        WHERE i.relnamespace = 'orchestration'::regnamespace AND m.amname = 'btree'" >"$ORCH_WORK/indexes"
    psql -qXAt -c "SELECT relname FROM pg_class WHERE relnamespace = 'orchestration'::regnamespace AND relkind = 'r'" >"$ORCH_WORK/tables"
    # the texts, as the compiler sees them
    grep -l StaticPlan src/*/*.c | while read -r file; do
        cc -E -P -Isrc -I"$("${PG_CONFIG:-pg_config}" --includedir-server)" "$file"
    done >"$ORCH_WORK/plans.i"
    {
        tail -c "+$begin" "$log"
        # in a server of its own, whose background worker loads auto_explain, too; the planner's
        # settings do not matter
        ORCH_SERVER_CONF="shared_preload_libraries = 'auto_explain'
auto_explain.log_min_duration = 0
auto_explain.log_nested_statements = on
plan_cache_mode = force_custom_plan
enable_indexscan = off
enable_bitmapscan = off" test/throwaway.sh \
            bash -c 'psql -qX -f test/check/plans.sql.inc >&2; cat "$ORCH_WORK/server.log"'
    } | perl -e '
        use strict; use warnings;
        my ($sources, $indexes, $tables) = @ARGV;
        local $/; open my $fh, "<", $sources or die; my $text = <$fh>;
        open $fh, "<", $indexes or die; my %first = map { split /\|/ } split /\n/, <$fh>;
        open $fh, "<", $tables or die; my %ours = map { $_ => 1 } split /\n/, <$fh>;
        my (%kept, %bad);
        while ($text =~ /=\s*\{[^"{};]*(?:\{\s*)?((?:"(?:[^"\\]|\\.)*"\s*)+)/g) {
            my $query = join "", $1 =~ /"((?:[^"\\]|\\.)*)"/g;
            $query =~ s/\\(.)/$1/g; $query =~ s/\s+/ /g;
            # its texts are generated, one for each table
            next if $query =~ /FROM %s/;
            $kept{$query} = 0 if $query =~ /^(?:SELECT|INSERT|UPDATE|DELETE|WITH) /;
        }
        # forms of engine_write.c: two texts are made from each
        my %form;
        while ($text =~ /\.statement\s*=\s*((?:"(?:[^"\\]|\\.)*"\s*)+)/g) {
            my $form = join "", $1 =~ /"((?:[^"\\]|\\.)*)"/g;
            my ($one, $many) = (quotemeta $form) x 2;
            $one =~ s/\\ \\\@rows//;
            $many =~ s/\\\@rows/FROM ROWS FROM .*? AS u \\([^()]*\\)/;
            for ([\$one, q{\$\d+}], [\$many, q{u\."?\w+"?}]) {
                my ($made, $value) = @$_;
                $$made =~ s/\\\@columns/\\w+(?:, "?\\w+"?)*/;
                $$made =~ s/\\\@values/$value(?:, $value)*/;
                $$made =~ s/\\\@\w+/$value/g;
            }
            delete $kept{$form};
            $kept{$form} = 0;
            $form{$form} = qr/^(?:$one|$many)$/;
        }
        my @meant = (qr/orchestration\.sobject/, qr/FROM orchestration\.record_type ORDER BY name/,
            qr/FROM orchestration\.field_tracking/, qr/WHERE v\.record_type_name = \$1/,
            # the event triggers on commands of users
            qr/pg_event_trigger_/, qr/orchestration_internal\.record_type_table\(/,
            qr/^SELECT v\.id, d\.name FROM orchestration\.orchestration_definition d/, qr/^SELECT h\.sequence/, qr/^SELECT .DROP TRIGGER orchestration_record_truncate/,
            # unregistering a record type; purge
            qr/^UPDATE orchestration\.(?:run|work_item) .* WHERE (?:triggering|related)_record_type = \$1$/, qr/^WITH gone AS/,
            # reminders
            qr/^WITH due AS/);
        my $entries = 0;
        for my $entry (split /^\S.*?LOG:  duration: /m, <STDIN>) {
            my ($query, $plan) = $entry =~ /plan:\n\tQuery Text: (.*?)\n(\t\S[^\n]*\(cost=.*)\z/s or next;
            $query =~ s/\n\tQuery Parameters: .*//s;     # since 16
            $query =~ s/\s+/ /g;
            $entries++;
            if (!exists $kept{$query}) {
                my ($form) = grep { $query =~ $form{$_} } keys %form;
                $kept{$form}++ if defined $form;
                next unless defined $form || $query =~ / ONLY "orchestration"/;
            }
            $kept{$query}++;
            next if $kept{$query} > 20 || grep { $query =~ $_ } @meant;
            while ($plan =~ /Seq Scan on (\w+)/g) { $bad{$query} = "reads all of $1\n$plan" if $ours{$1}; }
            while ($plan =~ /Index (?:Only )?Scan (?:Backward )?using (\w+) on [^\n]*\n(?:\s+Index Cond: ([^\n]*))?/g) {
                $bad{$query} = "reads all of index $1\n$plan" if $first{$1} && !(defined $2 && $2 =~ /\b$first{$1}\b/);
            }
        }
        my @unseen = grep { !$kept{$_} } keys %kept;
        printf "%d statements, %d kept plans, %d not executed\n", $entries, scalar keys %kept, scalar @unseen;
        print "not executed: ", substr($_, 0, 150), "\n" for sort @unseen;
        print "$_\n  $bad{$_}\n" for sort keys %bad;
        exit(%bad || !$entries || @unseen ? 1 : 0);' "$ORCH_WORK/plans.i" "$ORCH_WORK/indexes" "$ORCH_WORK/tables"
}

check 'every kept plan finds its rows by an index' plans
