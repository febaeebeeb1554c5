#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What crosses the bus with an auth value: never the value itself, neither when
# a key is made nor when it is used; and how many commands it takes, exactly.
#
# Usage: auth_bus.sh bare|managed [--build-dir DIR] [--keep]
#
# managed: keys stay loaded, as behind a resource manager. The commands are
# counted where they reach the manager, so here there is none.
source "$(dirname "$0")/common.sh"
SHARING=${ARGS[0]:?bare or managed}

# in_clear TEXT: whether it is in what has crossed the bus.
in_clear() {
    grep -q "$(printf %s "$1" | od -An -v -tx1 | tr -d ' \n')" "$WORK/raw"
}

# hidden WHAT: none of the values has crossed in clear.
hidden() {
    local value
    for value in "${VALUES[@]}"; do
        ! in_clear "$value" || fail "$1: \"$value\" crossed the bus in clear"
    done
    say "  ok: $1: no value crossed the bus in clear"
}

# check KEY FIRST LATER END: the first signature of a process takes FIRST, each
# further one LATER; END is what a program adds at its exit.
check() {
    local key=$1 first=$2 later=$3 end=$4
    trace_reset
    with_devid start_nginx --key "$WORK/$key.key" --cert "$WORK/$key.pem" \
        --server "ssl_password_file $WORK/key-value;"
    assert_equal "$key: nginx start" "" "$(trace_list)"
    costs "$key: nginx's first handshake" "$first" plain_request
    costs "$key: nginx's second handshake" "$later" plain_request
    costs "$key: nginx's third handshake" "$later" plain_request
    stop_nginx
    costs "$key: a CSR by openssl req" "$first$end" with_devid openssl req \
        -new -key "$WORK/$key.key" -passin "file:$WORK/key-value" -subj /CN=x
    costs "$key: a CSR by devid" "$first$end" "$DEVID" csr \
        --key "$WORK/$key.key" --auth-source "file:$WORK/key-value" \
        --subject /CN=x --out -
}

harness_dir
start_tpm --srk
start_trace --raw-log "$WORK/raw"
export DEVID_TPM2_SHARING=$SHARING
make_ca "$WORK/ca"
openssl_conf "$WORK/openssl.cnf"
VALUES=()
for name in key parent owner; do
    value="value of the $name: $RANDOM"
    printf '%s\n' "$value" >"$WORK/$name-value"
    VALUES+=("$value")
done
make_plain_client

source=file:$WORK/key-value
export DEVID_AUTH_SOURCE=$source
make_identity srk server --auth-source "$source"
make_identity owner server --auth-source "$source" --parent owner
make_identity persistent server --auth-source "$source" --persist 0x81000100
make_identity rsa server --auth-source "$source" --algorithm rsa-2048
unset DEVID_AUTH_SOURCE
hidden "keys are made and sign requests"

say "Commands"
case $SHARING in
managed)
    # Flushed at the exit: the key that stayed loaded, the session.
    check srk "ReadPublic Load StartAuthSession Sign" "Sign" \
        " FlushContext FlushContext"
    check owner "CreatePrimary Load FlushContext ReadPublic StartAuthSession \
Sign" "Sign" " FlushContext FlushContext"
    check persistent "ReadPublic ReadPublic StartAuthSession Sign" "Sign" \
        " FlushContext"
    ;;
bare)
    check srk "ReadPublic Load ContextSave StartAuthSession Sign FlushContext" \
        "ContextLoad StartAuthSession Sign FlushContext" ""
    check owner "CreatePrimary Load FlushContext ContextSave ReadPublic \
StartAuthSession Sign FlushContext" \
        "ContextLoad StartAuthSession Sign FlushContext" ""
    check persistent "ReadPublic ReadPublic StartAuthSession Sign" \
        "StartAuthSession Sign" ""
    ;;
*) fail "bare or managed, not $SHARING" ;;
esac
hidden "nginx, openssl and devid sign"

say "What is decrypted and agreed on"
# use_key NAME: a message to rsa-NAME.key and a secret of ec-NAME.key, in
# $WORK/message.got and $WORK/secret.got.
use_key() {
    local pass=(-passin "file:$WORK/key-value")
    with_devid openssl pkey -in "$WORK/rsa-$1.key" -pubout \
        "${pass[@]}" -out "$WORK/rsa-$1.pub"
    plain_openssl pkeyutl -encrypt -pubin -inkey "$WORK/rsa-$1.pub" \
        -in "$WORK/message" -out "$WORK/sent"
    with_devid openssl pkeyutl -decrypt -inkey "$WORK/rsa-$1.key" \
        "${pass[@]}" -in "$WORK/sent" -out "$WORK/message.got"
    cmp "$WORK/message" "$WORK/message.got"
    with_devid openssl pkeyutl -derive -inkey "$WORK/ec-$1.key" \
        "${pass[@]}" -peerkey "$WORK/plain.pub" -out "$WORK/secret.got"
}
# crossed: whether message, and secret, crossed the bus in clear.
crossed() {
    local secret
    secret=$(od -An -v -tx1 "$WORK/secret.got" | tr -d ' \n')
    in_clear "$(<"$WORK/message")" && printf 'message '
    ! grep -q "$secret" "$WORK/raw" || printf 'secret'
}
printf 'what nobody else may read: %s' $RANDOM >"$WORK/message"
plain_openssl pkey -in "$WORK/plain.key" -pubout -out "$WORK/plain.pub"
for algorithm in rsa-2048 ec-p256; do
    "$DEVID" keygen --algorithm $algorithm --decrypt \
        --out "$WORK/${algorithm%-*}-empty.key"
    "$DEVID" keygen --algorithm $algorithm --decrypt --auth-source "$source" \
        --out "$WORK/${algorithm%-*}-auth.key"
done
use_key auth
assert_equal "with an auth value nothing crosses in clear" "" "$(crossed)"
use_key empty
assert_equal "without one it does, and this search finds it" \
    "message secret" "$(crossed)"

say "Hierarchies and parents"
TPM2TOOLS_TCTI_FRONT=$DEVID_TCTI
tpm2_changeauth -Q -c owner "${VALUES[2]}"
tpm2_createprimary -Q -C o -P "${VALUES[2]}" -p "${VALUES[1]}" -G ecc \
    -c "$WORK/parent.ctx"
tpm2_evictcontrol -Q -C o -P "${VALUES[2]}" -c "$WORK/parent.ctx" 0x81000005
tpm2_flushcontext -t
DEVID_AUTH_SOURCE=$source \
    DEVID_PARENT_AUTH_SOURCE=file:$WORK/parent-value make_identity parent \
    server --parent 0x81000005 --auth-source "$source"
DEVID_AUTH_SOURCE=$source \
    DEVID_PARENT_AUTH_SOURCE=file:$WORK/owner-value make_identity owned \
    server --parent owner --auth-source "$source"
"$DEVID" keygen --persist 0x81000110 --auth-source "$source" \
    --owner-auth-source "file:$WORK/owner-value" --out "$WORK/kept.key"
"$DEVID" delete --yes --owner-auth-source "file:$WORK/owner-value" \
    tpm2:handle=0x81000110
hidden "a parent and the owner are authorised"

say "A TPM without a storage key at 0x81000001"
start_tpm other
start_trace --name other --raw-log "$WORK/raw"
DEVID_AUTH_SOURCE=$source make_identity other server --auth-source "$source"
hidden "a session is salted to a primary of the null hierarchy"
# TPM2_StartAuthSession, its first handle: tpmKey, or TPM_RH_NULL.
grep -qE '> 8001.{8}00000176' "$WORK/raw" || fail "no session was found"
! grep -qE '> 8001.{8}0000017640000007' "$WORK/raw" ||
    fail "a session without a salt, whose HMAC gives the value to a guesser"
say "  ok: every session was salted"

say "This search finds what does cross in clear"
printf x >"$WORK/data"
TPM2TOOLS_TCTI=$TPM2TOOLS_TCTI_FRONT tpm2_create -Q -C "$SRK_HANDLE" -G ecc \
    -p "${VALUES[0]}" -u "$WORK/u" -r "$WORK/r" -c "$WORK/clear.ctx"
in_clear "${VALUES[0]}" || fail "a password of tpm2-tools was not found"
say "  ok: a password of tpm2-tools"
