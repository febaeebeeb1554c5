#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Takes devid's packages away by README's line, and looks that nothing of them is
# left but identities, and the user who owns a station's. Run by swtpm-ci/packages
# and swtpm-ci/newcomer in a chroot of its own, as root.
#
# Usage: removed.sh
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
names=(devid devid-provider devid-station devid-dev)
line=$(grep -E '^apt-get (purge|remove) ' "$top/README.md")

files=$(dpkg -L "${names[@]}" | sort -u)
user=$(getent passwd devid-station || true)
echo "$line"
bash -euc "$line" </dev/null
left=$(while read -r path; do
    [[ ! -e $path || -d $path ]] || echo "$path"
done <<<"$files")
# What apt, man and the tree itself have is not the packages'.
left+=$(find / -xdev \( -path "$top" -o -path /srv -o -path /var/lib/devid \
    -o -path /var/lib/devid-station \) -prune -o -name '*devid*' -print |
    grep -vE '^/var/(log/apt|cache/man)/|^/etc/apt/' || true)
if [[ $left ]]; then
    echo "FAIL: behind \"$line\" this is left: $left" >&2
    exit 1
fi
echo "nothing is left but identities:"
for folder in /var/lib/devid /var/lib/devid-station; do
    [[ ! -e $folder ]] || find "$folder" -maxdepth 2 | sort
done
if [[ $user ]]; then
    getent passwd devid-station
fi
