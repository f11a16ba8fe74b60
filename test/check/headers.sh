#!/bin/bash
# headers.sh: every header of src/ compiles on its own, with the flags of the build.
#
# A header that depends on the includes of its users compiles on one version of PostgreSQL and
# not on the next: worker.h used a macro that PostgreSQL 18 no longer has, without compat.h,
# which defines it.  This server may still have such a macro, so every file that uses a name of
# compat.h must include it, whatever the version.
. test/check/lib.sh.inc

# the flags of make; WERROR, because headers must not warn either
build_flags() {
    make -s --no-print-directory -f Makefile -f - WERROR=1 build_flags <<'MAKE'
build_flags:
	@echo '$(CC) $(CPPFLAGS) $(filter-out -MMD -MP,$(CFLAGS))'
MAKE
}

compiles_alone() {
    # shellcheck disable=SC2086
    $flags -fsyntax-only -fmax-errors=1 -x c "$1"
}

# in the order of definition: "name", once
compat_names() {
    sed -nE 's/^#define +([A-Za-z_0-9]+).*/\1/p; s/^typedef .* ([A-Za-z_0-9]+);/\1/p' src/base/compat.h |
        grep -vx ORCH_COMPAT_H | sort -u
}

compat_included() {
    local names file bad=0
    names=$(compat_names | paste -sd '|')
    [ -n "$names" ] || return 1
    while read -r file; do
        [ "$file" = src/base/compat.h ] || grep -qE '^#include "(.*/)?compat.h"' "$file" ||
            { grep -nHwE "$names" "$file"; bad=1; }
    done < <(grep -rlwE "$names" src --include='*.c' --include='*.h')
    return $bad
}

flags=$(build_flags)
check 'the flags of the build' grep -q -- '-I' <<<"$flags"
while read -r header; do
    check "$header compiles on its own" compiles_alone "$header"
done < <(find src -name '*.h' | sort)
check 'every file that uses a name of compat.h includes it' compat_included
