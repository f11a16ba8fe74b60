#!/bin/bash
# tree.sh: checks of the tree itself.
. test/check/lib.sh.inc

contract_copy() {
    diff -r "${CONTRACT:-../shared/contract}" test/contract
}

one_version() {
    local version
    version=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" orchestration.control)
    [ "$(grep -c "\"version\": \"$version\"" META.json)" -eq 2 ] || echo "META.json is not $version"
    head -n 1 CHANGELOG.md | grep -qF "## $version" || echo "CHANGELOG.md does not begin with $version"
    [ "$(grep -c "\"version\": \"$version\"" META.json)" -eq 2 ] &&
        head -n 1 CHANGELOG.md | grep -qF "## $version"
}

exported_symbols() {
    ! nm -D --defined-only orchestration.so | awk '{print $3}' |
        grep -vE '^(orch_|orchestration_|_PG_init$|Pg_magic_func$|pg_finfo_orchestration_)'
}

versions_in_compat_only() {
    ! grep -ln PG_VERSION_NUM src/*.c src/*.h | grep -vx src/compat.h
}

top_level() {
    local allowed='Makefile orchestration.control sql src test expected README.md bench doc .ci
        CHANGELOG.md META.json LICENSE .editorconfig .clang-format typedefs.list .gitignore'
    local name status=0
    for name in $(git ls-files 2>/dev/null | cut -d/ -f1 | sort -u); do
        case " $(echo $allowed) " in
            *" $name "*) ;;
            *) echo "not expected at the top level: $name"; status=1 ;;
        esac
    done
    return $status
}

file_sizes() {
    ! wc -l src/*.c | awk '$2 != "total" && $1 > 1050 {print; n++} END {exit n == 0}'
}

comment_on_everything() {
    [ -z "$(psql -qXAt <<'SQL'
SELECT d.classid::regclass, pg_describe_object(d.classid, d.objid, d.objsubid)
  FROM pg_depend d
  JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'orchestration'
  LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
  LEFT JOIN pg_type t ON d.classid = 'pg_type'::regclass AND t.oid = d.objid
 WHERE d.deptype = 'e'
   AND (d.classid = 'pg_proc'::regclass OR c.relkind IN ('r', 'v', 'S') OR t.typtype = 'e')
   AND obj_description(d.objid, d.classid::regclass::text::name) IS NULL
SQL
)" ]
}

no_paths_of_this_machine() {
    ! grep -rnE '/work/|claude' --include='*' -i src sql/parts test doc bench README.md Makefile .ci 2>/dev/null |
        grep -v '^test/check/tree.sh'
}

if [ -d "${CONTRACT:-../shared/contract}" ]; then
    check 'test/contract is the contract' contract_copy
fi
check 'the version is written once' one_version
check 'exported symbols have our prefix' exported_symbols
check 'only compat.h knows server versions' versions_in_compat_only
check 'nothing else at the top level' top_level
check 'no C file above about 1,000 lines' file_sizes
check 'a comment on every object' comment_on_everything
check 'no path of a machine' no_paths_of_this_machine
