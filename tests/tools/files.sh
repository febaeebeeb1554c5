#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# How files are written: whole, for their owner alone, over nothing else.
#
# Usage: files.sh [--build-dir DIR] [--keep]
source "$(dirname "$0")/common.sh"
harness_dir
cd "$WORK"
mkdir files
start_tpm
start_trace

say "What is there stays"
printf 'precious\n' >files/old
refuses "a file that exists" "files/old exists; choose another name" \
    keygen --out files/old
assert_equal "it is as before" precious "$(<files/old)"
ln -s nowhere files/link
refuses "a symbolic link" "files/link is a symbolic link" \
    keygen --out files/link
refuses "a symbolic link, even with --force" "files/link is a symbolic link" \
    keygen --force --out files/link
[[ ! -e files/nowhere ]] || fail "the link was followed"
refuses "a directory" "files is not an ordinary file" keygen --force --out files
refuses "a device" "/dev/null is not an ordinary file" \
    keygen --force --out /dev/null
refuses "a name that is none" "'files/' is not the name of a file" \
    keygen --out files/
refuses "a directory that is not there" "none/key.pem cannot be written" \
    keygen --out none/key.pem
assert_equal "the TPM was never asked" 0 "$(trace_count)"

say "What is written"
(umask 0 && "$DEVID" keygen --out files/open)
assert_equal "is its owner's alone, whatever the umask" 600 \
    "$(stat -c %a files/open)"
(umask 777 && "$DEVID" keygen --out files/closed)
assert_equal "and its owner's at least" 600 "$(stat -c %a files/closed)"
inode=$(stat -c %i files/old)
succeeds "--force overwrites" keygen --force --out files/old
assert_contains "with a key" "TSS2 PRIVATE KEY" "$(<files/old)"
[[ $(stat -c %i files/old) != "$inode" ]] ||
    fail "a file was written in place, so a reader could see half of it"
succeeds "a request" csr --key files/old --subject /CN=x --out files/x.csr
refuses "a request over a file" "files/x.csr exists" \
    csr --key files/old --subject /CN=x --out files/x.csr
assert_equal "no other file is left" "closed link old open x.csr" \
    "$(files_in files)"

say "Standard output"
succeeds "a key on standard output" keygen --out -
assert_equal "is nothing but PEM" "-----BEGIN TSS2 PRIVATE KEY-----" \
    "$(head -n 1 <<<"$OUTPUT")"
if "$DEVID" keygen --out - >/dev/full 2>errors; then
    fail "keygen was content with a full disk"
fi
assert_contains "a full one is an error" "standard output cannot be written" \
    "$(<errors)"

say "A file that appears while the key is being made"
# The TPM is stopped, so the tool has looked at the directory and waits.
trace_reset
kill -STOP "$TPM_PID"
"$DEVID" keygen --out files/race 2>errors &
racer=$!
waiting() {
    awk -v port="$(printf ':%04X' "${DEVID_TCTI##*=}")" \
        '$3 ~ port "$" && $4 == "01" { there = 1 } END { exit !there }' \
        /proc/net/tcp
}
await "devid to wait for the TPM" "$racer" waiting
printf 'mine\n' >files/race
kill -CONT "$TPM_PID"
status=0
wait "$racer" || status=$?
assert_equal "it stays" mine "$(<files/race)"
assert_equal "the key's maker is told" \
    "devid: files/race cannot be written: File exists" "$(<errors)"
assert_equal "by the exit code too" 1 "$status"
assert_equal "no other file is left" "closed link old open race x.csr" \
    "$(files_in files)"
