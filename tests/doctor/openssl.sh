#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid doctor on openssl.cnf files, good and bad. Needs no TPM.
#
# Usage: openssl.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
MODULE=$BUILD_DIR/provider/devid.so
CONF=$WORK/openssl.cnf
mkdir "$WORK/none"

# conf PROVIDERS DEFAULT DEVID [INIT] [MORE]: the file under test. An argument is
# lines with blanks for line feeds; "-" for the usual ones.
conf() {
    local providers=$1 default=$2 devid=$3
    [[ $providers != - ]] || providers="default=on devid=devid_on"
    [[ $default != - ]] || default="activate=1"
    [[ $devid != - ]] || devid="module=$MODULE activate=1"
    printf '%s\n' 'openssl_conf = init' '[init]' 'providers = list' \
        "${4:-}" '[list]' "${providers// /$'\n'}" '[on]' \
        "${default// /$'\n'}" '[devid_on]' "${devid// /$'\n'}" "${@:5}" >"$CONF"
}

# look: the doctor, for a program that is started with this file.
look() {
    OPENSSL_CONF=$CONF doctor --tcti swtpm:port=1 --identity "$WORK/none" \
        --accept tpm
}

say "A good file"
"$DEVID" conf openssl >"$CONF"
look
finds "what devid conf prints" openssl.conf ok "activates default, devid"
conf - - -
look
finds "default, devid" openssl.conf ok "default, devid"
conf "devid=devid_on default=on" - -
look
finds "the other order works as well" openssl.conf ok "devid, default"

say "Providers"
conf "devid=devid_on" - -
look
finds "without default" openssl.default bad "does not list default"
finds "it is not good" openssl.conf ""
conf - "#activate=1" -
look
finds "default is listed alone, as Debian's file has it" openssl.default bad \
    "add 'activate = 1' to [on]"
conf "devid=devid_on fips=on" - -
look
finds "fips in its place" openssl.default note
conf - - "module=$MODULE"
look
finds "devid is not activated" openssl.activate bad "[devid_on]"
conf - - "module=$MODULE activate=0"
look
finds "or switched off" openssl.activate bad
conf "default=on" - -
look
finds "devid is not listed" openssl.devid "warning note" "does not list devid"
conf "default=on devid=devid_on tpm2=on" - -
look
finds "a rival" openssl.rival note "provider tpm2"

say "Settings"
conf - - "module=$MODULE activate=1 tctii=device:/dev/tpmrm0"
look
finds "a misspelt one" openssl.setting bad "no setting 'tctii'"
conf - - "module=$MODULE activate=1 tcti=device:/dev/tpmrm0"
look
finds "a right one" openssl.setting ""

say "default_properties"
properties() {
    conf - - - "alg_section = algs" '[algs]' "default_properties = $1"
    look
}
properties "?provider=tpm2"
finds "that send everything to a chip" openssl.properties bad \
    "slow, and some fail"
properties "provider=devid"
finds "that admit devid alone" openssl.properties bad "TLS itself"
properties "provider=default"
finds "that shut devid out" openssl.properties bad "not found"
properties "fips=yes"
finds "that ask for FIPS" openssl.properties bad "no FIPS module"
properties "?provider=default"
finds "that only prefer default" openssl.properties ""
properties "provider!=legacy,?fips=no"
finds "that are about others" openssl.properties ""

say "Modules"
conf - - "module=$WORK/nowhere.so activate=1"
look
finds "one that is not there" openssl.module bad "$WORK/nowhere.so"
need cc
cp "$MODULE" "$WORK/open.so"
chmod 0666 "$WORK/open.so"
conf - - "module=$WORK/open.so activate=1"
look
finds "one that all may write" openssl.module bad "run code"
printf 'no library' >"$WORK/text.so"
conf - - "module=$WORK/text.so activate=1"
look
finds "one that does not load" openssl.module bad "does not load"
printf 'int nothing(void);int nothing(void){return 0;}' |
    cc -shared -fPIC -x c - -o "$WORK/engine.so"
conf - - "module=$WORK/engine.so activate=1"
look
finds "one that is no provider" openssl.module bad "no provider"
printf 'int OPENSSL_init(void);int OPENSSL_init(void){return 0;}' |
    cc -shared -fPIC -x c - -Wl,-soname,libcrypto.so.1.1 \
        -o "$WORK/libcrypto.so.1.1"
printf '%s' 'int OPENSSL_init(void);int OSSL_provider_init(void);' \
    'int OSSL_provider_init(void){return OPENSSL_init();}' |
    cc -shared -fPIC -x c - -x none "$WORK/libcrypto.so.1.1" -Wl,-rpath,"$WORK" \
        -o "$WORK/old.so"
conf - - "module=$WORK/old.so activate=1"
look
finds "one for another OpenSSL" openssl.module bad \
    "is linked with libcrypto.so.1.1"

say "The file itself"
conf - - -
chmod 0666 "$CONF"
look
finds "that all may write" openssl.mode bad "$CONF"
chmod 0644 "$CONF"
printf 'openssl_conf = init\n[init\n' >"$CONF"
look
finds "that OpenSSL does not read" openssl.syntax bad "line 2"
rm "$CONF"
look
finds "that is not there" openssl.missing bad "which OPENSSL_CONF names"

say "Another system's files"
a_root
CONF=$ROOT/etc/devid/openssl.cnf
conf - - "module=/nowhere/devid.so activate=1"
doctor_of_root
finds "its modules are looked for in it" openssl.module bad \
    "/nowhere/devid.so"
mkdir -p "$ROOT/nowhere"
cp "$WORK/text.so" "$ROOT/nowhere/devid.so"
chmod 0644 "$ROOT/nowhere/devid.so"
doctor_of_root
finds "and not loaded" openssl.conf ok
printf '%s\n' '[Service]' \
    'Environment="OPENSSL_CONF=/etc/ssl/unit.cnf" A=b' \
    >"$ROOT/etc/systemd/system/unit.service"
doctor_of_root
finds "a file that a unit names" openssl.missing bad unit.service
