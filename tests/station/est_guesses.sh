#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# EST by a name and its secret: who guesses is slowed down, by his address, and
# nobody else is.
#
# Usage: est_guesses.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/est_common.sh"
harness_dir
cd "$WORK"
make_station
printf 'SN-1:open sesame\n' >line/users
chmod 600 line/users
setting est users users
setting policy allow_pkcs10 yes
start_station
make_unit SN-1
make_csr one /

# guess: wrong ones until there is a refusal of another kind. Sets GUESSES.
guess() {
    for ((GUESSES = 0; GUESSES < 200; GUESSES++)); do
        by_secret "SN-1:wrong $GUESSES" one
        [[ $STATUS == 401 ]] || break
    done
}

say "Guesses"
guess
assert_equal "the first ten are answered, and then" 429 "$STATUS"
# On a machine that takes seconds for each, more.
((GUESSES >= 10)) || fail "$GUESSES wrong ones were answered, not 10"
assert_contains "it says" "too many wrong secrets have come from 127.0.0.1: ask again in" \
    "$OUTPUT"
for ((i = 0; i < 5; i++)); do
    by_secret SN-1:"open sesame" one
    [[ $STATUS != 429 ]] || break
    guess
done
assert_equal "the right one does not pass either" 429 "$STATUS"
wait_s=$(sed -n 's/^Retry-After: \([0-9]*\)\r$/\1/p' headers)
((wait_s >= 1 && wait_s <= 10)) || fail "Retry-After: '$wait_s'"
say "  ok: Retry-After says $wait_s seconds"
assert_equal "no secret is in the log" 0 "$(grep -c -e 'wrong [0-9]' -e sesame station.log || true)"
assert_contains "but the brake is" '"status":429' "$(<station.log)"

say "Others"
est POST /.well-known/est/simpleenroll --interface 127.0.0.2 \
    --user SN-1:"open sesame" --data-binary "$(base64 one.der)"
assert_equal "from another address it passes" 200 "$STATUS"
enrol_est SN-1 one
assert_equal "a certificate passes" 200 "$STATUS"
est GET /.well-known/est/cacerts
assert_equal "what anybody may see is seen" 200 "$STATUS"

say "Afterwards"
sleep "$wait_s"
by_secret SN-1:"open sesame" one
assert_equal "the right one passes" 200 "$STATUS"
