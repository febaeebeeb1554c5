#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The authorisations that devid provision --lock sets are on no disk: neither the
# device's nor the station's, but for what the escrow key's owner opens.
#
# Usage: line_lock_disk.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/line_common.sh"
make_line
# Whatever a program puts down for a while is looked at, too.
mkdir temporary
export TMPDIR=$WORK/temporary

# values: what is escrowed, a line each; they stand in no file of this test.
values() {
    ledger "select writefile('escrow.cms', escrow) from unit" >/dev/null
    openssl cms -decrypt -inform DER -in escrow.cms -inkey escrow.key \
        -recip escrow.pem | jq -r '.owner, .endorsement, .lockout'
}

# files_with VALUE: those below $WORK that hold it as it is, in hexadecimal, or
# in base64 wherever that begins. The TPM's own memory is none of them.
files_with() {
    python3 - "$1" "$WORK" <<'END'
import base64, os, sys

value, top = sys.argv[1].encode(), sys.argv[2]
forms = [value, value.hex().encode(), value.hex().upper().encode()]
for pad in range(3):
    text = base64.b64encode(b"\0" * pad + value)
    forms.append(text[4 if pad else 0:-4])
for folder, folders, files in os.walk(top):
    if folder == top and "tpm" in folders:
        folders.remove("tpm")
    for name in files:
        path = os.path.join(folder, name)
        if not os.path.isfile(path):
            continue
        with open(path, "rb") as file:
            data = file.read()
        if any(form in data for form in forms):
            print(os.path.relpath(path, top))
END
}

# assert_nowhere WHEN: no value of `all` is in any file.
assert_nowhere() {
    local value
    for value in "${all[@]}"; do
        assert_equal "$1: files with a value" "" "$(files_with "$value" | xargs)"
    done
}

provision --lock >out || fail "$(<out)"
mapfile -t all < <(values)
assert_equal "three values of 32 characters" "32 32 32" \
    "${#all[0]} ${#all[1]} ${#all[2]}"

say "The search finds what is there"
printf 'x%s' "${all[0]}" >planted
printf '%s' "${all[1]}" | od -An -v -tx1 | tr -d ' \n' >planted-hex
printf 'xy%s' "${all[2]}" | base64 -w 0 >planted-base64
assert_equal "as it is, in hexadecimal, in base64" \
    "planted planted-hex planted-base64" \
    "$(for value in "${all[@]}"; do files_with "$value"; done | xargs)"
rm planted planted-hex planted-base64

say "They are nowhere"
assert_nowhere "locked"
provision >out || fail "$(<out)"
assert_nowhere "once more"
stop_station KILL
assert_nowhere "with the station killed, its ledger's log open"
[[ -s line/ledger.db-wal ]] || fail "the ledger's log was not among them"
