#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The station's pages, by curl: who may see them, what their heads say, names
# that are markup, lists of thousands of units, a unit's history, retirement.
#
# Usage: fleet.sh [--build-dir DIR] [--keep] [postgres]
source "$(dirname "$0")/common.sh"
# shellcheck source=pages_common.sh
source "$(dirname "$0")/pages_common.sh"
# shellcheck source=fleet_rows.sh
source "$(dirname "$0")/fleet_rows.sh"
SELF=$(realpath "$0")
harness_dir
need curl jq
cd "$WORK"
use_ledger "${ARGS[0]:-sqlite}"
init_station
setting policy allow_pkcs10 yes
BATCH_TOKEN=the-token-of-spring

# page_text: the last OUTPUT as a person reads it, roughly.
page_text() {
    sed -e 's/<[^>]*>/ /g' -e 's/  */ /g' <<<"$OUTPUT"
}

header() {
    sed -n "s/^$1: //Ip" headers | tr -d '\r'
}

say "Operators"
"$STATION" operator --dir line --name Kim --out kim.pem
"$STATION" operator --dir line --name '<script>alert("Eve")</script>' \
    --out eve.pem
assert_equal "an operator's file is its owner's alone" 600 \
    "$(stat -c %a kim.pem)"
# As the service's user has it, where root may make another its owner.
if ((EUID == 0)) && cp -r line others && chown -R 65534:65533 others; then
    "$STATION" operator --dir others --name Pat --out pat.pem
    assert_equal "root's list of operators is the folder's owner's" \
        "65534:65533 600" "$(stat -c '%u:%g %a' others/operators.pem)"
    assert_equal "the operator's own file is not" "$EUID" \
        "$(stat -c %u pat.pem)"
    rm -r others
fi
assert_fails "a name is one person's" \
    "$STATION" operator --dir line --name Kim --out other.pem
assert_contains "and the sentence says so" "an operator Kim already" "$OUTPUT"
[[ ! -e other.pem ]] || fail "a key without a certificate was left behind"
printf 'a password\n' >password
"$STATION" operator --dir line --name Lee --out lee.p12 \
    --password-source file:password
plain_openssl pkcs12 -in lee.p12 -passin file:password -nodes -out lee.pem \
    2>p12.log
cp line/operators.pem with_lee.pem
plain_openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout other.key -subj /CN=Kim -days 1 -out other.crt 2>req.log
cat other.key other.crt >other.pem
if [[ $LEDGER == sqlite ]]; then
    # As the first station left it: serve brings it up to date.
    rm line/ledger.db*
    ledger <"$(dirname "$SELF")/ledger_1.sql"
fi
start_station
"$STATION" batch open --dir line --name spring --product Gate --count 10 \
    --token-source file:<(echo "$BATCH_TOKEN")

say "Who may see the pages"
ask GET /fleet
assert_equal "without a certificate nobody" 403 "$STATUS"
assert_contains "and a sentence says it" \
    "An operator&#39;s client certificate is wanted here." "$OUTPUT"
[[ $OUTPUT != *spring* ]] || fail "the refusal tells of a batch"
see other /fleet
assert_contains "another of the same name is not Kim" \
    "403 The client certificate is no operator&#39;s of this station." \
    "$STATUS $(grep -o 'The client certificate[^<]*' <<<"$OUTPUT")"
for path in / /fleet /fleet/units; do
    see kim "$path"
    assert_equal "an operator sees $path" 200 "$STATUS"
done
see lee /fleet
assert_equal "one from a .p12 file, too" 200 "$STATUS"
enrol_plain SN-1
take_certs device
cat device.key device.idevid.pem >device.pem
see device /fleet
assert_equal "a device of the line is no operator" 403 "$STATUS"
grep -v '^Lee$' with_lee.pem |
    awk '/BEGIN/ { n++ } n != 3 && NF' >without_lee.pem
cp without_lee.pem line/operators.pem
see lee /fleet
assert_equal "who is struck off the list is out at once" 403 "$STATUS"
cp with_lee.pem line/operators.pem
see lee /fleet
assert_equal "and in again" 200 "$STATUS"
printf -- '-----BEGIN CERTIFICATE-----\nnonsense\n' >line/operators.pem
see kim /fleet
assert_equal "a damaged list lets nobody in" 500 "$STATUS"
assert_contains "the station's log says why" \
    "holds something other than certificates" "$(tail -n 1 station.log)"
cp with_lee.pem line/operators.pem
ask POST /fleet --cert kim.pem
assert_equal "a page is not posted to" 405 "$STATUS"

say "A CA of operators"
make_ca operators-ca
plain_openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout ann.key -subj "/O=Acme/CN=Ann" -out ann.csr 2>req.log
sign_csr ann.csr ann.crt client
cat ann.key ann.crt >ann.pem
sign_csr ann.csr server.crt server
cat ann.key server.crt >server.pem
cat with_lee.pem operators-ca/ca.pem >line/operators.pem
see ann /fleet
assert_equal "lets in whom it certified" 200 "$STATUS"
assert_contains "by name" "You are operator Ann at" "$OUTPUT"
see server /fleet
assert_equal "but no server" 403 "$STATUS"
cat line/ca.pem >>line/operators.pem
see kim /fleet
assert_equal "the devices' own CA is no CA of operators" 500 "$STATUS"
assert_contains "and the sentence says why" "every device would be an operator" \
    "$(tail -n 1 station.log)"
cp with_lee.pem line/operators.pem

say "What the head of a page says"
see kim /fleet
assert_contains "nothing is loaded but from the station" \
    "default-src 'none'; style-src 'self'; script-src 'self';" \
    "$(header Content-Security-Policy)"
assert_contains "no other site frames it" "frame-ancestors 'none'" \
    "$(header Content-Security-Policy)"
assert_equal "no guessing of types, no referrer, no copy" \
    "nosniff no-referrer no-store" \
    "$(header X-Content-Type-Options) $(header Referrer-Policy) $(header Cache-Control)"
[[ $OUTPUT != *"<style"* && $OUTPUT != *"style="* && $OUTPUT != *" on"*"="*"\"()"* ]] ||
    fail "the page has style or script of its own"
for asset in style.css:text/css live.js:text/javascript icon.svg:image/svg+xml; do
    see kim "/fleet/${asset%%:*}"
    assert_contains "${asset%%:*} is what it is" "200 ${asset#*:}" \
        "$STATUS $(header Content-Type)"
done

say "Names that are markup"
# A serial number takes no such characters; the ledger is made to hold them.
enrol_plain SN-2
ledger "UPDATE unit SET serial = '<script>alert(1)</script>&''\"',
        mac = '\"><img src=x onerror=alert(2)>',
        operator_name = '</dd><script>alert(3)</script>' WHERE serial = 'SN-2'"
ledger "UPDATE unit SET model = '<b>bold</b>' WHERE serial = 'SN-1'"
hostile=$UNIT
for path in /fleet /fleet/units "/fleet/units/$hostile" \
    '/fleet/units?serial=%3Cscript%3Ealert(1)%3C/script%3E' \
    '/fleet/units?serial=%22%3E%3Cscript%3E&batch=%22%27%3E%3Cscript%3E'; do
    see eve "$path"
    assert_equal "$path" 200 "$STATUS" >/dev/null
    [[ $(grep -c '<script' <<<"$OUTPUT") == 1 && $OUTPUT != *"<img"* &&
        $OUTPUT != *"<b>"* ]] || fail "there is foreign markup in $path"
done
say "  ok: are text, on every page"
see eve "/fleet/units/$hostile"
assert_contains "the serial number is shown as it is" \
    "<h1>&lt;script&gt;alert(1)&lt;/script&gt;&amp;&#39;&quot;</h1>" "$OUTPUT"
assert_contains "so is an operator's name" \
    "You are operator &lt;script&gt;alert(&quot;Eve&quot;)&lt;/script&gt; at" \
    "$OUTPUT"
for query in 'serial=%' 'serial=%zz' 'serial=%00' 'serial=%ff' \
    'serial=a&serial=b' 'state=asleep' "serial=$(printf 'x%.0s' {1..128})"; do
    see kim "/fleet/units?$query"
    assert_equal "?${query:0:20} is refused" 400 "$STATUS" >/dev/null
done
say "  ok: queries that are none are refused"

say "Thousands of units"
fleet_rows 3020 G- spring | ledger
fleet_rows 70 'H 1&' other | ledger

# walk QUERY: the serials of all pages of a list.
walk() {
    local next="/fleet/units?$1" pages=0
    : >walked
    while [[ $next ]]; do
        see kim "$next"
        [[ $STATUS == 200 ]] || fail "$next is answered $STATUS"
        sed -n 's/^<tr><th scope="row"><a[^>]*>\([^<]*\)<.*/\1/p' \
            <<<"$OUTPUT" >>walked
        next=$(sed -n 's/.*href="\([^"]*\)" rel="next".*/\1/p' <<<"$OUTPUT" |
            sed 's/&amp;/\&/g')
        # A list that grows and shrinks meanwhile has each unit once all the same.
        if ((++pages == 2)); then
            ledger "UPDATE unit SET serial = 'A-first' WHERE serial = 'SN-1'"
        fi
    done
    PAGES=$pages
}
seq -f 'G-%07.0f' 0 3019 >expected
walk serial=G-
assert_equal "each of 3020 stands on one of 61 pages, in order" \
    "61 $(sha256sum <expected)" "$PAGES $(sha256sum <walked)"
walk 'serial=G-000010'
assert_equal "a prefix finds ten" "1 10" "$PAGES $(wc -l <walked)"
walk 'state=retired&batch=spring'
assert_equal "of the batch one in a hundred is retired" "31 31" \
    "$(wc -l <walked) $(sort -u walked | wc -l)"
walk 'serial=H%201%26'
assert_equal "a prefix goes on to the next page as it was typed" "2 70" \
    "$PAGES $(sort -u walked | wc -l)"
walk batch=nobody
assert_contains "none is said to be none" "There is no such unit" "$(page_text)"

say "Figures"
counts() {
    see kim /fleet
    [[ $OUTPUT == *"<td class=\"number\">$1</td>"* ]]
}
await "figures that count all units" "$STATION_PID" counts 3092
say "  ok: count all units"
assert_contains "and those of a state" 'retired</span></a></th><td class="number">32<' \
    "$(tr -d '\n' <<<"$OUTPUT")"
rate=$(sed -n 's/.*Units a minute<.dt><dd><strong>\([0-9.]*\)<.*/\1/p' \
    <<<"$OUTPUT")
awk -v rate="$rate" 'BEGIN { exit !(rate > 15 && rate < 40) }' ||
    fail "a unit each two seconds is about 29 a minute, not $rate"
say "  ok: units a minute"
# Of 3020 and two 121 have no certificates, 60 were refused something.
assert_contains "one in fifty was refused something on the way" \
    "2841 of 3022 have certificates, and nothing was refused" "$OUTPUT"

say "A unit"
enrol_plain SN-3
unit=$UNIT
json .idevid | base64 -d >device.der
number=$(plain_openssl x509 -inform DER -noout -serial -in device.der)
see kim "/fleet/units/$unit"
text=$(page_text)
for part in "<h1>SN-3</h1>" '<span class="state issued">issued</span>' \
    "enrol</td>" "issue</td>"; do
    assert_contains "has its $part" "$part" "$OUTPUT"
done
assert_contains "and its certificate's number" "number ${number#serial=} " "$text"
enrol_plain SN-4 Lock
assert_equal "one of another model is refused" 422 "$STATUS"
see kim "/fleet/units?serial=SN-4"
assert_contains "and its refusal is found by its serial" \
    "What was refused of it" "$OUTPUT"
see kim /fleet/units/00000000000000000000000000000000
assert_equal "a unit that is not there" 404 "$STATUS"

say "Retirement"
see kim "/fleet/units/$unit"
token=$(token_of)
[[ $token ]] || fail "the page has no form"
path=/fleet/units/$unit/retire
give kim "$path" reason=compromise sure=yes
assert_equal "without the page's token it is refused" 403 "$STATUS"
for wrong in "${token%?}x" "0${token}" "${token#*.}" "ffffffffffff.${token#*.}"; do
    give kim "$path" "token=$wrong" reason=compromise sure=yes
    assert_equal "a wrong token is refused" 403 "$STATUS" >/dev/null
done
say "  ok: so it is with a wrong one"
give lee "$path" "token=$token" reason=compromise sure=yes
assert_contains "and with that of somebody else" "403 This form was not made for you" \
    "$STATUS $(grep -o 'This form was not made for you' <<<"$OUTPUT")"
ask POST "$path" --data-urlencode "token=$token" --data 'reason=compromise&sure=yes'
assert_equal "and from who has no certificate" 403 "$STATUS"
give kim "$path" "token=$token" reason=boredom sure=yes
assert_equal "it needs a reason" 400 "$STATUS"
give kim "$path" "token=$token" reason=compromise
assert_equal "and a box that is ticked" 400 "$STATUS"
see kim "/fleet/units/$unit"
assert_contains "nothing of these has done anything" \
    '<span class="state issued">' "$OUTPUT"
give kim "$path" "token=$token" reason=compromise sure=yes
assert_equal "all together retires the unit" "303 /fleet/units/$unit" \
    "$STATUS $(header Location)"
see kim "/fleet/units/$unit"
assert_contains "which says so" '<span class="state retired">retired</span> compromise' \
    "$OUTPUT"
[[ $OUTPUT != *"name=\"token\""* ]] || fail "a retired unit can be retired"
"$STATION" show --dir line --json SN-3 >history
assert_equal "the log has who did it" \
    "retire compromise operator Kim at 127.0.0.1" \
    "$(jq -r '.history[-1] | "\(.event) \(.detail) \(.peer)"' history)"
see kim /fleet
assert_contains "the figures have it at once" \
    'retired</span></a></th><td class="number">33<' "$(tr -d '\n' <<<"$OUTPUT")"
# Which of the lists is the certificate's to say.
is_revoked() {
    curl -sS --fail --noproxy '*' --cacert line/ca.pem -o crl.der "$crl_url" &&
        plain_openssl crl -inform DER -in crl.der -noout -text |
        grep -q "Key Compromise"
}
crl_url=$(plain_openssl x509 -inform DER -in device.der -noout \
    -ext crlDistributionPoints | sed -n 's/^ *URI://p')
await "the list of revoked certificates" "$STATION_PID" is_revoked
say "  ok: and the lists of revoked certificates"
