# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# PKCS#11 tokens for tests: SoftHSM2, and a spy that writes down the calls that
# reach it. Part of lib.sh.

SOFTHSM_MODULE=${SOFTHSM_MODULE:-/usr/lib/softhsm/libsofthsm2.so}

# start_token [NAME]: make a new token of SoftHSM2 labelled NAME (token), its
# objects in $WORK/NAME. Sets TOKEN_LABEL, TOKEN_DIR, TOKEN_SERIAL, TOKEN_PIN,
# TOKEN_SO_PIN, TOKEN_PIN_FILE, TOKEN_MODULE, and TOKEN_URI, which names the
# token, its module and where its PIN is; exports SOFTHSM2_CONF.
start_token() {
    need softhsm2-util
    reach_token
    [[ -e $SOFTHSM_MODULE ]] ||
        fail "there is no $SOFTHSM_MODULE; run swtpm-ci/install"
    TOKEN_LABEL=${1:-token}
    TOKEN_DIR=$WORK/$TOKEN_LABEL
    TOKEN_PIN=4711-$TOKEN_LABEL
    TOKEN_SO_PIN=0815-$TOKEN_LABEL
    TOKEN_PIN_FILE=$WORK/$TOKEN_LABEL.pin
    TOKEN_MODULE=$SOFTHSM_MODULE
    mkdir "$TOKEN_DIR"
    printf '%s\n' "$TOKEN_PIN" >"$TOKEN_PIN_FILE"
    chmod 600 "$TOKEN_PIN_FILE"
    printf '%s\n' "directories.tokendir = $TOKEN_DIR" \
        'objectstore.backend = file' \
        'log.level = ERROR' 'slots.removable = false' \
        >"$WORK/$TOKEN_LABEL.conf"
    export SOFTHSM2_CONF=$WORK/$TOKEN_LABEL.conf
    softhsm2-util --init-token --free --label "$TOKEN_LABEL" \
        --pin "$TOKEN_PIN" --so-pin "$TOKEN_SO_PIN" >/dev/null
    TOKEN_SERIAL=$(softhsm2-util --show-slots |
        awk '/Serial number:/ { print $3; exit }')
    token_uri
}

# reach_token: modules read files of their own, and a worker must be able to get
# at them. Where it may not, it stays root.
reach_token() {
    ((EUID == 0)) || return 0
    setpriv --reuid www-data --regid www-data --clear-groups \
        test -x "$WORK" || {
        say "www-data may not enter $WORK: the workers are root"
        export NGINX_USER=root
    }
}

# use_token LABEL SERIAL PIN-FILE MODULE: a token that something else has made.
# Sets TOKEN_LABEL, TOKEN_SERIAL, TOKEN_PIN_FILE, TOKEN_MODULE and TOKEN_URI.
use_token() {
    reach_token
    TOKEN_LABEL=$1
    TOKEN_SERIAL=$2
    TOKEN_PIN_FILE=$3
    TOKEN_MODULE=$4
    token_uri
}

# token_uri: set TOKEN_URI for the module that TOKEN_MODULE now names, and have
# key files name it: by DEVID_PKCS11_MODULE, which programs under test must be
# given.
token_uri() {
    export DEVID_PKCS11_MODULE=$TOKEN_MODULE
    TOKEN_URI="pkcs11:token=$TOKEN_LABEL;serial=$TOKEN_SERIAL"
    TOKEN_URI+="?module-path=$TOKEN_MODULE&pin-source=file:$TOKEN_PIN_FILE"
}

# share_token: let any user use the token's objects, workers that dropped root's
# rights among them; after each that root has made. Writing is the owner's.
share_token() {
    chmod -R a+rX "$TOKEN_DIR"
}

# protect_token: from now on nobody writes to the token's files, programs that
# are spawned as root included. SoftHSM empties token.object at each login, and
# then writes it: a process killed in between takes the token with it.
protect_token() {
    find "$TOKEN_DIR" -type f -exec chmod a-w {} +
    # shellcheck disable=SC2034 # spawn reads it
    ((EUID)) || SPAWN_RIGHTS=(--bounding-set -dac_override)
}

# peer_pem URI FILE: the URI as pkcs11-provider writes it into a key file.
peer_pem() {
    printf '%s\n' asn1=SEQUENCE:s '[s]' \
        'd=VISIBLESTRING:PKCS\#11 Provider URI v1.0' \
        "u=FORMAT:UTF8,UTF8String:\"$1\"" >"$WORK/peer.cnf"
    plain_openssl asn1parse -genconf "$WORK/peer.cnf" -noout \
        -out "$WORK/peer.der"
    {
        echo "-----BEGIN PKCS#11 PROVIDER URI-----"
        base64 -w 64 "$WORK/peer.der"
        echo "-----END PKCS#11 PROVIDER URI-----"
    } >"$2"
    chmod 644 "$2"
}

# start_spy: from now on TOKEN_MODULE and TOKEN_URI name the spy, which forwards
# to the module that they named before. Sets SPY_LOG; exports DEVID_SPY_MODULE
# and DEVID_SPY_LOG, which programs under test must be given.
start_spy() {
    SPY_LOG=$WORK/$TOKEN_LABEL.calls
    : >"$SPY_LOG"
    chmod 666 "$SPY_LOG"
    export DEVID_SPY_MODULE=$TOKEN_MODULE
    export DEVID_SPY_LOG=$SPY_LOG
    TOKEN_MODULE=$BUILD_DIR/swtpm-ci/pkcs11-spy.so
    token_uri
}

# spy_reset: forget the calls so far.
spy_reset() {
    : >"$SPY_LOG"
}

# spy_count [CALL]: print how many calls came since the reset, all or those of
# one name. Failed ones count.
spy_count() {
    awk -v name="${1:-}" 'name == "" || $2 == name { n++ } END { print n + 0 }' \
        "$SPY_LOG"
}

# spy_list: print the calls since the reset in one line, without their C_; a
# failed one with its value: "Initialize OpenSession Login:0xa0".
spy_list() {
    awk '{ name = substr($2, 3)
           printf "%s%s%s", sep, name, $3 == "0x0" ? "" : ":" $3; sep = " " }
        END { print "" }' "$SPY_LOG"
}

# fill_token COUNT [keys]: put that many other objects on the token, or private
# keys; where there is a file system in memory there: SoftHSM cuts each file to
# length some ten times.
fill_token() {
    local fast=$WORK/fast
    [[ ! -w /dev/shm ]] || fast=$(mktemp -d /dev/shm/devid.XXXXXXXX)
    printf 'directories.tokendir = %s\nobjectstore.backend = file\n' \
        "$fast/token" >"$WORK/fast.conf"
    mkdir -p "$fast"
    mv "$TOKEN_DIR" "$fast/token"
    SOFTHSM2_CONF=$WORK/fast.conf "$BUILD_DIR/tests/programs/fill_token" \
        "$SOFTHSM_MODULE" "$TOKEN_LABEL" "$1" ${2:+"$TOKEN_PIN_FILE"} \
        2>"$WORK/fill.log" || true
    mv "$fast/token" "$TOKEN_DIR"
    rm -rf "$fast"
    [[ ! -s $WORK/fill.log ]] || fail "$(<"$WORK/fill.log")"
    (($(find "$TOKEN_DIR" -name '*.object' | wc -l) > $1)) ||
        fail "the token has fewer than $1 objects"
}

# take_token_away, put_token_back: move the objects of the token out of the
# module's sight, as when a token is pulled out of its slot, and back.
take_token_away() {
    mv "$TOKEN_DIR" "$TOKEN_DIR.away"
    mkdir "$TOKEN_DIR"
    share_token
}
put_token_back() {
    rm -rf "$TOKEN_DIR"
    mv "$TOKEN_DIR.away" "$TOKEN_DIR"
}
