#!/bin/bash
# libxml.sh: on a server built without libxml the extension can be installed and works with
# documents in JSON; XML ends in an error that names the missing library.
#
# The test's server is a copy of this one in which the functions that need libxml are renamed.
# On a real server without libxml the type xml itself raises its error first; this test does not
# see that error.
. test/check/lib.sh.inc

# functions that a server has only with libxml are bound weakly
bound_weakly() {
    local strong
    strong=$(nm -D --undefined-only orchestration.so | awk '$1 == "U" && $2 ~ /^(pg_xml|xml_ereport)/')
    echo "$strong"
    [ -z "$strong" ] && nm -D --undefined-only orchestration.so | grep -q 'w pg_xml_init'
}

# starts the server, then prints psql's output of the commands
without_libxml() {
    local dir bindir said
    bindir=$("${PG_CONFIG:-pg_config}" --bindir)
    dir=$(mktemp -d "$ORCH_WORK/libxml.XXXXXX") || return 1
    sed -e 's/\x00pg_xml_init\x00/\x00pg_xml_inix\x00/g' -e 's/\x00pg_xml_done\x00/\x00pg_xml_donx\x00/g' \
        -e 's/\x00pg_xml_error_occurred\x00/\x00pg_xml_error_occurrex\x00/g' \
        -e 's/\x00xml_ereport\x00/\x00xml_erepoxx\x00/g' "$bindir/postgres" >"$dir/postgres" && chmod 755 "$dir" "$dir/postgres"
    # the symbols were renamed
    [ -z "$(nm -D --defined-only "$dir/postgres" | grep -E ' (pg_xml_(init|done|error_occurred)|xml_ereport)$')" ] || return 1
    [ "$(id -u)" -eq 0 ] && chown postgres: "$dir"
    (
        cd "$dir" || exit 1
        $ORCH_AS "$bindir/initdb" -D "$dir/data" -U postgres -A trust --no-locale -E UTF8 -N >"$dir/log" 2>&1 || exit 1
        $ORCH_AS tee -a "$dir/data/postgresql.conf" >/dev/null <<CONF
listen_addresses = ''
unix_socket_directories = '$dir'
port = 54328
fsync = off
$ORCH_TEST_CONF
CONF
        $ORCH_AS "$bindir/pg_ctl" -w -D "$dir/data" -p "$dir/postgres" -l "$dir/server.log" start >/dev/null || { cat "$dir/log" "$dir/server.log"; exit 1; }
    ) || return 1
    said=$(psql -qXAt -h "$dir" -p 54328 -U postgres -d postgres <<'SQL' 2>&1
CREATE EXTENSION orchestration;
SELECT orchestration.register_action('act', 'screen');
SELECT orchestration.deploy_orchestration('{"label": "x", "processType": "Orchestrator", "start": {"connector": {"targetReference": "S"}},
  "orchestratedStages": [{"name": "S", "label": "S", "stageSteps": [{"name": "P", "label": "P", "actionName": "act", "actionType": "stepInteractive",
   "assignees": [{"assignee": {"stringValue": "autoproc"}, "assigneeType": "User"}]}]}]}'::jsonb, 'O');
SELECT orchestration.activate_orchestration('O');
SELECT orchestration.complete_work_item(id) FROM (SELECT orchestration.start_orchestration('O')) s, orchestration.work_item;
SELECT count(*) FROM orchestration.run;
\set VERBOSITY verbose
SELECT orchestration.deploy_orchestration('<Flow/>'::xml, 'X');
SELECT * FROM orchestration.validate_orchestration('<Flow/>'::xml);
SELECT count(*) FROM orchestration.verify();
SQL
    )
    (cd "$dir" && $ORCH_AS "$bindir/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null)
    rm -rf "$dir"
    diff <(printf '%s\n' "$said" | grep -v '^LOCATION') - <<'SAID'

1
1
1
ERROR:  0A000: flow metadata in XML cannot be read by this server
DETAIL:  The server was built without libxml.
HINT:  Use the JSON notation, or a server built with --with-libxml.
ERROR:  0A000: flow metadata in XML cannot be read by this server
DETAIL:  The server was built without libxml.
HINT:  Use the JSON notation, or a server built with --with-libxml.
0
SAID
}

check 'functions missing from a server without libxml are bound weakly' bound_weakly
check 'without libxml the extension works, except with XML' without_libxml
