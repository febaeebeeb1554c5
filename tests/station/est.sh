#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# EST: a unit that has its IDevID gets LDevIDs, by curl and openssl; whoever
# should not is refused with a sentence.
#
# Usage: est.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/est_common.sh"
harness_dir
cd "$WORK"
make_station
setting policy allow_pkcs10 yes
setting ca crl_shards 2
setting ca san 'DNS:{serial}.acme.example'
printf '[est.vpn]\nlifetime = 1h\ncsrattrs = ecdsa-with-SHA256, 1.2.3.4\n' \
    >>line/station.conf
start_station
make_unit SN-1
make_unit SN-2

say "What anybody may ask"
est GET /.well-known/est/cacerts
assert_equal "cacerts" "200 application/pkcs7-mime; smime-type=certs-only" \
    "$STATUS $TYPE"
assert_equal "is base64 on one line" 1 "$(wc -l <answer)"
certs_of answer >cacerts.pem
assert_equal "of the CA" "$(plain_openssl x509 -in line/ca.pem -outform DER | sha256sum)" \
    "$(plain_openssl x509 -in cacerts.pem -outform DER | sha256sum)"
for path in /vpn/.well-known/est/cacerts /.well-known/est/vpn/cacerts; do
    est GET "$path"
    assert_equal "the label's: $path" 200 "$STATUS"
done
est GET /.well-known/est/csrattrs
assert_equal "no attributes" "204 " "$STATUS $OUTPUT"
est GET /.well-known/est/vpn/csrattrs
assert_equal "those that station.conf has" "200 application/csrattrs" "$STATUS $TYPE"
assert_contains "as OIDs" "ecdsa-with-SHA256" \
    "$(base64 -d answer | plain_openssl asn1parse -inform DER)"
for path in /.well-known/est/lan/cacerts /lan/.well-known/est/cacerts; do
    est GET "$path"
    assert_equal "another label" "404 there is no label 'lan' here: [est] and [est.LABEL] in station.conf make them" \
        "$STATUS $OUTPUT"
done
for path in /.well-known/est/serverkeygen /a/b/.well-known/est/cacerts \
    /vpn/.well-known/est/vpn/cacerts /.well-known/est/; do
    est POST "$path"
    assert_equal "nothing at $path" 404 "$STATUS"
done

say "An LDevID under the IDevID"
make_csr one "/O=nobody"
enrol_est SN-1 one
assert_equal "of another name is refused" \
    "403 the subject of the request is neither empty nor that of the unit's IDevID" \
    "$STATUS $OUTPUT"
make_csr one "/"
enrol_est SN-1 one
assert_equal "is issued" "200 application/pkcs7-mime; smime-type=certs-only" \
    "$STATUS $TYPE"
certs_of answer >one.pem
text=$(plain_openssl x509 -in one.pem -noout -text)
assert_contains "with the subject of the IDevID" "Subject: serialNumber = SN-1" "$text"
assert_contains "and its names" "DNS:SN-1.acme.example" "$text"
assert_equal "for seven days" "604800" "$(seconds_left one.pem)"
assert_equal "of the request's key" "$(plain_openssl pkey -in one.key -pubout)" \
    "$(plain_openssl x509 -in one.pem -noout -pubkey)"
assert_equal "which verifies" "one.pem: OK" \
    "$(plain_openssl verify -x509_strict -CAfile line/ca.pem one.pem)"
first=$(sha256sum <answer)
enrol_est SN-1 one
assert_equal "the same again for the same key" "200 $first" \
    "$STATUS $(sha256sum <answer)"

say "However the request is wrapped"
for width in 0 64 76; do
    base64 -w $width one.der >one.b64
    est POST /.well-known/est/simpleenroll --key SN-1.key --cert SN-1.pem \
        --data-binary @one.b64
    assert_equal "in lines of $width" "200 $first" "$STATUS $(sha256sum <answer)"
done
{
    printf '\n \t'
    base64 -w 60 one.der | sed 's/$/\r/'
    printf '  \n\n'
} >one.b64
est POST /.well-known/est/simpleenroll --key SN-1.key --cert SN-1.pem \
    --data-binary @one.b64
assert_equal "with white space around" "200 $first" "$STATUS $(sha256sum <answer)"
for body in "" "no base64" "MIIB" "$(base64 -w 0 one.der | tr A B)"; do
    est POST /.well-known/est/simpleenroll --key SN-1.key --cert SN-1.pem \
        --data-binary "$body"
    assert_equal "no request: '${body:0:10}'" 400 "$STATUS"
done
{
    head -c -1 one.der
    tail -c 1 one.der | LC_ALL=C tr '\000-\377' '\001-\377\000'
} >forged.der
est POST /.well-known/est/simpleenroll --key SN-1.key --cert SN-1.pem \
    --data-binary "$(base64 forged.der)"
assert_equal "a signature that does not hold" \
    "400 the signature of the request is not by its key" "$STATUS $OUTPUT"

say "Renewed under the LDevID"
renew_est one one
assert_equal "a request without its subject" \
    "403 the subject of the request is not that of the certificate that is to be renewed" \
    "$STATUS $OUTPUT"
make_csr one "/serialNumber=SN-1" one.key
renew_est one one
assert_equal "by the same key" 200 "$STATUS"
certs_of answer >two.pem
[[ $(<two.pem) != "$(<one.pem)" ]] || fail "it is the old one"
second=$(sha256sum <answer)
renew_est one one
assert_equal "an answer that was lost is given again" "200 $second" \
    "$STATUS $(sha256sum <answer)"
cp one.key two.key
make_csr three "/serialNumber=SN-1" "" "DNS:SN-1.acme.example"
renew_est two three
assert_equal "by a new key, with the names" 200 "$STATUS"
certs_of answer >three.pem
make_csr other "/serialNumber=SN-1" "" "DNS:SN-2.acme.example"
renew_est three other
assert_equal "not with another's" \
    "403 the subjectAltName of the request is not that of the unit's certificate" \
    "$STATUS $OUTPUT"
make_csr other "/serialNumber=SN-2"
renew_est three other
assert_equal "nor by another subject" \
    "403 the subject of the request is not that of the certificate that is to be renewed" \
    "$STATUS $OUTPUT"
est POST /.well-known/est/simpleenroll --key three.key --cert three.pem \
    --data-binary "$(base64 three.der)"
assert_equal "nor as if for the first time" \
    "403 simpleenroll is asked under the IDevID; under an LDevID it is simplereenroll" \
    "$STATUS $OUTPUT"
est POST /.well-known/est/vpn/simplereenroll --key three.key --cert three.pem \
    --data-binary "$(base64 three.der)"
assert_contains "nor under another label" "is of the label '', not of 'vpn'" "$OUTPUT"

say "Another label"
make_csr vpn "/"
est POST /vpn/.well-known/est/simpleenroll --key SN-1.key --cert SN-1.pem \
    --data-binary "$(base64 vpn.der)"
assert_equal "has its own LDevID" 200 "$STATUS"
certs_of answer >vpn.pem
assert_equal "and lifetime" 3600 "$(seconds_left vpn.pem)"
est POST /vpn/.well-known/est/simpleenroll --key SN-1.key --cert SN-1.pem \
    --data-binary "$(base64 three.der)"
assert_equal "not by the key of another label" \
    "409 the key in the request of unit SN-1 has an LDevID of another label: each wants a key of its own" \
    "$STATUS $OUTPUT"

say "Who may not"
est POST /.well-known/est/simpleenroll --data-binary "$(base64 one.der)"
assert_equal "nobody" \
    "401 an IDevID or LDevID of this station is wanted as client certificate" \
    "$STATUS $OUTPUT"
self_signed stranger /serialNumber=SN-1
est POST /.well-known/est/simpleenroll --key stranger.key --cert stranger.pem \
    --data-binary "$(base64 one.der)"
assert_equal "a stranger of the same name" \
    "403 the client certificate is neither an IDevID nor an LDevID of this station's units" \
    "$STATUS $OUTPUT"
make_csr three "/" three.key
enrol_est SN-2 three
assert_equal "another unit by a key that is taken" \
    "409 the key in the request of unit SN-2 has an LDevID of another unit" \
    "$STATUS $OUTPUT"
plain_openssl req -new -newkey rsa:1024 -nodes -subj / -keyout weak.key \
    -outform DER -out weak.der 2>req.log
enrol_est SN-2 weak
assert_contains "a weak key" "400 the RSA key in the request is weak: shorter than 2048 bits" \
    "$STATUS $OUTPUT"

say "Secrets in place of certificates"
printf '# who\nSN-2:open sesame\ndesk:another\n' >line/users
setting est users users
stop_station
start_station
make_csr secret "/"
by_secret SN-2:"open sesame" secret
assert_equal "while others may read them" 401 "$STATUS"
chmod 600 line/users
by_secret SN-2:"open sesame" secret
assert_equal "a unit by its own" 200 "$STATUS"
assert_contains "gets its LDevID" "serialNumber = SN-2" \
    "$(certs_of answer | plain_openssl x509 -noout -subject)"
for pair in SN-2:wrong SN-2: SN-1:"open sesame" :; do
    by_secret "$pair" secret
    assert_equal "not by $pair" "401 there is no such name, or it has another secret" \
        "$STATUS $OUTPUT"
done
assert_contains "and is told how" 'WWW-Authenticate: Basic realm="EST"' "$(<headers)"
by_secret desk:another secret
assert_equal "who is no unit says for whom" \
    "403 desk is no unit, and neither is '', which the request's subject has as serialNumber" \
    "$STATUS $OUTPUT"
make_csr desk "/serialNumber=SN-2"
by_secret desk:another desk
assert_equal "and may" 200 "$STATUS"
est POST /.well-known/est/simplereenroll --user desk:another \
    --data-binary "$(base64 desk.der)"
assert_equal "but not renew" \
    "403 simplereenroll is asked under the certificate that is to be renewed, not by a name and its secret" \
    "$STATUS $OUTPUT"

say "A request that is bound to its connection (TLS 1.2)"
# bound own|other: what the station says to it.
bound() {
    "$BUILD_DIR/tests/station/bound_request" "$STATION_PORT" SN-2.key SN-2.pem \
        /.well-known/est/simpleenroll "$1"
}
assert_contains "to this one" "HTTP/1.1 200" "$(bound own)"
said=$(bound other)
assert_contains "to another" "HTTP/1.1 403" "$said"
assert_contains "and is told" "the request was made for another connection: its challengePassword is not this one's tls-unique" \
    "$said"

say "What is over"
"$STATION" revoke --dir line SN-1 --reason cessation
renew_est three three
assert_equal "a retired unit's LDevID renews nothing" \
    "403 the unit SN-1 is retired, and its certificates are revoked" \
    "$STATUS $OUTPUT"
enrol_est SN-1 one
assert_equal "nor does its IDevID" \
    "403 the unit SN-1 is retired, and its certificates are revoked" \
    "$STATUS $OUTPUT"
set_lifetime 2s
make_csr short "/"
enrol_est SN-2 short
certs_of answer >short.pem
make_csr short /serialNumber=SN-2 short.key
expired() {
    renew_est short short
    [[ $OUTPUT == *expired* ]]
}
await "its end" "$STATION_PID" expired
assert_contains "an LDevID that is over renews nothing" \
    "ask for one under the IDevID (simpleenroll)" "$STATUS $OUTPUT"
make_csr short "/" short.key
enrol_est SN-2 short
certs_of answer >long.pem
assert_equal "the IDevID gets another for its key" "200 differs" \
    "$STATUS $(cmp -s short.pem long.pem && echo same || echo differs)"
"$STATION" verify-log --dir line >verify.out
say "  ok: $(<verify.out)"
