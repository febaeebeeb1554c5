#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A device enrols at a CA that speaks CMP, renews, and has its certificate
# revoked.
#
# Usage: cmp.sh tpm|token [--build-dir DIR] [--keep]
source "$(dirname "$0")/common_cmp.sh"
harness_dir
cd "$WORK" || exit
make_device "${ARGS[0]:?tpm or token}"
openssl_conf openssl.cnf

BY_IDEVID=(--idevid "$WORK/idevid" --ca "$WORK/cmp/ca.pem")
make_cmp
start_cmp life=3600

say "A first certificate, the IDevID signs"
enroll_cmp "${BY_IDEVID[@]}" --san DNS:unit.local >out || fail "$(<out)"
assert_equal "the CA was asked, and told that it is well" \
    "ir /O=Acme/CN=unit-1 confirmed" "$(cmp_did)"
assert_whole "enrolled"
assert_contains "with the names that it asked for" DNS:unit.local \
    "$(plain_openssl x509 -in root/unit/cert.pem -noout -ext subjectAltName)"
assert_equal "its root is kept, not what comes beside the message" \
    "$(<cmp/ca.pem)" "$(<root/unit/ca.pem)"
first=$(serial)
enroll_cmp "${BY_IDEVID[@]}" >out 2>&1 || fail "$(<out)"
assert_equal "a second time there is nothing to do" "" "$(cmp_did)"

say "The next one, the identity itself signs"
restart_cmp life=3600
renew --force >out || fail "$(<out)"
assert_equal "the CA was asked" "kur /O=Acme/CN=unit-1 confirmed" "$(cmp_did)"
assert_whole "renewed"
[[ $(serial) != "$first" ]] || fail "the certificate is the old one"
assert_contains "with the same names" DNS:unit.local \
    "$(plain_openssl x509 -in root/unit/cert.pem -noout -ext subjectAltName)"
if [[ $KIND == tpm ]]; then
    cost_reset
    renew --force >out || fail "$(<out)"
    # Of the old key: its two messages. Of the new one: PKCS#10, proof of
    # possession, and the handshake that tries it.
    assert_equal "the TPM makes five signatures" 5 "$(trace_count Sign)"
    cmp_did >/dev/null
fi

say "When the identity cannot ask for itself"
lose_key
renew --force >out 2>&1 || fail "$(<out)"
assert_contains "its IDevID does: its key is gone" "its IDevID does" "$(<out)"
assert_equal "as at first" "ir /O=Acme/CN=unit-1 confirmed" "$(cmp_did)"
assert_whole "enrolled again"
cp cmp/trusted.pem both.pem
cp factory/ca.pem cmp/trusted.pem
restart_cmp
renew --force >out 2>&1 || fail "$(<out)"
assert_contains "its IDevID does: the CA does not know it" "its IDevID does" \
    "$(<out)"
assert_equal "as at first" "ir /O=Acme/CN=unit-1 confirmed" "$(cmp_did)"
cp both.pem cmp/trusted.pem
restart_cmp

say "Its end"
number=$(serial)
"$DEVID" revoke --root root --identity unit --reason superseded >out ||
    fail "$(<out)"
assert_equal "the CA has revoked it" "revoked ${number#serial=}" "$(cmp_did)"
fails 3 "a second time" "it is revoked already" \
    "$DEVID" revoke --root root --identity unit
fails 3 "it is not renewed any more" "the certificate is revoked" \
    renew --force
assert_contains "which is remembered" "is revoked" "$(state last_error)"
enroll_cmp "${BY_IDEVID[@]}" --force >out || fail "$(<out)"
cmp_did >/dev/null
assert_whole "but a new one is given"

say "A secret in place of the IDevID"
rm -rf root
printf 'hemlich\n' >secret
restart_cmp secret=unit-7:hemlich
SECRET=(--user unit-7 --secret-source "file:$WORK/secret" --subject /CN=unit-7)
enroll_cmp "${SECRET[@]}" >out || fail "$(<out)"
assert_equal "the CA was asked" "ir /CN=unit-7 confirmed" "$(cmp_did)"
assert_whole "enrolled by a secret"
assert_equal "the root that came under the secret is kept" \
    "$(<cmp/ca.pem)" "$(<root/unit/ca.pem)"
renew --force >out || fail "$(<out)"
assert_equal "then the identity itself signs" "kur /CN=unit-7 confirmed" \
    "$(cmp_did)"
rm -rf root
printf 'falsch\n' >secret
fails 7 "another secret" "is the secret the one that the CA has" enroll_cmp "${SECRET[@]}"
[[ $OUTPUT != *falsch* ]] || fail "the secret is told"
assert_equal "and it gets nothing" "" "$(cmp_did)"

say "Behind TLS"
rm -rf root
plain_openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout tls.key -subj /CN=localhost -addext subjectAltName=DNS:localhost \
    -out tls.csr 2>/dev/null
sign_csr tls.csr tls.pem server
restart_cmp
tls=$(free_port)
spawn socat socat "OPENSSL-LISTEN:$tls,bind=127.0.0.1,fork,cert=tls.pem,key=tls.key,verify=0" \
    "TCP:127.0.0.1:$(<cmp/port)"
await_port "$SPAWNED" "$tls" || fail "socat does not start"
CMP_URL=https://localhost:$tls/pkix
enroll_cmp "${BY_IDEVID[@]}" >out || fail "$(<out)"
assert_whole "enrolled"
CMP_URL=https://127.0.0.1:$tls/pkix
fails 7 "a server of another name" "is not that CA" \
    enroll_cmp "${BY_IDEVID[@]}" --force
cmp_did >/dev/null
rm -rf root

say "A CA that thinks about it"
restart_cmp waits=2
enroll_cmp "${BY_IDEVID[@]}" >out || fail "$(<out)"
assert_equal "is asked again" \
    "waiting ir /O=Acme/CN=unit-1 confirmed" "$(cmp_did)"
assert_whole "after a while"
rm -rf root
restart_cmp waits=100
fails 4 "for longer than it may" "has not decided within 4 seconds" \
    enroll_cmp "${BY_IDEVID[@]}" --timeout 4
cmp_did >/dev/null

say "Who is not trusted"
rm -rf root
restart_cmp
make_ca "$WORK/other"
fails 7 "a CA whose messages another one signs" "is not to be trusted" \
    enroll_cmp --idevid "$WORK/idevid" --ca "$WORK/other/ca.pem"
cp -r idevid stranger
sign_csr i.csr stranger/cert.pem
cp stranger/cert.pem stranger/chain.pem
restart_cmp # which has never seen this key
fails 3 "a device of another factory" "refuses: PKIStatus: rejection" \
    enroll_cmp --idevid "$WORK/stranger" --ca "$WORK/cmp/ca.pem"
[[ ! -e root/unit ]] || fail "something is kept of a CA that is not trusted"
say "  ok: nothing is kept"

say "Where no CA is"
halt "$CMP_PID"
fails 4 "nobody" "cannot be reached" enroll_cmp "${BY_IDEVID[@]}" --timeout 1
fails 2 "another kind of server" "is missing: --est URL, or --cmp URL" \
    "$DEVID" enroll --identity unit --root root
fails 1 "another scheme" "CMP's begins with" \
    "$DEVID" enroll --cmp ftp://x --identity unit --root "$WORK/root"
