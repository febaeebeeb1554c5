#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# OPENSSL_CONF may be set for the whole machine: programs that have nothing to
# do with devid, swtpm among them, start and work under it.
#
# Usage: system_wide.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"

harness_dir
openssl_conf "$WORK/openssl.cnf" last
openssl_conf "$WORK/first.cnf" first

for conf in openssl.cnf first.cnf; do
    export OPENSSL_CONF=$WORK/$conf
    # A TCTI that leads nowhere: whatever connects at activation would fail.
    export DEVID_TCTI=swtpm:host=127.0.0.1,port=1
    assert_equal "openssl hashes under $conf" \
        "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881" \
        "$(printf x | openssl dgst -sha256 -r | cut -d' ' -f1)"
    # swtpm makes and uses keys of its own through this OpenSSL.
    start_tpm --srk "under-$conf"
    "$DEVID" keygen --out "$WORK/$conf.key"
    "$DEVID" csr --key "$WORK/$conf.key" --subject /CN=x --out "$WORK/$conf.csr"
    assert_contains "a request made under $conf verifies elsewhere" "verify OK" \
        "$(plain_openssl req -verify -noout -in "$WORK/$conf.csr" 2>&1)"
    stop_tpm
done
