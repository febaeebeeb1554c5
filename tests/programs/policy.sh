#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Keys that sign only in a boot state, or in those that somebody signs: through
# nginx, openssl and devid, and what they cost in TPM commands, exactly.
#
# Usage: policy.sh bare|managed|abrmd [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
STAND=${ARGS[0]:?bare, managed or abrmd}

# costs WHAT COMMANDS PROGRAM...: the program succeeds and takes just these TPM
# commands. Behind tpm2-abrmd they are not counted.
costs() {
    local what=$1 expected=$2
    shift 2
    [[ $STAND == abrmd ]] || trace_reset
    "$@" >"$WORK/out" 2>&1 || fail "$what: $(<"$WORK/out")"
    [[ $STAND == abrmd ]] || assert_equal "$what" "$expected" "$(trace_list)"
}

# extend PCR: what firmware does that is not what it was.
extend() {
    tpm2_pcrextend "$1:sha256=$(printf 'new firmware' | sha256sum | cut -c 1-64)"
}

# request KEY: by openssl.
request() {
    with_devid openssl req -new -key "$WORK/$1.key" -subj /CN=x
}

# certify NAME: the key's certificate for a server.
certify() {
    "$DEVID" csr --key "$WORK/$1.key" --subject "/CN=$1" --san DNS:localhost \
        --san IP:127.0.0.1 --out "$WORK/$1.csr" --force
    sign_csr "$WORK/$1.csr" "$WORK/$1.pem" server
    chmod 644 "$WORK/$1.pem"
}

# sign_policy KEY PCRS SIGNER [OPTION...]: by devid, into the same file.
sign_policy() {
    local key=$1 pcrs=$2 signer=$3
    shift 3
    "$DEVID" policy sign --pcr "$pcrs" --key "$signer" --in "$WORK/$key.key" \
        --out "$WORK/$key.key" "$@"
}

# signer NAME ALGORITHM OPTION: a software key $WORK/NAME.pem and its NAME.pub.
signer() {
    plain_openssl genpkey -quiet -algorithm "$2" -pkeyopt "$3" \
        -out "$WORK/$1.pem"
    plain_openssl pkey -in "$WORK/$1.pem" -pubout -out "$WORK/$1.pub"
}

# extended: the digest of one PCR of zeros, once it was extended as above.
extended() {
    {
        head -c 32 /dev/zero
        printf 'new firmware' | plain_openssl dgst -sha256 -binary
    } | plain_openssl dgst -sha256 -binary | sha256sum | cut -c 1-64
}

harness_dir
start_tpm --srk
make_ca "$WORK/ca"
openssl_conf "$WORK/openssl.cnf"
make_plain_client
signer owner EC ec_paramgen_curve:P-256
signer other EC ec_paramgen_curve:P-256
signer rsa RSA rsa_keygen_bits:2048
case $STAND in
abrmd) start_abrmd ;;
bare | managed)
    start_trace --raw-log "$WORK/raw"
    export DEVID_TPM2_SHARING=$STAND
    ;;
*) fail "bare, managed or abrmd, not $STAND" ;;
esac
load="ReadPublic Load" open="" close="" end=" FlushContext"
[[ $STAND != bare ]] || {
    load="ReadPublic Load ContextSave" open="ContextLoad "
    close=" FlushContext" end=""
}

say "A key of this boot state"
costs "devid keygen --pcr" "PCR_Read ReadPublic Create" \
    "$DEVID" keygen --pcr sha256:0,7 --out "$WORK/pcr.key"
assert_contains "show says what it is bound to" "PCRs sha256:0,7" \
    "$("$DEVID" show "$WORK/pcr.key")"
assert_contains "the attribute userWithAuth is clear" \
    "attributes: fixedTPM, fixedParent, sensitiveDataOrigin, noDA, sign" \
    "$("$DEVID" show "$WORK/pcr.key" | tr -s ' ')"
certify pcr
costs "openssl req" "$load StartAuthSession PolicyPCR Sign$close$end" \
    request pcr
with_devid start_nginx --key "$WORK/pcr.key" --cert "$WORK/pcr.pem"
costs "nginx's first handshake" \
    "$load StartAuthSession PolicyPCR Sign$close" plain_request
costs "nginx's second handshake" \
    "${open}StartAuthSession PolicyPCR Sign$close" plain_request
extend 16
costs "another PCR changed" \
    "${open}StartAuthSession PolicyPCR Sign$close" plain_request

say "Another boot state"
extend 7
sentence="one or more of the PCRs sha256:0,7 have not the values that this \
key is bound to: the machine was started with other firmware, software or \
settings; start it as it was, or make a new key in the new state (devid \
keygen --pcr)"
! plain_request >/dev/null 2>&1 || fail "nginx signed in another boot state"
stop_nginx # which ends its log
assert_contains "nginx's log says why" "$sentence" "$(<"$WORK/nginx.log")"
assert_fails "openssl does not sign" request pcr
assert_contains "and says why" "$sentence" "$OUTPUT"
assert_fails "devid does not sign" \
    "$DEVID" csr --key "$WORK/pcr.key" --subject /CN=x --out -
assert_equal "and says why, in one line" "devid: $sentence" "$OUTPUT"
"$DEVID" keygen --pcr sha256:7 --out "$WORK/one.key"
extend 7
assert_fails "a key of one PCR" request one
assert_contains "names it" \
    "PCR sha256:7 has not the value that this key is bound to" "$OUTPUT"

say "A key that outlives updates"
costs "devid keygen --policy-authorize" "TestParms ReadPublic Create" \
    "$DEVID" keygen --policy-authorize "$WORK/owner.pub" \
    --out "$WORK/signed.key"
assert_fails "without a signed policy" request signed
assert_contains "it says what is missing" \
    "add one with devid policy sign" "$OUTPUT"
sign_policy signed sha256:0,8 "$WORK/owner.pem" --name "firmware 1"
certify signed
authorize="LoadExternal VerifySignature FlushContext PolicyAuthorize"
costs "openssl req" \
    "$load StartAuthSession PolicyPCR $authorize Sign$close$end" request signed
with_devid start_nginx --key "$WORK/signed.key" --cert "$WORK/signed.pem"
costs "nginx's first handshake" \
    "$load StartAuthSession PolicyPCR $authorize Sign$close" plain_request
costs "nginx's second handshake" \
    "${open}StartAuthSession PolicyPCR PolicyAuthorize Sign$close" plain_request
stop_nginx
cp "$WORK/signed.key" "$WORK/current.key"

say "The new state is signed before it comes"
sign_policy signed "sha256:8=$(extended)" "$WORK/owner.pem" \
    --name "firmware 2"
assert_contains "show lists the signed policies, the newest first" \
    "signed policy; signed: firmware 2: PCRs sha256:8, or firmware 1: PCRs \
sha256:0,8" "$("$DEVID" show "$WORK/signed.key")"
costs "in the old state it still signs" "$load StartAuthSession \
PolicyPCR:0x1c4 PolicyRestart PolicyPCR $authorize Sign$close$end" \
    request signed
with_devid start_nginx --key "$WORK/signed.key" --cert "$WORK/signed.pem"
plain_request >/dev/null
costs "nginx remembers which policy held" \
    "${open}StartAuthSession PolicyPCR PolicyAuthorize Sign$close" plain_request
extend 8
costs "the firmware is updated, and nginx goes on" "${open}StartAuthSession \
PolicyPCR:0x1c4 PolicyRestart PolicyPCR $authorize Sign$close" plain_request
stop_nginx

say "The new state is signed after it has come"
assert_fails "a key without the new policy" request current
assert_contains "says what to do" "PCRs sha256:0,8 have not the values that \
this key is bound to" "$OUTPUT"
assert_contains "about signed policies" \
    "have the new state signed (devid policy sign)" "$OUTPUT"
sign_policy current sha256:0,8=current "$WORK/owner.pem" --name "firmware 2"
request current >/dev/null
say "  ok: with it, it signs again"
extend 8
assert_fails "in a third state" request current
assert_contains "none of them holds" \
    "none of the key's 2 signed policies holds; of one of them: one or more" \
    "$OUTPUT"
sign_policy current sha256:0,8 "$WORK/owner.pem" --name "firmware 2"
assert_contains "a policy of the same name is replaced" \
    "firmware 2: PCRs sha256:0,8, or firmware 1: PCRs sha256:0,8" \
    "$("$DEVID" show "$WORK/current.key")"
request current >/dev/null
say "  ok: and the key signs again"

say "Who may sign policies"
assert_fails "another signer" sign_policy current sha256:0 "$WORK/other.pem"
assert_contains "is told so" "obeys policies of another signer" "$OUTPUT"
assert_fails "for a key of a boot state" \
    sign_policy pcr sha256:0 "$WORK/owner.pem"
assert_contains "nothing can be signed" "obeys no signed policies" "$OUTPUT"
"$DEVID" keygen --algorithm rsa-2048 --policy-authorize "$WORK/rsa.pub" \
    --out "$WORK/rsa.key"
sign_policy rsa sha256:0 "$WORK/rsa.pem"
request rsa >/dev/null
say "  ok: an RSA key signs for an RSA key"
plain_openssl pkcs8 -topk8 -in "$WORK/owner.pem" -passout pass:hush \
    -out "$WORK/locked.pem"
printf hush >"$WORK/hush"
sign_policy current sha256:0 "$WORK/locked.pem" \
    --auth-source "file:$WORK/hush"
printf hum >"$WORK/hush"
assert_fails "a wrong passphrase" sign_policy current sha256:0 \
    "$WORK/locked.pem" --auth-source "file:$WORK/hush"
assert_contains "is named" "not opened by the passphrase" "$OUTPUT"
"$DEVID" keygen --out "$WORK/tpm-signer.pem"
with_devid openssl pkey -in "$WORK/tpm-signer.pem" -pubout \
    -out "$WORK/tpm-signer.pub"
"$DEVID" keygen --policy-authorize "$WORK/tpm-signer.pub" \
    --out "$WORK/by-tpm.key"
sign_policy by-tpm sha256:0 "$WORK/tpm-signer.pem"
request by-tpm >/dev/null
say "  ok: a key in the TPM signs policies"

start_token
for algorithm in ec-p256 rsa-2048; do
    "$DEVID" keygen --device "$TOKEN_URI" --algorithm "$algorithm" \
        --label "$algorithm" --out "$WORK/token-signer.pem" --force
    with_devid openssl pkey -in "$WORK/token-signer.pem" -pubout \
        -out "$WORK/token-signer.pub"
    "$DEVID" keygen --policy-authorize "$WORK/token-signer.pub" \
        --out "$WORK/by-token.key" --force
    assert_fails "no policy is signed yet" request by-token
    for signer in "$WORK/token-signer.pem" \
        "${TOKEN_URI/\?/;object=$algorithm?}"; do
        sign_policy by-token sha256:0 "$signer" --name "by token"
        request by-token >/dev/null
    done
    say "  ok: a token's $algorithm signs policies, by its file and by its URI"
done

say "With an authorisation value as well"
printf 'open sesame' >"$WORK/value"
"$DEVID" keygen --pcr sha256:0 --auth-source "file:$WORK/value" \
    --out "$WORK/both.key"
"$DEVID" keygen --policy-authorize "$WORK/owner.pub" \
    --auth-source "file:$WORK/value" --out "$WORK/all.key"
sign_policy all sha256:0 "$WORK/owner.pem"
for key in both all; do
    "$DEVID" csr --key "$WORK/$key.key" --subject /CN=x --out "$WORK/$key.csr" \
        --auth-source "file:$WORK/value"
    say "  ok: $key signs"
    assert_fails "$key with a wrong value" "$DEVID" csr --key "$WORK/$key.key" \
        --subject /CN=x --out - --auth-source "file:$WORK/hush"
    assert_contains "is refused once" \
        "the TPM refused the auth value given for this key" "$OUTPUT"
done
salted="$load StartAuthSession"
[[ $STAND == bare ]] || salted="ReadPublic Load StartAuthSession"
costs "its commands" \
    "$salted PolicyPCR PolicyAuthValue Sign$close$end" \
    "$DEVID" csr --key "$WORK/both.key" --subject /CN=x --out - \
    --auth-source "file:$WORK/value"

[[ $STAND == abrmd ]] || {
    # TPM2_StartAuthSession, its first handle: tpmKey, or TPM_RH_NULL.
    session=$(grep -E '> 8001.{8}00000176' "$WORK/raw" | tail -n 1)
    [[ $session && ! $session =~ '> 8001'.{8}0000017640000007 ]] ||
        fail "the policy session has no salt, so that its HMAC gives the value \
to a guesser"
    ! grep -q "$(printf 'open sesame' | od -An -v -tx1 | tr -d ' \n')" \
        "$WORK/raw" || fail "the value crossed the bus in clear"
    say "  ok: the value stays off the bus, and its session is salted"
}

say "What makes no sense"
assert_fails "both at once" "$DEVID" keygen --pcr sha256:0 \
    --policy-authorize "$WORK/owner.pub" --out "$WORK/none"
assert_contains "is refused" "add the PCRs with devid policy sign" "$OUTPUT"
assert_fails "a persistent key" "$DEVID" keygen --pcr sha256:0 \
    --persist 0x81000100 --out "$WORK/none"
assert_contains "is refused" "cannot be made persistent as well" "$OUTPUT"
assert_fails "a bank that the TPM lacks" "$DEVID" keygen --pcr sm3:0 \
    --out "$WORK/none"
assert_contains "is refused" "names no PCRs" "$OUTPUT"
assert_fails "a digest that is too short" "$DEVID" keygen --pcr sha256:0=00 \
    --out "$WORK/none"
assert_contains "is refused" "has 1 bytes, and must have 32" "$OUTPUT"
assert_fails "a private key in place of a public one" "$DEVID" keygen \
    --policy-authorize "$WORK/owner.pem" --out "$WORK/none"
assert_contains "is refused" "holds no public key in PEM" "$OUTPUT"
[[ ! -e $WORK/none ]] || fail "a key file was written all the same"

[[ $STAND == abrmd ]] || {
    assert_equal "no object was left in the TPM" "" \
        "$(tpm2_getcap handles-transient)"
    assert_equal "no session was left in the TPM" "" \
        "$(tpm2_getcap handles-loaded-session)"
}
