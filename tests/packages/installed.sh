#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# On a machine where devid's packages are installed: nginx, curl and a station
# work by README's lines. Run by swtpm-ci/packages in a chroot of its own, as root:
# it writes into /etc and /var/lib, and takes README's ports.
#
# Usage: installed.sh
source "$(dirname "$0")/../../swtpm-ci/lib.sh"
harness_options "$@"
((EUID == 0)) || fail "this is for root of a system that may be thrown away"
[[ $(command -v devid) == /usr/bin/devid ]] || fail "devid is not installed"
harness_dir
cd "$WORK"

say "What is there"
assert_contains "the tool has its version" "devid 0." "$(devid --version)"
for page in devid devid-keygen devid-provider devid-station; do
    man "$page" >page.txt 2>man.err || fail "man $page: $(<man.err)"
done
say "  ok: and its manuals"

assert_contains "bash completes it" devid \
    "$(ls /usr/share/bash-completion/completions)"

say "A key, a certificate, nginx, curl"
"$TOP/tests/docs/run_tutorial" --installed \
    --section "A key, a certificate, nginx, curl" "$TOP/README.md"

say "An identity that stays, whatever becomes of the packages"
start_vendor_tpm
mkdir -p /var/lib/devid/unit
devid keygen --out /var/lib/devid/unit/key.pem

say "A station"
port=$(free_port)
as_station=(setpriv --reuid devid-station --regid devid-station --clear-groups
    env -u DEVID_TCTI -u TPM2TOOLS_TCTI HOME=/var/lib/devid-station)
cd /var/lib/devid-station
"${as_station[@]}" devid-station init --name line-1 --host localhost --port "$port" \
    >"$WORK/init.log"
"${as_station[@]}" cp /dev/stdin vendors/vendor.pem <"$WORK/vendor-ca/cert.pem"
"${as_station[@]}" cp /dev/stdin vendors/root.pem \
    <"$WORK/vendor-ca/swtpm-localca-rootca-cert.pem"
"${as_station[@]}" devid-station batch open --name spring --product Gate --count 1 \
    --token-out spring.token >>"$WORK/init.log"
cd "$WORK"
spawn station "${as_station[@]}" devid-station serve
await "the station" "$SPAWNED" grep -qs '"listening"' station.log
devid provision --station "https://localhost:$port" --serial SN123 --model Gate \
    --ca /var/lib/devid-station/ca.pem \
    --token-source file:/var/lib/devid-station/spring.token >provision.log
assert_contains "it gives the device its identity" SN123 \
    "$(openssl x509 -in /var/lib/devid/idevid/cert.pem -noout -subject)"
halt "$SPAWNED"
