# SPDX-License-Identifier: Apache-2.0
# What cpack reads before it packs. Units and programs hold the names of places,
# so a package cannot be made of what was built for others.
if(CPACK_GENERATOR STREQUAL "DEB" AND NOT CPACK_DEVID_PREFIX STREQUAL "/usr")
  message(FATAL_ERROR "This build is for ${CPACK_DEVID_PREFIX}, and a Debian "
    "package's files lie in /usr: configure with -DCMAKE_INSTALL_PREFIX=/usr, as "
    "\"cmake --preset deb\" does.")
endif()
# It would become the first line of each package's description.
unset(CPACK_PACKAGE_DESCRIPTION_SUMMARY)
