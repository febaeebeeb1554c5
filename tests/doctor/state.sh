#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid doctor on TPMs in many states, and where there is none.
#
# Usage: state.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
mkdir "$WORK/none"

# changed JQ-FILTER: judge the last dump after such a change.
changed() {
    jq "$1" "$WORK/dump.json" >"$WORK/changed.json"
    doctor --from "$WORK/changed.json"
}

# a_wrong_value: somebody gives a wrong value for a key without noDA.
a_wrong_value() {
    tpm2_unseal -c "$WORK/sealed.context" -p wrong >/dev/null 2>&1 &&
        fail "a wrong authorisation value was taken"
    tpm2_flushcontext -t
}

say "A new TPM with its maker's keys"
start_tpm --ek --srk
start_trace
doctor --identity "$WORK/none" --ek-roots "$WORK/tpm-ca" \
    --dump "$WORK/dump.json"
finds "in software" tpm.software note "IBM SW   TPM"
finds "no wrong authorisation" tpm.lockout ok "0 of 3"
finds "three try it all" tpm.lockout.tries note
finds "no value is set" tpm.auth ok "owner empty, endorsement empty"
finds "there is room" tpm.room.persistent ok "3 persistent keys"
finds "and for certificates" tpm.room.nv ok "up to 2048 bytes"
finds "its clock" tpm.clock ok "0 restarts"
finds "a bare link" tpm.resource_manager note
finds "all keys have noDA, but for EKs" tpm.key.da ""
NAME=$(tpm2_readpublic -c "$SRK_HANDLE" | sed -n 's/^name: *//p')
finds "nobody has recorded the storage key" tpm.parent_name note \
    "tpm2-parent-name = $NAME in openssl.cnf"
finds "the EK's certificates verify" ek.certificate "ok ok" verifies

say "Its storage key is recorded"
export DEVID_TPM2_PARENT_NAME=$NAME
doctor --identity "$WORK/none"
finds "as it is" tpm.parent_name ok
DEVID_TPM2_PARENT_NAME=${NAME%?}$([[ $NAME == *0 ]] && echo 1 || echo 0)
doctor --identity "$WORK/none"
finds "as another one" tpm.parent_name bad "$NAME, not that of"
unset DEVID_TPM2_PARENT_NAME
# recorded_in_file NAME: openssl.cnf has it for the provider.
recorded_in_file() {
    printf '%s\n' 'openssl_conf = init' '[init]' 'providers = list' '[list]' \
        'default = on' 'devid = own' '[on]' 'activate = 1' '[own]' \
        'activate = 1' "tpm2-parent-name = $1" >"$WORK/openssl.cnf"
    OPENSSL_CONF=$WORK/openssl.cnf doctor --identity "$WORK/none"
}
recorded_in_file "$NAME"
finds "in openssl.cnf" tpm.parent_name ok "recorded in $WORK/openssl.cnf"
recorded_in_file "000b${NAME:6}00"
finds "as another one there" tpm.parent_name bad "not that of $WORK/openssl.cnf"

say "What it asks of the TPM"
trace_reset
doctor --identity "$WORK/none"
assert_equal "5 commands, a ReadPublic for each of 3 keys, 2 certificates" \
    "GetCapability GetCapability GetCapability ReadPublic ReadPublic ReadPublic\
 GetCapability ReadClock NV_ReadPublic GetCapability NV_Read NV_ReadPublic\
 NV_Read" "$(trace_list)"
stop_trace

say "A certificate of another vendor"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout "$WORK/other.key" -subj /CN=other -out "$WORK/other.pem" 2>/dev/null
doctor --identity "$WORK/none" --ek-roots "$WORK/other.pem"
finds "does not verify" ek.certificate "bad bad" ek-issuer-unknown
doctor --identity "$WORK/none"
finds "without roots nothing is said" ek.chain note --ek-roots

say "Wrong authorisations"
printf secret | tpm2_create -Q -C "$SRK_HANDLE" -p right -i- \
    -a "fixedtpm|fixedparent|userwithauth" -u "$WORK/sealed.pub" \
    -r "$WORK/sealed.priv"
tpm2_load -Q -C "$SRK_HANDLE" -u "$WORK/sealed.pub" -r "$WORK/sealed.priv" \
    -c "$WORK/sealed.context"
tpm2_flushcontext -t
a_wrong_value
doctor --identity "$WORK/none"
finds "one is a warning" tpm.lockout warning "1 of 3"
assert_equal "which counts" 1 "$STATUS"
a_wrong_value
a_wrong_value
doctor --identity "$WORK/none"
finds "three lock it" tpm.lockout bad "the TPM is locked"
tpm2_dictionarylockout --clear-lockout
tpm2_dictionarylockout --setup-parameters --max-tries=32 \
    --recovery-time=600 --lockout-recovery-time=86400
doctor --identity "$WORK/none"
finds "forgiven" tpm.lockout ok "0 of 32 wrong authorisations, one is forgiven\
 each 600 s"
finds "32 is enough" tpm.lockout.tries ""

say "Hierarchies"
tpm2_changeauth -c owner geheim
tpm2_changeauth -c lockout geheimer
doctor --identity "$WORK/none"
finds "the owner's value is set" tpm.auth.owner note --owner-auth-source
finds "and it says which" tpm.auth ok \
    "owner set, endorsement empty, lockout set"
finds "the lockout's is no matter then" tpm.auth.lockout ""
tpm2_changeauth -c owner -p geheim
tpm2_hierarchycontrol -C p ehEnable clear
doctor --identity "$WORK/none"
finds "the endorsement hierarchy is off" tpm.hierarchy.endorsement bad
tpm2_hierarchycontrol -C p shEnable clear
doctor --identity "$WORK/none"
finds "and the owner's" tpm.hierarchy.owner bad
finds "the platform's is no matter in software" tpm.hierarchy.platform ""
tpm2_hierarchycontrol -C p phEnable clear
doctor --identity "$WORK/none"
finds "until it is closed" tpm.hierarchy.platform ok closed
restart_tpm
doctor --identity "$WORK/none"
finds "a restart opens them again" tpm.hierarchy.owner ""

say "A power cut"
restart_tpm KILL
doctor --identity "$WORK/none"
finds "makes the clock unsafe" tpm.clock note "not safe"

say "A persistent key without noDA"
tpm2_createprimary -Q -C o -G ecc256 -c "$WORK/da.context" \
    -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign'
tpm2_evictcontrol -Q -C o -c "$WORK/da.context" 0x81000010
tpm2_flushcontext -t
doctor --identity "$WORK/none"
finds "is a warning" tpm.key.da warning 0x81000010
tpm2_evictcontrol -Q -C o -c 0x81000010
tpm2_evictcontrol -Q -C o -c "$WORK/da.context" 0x81020000
tpm2_flushcontext -t
doctor --identity "$WORK/none"
finds "the IDevID's template has it so" tpm.key.da note "the IDevID at 0x81020000"

say "Room"
changed '.tpm.properties["0x209"] = 1'
finds "for one more key" tpm.room.persistent warning "room for about 1 more"
changed '.tpm.properties["0x117"] = 512'
finds "for small certificates" tpm.room.nv warning "512 bytes"
start_tpm full
tpm2_createprimary -Q -C o -G ecc256 -c "$WORK/full.context" \
    -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|sign'
for ((handle = 0x81000100; handle < 0x81000200; handle++)); do
    tpm2_evictcontrol -Q -C o -c "$WORK/full.context" "$handle" 2>/dev/null ||
        break
    tpm2_flushcontext -t
done
tpm2_flushcontext -t
doctor --identity "$WORK/none"
finds "none is left" tpm.room.persistent bad "room for about 0 more"

finds "no vendor vouches for this one" ek.certificate note \
    "no certificate of its endorsement key"

say "Slots that killed programs have filled"
start_tpm --srk filled
for i in 1 2 3; do
    tpm2_createprimary -Q -C n -G ecc256 -c "$WORK/filled$i.context"
done
doctor --identity "$WORK/none"
finds "no key can be loaded" tpm.slots bad "tpm2_flushcontext -t"
finds "the rest is known" tpm.room.persistent ok
finds "but what a key may" tpm.key.da ""
tpm2_flushcontext -t
doctor --identity "$WORK/none"
finds "emptied" tpm.slots ""

say "Behind a resource manager"
start_tpm managed
start_abrmd
doctor --identity "$WORK/none"
finds "it is said" tpm.resource_manager ok
stop_abrmd

say "No TPM"
stop_tpm
doctor --identity "$WORK/none"
finds "one that was named is missed" tpm bad "no TPM answers"
finds "and the rest was looked at" package.versions ok
unset DEVID_TCTI TPM2TOOLS_TCTI
doctor --identity "$WORK/none" --tcti device:/dev/tpmrm9
finds "one at another place too" tpm bad /dev/tpmrm9
OUTPUT=$(DEVID_TPM2_SHARING=sometimes "$DEVID" doctor --json \
    --identity "$WORK/none" 2>/dev/null) || true
finds "settings that are refused are a finding" access.settings bad
