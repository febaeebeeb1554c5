#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# An identity is renewed when it is due, and not before; what follows is run;
# where something fails the old one stays.
#
# Usage: renew.sh tpm|token [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK" || exit
make_device "${ARGS[0]:?tpm or token}"
make_est
start_est
openssl_conf openssl.cnf

# changed WHAT KEY: the certificate is another one since the last call; so is
# the key, where KEY is new, or it is the same.
SERIAL='' SPKI=''
changed() {
    local serial spki
    serial=$(serial)
    spki=$(plain_openssl x509 -in root/unit/cert.pem -noout -pubkey)
    [[ $serial != "$SERIAL" ]] || fail "$1: the certificate is the old one"
    case $2 in
    new) [[ $spki != "$SPKI" ]] || fail "$1: the key is the old one" ;;
    same) [[ $spki == "$SPKI" ]] || fail "$1: the key is another one" ;;
    esac
    SERIAL=$serial SPKI=$spki
    say "  ok: $1: another certificate, the $2 key"
}

# set_conf NAME VALUE: as somebody who edits it.
set_conf() {
    grep -v "^$1 = " root/unit.conf >conf.new || true
    echo "$1 = $2" >>conf.new
    cat conf.new >root/unit.conf
}

say "What is not due"
WISHES=(--san DNS:u.local --after 'echo run >>after')
enroll "${WISHES[@]}" >out
changed "at first" new
: >est/log
cost_reset
assert_equal "nothing is said" "" "$(renew 2>&1)"
assert_equal "nobody is asked" "" "$(est_log)"
if [[ $KIND == tpm ]]; then
    assert_equal "and no TPM" "" "$(commands)"
else
    assert_equal "and no token" 0 "$(spy_count)"
fi
assert_equal "the command was run once" "run" "$(<after)"
assert_equal "under the user's umask" "$(printf %o $((0666 & ~$(umask))))" \
    "$(stat -c %a after)"
NEXT=$(date -d "$(state next_renewal)" +%s)
BEGUN=$(date -d "$(plain_openssl x509 -in root/unit/cert.pem -noout -startdate |
    cut -d = -f 2)" +%s)
((NEXT - BEGUN >= 2100 && NEXT - BEGUN <= 2400)) ||
    fail "of an hour it is due after $((NEXT - BEGUN)) seconds"
say "  ok: it is due at two thirds of its hour, or up to a twelfth before"
say "What is due"
mode begun=3000
enroll --force "${WISHES[@]}" >out
changed "anew, an old one" new
mode ""
rm after
: >est/log
renew >out || fail "$(<out)"
changed "renewed" new
assert_equal "its steps" "key server enroll test disk after" \
    "$(awk '{ print $1 }' out | xargs)"
assert_equal "it asked for itself" \
    "cacerts Acme/unit-1,csrattrs Acme/unit-1,simplereenroll Acme/unit-1,cacerts Acme/unit-1" \
    "$(awk '{ print $1, $2 }' est/log | paste -sd ,)"
assert_equal "under the same names" \
    "subject=O = Acme, CN = unit-1 DNS:u.local" \
    "$(plain_openssl x509 -in root/unit/cert.pem -noout -subject -ext \
        subjectAltName | grep -v X509v3 | xargs)"
assert_equal "the command was run" "run" "$(<after)"
assert_whole "renewed"
assert_equal "that is all" "" "$(renew 2>&1)"
assert_keys "after the next run" 2
renew --force --json >out
changed "--force" new
assert_equal "JSON of it" "done unit" \
    "$(tail -n 1 out | jq -r '.event + " " + .identity')"

say "Where it fails"
mode begun=3000
enroll --force "${WISHES[@]}" >out
changed "an old one" new
stop_est
renew --force >out 2>&1 --timeout 1 && fail "without a CA it was renewed"
assert_equal "the old one stays" "$SERIAL" "$(serial)"
assert_whole "without a CA"
KEY=$(state pending_key)
start_est
mode otherkey
fails 7 "another key's certificate" "is for another key" renew
assert_equal "the new key waits" "$KEY" "$(state pending_key)"
mode ""
renew >out || fail "$(<out)"
changed "and is used then" new
assert_equal "  that one" "$KEY" "$(<root/unit/key.pem)"
assert_equal "what was wrong is forgotten" null "$(state last_error)"

say "What follows"
set_conf after "exit 3"
fails 1 "a command that fails is told of" "'exit 3', ended with 3" renew --force
changed "but it is renewed" new
assert_equal "and the command remembered" true "$(state hook_pending)"
: >est/log
fails 1 "it is run again" "'exit 3', ended with 3" renew
set_conf after "echo again >after"
renew >out
assert_equal "until it succeeds" "again false null" \
    "$(<after) $(state hook_pending) $(state last_error)"
assert_equal "nobody was asked for that" "" "$(est_log)"

say "The same key"
set_conf same-key yes
renew --force >out
changed "same-key" same
mode otherkey
fails 7 "where it fails" "is for another key" renew --force
mode ""
renew >out
changed "and again" same
set_conf same-key no
renew --force >out
changed "no more" new
assert_whole "no more"

say "What has expired"
set_conf subject /CN=never
mode lifetime=2
renew --force >out
changed "for two seconds" new
expired() {
    ! plain_openssl x509 -in root/unit/cert.pem -noout -checkend 0 >/dev/null
}
await "it to expire" $$ expired
mode ""
: >est/log
renew >out 2>&1 || fail "$(<out)"
changed "it is enrolled again" new
assert_contains "by the IDevID" "simpleenroll Acme/unit-1" "$(<est/log)"
assert_equal "under its own names" "subject=O = Acme, CN = unit-1" \
    "$(plain_openssl x509 -in root/unit/cert.pem -noout -subject)"

say "A CA that was replaced"
cp est/ca.pem web.pem
sed -i "s|^ca = .*|ca = $WORK/web.pem|" root/unit.conf
cp est/elsewhere/ca.key est/elsewhere/ca.pem est
cat est/ca.pem factory/ca.pem >est/clients.pem
stop_est
start_est
: >est/log
renew --force >out 2>&1 || fail "$(<out)"
changed "it is enrolled again" new
assert_contains "which is said" "cannot ask for itself: its IDevID does" \
    "$(<out)"
assert_contains "by the IDevID" "simpleenroll Acme/unit-1" "$(<est/log)"
renew --force >out
changed "then it asks for itself" new
assert_contains "again" "simplereenroll Acme/unit-1" "$(<est/log)"

say "A key that is gone"
lose_key
renew --force >out 2>&1 || fail "$(<out)"
changed "it is enrolled again" new
assert_contains "by its IDevID" "its IDevID does" "$(<out)"
mode otherkey
fails 7 "one that is to be" "is for another key" renew --force
mode ""
if [[ $KIND == token ]]; then
    state pending_key >key
    "$DEVID" delete --yes "$("$DEVID" show --json key | jq -r '.[0].uri')"
else
    clear_key >key
    jq --rawfile key key '.pending_key = $key' root/unit.state >s
    cp s root/unit.state
fi
renew >out 2>&1 || fail "$(<out)"
changed "is made anew" new
assert_contains "which is said" "the key of the last attempt is not used" "$(<out)"
assert_whole "in the end"

say "Others"
cp root/unit.conf root/a.conf
echo "tipo = 1" >>root/a.conf
cp root/unit.conf root/b.conf
fails 1 "one that is wrong" "a.conf, line $(wc -l <root/a.conf): there is no setting tipo" \
    renew --force
changed "does not keep the others from it" new
assert_equal "of which one is new" "subject=CN = never" \
    "$(plain_openssl x509 -in root/b/cert.pem -noout -subject)"
fails 1 "one that is not there" "there is no identity 'c' in" \
    renew --identity c
fails 2 "no name" "is no name of an identity" renew --identity ../unit
fails 2 "two ways" "exclude each other" renew --identity unit --all
fails 2 "no time" "--timeout is a number of seconds" renew --timeout 0
: >est/hold
mode hold=simplereenroll
rm -f est/held
EXEC="exec" renew --identity unit --force >out 2>&1 &
await "the request" $! test -e est/held
fails 1 "two at once" "another devid is at work on the identity 'unit'" \
    renew --identity unit --force
rm est/hold
wait $! || fail "$(<out)"
changed "the first was not disturbed" new
