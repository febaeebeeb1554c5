#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A device enrols at an EST server, in all the ways that the server may have.
#
# Usage: enroll.sh tpm|token [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK" || exit
if [[ ${ARGS[0]:?tpm or token} == tpm ]]; then
    start_tpm --srk
    start_trace
    DEVICE=()
    KEYGEN=()
else
    start_token
    DEVICE=(--device "$TOKEN_URI")
    KEYGEN=("${DEVICE[@]}" --label IDevID)
fi
make_idevid "${KEYGEN[@]}"
make_est
start_est
openssl_conf openssl.cnf

say "In one go"
enroll "${DEVICE[@]}" --after 'echo "$DEVID_IDENTITY $DEVID_FOLDER" >after' \
    >out || fail "$(<out)"
cat out
