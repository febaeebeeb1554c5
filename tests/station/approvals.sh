#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# LDevIDs on the station's pages: requests that wait are approved or refused
# there, certificates revoked, renewals that are due or overdue listed.
#
# Usage: approvals.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/est_common.sh"
# shellcheck source=pages_common.sh
source "$(dirname "$0")/pages_common.sh"
harness_dir
need sqlite3
cd "$WORK"
make_station
setting policy allow_pkcs10 yes
setting est approval manual
setting est lifetime 21d
setting est retry_after 1s
"$STATION" operator --dir line --name Kim --out kim.pem
"$STATION" operator --dir line --name Lee --out lee.pem
start_station
for unit in SN-1 SN-2 SN-3; do
    make_unit "$unit"
done

# path_of SERIAL WHAT: of the form on the page that does it to that unit's.
path_of() {
    tr -d '\n' <<<"$OUTPUT" | sed 's/<tr>/\n/g' | grep -F ">$1<" |
        grep -o "/fleet/ldevids/[0-9a-f]*/$2" | head -n 1
}

# entries SERIAL: the events of a unit's log, and who did them.
entries() {
    "$STATION" show --dir line --json "$1" |
        jq -r '.history[-1] | "\(.event) \(.peer)"'
}

say "Requests that wait"
for unit in SN-1 SN-2 SN-3; do
    make_csr "$unit-vpn" /
    enrol_est "$unit" "$unit-vpn"
    assert_equal "$unit waits" 202 "$STATUS"
done
see kim /fleet/approvals
for unit in SN-1 SN-2 SN-3; do
    assert_contains "$unit is listed" ">$unit</a>" "$OUTPUT"
done
token=$(token_of)
approve=$(path_of SN-1 approve)
refuse=$(path_of SN-2 refuse)
[[ $approve && $refuse ]] || fail "the page has no forms"
give kim "$approve"
assert_equal "without a token none is approved" 403 "$STATUS"
give lee "$approve" "token=$token"
assert_equal "nor with that of another operator" 403 "$STATUS"
ask POST "$approve" --key SN-1.key --cert SN-1.pem --data-urlencode "token=$token"
assert_equal "nor by the device" 403 "$STATUS"
enrol_est SN-1 SN-1-vpn
assert_equal "it waits on" 202 "$STATUS"
give kim "$approve" "token=$token"
assert_contains "Kim approves one" "303" "$STATUS"
assert_equal "which is in the log" "ldevid-approve operator Kim at 127.0.0.1" \
    "$(entries SN-1)"
enrol_est SN-1 SN-1-vpn
assert_equal "the device gets it" 200 "$STATUS"
certs_of answer >SN-1-vpn.pem
give kim "$refuse" "token=$token"
assert_equal "and refuses one" "303 ldevid-refuse operator Kim at 127.0.0.1" \
    "$STATUS $(entries SN-2)"
enrol_est SN-2 SN-2-vpn
assert_equal "the device gets none" 403 "$STATUS"
see kim /fleet/approvals
assert_equal "one is left" "SN-3" \
    "$(sed -n 's/^<tr><th[^>]*><a[^>]*>\([^<]*\)<.*/\1/p' <<<"$OUTPUT")"
give kim /fleet/ldevids/00000000000000000000000000000000/approve "token=$token"
assert_equal "one that is not there is not approved" 404 "$STATUS"

say "Renewals"
see kim /fleet/renewals
assert_contains "one is due" 'class="state tested">due<' "$OUTPUT"
# Two weeks of three, and a day, are over; and all three.
late() {
    ledger "UPDATE ldevid SET not_before_ms = not_before_ms - $1 * 86400000,
         not_after_ms = not_after_ms - $1 * 86400000 WHERE serial = 'SN-1'"
}
late 15
see kim /fleet/renewals
assert_contains "after two thirds of its time it is overdue" ">overdue<" "$OUTPUT"
late 7
see kim /fleet/renewals
assert_contains "then expired" ">expired<" "$OUTPUT"
late -22
counts() {
    see kim /fleet
    [[ $OUTPUT == *"In force</dt><dd><strong>1<"* &&
        $OUTPUT == *"Waiting for approval</dt><dd><strong>1<"* ]]
}
await "the figures of it" "$STATION_PID" counts
say "  ok: the first page counts it, and what waits"

say "Revocation"
unit=$(ledger "SELECT id FROM unit WHERE serial = 'SN-1'")
number=$(plain_openssl x509 -in SN-1-vpn.pem -noout -serial)
see kim "/fleet/units/$unit"
assert_contains "the unit's page has its LDevID" "<code>${number#serial=}</code>" \
    "$OUTPUT"
revoke=$(grep -o "/fleet/ldevids/[0-9a-f]*/revoke" <<<"$OUTPUT")
token=$(token_of)
give kim "$revoke" "token=$token"
assert_equal "a reason is needed" 400 "$STATUS"
give kim "$revoke" "token=$token" reason=superseded
assert_equal "then it is revoked" "303 ldevid-revoke operator Kim at 127.0.0.1" \
    "$STATUS $(entries SN-1)"
see kim "/fleet/units/$unit"
assert_contains "which the page says" "<td>revoked</td>" "$OUTPUT"
assert_contains "the unit itself is not retired" 'class="state issued"' "$OUTPUT"
