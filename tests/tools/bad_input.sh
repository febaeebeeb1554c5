#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What goes wrong gets one sentence of the tool: devices that are not there,
# key files that are damaged, places that are empty.
#
# Usage: bad_input.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK"
start_tpm --srk
"$DEVID" keygen --out key.pem
"$DEVID" keygen --persist 0x81000010 --out stays.pem
plain_key plain

say "Damaged key files"
for key in key.pem stays.pem; do
    for size in 1 40 120 200; do
        head -c $size $key >cut.pem
        refuses "the first $size bytes of $key" "cut.pem" show cut.pem
        refuses "and to sign with" "" \
            csr --key cut.pem --subject /CN=x --out none
    done
    sed '2s/^......../AAAAAAAA/' $key >garbled.pem
    refuses "$key, garbled" "garbled.pem" show garbled.pem
    refuses "and to sign with" "" \
        csr --key garbled.pem --subject /CN=x --out none
    sed '/BEGIN\|END/d' $key | base64 -d >key.der
    succeeds "$key as DER" show --json key.der
    assert_equal "is the same key" \
        "$("$DEVID" show --json $key | jq -r '.[0].public_key_sha256')" \
        "$(json '.[0].public_key_sha256')"
    head -c -1 key.der >cut.der
    refuses "$key as DER without its last byte" "cut.der" show cut.der
    (cat key.der && printf x) >long.der
    refuses "$key as DER with a byte too many" "long.der" show long.der
done

say "Keys and certificates together"
"$DEVID" csr --key key.pem --subject /CN=x --out unit.csr
make_ca ca
sign_csr unit.csr unit.pem
sign_csr plain.csr plain.pem
cat key.pem unit.pem ca/ca.pem >combined.pem
succeeds "a combined file" show --json combined.pem plain.pem
assert_equal "each certificate says whose it is" \
    "certificate combined.pem,certificate null,certificate null" \
    "$(json 'map(select(.type != "key") | "\(.type) \(.belongs_to)") | join(",")')"
succeeds "for people too" show key.pem plain.pem
assert_contains "the certificate of another key" "belongs to:            none" \
    "$OUTPUT"
succeeds "a combined file signs" \
    csr --key combined.pem --subject /CN=y --out y.csr

say "Places that are empty, or hold another key"
refuses "an empty handle" "there is nothing at handle 0x81000099" \
    show tpm2:handle=0x81000099
refuses "an empty NV index" "there is nothing at NV index 0x01c90200" \
    show tpm2:nv=0x01c90200
for uri in tpm2:handle=0x8100zz tpm2:handle=0x01c90200 tpm2:nv=0x81000001 \
    'tpm2:;handle=0x81000010' tpm2:colour=red handle:0x123456789; do
    refuses "the URI $uri" "URI" show "$uri"
done
"$DEVID" delete --yes tpm2:handle=0x81000010
refuses "a reference to a handle that is empty" "0x81000010" \
    csr --key stays.pem --subject /CN=x --out none
"$DEVID" keygen --persist 0x81000010 --out other.pem
refuses "a reference to a handle that holds another key" "another key" \
    csr --key stays.pem --subject /CN=x --out none

say "Another TPM, none, and a way to it that is none"
start_tpm --srk other
refuses "a key of another TPM" "another TPM" \
    csr --key key.pem --subject /CN=x --out none
succeeds "its file can be shown anywhere" show key.pem
stop_tpm
here=$DEVID_TCTI
for command in whoami list "keygen --out none" "show tpm2:handle=0x81000001" \
    "csr --key key.pem --subject /CN=x --out none" "test key.pem" \
    "delete --yes tpm2:handle=0x81000010"; do
    # shellcheck disable=SC2086
    refuses "$command with no TPM" "no TPM answers at $here" $command
done
refuses "a TCTI that is none" "there is no TCTI library for 'warp'" \
    whoami --tcti warp:drive
refuses "options that the TCTI does not take" "does not take the options" \
    whoami --tcti swtpm:wrong=1
refuses "a device file that is none" "there is no TPM at /dev/none" \
    whoami --tcti device:/dev/none
refuses "a TCTI that is empty" "tcti is empty" whoami --tcti ''
refuses "a device of another kind" "usb" keygen --device usb: --out none
DEVID_LOCK_TIMEOUT=soon refuses "a bad value in the environment" \
    "DEVID_LOCK_TIMEOUT is 'soon'" whoami
[[ ! -e none ]] || fail "a failure left a file"

say "The command line wins over the environment"
use_tpm tpm
there=$DEVID_TCTI
DEVID_TCTI=$here succeeds "--tcti" whoami --json --tcti "$there"
assert_equal "names the TPM" "$there" "$(json .device)"
