#!/bin/bash
# upgrade.sh: databases of every earlier release are upgraded to this version.
#
# A release is a tag v1.2.3.  Each is built and installed into a folder of its own;
# test/t/004_upgrade.pl makes open runs with it, and upgrades.
set -u
cd "$(dirname "$0")/../.." || exit 1
version=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" orchestration.control)
tags=$(git tag --list 'v[0-9]*.[0-9]*.[0-9]*' --sort=version:refname 2>/dev/null | grep -vx "v$version")
if [ -z "$tags" ]; then
    echo "1..0 # skip no release before $version has a tag"
    exit 0
fi

# as for the kind tap of test/run.sh
tap=$ORCH_WORK/upgrade
pgxs=$(dirname "$("${PG_CONFIG:-pg_config}" --pgxs)")
mkdir -p "$tap"
cp -r test/t/004_upgrade.pl "$tap/"
releases=
for tag in $tags; do
    mkdir -p "$tap/$tag/src" &&
        git archive "$tag" | tar -x -C "$tap/$tag/src" &&
        make -s -j2 -C "$tap/$tag/src" all >/dev/null &&
        make -s -C "$tap/$tag/src" install DESTDIR="$tap/$tag/inst" >/dev/null || {
        echo "not ok 1 - $tag is built"
        exit 1
    }
    releases=$releases${releases:+:}$tap/$tag/inst
done
[ "$(id -u)" -eq 0 ] && chown -R postgres: "$tap"
cd "$tap" || exit 1
# shellcheck disable=SC2086
exec $ORCH_AS env -u PGHOST -u PGPORT -u PGUSER -u PGDATABASE \
    PATH="$PATH" TESTDIR="$tap" TESTDATADIR="$tap/tmp_check" \
    TESTLOGDIR="$tap/tmp_check/log" PGPORT=65433 \
    ORCH_TEST_CONF="$ORCH_TEST_CONF" ORCH_OLD_RELEASES="$releases" \
    PG_REGRESS="$pgxs/../../src/test/regress/pg_regress" \
    prove --verbose -I "$pgxs/../../src/test/perl" ./004_upgrade.pl
