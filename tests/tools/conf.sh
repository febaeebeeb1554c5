#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid conf: what it prints works as pasted, in openssl, nginx, curl and
# haproxy.
#
# Usage: conf.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK"
start_tpm --srk
make_ca ca
for name in server client; do
    "$DEVID" keygen --out $name.key
    "$DEVID" csr --key $name.key --subject /CN=$name --san DNS:localhost \
        --out $name.csr
    sign_csr $name.csr $name.pem $name
done
cat server.key server.pem >combined.pem
chmod 644 ./*.pem

say "openssl"
succeeds "devid conf openssl" conf openssl
printf '%s\n' "$OUTPUT" >openssl.cnf
assert_contains "finds the module of the build" \
    "module = $BUILD_DIR/provider/devid.so" "$OUTPUT"
assert_contains "has the TPM's address" "tcti = $DEVID_TCTI" "$OUTPUT"
export OPENSSL_CONF=$WORK/openssl.cnf
name=000b$(printf '%064d' 7)
DEVID_TPM2_PARENT_NAME=$name succeeds "with the storage key" conf openssl
assert_contains "it has its Name" "tpm2-parent-name = $name" "$OUTPUT"
tcti=$DEVID_TCTI
# From here on programs know the TPM by the configuration alone.
unset DEVID_TCTI TPM2TOOLS_TCTI
assert_contains "openssl lists devid" devid "$(openssl list -providers)"
openssl req -new -key client.key -subj /CN=by-openssl -out by-openssl.csr
plain_openssl req -in by-openssl.csr -verify -noout >verify 2>&1 ||
    fail "the request does not verify"
say "  ok: openssl makes a request with the key"
succeeds "without an address" conf openssl
[[ $OUTPUT != *"tcti ="* ]] || fail "conf has an address that nobody gave"
# shellcheck disable=SC2016
succeeds "with an odd one" conf openssl --tcti 'swtpm:path=/a$b"c\d'
# shellcheck disable=SC2016
assert_contains "it is escaped" 'tcti = swtpm:path=/a\$b\"c\\d' "$OUTPUT"


say "README.md's five settings"
# shellcheck disable=SC2016
sed -n '/^```ini$/,/^```$/{/^```/!p}' "$TOP/README.md" >readme.cnf
assert_equal "are five" 5 "$(grep -c = readme.cnf)"
assert_contains "activate devid, once it is where OpenSSL looks" devid \
    "$(OPENSSL_CONF=readme.cnf OPENSSL_MODULES=$BUILD_DIR/provider \
        openssl list -providers)"

# with_port PORT: the last output, with another port than 8443.
with_port() {
    printf '%s\n' "${OUTPUT//8443/$1}"
}

# curl_pasted PORT: what 'devid conf curl' prints, run.
curl_pasted() {
    succeeds "devid conf curl" conf curl --key client.key --cert client.pem \
        --ca ca/ca.pem --openssl-conf openssl.cnf >/dev/null
    with_port "$1" >curl.sh
    env -u OPENSSL_CONF bash -c "
        curl() { command curl -sS --ipv4 --noproxy '*' --max-time 20 \"\$@\"; }
        $(sed 's/^OPENSSL_CONF=\(.*\) \\$/export OPENSSL_CONF=\1/' curl.sh)"
}

say "nginx and curl"
port=$(free_port)
succeeds "devid conf nginx" conf nginx --key server.key --cert server.pem \
    --ca ca/ca.pem --openssl-conf openssl.cnf
assert_contains "tells how nginx finds devid" \
    "Environment=OPENSSL_CONF=$WORK/openssl.cnf" "$OUTPUT"
{
    echo "access_log off;"
    with_port "$port"
} >pasted
serve_nginx "$port" "env OPENSSL_CONF;" <pasted
answer=$(curl_pasted "$port")
assert_equal "curl, as pasted, is served by nginx, as pasted" \
    "TLSv1.3 SUCCESS CN=client" "$answer"
stop_nginx

say "haproxy"
need haproxy
port=$(free_port)
succeeds "devid conf haproxy" conf haproxy --key server.key \
    --cert combined.pem --ca ca/ca.pem --openssl-conf openssl.cnf
with_port "$port" >haproxy.cfg
haproxy -c -f haproxy.cfg >haproxy.check 2>&1 ||
    fail "haproxy: $(<haproxy.check)"
spawn haproxy haproxy -db -f "$WORK/haproxy.cfg"
await_port "$SPAWNED" "$port" || fail "haproxy does not start"
assert_contains "curl, as pasted, is served by haproxy, as pasted" \
    "TLSv1.3" "$(curl_pasted "$port")"
halt "$SPAWNED"

say "Without a CA"
succeeds "a server" conf nginx
[[ $OUTPUT != *ssl_verify_client* ]] || fail "clients are asked for nothing"
assert_contains "has the standard paths" \
    "ssl_certificate_key /var/lib/devid/unit/key.pem;" "$OUTPUT"

say "What a configuration cannot hold"
# shellcheck disable=SC2016
for path in 'a b.pem' 'a;b.pem' 'a$b.pem' "a'b.pem" $'a\nb.pem' 'a{b.pem'; do
    refuses "the path '$path'" "a character that the syntax" \
        conf nginx --key "$path"
done
export DEVID_TCTI=$tcti
