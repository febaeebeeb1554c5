#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid provision at a station, with a fault at each of its TPM commands or token
# calls: it succeeds or says why not, leaves nothing loaded, and run again it comes
# to the one identity.
#
# Usage: line_faults.sh tpm|lock|token [--whole] [--shift N] [--only FAULT]
#                       [--part K/N] [--report FILE] [--build-dir DIR] [--keep]
#
#   tpm    a device that is new
#   lock   one that is provisioned, with --lock
#   token  a new one with a token instead of a TPM
#
# The faults and their options: see swtpm-ci/lib-faults.sh.
source "$(dirname "$0")/line_common.sh"
# shellcheck source=line_kept.sh
source "$(dirname "$0")/line_kept.sh"
# shellcheck source=../../swtpm-ci/lib-faults.sh
source "$HARNESS/lib-faults.sh"
faults_options "${ARGS[@]}"
PART=${ARGS[0]:?tpm, lock or token}
LEDGER=sqlite
OPTIONS=()
faults_of tpm

if [[ $PART == token ]]; then
    faults_of token
    harness_dir
    cd "$WORK" || exit
    make_station
    echo "$BATCH_TOKEN" >token
    setting policy allow_pkcs10 yes
    start_station
    start_token factory
    start_spy
    OPTIONS=(--device "$TOKEN_URI")
else
    make_line
fi
if [[ $PART == lock ]]; then
    provision >out
    OPTIONS=(--lock)
fi

# objects: of the token, by kind.
objects() {
    pkcs11-tool --module "$SOFTHSM_MODULE" --token-label "$TOKEN_LABEL" \
        --login --pin "$(<"$TOKEN_PIN_FILE")" --list-objects 2>/dev/null |
        grep -oE '^(Private Key|Public Key|Certificate) Object' | sort | uniq -c |
        awk '{ printf "%s%s %s", sep, $1, $2; sep = ", " }'
}

# whole WHEN: one identity, the same everywhere.
whole() {
    if [[ $PART != token ]]; then
        assert_whole "$1"
        return
    fi
    [[ $(objects) == "1 Certificate, 1 Private, 1 Public" ]] ||
        fail "$1: the token has $(objects)"
    [[ $(ledger 'select count(*) from unit') == 1 ]] || fail "$1: units"
    [[ $("$DEVID" cert get --key id/key.pem --out -) == "$(<id/cert.pem)" ]] ||
        fail "$1: the certificate on the token is not the folder's"
}

# loaded: what is in the TPM.
loaded() {
    [[ $PART == token ]] ||
        echo "$(tpm2_getcap handles-transient)$(tpm2_getcap \
            handles-loaded-session)$(tpm2_getcap handles-saved-session)"
}

# try PLACE NAME clean|flush|left RULE...
try() {
    local when="$2 at $1" key stays=$3
    as_kept
    # The proxy counts those that go free, the spy from one.
    # What is busy for good is so at once.
    DEVID_LOCK_TIMEOUT=1 with_fault "${*:4}" $(($1 - ($(is_tpm)))) provision "${OPTIONS[@]}"
    [[ $PART == token ]] || when+=", $(trace_list | cut -d ' ' -f "$1")"
    [[ $stays != flush || $when != *FlushContext* ]] || stays=left
    assert_said "$when"
    if [[ $stays != left ]]; then
        ((STATUS)) || whole "$when"
        [[ ! $(loaded) ]] || fail "$when: left in the TPM: $(loaded)"
    fi
    provision "${OPTIONS[@]}" >out 2>&1 || fail "$when: run again: $(<out)"
    whole "$when, and run again"
    key=$(openssl x509 -in id/cert.pem -noout -pubkey)
    # A token's key is another one each time.
    [[ $PART == token || $key == "$KEY" ]] || fail "$when: another key"
    say "  ok: $when: $STATUS"
}
is_tpm() {
    [[ $PART == token ]] && echo 0 || echo 1
}

keep_state
say "Without a fault"
if [[ $PART == token ]]; then
    spy_reset
else
    trace_reset
fi
provision "${OPTIONS[@]}" >out || fail "$(<out)"
whole "without a fault"
KEY=$(openssl x509 -in id/cert.pem -noout -pubkey)
if [[ $PART == token ]]; then
    PLACES=$(spy_count)
else
    PLACES=$(trace_count)
fi
# What a device that is provisioned does before it locks was tried already.
first=1
[[ $PART != lock ]] || first=$((PLACES - 20))
for ((place = first; place <= PLACES; place++)); do
    while read -ra line; do
        try "$place" "${line[@]}"
    done < <(faults_at "$place")
done
faults_report "a fault while a device is provisioned: it is one, or says why \
not, and is one when run again" "identity.line-faults-$PART"
