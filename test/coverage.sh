#!/bin/bash
# coverage.sh: how much of src/ the tests run, a line a file.
#
#   test/coverage.sh [KIND...]      kinds of test/run.sh
#   make coverage [KINDS="regress pgtap"]
#
# Without an argument: regress, isolation, pgtap, models, flows and tap.  checks and
# mutants look at the sources or build copies of them, and are left out.  Alone on two
# cores all of it takes about 10 minutes, regress alone 2.
#
# A copy of the tree in build/coverage is built with --coverage -O0; the objects of the
# usual build stay.  What was counted lies beside the objects of the copy afterwards:
# (cd build/coverage; gcov -b -o src/call src/call/share.c) writes share.c.gcov, line by
# line.  Server processes write their counts when they exit; one that was killed, or
# stopped by an immediate shutdown, counts nothing.  So servers that a TAP test leaves
# behind are stopped in mode fast here.
#
# The figures:
#   lines     lines with code that ran at least once, as gcov counts them
#   branches  ways out of conditional jumps that were taken at least once, as gcov -b
#             counts them ("Taken at least once")
#   own       the same without those that are made by a macro of PostgreSQL, whose other
#             way no test can take or which says nothing of the tests: the line begins
#             with ereport, elog, PG_TRY or another of `macros` below
set -u

top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top" || exit 1
[ $# -gt 0 ] || set -- regress isolation pgtap models flows tap
copy=$top/build/coverage
rm -rf "$copy"
mkdir -p "$copy"
tar -cf - --exclude=./build --exclude=./.git --exclude='*.o' --exclude='*.d' --exclude='*.bc' \
    --exclude='*.so' --exclude='*.gc??' . | tar -xf - -C "$copy" || exit 1

# the server may run as another user: a folder that anyone can write into
counts=$(mktemp -d /tmp/orchestration.XXXXXX)
trap 'rm -rf "$counts"' EXIT
chmod 1777 "$counts"
depth=$(tr -cd / <<<"$copy" | wc -c)

export COPT='-O0 --coverage' with_llvm=no FLOWS=${FLOWS:-$top/../shared/flows}
export GCOV_PREFIX=$counts GCOV_PREFIX_STRIP=$depth
cat >"$counts/StopFast.pm" <<'PERL'
package StopFast;
no warnings;
INIT
{
    *PostgreSQL::Test::Cluster::teardown_node = sub { $_[0]->stop('fast', fail_ok => 1) }
      if PostgreSQL::Test::Cluster->can('teardown_node');
}
1;
PERL
export PERL5OPT="-I$counts -MStopFast"
make -s -C "$copy" -j"$(nproc)" all || exit 1
# shellcheck disable=SC2016
"$copy/test/throwaway.sh" bash -c '
    test/run.sh "$@"
    status=$?
    # processes that are still there write their counts
    $ORCH_AS pg_ctl -D "$ORCH_WORK/data" -m fast stop >/dev/null
    exit $status' run "$@"
status=$?

cp -r "$counts/src" "$copy/" || exit 1
cd "$copy" || exit 1
find src -name '*.gcno' -exec gcov --json-format --branch-probabilities --stdout {} + 2>/dev/null |
    /usr/bin/python3 -c '
import collections, json, os, re, sys

macros = re.compile(r"\s*(ereport|elog|PG_TRY|PG_CATCH|PG_FINALLY|PG_END_TRY|"
                    r"CHECK_FOR_INTERRUPTS|Assert)\b")
hits = collections.defaultdict(collections.Counter)
ways = collections.defaultdict(dict)
for unit in sys.stdin:
    for source in json.loads(unit)["files"]:
        base, suffix = os.path.splitext(source["file"])
        if not re.fullmatch(r"src/.*\.[cly]", source["file"]):
            continue
        # the skeletons of flex and bison
        if suffix == ".c" and (os.path.exists(base + ".l") or os.path.exists(base + ".y")):
            continue
        for line in source["lines"]:
            number = line["line_number"]
            hits[source["file"]][number] += line["count"]
            ways[source["file"]].setdefault(number, []).extend(
                branch["count"] > 0 for branch in line["branches"])

def share(taken):
    return 100 * sum(taken) / len(taken) if taken else 100

def row(name, lines, branches, own):
    print("%-40s %6d %6.1f %8d %6.1f %8d %6.1f" % (
        name, len(lines), share(lines), len(branches), share(branches), len(own), share(own)))

rows = []
for name in hits:
    text = open(name).read().split("\n")
    lines = [count > 0 for count in hits[name].values()]
    branches = [taken for line in ways[name].values() for taken in line]
    own = [taken for number, line in ways[name].items()
           if not macros.match(text[number - 1]) for taken in line]
    rows.append((name, lines, branches, own))
print("\n%-40s %6s %6s %8s %6s %8s %6s" % (
    "file", "lines", "%", "branches", "%", "own", "%"))
for name, *figures in sorted(rows, key=lambda r: (share(r[1]), share(r[2]))):
    row(name, *figures)
row("total", *(sum(column, []) for column in list(zip(*rows))[1:]))
'
exit $status
