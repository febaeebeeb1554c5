#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What a TPM says of its IAK's creation goes to the station, which holds it
# against what the IAK certifies. An nginx in front writes down what went there.
#
# Usage: line_creation.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/line_common.sh"
make_line

# start_front: nginx, which passes all on to the station. Sets FRONT_PORT.
start_front() {
    FRONT_PORT=$(free_port)
    serve_nginx "$FRONT_PORT" <<EOF
    client_body_buffer_size 64k;
    log_format bodies escape=none '\$uri \$request_body';
    access_log $WORK/bodies bodies;
    server {
        listen 127.0.0.1:$FRONT_PORT ssl;
        ssl_certificate $WORK/line/server.pem;
        ssl_certificate_key $WORK/line/server.key;
        location / { proxy_pass https://127.0.0.1:$STATION_PORT; }
    }
EOF
}

# said: the creation data that went to the station last, in hex.
said() {
    sed -n 's|^/v1/units {|{|p' bodies | tail -n 1 | jq -r .creation |
        base64 -d | od -An -v -tx1 | tr -d ' \n'
}

# Behind nginx the station does not see the device's new identity, so that the
# last step fails: what is wanted has been done by then.
need nginx
start_front
# No PCRs, with the digest of none; locality 0; a primary key of the
# endorsement hierarchy; no outsideInfo.
NONE=$(openssl dgst -sha256 -r </dev/null | cut -d ' ' -f 1)
WANTED="000000000020${NONE}01001000044000000b00044000000b0000"
for status in 201 200; do
    say "Of an IAK that is new, then of one that is there: $status"
    PORT=$FRONT_PORT fails 3 "its identity stays behind" \
        "the unit's IDevID certificate is wanted"
    assert_equal "its creation data goes along" "$WANTED" "$(said)"
    assert_equal "and is taken" "$status" "$(jq -R 'fromjson? |
        select(.path == "/v1/units") | .status' station.log | tail -n 1)"
done

say "Of another key"
sed -n 's|^/v1/units {|{|p' bodies | tail -n 1 >own.json
CREATION=$("$BUILD_DIR/tests/station/craft" none SN1 craft.req craft.root &&
    base64_of craft.req.creation)
post /v1/units "$(jq --arg other "$CREATION" '.creation = $other' own.json)"
assert_refused "it is refused" 422 iak-creation \
    "the creationHash in the request's atCertifyInfo is not the SHA2-256 of the\
 creation data"
post /v1/units "$(<own.json)"
assert_equal "its own is taken" 200 "$STATUS"
