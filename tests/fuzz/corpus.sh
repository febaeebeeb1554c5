# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the scripts that write corpus/ share: they are there, in it, with a
# folder WORK that goes away.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/corpus"
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

# bytes HEX...: the bytes that these digits say.
bytes() {
    local hex
    hex=$(printf '%s' "$@")
    [[ ! $hex ]] || printf '%s' "$hex" | sed 's/../\\x&/g' | xargs -0 printf '%b'
}

# hex_of FILE: its bytes as digits.
hex_of() {
    od -An -v -tx1 "$1" | tr -d ' \n'
}

# base64_of FILE: it in one line.
base64_of() {
    base64 -w 0 "$1"
}

# certificate NAME OPENSSL-REQ-OPTION...: a CA's, or one that it issued, in
# $WORK/NAME.pem and $WORK/NAME.der.
certificate() {
    local name=$1
    shift
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
        -days 10000 -keyout "$WORK/$name.key" -out "$WORK/$name.pem" "$@" \
        2>/dev/null
    openssl x509 -in "$WORK/$name.pem" -outform DER -out "$WORK/$name.der"
}
