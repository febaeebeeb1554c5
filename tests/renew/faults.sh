#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid renew with a fault at each of its TPM commands or token calls: it succeeds
# or says why not and leaves the old identity as it was, nothing is loaded, and run
# again it ends with a fresh certificate and no key too many.
#
# Usage: faults.sh tpm|token [--whole] [--shift N] [--only FAULT] [--part K/N]
#                  [--report FILE] [--build-dir DIR] [--keep]
#
# The faults and their options: see swtpm-ci/lib-faults.sh.
source "$(dirname "$0")/common.sh"
# shellcheck source=../../swtpm-ci/lib-faults.sh
source "$HARNESS/lib-faults.sh"
faults_options "${ARGS[@]}"
PART=${ARGS[0]:?tpm or token}
harness_dir
cd "$WORK" || exit
make_device "$PART"
make_est
start_est
openssl_conf openssl.cnf
faults_of "$PART"

# as_before: an identity that is due. What a fault before this one may leave in a
# TPM, until its place is needed, is not this one's.
as_before() {
    [[ $PART == token ]] || tpm2_flushcontext -t
    rm -rf root
    cp -a kept/root root
    [[ $PART == tpm ]] || {
        rm -rf "$TOKEN_DIR"
        cp -a kept/token "$TOKEN_DIR"
    }
}

loaded() {
    [[ $PART == token ]] ||
        echo "$(tpm2_getcap handles-transient)$(tpm2_getcap \
            handles-loaded-session)$(tpm2_getcap handles-saved-session)"
}

# try PLACE NAME clean|flush|left RULE...
try() {
    local when="$2 at $1" stays=$3 before=$1
    # The proxy counts those that go free, the spy from one.
    [[ $PART == token ]] || before=$(($1 - 1))
    as_before
    # What is busy for good is so at once.
    DEVID_LOCK_TIMEOUT=1 with_fault "${*:4}" "$before" renew
    [[ $PART == token ]] || when+=", $(trace_list | cut -d ' ' -f "$1")"
    [[ $stays != flush || $when != *FlushContext* ]] || stays=left
    assert_said "$when"
    ((!STATUS)) || [[ $(serial) == "$OLD" ]] ||
        fail "$when: it failed, and the certificate is another"
    [[ $stays == left || ! $(loaded) ]] || fail "$when: left in the TPM: $(loaded)"
    # Who is not told the whole truth comes again when it is due, as now.
    renew --force >out 2>&1 || fail "$when: run again: $(<out)"
    [[ $(serial) != "$OLD" ]] || fail "$when: the certificate is the old one"
    # A token's old key is deleted by the run after.
    renew >out 2>&1 || fail "$when: and once more: $(<out)"
    assert_whole "$when" >out
    assert_equal "$when: nothing is pending" "false null null null" "$(jq -r \
        '[.hook_pending, .pending_key, .pending_label, .last_error]
            | map(tostring) | join(" ")' root/unit.state)" >out
    KILLED=$([[ $stays != left ]] || echo 1) assert_keys "$when" 2 >out
    say "  ok: $when: $STATUS"
}

mode begun=3000
enroll --san DNS:u.local >out || fail "$(<out)"
mode ""
mkdir kept
cp -a root kept/root
[[ $PART == tpm ]] || cp -a "$TOKEN_DIR" kept/token
OLD=$(serial)

say "Without a fault"
cost_reset
renew >out || fail "$(<out)"
[[ $(serial) != "$OLD" ]] || fail "it was not renewed"
if [[ $PART == token ]]; then
    PLACES=$(spy_count)
else
    PLACES=$(trace_count)
fi
for ((place = 1; place <= PLACES; place++)); do
    while read -ra line; do
        try "$place" "${line[@]}"
    done < <(faults_at "$place")
done
faults_report "a fault while an identity is renewed: it is, or the old one serves \
on, and it is when run again" "renew.faults-$PART"
