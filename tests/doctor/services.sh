#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid doctor on systemd's units. Needs no TPM.
#
# Usage: services.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
a_root
LIB=$ROOT/usr/lib/systemd/system
ETC=$ROOT/etc/systemd/system

# unit FILE LINE...: write it, as a [Service].
unit() {
    mkdir -p "$(dirname "$1")"
    printf '%s\n' '[Unit]' 'Description=PrivateDevices=no' '[Service]' \
        "${@:2}" >"$1"
}

# told: what a unit has that is to use a key.
told='Environment=OPENSSL_CONF=/etc/devid/openssl.cnf'

say "A unit that is to use a key"
unit "$LIB/gate.service" "$told"
doctor_of_root
finds "with nothing in its way" service.devices ok gate.service
unit "$LIB/gate.service" "$told" 'PrivateDevices=yes'
doctor_of_root
finds "with PrivateDevices" service.devices bad "PrivateDevices=yes"
finds "and what to type" service.devices bad "systemctl edit gate.service"
unit "$ETC/gate.service.d/override.conf" 'PrivateDevices=no'
doctor_of_root
finds "which a drop-in takes back" service.devices ok
unit "$ETC/gate.service.d/override.conf" 'PrivateDevices=no' \
    'DevicePolicy=closed'
doctor_of_root
finds "with DevicePolicy=closed" service.devices bad "DevicePolicy=closed"
unit "$ETC/gate.service.d/override.conf" 'PrivateDevices=no' \
    'DevicePolicy=closed' 'DeviceAllow=/dev/tpmrm0 rw'
doctor_of_root
finds "and DeviceAllow" service.devices ok
unit "$ETC/gate.service.d/override.conf" 'PrivateDevices=no' \
    'DeviceAllow=/dev/null rw'
doctor_of_root
finds "with another device alone" service.devices bad "DeviceAllow="
unit "$ETC/gate.service.d/override.conf" \
    'Environment=DEVID_TCTI=swtpm:port=2321'
doctor_of_root
finds "whose TPM is no file" service.devices ok
rm -r "$ETC/gate.service.d"

say "An administrator's unit in place of the package's"
unit "$ETC/gate.service" "$told"
doctor_of_root
finds "wins" service.devices ok
# shellcheck disable=SC1003
unit "$ETC/gate.service" 'Environment="A=b c" \' \
    '    "OPENSSL_CONF=/etc/devid/openssl.cnf"' 'PrivateDevices = true'
doctor_of_root
finds "whatever way it is written" service.devices bad
rm "$ETC/gate.service"

say "Others"
unit "$LIB/gate.service" 'PrivateDevices=yes'
unit "$LIB/nginx.service" 'PrivateDevices=no'
doctor_of_root
finds "that have nothing to do with keys" service.others ""
unit "$LIB/nginx.service" 'PrivateDevices=yes'
unit "$LIB/stunnel@.service" 'PrivateDevices=yes'
doctor_of_root
finds "servers that may come to it" service.others note \
    "nginx.service, stunnel@.service"
finds "are no more than a note" service.devices ""
