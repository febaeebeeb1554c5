#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid doctor on identities, whole and broken, with keys in a TPM.
#
# Usage: identities.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
start_tpm --srk
CA=$WORK/ca
UNIT=$WORK/unit
mkdir "$CA" "$UNIT"

# authority NAME: a CA, $CA/NAME.pem and NAME.key; issued by the one named by
# ISSUER where that is set.
authority() {
    local by=(-key "$CA/$1.key")
    openssl genpkey -quiet -algorithm EC -pkeyopt group:P-256 \
        -out "$CA/$1.key"
    [[ ! ${ISSUER:-} ]] ||
        by=(-CA "$CA/$ISSUER.pem" -CAkey "$CA/$ISSUER.key")
    openssl req -x509 -new -key "$CA/$1.key" "${by[@]}" -subj "/CN=$1" \
        -addext basicConstraints=critical,CA:TRUE -days 3650 \
        -out "$CA/$1.pem" 2>/dev/null
}

# certify CA FROM UNTIL: the certificate of $UNIT/key.pem, by days from now.
certify() {
    "$DEVID" csr --key "$UNIT/key.pem" --subject /CN=unit --out "$WORK/csr" \
        --force
    printf '%s\n' '[ca]' 'default_ca=c' '[c]' "database=$WORK/index" \
        'rand_serial=yes' 'default_md=sha256' 'policy=p' '[p]' \
        'CN=supplied' >"$WORK/ca.cnf"
    : >"$WORK/index"
    openssl ca -config "$WORK/ca.cnf" -batch -notext -cert "$CA/$1.pem" \
        -keyfile "$CA/$1.key" -in "$WORK/csr" -outdir "$WORK" \
        -startdate "$(date -u -d "$2 days" +%Y%m%d%H%M%SZ)" \
        -enddate "$(date -u -d "$3 days" +%Y%m%d%H%M%SZ)" \
        -out "$UNIT/cert.pem" 2>"$WORK/ca.err" || fail "$(<"$WORK/ca.err")"
}

# combine: what haproxy reads.
combine() {
    (umask 077 && cat "$UNIT"/{key,cert,chain}.pem >"$UNIT/combined.pem")
}

# look ARGUMENT...: the doctor on the identity.
look() {
    doctor --identity "$UNIT" "$@"
}

authority root
ISSUER=root authority issuing
ISSUER='' authority stranger

say "A whole identity"
"$DEVID" keygen --out "$UNIT/key.pem"
certify issuing -1 365
cp "$CA/issuing.pem" "$UNIT/chain.pem"
cp "$CA/root.pem" "$UNIT/ca.pem"
combine
start_trace
look --dump "$WORK/dump.json"
finds "its key answers" identity.key ok
finds "it is the certificate's" identity.match ok
finds "which is valid" identity.validity ok "is valid until"
finds "and leads to the CA" identity.chain ok verifies
finds "files are its owner's" identity.mode "ok ok"
finds "what haproxy reads is of the same" identity.combined ""
assert_equal "one signature was asked for" 1 "$(trace_count Sign)"
stop_trace
assert_equal "no private part is in a dump" "" \
    "$(grep -o 'PRIVATE KEY-----' "$WORK/dump.json" || true)"

say "Files"
chmod 0640 "$UNIT/key.pem"
look
finds "a key that a group reads" identity.mode "warning ok" "chmod 0600"
assert_equal "which counts" 1 "$STATUS"
chmod 0644 "$UNIT/key.pem"
look
finds "a key that everybody reads" identity.mode "bad ok" "every user"
chmod 0620 "$UNIT/key.pem"
look
finds "a key that a group writes" identity.mode "bad ok" "another key"
chmod 0600 "$UNIT/key.pem"
chmod 0666 "$UNIT/ca.pem"
look
finds "a CA that everybody writes" identity.mode "ok ok bad" ca.pem
chmod 0644 "$UNIT/ca.pem"
chmod 0777 "$UNIT"
look
finds "a folder that everybody writes" identity.mode "bad ok ok" "chmod go-w"
chmod 0755 "$UNIT"

say "Times"
certify issuing -366 -1
look
finds "an expired certificate" identity.expired bad "expired on"
certify issuing 1 365
look
finds "one for tomorrow" identity.not_yet_valid bad "this machine's clock"
certify issuing -345 20
look
finds "one that ends soon" identity.expires warning "expires on"
certify issuing -1 4
look
finds "one of a short life at its beginning" identity.validity ok
certify issuing -3 1
look
finds "and at its end" identity.expires warning

say "Chains"
certify stranger -1 365
look
finds "another CA's" identity.chain bad "does not lead to ca.pem"
certify issuing -1 365
mv "$UNIT/chain.pem" "$WORK/chain.pem"
look
finds "an issuer is missing" identity.chain bad "unable to get local issuer"
cat "$WORK/chain.pem" >>"$UNIT/cert.pem"
look
finds "it may stand behind the certificate" identity.chain ok
mv "$WORK/chain.pem" "$UNIT/chain.pem"
mv "$UNIT/ca.pem" "$WORK/ca.pem"
look
finds "no CA, no verdict" identity.chain note "no ca.pem"
cp "$CA/issuing.pem" "$UNIT/ca.pem"
look
finds "an issuer that is trusted itself" identity.chain ok
mv "$WORK/ca.pem" "$UNIT/ca.pem"

say "Other keys"
certify issuing -1 365
look
finds "an old file for haproxy" identity.combined bad "umask 077"
combine
"$DEVID" keygen --out "$WORK/other.pem"
cp "$UNIT/key.pem" "$WORK/right.pem"
cp "$WORK/other.pem" "$UNIT/key.pem"
look
finds "than the certificate's" identity.match bad "another key"
finds "and than haproxy's" identity.combined bad
cp "$CA/root.key" "$UNIT/key.pem"
look
finds "a software key" identity.key bad "key.pem:"
printf 'nothing\n' >"$UNIT/key.pem"
look
finds "no key" identity.key bad
rm "$UNIT/key.pem"
look
finds "no file" identity bad "there is no key.pem"
cp "$WORK/right.pem" "$UNIT/key.pem"
mv "$UNIT/cert.pem" "$WORK/cert.pem"
look
finds "no certificate" identity.certificate warning "devid csr"
mv "$WORK/cert.pem" "$UNIT/cert.pem"
doctor --identity "$WORK/nowhere"
finds "no folder" identity bad "there is no identity"

say "Keys with conditions"
SECRET=right "$DEVID" keygen --auth-source env:SECRET --out "$UNIT/key.pem" \
    --force
look
finds "a value that nobody gave" identity.key note "give --auth-source"
SECRET=right look --auth-source env:SECRET
finds "and that somebody gave" identity.key ok
assert_equal "none was wrong" 0 "$(($(tpm2_getcap properties-variable |
    awk '/LOCKOUT_COUNTER/ { print $2 }')))"
"$DEVID" keygen --dictionary-attack --out "$UNIT/key.pem" --force
look
finds "a key that locks" identity.da warning "has no noDA"
"$DEVID" keygen --pcr sha256:16 --out "$UNIT/key.pem" --force
look
finds "a key for this boot state" identity.key ok
tpm2_pcrextend 16:sha256="$(printf 'a%.0s' {1..64})"
look
finds "and for another" identity.key bad "does not sign"
openssl genpkey -quiet -algorithm EC -pkeyopt group:P-256 -out "$WORK/soft.pem"
"$DEVID" import --in "$WORK/soft.pem" --out "$UNIT/key.pem" --force 2>/dev/null
look
finds "a key that was outside" identity.imported warning

say "Two"
cp -r "$UNIT" "$WORK/second"
look --identity "$WORK/second"
finds "are both looked at" identity.key "ok ok" "$WORK/second"

say "Another TPM"
cp "$WORK/right.pem" "$UNIT/key.pem"
start_tpm --srk other
look
finds "does not have the key" identity.key bad "does not sign"
stop_tpm
look
finds "nor has none" identity.key bad
finds "what needs no TPM is said all the same" identity.match ok

say "A user who may not look"
if ((EUID)); then
    mkdir "$WORK/closed"
    chmod 0 "$WORK/closed"
    doctor --identity "$WORK/closed"
    finds "is told so" identity note "cannot be looked at"
    chmod 700 "$WORK/closed"
else
    jq '.identity.list[0].files["key.pem"] =
        {path: "x", exists: false, error: "Permission denied"}' \
        "$WORK/dump.json" >"$WORK/changed.json"
    doctor --from "$WORK/changed.json"
    finds "is told so" identity note "cannot be looked at: Permission denied"
fi
