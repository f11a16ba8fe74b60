#!/bin/bash
# tree.sh: checks of the tree itself.
. test/check/lib.sh.inc

# sql/gen/NAME.py writes the part NAME
parts_generated() {
    local generator name status=0
    for generator in sql/gen/*.py; do
        name=$(basename "$generator" .py)
        python3 "$generator" | diff - "$(find sql/parts -name "$name.sql")" || status=1
    done
    return $status
}

# the install script has every part, the folders in the order of the floors
parts_in_order() {
    local version floors used
    version=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" orchestration.control)
    floors='base evaluate record access definition trail guard engine work call'
    used=$(make -sn -W Makefile "sql/orchestration--$version.sql" | grep -o 'sql/parts/[a-z_/]*\.sql')
    diff <(LC_ALL=C sort <<<"$used") <(find sql/parts -name '*.sql' | LC_ALL=C sort) || return 1
    diff <(tr ' ' '\n' <<<"$floors") <(sed -n 's,^sql/parts/\([a-z]*\)/.*,\1,p' <<<"$used" | uniq)
}

one_version() {
    local version
    version=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" orchestration.control)
    if ! python3 - "$version" <<'PYTHON'; then
import json, sys
meta = json.load(open('META.json', encoding='utf-8'))
found = meta['version'], meta['provides']['orchestration']['version']
if found != (sys.argv[1],) * 2:
    sys.exit('META.json is not %s' % sys.argv[1])
PYTHON
        return 1
    fi
    if [ -d debian ] && ! head -n 1 debian/changelog | grep -qF "($version-"; then
        echo "debian/changelog does not begin with $version"
        return 1
    fi
    if ! head -n 1 CHANGELOG.md | grep -qF "## $version"; then
        echo "CHANGELOG.md does not begin with $version"
        return 1
    fi
}

exported_symbols() {
    local symbols
    symbols=$(nm -D --defined-only orchestration.so | awk '{print $3}')
    grep -qx _PG_init <<<"$symbols" || return 1
    ! grep -vE '^(orch_|orchestration_|_PG_init$|Pg_magic_func$|pg_finfo_orchestration_)' <<<"$symbols"
}

versions_in_compat_only() {
    [ "$(grep -rlw PG_VERSION_NUM src --include='*.[ch]')" = src/base/compat.h ] ||
        { grep -rnw PG_VERSION_NUM src --include='*.[ch]'; false; }
}

# files left by building and testing are not in the tree
top_level() {
    local expected found
    expected='.ci .clang-format .dockerignore .editorconfig .gitattributes .gitignore CHANGELOG.md CONTRIBUTING.md
        Dockerfile LICENSE META.json Makefile README.md SECURITY.md bench debian doc examples
        expected orchestration.control sql src test typedefs.list'
    found=$(find . -mindepth 1 -maxdepth 1 -printf '%f\n' |
        grep -vxE '\.git|build(-.*)?|results|output_iso|tmp_check|regression\.(diffs|out)|.*\.so')
    # an archive of a release leaves some out (.gitattributes)
    found=$(LC_ALL=C comm -13 <(tr -s ' \n' '\n' <<<"$expected" | LC_ALL=C sort) <(LC_ALL=C sort <<<"$found"))
    [ -z "$found" ] || { echo "$found"; false; }
}

file_sizes() {
    local large
    # without what flex and bison write
    large=$(find src -name '*.[cly]' | while read -r file; do
        [ -e "${file%.*}.l" ] || [ -e "${file%.*}.y" ] && [ "${file##*.}" = c ] || wc -l "$file"
    done | awk '$1 > 1050') || return 1
    [ -z "$large" ] || { echo "$large"; false; }
}

# the objects of the extension, and those without a comment
comment_on_everything() {
    local objects
    objects=$(psql -qXAt -v ON_ERROR_STOP=1 <<'SQL'
SELECT CASE WHEN obj_description(d.objid, d.classid::regclass::text::name) IS NULL
            THEN 'no comment: ' || pg_describe_object(d.classid, d.objid, d.objsubid)
            ELSE 'commented' END
  FROM pg_depend d
  JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass
                     AND e.oid = d.refobjid AND e.extname = 'orchestration'
  LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
  LEFT JOIN pg_type t ON d.classid = 'pg_type'::regclass AND t.oid = d.objid
 WHERE d.deptype = 'e'
   AND (d.classid = 'pg_proc'::regclass OR c.relkind IN ('r', 'v', 'S') OR t.typtype = 'e')
SQL
    ) || return 1
    grep -q '^commented$' <<<"$objects" && ! grep '^no comment' <<<"$objects"
}

# no file names the folder of this checkout
no_path_of_this_machine() {
    ! grep -rnIP "(?<![\w}).-])\Q$(pwd -P)\E/" \
        .ci Makefile README.md bench doc expected sql/parts src test
}

check 'generated parts are up to date' parts_generated
check 'the install script has every part, floor by floor' parts_in_order
check 'the version is written once' one_version
check 'exported symbols have the prefix of the extension' exported_symbols
check 'only compat.h knows server versions' versions_in_compat_only
check 'no other file at the top level' top_level
check 'no C file above about 1,000 lines' file_sizes
check 'every object has a comment' comment_on_everything
check 'no path of this machine' no_path_of_this_machine
