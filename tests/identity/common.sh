# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What these tests share: a device, and a station made of tpm2-tools, which
# asks no TPM, and openssl.

# shellcheck source=../../swtpm-ci/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../swtpm-ci/lib.sh"
harness_options "$@"
DEVICE=$BUILD_DIR/tests/identity/device
UNIT=unit

# device ARGUMENT...: the program under test; its fields are in $WORK/$UNIT.
device() {
    mkdir -p "$WORK/$UNIT"
    "$DEVICE" "$@" "$WORK/$UNIT"
}

# field NAME: the file of a field.
field() {
    echo "$WORK/$UNIT/$1"
}

# hex FILE: its bytes.
hex() {
    od -An -v -tx1 "$1" | tr -d ' \n'
}

# public_of NAME: a TPMT_PUBLIC as the TPM2B_PUBLIC that tpm2-tools read:
# $WORK/$UNIT/NAME.pub, and as PEM, NAME.pem. Prints the Name.
public_of() {
    local area size
    area=$(field "$1")
    size=$(stat -c %s "$area")
    {
        # shellcheck disable=SC2059
        printf "\\x$(printf %02x $((size >> 8)))\\x$(printf %02x $((size & 255)))"
        cat "$area"
    } >"$area.pub"
    tpm2_print -t TPM2B_PUBLIC -f pem "$area.pub" >"$area.pem"
    printf '000b'
    openssl dgst -sha256 -r "$area" | cut -d ' ' -f 1
}

# der_signature NAME: an ECDSA TPMT_SIGNATURE as openssl reads it: NAME.der.
der_signature() {
    local rest r s
    rest=$(hex "$(field "$1")")
    [[ $rest == 0018000b* ]] || fail "$1 is no ECDSA signature: $rest"
    rest=${rest:8}
    r=${rest:4:$((16#${rest:0:4} * 2))}
    rest=${rest:$((4 + ${#r}))}
    s=${rest:4:$((16#${rest:0:4} * 2))}
    openssl asn1parse -genconf <(printf '%s\n' asn1=SEQUENCE:sig '[sig]' \
        "r=INTEGER:0x$r" "s=INTEGER:0x$s") -noout -out "$(field "$1").der"
}

# assert_signed WHAT KEY DATA SIGNATURE: fields; by the key whose PEM public_of
# has made.
assert_signed() {
    der_signature "$4"
    assert_equal "$1" "Verified OK" "$(openssl dgst -sha256 \
        -verify "$(field "$2").pem" -signature "$(field "$4").der" \
        "$(field "$3")" 2>&1)"
}

# challenge TEXT NAME: what a station sends to the IAK of that Name behind the
# EK of the last request: a secret TEXT.
challenge() {
    printf '%s' "$1" >"$WORK/secret"
    public_of ekPub >/dev/null
    tpm2_makecredential -Q -T none -u "$(field ekPub).pub" -s "$WORK/secret" \
        -n "$2" -o "$(field challenge)"
}

# commands: those since the reset, in one line. swtpm puts off the first signature
# after its start by TPM_RC_RETRY; that answer is left out.
commands() {
    trace_list | sed -E 's/[A-Za-z]+:0x922 //'
}

# assert_nothing_left: no loaded object, no session.
assert_nothing_left() {
    assert_equal "${1:-afterwards} nothing is loaded in the TPM" "" \
        "$(tpm2_getcap handles-transient)$(tpm2_getcap \
            handles-loaded-session)"
}
