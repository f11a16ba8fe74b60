#!/bin/bash
# pages.sh: the pages for readers.  Their examples print what they show (pages.py has the rules), their links
# lead somewhere (links.py), and they name what they should.
. test/check/lib.sh.inc

# the pages name every function that a role may be granted; that the reference lists it is not enough
functions_named() {
    local missing
    missing=$(psql -qXAt -c "SELECT DISTINCT p.proname FROM pg_proc p WHERE p.pronamespace = 'orchestration'::regnamespace AND p.prokind = 'f'
        AND p.prorettype <> 'trigger'::regtype AND NOT has_function_privilege('public', p.oid, 'EXECUTE') AND p.proname !~ '_support\$' ORDER BY 1" | while read -r name; do grep -qr --include='*.md' --exclude-dir=reference "\b$name\b" README.md doc src/README.md || echo "$name"; done)
    echo "$missing"
    [ -z "$missing" ]
}

# the table of status codes has the codes of the C code, and no others
status_codes() {
    diff <(grep -ohE '"[A-Z]+(_[A-Z]+)+"' src/call/save.c src/call/save_record.c src/call/save_error.c | tr -d '"' | sort -u) \
        <(grep -E '^\| `[A-Z]' doc/failures.md | cut -d'|' -f2 | grep -oE '[A-Z]+(_[A-Z]+)+' | sort -u)
}

# the tables of SQLSTATEs have those of errors.h, and no others
sqlstates() {
    diff <(grep -oE "MAKE_SQLSTATE\('O','R','.','.','.'\)" src/base/errors.h | tr -dc '[:alnum:]\n' | sed 's/MAKESQLSTATE//' | sort -u) \
        <(grep -hE '^\| OR' doc/failures.md doc/reference/errors.md | cut -d'|' -f2 | grep -oE 'OR[0-9]{3}' | sort -u)
}

# a reader gets through it in one go
short_readme() {
    [ "$(wc -l <README.md)" -le 200 ]
}

# of a page with one output that is right and two that are not, and three links that lead nowhere
planted() {
    local folder output
    folder=$(mktemp -d)
    mkdir -p "$folder/test/check"
    cp test/check/pages.py test/check/links.py "$folder/test/check"
    cat >"$folder/README.md" <<'PAGE'
<!-- database: empty -->
# A page

[here](#a-page), [nowhere](#nowhere), [no page](none.md), [no heading](README.md#none)

```sql
SELECT 1 AS one \gset
SELECT now();
\echo :one
```
```text
              now
-------------------------------
 2026-01-01 00:00:00.000000+00
(1 row)

1
```

```sql
SELECT 'printed';
```

```sql
SELECT none;
```
```text
ERROR:  another
```
PAGE
    output=$(cd "$folder" && python3 test/check/pages.py; python3 test/check/links.py)
    rm -rf "$folder"
    echo "$output"
    [ "$(grep -c '^# --- README.md' <<<"$output")" -eq 2 ] && [ "$(grep -c '^README.md: ' <<<"$output")" -eq 3 ]
}

python3 test/check/pages.py
check 'other outputs and dead links are found' planted
check 'every link of the pages leads somewhere' python3 test/check/links.py
check 'README.md has at most 200 lines' short_readme
check 'the pages name every function' functions_named
check 'doc/failures.md has every status code' status_codes
check 'the pages have every SQLSTATE' sqlstates
