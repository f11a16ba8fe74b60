#!/bin/bash
# setup.sh: installs by apt the packages that a target of the Makefile needs and that are missing.
#
#   test/setup.sh demo | bench | test
#
# Names them in one line.  Without apt-get, or without the permission to use it, the script names
# the packages and stops.  It leaves existing clusters alone and creates none.
#
# The packages are those of PG_CONFIG's version, or, while there is none, of the
# oldest supported version that apt offers.
set -u

case ${1-} in
    demo | bench | test) target=$1 ;;
    *)
        echo "usage: test/setup.sh demo | bench | test" >&2
        exit 1
        ;;
esac
pg_config=${PG_CONFIG:-pg_config}

# a server that is not from a package: apt cannot install it
if [ "$pg_config" != pg_config ] && ! command -v "$pg_config" >/dev/null; then
    echo "PG_CONFIG: $pg_config is not there" >&2
    exit 1
fi

find_version() {
    local candidate
    version=$("$pg_config" --version 2>/dev/null | sed 's/[^0-9]*\([0-9]*\).*/\1/')
    [ -n "$version" ] && return
    version=15
    for candidate in 15 16 17 18; do
        if [ -n "$(apt-cache show postgresql-server-dev-$candidate 2>/dev/null)" ]; then
            version=$candidate
            return
        fi
    done
}

# commands and files count, whether from a package or not
have() {
    case $1 in
        gcc | make | flex | bison | python3 | npm | openssl) command -v "$1" ;;
        nodejs) command -v node ;;
        python3-psycopg) /usr/bin/python3 -c 'import psycopg' ;;
        libc6-dev) [ -e /usr/include/stdlib.h ] ;;
        libxml2-dev) [ -e /usr/include/libxml2/libxml/tree.h ] || xml2-config --cflags ;;
        postgresql-server-dev-*)
            [ -e "$("$pg_config" --pgxs)" ] && [ -e "$("$pg_config" --includedir-server)/postgres.h" ] ;;
        postgresql-*-pgtap) [ -e "$("$pg_config" --sharedir)/extension/pgtap.control" ] ;;
        postgresql-*) [ -x "$("$pg_config" --bindir)/initdb" ] ;;
        libtap-parser-sourcehandler-pgtap-perl) command -v pg_prove ;;
        pgbouncer) [ -x /usr/sbin/pgbouncer ] || command -v pgbouncer ;;
        graphviz) command -v dot ;;
        librsvg2-bin) command -v rsvg-convert ;;
        libipc-run-perl) perl -MIPC::Run -e 1 ;;
    esac >/dev/null 2>&1
}

# what the target needs: the demo a build and a server, the benchmarks a client more, the tests
# all of their tools
needed() {
    echo gcc make flex bison libc6-dev libxml2-dev "postgresql-$version" "postgresql-server-dev-$version"
    [ "$target" = demo ] && return
    echo python3 python3-psycopg
    [ "$target" = bench ] && return
    echo "postgresql-$version-pgtap" libtap-parser-sourcehandler-pgtap-perl libipc-run-perl \
        nodejs npm pgbouncer openssl graphviz librsvg2-bin
}

find_missing() {
    local package
    find_version
    missing=()
    for package in $(needed); do
        have "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ]
}

find_missing || exit 0

if [ "$(id -u)" -eq 0 ]; then
    as=()
elif command -v sudo >/dev/null; then
    as=(sudo)
else
    as=(false)
fi
if ! command -v apt-get >/dev/null || ! "${as[@]}" true; then
    echo "Please install first (names of Debian's packages): ${missing[*]}" >&2
    exit 1
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "Installing ${missing[*]}, by apt ..."
"${as[@]}" apt-get -q update >"$log" 2>&1
find_missing    # apt may offer another version of the server now

# Debian's package would create and start a cluster
conf=/etc/postgresql-common/createcluster.conf
if [ ! -e $conf ] && [ ! -e /usr/lib/postgresql ]; then
    "${as[@]}" mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' | "${as[@]}" tee $conf >/dev/null
fi
# start no service
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as[@]}" tee $policy >/dev/null
    "${as[@]}" chmod 755 $policy
    trap 'rm -f "$log"; "${as[@]}" rm -f $policy' EXIT
fi
if ! "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y \
    --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "apt-get could not install: ${missing[*]}" >&2
    exit 1
fi
if find_missing; then
    echo "Installed, but not found by $pg_config: ${missing[*]}" >&2
    exit 1
fi
