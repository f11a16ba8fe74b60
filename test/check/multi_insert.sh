#!/bin/bash
# multi_insert.sh: own_parts in multi_insert.c names all columns and constraints of its tables.
#
# multi_insert.c writes rows past the executor only if a table matches own_parts.  A column or constraint
# that is missing there would silently disable the fast path.
. test/check/lib.sh.inc

known() {
    diff <(sed -n 's/^\t{RELATION_\([A-Z_]*\), {\([0-9, ]*\)}},*$/\L\1 \2/p' src/base/multi_insert.c | tr -d ,) <(psql -qXAt -c "
        SELECT concat_ws(' ', c.relname, c.relnatts,
               (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.attnotnull),
               (SELECT count(*) FROM pg_attrdef d WHERE d.adrelid = c.oid),
               (SELECT count(*) FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c'),
               (SELECT count(*) FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f'))
          FROM unnest('{run,stage_run,step_run,step_queue,work_item,submission,submission_item,message,step_message,run_log,field_change}'::text[]) WITH ORDINALITY t (name, n)
          JOIN pg_class c ON c.oid = ('orchestration.' || t.name)::regclass ORDER BY t.n")
}

check 'own_parts in multi_insert.c names the columns and constraints of its tables' known
