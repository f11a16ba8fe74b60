#!/bin/bash
# play.sh: deploys an orchestration file and plays it to its end.
#
#   doc/demo/play.sh [FILE]
#   doc/demo/play.sh --check [FILE]     only looks whether FILE can be played
#
# Runs inside test/throwaway.sh, see `make demo`.  Without FILE it plays the
# example beside it, in the world of setup_Equipment_Purchase.sql; any other file
# gets what it refers to from orchestration_setup_script().  Exit status 0: the run is Completed
# and verify() is empty.
set -u -o pipefail

here=$(cd "$(dirname "$0")" && pwd)
own=$here/Equipment_Purchase.flow-meta.xml
only_check=
if [ "${1-}" = --check ]; then
    only_check=1
    shift
fi
file=${1:-$own}
database=demo
run() { psql -X -q -v ON_ERROR_STOP=1 -d $database "$@"; }
tell() { sed -u -e 's/^psql:[^ ]* //' -e 's/^NOTICE:  //'; }

# what is said before anything is installed or built
refuse() {
    echo "$file $1" >&2
    echo "Give an orchestration file (XML of Metadata API, .flow-meta.xml), as in: make demo FILE=doc/demo/$(basename "$own")" >&2
    exit 1
}
[ -e "$file" ] || refuse "does not exist."
[ -f "$file" ] || refuse "is no file."
[ -r "$file" ] || refuse "cannot be read."
grep -q '<Flow[[:space:]>]' "$file" || refuse "is no flow: it has no element <Flow>."
if [ -n "$only_check" ]; then
    # the extension would say so, too, with each element; but only when it is built
    grep -qE '<processType>[[:space:]]*(Orchestrator|EvaluationFlow|ApprovalWorkflow)[[:space:]]*</processType>' "$file" ||
        refuse "is a flow, but no orchestration: its processType is none of Orchestrator, ApprovalWorkflow, EvaluationFlow."
    exit 0
fi

# the API name is the file's; some collections put the repository before it
api_name() {
    local name
    name=$(basename "$1")
    name=${name%.xml}
    name=${name%.flow-meta}
    name=${name%.flow}
    name=${name##*+}
    printf '%s' "$name" | sed 's/[^A-Za-z0-9]/_/g; s/__*/_/g'
}
# psql reads the file itself: an argument of a command has at most 128 KiB
deploy() {
    run -v name="$2" -v file="$1" -o /dev/null <<'SQL'
\set document `cat -- :'file'`
SELECT orchestration.deploy_orchestration(:'document'::xml, :'name');
SQL
}
ask() { run -At -v name="$name" -v arg="${2-}" <<<"$1"; }
activate() {
    run -o /dev/null -v name="$1" <<'SQL'
SELECT orchestration.activate_orchestration(:'name');
SQL
}
# what it refers to and is missing
setup() {
    run -At -v name="$1" <<<"SELECT orchestration.orchestration_setup_script(:'name')" | run -o /dev/null -f -
}
name=$(api_name "$file")

psql -X -q -d postgres -c "DROP DATABASE IF EXISTS $database" -c "CREATE DATABASE $database" 2>/dev/null || exit 1
run -c 'CREATE EXTENSION orchestration' || exit 1
run -f "$here/tell.sql" || exit 1

echo "Deploying $(basename "$file") as $name ..."
if ! deploy "$file" "$name"; then
    echo "$file cannot be deployed: the error is above." >&2
    exit 1
fi
if [ "$file" -ef "$own" ]; then
    run -o /dev/null -f "$here/setup_$name.sql" || exit 1
    activate "$name" || exit 1
else
    run -o /dev/null -v orchestration="$name" -f "$here/prepare.sql" || exit 1
    # evaluation flows that it asks, where they lie beside it
    for flow in $(ask "SELECT DISTINCT name FROM orchestration.orchestration_references(:'name') WHERE kind = 'action' AND detail = 'evaluation'"); do
        for other in "$(dirname "$file")"/*; do
            if [ "$(api_name "$other")" = "$flow" ] && grep -q 'EvaluationFlow' "$other"; then
                echo "Deploying $(basename "$other") as $flow ..."
                deploy "$other" "$flow" || exit 1
                setup "$flow" || exit 1
                activate "$flow" || exit 1
                break
            fi
        done
    done
    echo "Preparing what it refers to: actions, people, tables ..."
    setup "$name" || exit 1
    if [ "$(ask "SELECT count(*) FROM orchestration.orchestration_references(:'name') WHERE kind = 'reference'
            OR kind = 'assignee' AND resolved IS NULL AND EXISTS (SELECT FROM jsonb_array_elements(demo.document(:'name')->'variables') v
                WHERE v->>'name' = name AND NOT v ? 'value' AND (v->>'isInput' = 'false' OR demo.document(:'name') #> '{start,object}' IS NOT NULL))")" -gt 0 ]; then
        echo "As it is it cannot be activated, or would find nobody for its work:"
        activate "$name" 2>&1 | sed -n 's/^DETAIL: */  /p'
        echo "Deploying it without what is stale, with somebody where nobody is named"
        ask "SELECT orchestration.deploy_orchestration(demo.repaired(:'name'), :'name')" >/dev/null || exit 1
        setup "$name" || exit 1
    fi
    ask "CALL demo.learn()" || exit 1
    ask "CALL demo.teach(:'name')" || exit 1
    activate "$name" || exit 1
    if [ "$(ask "SELECT demo.document(:'name') ->> 'processType'")" = EvaluationFlow ]; then
        echo "Deploying an orchestration that asks it"
        ask "SELECT orchestration.deploy_orchestration(demo.host(:'name'), 'Host')" >/dev/null || exit 1
        name=Host
        ask "UPDATE demo.setting SET orchestration = 'Host'" || exit 1
        setup Host || exit 1
        ask "CALL demo.learn()" || exit 1
        activate Host || exit 1
    fi
fi

echo "Playing $name ..."
echo
run -c 'CALL demo.start()' || exit 1
run -f "$here/play.sql" 2>&1 | tell || exit 1
for again in 1 2 3 4 5; do
    [ "$(run -At -c "SELECT count(*) FROM orchestration.run WHERE status = 'InProgress'")" -eq 0 ] && break
    echo
    echo "It waits for what will never be; starting over with other answers"
    echo
    run -c 'CALL demo.start_over()' || exit 1
    run -f "$here/play.sql" 2>&1 | tell || exit 1
done
psql -X -q -d $database -f "$here/show.sql" 2>&1 | tell

# the pages, for a browser
pages=$here/../../build/demo
mkdir -p "$pages" &&
    run -At -c 'SELECT orchestration.run_report(id) FROM orchestration.run ORDER BY id DESC LIMIT 1' >"$pages/run_report.html" &&
    ask "SELECT orchestration.orchestration_report(:'name')" >"$pages/orchestration_report.html" &&
    printf '\nReports for a browser:\n\n  %s\n  %s\n' "$(cd "$pages" && pwd)"/{run,orchestration}_report.html

[ "$(run -At -c "SELECT status, (SELECT count(*) FROM orchestration.verify()) FROM orchestration.run WHERE status <> 'Canceled'")" = "Completed|0" ]
