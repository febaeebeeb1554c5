# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# The page that bench/run writes: its figures, with what they mean.

# versions: print what ran, by commas.
versions() {
    local libtpms peer_version
    libtpms=$(package_version libtpms0)
    peer_version=$(package_version tpm2-openssl)
    printf 'devid %s, OpenSSL %s, tpm2-tss %s, swtpm %s%s, nginx %s%s\n' \
        "$(first_version "$BUILD_DIR/tools/devid" --version)" \
        "$(first_version openssl version)" \
        "$(first_version pkg-config --modversion tss2-esys)" \
        "$(first_version swtpm --version)" "${libtpms:+, libtpms $libtpms}" \
        "$(first_version nginx -v)" \
        "${peer:+, tpm2-openssl ${peer_version:-of unknown version}}"
}

page_head() {
    cat <<EOF
# Benchmarks

\`bench/run --seconds $SECONDS_EACH --rounds $ROUNDS\` wrote this page.

| | |
|---|---|
| when | $(date -u +%F) |
| machine | $(machine) |
| software | $(versions) |
| build | $(sed -n 's/^CMAKE_BUILD_TYPE:[A-Z]*=//p' "$BUILD_DIR/CMakeCache.txt") |
| other programs | $(table others) |

A figure is the median of $ROUNDS rounds, $SECONDS_EACH seconds each; the lowest
and the highest stand beside it. A ratio is the median of each round's: what is
compared was measured one after the other.

The TPM is swtpm, a program on the same machine, which signs a hundred times
faster than a chip. So the first tables show what everything around a TPM
costs; what a chip leaves of that is in the table
[At a chip's pace](#at-a-chips-pace).
EOF
}

page_handshakes() {
    cat <<EOF

## TLS handshakes at nginx

$(table handshakes)

A handshake is a TCP connection, a full TLS 1.3 handshake with X25519, one
request and its answer; no client certificate, no resumption. The client keeps
16 connections under way.

- *persistent*: the key is at a persistent handle of the TPM. *blob*: it is in
  its file, and is loaded for each signature and flushed after it, because this
  TPM has no resource manager before it.
- *of raw TPM2_Sign*: against the signatures a second that the least program
  gets from the same TPM, with as many clients as nginx has workers; for a blob
  with ContextLoad and FlushContext.
- *of a software key*: against the same nginx with a key of that kind in a file.
- *of tpm2-openssl*: against the same nginx with that provider and the same
  blob, which it keeps loaded, in the configuration that sends the TPM fewest
  commands. It offers nginx no persistent keys, so both rows have its blob.

### What was possible

$(table bounds)

The plain ratio is against a TPM that has the machine for itself. In a handshake
two things stand in its way, whatever the provider does. A worker waits for its
signature, so with one worker the TPM stands idle while nginx computes. And
client, nginx and swtpm share $(nproc) cores. *At most possible* is the lowest
of three rates: the TPM's own; all workers at work all the time, each handshake
taking nginx's CPU time with a software P-256 key and the TPM's time for one
signature; all cores at work all the time, with the client's and swtpm's CPU
time added.

*TPM2_Sign/s beside TLS* was measured: what the least program still gets from
the TPM while nginx, with a software P-256 key, does as many handshakes a second
as it did with devid. No worker waits there, so with one worker it can be more
than is possible in a handshake.

### Who was busy

CPU time for each handshake, and how much of all cores that was:

$(table cpu)
EOF
}

page_chip() {
    cat <<EOF

## At a chip's pace

The same with a proxy before swtpm that holds each TPM2_Sign back for $CHIP_MS ms,
as a chip does, and longer; ec-p256:

$(table chip)
EOF
}

page_signatures() {
    cat <<EOF

## One signature

What the TPM takes by itself, by the least program over ESYS:

$(table raw)

EVP_DigestSign through the provider, in one thread, called as libssl calls it.
The difference is all of devid, with OpenSSL's part and the hash:

$(table overhead)

## TPM commands for each handshake

At nginx with one worker, counted by the harness's proxy in a run of its own:

| key | where | commands | which | in a worker's first handshake |
|---|---|---|---|---|
$(<"$COMMANDS")
EOF
}

page_end() {
    cat <<'EOF'

## Again

```sh
cmake -G Ninja -B build -DCMAKE_BUILD_TYPE=Release -DDEVID_BENCH=ON
ninja -C build
bench/run --output docs/benchmarks.md
```

Nothing else should run meanwhile. A measurement in which other programs took
more than 5 % of the cores is repeated, three times at most; the least disturbed
counts.
EOF
}

# write_page: print it.
write_page() {
    page_head
    page_handshakes
    page_chip
    page_signatures
    page_end
}
