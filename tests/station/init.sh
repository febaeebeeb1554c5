#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid-station init, and the settings that it is ready to take. Needs no TPM.
#
# Usage: init.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK"

# refuses WHAT SENTENCE ARGUMENT...: the station ends with 1 and the sentence.
refuses() {
    local what=$1 sentence=$2 status=0
    shift 2
    OUTPUT=$("$STATION" "$@" 2>&1 >/dev/null) || status=$?
    assert_equal "$what: its exit code" 1 "$status" >/dev/null
    assert_contains "$what" "$sentence" "$OUTPUT"
}

# refuses_conf WHAT SENTENCE LINE...: likewise a station.conf of these lines.
refuses_conf() {
    local what=$1 sentence=$2
    shift 2
    mkdir -p conf
    printf '%s\n' "$@" >conf/station.conf
    refuses "$what" "conf/station.conf: $sentence" serve --dir conf
}

say "A station"
"$STATION" init --dir line --name line-1 --host line.example --host 192.0.2.1 \
    >init.out
assert_contains "says what to do next" "devid-station serve --dir line" \
    "$(<init.out)"
assert_equal "its folder is its owner's" 700 "$(stat -c %a line)"
for file in ca.key server.key chain.key station.conf ledger.db; do
    assert_equal "$file too" 600 "$(stat -c %a "line/$file")"
done
assert_equal "its server's certificate is by its CA" "line/server.pem: OK" \
    "$(plain_openssl verify -x509_strict -purpose sslserver \
        -verify_hostname line.example -CAfile line/ca.pem line/server.pem)"
assert_equal "with its address too" "line/server.pem: OK" \
    "$(plain_openssl verify -verify_ip 192.0.2.1 -CAfile line/ca.pem \
        line/server.pem)"
text=$(plain_openssl x509 -in line/ca.pem -noout -text)
assert_contains "its CA never expires" "Dec 31 23:59:59 9999" "$text"
assert_contains "and has no CA below it" "pathlen:0" "$text"
before=$(sha256sum line/*.key line/station.conf)
refuses "a second init" "line is not empty" init --dir line --name line-2
assert_equal "changes nothing" "$before" \
    "$(sha256sum line/*.key line/station.conf)"
mkdir empty
"$STATION" init --dir empty --name line-2 >/dev/null
assert_equal "an empty folder is taken" 700 "$(stat -c %a empty)"

say "A CA that there is"
make_ca own
plain_openssl req -x509 -new -key own/ca.key -days 30 -subj /CN=Own \
    -addext basicConstraints=critical,CA:TRUE \
    -addext keyUsage=critical,keyCertSign,cRLSign -out own/good.pem
"$STATION" init --dir third --name line-3 --ca-key own/ca.key \
    --ca-cert own/good.pem >/dev/null
assert_equal "signs the server's certificate" "third/server.pem: OK" \
    "$(plain_openssl verify -CAfile own/good.pem third/server.pem)"
refuses "a key of another CA" "the issuer's key does not belong" init \
    --dir fourth --name x --ca-key line/ca.key --ca-cert own/good.pem

say "Settings"
refuses "no station.conf" "devid-station init --dir $WORK/nowhere" \
    serve --dir nowhere
refuses_conf "a line that is none" "line 2 is neither" '[station]' 'name line-1'
refuses_conf "a mistyped section" \
    "there is no section [stasion]; did you mean [station]?" \
    '[stasion]' 'name = x'
refuses_conf "a section that is none" \
    "there is no section [printer]: there are [station]" '[printer]'
refuses_conf "a mistyped setting" \
    "there is no setting crl_hour in [ca]; did you mean crl_hours?" \
    '[station]' 'name = x' '[ca]' 'crl_hour = 3'
refuses_conf "a setting of another section" \
    "there is no setting port in [station]" '[station]' 'port = 3'
refuses_conf "a setting of the provider's, mistyped" \
    "there is no setting tctii in [device]; did you mean tcti?" \
    '[device]' 'tctii = x'
refuses_conf "a setting that is there twice" \
    "san in [ca] is set twice, in line 4 and in line 8" '[station]' \
    'name = x' '[ca]' $'san = DNS:\\' 'san = x # san = z' '[policy]' \
    'allow_sha1 = no' 'ca::san=URI:y'
refuses_conf "in a section that begins twice" \
    "name in [station] is set twice, in line 2 and in line 4" '[station]' \
    'name = x' '[ station ]' '  name=x'
refuses_conf "a setting before the first section" \
    "the setting name stands in no section" 'name = x'
refuses_conf "no name" "name is missing in [station]" '[station]'
refuses_conf "a name with a space" "a station's name has 1 to 64 of A to Z" '[station]' 'name = a b'
refuses_conf "a number that is none" \
    "port in [server] is a number from 1 to 65535, not '0x50'" \
    '[station]' 'name = x' '[server]' 'port = 0x50'
refuses_conf "a flag that is none" \
    "allow_sha1 in [policy] is yes or no, not 'true'" \
    '[station]' 'name = x' '[policy]' 'allow_sha1 = true'
