#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Keys with an auth value, under programs that know nothing of TPMs: the ways
# to give it, a wrong one, the TPM's lockout.
#
# Usage: auth.sh bare|abrmd [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
LINK=${ARGS[0]:?bare or abrmd}
RIGHT=$'the right value'
MAX_TRIES=5

# value NAME TEXT: a file that holds an auth value, $WORK/NAME.
value() {
    printf '%s\n' "$2" >"$WORK/$1"
    chmod 600 "$WORK/$1"
}

# signs WHAT KEY [COMMAND...]: openssl, run by COMMAND, with the options PASSIN
# signs with the key; OpenSSL alone verifies.
signs() {
    local what=$1 key=$2
    shift 2
    rm -f "$WORK/sig"
    with_devid "$@" openssl dgst -sha256 -sign "$key" -out "$WORK/sig" \
        "${PASSIN[@]}" "$WORK/data" 2>"$WORK/err" ||
        fail "$what: $(<"$WORK/err")"
    assert_equal "$what" "Verified OK" "$(plain_openssl dgst -sha256 \
        -verify "$WORK/$(basename "$key" .key).pub" -signature "$WORK/sig" \
        "$WORK/data")"
}

# refused WHAT SENTENCE KEY [COMMAND...]: it does not, and says why.
refused() {
    local what=$1 sentence=$2 key=$3
    shift 3
    assert_fails "$what" with_devid "$@" openssl dgst -sha256 -sign "$key" \
        -out "$WORK/none" "${PASSIN[@]}" "$WORK/data"
    assert_contains "it says so" "$sentence" "$OUTPUT"
}

# public KEY: note its public key, for signs.
public() {
    with_devid openssl x509 -in "$WORK/$1.pem" -noout -pubkey >"$WORK/$1.pub"
}

# counter: where the TPM's dictionary-attack counter stands.
counter() {
    echo $(($(tpm2_getcap properties-variable |
        awk '$1 == "TPM2_PT_LOCKOUT_COUNTER:" { print $2 }')))
}

# nginx_with VALUE KEY: nginx with four workers has the value for the key.
nginx_with() {
    : >"$WORK/nginx.log"
    with_devid start_nginx --key "$WORK/$2.key" --cert "$WORK/$2.pem" \
        --workers 4 --server "ssl_password_file $WORK/$1;"
}

# served WHAT: eight requests at once are.
served() {
    local i pids=() good=0
    for ((i = 0; i < 8; i++)); do
        plain_request >/dev/null 2>>"$WORK/curl.log" &
        pids+=($!)
    done
    for i in "${pids[@]}"; do
        wait "$i" && good=$((good + 1))
    done
    assert_equal "$1: requests served of eight" "${2:-8}" "$good"
}

harness_dir
need script
start_tpm --srk
start_trace
[[ $LINK == bare ]] || start_abrmd
tpm2_dictionarylockout -Q --setup-parameters --max-tries=$MAX_TRIES \
    --recovery-time=1000 --lockout-recovery-time=1000
make_ca "$WORK/ca"
openssl_conf "$WORK/openssl.cnf"
value right "$RIGHT"
value wrong "another value"
printf 'to be signed\n' >"$WORK/data"
make_plain_client

export DEVID_AUTH_SOURCE="file:$WORK/right"
make_identity blob server --auth-source "file:$WORK/right"
make_identity persistent server --auth-source "file:$WORK/right" \
    --persist 0x81000100
make_identity rsa server --auth-source "file:$WORK/right" \
    --algorithm rsa-2048 --decrypt
make_identity counted server --auth-source "file:$WORK/right" \
    --dictionary-attack
unset DEVID_AUTH_SOURCE
for key in blob persistent rsa counted; do
    public $key
    sign_csr "$WORK/$key.csr" "$WORK/$key-client.pem"
done

for key in blob persistent rsa; do
    say "The ways to give it: a key that is $key"
    PASSIN=(-passin "file:$WORK/right")
    signs "openssl -passin" "$WORK/$key.key"
    PASSIN=()
    signs "DEVID_AUTH_SOURCE=file:" "$WORK/$key.key" \
        env DEVID_AUTH_SOURCE="file:$WORK/right"
    signs "DEVID_AUTH_SOURCE=env:" "$WORK/$key.key" \
        env DEVID_AUTH_SOURCE=env:VALUE VALUE="$RIGHT"
    openssl_conf "$WORK/openssl.cnf" last "auth-source = file:$WORK/right"
    signs "auth-source in openssl.cnf" "$WORK/$key.key"
    openssl_conf "$WORK/openssl.cnf"
    assert_fails "none at all, on no terminal" with_devid setsid \
        openssl dgst -sha256 -sign "$WORK/$key.key" "$WORK/data"
    "$DEVID" csr --key "$WORK/$key.key" --subject /CN=x --force \
        --auth-source "file:$WORK/right" --out "$WORK/x.csr"
    say "  ok: devid csr --auth-source"

    nginx_with right $key
    served "nginx's ssl_password_file"
    # curl reads no file for it, but a configuration.
    printf 'pass = "%s"\n' "$RIGHT" >"$WORK/curlrc"
    assert_contains "curl's --pass" "SUCCESS CN=$key,O=Acme" \
        "$(with_devid curl_mtls "$WORK/$key.key" "$WORK/$key-client.pem" \
            --config "$WORK/curlrc")"
    stop_nginx
done
nginx_conf --key "$WORK/blob.key" --cert "$WORK/blob.pem"
assert_fails "nginx without one, on no terminal" with_devid setsid \
    nginx -p "$NGINX_DIR" -c "$NGINX_DIR/nginx.conf" -t
assert_contains "it says what to give" "nginx's ssl_password_file" "$OUTPUT"

say "On the terminal"
# type_when PROMPT TEXT: what a user types who waits for the prompt.
type_when() {
    local i
    for ((i = 0; i < 100; i++)); do
        grep -q "$1" "$WORK/terminal" && break
        sleep 0.1
    done
    # It is printed before the echo is off.
    sleep 0.5
    printf '%s\n' "$2"
    sleep 0.5
}
: >"$WORK/terminal"
rm -f "$WORK/sig"
type_when "pass phrase" "$RIGHT" | with_devid script -qfec \
    "openssl dgst -sha256 -sign '$WORK/blob.key' -out '$WORK/sig' \
        '$WORK/data'" "$WORK/terminal" >/dev/null ||
    fail "openssl that asks for it: $(<"$WORK/terminal")"
assert_equal "openssl asks for it" "Verified OK" "$(plain_openssl dgst \
    -sha256 -verify "$WORK/blob.pub" -signature "$WORK/sig" "$WORK/data")"
[[ $(<"$WORK/terminal") != *"$RIGHT"* ]] || fail "the value was echoed"
say "  ok: and does not show it"

say "A wrong value"
for key in blob persistent counted; do
    before=$(counter)
    trace_reset
    # As slow as a chip, so that all four workers are at it at once.
    fault "delay Sign 200"
    nginx_with wrong $key
    served "$key: with a wrong value" 0
    served "$key: and once more" 0
    assert_equal "$key: the TPM was asked once, by four workers" 1 \
        "$(trace_count Sign)"
    stop_nginx
    fault_clear
    after=$(counter)
    assert_contains "$key: nginx's log says where the counter stands" \
        "it was tried once and will not be tried again; its dictionary-attack \
counter stands at $after of $MAX_TRIES" "$(<"$WORK/nginx.log")"
    assert_contains "$key: and that it was not tried again" \
        "refused this auth value for this key before" "$(<"$WORK/nginx.log")"
    case $key in
    counted) assert_equal "$key: one more is counted" $((before + 1)) "$after" ;;
    *) assert_equal "$key: nothing is counted" "$before" "$after" ;;
    esac
    PASSIN=(-passin "file:$WORK/right")
    signs "$key: with the right one it signs" "$WORK/$key.key"
done

say "The TPM's lockout"
PASSIN=(-passin "file:$WORK/wrong")
for ((i = $(counter); i < MAX_TRIES; i++)); do
    refused "wrong value $((i + 1))" \
        "counter stands at $((i + 1)) of $MAX_TRIES" "$WORK/counted.key"
done
# From here on the right value alone, which must not be taken for a wrong one.
PASSIN=(-passin "file:$WORK/right")
refused "the right value" "the TPM is in dictionary-attack lockout \
($MAX_TRIES failures of $MAX_TRIES); it forgives one every 1000 seconds" \
    "$WORK/counted.key"
nginx_with right counted
served "nginx with the right value" 0
assert_contains "it says so" "the TPM is in dictionary-attack lockout" \
    "$(<"$WORK/nginx.log")"
assert_equal "the counter has not moved" $MAX_TRIES "$(counter)"
signs "a key that is not counted still signs" "$WORK/blob.key"
tpm2_dictionarylockout -Q --clear-lockout
served "the lockout is cleared, and nginx was not reloaded"
stop_nginx
assert_equal "the counter stands at nothing" 0 "$(counter)"

say "Hierarchies and parents"
value owner "the owner's"
value parent "the parent's"
tpm2_changeauth -Q -c owner "$(<"$WORK/owner")"
tpm2_createprimary -Q -C o -P "$(<"$WORK/owner")" -p "$(<"$WORK/parent")" \
    -G ecc -c "$WORK/parent.ctx"
tpm2_evictcontrol -Q -C o -P "$(<"$WORK/owner")" -c "$WORK/parent.ctx" \
    0x81000005
tpm2_flushcontext -t
PASSIN=()
for parent in owner 0x81000005; do
    source=file:$WORK/owner
    [[ $parent == owner ]] || source=file:$WORK/parent
    assert_fails "keygen under $parent without its value" \
        "$DEVID" keygen --parent $parent --out "$WORK/none.key"
    assert_contains "it says so" "has an auth value, and none was given" \
        "$OUTPUT"
    DEVID_PARENT_AUTH_SOURCE=$source make_identity "under-$parent" client \
        --parent $parent
    public "under-$parent"
    key=$WORK/under-$parent.key
    refused "its key does not load without" "was given" "$key"
    signs "it does with DEVID_PARENT_AUTH_SOURCE" "$key" \
        env DEVID_PARENT_AUTH_SOURCE="$source"
    openssl_conf "$WORK/openssl.cnf" last "parent-auth-source = $source"
    signs "and with parent-auth-source in openssl.cnf" "$key"
    openssl_conf "$WORK/openssl.cnf"
    before=$(counter)
    trace_reset
    fault "delay * 50"
    DEVID_PARENT_AUTH_SOURCE=file:$WORK/wrong with_devid \
        start_nginx --key "$key" --cert "$WORK/under-$parent.pem" --workers 4
    served "with a wrong value" 0
    stop_nginx
    fault_clear
    assert_contains "nginx's log says so" \
        "the TPM refused the auth value given for" "$(<"$WORK/nginx.log")"
    command=Load more=1
    [[ $parent != owner ]] || command=CreatePrimary more=0
    assert_equal "the TPM was asked once, by four workers" 1 \
        "$(trace_count $command)"
    assert_equal "the counter has moved by" $more $(($(counter) - before))
done
assert_fails "a persistent key without the owner's value" \
    "$DEVID" keygen --persist 0x81000110 --out "$WORK/none.key"
"$DEVID" keygen --persist 0x81000110 --owner-auth-source "file:$WORK/owner" \
    --out "$WORK/kept.key"
"$DEVID" delete --yes --owner-auth-source "file:$WORK/owner" \
    tpm2:handle=0x81000110
say "  ok: with it, it is made and freed"

assert_equal "nothing is left in the TPM" "" \
    "$(tpm2_getcap handles-transient)$(tpm2_getcap handles-loaded-session)"
