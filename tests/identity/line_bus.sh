#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What a provisioning says on the TPM's bus: each command that carries a secret
# encrypts it, in a session that is salted to the EK; and who answers there with
# a key of his own in the EK's place is noticed before anything is sent.
#
# Usage: line_bus.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/line_common.sh"
EK=81010001 DECRYPT=0x20 ENCRYPT=0x40
ACTIVATE=00000147 CHANGE_AUTH=00000129 NV_WRITE=00000137 START=00000176

# sent CODE: the commands of that code that have crossed, in hex, one a line.
sent() {
    sed -n "s/^[0-9]* > \(800[12].\{8\}$1\)/\1/p" raw
}

# attributes COMMAND HANDLES: those of its sessions, one behind another.
attributes() {
    local rest=${1:$((20 + 8 * $2))} area all=() size
    size=$((16#${rest:0:8} * 2))
    area=${rest:8:size}
    while [[ $area ]]; do
        area=${area:8}                              # the session's handle
        area=${area:$((4 + 2 * 16#${area:0:4}))}    # its nonce
        all+=("0x${area:0:2}")
        area=${area:$((6 + 2 * 16#${area:2:4}))}    # and its HMAC
    done
    echo "${all[@]}"
}

# carried WHAT CODE HANDLES WANTED COUNT: so many commands of the code have
# crossed, and each has a session with the WANTED attributes.
carried() {
    local command value count=0 good
    while read -r command; do
        good=
        for value in $(attributes "$command" "$3"); do
            (((value & $4) == $4)) && good=1
        done
        [[ $good ]] || fail "$1: a command without such a session: $command"
        count=$((count + 1))
    done < <(sent "$2" | grep -E "${6:-}")
    assert_equal "$1" "$5" "$count"
}

make_line
say "Who sits on the bus shows another EK"
direct=$DEVID_TCTI
export INTERPOSER_HANDLE=0x$EK
DEVID_TCTI=$BUILD_DIR/tests/identity/interposer.so:$direct
fails 5 "is noticed" "the endorsement key that this TPM shows at 0x$EK is another\
 than the one in its certificate at 0x01c00002: somebody between here and the TPM\
 shows a key of his own"
assert_equal "before anything is salted to it, or signed" "" \
    "$(sent $START | grep $EK || true)$(trace_list |
        grep -oE 'ActivateCredential|Sign' || true)"
assert_equal "and before the station is asked" 0 \
    "$(ledger 'select count(*) from unit')"
DEVID_TCTI=$direct

say "Who sits on the bus changes what the TPM certifies"
# The last bit of its signature, the IAK's, by which the station goes. Certify has
# its policy's session, whose HMAC tells before; it is not salted, so that who
# sits there could make that anew, and comes to the station as the other does.
assert_uncertified() {
    fault_clear
    assert_equal "and there is no certificate, and no folder" "0 " \
        "$(ledger 'select count(*) from certificate') $(ls -d id 2>/dev/null || true)"
}
fault "garble CertifyCreation"
fails 3 "the IAK's creation is refused" "the request's atCertifyInfoSig is not the\
 IAK's over atCertifyInfo"
assert_uncertified
fault "garble Certify"
fails 5 "what it says of the IDevID as well" "the TPM did not certify its IDevID"
assert_uncertified

say "Without him the TPM is provisioned and locked"
: >raw
provision --lock >out || fail "$(<out)"
carried "the challenge's answer comes encrypted" $ACTIVATE 2 \
    $((DECRYPT | ENCRYPT)) 1
carried "each new authorisation goes encrypted" $CHANGE_AUTH 1 $DECRYPT 3
carried "and so does what they are made from" $NV_WRITE 2 $DECRYPT 1 \
    "$NV_WRITE(01800d1d){2}"
# Its first handle is the key that the salt is encrypted to.
salted=$(sent $START | cut -c 21-28 | sort | uniq -c | awk '{ print $2 ":" $1 }' |
    xargs)
assert_equal "what hides something is salted to the EK, the rest to nobody" \
    "40000007:2 $EK:4" "$salted"
