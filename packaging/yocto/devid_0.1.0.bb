# SPDX-License-Identifier: Apache-2.0
# For a layer of one's own, beside meta-openembedded and meta-security (tpm2-tss,
# libp11). Not tried in a build of Yocto itself.
SUMMARY = "Hardware-bound identity of a device: keys in a TPM or a token, for OpenSSL"
SECTION = "security"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://LICENSE;md5=3b83ef96387f14655fc854ddc3c6bd57"

SRC_URI = "file://devid-${PV}.tar.gz"

DEPENDS = "openssl tpm2-tss p11-kit libp11 jansson curl qrencode libevent sqlite3 postgresql"

inherit cmake pkgconfig systemd useradd

# Completions are made by the programs, which do not run where they are built.
EXTRA_OECMAKE = "-DBUILD_TESTING=OFF -DDEVID_MODULES_DIR=${libdir}/ossl-modules"

PACKAGES =+ "${PN}-provider ${PN}-station"

FILES:${PN}-provider = " \
    ${libdir}/ossl-modules/devid.so \
    ${datadir}/devid/openssl.cnf \
    ${sysconfdir}/devid \
    "
FILES:${PN}-station = " \
    ${sbindir}/devid-station \
    ${nonarch_libdir}/sysusers.d \
    ${nonarch_libdir}/tmpfiles.d \
    ${systemd_system_unitdir}/devid-station.service \
    "
FILES:${PN} += "${systemd_system_unitdir}/devid-renew.*"

RDEPENDS:${PN} = "${PN}-provider"
RDEPENDS:${PN}-station = "${PN}-provider"
RRECOMMENDS:${PN}-provider = "libtss2-tcti-device"
# The engine is a static library: devid-dev is of use without devid.
RDEPENDS:${PN}-dev = ""

SYSTEMD_PACKAGES = "${PN} ${PN}-station"
SYSTEMD_SERVICE:${PN} = "devid-renew.timer"
SYSTEMD_SERVICE:${PN}-station = "devid-station.service"
SYSTEMD_AUTO_ENABLE = "disable"

USERADD_PACKAGES = "${PN}-station"
USERADD_PARAM:${PN}-station = "--system --home /var/lib/devid-station --shell /sbin/nologin --user-group devid-station"

do_install:append() {
    install -D -m 0644 ${D}${datadir}/devid/openssl.cnf ${D}${sysconfdir}/devid/openssl.cnf
}
