#!/bin/bash
# throwaway.sh: runs a command with a throwaway server that has the extension.
#
#   test/throwaway.sh COMMAND [ARGUMENT...]
#
# The extension must be built.  It is installed into the server's own folder, not
# into the system.  The server runs as an unprivileged user (postgres when we are
# root), listens on a socket in its folder only, and is stopped and removed when
# the command ends, however it ends; KEEP=1 leaves it running.
#
# The command finds PGHOST, PGPORT, PGUSER and PGDATABASE set, and in ORCH_WORK
# the folder, in ORCH_TEST_CONF the lines a postgresql.conf needs to find the
# extension, in ORCH_AS the prefix that runs a command as the server's user.
# ORCH_SERVER_CONF: further lines for the server's postgresql.conf.
set -u

# without the caller's connection settings and language
for name in ${!PG*} ${!LC_*} LANGUAGE; do
    [ "$name" = PG_CONFIG ] || unset "$name"
done
export LC_ALL=C.UTF-8

top=$(cd "$(dirname "$0")/.." && pwd)
bindir=$("${PG_CONFIG:-pg_config}" --bindir)
version=$("${PG_CONFIG:-pg_config}" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')

# in the folder of the build if the server's user has access, else in /tmp
as=()
[ "$(id -u)" -eq 0 ] && as=(runuser -u postgres --)
mkdir -p "$top/build"
work=$(mktemp -d "$top/build/server.XXXXXX")
chmod 755 "$work"
# 90: the path of the socket must fit into 107 bytes
if [ ${#work} -gt 90 ] || ! "${as[@]}" test -x "$work" 2>/dev/null; then
    rmdir "$work"
    work=$(mktemp -d /tmp/orchestration.XXXXXX)
    chmod 755 "$work"
fi
[ "$(id -u)" -eq 0 ] && chown postgres: "$work"

# end the command and its children, then the server and the servers of its tests
stop() {
    local pid_file
    trap '' INT TERM HUP
    cd /
    if [ -n "$command" ] && kill -TERM -- "-$command" 2>/dev/null; then
        for _ in 1 2 3 4 5 6 7 8 9 10; do
            kill -0 -- "-$command" 2>/dev/null || break
            sleep 0.2
        done
        kill -KILL -- "-$command" 2>/dev/null
    fi
    while read -r pid_file; do
        "${as[@]}" "$bindir/pg_ctl" -D "$(dirname "$pid_file")" -m immediate stop >/dev/null 2>&1
    done < <(find "$work" -name postmaster.pid 2>/dev/null)
    rm -rf "$work"
    rmdir "$top/build" 2>/dev/null
}
command=
trap 'stop; exit 130' INT TERM HUP
trap 'status=$?; [ "${KEEP:-0}" = 1 ] && [ $status -eq 0 ] || stop; exit $status' EXIT

cd "$top" || exit 1
make -s install DESTDIR="$work/inst" >/dev/null || exit 1
sharedir=$("${PG_CONFIG:-pg_config}" --sharedir)
libdir=$("${PG_CONFIG:-pg_config}" --pkglibdir)
if [ "$version" -ge 18 ]; then
    conf="extension_control_path = '$work/inst$sharedir:\$system'"
else
    conf="extension_destdir = '$work/inst'"
fi
conf="$conf
dynamic_library_path = '$work/inst$libdir:\$libdir'"

# the server's user may not be able to read the folder of the build
cd "$work" || exit 1
if ! "${as[@]}" "$bindir/initdb" -D "$work/data" -U postgres -A trust \
    --no-locale -E UTF8 -N >"$work/initdb.log" 2>&1; then
    cat "$work/initdb.log" >&2
    exit 1
fi
# Predicate locks of rows, not pages: whether a transaction of an isolation spec is refused as
# not serializable must not depend on other rows of a page.
cat >>"$work/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$work'
port = 54329
fsync = off
max_pred_locks_per_page = 1000
max_pred_locks_per_relation = 1000
max_pred_locks_per_transaction = 1000
max_prepared_transactions = 4
$conf
${ORCH_SERVER_CONF:-}
CONF
if ! "${as[@]}" "$bindir/pg_ctl" -w -D "$work/data" -l "$work/server.log" start \
    >/dev/null; then
    cat "$work/server.log" >&2
    exit 1
fi

cd "$top" || exit 1
export PGHOST=$work PGPORT=54329 PGUSER=postgres PGDATABASE=postgres
export ORCH_WORK=$work ORCH_TEST_CONF=$conf ORCH_AS="${as[*]}"
export PATH=$bindir:$PATH

# in a process group of its own; wait returns at once on a signal
setsid "$@" <&0 &
command=$!
wait "$command"
status=$?
command=
if [ "${KEEP:-0}" = 1 ] && [ $status -eq 0 ]; then
    echo
    echo "The server goes on. Explore it:  psql -h $work -p 54329 -U postgres ${ORCH_KEEP_DATABASE:-demo}"
    echo "Stop it:  ${as[*]} $bindir/pg_ctl -D $work/data -m immediate stop; rm -rf $work"
fi
exit $status
