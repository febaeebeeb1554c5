#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid status: how identities are, for people, as JSON and for Prometheus.
#
# Usage: status.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common_cmp.sh"
need jq nginx
harness_dir
cd "$WORK" || exit
make_device tpm
make_cmp
start_cmp

# status CODE [OPTION...]: it ends so. Sets OUTPUT.
status() {
    local code=$1 got=0
    shift
    OUTPUT=$("$DEVID" status --root "$WORK/root" "$@" 2>errors) || got=$?
    assert_equal "devid status${*:+ }$* ends with $code" "$code" "$got"
    [[ ! -s errors ]] || fail "it complains: $(<errors)"
}

# of NAME FILTER: of an identity, by the last run with --json.
of() {
    jq -r --arg name "$1" \
        ".identities[] | select(.identity == \$name) | $2" <<<"$OUTPUT"
}

# dated NAME FROM UNTIL [CSR]: a folder of an identity of that name whose
# certificate is valid so, by date(1).
dated() {
    rm -rf "root/$1"
    mkdir -p "root/$1" new
    cp idevid/key.pem "root/$1/key.pem"
    [[ -e index.txt ]] || : >index.txt
    printf '%s\n' '[ca]' 'default_ca = this' '[this]' \
        "database = $WORK/index.txt" "new_certs_dir = $WORK/new" \
        'rand_serial = yes' 'default_md = sha256' 'policy = any' \
        'unique_subject = no' '[any]' 'commonName = supplied' \
        'organizationName = optional' >ca.cnf
    plain_openssl ca -config ca.cnf -batch -notext -in "${4:-i.csr}" \
        -cert cmp/ca.pem -keyfile cmp/ca.key -out "root/$1/cert.pem" \
        -startdate "$(date -u -d "$2" +%Y%m%d%H%M%SZ)" \
        -enddate "$(date -u -d "$3" +%Y%m%d%H%M%SZ)" 2>ca.log ||
        fail "no certificate: $(<ca.log)"
}

say "None"
status 0
assert_equal "is no error" "there are no identities" "$OUTPUT"
status 0 --json
assert_equal "nor in JSON" "0" "$(jq '.identities | length' <<<"$OUTPUT")"

say "One that is well"
enroll_cmp --idevid "$WORK/idevid" --ca "$WORK/cmp/ca.pem" >out || fail "$(<out)"
cost_reset
status 0
assert_equal "costs no TPM command" "" "$(trace_list)"
number=$(serial)
for part in unit ok "${number#serial=}" O=Acme,CN=unit-1 "TPM" \
    "$(date -u -d "$(plain_openssl x509 -in root/unit/cert.pem -noout \
        -enddate | cut -d = -f 2)" '+%Y-%m-%d %H:%M')"; do
    assert_contains "the table has $part" "$part" "$OUTPUT"
done
status 0 --json
assert_equal "its renewal is where its state has it" \
    "$(date -d "$(state next_renewal)" +%s)" "$(of unit .next_renewal)"
assert_equal "and its CA's protocol" cmp "$(of unit .protocol)"
assert_equal "nobody uses it" null "$(of unit .used_by)"

say "Who uses it"
PORT=$(free_port)
openssl_conf openssl.cnf
mkdir run
cat >nginx.conf <<END
$(nginx_head "$WORK/run")
    access_log off;
    server {
        listen 127.0.0.1:$PORT ssl;
        ssl_certificate $WORK/root/unit/chain.pem;
        ssl_certificate_key $WORK/root/unit/key.pem;
    }
}
END
# Its configuration is named as it stands below -p.
OPENSSL_CONF=$WORK/openssl.cnf spawn nginx nginx -p "$WORK" \
    -e "$WORK/nginx.log" -c nginx.conf
nginx=$SPAWNED
await_port "$nginx" "$PORT" || nginx_failed
spawn tail tail -f root/unit/chain.pem
tail=$SPAWNED
spawn socat socat TCP-LISTEN:"$(free_port)",bind=127.0.0.1 \
    FILE:"$WORK/root/unit/cert.pem"
spawn other tail -f "$WORK/root/unit.conf"
# open_by PID: it has the file open.
open_by() { find "/proc/$1/fd" -lname '*/root/unit*' 2>/dev/null | grep -q .; }
await "tail's file" "$tail" open_by "$tail"
status 0 --json
assert_equal "nginx, by its configuration" "$nginx $WORK/nginx.conf" \
    "$(of unit '.used_by[] | select(.program == "nginx") |
        "\(.pids | map(tostring) | join(" ")) \(.how)"')"
assert_equal "who has a file of it open" "$tail open file" \
    "$(of unit '.used_by[] | select(.program == "tail") |
        "\(.pids | map(tostring) | join(" ")) \(.how)"')"
assert_equal "who names it on the command line" "command line" \
    "$(of unit '.used_by[] | select(.program == "socat") | .how')"
status 0
assert_contains "people see them" "nginx" "$OUTPUT"
halt "$nginx"

say "For Prometheus"
status 0 --prometheus --output devid.prom
assert_equal "it prints nothing else" "" "$OUTPUT"
assert_equal "others may read the file" 644 "$(stat -c %a devid.prom)"
assert_equal "each line has its form" "" "$(grep -Ev \
    '^(# (HELP|TYPE) devid_[a-z_]+ .*|devid_[a-z_]+(\{([a-z]+="([^"\\]|\\.)*",?)+\})? [0-9]+)$' \
    devid.prom || true)"
assert_contains "when it expires" \
    "devid_identity_not_after_seconds{identity=\"unit\"} $(date -d "$(
        plain_openssl x509 -in root/unit/cert.pem -noout -enddate |
            cut -d = -f 2)" +%s)" "$(<devid.prom)"
assert_contains "that it is well" 'devid_identity_ok{identity="unit"} 1' \
    "$(<devid.prom)"
assert_contains "which it is" "serial=\"${number#serial=}\"" "$(<devid.prom)"
assert_equal "one head a metric" "" \
    "$(grep '^# TYPE' devid.prom | sort | uniq -d)"
inode=$(stat -c %i devid.prom)
status 0 --prometheus --output devid.prom
[[ $(stat -c %i devid.prom) != "$inode" ]] || fail "it is not replaced"
say "  ok: it is replaced, never written into"
fails 1 "where no file can be" "cannot be written" \
    "$DEVID" status --root root --prometheus --output none/devid.prom
fails 2 "a file of what" "--output is of --prometheus" \
    "$DEVID" status --output x

say "One whose renewal fails"
halt "$CMP_PID"
renew --force --timeout 1 >out 2>&1 && fail "it is renewed by nobody"
status 1
assert_contains "people see it" "failed" "$OUTPUT"
assert_contains "and why" "unit: last error: the CA at $CMP_URL cannot be" \
    "$OUTPUT"
status 1 --prometheus
assert_contains "Prometheus as well" \
    'devid_identity_renewal_failed{identity="unit"} 1' "$OUTPUT"
assert_contains "it is not well" 'devid_identity_ok{identity="unit"} 0' "$OUTPUT"

# is STATE CODE WHAT: the identity dated is so.
is() {
    status "$2" --json >/dev/null
    assert_equal "$3" "$1" "$(of dated .state)"
}
say "By the clock"
mv root kept
mkdir root
dated dated "-10 days" "+90 days"
is ok 0 "one that nobody renews, long before its end"
dated dated "-95 days" "+5 days"
is ending 1 "the same when it ends soon"
dated dated "-100 days" "-1 day"
is expired 1 "when it has ended"
dated dated "+1 day" "+100 days"
is early 1 "before it begins"
dated dated "-10 days" "9999-12-31 23:59:59"
is ok 0 "one without an end"
status 0
assert_contains "which people see" never "$OUTPUT"
"$DEVID" csr --key idevid/key.pem --subject '/CN=a "b" \\c' --out odd.csr
dated dated "-10 days" "+90 days" odd.csr
status 0 --prometheus
assert_contains "one with an odd name" 'subject="CN=a \\\"b\\\" \\\\c"' \
    "$OUTPUT"
cp kept/unit.conf root/dated.conf
dated dated "-50 days" "+50 days"
is ok 0 "one that is renewed, before its time"
dated dated "-80 days" "+20 days"
is overdue 1 "one that should have been renewed"
rm -r root/dated
is missing 1 "one that was never given"
dated dated "-10 days" "+90 days"
echo damaged >root/dated/key.pem
is unreadable 1 "one whose key is damaged"
status 1
assert_contains "and why" "dated: its key: " "$OUTPUT"
echo 'protocol = none' >root/dated.conf
OUTPUT=$("$DEVID" status --root root 2>&1) && fail "a wrong configuration is well"
assert_contains "one whose configuration is wrong" \
    "has no protocol" "$OUTPUT"
