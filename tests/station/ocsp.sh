#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The state of certificates by OCSP: openssl's client, nginx that checks its
# clients' certificates and staples its own; a responder's key in a TPM.
#
# Usage: ocsp.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/est_common.sh"
harness_dir
cd "$WORK"
make_station
http_port=$(free_port)
url=http://127.0.0.1:$http_port
setting policy allow_pkcs10 yes
setting server http_port "$http_port"
setting ca ocsp_url "$url/ocsp"
setting ca crl_url "$url/v1/crl/{shard}.crl"
start_station

# make_ldevid UNIT NAME: NAME.key, NAME.pem
make_ldevid() {
    make_csr "$2" /
    enrol_est "$1" "$2"
    certs_of answer >"$2.pem"
}

# state_of CERT [ARGUMENT...]: what openssl says of it: "good".
state_of() {
    plain_openssl ocsp -issuer line/ca.pem -CAfile line/ca.pem -url "$url/ocsp" \
        "${@:2}" -cert "$1" >ocsp.out 2>ocsp.log || true
    grep -q 'Response verify OK' ocsp.log || fail "openssl ocsp: $(<ocsp.log)"
    sed -n "s/^$1: //p" ocsp.out
}
# is_now STATE CERT
is_now() {
    [[ $(state_of "$2") == "$1" ]]
}

make_unit SN-1
make_unit SN-2
make_ldevid SN-1 one
make_ldevid SN-1 two
make_ldevid SN-2 three

say "openssl ocsp"
assert_contains "certificates say where" "OCSP - URI:$url/ocsp" \
    "$(plain_openssl x509 -in SN-1.pem -noout -ext authorityInfoAccess)"
for cert in SN-1.pem one.pem; do
    assert_equal "$cert" good "$(state_of $cert)"
done
[[ $(<ocsp.log) != *nonce* ]] || fail "the nonce: $(<ocsp.log)"
assert_equal "by SHA-256" good "$(state_of one.pem -sha256)"
state_of one.pem -no_nonce -serial 0x4711 >one.state
assert_equal "one without a nonce, and one that there is not" "good 0x4711: unknown" \
    "$(<one.state) $(grep ^0x ocsp.out)"
self_signed stranger /CN=other
plain_openssl ocsp -issuer stranger.pem -serial 1 -url "$url/ocsp" -noverify \
    >ocsp.out 2>ocsp.log
assert_contains "of another CA nothing is known" "1: unknown" "$(<ocsp.out)"
text=$(plain_openssl x509 -in line/ocsp.pem -noout -text)
assert_contains "the responder's own certificate is for this" "OCSP Signing" "$text"
assert_contains "and is not asked for" "OCSP No Check" "$text"
assert_equal "its key is its owner's alone" 600 "$(stat -c %a line/ocsp.key)"

say "By GET"
plain_openssl ocsp -issuer line/ca.pem -cert one.pem -no_nonce -reqout one.req \
    >ocsp.out 2>&1
path=$(base64 -w 0 one.req | sed 's/+/%2B/g; s|/|%2F|g; s/=/%3D/g')
curl -sS --noproxy '*' --dump-header headers -o one.resp "$url/ocsp/$path"
assert_contains "it is answered" "one.pem: good" "$(plain_openssl ocsp \
    -respin one.resp -reqin one.req -issuer line/ca.pem -cert one.pem \
    -CAfile line/ca.pem 2>&1)"
assert_contains "for caches" "Cache-Control: public, max-age=1800" "$(<headers)"
assert_contains "with its type" "Content-Type: application/ocsp-response" "$(<headers)"
curl -sS --noproxy '*' -o one.resp "$url/ocsp/$(base64 -w 0 one.req)"
assert_contains "as it is, too" "one.pem: good" "$(plain_openssl ocsp \
    -respin one.resp -reqin one.req -issuer line/ca.pem -cert one.pem \
    -CAfile line/ca.pem 2>&1)"
for path in /ocsp/none /ocsp/AAAA; do
    curl -sS --noproxy '*' -o bad.resp "$url$path"
    assert_contains "$path is no request" "malformedrequest" \
        "$(plain_openssl ocsp -respin bad.resp -text -noverify 2>&1 || true)"
done

say "Without TLS there is nothing else"
for path in /v1/station /.well-known/est/cacerts /ocsps; do
    assert_equal "$path" 404 "$(curl -sS --noproxy '*' -o plain.out \
        -w '%{http_code}' "$url$path")"
done
assert_equal "but the lists" 200 "$(curl -sS --noproxy '*' -o list.crl \
    -w '%{http_code}' "$url/v1/crl/0.crl")"
assert_equal "which are there by TLS too, as OCSP is" 200 "$(curl -sS \
    --noproxy '*' --cacert line/ca.pem --data-binary @one.req -o one.resp \
    -w '%{http_code}' "https://localhost:$STATION_PORT/ocsp")"

say "Revoked"
"$STATION" revoke --dir line --reason compromise \
    --number "$(plain_openssl x509 -in one.pem -noout -serial | cut -d = -f 2)"
assert_equal "one" revoked "$(state_of one.pem)"
assert_contains "with the reason" "Reason: keyCompromise" "$(<ocsp.out)"
assert_equal "not the other" good "$(state_of two.pem)"
"$STATION" revoke --dir line SN-1 --reason cessation
for cert in two.pem SN-1.pem; do
    assert_equal "with its unit: $cert" revoked "$(state_of $cert)"
done
assert_equal "not another unit's" good "$(state_of three.pem)"
before=$(sha256sum line/ocsp.pem line/ocsp.key)
stop_station
start_station
assert_equal "after a restart" "revoked $before" \
    "$(state_of two.pem) $(sha256sum line/ocsp.pem line/ocsp.key)"
stop_station

say "The responder's certificate, in the middle of its time"
# half_over SECONDS: line/ocsp.pem, as the CA issued it half a year ago but for
# so many seconds.
half_over() {
    rm -rf ca
    mkdir ca
    : >ca/index
    cat >ca.conf <<EOF
[c]
database = ca/index
new_certs_dir = ca
default_md = sha256
policy = p
rand_serial = yes
x509_extensions = x
unique_subject = no
[p]
commonName = supplied
[x]
extendedKeyUsage = OCSPSigning
EOF
    plain_openssl req -new -key line/ocsp.key -subj /CN=old -out old.csr
    plain_openssl ca -batch -config ca.conf -name c -notext -in old.csr \
        -cert line/ca.pem -keyfile line/ca.key -out line/ocsp.pem \
        -startdate "$(date -u -d '-200 days' +%y%m%d%H%M%SZ)" \
        -enddate "$(date -u -d "+182 days +$1 seconds" +%y%m%d%H%M%SZ)" \
        2>openssl.log
}
# responder: the name in the certificate that signs answers.
responder() {
    state_of three.pem -resp_text >responder.state
    sed -n 's/^ *Subject: //p' ocsp.out
}
is_renewed() {
    [[ $(responder) == *'line-1 OCSP'* ]]
}
# A busy machine may take longer to start than the certificate lasts.
for ((left = 10; left < 200; left *= 2)); do
    half_over "$left"
    start_station
    now=$(responder)
    [[ $now != CN=old ]] || break
    stop_station
done
assert_equal "is kept until then" CN=old "$now"
pid=$STATION_PID
for ((i = 0; i < 2 * left; i++)); do
    ! is_renewed || break
    sleep 1
done
assert_equal "the station that runs has another, and answers: three.pem" \
    "line-1 OCSP good" \
    "$(responder | sed 's/^CN=//') $(state_of three.pem)"
kill -0 "$pid" || fail "the station has ended"
assert_contains "in its file, too" "line-1 OCSP" \
    "$(plain_openssl x509 -in line/ocsp.pem -noout -subject)"
await "the station's word" "$pid" \
    grep -q "the OCSP responder has another certificate" station.log
say "  ok: and says so"

say "nginx asks for its clients' certificates, and staples its own"
make_ldevid SN-2 server
# shellcheck disable=SC2034 # start_nginx reads it
CA_DIR=$WORK/line
chmod 755 "$WORK" line
start_nginx --key server.key --cert server.pem --server \
    "ssl_ocsp leaf; ssl_stapling on; ssl_trusted_certificate $WORK/line/ca.pem;
     ssl_stapling_verify on;"
# client CERT: what nginx says to it.
client() {
    curl --silent --insecure --noproxy '*' --max-time 20 --key "$1.key" \
        --cert "$1.pem" "https://localhost:$NGINX_PORT/" || true
}
assert_contains "one that is in force" "SUCCESS serialNumber=SN-2" "$(client three)"
assert_contains "one that is revoked" "400 The SSL certificate error" "$(client two)"
stapled() {
    plain_openssl s_client -connect "localhost:$NGINX_PORT" -status \
        -cert three.pem -key three.key </dev/null 2>/dev/null |
        grep -q 'Cert Status: good'
}
await "the staple" "$NGINX_PID" stapled
say "  ok: what it staples is good"
stop_nginx
stop_station

say "A responder's key in a TPM"
start_tpm --srk house
start_trace --name house
"$DEVID" keygen --out line/tpm.key
setting ca ocsp_key tpm.key
start_station
: >"$TRACE_LOG"
signs() {
    awk '$3 == "Sign" && $4 == "0x000" { n++ } END { print n + 0 }' "$TRACE_LOG"
}
assert_equal "the new key has a new certificate" good "$(state_of three.pem)"
assert_equal "a nonce costs a signature" 1 "$(signs)"
for _ in 1 2 3; do
    assert_equal "without one" good "$(state_of three.pem -no_nonce)"
done
assert_equal "the answer is kept" 2 "$(signs)"
"$STATION" revoke --dir line SN-2 --reason cessation
revoked() {
    [[ $(state_of three.pem -no_nonce) == revoked ]]
}
await "the answer's end" "$STATION_PID" revoked
say "  ok: until something is revoked"
