# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the tests of nginx under fire share: a server, requests, load.

# shellcheck source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# serve_with LINK KIND WORKERS [SETTING...]: a CA, a TPM with nothing before it
# (LINK: bare) or behind tpm2-abrmd (abrmd), a server's key that is a blob, one
# under the owner hierarchy (KIND: owner), persistent, or a blob with an auth
# value (auth), nginx with it. Call start_tpm first, or start_device token: then
# LINK is token, and KIND label.
serve_with() {
    local link=$1 kind=$2 workers=$3 options=() directive=''
    shift 3
    case $kind in
    blob | label) ;;
    owner) options=(--parent owner) ;;
    persistent) options=(--persist 0x81000100) ;;
    auth)
        printf 'a value\n' >"$WORK/value"
        export DEVID_AUTH_SOURCE="file:$WORK/value"
        options=(--auth-source "$DEVID_AUTH_SOURCE")
        directive="ssl_password_file $WORK/value;"
        ;;
    *) fail "blob, owner, persistent, auth or label, not $kind" ;;
    esac
    [[ $link == @(bare|abrmd|token) ]] ||
        fail "bare, abrmd or token, not $link"
    make_ca "$WORK/ca"
    openssl_conf "$WORK/openssl.cnf" last "$@"
    [[ $link != abrmd ]] || start_abrmd
    make_identity server server "${options[@]}"
    unset DEVID_AUTH_SOURCE # nginx has it from its own directive
    make_plain_client
    [[ $link != token ]] || protect_token
    with_devid start_nginx --key "$WORK/server.key" --cert "$WORK/server.pem" \
        --workers "$workers" --server "$directive"
}

# served WHAT: ten of ten requests, each on a connection of its own.
served() {
    local i good=0
    for ((i = 0; i < 10; i++)); do
        if plain_request >/dev/null 2>>"$WORK/curl.log"; then
            good=$((good + 1))
        fi
    done
    assert_equal "$1: requests served of ten" 10 "$good"
}

# load CLIENTS COUNT: so many clients at once that make so many requests each;
# what fails is in $WORK/load.log.
load() {
    local client i pids=()
    : >"$WORK/load.log"
    for ((client = 0; client < $1; client++)); do
        for ((i = 0; i < $2; i++)); do
            plain_request >/dev/null 2>>"$WORK/load.log" || true
        done &
        pids+=($!)
    done
    wait "${pids[@]}"
}

# in_time SECONDS WHAT COMMAND...: COMMAND, which may fail, ends in that time.
in_time() {
    local seconds=$1 what=$2 start=$SECONDS
    shift 2
    "$@" >/dev/null 2>&1 || true
    ((SECONDS - start <= seconds)) ||
        fail "$what took $((SECONDS - start)) seconds, more than $seconds"
    say "  ok: $what takes no more than $seconds seconds"
}

# refused WHAT SENTENCE: a request fails within three seconds, and the sentence
# is in nginx's log.
refused() {
    : >"$WORK/nginx.log"
    in_time 3 "$1: a request" plain_request
    assert_contains "$1: nginx's log" "$2" "$(<"$WORK/nginx.log")"
}

# swap_state NAME: put the swtpm's state away as NAME; where there is a state of
# that name already, that comes in its place.
swap_state() {
    mv "$WORK/tpm" "$WORK/tpm.now"
    if [[ -e $WORK/$1 ]]; then
        mv "$WORK/$1" "$WORK/tpm"
    else
        mkdir -m 700 "$WORK/tpm"
    fi
    mv "$WORK/tpm.now" "$WORK/$1"
}

# no_alerts: nginx logged none but for workers that were killed.
no_alerts() {
    assert_equal "nginx logged no alert but for workers that were killed" "" \
        "$(grep -E '\[(alert|emerg)\]' "$WORK/nginx.log" |
            grep -v 'exited on signal 9' || true)"
}

# nothing_left: the TPM holds no transient object.
nothing_left() {
    ((${#KEYGEN_DEVICE[@]})) || assert_equal "no object was left in the TPM" "" \
        "$(tpm2_getcap handles-transient)"
}
