#!/bin/bash
# readme.sh: the statements of the README work as printed: every statement is executed, and
# errors must be the printed ones.
. test/check/lib.sh.inc

readme_chapters() {
    local script want got
    script=$(awk '/^## /{on = /^## (Tutorial|Who sees what|The documented calls)$/} on && /^```sql$/{copy = 1; next} /^```$/{copy = 0} on && copy' README.md)
    want=$(awk '/^## /{on = /^## (Tutorial|Who sees what|The documented calls)$/} on && /^ERROR:/' README.md | sed 's/[0-9a-f-]\{36\}/ID/')
    psql -qX -d template1 -c 'DROP DATABASE IF EXISTS readme_db' -c 'CREATE DATABASE readme_db' || return 1
    psql -qX -d readme_db -c 'CREATE EXTENSION orchestration' || return 1
    got=$(psql -qX -d readme_db <<<"$script" 2>&1 | grep '^ERROR:' | sed 's/[0-9a-f-]\{36\}/ID/')
    psql -qX -d template1 -c 'DROP DATABASE readme_db' -c 'REVOKE SET ON PARAMETER orchestration.user_id FROM web' -c 'DROP ROLE ravi, fay, aud, ann, web' || return 1
    [ -n "$script" ] && diff <(echo "$want") <(echo "$got")
}

# the chapter on the documented calls: all printed results
documented_calls() {
    local script want got
    mask() { sed -E 's/[0-9a-f-]{36}/ID/g; s/20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+/TIME/g'; }
    script=$(awk '/^## /{on = /^## (Tutorial|Who sees what|The documented calls)$/
                         if (/^## The documented calls$/) print "\\echo =START="}
                  on && /^```sql$/{copy = 1; next} /^```$/{copy = 0} on && copy' README.md)
    want=$(awk '/^## /{on = /^## The documented calls$/} on && /^```text$/{copy = 1; next}
                /^```$/{copy = 0} on && copy' README.md | mask)
    psql -qX -d template1 -c 'DROP DATABASE IF EXISTS readme_db' -c 'CREATE DATABASE readme_db' || return 1
    psql -qX -d readme_db -c 'CREATE EXTENSION orchestration' || return 1
    got=$(psql -qX -d readme_db <<<"$script" 2>&1 | sed '1,/^=START=$/d' | mask)
    psql -qX -d template1 -c 'DROP DATABASE readme_db' -c 'REVOKE SET ON PARAMETER orchestration.user_id FROM web' -c 'DROP ROLE ravi, fay, aud, ann, web' || return 1
    [ -n "$want" ] && diff <(echo "$want") <(echo "$got")
}

# the chapters on workers, users and failures
engine_chapters() {
    local script want got
    mask() { sed -E 's/[0-9a-f]{8}-[0-9a-f-]{27}/ID/g'; }
    script=$(awk '/^## /{on = /^## (Workers|People|When things fail)$/} on && /^```sql$/{copy = 1; next} /^```$/{copy = 0} on && copy' README.md)
    want=$(awk '/^## /{on = /^## (Workers|People|When things fail)$/} on && /^```text$/{copy = 1; next} /^```$/{copy = 0} on && copy' README.md | mask)
    psql -qX -d template1 -c 'DROP DATABASE IF EXISTS readme_db' -c 'CREATE DATABASE readme_db' || return 1
    psql -qX -d readme_db -c 'CREATE EXTENSION orchestration' || return 1
    got=$(psql -qX -d readme_db <<<"$script" 2>&1 | mask)
    psql -qX -d template1 -c 'DROP DATABASE readme_db' -c 'DROP ROLE mia, tom' || return 1
    [ -n "$want" ] && diff <(echo "$want") <(echo "$got")
}

# the page on SOQL, after the tutorial
soql_page() {
    local script want got
    mask() { sed -E 's/[0-9a-f]{8}-[0-9a-f-]{27}/ID/g'; }
    script=$(awk '/^## /{on = /^## Tutorial$/} on && /^```sql$/{copy = 1; next} /^```$/{copy = 0} on && copy' README.md
             echo '\echo =START='
             awk '/^```sql$/{copy = 1; next} /^```$/{copy = 0} copy' doc/soql.md)
    want=$(awk '/^```text$/{copy = 1; next} /^```$/{copy = 0} copy' doc/soql.md | mask)
    psql -qX -d template1 -c 'DROP DATABASE IF EXISTS readme_db' -c 'CREATE DATABASE readme_db' || return 1
    psql -qX -d readme_db -c 'CREATE EXTENSION orchestration' || return 1
    got=$(psql -qX -d readme_db <<<"$script" 2>&1 | sed '1,/^=START=$/d' | mask)
    psql -qX -d template1 -c 'DROP DATABASE readme_db' || return 1
    [ -n "$want" ] && diff <(echo "$want") <(echo "$got")
}

# the page on moving from Salesforce
moving_page() {
    local script want got
    mask() { sed -E 's/[0-9a-f]{8}-[0-9a-f-]{27}/ID/g'; }
    script=$(awk '/^```sql$/{copy = 1; next} /^```$/{copy = 0} copy' doc/moving.md | sed "s|setup\.sql|$ORCH_WORK/setup.sql|g")
    want=$(awk '/^```text$/{copy = 1; next} /^```$/{copy = 0} copy' doc/moving.md | mask)
    psql -qX -d template1 -c 'DROP DATABASE IF EXISTS readme_db' -c 'CREATE DATABASE readme_db' || return 1
    psql -qX -d readme_db -c 'CREATE EXTENSION orchestration' || return 1
    got=$(psql -qX -d readme_db <<<"$script" 2>&1 | mask)
    psql -qX -d template1 -c 'DROP DATABASE readme_db' || return 1
    [ -n "$want" ] && diff <(echo "$want") <(echo "$got")
}

# the page on approvals
approvals_page() {
    local script want got
    mask() { sed -E 's/[0-9a-f]{8}-[0-9a-f-]{27}/ID/g'; }
    script=$(awk '/^```sql$/{copy = 1; next} /^```$/{copy = 0} copy' doc/approvals.md)
    want=$(awk '/^```text$/{copy = 1; next} /^```$/{copy = 0} copy' doc/approvals.md | mask)
    psql -qX -d template1 -c 'DROP DATABASE IF EXISTS readme_db' -c 'CREATE DATABASE readme_db' || return 1
    psql -qX -d readme_db -c 'CREATE EXTENSION orchestration' || return 1
    got=$(psql -qX -d readme_db <<<"$script" 2>&1 | mask)
    psql -qX -d template1 -c 'DROP DATABASE readme_db' -c 'DROP ROLE rosa, max, fay, finn, ada, dora' || return 1
    [ -n "$want" ] && diff <(echo "$want") <(echo "$got")
}

# the page on failures
failures_page() {
    local script want got
    mask() { sed -E 's/[0-9a-f]{8}-[0-9a-f-]{27}/ID/g'; }
    script=$(awk '/^```sql$/{copy = 1; next} /^```$/{copy = 0} copy' doc/failures.md)
    want=$(awk '/^```text$/{copy = 1; next} /^```$/{copy = 0} copy' doc/failures.md | mask)
    psql -qX -d template1 -c 'DROP DATABASE IF EXISTS readme_db' -c 'CREATE DATABASE readme_db' || return 1
    psql -qX -d readme_db -c 'CREATE EXTENSION orchestration' || return 1
    got=$(psql -qX -d readme_db <<<"$script" 2>&1 | mask)
    psql -qX -d template1 -c 'DROP DATABASE readme_db' || return 1
    [ -n "$want" ] && diff <(echo "$want") <(echo "$got")
}

# the README names every function that a role may be granted
functions_named() {
    local missing
    missing=$(psql -qXAt -c "SELECT DISTINCT p.proname FROM pg_proc p WHERE p.pronamespace = 'orchestration'::regnamespace AND p.prokind = 'f'
        AND p.prorettype <> 'trigger'::regtype AND NOT has_function_privilege('public', p.oid, 'EXECUTE') AND p.proname !~ '_support\$' ORDER BY 1" | while read -r name; do grep -q "\b$name\b" README.md doc/*.md src/README.md || echo "$name"; done)
    echo "$missing"
    [ -z "$missing" ]
}

# the table of status codes has the codes of the C code, and no others
status_codes() {
    diff <(grep -ohE '"[A-Z]+(_[A-Z]+)+"' src/call/save.c src/call/save_record.c src/call/save_error.c | tr -d '"' | sort -u) \
        <(awk '/^## /{on = /^## Errors$/} on && /^\| `[A-Z]/' README.md | cut -d'|' -f2 | grep -oE '[A-Z]+(_[A-Z]+)+' | sort -u)
}

# the table of SQLSTATEs has those of errors.h, and no others
sqlstates() {
    diff <(grep -oE "MAKE_SQLSTATE\('O','R','.','.','.'\)" src/base/errors.h | tr -dc '[:alnum:]\n' | sed 's/MAKESQLSTATE//' | sort -u) \
        <(awk '/^## /{on = /^## Errors$/} on && /^\| OR/' README.md | cut -d'|' -f2 | grep -oE 'OR[0-9]{3}' | sort -u)
}

check 'the statements of the first chapters work as printed' readme_chapters
check 'the documented calls print what the README shows' documented_calls
check 'the chapters on workers, users and failures print what the README shows' engine_chapters
check 'the page on SOQL prints what it shows' soql_page
check 'the page on moving from Salesforce prints what it shows' moving_page
check 'the page on approvals prints what it shows' approvals_page
check 'the page on failures prints what it shows' failures_page
check 'the documents name every function' functions_named
check 'the README names every status code' status_codes
check 'the README names every SQLSTATE' sqlstates
