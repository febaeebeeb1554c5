#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A device enrols at an EST server, in all the ways that one may have.
#
# Usage: enroll.sh tpm|token [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK" || exit
make_device "${ARGS[0]:?tpm or token}"
make_est
start_est
openssl_conf openssl.cnf

say "In one go"
cost_reset
# shellcheck disable=SC2016 # the hook's own
enroll --after 'echo "$DEVID_IDENTITY $DEVID_FOLDER" >>after' --san DNS:u.local \
    >out || fail "$(<out)"
assert_equal "its steps" "key server enroll test disk after" \
    "$(awk '{ print $1 }' out | xargs)"
if [[ $KIND == tpm ]]; then
    # The key under the SRK, its request's signature; the IDevID's handshake;
    # its own.
    assert_equal "it took these commands" "ReadPublic Create\
 ReadPublic Load ContextSave Sign FlushContext\
 ReadPublic Load ContextSave Sign FlushContext\
 ReadPublic Load ContextSave Sign FlushContext" "$(commands)"
else
    assert_equal "it made one key, and signed three times" "1 3" \
        "$(spy_count C_GenerateKeyPair) $(spy_count C_Sign)"
fi
assert_whole "the identity"
assert_equal "whose names are those asked for" \
    "subject=O = Acme, CN = unit-1 DNS:u.local" \
    "$(plain_openssl x509 -in root/unit/cert.pem -noout -subject -ext \
        subjectAltName | grep -v X509v3 | xargs)"
assert_equal "the CA was asked by the IDevID" \
    "cacerts Acme/unit-1,csrattrs Acme/unit-1,simpleenroll Acme/unit-1" \
    "$(head -n 3 est/log | awk '{ print $1, $2 }' | paste -sd ,)"
assert_equal "and knows the new identity" "cacerts" "$(sed 1,3d est/log |
    awk '{ print $1 }')"
assert_equal "the command was run" "unit $WORK/root/unit" "$(<after)"
assert_equal "who may read and write what" "644 644" \
    "$(stat -c %a root/unit.conf root/unit.state | xargs)"
assert_equal "nothing is pending" "false null null null null" "$(jq -r \
    '[.hook_pending, .pending_key, .pending_label, .last_error, .retry_at]
        | map(tostring) | join(" ")' root/unit.state)"
SERIAL=$(serial)

say "Again"
: >est/log
enroll >out 2>&1
assert_contains "it has one already" "has a certificate already" "$(<out)"
assert_equal "nobody was asked" "" "$(est_log)"
enroll --force >out
[[ $(serial) != "$SERIAL" ]] || fail "--force did not enrol anew"
assert_whole "with --force"
# The one before is the next run's to delete.
assert_keys "with --force" 3

say "What the server may do"
# fine WHAT LINE... [-- OPTION...]: enrolment succeeds in that mode.
fine() {
    local what=$1 lines=() before
    shift
    while (($#)) && [[ $1 != -- ]]; do
        lines+=("$1")
        shift
    done
    mode "${lines[@]}"
    before=$(serial)
    enroll --force "${@:2}" >out 2>&1 || fail "$what: $(<out)"
    [[ $(serial) != "$before" ]] || fail "$what: no new certificate"
    say "  ok: $what"
}
fine "base64 in lines" wrap
fine "DER in place of base64" binary
fine "an attribute list that says nothing" attrs=3000
fine "one of OIDs" attrs=300b06092a864886f70d010907
# SEQUENCE { SEQUENCE { id-ecPublicKey, SET { secp384r1 } } }
fine "one that wants another kind of key" \
    attrs=3014301206072a8648ce3d0201310706052b81040022
assert_equal "gets it" "ec-p384" "$(key_kind)"
assert_keys "no key is left over" 3
fine "where the user does not" \
    attrs=3014301206072a8648ce3d0201310706052b81040022 -- --algorithm ec-p256
assert_equal "which it does not get" "ec-p256" "$(key_kind)"
fine "a label" label=ops/ -- --label ops
fine "a CA that takes two seconds" pending=2,1
assert_equal "is asked with the same request" "3 1" \
    "$(awk '$1 == "simpleenroll" { print $5 }' est/log | tail -n 3 |
        sort | uniq -c | awk '{ n++; c = $1 } END { print c, n }')"
rm est/mode

say "What it must not"
# wrong CODE WHAT SENTENCE LINE...: in that mode it fails so, and nothing is lost.
wrong() {
    local code=$1 what=$2 sentence=$3 before timeout=60
    shift 3
    mode "$@"
    before=$(readlink root/unit)
    ((code != 4)) || timeout=4 # what may pass is tried as long
    fails "$code" "$what" "$sentence" enroll --force --timeout "$timeout"
    assert_equal "  and the old identity stays" "$before" \
        "$(readlink root/unit)"
    assert_contains "  which is remembered" "$sentence" "$(state last_error)"
}
wrong 7 "garbage" "holds no certificates as PKCS#7 has them" garbage
wrong 7 "nothing in it" "holds no certificates as PKCS#7 has them" empty
wrong 7 "another type" \
    "/simpleenroll is no EST server: its answer is text/html, not application/pkcs7-mime" type
wrong 7 "a certificate of another key" "is for another key than this" otherkey
wrong 7 "another root" "has no chain to a root of the CA" otherroot
wrong 7 "one that has expired" "has expired already" expired
wrong 7 "cacerts that are none" "/cacerts is no EST server" cacerts=garbage
wrong 7 "csrattrs that are none" "its answer is no CsrAttrs" attrs=0500
wrong 3 "a refusal" \
    "/simpleenroll refuses: the CA is?not well (HTTP status 403)" status=403
wrong 3 "nothing there" "is the URL right, and --label?" status=404
wrong 4 "a failure" "fails: the CA is?not well (HTTP status 500)" status=500
wrong 4 "busy for long" "(HTTP status 503)" status=503
wrong 4 "an answer cut short" "cannot be reached" cut
wrong 4 "a CA that takes its time" "wants to be asked again in 900 seconds" \
    pending=1,900
fails 4 "not before that" "wants to be asked again in" enroll --timeout 1
KEY=$(state pending_key)
jq '.retry_at = "2020-01-01T00:00:00Z"' root/unit.state >s && mv s root/unit.state
enroll >out || fail "$(<out)"
assert_equal "then the same key is certified" "$KEY" "$(<root/unit/key.pem)"
assert_keys "and no key is left over" 3
rm est/mode

say "Who the server is"
FINGERPRINT=$(plain_openssl x509 -in est/ca.pem -noout -fingerprint -sha256)
FINGERPRINT=${FINGERPRINT#*=}
# by OPTION...: with nothing else that says whom to trust
by() {
    "$DEVID" enroll --est "${EST_URL%/.well-known/est}/" --identity unit \
        --root "$WORK/root" --idevid "$WORK/idevid" --force --timeout 2 \
        "${DEVICE[@]}" "$@"
}
: >est/log
by --fingerprint "$FINGERPRINT" >out || fail "$(<out)"
assert_equal "by its CA's fingerprint" "cacerts - cacerts Acme/unit-1" \
    "$(head -n 2 est/log | awk '{ print $1, $2 }' | xargs)"
fails 7 "another fingerprint" "has no CA certificate of the fingerprint" \
    by --fingerprint "00${FINGERPRINT:2}"
fails 7 "no fingerprint at all" "the SHA-256 of the CA's certificate is wanted" \
    by --fingerprint 1234
fails 7 "another CA" "--ca or --fingerprint says who vouches" \
    by --ca est/elsewhere/ca.pem
fails 7 "that of the IDevID, by default" "has no certificate for that name" by
cat factory/ca.pem est/ca.pem >idevid/ca.pem
by >out || fail "$(<out)"
say "  ok: which may vouch for it"
fails 7 "another name" "has no certificate for that name" \
    env HOME=/ "$DEVID" enroll --est "https://127.0.0.1:$(<est/port)" \
    --identity unit --root root --idevid idevid --ca est/ca.pem --force \
    "${DEVICE[@]}"

say "Who the device is"
mode user=me:s3cret
echo s3cret >secret
# as OPTION...: without an IDevID
as() {
    "$DEVID" enroll --est "$EST_URL" --identity basic --root "$WORK/root" \
        --ca est/ca.pem "${DEVICE[@]}" "$@"
}
fails 2 "nobody" "nothing says to the CA who this device is" as --subject /CN=b
fails 2 "without a subject" "--subject is needed" \
    as --user me --secret-source file:secret
fails 3 "another secret" "refuses: it does not say why (HTTP status 401)" \
    env SECRET=wrong "$DEVID" enroll --est "$EST_URL" --identity basic --root root \
    --ca est/ca.pem "${DEVICE[@]}" --subject /CN=b --user me \
    --secret-source env:SECRET
as --subject /CN=b --user me --secret-source file:secret >out || fail "$(<out)"
assert_equal "a user and a secret" "secret-source = file:$WORK/secret" \
    "$(grep secret-source root/basic.conf)"
assert_equal "the secret is in no file of ours" "" \
    "$(grep -l s3cret root/* root/basic/* 2>/dev/null || true)"
plain_openssl req -x509 -newkey rsa:2048 -nodes -keyout i.key -out i.pem -days 1 \
    -subj /CN=stranger 2>/dev/null
mkdir stranger
cp i.key stranger/key.pem
cp i.pem stranger/cert.pem
cp i.pem stranger/chain.pem
IDEVID=stranger fails 3 "a stranger" "refuses the certificate of this device's identity" \
    enroll --force
rm est/mode

say "Other servers"
set --
for option in --tls12 --client-required --no-client; do
    stop_est
    start_est "$option"
    [[ $option != --no-client ]] || {
        mode user=me:s3cret
        set -- --user me --secret-source "file:$WORK/secret"
    }
    : >est/log
    enroll --force "$@" >out || fail "$option: $(<out)"
    say "  ok: $option"
    [[ $option != --tls12 ]] || assert_equal "it is TLS 1.2" "TLSv1.2" \
        "$(awk '{ print $4 }' est/log | sort -u)"
done
assert_contains "without a client's certificate it proves itself to itself" \
    "a TLS handshake with itself" "$(<out)"
stop_est
fails 4 "one that is not there" "the EST server at https://localhost" \
    enroll --force --timeout 1
assert_keys "in the end" 4
