# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Debian systems in directories of their own (chroots), for what has to be tried
# on another version of Debian, or on a fresh one. Sourced behind lib.sh.
#
#     chroot_options "trixie sid" "$@"
#     set -- "${ARGS[@]}"
#
# Systems stay in $cache for the next run: SUITE with what building and testing
# need, SUITE.base with nothing but Debian's smallest. What stage calls runs where
# "set -e" means nothing.

suites=() cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/devid
mirror=http://deb.debian.org/debian
passed=0 failed=0

# chroot_options SUITES ARGUMENT...: take --suite, one of SUITES, --cache and
# --mirror from a script's arguments; the others are left in the array ARGS.
chroot_options() {
    local known=$1
    shift
    ARGS=()
    while (($#)); do
        case $1 in
        --suite | --cache | --mirror)
            (($# > 1)) || fail "$1 needs a word after it; see --help"
            ;;&
        --suite)
            [[ " $known " == *" $2 "* ]] ||
                fail "--suite is one of $known, not \"$2\""
            suites+=("$2")
            shift
            ;;
        --cache)
            cache=$(realpath -m "$2")
            shift
            ;;
        --mirror)
            mirror=$2
            shift
            ;;
        *) ARGS+=("$1") ;;
        esac
        shift
    done
}

# devices_in DIR: make a device there, mount and change the root directory, as
# debootstrap does; what an unprivileged container forbids.
devices_in() {
    # shellcheck disable=SC2016
    unshare --mount --pid --fork --kill-child --propagation private \
        bash -euc 'mount -t tmpfs tmpfs "$1"
        mknod "$1/null" c 1 3
        echo >"$1/null"
        mkdir "$1/proc" "$1/root"
        mount -t proc proc "$1/proc"
        mkdir "$1/pts"
        mount -t devpts -o newinstance,ptmxmode=666 devpts "$1/pts"
        mount --rbind / "$1/root"
        chroot "$1/root" /bin/true' devices "$1" >/dev/null 2>&1
}

# answers: whether the mirror does.
answers() {
    curl --silent --head --fail --location --max-time 20 --output /dev/null \
        "$mirror/dists/sid/InRelease"
}

# are_made: whether all chroots that are asked for are there.
are_made() {
    local suite
    for suite in "${suites[@]}"; do
        [[ -e $cache/$suite ]] || return 1
    done
}

# hindrance: print why chroots cannot be made here, if so.
hindrance() {
    local probe
    if ((EUID)); then
        echo "it needs root"
        return
    fi
    if ! mkdir -p "$cache" 2>/dev/null ||
        ! probe=$(mktemp -d "$cache/probe.XXXXXXXX" 2>/dev/null); then
        echo "$cache cannot be written to"
        return
    fi
    if ! devices_in "$probe"; then
        echo "devices, mounts or a change of the root directory are not allowed here"
    elif are_made; then
        :
    elif ! command -v debootstrap >/dev/null; then
        echo "debootstrap is not installed"
    elif ! command -v ip >/dev/null; then
        echo "ip (iproute2) is not installed"
    elif (($(df --output=avail --block-size=M "$cache" | tr -dc '0-9') < 2048)); then
        echo "less than 2 GB are free in $cache"
    elif ! answers; then
        echo "$mirror does not answer"
    fi
    rmdir "$probe"
}

# alone ROOT COMMAND...: as inside, without the network and with all ports free.
alone() {
    LONE=1 inside "$@"
}

# inside ROOT COMMAND...: run it in that chroot, this tree at /srv/devid, in
# namespaces of its own, so that mounts and processes end with it. The machine is
# called "debian" there. Its devices are its own: what is done to them in there is
# not done to the machine's.
inside() {
    local root=$1
    shift
    # shellcheck disable=SC2016
    unshare --mount --pid --uts ${LONE:+--net} --fork --kill-child \
        --propagation private \
        bash -euc 'root=$1 top=$2 lone=$3
        shift 3
        hostname debian
        [[ ! $lone ]] || ip link set lo up
        mount -t tmpfs -o mode=755 tmpfs "$root/dev"
        for node in null:3 zero:5 full:7 random:8 urandom:9; do
            mknod -m 666 "$root/dev/${node%:*}" c 1 "${node#*:}"
        done
        mknod -m 666 "$root/dev/tty" c 5 0
        mkdir "$root/dev/pts" "$root/dev/shm"
        chmod 1777 "$root/dev/shm"
        mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
        ln -s pts/ptmx "$root/dev/ptmx"
        ln -s /proc/self/fd "$root/dev/fd"
        for node in stdin:0 stdout:1 stderr:2; do
            ln -s "/proc/self/fd/${node#*:}" "$root/dev/${node%:*}"
        done
        mount -t proc proc "$root/proc"
        mount -t tmpfs tmpfs "$root/tmp"
        chmod 1777 "$root/tmp"
        mkdir -p "$root/srv/devid"
        mount --bind "$top" "$root/srv/devid"
        mount -o remount,bind,ro "$root/srv/devid"
        cp /etc/resolv.conf "$root/etc/resolv.conf"
        exec chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 \
            PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
            http_proxy="${http_proxy:-}" "$@"' inside "$root" "$TOP" "${LONE:-}" "$@"
}

# bootstrap SUITE BASE: BASE's smallest system in ROOT, for that suite. False
# where it fails, as all that stage calls: there "set -e" means nothing.
bootstrap() {
    local base=$2 script=()
    rm -rf "$ROOT.new"
    # An older debootstrap has no script for a newer suite: all are sid's.
    [[ -e /usr/share/debootstrap/scripts/$base ]] ||
        script=(/usr/share/debootstrap/scripts/sid)
    debootstrap --variant=minbase "$base" "$ROOT.new" "$mirror" \
        "${script[@]}" || return
    # A chroot is no place for services.
    printf '#!/bin/sh\nexit 101\n' >"$ROOT.new/usr/sbin/policy-rc.d"
    chmod 755 "$ROOT.new/usr/sbin/policy-rc.d"
    [[ $1 == "$base" ]] || echo "deb $mirror $1 main" \
        >"$ROOT.new/etc/apt/sources.list.d/$1.list"
    mv "$ROOT.new" "$ROOT"
}

# make_base SUITE NAME: that suite's base system in $cache/NAME, unless it is
# there, brought up to date. False where that fails. Sets ROOT.
make_base() {
    local base=$1
    [[ $1 != experimental ]] || base=sid
    ROOT=$cache/$2
    mkdir -p "$cache"
    [[ -e $ROOT ]] || bootstrap "$1" "$base" || return
    # Old lists are as good as no network; nobody is there to be asked.
    printf '%s "%s";\n' Acquire::Check-Valid-Until false APT::Get::Assume-Yes true \
        >"$ROOT/etc/apt/apt.conf.d/90devid"
    # dpkg: what a run that was cut short has left.
    inside "$ROOT" dpkg --configure -a &&
        inside "$ROOT" apt-get update -q &&
        inside "$ROOT" apt-get upgrade -q -y
}

# make_root SUITE PACKAGE...: that suite's system with what building and testing
# need, and these packages. False where that fails. Sets ROOT.
make_root() {
    local suite=$1 missing=()
    shift
    ROOT=$cache/$suite
    if [[ -e $ROOT/srv/complete ]] && ! answers; then
        echo "$mirror does not answer: $ROOT stays as it is"
        return
    fi
    make_base "$suite" "$suite" || return
    # apache2 hands pkcs11: URIs to libp11's engine where that is installed.
    mapfile -t missing < <(inside "$ROOT" /srv/devid/swtpm-ci/install --list |
        grep -vx libengine-pkcs11-openssl)
    inside "$ROOT" apt-get install -q -y --no-install-recommends \
        "${missing[@]}" "$@" &&
        inside "$ROOT" apt-get clean || return
    : >"$ROOT/srv/complete"
}

# said TEXT...: one line of result.
said() {
    printf '%-44s %s\n' "$1" "$2"
}

# stage NAME COMMAND...: run it, its output only where it fails.
stage() {
    local name=$1 start=$SECONDS
    shift
    if "$@" >"$log" 2>&1 </dev/null; then
        passed=$((passed + 1))
        said "$name" "ok      $((SECONDS - start)) s"
        return
    fi
    failed=$((failed + 1))
    tail -n 60 "$log"
    said "$name" "FAILED  $((SECONDS - start)) s"
    return 1
}

# chroots_or_end CHECK: where chroots cannot be made here, say why and end;
# where CHECK is not empty end in any case, with nothing said if they can.
chroots_or_end() {
    local why
    why=$(hindrance)
    if [[ $1 ]]; then
        [[ ! $why ]] || echo "$why"
        exit 0
    fi
    [[ ! $why ]] || fail "$why"
    log=$(mktemp)
}
