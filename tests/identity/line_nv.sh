#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A device whose TPM takes a certificate in pieces only, and one whose TPM has
# no room for it.
#
# Usage: line_nv.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/line_common.sh"
make_line

# small_buffer BYTES: from now on the chip's NV buffer takes no more.
small_buffer() {
    stop_trace
    start_trace --nv-buffer "$1"
}
# pieces COMMAND BYTES: so many of it as the chip needs for that.
pieces() {
    local i
    for ((i = 0; i < $2; i += BUFFER)); do
        printf ' %s' "$1"
    done
}
size_of() {
    openssl x509 -in "$1" -outform DER | wc -c
}

say "A chip whose NV buffer takes 200 bytes"
BUFFER=200
small_buffer "$BUFFER"
tpm2_getcap --tcti "$DEVID_TCTI" properties-fixed >properties
assert_contains "it says so" "$(printf 'TPM2_PT_NV_BUFFER_MAX:\n  raw: 0x%X' \
    "$BUFFER")" "$(<properties)"
# TPM2_NV_Read of 201 bytes, by the index's own empty password.
printf '%b' '\x80\x02\0\0\0\x23\0\0\x01\x4e\x01\xc0\0\x02\x01\xc0\0\x02' \
    '\0\0\0\x09\x40\0\0\x09\0\0\0\0\0\0\xc9\0\0' >nv_read
assert_equal "and takes no more" "80010000000a000001c4" \
    "$(tpm2_send --tcti "$DEVID_TCTI" <nv_read | hex_of - | tr A-F a-f)"
trace_reset
provision >out || fail "$(<out)"
assert_whole "in pieces"
NV="GetCapability$(pieces NV_Read "$(tpm2_nvread 0x01c00002 2>/dev/null | wc -c)")"
for file in iak cert; do
    size=$(size_of "id/$file.pem")
    KEPT+=" NV_DefineSpace$(pieces NV_Write "$size")$(pieces NV_Read "$size")"
done
assert_equal "each piece a command" \
    "GetCapability GetCapability ReadPublic NV_ReadPublic $NV$KEPT" \
    "$(commands | sed -E 's/ CreatePrimary.* ActivateCredential//
        s/ ReadPublic Sign$//')"
assert_equal "it was never asked for more than it takes" "" \
    "$(commands | grep -o 'NV_[A-Za-z]*:0x1' || true)"
trace_reset
provision >out || fail "$(<out)"
assert_equal "once more, what is there is read in pieces" \
    "$(pieces NV_Read "$(size_of id/iak.pem)")" \
    " $(commands | sed -E 's/.* NV_DefineSpace:0x14c NV_ReadPublic ((NV_Read ?)+) NV_DefineSpace.*/\1/')"

# killed AFTER: provision anew is, when so many pieces are written, and one more
# is on its way.
killed() {
    local index
    rm -rf id id.*
    for index in 0x01c90100 0x01c90200; do
        tpm2_nvundefine -Q -C o "$index" 2>/dev/null || true
    done
    fault "hold NV_Write after=$1 times=1"
    EXEC="exec" provision >out 2>&1 &
    PROVISION=$!
    fault_holds "$PROVISION"
    {
        kill -KILL "$PROVISION"
        wait "$PROVISION" || true
    } 2>/dev/null
    fault_clear
}
say "Killed between two pieces"
PIECES=$(($(size_of id/iak.pem) / BUFFER + 1))
for ((n = 0; n < PIECES - 1; n++)); do
    killed "$n"
    provision >out 2>&1 || fail "run again: $(<out)"
    assert_contains "piece $((n + 1)) of $PIECES is no certificate" \
        "note: the certificate at tpm2:nv=0x01c90100 was not whole" "$(<out)"
    assert_whole "and is replaced"
done
killed $((PIECES - 1))
provision >out 2>&1 || fail "run again: $(<out)"
assert_equal "the last one makes it whole" "" "$(grep note: out || true)"
killed "$PIECES"
provision >out 2>&1 || fail "run again: $(<out)"
assert_contains "the IDevID's too" \
    "note: the certificate at tpm2:nv=0x01c90200 was not whole" "$(<out)"
assert_whole "killed"
small_buffer $(($(size_of id/iak.pem) - 40))
killed 0
provision >out 2>&1 || fail "run again: $(<out)"
assert_contains "nor is one that lacks the end of its signature" \
    "note: the certificate at tpm2:nv=0x01c90100 was not whole" "$(<out)"
assert_whole "in two pieces"

say "A chip without room"
tpm2_nvundefine -Q -C o 0x01c90100
tpm2_nvundefine -Q -C o 0x01c90200
rm -r id id.*
index=$((0x01c98000))
while tpm2_nvdefine -Q -C o -s 600 "$index" 2>/dev/null; do
    index=$((index + 1))
done
fails 6 "is told of" "the TPM's non-volatile memory has no room for"
assert_contains "with what helps" "--nv=optional keeps the certificates on disk\
 alone" "$OUTPUT"
[[ ! -e id ]] || fail "it has a folder all the same"
provision --nv=optional >out 2>&1 || fail "$(<out)"
assert_contains "which does" "no room: certificates on disk alone" "$(<out)"
assert_equal "its steps" "station keys enrol activate nv disk test" \
    "$(sed -n 's/^\([a-z]*\) .* s  .*/\1/p' out | xargs)"
assert_equal "the station knows it by its certificate" \
    "$(ledger_cert)" \
    "$(openssl x509 -in id/cert.pem -outform DER | hex_of -)"
assert_equal "nothing is in NV" "" "$(tpm2_getcap handles-nv-index |
    grep -i 0x1c90 || true)"
assert_nothing_left
