#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What a running program shows of its secrets: none on its command line, in its
# environment or in a core file, and none in memory that could be swapped out.
# And what the programs make is its owner's alone, whatever the umask is.
#
# Usage: hardening.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
STATION=$BUILD_DIR/tools/devid-station
SO_PIN=so-pin-of-the-officer
harness_dir
cd "$WORK" || exit
start_softhsm
umask 000

# Whether a process may be dumped decides whether others of its user may look
# into it; root may either way.
AS=()
if ((EUID == 0)); then
    AS=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    chmod 755 "$WORK"
    "${AS[@]}" test -x "$WORK" -a -x "$STATION" 2>/dev/null || AS=()
fi

# assert_no_core WHAT PID: its limit is 0, and it is not dumpable: not by a helper
# of the kernel's, nor by a debugger of the same user.
assert_no_core() {
    assert_equal "$1: the size of its core file" "0 0" \
        "$(awk '/^Max core file size/ { print $5, $6 }' "/proc/$2/limits")"
    if ((EUID == 0 && ${#AS[@]} == 0)); then
        say "  skipped: nobody but root may enter $WORK"
        return
    fi
    assert_equal "$1: others of its user may not look into it" "closed" "$(
        "${AS[@]}" head -c 1 "/proc/$2/environ" >/dev/null 2>&1 || echo closed
    )"
}

# assert_umask WHAT PID
assert_umask() {
    assert_equal "$1: its umask" 0077 \
        "$(awk '/^Umask:/ { print $2 }' "/proc/$2/status")"
}

# holds FILE TEXT: has it that text in it? Sets nothing.
holds() {
    grep -qaF -- "$2" "$1"
}

# waits_for_pin PID: the tool has read the first PIN and waits for the second:
# each has a locked page.
waits_for_pin() {
    [[ $(awk '/^VmLck:/ { print $2 }' "/proc/$1/status") -ge 8 ]]
}

# memory_with PID TEXT: the flags of each mapping that has it.
memory_with() {
    python3 - "$@" <<'END'
import re, sys
pid, text = sys.argv[1], sys.argv[2].encode()
found, area = [], None
with open(f"/proc/{pid}/smaps") as maps, open(f"/proc/{pid}/mem", "rb") as mem:
    for line in maps:
        start = re.match(r"([0-9a-f]+)-([0-9a-f]+) (r)?", line)
        if start:
            area = start
        elif line.startswith("VmFlags:") and area.group(3):
            try:
                mem.seek(int(area.group(1), 16))
                data = mem.read(int(area.group(2), 16) - mem.tell())
            except (OSError, OverflowError, ValueError):
                continue  # [vvar]
            if text in data:
                flags = line.split()[1:]
                found.append(" ".join(f for f in ("lo", "dd") if f in flags)
                             or "plain")
print(",".join(found))
END
}

say "A tool that has a PIN, and waits for another"
mkfifo -m 666 pipe
printf '%s\n' "$SO_PIN" >so.pin
chmod 644 so.pin
exec 3<>pipe
spawn tool "${AS[@]}" "$DEVID" token init --label hard \
    --so-pin-source "file:$WORK/so.pin" --pin-source "file:$WORK/pipe"
tool=$SPAWNED
((64 <= $(ulimit -l | sed 's/unlimited/64/'))) ||
    fail "a user may lock $(ulimit -l) kB: too little for this test"
await "the tool at its second PIN" "$tool" waits_for_pin "$tool"
assert_no_core "devid" "$tool"
assert_umask "devid" "$tool"
for part in cmdline environ; do
    ! holds "/proc/$tool/$part" "$SO_PIN" 2>/dev/null ||
        fail "the PIN stands in /proc/PID/$part"
done
holds "/proc/$tool/cmdline" pin-source || fail "that was not the tool"
say "  ok: the PIN is neither on its command line nor in its environment"
if ((EUID == 0)); then
    assert_equal "the PIN is in locked memory, kept out of dumps, alone" \
        "lo dd" "$(memory_with "$tool" "$SO_PIN")"
else
    say "  skipped: only root may look into its memory"
fi
exec 3>&-
halt "$tool" KILL

say "A station that serves"
# shellcheck disable=SC2119
port=$(free_port)
"$STATION" init --dir "$WORK/line" --name line-1 --host localhost \
    --port "$port" >init.out
sed -i -e '/^address = /d' -e 's/^\[server\]/&\naddress = 127.0.0.1/' \
    line/station.conf
printf '%s\n' token-of-the-spring >batch.token
"$STATION" batch open --dir "$WORK/line" --name spring --product Gate \
    --count 1 --token-source "file:$WORK/batch.token"
"$STATION" batch open --dir "$WORK/line" --name summer --product Gate \
    --count 1 --token-out "$WORK/summer.token"
((${#AS[@]} == 0)) || chown -R 65534:65534 line
spawn station "${AS[@]}" "$STATION" serve --dir "$WORK/line"
station=$SPAWNED
await_port "$station" "$port" || fail "$(<station.log)"
assert_no_core "the station" "$station"
assert_umask "the station" "$station"
curl --silent --cacert line/ca.pem --resolve "localhost:$port:127.0.0.1" \
    "https://localhost:$port/" >/dev/null || true
assert_equal "its folder, the ledger's logs too, is nobody else's" "" \
    "$(find line -not -type l -perm /077)"
if ((${#AS[@]} > 0)); then
    stranger=(setpriv --reuid 65533 --regid 65533 --clear-groups)
    while IFS= read -r -d '' file; do
        ! "${stranger[@]}" head -c 1 "$file" >/dev/null 2>&1 ||
            fail "another user reads $file"
    done < <(find line -type f -print0)
    assert_equal "and another user reads nothing of it" "" \
        "$("${stranger[@]}" ls line 2>/dev/null)"
    "${AS[@]}" head -c 1 line/station.conf >/dev/null ||
        fail "its own does not read it either"
fi
halt "$station"

say "What the tools make under a umask of 0"
assert_equal "a batch's token" 600 "$(stat -c %a summer.token)"
printf '%s\n' user-pin >user.pin
"$DEVID" token init --label hard --so-pin-source "file:$WORK/so.pin" \
    --pin-source "file:$WORK/user.pin"
uri="pkcs11:token=hard?pin-source=file:$WORK/user.pin"
"$DEVID" keygen --device "$uri" --out token.key
"$DEVID" csr --key token.key --subject /CN=x --out token.csr
assert_equal "a key's file and its request" "600 600" \
    "$(stat -c %a token.key token.csr | xargs)"
plain_openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout ca.key -subj /CN=CA -out ca.pem 2>/dev/null

say "What others are to enter is made as the user's umask has it"
for mask in 022 027; do
    (umask $mask && "$DEVID" trust add --file "made-$mask/list" --ca ca.pem) \
        >/dev/null
done
assert_equal "a folder that was not there" "755 750" \
    "$(stat -c %a made-022 made-027 | xargs)"
