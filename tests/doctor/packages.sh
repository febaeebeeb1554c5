#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# devid doctor on the libraries that are installed, and on p11-kit's modules, in
# a system of its own. Needs no TPM.
#
# Usage: packages.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
a_root
DATA=$TOP/tools/doctor/advisories.json

# system ID VERSION: what os-release says.
system() {
    printf '%s\n' 'NAME="Some system"' "ID=$1" "VERSION_ID=\"$2\"" \
        >"$ROOT/etc/os-release"
}

# installed PACKAGE VERSION [STATE]: it alone is installed, and the doctor looks.
installed() {
    printf '%s\n' 'Package: other' 'Status: install ok installed' \
        'Version: 1' '' "Package: $1" \
        "Status: install ok ${3:-installed}" 'Description: text' \
        ' Version: 0.0.1' "Version: $2" '' >"$ROOT/var/lib/dpkg/status"
    doctor_of_root --advisories "$DATA"
}

say "Which they are"
system debian 12
installed libtss2-esys-3.0.2-0 3.2.1-3
finds "by their packages" package.versions ok "debian 12: tpm2-tss 3.2.1-3"
installed libtss2-esys-3.0.2-0t64 4.1.3-1
finds "whatever the soname" package.versions ok "tpm2-tss 4.1.3-1"
installed libssl3t64 3.5.6-1
finds "or the ABI" package.versions ok "openssl 3.5.6-1"
installed libssl3 3.0.5-1 deinstalled
finds "not what was removed" package.versions ""
unset DEVID_TCTI
doctor --identity "$WORK/none" --accept tpm
finds "this system's own" package.versions ok "openssl 3."

finds "of a TPM nothing is known" advisory.compared note \
    "known vulnerabilities: the TPM"

say "A system without dpkg"
rm "$ROOT/var/lib/dpkg/status"
doctor_of_root --advisories "$DATA"
finds "nothing is known of its libraries" package.versions ""
finds "which is said" advisory.compared note \
    "the TPM, libtpms, p11-kit, openssl, swtpm, tpm2-tss"
finds "and what is said of the rest, too" advisory ok \
    "applies to what was compared with them"
mkdir -p "$ROOT/usr/lib/pkgconfig" "$ROOT/usr/lib64/pkgconfig"
printf 'Name: tss2-esys\nVersion: 4.0.0\n' \
    >"$ROOT/usr/lib/pkgconfig/tss2-esys.pc"
printf 'Version:  3.0.6\n' >"$ROOT/usr/lib64/pkgconfig/libcrypto.pc"
doctor_of_root --advisories "$DATA"
finds "its libraries say it" package.versions ok "openssl 3.0.6, tpm2-tss 4.0.0"
finds "and are compared" advisory.CVE-2022-3602 bad "openssl 3.0.6"
finds "the others are not" advisory.compared note "the TPM, libtpms, p11-kit, swtpm"
rm -r "$ROOT/usr/lib64" "$ROOT/usr/lib/pkgconfig"

say "A distribution that mends old versions"
installed libtpms0 0.9.2-3.1
finds "before its mended one" advisory.CVE-2025-49133 warning \
    "libtpms 0.9.2-3.1"
finds "which mended another" advisory.CVE-2023-1017 ""
installed libtpms0 0.9.2-3.1+deb12u1
finds "from its mended one on" advisory.CVE-2025-49133 ""
installed libtpms0 0.9.2-3
finds "before both" advisory.CVE-2023-1017 bad
finds "and so" advisory.CVE-2025-49133 warning
system ubuntu 24.04
installed libtpms0 0.9.3-0ubuntu4
finds "one that the data do not know" advisory.CVE-2025-49133 note \
    "ask the maker"
installed libtpms0 0.9.7-0ubuntu1
finds "with a version that is mended anyway" advisory.CVE-2025-49133 ""

say "Versions as their makers number them"
# boundary ID PACKAGE AFFECTED NOT LEVEL
while read -r id package affected not level; do
    installed "$package" "$affected"
    finds "$package $affected" "advisory.$id" "$level"
    installed "$package" "$not"
    finds "$package $not" "advisory.$id" ""
done <<'END'
CVE-2023-1017 libtpms0 0.9.5 0.9.6 bad
CVE-2025-49133 libtpms0 0.7.11 0.7.12 warning
CVE-2025-49133 libtpms0 0.8.9 0.8.10 warning
CVE-2025-49133 libtpms0 0.10.0 0.10.1 warning
CVE-2026-21444 libtpms0 0.10.1 0.10.2 warning
CVE-2026-21444 libtpms0 0.10.0 0.9.7 warning
CVE-2020-29361 libp11-kit0 0.23.21 0.23.22 warning
CVE-2022-3602 libssl3 3.0.6 3.0.7 bad
CVE-2026-45447 libssl3 3.0.20 3.0.21 warning
CVE-2026-45447 libssl3 3.5.6 3.5.7 warning
CVE-2026-45447 libssl3 4.0.0 4.0.1 warning
CVE-2022-23645 swtpm 0.7.0 0.7.1 warning
CVE-2022-23645 swtpm 0.6.1 0.6.2 warning
CVE-2023-22745 libtss2-esys-3.0.2-0 4.0.0 4.0.1 warning
GHSA-q759-vqg7-8rc5 libtss2-esys-3.0.2-0 4.1.3 4.1.4 note
END

say "p11-kit's modules"
modules=$(pkg-config --variable=p11_module_configs p11-kit-1)
folder=$(pkg-config --variable=p11_module_path p11-kit-1)
mkdir -p "$ROOT$modules" "$ROOT$folder" "$ROOT/etc/pkcs11/modules"
touch "$ROOT$folder/token.so"
printf 'module: token.so\n' >"$ROOT$modules/token.module"
doctor_of_root
finds "one that is there" p11kit.modules ok token.so
printf 'module: /opt/gone.so\n' >"$ROOT/etc/pkcs11/modules/gone.module"
doctor_of_root
finds "one that is not" p11kit.module warning "/opt/gone.so"
finds "the other one is" p11kit.modules ok token.so
printf 'critical: yes\n' >>"$ROOT/etc/pkcs11/modules/gone.module"
doctor_of_root
finds "one that nothing works without" p11kit.module bad \
    "loads no module at all"
rm "$ROOT/etc/pkcs11/modules/gone.module"
chmod 0666 "$ROOT$modules/token.module"
doctor_of_root
finds "one that everybody may write" p11kit.mode bad "run code"
chmod 0644 "$ROOT$modules/token.module"
printf 'trust-policy: yes\n' >>"$ROOT$modules/token.module"
doctor_of_root
finds "CA certificates are no token" p11kit.modules ""
