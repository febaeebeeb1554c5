#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The station's pages in a browser, Chromium without a window: with and without
# JavaScript, light, dark and narrow. It is left out where there is no Chromium.
# With --keep the pictures stay in the work directory.
#
# Usage: browser.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
# shellcheck source=fleet_rows.sh
source "$(dirname "$0")/fleet_rows.sh"
if ! command -v chromium >/dev/null; then
    say "skipped: chromium is not installed; swtpm-ci/install --dev does it"
    exit 77
fi
harness_dir
need socat sqlite3
cd "$WORK"
make_station
"$STATION" operator --dir line --name Kim --out kim.pem
start_station

# A browser picks a certificate by hand: a proxy shows Kim's in its place.
PROXY_PORT=$(free_port)
spawn proxy socat "TCP-LISTEN:$PROXY_PORT,bind=127.0.0.1,fork,reuseaddr" \
    "OPENSSL:localhost:$STATION_PORT,cert=kim.pem,cafile=line/ca.pem"
await_port "$SPAWNED" "$PROXY_PORT" || fail "socat does not start"

# browse PATH OPTION...: what a browser makes of a page; its own words go to
# browser.log.
browse() {
    local path=$1
    shift
    timeout 120 chromium --headless --no-sandbox --disable-gpu \
        --disable-dev-shm-usage --no-first-run --hide-scrollbars \
        --user-data-dir="$WORK/profile" --enable-logging=stderr \
        "$@" "http://127.0.0.1:$PROXY_PORT$path" 2>>browser.log ||
        fail "chromium does not show $path"
}

# dom PATH OPTION...: into OUTPUT, after half a minute of the browser's own time.
dom() {
    browse "$@" --virtual-time-budget=30000 --dump-dom >dom
    OUTPUT=$(<dom)
}

# asked PATH: how often the station was.
asked() {
    grep -c "\"GET\",\"path\":\"$1\"" station.log || true
}

fleet_rows 1200 G- spring | ledger
ledger "UPDATE unit SET serial = '<script>document.title=\"owned\"</script>',
     model = '<img src=x onerror=\"document.title=1\">' WHERE serial = 'G-0000000'"
hostile=$(ledger "SELECT id FROM unit WHERE serial LIKE '<%'")

say "With JavaScript"
dom /fleet
assert_contains "the page is whole" "First-pass yield" "$OUTPUT"
assert_contains "its plots are drawn" '<rect class="bar"' "$OUTPUT"
count=$(asked /fleet)
((count >= 4)) || fail "in half a minute the script asked $count times"
say "  ok: its figures are asked for again and again"
dom "/fleet/units/$hostile"
assert_contains "a name that is markup is text" \
    "<title>&lt;script&gt;document.title=" "$OUTPUT"
assert_equal "and brings no script" 1 "$(grep -c '<script' <<<"$OUTPUT")"
[[ $OUTPUT != *"does not answer"* ]] || fail "the script finds no station"
! grep -E "CONSOLE.*(Refused|violates|Error)" browser.log ||
    fail "the browser complains of the page"
say "  ok: the browser has nothing to complain of"

say "Without"
before=$(asked /fleet)
scripts=$(asked /fleet/live.js)
rm -r profile
mkdir -p profile/Default
printf '{"profile": {"default_content_setting_values": {"javascript": 2}}}' \
    >profile/Default/Preferences
dom /fleet
assert_equal "the page is asked for once, its script not at all" \
    "$((before + 1)) $scripts" "$(asked /fleet) $(asked /fleet/live.js)"
assert_contains "and is as whole" "First-pass yield" "$OUTPUT"
rm -r profile

say "Pictures"
for picture in light:1280,1500: dark:1280,1500:--force-dark-mode \
    narrow:420,2600: unit:1280,1000:; do
    IFS=: read -r name size option <<<"$picture"
    path=/fleet
    [[ $name != unit ]] || path=/fleet/units/$hostile
    browse "$path" --window-size="$size" --screenshot="$WORK/$name.png" \
        ${option:+"$option"} >/dev/null
    [[ $(stat -c %s "$name.png") -gt 20000 ]] || fail "$name.png is empty"
done
[[ $(sha256sum <light.png) != $(sha256sum <dark.png) ]] ||
    fail "dark is as light"
say "  ok: light, dark, narrow, and a unit"
