#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# nginx accepts devices as a station of a factory line certifies them, and no
# longer when that revokes one: its lists are many, each for some devices.
#
# Usage: station.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/../identity/line_common.sh"
need nginx jq
make_line
for serial in SN1 SN2; do
    [[ $serial == SN1 ]] || {
        start_tpm --ek second
        trust_vendor "$WORK/second"
        halt "$STATION_PID"
        start_station
    }
    "$DEVID" provision --station "https://localhost:$STATION_PORT" \
        --ca line/ca.pem --serial "$serial" --model Gate \
        --token-source file:token --dir "$WORK/$serial" >out || fail "$(<out)"
done

# trust ARGUMENT...: devid trust on $WORK/trust.json.
trust() {
    "$DEVID" trust "$@" --file "$WORK/trust.json" >trust.out || fail "trust $*"
}

say "The station's lists"
shards=$(sed -n 's/^crl_shards = //p' line/station.conf)
lists=()
for ((i = 0; i < shards; i++)); do
    lists+=(--crl "https://localhost:$STATION_PORT/v1/crl/$i.crl")
done
trust add --ca line/ca.pem
trust add "${lists[@]}"
for serial in SN1 SN2; do trust add --cert "$serial/cert.pem"; done
trust refresh --https-ca line/ca.pem
assert_equal "all are fetched" "$shards" "$(grep -c 'new, valid until' trust.out)"
trust write --nginx "$WORK/nginx.d" --quiet
trust list --json
assert_equal "nothing is revoked" 0 "$(jq '[.crls[].revoked] | add' trust.out)"

say "nginx"
make_ca "$WORK/web"
plain_openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout web.key -subj /CN=localhost -addext subjectAltName=DNS:localhost \
    -out web.csr 2>/dev/null
sign_csr web.csr web.pem server
openssl_conf "$WORK/openssl.cnf"
WEB_PORT=$(free_port)
serve_nginx "$WEB_PORT" <<END
    access_log off;
    include $WORK/nginx.d/hash.conf;
    include $WORK/nginx.d/map.conf;
    server {
        listen 127.0.0.1:$WEB_PORT ssl;
        ssl_certificate $WORK/web.pem;
        ssl_certificate_key $WORK/web.key;
        include $WORK/nginx.d/server.conf;
        location / {
            include $WORK/nginx.d/require.conf;
            try_files /none @hello;
        }
        location @hello { return 200 hello; }
    }
END

declare -A TPM_OF=([SN1]=tpm [SN2]=second)
# gets SERIAL STATUS WHAT: as the device whose IDevID is in its TPM.
gets() {
    use_tpm "${TPM_OF[$1]}"
    assert_equal "$3" "$2" "$(OPENSSL_CONF=$WORK/openssl.cnf curl --silent \
        --show-error --max-time 20 --noproxy '*' --cacert web/ca.pem \
        --cert "$1/chain.pem" --key "$1/key.pem" --output /dev/null \
        --write-out '%{http_code}' "https://localhost:$WEB_PORT/")"
}
gets SN1 200 "a device by its IDevID"
gets SN2 200 "another one"

say "One is revoked"
"$STATION" revoke SN1 --reason compromise --dir line >revoke.out ||
    fail "$(<revoke.out)"
revoked() {
    trust refresh --all --https-ca line/ca.pem
    trust list --json
    [[ $(jq '[.crls[].revoked] | add' trust.out) -gt 0 ]]
}
await "the station's new list" "$STATION_PID" revoked
trust write --nginx "$WORK/nginx.d" --quiet
reload_workers "$NGINX_PID"
gets SN1 403 "the device whose certificate is revoked"
gets SN2 200 "the other one still"
