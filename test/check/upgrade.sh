#!/bin/bash
# upgrade.sh: an install script that differs from that of the last release has a new version, and
# every release has a path to it.
#
# A release is a tag v1.2.3.  Its install script is assembled from the parts of the tag; where it
# differs from today's, default_version must be a later one.  From each release, upgrade scripts
# sql/orchestration--A--B.sql must lead to default_version; test/t/004_upgrade.pl and
# test/long/upgrade.sh run them.  The check is tried on small repositories first.
. test/check/lib.sh.inc

version_in() { sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$1/orchestration.control"; }

# assemble FOLDER: prints the install script of a source tree, without its version
assemble() {
    local version script
    version=$(version_in "$1")
    script=sql/orchestration--$version.sql
    (cd "$1" && rm -f "$script" && env -u MAKEFLAGS -u MAKELEVEL make -s "$script" >&2 && cat "$script")
}

# releases FOLDER: judges the checkout in a folder, copied to a temporary one
releases() {
    local root=$1 tags tag work version status=0
    if ! git -C "$root" rev-parse HEAD >/dev/null 2>&1; then
        echo 'not a checkout of git'
        return 0
    fi
    tags=$(git -C "$root" tag --list 'v[0-9]*.[0-9]*.[0-9]*' --sort=version:refname)
    [ -n "$tags" ] || return 0
    work=$(mktemp -d)
    mkdir "$work/now" "$work/then"
    (cd "$root" && cp -r Makefile orchestration.control sql src "$work/now/")
    version=$(version_in "$work/now")
    tag=$(tail -n 1 <<<"$tags")
    git -C "$root" archive "$tag" Makefile orchestration.control sql src | tar -x -C "$work/then"
    if ! cmp -s <(assemble "$work/then") <(assemble "$work/now") && {
        [ "v$version" = "$tag" ] ||
            [ "$(printf '%s\n' "v$version" "$tag" | sort -V | tail -n 1)" = "$tag" ]; }; then
        echo "the install script has changed since $tag: default_version $version must be a later one"
        status=1
    fi
    for tag in $tags; do
        reach "$work/now/sql" "${tag#v}" "$version" || status=1
    done
    rm -rf "$work"
    return $status
}

# reach FOLDER A B: do upgrade scripts lead from A to B?
reach() {
    local reached=" $2 " before= script from to
    while [ "$reached" != "$before" ]; do
        before=$reached
        for script in "$1"/orchestration--*--*.sql; do
            script=${script##*/orchestration--}
            from=${script%%--*}
            to=${script#*--}
            to=${to%.sql}
            case $reached in
                *" $to "*) ;;
                *" $from "*) reached="$reached$to " ;;
            esac
        done
    done
    case $reached in
        *" $3 "*) ;;
        *)
            echo "no upgrade scripts lead from $2 to $3"
            return 1
            ;;
    esac
}

# judged CASE: what releases() says of a repository with a tag v1.0.0, to which CASE was done
judged() {
    local work status
    work=$(mktemp -d)
    cp -r Makefile orchestration.control sql src "$work/"
    rm -f "$work"/sql/orchestration--*.sql
    sed -i "s/^default_version.*/default_version = '1.0.0'/" "$work/orchestration.control"
    (
        cd "$work" || exit 1
        git init -q . && git add Makefile orchestration.control sql src &&
            git -c user.name=test -c user.email=test commit -qm test && git tag v1.0.0
        case $1 in
            change | version | script) echo 'SELECT 1;' >>sql/parts/verify.sql ;;
        esac
        case $1 in
            version | script | branch) sed -i "s/1\.0\.0/1.0.1/" orchestration.control ;;
        esac
        case $1 in
            script | branch) echo 'SELECT 1;' >sql/orchestration--1.0.0--1.0.1.sql ;;
        esac
    )
    releases "$work" >/dev/null
    status=$?
    rm -rf "$work"
    return $status
}
refused() { ! judged "$1"; }

check 'a release that has not changed is let through' judged nothing
check 'a change without a new version is found' refused change
check 'a new version without an upgrade script is found' refused version
check 'a new version with an upgrade script is let through' judged script
check 'every release can be upgraded to this version' releases .
