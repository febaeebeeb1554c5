#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid doctor --root: symbolic links of another system lead to its files, and
# never to this one's. Needs no TPM.
#
# Usage: root.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
a_root
mkdir -p "$WORK/host" "$ROOT/opt"

# status VERSION: a list of packages with that OpenSSL.
status() {
    printf '%s\n' 'Package: libssl3' 'Status: install ok installed' "Version: $1"
}
# linked TARGET: the list of packages is a link to it, and the doctor looks.
linked() {
    ln -sfn "$1" "$ROOT/var/lib/dpkg/status"
    doctor_of_root
}
status 3.0.1-here >"$WORK/host/status"
status 3.0.2-there >"$ROOT/opt/status"
up=../../../../../../../../../../../../../..

say "Links of a system below --root"
linked /opt/status
finds "an absolute one" package.versions ok "openssl 3.0.2-there"
linked ../../../opt/status
finds "a relative one" package.versions ok "openssl 3.0.2-there"
ln -sfn /opt "$ROOT/data"
linked /data/./status
finds "one through a folder that is a link itself" package.versions ok \
    "openssl 3.0.2-there"
linked "$up/opt/status"
finds "one that climbs above the root stays in it" package.versions ok \
    "openssl 3.0.2-there"
linked "$WORK/host/status"
finds "one to a file of this system finds none" package.versions ""
linked "$up$WORK/host/status"
finds "nor does one that climbs to it" package.versions ""
linked status
finds "nor one to itself" package.versions ""

say "Folders that are links"
rm -r "$ROOT/etc/systemd"
mkdir -p "$WORK/host/systemd/system"
printf '[Service]\nPrivateDevices=yes\n' >"$WORK/host/systemd/system/nginx.service"
ln -s "$WORK/host/systemd" "$ROOT/etc/systemd"
doctor_of_root
finds "this system's units are not the other's" service.others ""
mkdir -p "$ROOT$WORK/host"
cp -r "$WORK/host/systemd" "$ROOT$WORK/host/"
doctor_of_root
finds "its own are" service.others note nginx.service

say "What its openssl.cnf includes"
printf '%s\n' 'openssl_conf = init' "  .include = $WORK/host/more.cnf" '[init]' \
    'providers = list' '[list]' 'default = on' '[on]' 'activate = 1' \
    >"$ROOT/etc/ssl/openssl.cnf"
printf '[list]\ndevid = on\n' >"$WORK/host/more.cnf"
doctor_of_root
finds "is not looked for here" openssl.devid note "no openssl.cnf lists devid"
