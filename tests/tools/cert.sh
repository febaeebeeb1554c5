#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid cert: a key's certificate in the TPM's NV memory, or on the token beside
# the key; another key's is refused, and what is there is not lost by accident.
#
# Usage: cert.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK"
start_tpm --srk
make_ca ca
printf 's3cret\n' >value
index=0x01c90200

# certify KEY NAME [OPTION...]: the CA's certificate for the key, NAME.pem.
certify() {
    "$DEVID" csr --key "$1" --subject "/CN=$2" --force --out "$2.csr" "${@:3}"
    sign_csr "$2.csr" "$2.pem"
}

# same_cert A B: both files hold one certificate, whatever stands around it.
same_cert() {
    assert_equal "$1 is $2" \
        "$(plain_openssl x509 -in "$1" -noout -fingerprint -sha256)" \
        "$(plain_openssl x509 -in "$2" -noout -fingerprint -sha256)"
}

# large_cert KEY NAME BYTES: a certificate with that much in an extension.
large_cert() {
    local text
    certify "$1" "$2"
    text=$(head -c "$3" /dev/zero | tr '\0' x)
    printf 'basicConstraints=CA:FALSE\nnsComment=%s\n' "$text" >large.ext
    plain_openssl x509 -req -in "$2.csr" -CA ca/ca.pem -CAkey ca/ca.key \
        -extfile large.ext -out "$2.pem" 2>/dev/null
}

# written: how many NV_Write commands the TPM got since the trace was reset.
written() {
    trace_count NV_Write
}

say "In a TPM"
"$DEVID" keygen --out key.pem
certify key.pem first
start_trace
succeeds "put" cert put --key key.pem --cert first.pem --nv $index
assert_equal "prints nothing" "" "$OUTPUT"
assert_equal "it is one piece" 1 "$(written)"
succeeds "list shows it" list --json
assert_equal "by its role" "IDevID certificate" \
    "$(json ".[] | select(.uri == \"tpm2:nv=$index\").role")"
succeeds "get" cert get --key key.pem --nv $index --out got.pem
same_cert got.pem first.pem
plain_openssl x509 -in first.pem -outform DER -out first.der
tpm2_nvread -C o $index -o nv.der 2>/dev/null
cmp -s first.der nv.der || fail "tpm2-tools read something else"
say "  ok: tpm2-tools read the same"
trace_reset
succeeds "put again" cert put --key key.pem --cert first.pem --nv $index
assert_equal "writes nothing" 0 "$(written)"
refuses "get over a file" "got.pem exists" \
    cert get --key key.pem --nv $index --out got.pem

say "Something else is there"
certify key.pem second
trace_reset
refuses "is not replaced" "holds something else: give another index, or \
--force to replace it" cert put --key key.pem --cert second.pem --nv $index
assert_equal "nothing was written" 0 "$(written)"
succeeds "but with --force" \
    cert put --force --key key.pem --cert second.pem --nv $index
succeeds "get" cert get --key key.pem --nv $index --out got.pem --force
same_cert got.pem second.pem
tpm2_nvdefine -Q -C o -s 100 -a 'ownerwrite|ownerread' 0x01c90203
refuses "an index of somebody else's" "NV index 0x01c90203" \
    cert get --key key.pem --nv 0x01c90203 --out none
succeeds "that was never written, is taken" \
    cert put --key key.pem --cert first.pem --nv 0x01c90203
tpm2_nvdefine -Q -C o -s 4 -a 'ownerwrite|ownerread|authread' 0x01c90204
printf 'data' | tpm2_nvwrite -Q -C o -i - 0x01c90204
refuses "data" "NV index 0x01c90204 of this TPM holds something else" \
    cert put --key key.pem --cert first.pem --nv 0x01c90204
refuses "are no certificate" "holds no certificate" \
    cert get --key key.pem --nv 0x01c90204 --out none

say "Large ones"
buffer=$(tpm2_getcap properties-fixed |
    awk '/TPM2_PT_NV_BUFFER_MAX/ { getline; print $2 }')
largest=$(tpm2_getcap properties-fixed |
    awk '/TPM2_PT_NV_INDEX_MAX/ { getline; print $2 }')
large_cert key.pem large 1100
len=$(plain_openssl x509 -in large.pem -outform DER | wc -c)
trace_reset
succeeds "one of $len bytes" \
    cert put --key key.pem --cert large.pem --nv 0x01c90201
assert_equal "goes in pieces of $((buffer))" \
    $(((len + buffer - 1) / buffer)) "$(written)"
succeeds "get" cert get --key key.pem --nv 0x01c90201 --out got.pem --force
same_cert got.pem large.pem
large_cert key.pem huge $((largest))
refuses "one larger than an index" "an NV index of it holds $((largest)) at most" \
    cert put --key key.pem --cert huge.pem --nv 0x01c90202
refuses "leaves nothing" "there is nothing at NV index 0x01c90202" \
    cert get --key key.pem --nv 0x01c90202 --out none
if ((len > buffer)); then
    fault "refuse NV_Write 0x923 after=1"
    refuses "a failure in its midst" "0x923" \
        cert put --key key.pem --cert large.pem --nv 0x01c90202
    fault_clear
    refuses "leaves no half of it" "there is nothing at NV index 0x01c90202" \
        cert get --key key.pem --nv 0x01c90202 --out none
fi
stop_trace

say "What does not fit together"
"$DEVID" keygen --out other.pem
certify other.pem strange
refuses "another key's certificate" "strange.pem belongs to another key" \
    cert put --key key.pem --cert strange.pem --nv $index
refuses "another key for a certificate" "tpm2:nv=$index belongs to another key" \
    cert get --key other.pem --nv $index --out none
refuses "a file without one" "key.pem holds no certificate" \
    cert put --key key.pem --cert key.pem --nv $index
refuses "no file" "nowhere cannot be read" \
    cert put --key key.pem --cert nowhere --nv $index
refuses "an index that is none" "an NV index (0x01000000 to 0x01ffffff)" \
    cert put --key key.pem --cert first.pem --nv 0x81000010
misuse "no index" "option --nv INDEX is missing" \
    cert put --key key.pem --cert first.pem
refuses "an empty one" "there is nothing at NV index 0x01c90209" \
    cert get --key key.pem --nv 0x01c90209 --out none
[[ ! -e none ]] || fail "a failure left a file"
cat second.pem ca/ca.pem >chain.pem
succeeds "of a chain the first counts" \
    cert put --key key.pem --cert chain.pem --nv $index

say "An owner with an authorisation value"
tpm2_changeauth -Q -c owner s3cret
refuses "is asked for it" "has an auth value" \
    cert put --key key.pem --cert first.pem --nv 0x01c90205
succeeds "and has it" cert put --key key.pem --cert first.pem --nv 0x01c90205 \
    --owner-auth-source file:value
succeeds "anybody may read" cert get --key key.pem --nv 0x01c90205 --out -

say "On a token"
start_token factory
unset DEVID_PKCS11_MODULE
device=$TOKEN_URI
pin=(--auth-source "file:$TOKEN_PIN_FILE")
"$DEVID" keygen --device "$device" --label unit --out token.pem
certify token.pem beside
succeeds "put" cert put --key token.pem --cert beside.pem
succeeds "get needs no PIN" cert get --key token.pem --out got.pem --force
same_cert got.pem beside.pem
pkcs11-tool --module "$TOKEN_MODULE" --list-objects --type cert \
    >objects 2>/dev/null
assert_contains "it has the key's label" "label:      unit" "$(<objects)"
pkcs11-tool --module "$TOKEN_MODULE" --login --pin "$TOKEN_PIN" \
    --list-objects --type privkey >private 2>/dev/null
assert_equal "and the key's id" "$(grep ID: private)" "$(grep ID: objects)"
succeeds "put again" cert put --key token.pem --cert beside.pem
certify token.pem renewed
refuses "another is not replaced" "another certificate beside this key" \
    cert put --key token.pem --cert renewed.pem
succeeds "but with --force" \
    cert put --force --key token.pem --cert renewed.pem
succeeds "get" cert get --key token.pem --out got.pem --force
same_cert got.pem renewed.pem
assert_equal "there is one" 1 "$(pkcs11-tool --module "$TOKEN_MODULE" \
    --list-objects --type cert 2>/dev/null | grep -c '^Certificate')"
refuses "another key's" "belongs to another key" \
    cert put --key token.pem --cert first.pem
misuse "an index" "--nv is for a TPM" \
    cert put --key token.pem --cert renewed.pem --nv $index
uri="pkcs11:token=factory;object=unit"
export DEVID_PKCS11_MODULE=$TOKEN_MODULE
succeeds "by the key's URI" \
    cert put "${pin[@]}" --force --key "$uri" --cert beside.pem
succeeds "get" cert get "${pin[@]}" --key "$uri" --out got.pem --force
same_cert got.pem beside.pem
refuses "without a PIN nothing is written" "PIN" \
    cert put --force --key "$uri" --cert renewed.pem
