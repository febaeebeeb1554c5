#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# On a machine where devid's packages are installed: nginx, curl and a station
# work by README's lines. Run by swtpm-ci/packages in a chroot of its own, as root:
# it writes into /etc, /var/lib and root's home.
#
# Usage: installed.sh
source "$(dirname "$0")/../../swtpm-ci/lib.sh"
harness_options "$@"
((EUID == 0)) || fail "this is for root of a system that may be thrown away"
[[ $(command -v devid) == /usr/bin/devid ]] || fail "devid is not installed"
harness_dir
cd "$WORK"

# readme HEADLINE: the lines for a shell in that section of README.md.
readme() {
    # shellcheck disable=SC2016
    sed -n "/^## $1\$/,/^## /p" "$TOP/README.md" |
        sed -n '/^```sh$/,/^```$/{/^```/!p}'
}

say "What is there"
assert_contains "the tool has its version" "devid 0." "$(devid --version)"
for page in devid devid-keygen devid-provider devid-station; do
    man "$page" >page.txt 2>man.err || fail "man $page: $(<man.err)"
done
say "  ok: and its manuals"

assert_contains "bash completes it" devid \
    "$(ls /usr/share/bash-completion/completions)"

say "A key, a certificate, nginx, curl"
start_vendor_tpm
mkdir -p /var/lib/devid/unit
make_ca ca
cd /var/lib/devid/unit
cp "$WORK/ca/ca.pem" ca.pem
lines=$(readme "A key, a certificate, nginx, curl")
bash -euc "$(grep '^devid ' <<<"$lines" | grep -v '^devid conf')"
sign_csr unit.csr cert.pem both
# Under systemd the unit says so.
export OPENSSL_CONF=/etc/devid/openssl.cnf
NGINX_PORT=$(free_port)
devid conf nginx --ca ca.pem | sed "s/listen 8443/listen 127.0.0.1:$NGINX_PORT/" \
    >/etc/nginx/conf.d/unit.conf
sed -i '1i env DEVID_TCTI;' /etc/nginx/nginx.conf
spawn nginx nginx -g 'daemon off;'
nginx=$SPAWNED
await_port "$nginx" "$NGINX_PORT" || fail "nginx does not start"
# README's line says neither the port nor where this machine is.
printf '%s\n' "connect-to = unit-0001.local:443:127.0.0.1:$NGINX_PORT" \
    silent show-error >"$HOME/.curlrc"
answer=$(bash -euc "$(sed -n '/^OPENSSL_CONF=/,$p' <<<"$lines")")
assert_equal "curl and nginx prove to each other who they are" \
    "TLSv1.3 SUCCESS CN=unit-0001,O=Acme" "$answer"
halt "$nginx"
rm /etc/nginx/conf.d/unit.conf "$HOME/.curlrc"
unset OPENSSL_CONF

say "A station"
port=$(free_port)
as_station=(setpriv --reuid devid-station --regid devid-station --clear-groups
    env -u DEVID_TCTI -u TPM2TOOLS_TCTI HOME=/var/lib/devid-station)
cd /var/lib/devid-station
"${as_station[@]}" devid-station init --name line-1 --host localhost --port "$port" \
    >"$WORK/init.log"
"${as_station[@]}" cp /dev/stdin vendors/vendor.pem <"$WORK/vendor-ca/cert.pem"
"${as_station[@]}" cp /dev/stdin vendors/root.pem \
    <"$WORK/vendor-ca/swtpm-localca-rootca-cert.pem"
"${as_station[@]}" devid-station batch open --name spring --product Gate --count 1 \
    --token-out spring.token >>"$WORK/init.log"
cd "$WORK"
spawn station "${as_station[@]}" devid-station serve
await "the station" "$SPAWNED" grep -qs '"listening"' station.log
devid provision --station "https://localhost:$port" --serial SN123 --model Gate \
    --ca /var/lib/devid-station/ca.pem \
    --token-source file:/var/lib/devid-station/spring.token >provision.log
assert_contains "it gives the device its identity" SN123 \
    "$(openssl x509 -in /var/lib/devid/idevid/cert.pem -noout -subject)"
halt "$SPAWNED"
