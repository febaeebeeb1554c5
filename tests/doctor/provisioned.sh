#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid doctor on a device whose identity devid install has made: a link to a
# folder, a reference to the IDevID's key, certificates in NV.
#
# Usage: provisioned.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
start_tpm --ek
cd "$WORK"

# issue NAME HANDLE DAYS: a certificate for the key there, in PEM, NAME.pem.
issue() {
    tpm2_readpublic -Q -c "$2" -f pem -o "$1.pub"
    openssl x509 -new -subj "/CN=unit/serialNumber=SN1" -days "$3" \
        -force_pubkey "$1.pub" -CA ca.pem -CAkey ca.key -out "$1.pem"
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout ca.key -subj /CN=line -days 365 -out ca.pem \
    -addext basicConstraints=critical,CA:true 2>/dev/null
"$DEVID" request --serial SN1 --model Gate --out unit.req
issue idevid 0x81020000 365
issue iak 0x81020001 365
cat idevid.pem iak.pem ca.pem >all.pem
"$DEVID" install --in all.pem --serial SN1 --dir "$WORK/unit"

say "What devid install has made"
[[ -L $WORK/unit ]] || fail "devid install makes no link any more"
doctor --identity "$WORK/unit" --ek-roots "$WORK/tpm-ca"
finds "its key answers" identity.key ok
finds "it is the certificate's" identity.match ok
finds "and leads to the CA" identity.chain ok
finds "its files may be read by all" identity.mode "ok ok" "holds no secret"
finds "what haproxy reads is of the same" identity.combined ""
finds "its keys' templates have no noDA" tpm.key.da "note note" "the IAK"
assert_equal "nothing is wrong" "0 0" \
    "$(jq -r '"\(.bad) \(.warnings)"' <<<"$OUTPUT")"
assert_equal "it ends with 0" 0 "$STATUS"

say "Made again"
issue idevid 0x81020000 300
cat idevid.pem iak.pem ca.pem >all.pem
"$DEVID" install --in all.pem --serial SN1 --dir "$WORK/unit" --new-owner
doctor --identity "$WORK/unit"
finds "its key answers" identity.key ok
finds "it is the certificate's" identity.match ok

say "A version behind the link that others may write"
chmod 0777 "$(readlink -f "$WORK/unit")"
doctor --identity "$WORK/unit"
finds "is bad" identity.mode "bad ok ok" "chmod go-w"
chmod 0755 "$(readlink -f "$WORK/unit")"
chmod 0666 "$WORK/unit/key.pem"
doctor --identity "$WORK/unit"
finds "and a reference" identity.mode "bad ok" "another key"

say "All identities of a system"
a_root
cp -P "$WORK/unit" "$ROOT/var/lib/devid/"
cp -r "$(readlink -f "$WORK/unit")" "$ROOT/var/lib/devid/"
mkdir "$ROOT/var/lib/devid/other.1" "$ROOT/var/lib/devid/.hidden"
doctor_of_root --dump "$WORK/dump.json"
assert_equal "a link and its version are one" \
    "/var/lib/devid/other.1 /var/lib/devid/unit" \
    "$(jq -r '[.identity.list[].path] | join(" ")' "$WORK/dump.json")"
finds "and their keys are not asked" identity.key note "another system"
