#!/bin/bash
# interface.sh: the public interface is the one that test/contract/interface.txt lists.
#
#   bash test/check/interface.sh [--write]
#
# The file names what users may rely on: functions with their parameters, results and
# whether PUBLIC may execute them, row types, enums, views and tables with the columns that
# PUBLIC may read, settings and SQLSTATEs.  A change of it is a decision: --write takes the
# database's interface into the file, so that the diff of the commit shows it.
. test/check/lib.sh.inc

file=test/contract/interface.txt

interface() {
    psql -qXAt <<'SQL'
LOAD 'orchestration';
SET search_path = pg_catalog;
SET datestyle = 'ISO';
WITH member AS (
    SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
     WHERE d.deptype = 'e' AND e.extname = 'orchestration'),
 line (section, text) AS (
    SELECT 1, format('function %s(%s) returns %s%s', p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid),
                     CASE WHEN has_function_privilege('public', p.oid, 'EXECUTE') THEN ', PUBLIC' END)
      FROM pg_proc p JOIN member m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
     WHERE p.pronamespace = 'orchestration'::regnamespace
    UNION ALL
    SELECT 2, format('type %s (%s)', t.typname, (SELECT string_agg(format('%s %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum)
                                                   FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped))
      FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
     WHERE t.typnamespace = 'orchestration'::regnamespace
    UNION ALL
    SELECT 3, format('enum %s (%s)', t.typname, (SELECT string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid))
      FROM pg_type t WHERE t.typnamespace = 'orchestration'::regnamespace AND t.typtype = 'e'
    UNION ALL
    SELECT CASE c.relkind WHEN 'v' THEN 4 ELSE 5 END,
           format('%s %s (%s)', CASE c.relkind WHEN 'v' THEN 'view' ELSE 'table' END, c.relname,
                  string_agg(format('%s %s%s', a.attname, format_type(a.atttypid, a.atttypmod),
                                    CASE WHEN has_column_privilege('public', c.oid, a.attnum, 'UPDATE') THEN ' UPDATE' END), ', ' ORDER BY a.attnum))
      FROM pg_class c JOIN member m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relnamespace = 'orchestration'::regnamespace AND (c.relkind = 'v' OR c.relkind = 'r' AND has_column_privilege('public', c.oid, a.attnum, 'SELECT'))
     GROUP BY c.oid, c.relname, c.relkind
    UNION ALL
    SELECT 6, format('setting %s %s, default %s%s%s, set by %s', s.name, s.vartype, COALESCE(NULLIF(s.boot_val, ''), '(empty)'), ' ' || s.unit,
                     CASE WHEN s.vartype IN ('integer', 'real') THEN format(', %s to %s', s.min_val, s.max_val)
                          WHEN s.enumvals IS NOT NULL THEN format(', one of %s', array_to_string(s.enumvals, ' ')) END, s.context)
      FROM pg_settings s WHERE s.name LIKE 'orchestration.%')
SELECT text FROM line ORDER BY section, text COLLATE "C";
SQL
    sed -nE "s/^#define ERRCODE_ORCH_([A-Z_]+)\s+MAKE_SQLSTATE\('(.)','(.)','(.)','(.)','(.)'\).*/sqlstate \2\3\4\5\6 \L\1/p" src/base/errors.h
}

same_interface() {
    local found
    found=$(interface) || return 1
    # an empty answer is no interface
    [ "$(wc -l <<<"$found")" -gt 200 ] || return 1
    diff "$file" - <<<"$found" || {
        echo "if this is meant: bash test/check/interface.sh --write, and say so in CHANGELOG.md"
        return 1
    }
}

# a change of each kind is found
finds_changes() {
    local statement status=0 before after
    before=$(interface)
    for statement in 'ALTER FUNCTION orchestration.verify() RENAME TO verified' \
        'REVOKE EXECUTE ON FUNCTION orchestration.query_more(text) FROM PUBLIC' \
        'ALTER TYPE orchestration.claimed_step ADD ATTRIBUTE more text' \
        "ALTER TYPE orchestration.run_status RENAME VALUE 'Error' TO 'Failed'" \
        'ALTER VIEW orchestration.users RENAME COLUMN username TO login' \
        'REVOKE SELECT ON orchestration.run_log FROM PUBLIC' \
        'GRANT UPDATE (owner_id) ON orchestration.run TO PUBLIC'; do
        psql -qX -c "$statement" || status=1
        after=$(interface)
        if [ "$before" = "$after" ]; then
            echo "not found: $statement"
            status=1
        fi
        psql -qX -d template1 -c "DROP DATABASE interface_db" -c "CREATE DATABASE interface_db" || return 1
        psql -qX -c 'CREATE EXTENSION orchestration' || return 1
    done
    return $status
}

if [ "${1:-}" = --write ]; then
    interface >$file
    exit
fi
check 'the interface is the one that test/contract/interface.txt lists' same_interface
psql -qX -d template1 -c 'DROP DATABASE IF EXISTS interface_db' -c 'CREATE DATABASE interface_db'
PGDATABASE=interface_db psql -qX -c 'CREATE EXTENSION orchestration'
PGDATABASE=interface_db check 'a change of the interface is found' finds_changes
psql -qX -d template1 -c 'DROP DATABASE interface_db'
