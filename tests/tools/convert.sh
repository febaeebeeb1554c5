#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid convert: keys of the real tpm2-tools become key files, with policies of
# each kind; and devid's keys are used by tpm2-tools. The result signs through
# openssl.
#
# Usage: convert.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"

# signs KEY [PASSWORD]: through openssl with devid; OpenSSL alone verifies it.
signs() {
    OPENSSL_CONF=$WORK/openssl.cnf openssl dgst -sha256 -sign "$1" \
        -passin "pass:${2:-}" -out signature data >signs.log 2>&1 ||
        fail "$1 does not sign: $(<signs.log)"
    OPENSSL_CONF=$WORK/openssl.cnf openssl pkey -in "$1" \
        -passin "pass:${2:-}" -pubout -out public
    plain_openssl dgst -sha256 -verify public -signature signature data \
        >verified || fail "the signature of $1 does not verify"
    say "  ok: it signs"
}

# does_not_sign KEY SENTENCE: through openssl.
does_not_sign() {
    assert_fails "it does not sign" env OPENSSL_CONF="$WORK/openssl.cnf" \
        openssl dgst -sha256 -sign "$1" -out signature data
    assert_contains "and says why" "$2" "$OUTPUT"
}

# policy_key NAME TOOL...: a key by tpm2_create whose policy tpm2-tools compute
# in a trial session, NAME.pub and NAME.priv. Each TOOL is one command of
# theirs, which gets the session.
policy_key() {
    local name=$1 tool words
    shift
    tpm2_startauthsession -Q -S session.ctx
    for tool; do
        read -ra words <<<"$tool"
        "tpm2_${words[0]}" -Q -S session.ctx -L "$name.policy" "${words[@]:1}"
    done
    tpm2_flushcontext session.ctx
    tpm2_create -Q -C 0x81000001 -G ecc:ecdsa -L "$name.policy" \
        -a 'fixedtpm|fixedparent|sensitivedataorigin|noda|sign' \
        ${PASSWORD:+-p "$PASSWORD"} -u "$name.pub" -r "$name.priv"
}

# digest_of NAME: a policy's digest in hex.
digest_of() {
    od -An -v -tx1 "$1.policy" | tr -d ' \n'
}

harness_dir
cd "$WORK"
start_tpm --srk
openssl_conf "$WORK/openssl.cnf"
printf 'signed\n' >data

say "Blobs of tpm2_create"
for algorithm in ecc:ecdsa ecc384 rsa2048; do
    tpm2_create -Q -C 0x81000001 -G $algorithm -u blob.pub -r blob.priv \
        -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign'
    succeeds "an $algorithm key" convert --public blob.pub \
        --private blob.priv --force --out blob.pem
    assert_equal "nothing is printed" "" "$OUTPUT"
    assert_equal "it is a key blob" "-----BEGIN TSS2 PRIVATE KEY-----" \
        "$(head -n 1 blob.pem)"
    signs blob.pem
done
tpm2_create -Q -C 0x81000001 -G ecc -p sesame -u auth.pub -r auth.priv
succeeds "a key with an authorisation value" convert --public auth.pub \
    --private auth.priv --with-auth --out auth.pem
signs auth.pem sesame
tpm2_createprimary -Q -C o -G rsa2048 -c primary.ctx
tpm2_create -Q -C primary.ctx -G ecc -u other.pub -r other.priv
tpm2_flushcontext -t
refuses "a key of a parent that a key file cannot name" \
    "does not load under persistent handle 0x81000001" \
    convert --public other.pub --private other.priv --out none
tpm2_evictcontrol -Q -C o -c primary.ctx 0x81000008
tpm2_flushcontext -t
succeeds "made persistent, it can be named" convert --public other.pub \
    --private other.priv --parent 0x81000008 --out other.pem
signs other.pem

say "Persistent handles"
tpm2_create -Q -C 0x81000001 -G ecc -u kept.pub -r kept.priv
tpm2_load -Q -C 0x81000001 -u kept.pub -r kept.priv -c kept.ctx
tpm2_evictcontrol -Q -C o -c kept.ctx -o kept.handle 0x81000020
tpm2_flushcontext -t
succeeds "by its URI" convert --in tpm2:handle=0x81000020 --out uri.pem
signs uri.pem
succeeds "by the file of tpm2_evictcontrol" convert --in kept.handle \
    --out handle.pem
assert_equal "both are the same reference" "$(<uri.pem)" "$(<handle.pem)"
tpm2_readpublic -Q -c 0x81000020 -t read.handle
succeeds "by the file of tpm2_readpublic" convert --in read.handle \
    --force --out handle.pem
signs handle.pem
tpm2_evictcontrol -Q -C o -c 0x81000020
refuses "a handle that is empty now" "there is nothing at handle 0x81000020" \
    convert --in kept.handle --out none
tpm2_load -Q -C 0x81000008 -u other.pub -r other.priv -c kept.ctx
tpm2_evictcontrol -Q -C o -c kept.ctx 0x81000020
tpm2_flushcontext -t
refuses "a handle with another key now" \
    "tpm2:handle=0x81000020 holds another key than when the file was written" \
    convert --in kept.handle --out none

say "Policies"
policy_key code "policycommandcode TPM2_CC_Sign"
printf '0000016c0000015d\n' >code.txt
succeeds "PolicyCommandCode" convert --public code.pub --private code.priv \
    --policy code.txt --out code.pem
signs code.pem
policy_key or "policycommandcode TPM2_CC_Sign" \
    "policyor -l sha256:code.policy,code.policy"
printf '0000016c0000015d\n00000171000000020020%s0020%s\n' "$(digest_of code)" \
    "$(digest_of code)" >or.txt
succeeds "PolicyOR" convert --public or.pub --private or.priv \
    --policy or.txt --out or.pem
signs or.pem
# The clock is below 2^40 milliseconds, and not below 1: offset 8, unsigned <.
printf '0000016d00000100000000000008000%s\n' 5 >clock.txt
policy_key clock "policycountertimer --ult --clock 0000010000000000" \
    2>/dev/null || policy_key clock "policycountertimer --ult clock=1099511627776"
succeeds "PolicyCounterTimer" convert --public clock.pub \
    --private clock.priv --policy clock.txt --out clock.pem
signs clock.pem
policy_key late "policycountertimer --ult clock=1"
printf '0000016d000000000000000100080005\n' >late.txt
succeeds "a time that is over" convert --public late.pub \
    --private late.priv --policy late.txt --out late.pem
does_not_sign late.pem "the TPM's clock or counters do not stand where"
PASSWORD=sesame policy_key word policypassword
printf '0000018c\r\n\r\n' >word.txt
succeeds "PolicyPassword" convert --public word.pub --private word.priv \
    --policy word.txt --with-auth --out word.pem
start_trace --raw-log "$WORK/raw"
signs word.pem sesame
stop_trace
! grep -q "$(printf sesame | od -An -v -tx1 | tr -d ' \n')" "$WORK/raw" ||
    fail "the password crossed the bus"
say "  ok: and its password does not cross the bus"
assert_contains "by PolicyAuthValue, which leads to the same digest" \
    PolicyAuthValue "$(trace_list)"
printf '0000016c0000015e\n' >wrong.txt
succeeds "a policy that is not the key's" convert --public code.pub \
    --private code.priv --policy wrong.txt --out wrong.pem
does_not_sign wrong.pem \
    "the policy in the key file is not the one that the key was made with"
succeeds "a key with a policy, and none given" convert --public code.pub \
    --private code.priv --out no-policy.pem
does_not_sign no-policy.pem "does not say which"
printf '0000016c0000015d\nnothing\n' >garbled.txt
refuses "a policy that is no hex" "line 2 of the policy is no TPM command" \
    convert --public code.pub --private code.priv --policy garbled.txt \
    --out none

say "What is none of these"
refuses "a public part alone" "name that as well" \
    convert --in code.pub --out none
refuses "parts that were swapped" "public part (TPM2B_PUBLIC) is none" \
    convert --public code.priv --private code.pub --out none
refuses "a text" "neither" convert --in data --out none
refuses "a key file" "there is nothing to convert" \
    convert --in blob.pem --out none
printf '\201\0' >short
refuses "a file of a handle, cut short" "goes on otherwise" \
    convert --in short --out none
misuse "nothing at all" "give --in, or --public and --private" \
    convert --out none
misuse "half of it" "give --in, or --public and --private" \
    convert --public code.pub --out none
[[ ! -e none ]] || fail "a key file was written all the same"

say "devid's keys with tpm2-tools"
"$DEVID" keygen --out ours.pem
# Debian's complains of the file as if it were a handle, and then takes it.
tpm2_load -Q -r ours.pem -c ours.ctx 2>load.log
tpm2_flushcontext -t
tpm2_sign -Q -c ours.ctx -g sha256 -f plain -o signature data
tpm2_flushcontext -t
OPENSSL_CONF=$WORK/openssl.cnf openssl pkey -in ours.pem -pubout -out public
assert_equal "tpm2_load takes a key file" "Verified OK" \
    "$(plain_openssl dgst -sha256 -verify public -signature signature data)"
"$DEVID" keygen --persist 0x81000030 --out ours-kept.pem
tpm2_sign -Q -c 0x81000030 -g sha256 -f plain -o signature data
OPENSSL_CONF=$WORK/openssl.cnf openssl pkey -in ours-kept.pem -pubout -out public
assert_equal "and a persistent key" "Verified OK" \
    "$(plain_openssl dgst -sha256 -verify public -signature signature data)"
tpm2_encodeobject -Q -C 0x81000001 -u kept.pub -r kept.priv -o theirs.pem
signs theirs.pem

say "Importable keys"
# hex FILE: its bytes, for an OCTET STRING.
hex() { od -An -v -tx1 "$1" | tr -d ' \n'; }
tpm2_readpublic -Q -c 0x81000001 -o parent.pub
plain_openssl genrsa -out outside.key 2048 2>/dev/null
tpm2_duplicate --tcti none -U parent.pub -G rsa -k outside.key -u dup.pub \
    -r dup.priv -s dup.seed 2>duplicate.log
cat >importable.cnf <<END
asn1=SEQUENCE:key
[key]
type=OID:2.23.133.10.1.4
empty_auth=EXPLICIT:0C,BOOLEAN:TRUE
secret=EXPLICIT:2C,FORMAT:HEX,OCTETSTRING:$(hex dup.seed)
parent=INTEGER:0x81000001
public=FORMAT:HEX,OCTETSTRING:$(hex dup.pub)
private=FORMAT:HEX,OCTETSTRING:$(hex dup.priv)
END
plain_openssl asn1parse -genconf importable.cnf -noout -out importable.der
assert_fails "one is not used as it is" env OPENSSL_CONF="$WORK/openssl.cnf" \
    openssl dgst -sha256 -sign importable.der -out signature data
assert_contains "and says what to do" "devid convert" "$OUTPUT"
succeeds "tpm2_duplicate's key" convert --in importable.der --out imported.pem
signs imported.pem
plain_openssl pkey -in outside.key -pubout -out outside.pub
assert_equal "it is the one that was outside" "$(<outside.pub)" "$(<public)"
succeeds "show says so" show imported.pem
assert_contains "by its description" "imported, was once outside" "$OUTPUT"
refuses "under another parent" \
    "the parent does not import this key" convert --in importable.der \
    --parent 0x81000008 --out none
assert_equal "no object was left in the TPM" "" \
    "$(tpm2_getcap handles-transient)"
