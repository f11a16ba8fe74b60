#!/bin/bash
# reference.sh: the pages of doc/reference are those that the catalog's comments make.
. test/check/lib.sh.inc

finds_changes() {
    psql -qX -c "COMMENT ON FUNCTION orchestration.new_id() IS 'Something else'" || return 1
    python3 doc/reference/generate.py --check | grep -q 'Something else'
}

check 'doc/reference is up to date (doc/reference/generate.py)' python3 doc/reference/generate.py --check
psql -qX -d template1 -c 'DROP DATABASE IF EXISTS reference_db' -c 'CREATE DATABASE reference_db'
PGDATABASE=reference_db psql -qX -c 'CREATE EXTENSION orchestration'
PGDATABASE=reference_db check 'another comment is found' finds_changes
psql -qX -d template1 -c 'DROP DATABASE reference_db'
