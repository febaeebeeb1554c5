# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the tests of the station's pages share: operators, who see pages and send
# forms. An operator NAME has NAME.pem.

# see OPERATOR PATH [CURL ARGUMENT...]: the page there. The answer's heads are in
# the file headers.
see() {
    local who=$1 path=$2
    shift 2
    ask GET "$path" --cert "$who.pem" --dump-header headers "$@"
}

# give OPERATOR PATH FIELD...: send a form.
give() {
    local who=$1 path=$2 fields=() field
    shift 2
    for field; do
        fields+=(--data-urlencode "$field")
    done
    ask POST "$path" --cert "$who.pem" --dump-header headers "${fields[@]}"
}

# token_of: of the form in the last OUTPUT.
token_of() {
    sed -n 's/.*name="token" value="\([^"]*\)".*/\1/p' <<<"$OUTPUT" | head -n 1
}
