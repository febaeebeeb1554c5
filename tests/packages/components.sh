#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Each file that is installed belongs to one component, and each component's
# Debian package holds its files, and what Debian asks of a package. Needs no TPM.
#
# Usage: components.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/../../swtpm-ci/lib.sh"
harness_options "$@"
harness_dir
cd "$WORK"

# install_to DIR [OPTION...]: what cmake installs there.
install_to() {
    local dir=$1
    shift
    cmake --install "$BUILD_DIR" --prefix "$WORK/$dir" "$@" >"$dir.out" 2>&1 ||
        fail "cmake --install $*: $(<"$dir.out")"
}

# files DIR: the files below, by their paths there.
files() {
    (cd "$1" && find . ! -type d -printf '%P\n' | sort)
}

say "Components"
install_to all
for component in tool provider station dev; do
    install_to "$component" --component "$component"
    [[ $(files "$component") ]] || fail "the component $component is empty"
done
assert_equal "every installed file is in one component" "$(files all)" \
    "$(for component in tool provider station dev; do files "$component"; done |
        sort)"
assert_equal "each manual is installed" \
    "$(cd "$TOP/man" && printf '%s\n' *.[1-8] | sort)" \
    "$(files all | sed -nE 's,.*/man[1-8]/([^/]*)$,\1,p' | sort)"
assert_equal "another prefix takes all, the provider's module too" \
    "$(readlink -f all/lib*/ossl-modules/devid.so all/lib*/*/ossl-modules/devid.so 2>/dev/null |
        grep .)" \
    "$(all/bin/devid conf openssl | sed -n 's/^module = //p')"
assert_contains "the doctor finds its data there" '"format"' \
    "$(<all/share/devid/advisories.json)"
assert_equal "the shipped openssl.cnf has what devid prints, but for the module" \
    "$(env -u DEVID_TCTI -u DEVID_PKCS11_MODULE -u TPM2TOOLS_TCTI \
        all/bin/devid conf openssl | grep -v '^#\|^$\|^module = ')" \
    "$(grep -v '^#\|^$' all/share/devid/openssl.cnf)"
assert_equal "nothing in it names the machine that it was built on" "" \
    "$(find all -type f \( -path '*/share/*' -o -path '*/lib/*.d/*' -o -name '*.service' \
        -o -name '*.pc' \) -exec grep -lF -e "$TOP" -e "$BUILD_DIR" {} + || true)"
# As "ninja uninstall" does it, by a list of its own: another test may install now.
cp -a all copy
: >copy/share/devid/mine
find "$WORK/copy" ! -type d ! -name mine >install_manifest.txt
cmake -P "$TOP/cmake/uninstall.cmake" >uninstall.out 2>&1 || fail "$(<uninstall.out)"
assert_equal "it can be taken away again, but for what others put there" \
    share/devid/mine "$(files copy)"
assert_equal "with devid's folders" "$WORK/copy/share/devid" \
    "$(find "$WORK/copy" -name "*devid*")"
assert_fails "which is done once" cmake -P "$TOP/cmake/uninstall.cmake"
assert_contains "as it says" "install_manifest.txt is not there" "$OUTPUT"

say "Recipes of others"
version=$(sed -nE 's/.*DEVID_VERSION "(.*)"/\1/p' "$TOP/engine/devid.h")
bash -n "$TOP/packaging/arch/PKGBUILD" || fail "PKGBUILD is no script"
assert_equal "PKGBUILD is of this version" "$version" \
    "$(sed -n 's/^pkgver=//p' "$TOP/packaging/arch/PKGBUILD")"
recipe=$TOP/packaging/yocto/devid_$version.bb
[[ -e $recipe ]] || fail "there is no $recipe"
assert_contains "Yocto's recipe knows the licence" \
    "$(md5sum <"$TOP/LICENSE" | cut -d ' ' -f 1)" "$(<"$recipe")"
# Each file that it names, by its last part, is one that is installed, or a folder
# of such.
while read -r path; do
    files all | grep -qE "(^|/)$(basename "$path" | sed 's/\*$/.*/')(/|$)" ||
        fail "Yocto's recipe has $path, which is not installed"
done < <(sed -nE 's/^ *(\$\{[a-z_]+\}[^ ]*).*/\1/p' "$recipe" | grep -v sysconfdir)
say "  ok: and names what is installed"

if ! command -v dpkg-shlibdeps >/dev/null; then
    say "  skipped: there is no dpkg-shlibdeps to make packages with"
    exit 0
fi
say "Packages"
prefix=$(sed -n 's/^CMAKE_INSTALL_PREFIX:PATH=//p' "$BUILD_DIR/CMakeCache.txt")
if [[ $prefix != /usr ]]; then
    assert_fails "of a build for $prefix none are made" \
        cpack -G DEB --config "$BUILD_DIR/CPackConfig.cmake" -B "$WORK/debs"
    assert_contains "which is said" "-DCMAKE_INSTALL_PREFIX=/usr" "$OUTPUT"
fi
# Its programs hold the names of other places: it is only looked at.
cpack -G DEB --config "$BUILD_DIR/CPackConfig.cmake" -B "$WORK/debs" \
    -D CPACK_DEVID_PREFIX=/usr -D CPACK_DEBIAN_COMPRESSION_TYPE=none >cpack.log 2>&1 || fail "cpack fails"
# package NAME: fills the directory NAME, and NAME.control with its fields.
package() {
    dpkg-deb -R "$(echo "debs/$1"_*.deb)" "$1"
    dpkg-deb -f "$(echo "debs/$1"_*.deb)" >"$1.control"
}
while read -r name component; do
    package "$name"
    assert_equal "$name holds the files of $component" \
        "$(files "$component" | sed -E '/(^|\/)man\//s/$/.gz/')" \
        "$(files "$name/usr" |
            grep -vE "^share/(doc/$name/(copyright|changelog.Debian.gz|README.Debian)|lintian/overrides/$name)$")"
    [[ -s $name/usr/share/doc/$name/copyright &&
        -s $name/usr/share/doc/$name/changelog.Debian.gz ]] ||
        fail "$name has no copyright, or no changelog"
    grep -q '^Depends: .' "$name.control" || fail "$name depends on nothing"
done <<'EOF'
devid tool
devid-provider provider
devid-station station
devid-dev dev
EOF
version=$(sed -n 's/^Version: //p' devid.control)
for name in devid devid-station; do
    assert_contains "$name needs the provider of its version" \
        "devid-provider (= $version)" "$(grep ^Depends: "$name.control")"
done
assert_equal "the configuration is the administrator's" \
    "/etc/devid/openssl.cnf" "$(<devid-provider/DEBIAN/conffiles)"
# Of libraries in /usr/lib itself, as this build may have them, cpack runs
# ldconfig.
assert_equal "the two that have units have scripts" \
    "$(printf '%s/DEBIAN/postinst\n%s/DEBIAN/postrm\n%s/DEBIAN/prerm\n' \
        devid devid devid devid-station devid-station devid-station | sort | xargs)" \
    "$(find devid*/DEBIAN -name 'p*' -exec grep -L ldconfig {} + | sort | xargs)"
for script in devid*/DEBIAN/p*; do
    sh -n "$script" || fail "$script is no script"
done
