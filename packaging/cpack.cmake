# SPDX-License-Identifier: Apache-2.0
# "cpack -G DEB", of a build that was configured for /usr: cmake --preset deb.
set(DEVID_MAINTAINER "devid maintainers <devid@example.org>" CACHE STRING
    "Who answers for packages: name and address")

set(CPACK_PACKAGE_NAME devid)
set(CPACK_PACKAGE_VENDOR "devid")
set(CPACK_PACKAGE_CONTACT ${DEVID_MAINTAINER})
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_COMPONENTS_ALL tool provider station dev)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
  WORLD_READ WORLD_EXECUTE)
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_SOURCE_DIR}/debian/check.cmake)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_SOURCE_DIR}/debian/stage.cmake)
set(CPACK_DEVID_DEBIAN ${CMAKE_CURRENT_SOURCE_DIR}/debian)
set(CPACK_DEVID_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_DEVID_OBJCOPY ${CMAKE_OBJCOPY})

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(same "(= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")

set(CPACK_DEBIAN_TOOL_PACKAGE_NAME devid)
set(CPACK_DEBIAN_TOOL_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_TOOL_PACKAGE_DEPENDS "devid-provider ${same}")
set(CPACK_DEBIAN_TOOL_PACKAGE_SUGGESTS "devid-station, man-db, tpm2-tools")
set(CPACK_DEBIAN_TOOL_PACKAGE_CONTROL_EXTRA
  ${CMAKE_CURRENT_SOURCE_DIR}/debian/devid/postinst
  ${CMAKE_CURRENT_SOURCE_DIR}/debian/devid/prerm
  ${CMAKE_CURRENT_SOURCE_DIR}/debian/devid/postrm)
set(CPACK_COMPONENT_TOOL_DESCRIPTION
"hardware-bound identity of a device: the tool
devid makes private keys inside a TPM 2.0 or a PKCS#11 token, where they stay,
and the certificate requests for them. It prints the lines of configuration by
which nginx, curl and other programs use such a key, takes a bare device to a
certified identity on a factory line, and says what is wrong where something
does not work.")

set(CPACK_DEBIAN_PROVIDER_PACKAGE_NAME devid-provider)
set(CPACK_DEBIAN_PROVIDER_PACKAGE_SECTION libs)
# Which TPM it speaks to is said by a name, of which a library is made. Its
# package has another name on Debian 13.
set(CPACK_DEBIAN_PROVIDER_PACKAGE_RECOMMENDS
  "libtss2-tcti-device0t64 | libtss2-tcti-device0, tpm-udev")
set(CPACK_DEBIAN_PROVIDER_PACKAGE_SUGGESTS "devid, softhsm2")
set(CPACK_DEBIAN_PROVIDER_PACKAGE_CONTROL_EXTRA
  ${CMAKE_CURRENT_SOURCE_DIR}/debian/devid-provider/conffiles)
set(CPACK_COMPONENT_PROVIDER_DESCRIPTION
"hardware-bound identity of a device: OpenSSL 3 provider
The provider devid lets nginx, curl and every other program that uses OpenSSL
3 sign, decrypt and agree on secrets with keys that never leave a TPM 2.0 or a
PKCS#11 token. The programs stay as they are: a key file names the key.")

set(CPACK_DEBIAN_STATION_PACKAGE_NAME devid-station)
set(CPACK_DEBIAN_STATION_PACKAGE_SECTION net)
set(CPACK_DEBIAN_STATION_PACKAGE_DEPENDS
  "devid-provider ${same}, systemd | systemd-standalone-sysusers | systemd-sysusers, systemd | systemd-standalone-tmpfiles | systemd-tmpfiles")
set(CPACK_DEBIAN_STATION_PACKAGE_SUGGESTS "devid, postgresql")
set(CPACK_DEBIAN_STATION_PACKAGE_CONTROL_EXTRA
  ${CMAKE_CURRENT_SOURCE_DIR}/debian/devid-station/postinst
  ${CMAKE_CURRENT_SOURCE_DIR}/debian/devid-station/prerm
  ${CMAKE_CURRENT_SOURCE_DIR}/debian/devid-station/postrm)
set(CPACK_COMPONENT_STATION_DESCRIPTION
"hardware-bound identity of a device: station of a factory line
devid-station gives devices their identity. It takes a device only where the
maker of its TPM vouches for it, or a list does, and has that TPM prove that
it holds the keys; then its CA signs. Who got which certificates, and who was
refused and why, stands in a ledger whose log is chained and signed.")

set(CPACK_DEBIAN_DEV_PACKAGE_NAME devid-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS
  "libssl-dev (>= 3.0), libtss2-dev (>= 3.2), libp11-kit-dev")
set(CPACK_DEBIAN_DEV_PACKAGE_SUGGESTS "devid")
set(CPACK_COMPONENT_DEV_DESCRIPTION
"hardware-bound identity of a device: the engine's static library
The engine under devid and its OpenSSL provider, for programs in C or C++ that
make and use keys in a TPM 2.0 or a PKCS#11 token by themselves: headers, a
static library and its pkg-config file.")

include(CPack)
