#!/bin/bash
# package.sh: the Debian package is built from the archive of a release, and used on a bare Debian.
#
# make dist writes the archive, dpkg-buildpackage builds from it and runs the regress and isolation
# tests, debootstrap makes a Debian without anything, in a folder of its own outside the
# project.  There apt installs the package, a cluster gets the extension, the demonstration is
# played, the worker is preloaded, and the package is removed.
#
# Root is needed for the chroot.  DEB_BUILD_OPTIONS=nocheck leaves the tests of the package out.
set -u
cd "$(dirname "$0")/../.." || exit 1
. test/check/lib.sh.inc
# the package is that of Debian's server, not of the throwaway one
unset PGHOST PGPORT PGUSER PGDATABASE

skip() {
    echo "1..0 # skip $1"
    exit 0
}
[ "$(id -u)" -eq 0 ] || skip 'a chroot takes root'
for command in git debootstrap dpkg-buildpackage dh pg_buildext; do
    command -v "$command" >/dev/null || skip "$command is not installed"
done
git rev-parse HEAD >/dev/null 2>&1 || skip 'not a checkout of git'
suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
    awk '/^(deb |URIs:)/ { print $2; exit }')
[ -n "$mirror" ] || skip 'apt has no source'

work=$(mktemp -d "${TMPDIR:-/tmp}/orchestration-package.XXXXXX")
chmod 755 "$work"
root=$work/root
within() { LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"; }
as_postgres() { within runuser -u postgres -- "$@"; }
finish() {
    within pg_ctlcluster "$version" probe stop -m immediate >/dev/null 2>&1
    umount "$root/proc" 2>/dev/null
    mountpoint -q "$root/proc" || rm -rf --one-file-system "$work"
}
version=$("${PG_CONFIG:-pg_config}" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
package=postgresql-$version-orchestration
trap finish EXIT
trap 'exit 130' INT TERM HUP

# with what is changed and not committed; a file that git does not know is not in it
archive() {
    make -s dist COMMIT="$(git stash create)" || return 1
    release=$(basename build/orchestration-*.tar.gz .tar.gz)
    tar -xzf "build/$release.tar.gz" -C "$work" &&
        [ "$(tar -tzf "build/$release.tar.gz" | grep -cx "$release/META.json")" -eq 1 ] &&
        [ "$(python3 -m zipfile -l "build/$release.zip" | awk "{ print \$1 }" | grep -cx "$release/META.json")" -eq 1 ] &&
        [ ! -e "$work/$release/.gitattributes" ]
}

build() {
    (cd "$work"/orchestration-*/ && dpkg-buildpackage -us -uc -b)
}

bare_debian() {
    debootstrap --variant=minbase "$suite" "$root" "$mirror" &&
        cp -r /etc/apt/sources.list* "$root/etc/apt/" &&
        mount -t proc proc "$root/proc" &&
        printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" &&
        chmod +x "$root/usr/sbin/policy-rc.d" &&
        within apt-get -q update
}

install_package() {
    cp "$work/${package}_"*.deb "$root/tmp/" &&
        within sh -c "apt-get -q install -y --no-install-recommends /tmp/${package}_*.deb"
}

create_cluster() {
    within pg_createcluster --locale C.UTF-8 --port 54777 "$version" probe \
        -o listen_addresses= -o shared_preload_libraries=orchestration \
        -o orchestration.worker_databases=demo &&
        within pg_ctlcluster "$version" probe start
}

sql() { as_postgres psql -qXAt -v ON_ERROR_STOP=1 -p 54777 -d demo -c "$1"; }

play() {
    mkdir -p "$root/tmp/doc" && cp -r doc/demo "$root/tmp/doc/" &&
        as_postgres env PGPORT=54777 PGUSER=postgres PGHOST=/var/run/postgresql /tmp/doc/demo/play.sh
}

# the launcher that the cluster preloads has started one for this database
worker_runs() {
    for _ in $(seq 100); do
        [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'orchestration worker'")" = 1 ] && return
        sleep 0.2
    done
    false
}

pages_installed() {
    [ -s "$root/usr/share/doc/postgresql-doc-$version/orchestration/packages.md" ]
}

remove_package() {
    within pg_conftool "$version" probe set shared_preload_libraries '' &&
        within pg_ctlcluster "$version" probe restart &&
        within apt-get -q purge -y "$package" &&
        [ -z "$(within find /usr -path '*orchestration*')" ]
}

# the library is gone, and with it the function that would count the open runs
drop_without_library() {
    ! sql 'DROP EXTENSION orchestration CASCADE' &&
        sql 'SET session_replication_role = replica; DROP EXTENSION orchestration CASCADE' &&
        [ "$(sql "SELECT count(*) FROM pg_namespace WHERE nspname = 'orchestration'")" = 0 ]
}

check 'make dist writes archives with META.json at their top' archive
check 'the package builds from the archive, and passes its tests' build
check 'debootstrap makes a bare Debian' bare_debian
check 'apt installs the package there' install_package
check 'the pages are installed' pages_installed
check 'a cluster that preloads the library starts' create_cluster
check 'the demonstration is played' play
check 'the worker runs' worker_runs
check 'the package is removed' remove_package
check 'the extension is dropped where the library is missing' drop_without_library
