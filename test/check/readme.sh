#!/bin/bash
# readme.sh: the README chapters that are to be pasted work, and say what really
# happens: every statement is executed, errors must be the printed ones.
. test/check/lib.sh.inc

readme_chapters() {
    local script want got
    script=$(awk '/^## /{on = /^## (Tutorial|Who sees what)$/} on && /^```sql$/{copy = 1; next} /^```$/{copy = 0} on && copy' README.md)
    want=$(awk '/^## /{on = /^## (Tutorial|Who sees what)$/} on && /^ERROR:/' README.md | sed 's/[0-9a-f-]\{36\}/ID/')
    psql -qX -d template1 -c 'DROP DATABASE IF EXISTS readme_db' -c 'CREATE DATABASE readme_db' || return 1
    psql -qX -d readme_db -c 'CREATE EXTENSION orchestration' || return 1
    got=$(psql -qX -d readme_db <<<"$script" 2>&1 | grep '^ERROR:' | sed 's/[0-9a-f-]\{36\}/ID/')
    psql -qX -d template1 -c 'DROP DATABASE readme_db' -c 'REVOKE SET ON PARAMETER orchestration.user_id FROM web' -c 'DROP ROLE ravi, fay, aud, ann, web' || return 1
    [ -n "$script" ] && diff <(echo "$want") <(echo "$got")
}

check 'the chapters to paste work as printed' readme_chapters
