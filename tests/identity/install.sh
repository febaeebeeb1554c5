#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid install: certificates that a station gave are kept in the TPM's NV and
# in the folder of the identity, and only those that belong to the device.
#
# Usage: install.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
DEVID=$BUILD_DIR/tools/devid
harness_dir
start_tpm --ek
cd "$WORK"
"$DEVID" request --serial SN1 --model Gate --out unit.req
for key in idevid=0x81020000 iak=0x81020001; do
    tpm2_readpublic -Q -c "${key#*=}" -f pem -o "${key%=*}.pub"
done
openssl ecparam -name prime256v1 -genkey -noout -out other.key
openssl pkey -in other.key -pubout -out other.pub

# ca NAME [ISSUER]: a CA, NAME.pem and NAME.key.
ca() {
    openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
    local issuer=()
    (($# == 1)) || issuer=(-CA "$2.pem" -CAkey "$2.key")
    openssl req -new -x509 -key "$1.key" -subj "/CN=$1" -days 30 \
        -addext basicConstraints=critical,CA:true "${issuer[@]}" \
        -out "$1.pem" 2>/dev/null ||
        openssl x509 -new -subj "/CN=$1" -days 30 -force_pubkey \
            <(openssl pkey -in "$1.key" -pubout) "${issuer[@]}" \
            -extfile <(echo basicConstraints=critical,CA:true) -out "$1.pem"
}

# issue CA KEY SERIAL FILE: a certificate for KEY.pub.
issue() {
    openssl x509 -new -subj "/CN=unit/serialNumber=$3" -days 30 \
        -force_pubkey "$2.pub" -CA "$1.pem" -CAkey "$1.key" -out "$4"
}

# json IDEVID IAK CA...: as a station answers.
json() {
    local idevid=$1 iak=$2 list='' file
    shift 2
    for file; do
        list+=${list:+,}\"$(openssl x509 -in "$file" -outform DER | base64 -w0)\"
    done
    printf '{"unit":"7","state":"issued","idevid":"%s","iak":"%s","ca":[%s]}\n' \
        "$(openssl x509 -in "$idevid" -outform DER | base64 -w0)" \
        "$(openssl x509 -in "$iak" -outform DER | base64 -w0)" "$list"
}

# nv INDEX: the certificate there, in PEM.
nv() {
    tpm2_nvread "$1" | openssl x509 -inform DER
}

# install CODE WHAT SENTENCE [OPTION...]: fails so, and keeps nothing.
refused() {
    local code=$1 what=$2 sentence=$3 status=0
    shift 3
    OUTPUT=$("$DEVID" install --dir "$WORK/refused" "$@" 2>&1) || status=$?
    assert_equal "$what: its exit code" "$code" "$status" >/dev/null
    assert_contains "$what" "$sentence" "$OUTPUT"
    [[ ! -e refused ]] || fail "$what: a folder was made"
}

ca root
ca sub root
ca else
issue sub idevid SN1 idevid.pem
issue sub iak SN1 iak.pem
json idevid.pem iak.pem sub.pem root.pem >certificates.json

say "What does not belong to this device is not kept"
issue sub other SN1 other.pem
issue sub idevid SN2 sn2.pem
issue else idevid SN1 else-idevid.pem
json other.pem iak.pem sub.pem root.pem >other.json
refused 7 "another key's" "the certificate of the IDevID is for another key than\
 this device's: nothing of it was kept" --in other.json
json idevid.pem other.pem sub.pem root.pem >other.json
refused 7 "another IAK's" "the certificate of the IAK is for another key" \
    --in other.json
json sn2.pem iak.pem sub.pem root.pem >other.json
refused 7 "another serial's" "is not for the serial number 'SN1'" \
    --in other.json --serial SN1
json else-idevid.pem iak.pem sub.pem root.pem >other.json
refused 7 "another CA's" "has no chain to the station's CA" --in other.json
echo '{"idevid": "!"}' >other.json
refused 7 "what is no answer" "other.json has no certificates" --in other.json
refused 7 "a file without the IDevID's" "holds no certificate of this device's\
 IDevID" --in root.pem
assert_equal "nothing is in NV" "" "$(tpm2_getcap handles-nv-index |
    grep -i 0x1c9 || true)"

say "Kept"
start_trace
"$DEVID" install --in certificates.json --serial SN1 --dir "$WORK/id"
assert_equal "by these commands" "ReadPublic ReadPublic\
 GetCapability NV_DefineSpace NV_Write NV_Read\
 NV_DefineSpace NV_Write NV_Read" "$(commands)"
assert_equal "the IDevID's certificate is in NV" "$(openssl x509 -in idevid.pem)" \
    "$(nv 0x01c90200)"
assert_equal "and the IAK's" "$(openssl x509 -in iak.pem)" "$(nv 0x01c90100)"
assert_equal "the folder has" \
    "ca.pem cert.pem chain.pem combined.pem iak.pem key.pem unit.json" \
    "$(cd id/ && echo *)"
assert_equal "the certificate verifies" "id/cert.pem: OK" \
    "$(openssl verify -CAfile id/ca.pem -untrusted id/chain.pem id/cert.pem)"
assert_equal "the chain is it and those between" "$(cat idevid.pem sub.pem)" \
    "$(<id/chain.pem)"
assert_equal "combined.pem is key and chain" "$(cat id/key.pem id/chain.pem)" \
    "$(<id/combined.pem)"
assert_contains "the key is the one in the TPM" tpm2:handle=0x81020000 \
    "$("$DEVID" show id/key.pem)"
assert_equal "the station's id is kept" 7 "$(jq -r .unit id/unit.json)"
assert_equal "each for all to read" 644 "$(stat -L -c %a id/key.pem)"
assert_nothing_left

say "Once more"
trace_reset
"$DEVID" install --in certificates.json --serial SN1 --dir "$WORK/id/"
[[ $(commands) != *NV_Write* && $(commands) != *NV_Undefine* ]] ||
    fail "NV was written again: $(commands)"
say "  ok: what is in NV already stays"
assert_equal "and so does the folder" "id.1" "$(readlink id)"
stop_trace

say "The folder is replaced as a whole"
cat idevid.pem iak.pem sub.pem root.pem >all.pem
mkdir id.7
echo left >id.7/over
"$DEVID" install --in all.pem --dir "$WORK/id"
assert_equal "from PEM, in any order" "id.2" "$(readlink id)"
assert_equal "and nothing of other versions is left" "id id.2" \
    "$(echo id id.[0-9]*)"
mkdir plain
OUTPUT=$("$DEVID" install --in all.pem --dir "$WORK/plain" 2>&1) &&
    fail "an ordinary folder was taken"
assert_contains "an ordinary folder is left alone" \
    "$WORK/plain is there and is no folder of devid's" "$OUTPUT"

say "Something else is in NV"
issue else idevid SN1 else-idevid.pem
issue else iak SN1 else-iak.pem
json else-idevid.pem else-iak.pem else.pem >else.json
refused 1 "a certificate of this key by another station stays" \
    "tpm2:nv=0x01c90100 holds another certificate of this device's IAK" \
    --in else.json
OUTPUT=$("$DEVID" install --in else.json --dir "$WORK/id" --new-owner 2>&1)
assert_contains "unless the unit has a new owner" \
    "note: the certificate at tpm2:nv=0x01c90200 was of another station" \
    "$OUTPUT"
assert_equal "then it is replaced" "$(openssl x509 -in else-idevid.pem)" \
    "$(nv 0x01c90200)"
tpm2_nvundefine -Q -C o 0x01c90200
openssl x509 -in other.pem -outform DER -out other.der
"$DEVID" keygen --persist 0x81000010 --out k.pem
tpm2_nvdefine -Q -C o -s "$(stat -c %s other.der)" \
    -a 'ownerwrite|ownerread|authread|no_da' 0x01c90200
tpm2_nvwrite -Q -C o -i other.der 0x01c90200
OUTPUT=$("$DEVID" install --in else.json --dir "$WORK/id" 2>&1)
assert_contains "one of another key is replaced" \
    "note: the certificate at tpm2:nv=0x01c90200 was another key's" "$OUTPUT"
tpm2_nvundefine -Q -C o 0x01c90200
tpm2_nvdefine -Q -C o -s 8 -a 'ownerwrite|ownerread|authread|no_da' 0x01c90200
echo 1234567 | tpm2_nvwrite -Q -C o -i- 0x01c90200
refused 1 "what is no certificate stays" \
    "NV index 0x01c90200 of this TPM holds something else" --in else.json
tpm2_nvundefine -Q -C o 0x01c90200

say "A TPM without room"
index=$((0x01c98000))
while tpm2_nvdefine -Q -C o -s 600 "$index" 2>/dev/null; do
    index=$((index + 1))
done
refused 6 "is told of" "the TPM's non-volatile memory has no room for" \
    --in else.json
assert_contains "with what helps" "--nv=optional keeps the certificates on disk\
 alone" "$OUTPUT"
OUTPUT=$("$DEVID" install --in else.json --dir "$WORK/id" --nv=optional 2>&1)
assert_contains "which does" "it stays on disk alone" "$OUTPUT"
assert_equal "the folder has it" "$(openssl x509 -in else-idevid.pem)" \
    "$(<id/cert.pem)"
assert_nothing_left
