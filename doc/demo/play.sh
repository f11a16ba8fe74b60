#!/bin/bash
# play.sh: deploys an orchestration file and plays it to its end.
#
#   doc/demo/play.sh [FILE]
#
# Runs inside test/throwaway.sh, see `make demo`.  Without FILE it plays the
# example beside it, in the world of setup_Equipment_Purchase.sql; any other file
# gets what it refers to from prepare.sql.  Exit status 0: the run is Completed
# and verify() is empty.
set -u -o pipefail

here=$(cd "$(dirname "$0")" && pwd)
own=$here/Equipment_Purchase.flow-meta.xml
file=${1:-$own}
database=demo
run() { psql -X -q -v ON_ERROR_STOP=1 -d $database "$@"; }
tell() { sed -u -e 's/^psql:[^ ]* //' -e 's/^NOTICE:  //'; }

if [ ! -r "$file" ]; then
    echo "cannot read $file" >&2
    exit 1
fi
# the API name is the file's; some collections put the repository before it
name=$(basename "$file")
name=${name%.xml}
name=${name%.flow-meta}
name=${name%.flow}
name=${name##*+}
name=$(printf '%s' "$name" | sed 's/[^A-Za-z0-9]/_/g; s/__*/_/g')

psql -X -q -d postgres -c "DROP DATABASE IF EXISTS $database" -c "CREATE DATABASE $database" 2>/dev/null || exit 1
run -c 'CREATE EXTENSION orchestration' || exit 1
run -f "$here/tell.sql" || exit 1

echo "Deploying $(basename "$file") as $name"
document=$(cat "$file")
run -v name="$name" -v document="$document" -o /dev/null <<'SQL' || exit 1
SELECT orchestration.deploy_orchestration(:'document'::xml, :'name');
SQL
if [ "$file" -ef "$own" ]; then
    run -o /dev/null -f "$here/setup_$name.sql" || exit 1
else
    echo "Preparing what it refers to: actions, people, tables"
    run -o /dev/null -v orchestration="$name" -f "$here/prepare.sql" || exit 1
fi
run -o /dev/null -v name="$name" <<'SQL' || exit 1
SELECT orchestration.activate_orchestration(:'name');
SQL

echo "Starting"
echo
run -c 'CALL demo.start()' || exit 1
run -f "$here/play.sql" 2>&1 | tell || exit 1
psql -X -q -d $database -f "$here/show.sql" 2>&1 | tell

[ "$(run -At -c "SELECT status, (SELECT count(*) FROM orchestration.verify()) FROM orchestration.run")" = "Completed|0" ]
