#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid doctor on who reaches the TPM. Modes and groups are those of files in a
# system of its own. Needs no TPM.
#
# Usage: access.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
a_root

# Owners are what the passwd and group of that system say they are.
printf 'owner:x:%d:%d::/:/bin/sh\n' "$EUID" "$(id -g)" >>"$ROOT/etc/passwd"
printf 'chip:x:%d:\n' "$(id -g)" >"$ROOT/etc/group"
printf 'www-data:x:33:\n' >>"$ROOT/etc/group"

say "No TPM"
doctor_of_root
finds "is to be looked at" access.device warning "there is no TPM at /dev/tpmrm0"
finds "it is said where" access.tcti ok "device:/dev/tpmrm0 (the default)"

say "A TPM of a group"
touch "$ROOT/dev/tpmrm0"
chmod 0660 "$ROOT/dev/tpmrm0"
doctor_of_root
finds "is in order" access.device.mode ok "mode 0660"
finds "and mine" access.device.self ""
assert_equal "an unmanaged link is not used" "" "$(found access.resource_manager)"
sed -i 's/^chip:.*/&www-data/' "$ROOT/etc/group"
doctor_of_root
finds "its members are named" access.device.mode ok "reach it: "
assert_contains "one of them" www-data "$(says access.device.mode)"

say "A TPM of everybody"
chmod 0666 "$ROOT/dev/tpmrm0"
doctor_of_root
finds "is bad" access.device.open bad "chmod 0660 /dev/tpmrm0"
chmod 0660 "$ROOT/dev/tpmrm0"

say "/dev/tpm0"
touch "$ROOT/dev/tpm0"
chmod 0660 "$ROOT/dev/tpm0"
doctor_of_root --tcti device:/dev/tpm0
finds "beside /dev/tpmrm0" access.resource_manager warning "one program at a time"
rm "$ROOT/dev/tpmrm0"
doctor_of_root --tcti device:/dev/tpm0
finds "alone" access.resource_manager ""
mv "$ROOT/dev/tpm0" "$ROOT/dev/tpmrm0"

say "Workers of nginx"
printf '%s\n' '# user root;' 'user  www-data;' 'worker_processes 4;' \
    >"$ROOT/etc/nginx/nginx.conf"
doctor_of_root
finds "that are in the group" access.worker ok "user www-data, reach"
sed -i 's/^chip:\(.*\)www-data/chip:\1/' "$ROOT/etc/group"
if [[ $(id -g) != 33 ]]; then
    doctor_of_root
    finds "that are not" access.worker warning "usermod -aG chip www-data"
    mkdir "$ROOT/etc/haproxy"
    printf '%s\n' 'global' '    user www-data' >"$ROOT/etc/haproxy/haproxy.cfg"
    doctor_of_root
    finds "haproxy's too" access.worker "warning warning" "restart haproxy"
fi
printf 'user nobody-there;\n' >"$ROOT/etc/nginx/nginx.conf"
doctor_of_root
finds "of a user that is not there" access.worker.user warning nobody-there

say "A user who may not open it"
doctor_of_root --dump "$WORK/dump.json"
jq '.access.user = "someone" | .access.devices[0].opens = false' \
    "$WORK/dump.json" >"$WORK/changed.json"
doctor --from "$WORK/changed.json"
finds "is told what to type" access.device.self bad "usermod -aG chip someone"

say "A token"
doctor_of_root --device pkcs11:token=none
finds "is no matter of the TPM" access.tcti ""
