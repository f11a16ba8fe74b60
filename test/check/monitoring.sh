#!/bin/bash
# monitoring.sh: doc/monitoring.md works as printed, and the example queries work for a role
# that has pg_monitor and nothing else.
. test/check/lib.sh.inc

fresh() {
    psql -qX -d template1 -c 'DROP DATABASE IF EXISTS monitoring_db' -c 'DROP ROLE IF EXISTS monitor' -c 'CREATE DATABASE monitoring_db' 2>/dev/null &&
        psql -qX -d monitoring_db -c 'CREATE EXTENSION orchestration'
}
gone() { psql -qX -d template1 -c 'DROP DATABASE monitoring_db' -c 'DROP ROLE monitor'; }

page() {
    local script want got
    script=$(awk '/^```sql$/{copy = 1; next} /^```$/{copy = 0} copy' doc/monitoring.md)
    want=$(awk '/^```text$/{copy = 1; next} /^```$/{copy = 0} copy' doc/monitoring.md)
    fresh || return 1
    got=$(psql -qX -d monitoring_db <<<"$script" 2>&1)
    gone || return 1
    [ -n "$want" ] && diff <(echo "$want") <(echo "$got")
}

# each query of queries.yaml yields the columns that it names; each metric of the dashboard exists
examples() {
    fresh || return 1
    psql -qX -d monitoring_db -c 'CREATE ROLE monitor LOGIN IN ROLE pg_monitor' || return 1
    PGDATABASE=monitoring_db /usr/bin/python3 - <<'PYTHON' || return 1
import json, os, re, subprocess, sys

queries, metrics, name = {}, set(), None
for line in open("examples/monitoring/queries.yaml"):
    if m := re.match(r"(\w+):$", line):
        name = m.group(1)
        queries[name] = [None, []]
    elif m := re.match(r'  query: (".*")$', line):
        queries[name][0] = json.loads(m.group(1))
    elif m := re.match(r"    - (\w+):$", line):
        queries[name][1].append([m.group(1), None])
    elif m := re.match(r'        usage: "(LABEL|GAUGE|COUNTER)"$', line):
        queries[name][1][-1][1] = m.group(1)
bad = [] if len(queries) == 4 else ["there are not 4 queries"]
for name, (query, columns) in queries.items():
    # -c: the column names come in the first line, also without rows
    out = subprocess.run(["psql", "-XqA", "-F", ",", "-U", "monitor", "-c", query], capture_output=True, text=True)
    if out.stderr:
        bad.append(name + ": " + out.stderr)
        continue
    if out.stdout.split("\n")[0].split(",") != [c for c, _ in columns]:
        bad.append("%s: returns %s, names %s" % (name, out.stdout.split("\n")[0], columns))
    if any(usage is None for _, usage in columns):
        bad.append(name + ": a column without usage")
    metrics |= {name + "_" + c for c, usage in columns if usage != "LABEL"}
dashboard = json.load(open("examples/monitoring/dashboard.json"))
used = set()
for panel in dashboard["panels"]:
    for target in panel["targets"]:
        found = set(re.findall(r"\borchestration_\w+", target["expr"]))
        used |= found
        if not found or found - metrics:
            bad.append("panel %s: %s" % (panel["title"], target["expr"]))
# labels of engine_stats() and the metrics of the page exist
stats = subprocess.run(["psql", "-XqAt", "-U", "monitor", "-c", "SELECT name FROM orchestration.engine_stats()"],
                       capture_output=True, text=True).stdout.split()
for label in re.findall(r'name="(\w+)"', json.dumps(dashboard).replace('\\"', '"')):
    if label not in stats:
        bad.append("no number " + label)
for metric in re.findall(r"\borchestration_(?!internal)\w+", open("doc/monitoring.md").read()):
    if metric not in metrics:
        bad.append("doc/monitoring.md: no metric " + metric)
print("\n".join(bad))
sys.exit(bool(bad))
PYTHON
    gone
}

check 'doc/monitoring.md works as printed' page
check 'the example queries and the dashboard fit the functions' examples
