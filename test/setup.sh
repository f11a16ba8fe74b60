#!/bin/bash
# setup.sh: installs by apt what building and testing need and is missing.
#
# Says so in one line; where apt-get is not there or not permitted it names the
# packages and stops.  A cluster that was there is left alone; none is created.
set -u

packages=(gcc make libc6-dev libxml2-dev postgresql-15 postgresql-server-dev-15
    postgresql-15-pgtap libtap-parser-sourcehandler-pgtap-perl libipc-run-perl
    python3)

# whatever provides the commands and files is good, also another version's
have() {
    case $1 in
        gcc | make | python3) command -v "$1" >/dev/null ;;
        libc6-dev) [ -e /usr/include/stdlib.h ] ;;
        libxml2-dev) [ -e /usr/include/libxml2/libxml/tree.h ] || xml2-config --cflags >/dev/null 2>&1 ;;
        postgresql-15) [ -x "$(${PG_CONFIG:-pg_config} --bindir 2>/dev/null)/initdb" ] ;;
        postgresql-server-dev-15) [ -e "$(${PG_CONFIG:-pg_config} --pgxs 2>/dev/null)" ] ;;
        postgresql-15-pgtap) [ -e "$(${PG_CONFIG:-pg_config} --sharedir 2>/dev/null)/extension/pgtap.control" ] ;;
        libtap-parser-sourcehandler-pgtap-perl) command -v pg_prove >/dev/null ;;
        libipc-run-perl) perl -MIPC::Run -e 1 2>/dev/null ;;
    esac
}

missing=()
for package in "${packages[@]}"; do
    have "$package" || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -eq 0 ]; then
    sudo=()
elif command -v sudo >/dev/null; then
    sudo=(sudo)
else
    sudo=(false)
fi
if ! command -v apt-get >/dev/null || [ "${sudo[0]:-}" = false ]; then
    echo "Please install first (names of Debian's packages): ${missing[*]}" >&2
    exit 1
fi

echo "Installing by apt: ${missing[*]}"
# Debian's package would create and start a cluster
conf=/etc/postgresql-common/createcluster.conf
if [ ! -e $conf ] && [ ! -e /usr/lib/postgresql ]; then
    "${sudo[@]}" mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' | "${sudo[@]}" tee $conf >/dev/null
fi
log=$(mktemp)
"${sudo[@]}" apt-get -q update >"$log" 2>&1
if ! "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y \
    --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "apt-get could not install: ${missing[*]}" >&2
    exit 1
fi
rm -f "$log"
