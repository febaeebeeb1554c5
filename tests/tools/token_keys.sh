#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Keys on a PKCS#11 token, with the same commands as those in a TPM: keygen, csr,
# show, list, delete, test, whoami, conf.
#
# Usage: token_keys.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK"
start_token factory
# Here the module comes from the environment, and the PIN from an option.
unset DEVID_PIN_SOURCE
export DEVID_PKCS11_MODULE=$TOKEN_MODULE
device=pkcs11:token=factory
pin=(--auth-source "file:$TOKEN_PIN_FILE")
printf 'nonsense\n' >wrong.pin
export PIN=$TOKEN_PIN

# signs WHAT KEY ARGUMENT...: a request by that key, with these options.
signs() {
    local what=$1 key=$2
    shift 2
    succeeds "$what" csr --key "$key" --subject /CN=x --out signs.csr \
        --force "$@"
    plain_openssl req -in signs.csr -verify -noout >verify 2>&1 ||
        fail "the request does not verify"
}

# on_token: how many private keys there are, as OpenSC sees it.
on_token() {
    pkcs11-tool --module "$TOKEN_MODULE" --login --pin "$TOKEN_PIN" \
        --list-objects --type privkey 2>/dev/null | grep -c '^Private' || true
}

say "Every algorithm"
for algorithm in ec-p256 ec-p384 ec-p521 rsa-2048 rsa-3072 ed25519; do
    succeeds "an $algorithm key" keygen --device $device "${pin[@]}" \
        --algorithm $algorithm --label $algorithm --out $algorithm.pem
    assert_equal "nothing is printed" "" "$OUTPUT"
    assert_equal "its file is a reference, for its owner alone" \
        "-----BEGIN DEVID KEY REFERENCE----- 600" \
        "$(head -n 1 $algorithm.pem) $(stat -c %a $algorithm.pem)"
    succeeds "show knows it, and asks no token" show --json $algorithm.pem
    assert_equal "as $algorithm" "$algorithm PKCS#11" \
        "$(json '.[0] | "\(.algorithm) \(.backend)"')"
    signs "it signs" $algorithm.pem "${pin[@]}"
done
assert_equal "they are on the token" 6 "$(on_token)"
[[ $(cat ./*.pem | base64 -d 2>/dev/null | strings) != *"$TOKEN_PIN"* ]] ||
    fail "a key file holds the PIN"
refuses "an algorithm that tokens do not have" "so make rsa-3072" \
    keygen --device $device "${pin[@]}" --algorithm rsa-pss-3072 --out none
refuses "an algorithm that nobody has" "rot13" \
    keygen --device $device "${pin[@]}" --algorithm rot13 --out none

succeeds "devid test of Ed25519" test --json --repeat 1 "${pin[@]}" ed25519.pem
assert_equal "has one scheme, for TLS 1.3 too" "ed25519 true" \
    "$(json '"\(.signature_algorithms) \(.tls13_works)"')"
refuses "a request of Ed25519 with a hash" "name no hash" csr --hash SHA256 \
    --key ed25519.pem "${pin[@]}" --subject /CN=x --out none

say "JSON"
succeeds "a key described in JSON" keygen --device $device "${pin[@]}" \
    --label described --json --out json.pem
made=$OUTPUT
succeeds "show says the same" show --json json.pem
assert_equal "member by member" "$(jq -S . <<<"$made")" \
    "$(json '.[0]' | jq -S .)"
uri=$(jq -r .uri <<<"$made")
assert_contains "its URI names the token by its serial" \
    "serial=$TOKEN_SERIAL" "$uri"

say "Where the PIN is"
signs "from the environment" ec-p256.pem --auth-source env:PIN
DEVID_PIN_SOURCE=env:PIN signs "by the setting's variable" ec-p256.pem
DEVID_PIN_SOURCE=file:wrong.pin signs "where the option wins" \
    ec-p256.pem "${pin[@]}"
signs "by the URI" "$device;object=ec-p256?pin-source=file:$TOKEN_PIN_FILE"
signs "by the option, for a URI" "$device;object=ec-p256" "${pin[@]}"
refuses "from nowhere" "without a PIN" \
    csr --key ec-p256.pem --subject /CN=x --out none
refuses "and so for a URI" "without a PIN" \
    csr --key "$device;object=ec-p256" --subject /CN=x --out none
refuses "a wrong one" "refused the PIN" \
    csr --key ec-p256.pem --subject /CN=x --out none --auth-source file:wrong.pin
[[ $ERRORS != *nonsense* ]] || fail "the message holds the PIN"
refuses "and so for a new key" "refused the PIN" \
    keygen --device $device --auth-source file:wrong.pin --out none
refuses "the PIN itself" "never stands" \
    csr --key "$device;object=ec-p256" --subject /CN=x --out none \
    --auth-source s3cret
[[ $ERRORS != *s3cret* ]] || fail "the message holds the PIN"
if command -v script >/dev/null; then
    # on_terminal COMMAND...: devid on a terminal, where the PIN is typed.
    on_terminal() {
        (sleep 0.5 && printf '%s\n' "$TOKEN_PIN" && sleep 0.5) |
            script -qec "'$DEVID' $*" terminal >/dev/null
    }
    on_terminal csr --key ec-p256.pem --subject /CN=x --out typed-1.csr
    assert_contains "it is asked for" "The user PIN for ec-p256.pem:" \
        "$(<terminal)"
    on_terminal csr --key "'$device;object=ec-p256'" --subject /CN=x \
        --out typed-2.csr
    assert_contains "and so for a URI" \
        "The user PIN for $device;object=ec-p256:" "$(<terminal)"
    [[ $(<terminal) != *"$TOKEN_PIN"* ]] || fail "the PIN was echoed"
    on_terminal keygen --device $device --label typed --out typed.pem
    assert_contains "and for a new key" "The user PIN for $device:" \
        "$(<terminal)"
    [[ -s typed-1.csr && -s typed-2.csr && -s typed.pem ]] ||
        fail "a PIN that was typed did not do: $(<terminal)"
    succeeds "that key goes" delete --yes "${pin[@]}" "$device;object=typed"
fi

say "What the token holds"
succeeds "list with the PIN" list --device $device "${pin[@]}" --json
assert_equal "every key" 7 "$(json 'map(select(.type == "key")) | length')"
assert_equal "and what it is" \
    "ec-p256,ec-p256,ec-p384,ec-p521,ed25519,rsa-2048,rsa-3072" \
    "$(json 'map(.algorithm) | sort | join(",")')"
succeeds "list without" list --device $device --json
assert_equal "shows no private key" 0 \
    "$(json 'map(select(.type == "key")) | length')"
succeeds "whoami" whoami --device $device --json
assert_contains "names the token" "$TOKEN_SERIAL" "$(json .device)"
assert_equal "by 64 digits" 64 "$(json .id | tr -d '\n' | wc -c)"
succeeds "test" test --repeat 1 "${pin[@]}" ec-p256.pem
assert_contains "tries every scheme" ecdsa_secp256r1_sha256 "$OUTPUT"
succeeds "show by the URI" show --json "${pin[@]}" "$uri" json.pem
assert_equal "is the key of the file" "$(json '.[1].public_key_sha256')" \
    "$(json '.[0].public_key_sha256')"

say "URIs that are not clear"
refuses "two keys" "more than one private key fits" \
    csr --key "$device" "${pin[@]}" --subject /CN=x --out none
assert_contains "are listed" ";object=" "$ERRORS"
refuses "no such key" "nobody" \
    csr --key "$device;object=nobody" "${pin[@]}" --subject /CN=x --out none
refuses "no such token" "nowhere" \
    csr --key "pkcs11:token=nowhere;object=x" "${pin[@]}" --subject /CN=x \
    --out none
refuses "an empty segment" "empty segment" \
    csr --key "pkcs11:;object=ec-p256" "${pin[@]}" --subject /CN=x --out none
refuses "a PIN in a URI that is wrong otherwise" "unknown" \
    show "pkcs11:colour=red?pin-value=s3cret"
[[ $ERRORS != *s3cret* ]] || fail "the message holds the PIN"

say "A file that cannot be written"
before=$(on_token)
if "$DEVID" keygen --device $device "${pin[@]}" --label lost --out - \
    >/dev/full 2>errors; then
    fail "keygen was content with a full disk"
fi
assert_contains "is an error" "standard output cannot be written" "$(<errors)"
assert_equal "and the key is not on the token" "$before" "$(on_token)"

say "A token that does not do as it is asked"
before=$(on_token)
spied=$TOKEN_MODULE
start_spy
# lying WORD COMMAND...: the token says so of its keys.
lying() {
    DEVID_SPY_LIES=$1 "${@:2}" --module "$TOKEN_MODULE" --device $device \
        "${pin[@]}" --label loose --out loose.pem
}
for lie in CKA_NEVER_EXTRACTABLE=0 CKA_ALWAYS_SENSITIVE=0 CKA_LOCAL=0 \
    CKA_SENSITIVE=0 CKA_EXTRACTABLE=1; do
    wrong=false
    [[ $lie != *=1 ]] || wrong=true
    lying $lie refuses "${lie%=*} is $wrong" "${lie%=*} is $wrong" keygen
    assert_contains "the key is deleted" "the key was deleted" "$ERRORS"
done
lying CKA_LOCAL=none refuses "one that does not tell" \
    "CKA_LOCAL is not told" keygen
assert_equal "no key stays behind" "$before" "$(on_token)"
DEVID_SPY_FAULT=C_DestroyObject=0x82 lying CKA_LOCAL=0 refuses \
    "one that cannot be deleted" "the key was not deleted" keygen
succeeds "that one goes later" delete --yes "${pin[@]}" "$device;object=loose"
lying CKA_LOCAL=0 succeeds "--allow-extractable keeps it" keygen \
    --allow-extractable
signs "and it signs" loose.pem "${pin[@]}"
succeeds "that one goes, too" delete --yes "${pin[@]}" "$device;object=loose"
TOKEN_MODULE=$spied
refuses "a TPM has no such keys" "no key of a TPM can leave it" \
    keygen --tcti device:/nowhere --allow-extractable --out none

say "Deleting"
succeeds "a key by its label" delete --yes "${pin[@]}" "$device;object=rsa-3072"
refuses "is gone" "rsa-3072" show "${pin[@]}" "$device;object=rsa-3072"
refuses "and for its file, too" "no private key" \
    csr --key rsa-3072.pem "${pin[@]}" --subject /CN=x --out none
succeeds "a key by the URI of its file" delete --yes "${pin[@]}" "$uri"
assert_equal "is gone" 5 "$(on_token)"
assert_equal "with its public half" 5 "$(pkcs11-tool --module "$TOKEN_MODULE" \
    --list-objects --type pubkey 2>/dev/null | grep -c '^Public')"
refuses "a whole token" "names no object to delete" delete --yes "${pin[@]}" $device

say "Modules"
unset DEVID_PKCS11_MODULE
refuses "one that is not there" "/nowhere" \
    list --device $device --module /nowhere
succeeds "the option" list --device $device --module "$TOKEN_MODULE"
signs "a key file knows its own" ec-p256.pem "${pin[@]}"
succeeds "conf" conf openssl --module "$TOKEN_MODULE"
assert_contains "has the module" "pkcs11-module = $TOKEN_MODULE" "$OUTPUT"
succeeds "conf with a name of p11-kit's" conf openssl --module softhsm2.so
assert_contains "leaves it as it is" "pkcs11-module = softhsm2.so" "$OUTPUT"
succeeds "conf without" conf openssl
[[ $OUTPUT != *pkcs11-module* ]] || fail "conf has a module that nobody gave"
[[ ! -e none ]] || fail "a failure left a file"
