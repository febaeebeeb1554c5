#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The arrows run down only: provider/ and tools/ see engine/devid.h and nothing
# else of the engine, but for tools/, which see engine/identity.h, state.h and
# attest.h; tss2 and p11-kit are seen by their back end alone, which the
# rest of the engine reaches through backend.h. Attestation is pure: of tss2 it
# sees the structures, of the TPM back end public.h, tcg_template.h and protect.h,
# and nothing in the engine sees it. Tokens are administered with libp11, and p11-kit's list
# of modules, by the files of `devid token` alone.
set -euo pipefail
cd "$(dirname "$0")/.."

status=0
complain() {
    printf '%s\n' "$*" >&2
    status=1
}

# includes DIR: "file:header" for each header that its files include.
includes() {
    grep -HoE '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"][^>"]+' \
        "$1"/*.[ch] | sed -E 's/:[^<"]*[<"]/:/'
}

for dir in provider tools tools/cli tools/doctor tools/identity tools/station tools/trust; do
    while IFS=: read -r file header; do
        case $dir/${file##*/}:$header in
        tools/token*:libp11.h | tools/token*:p11-kit/*) continue ;;
        tools/modules.c:p11-kit/*) continue ;;
        tools/*:identity.h | tools/*:attest.h | tools/*:state.h) continue ;;
        esac
        case $header in
        devid.h) ;;
        tss2/* | p11-kit/* | libp11.h)
            complain "$file includes $header: only a back end may"
            ;;
        *engine/*)
            complain "$file includes $header: devid.h is the engine's face"
            ;;
        *)
            [[ -e $dir/$header || ! -e engine/$header ]] ||
                complain "$file includes $header: devid.h is the engine's face"
            ;;
        esac
    done < <(includes "$dir")
done

while IFS=: read -r file header; do
    case $header in
    tss2/* | p11-kit/* | libp11.h | tpm2/* | pkcs11/*)
        complain "$file includes $header: reach it through backend.h"
        ;;
    esac
done < <(includes engine)

while IFS=: read -r file header; do
    case $header in
    tss2/tss2_mu.h | tss2/tss2_tpm2_types.h) ;;
    ../tpm2/public.h | ../tpm2/tcg_policy.h | ../tpm2/tcg_template.h | ../tpm2/protect.h) ;;
    tss2/* | p11-kit/* | libp11.h | ../tpm2/* | ../pkcs11/*)
        complain "$file includes $header: attestation needs no device"
        ;;
    esac
done < <(includes engine/attest)

for dir in engine engine/tpm2 engine/pkcs11; do
    while IFS=: read -r file header; do
        case $header in
        attest.h | ../attest.h | *attest/*)
            complain "$file includes $header: attestation is built on the engine"
            ;;
        esac
    done < <(includes "$dir")
done

exit "$status"
