# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# The page that bench/all writes, docs/benchmarks.md: the tables and plots of the
# parts that were measured, with what they mean; and README.md's table.

README=$TOP/README.md

# figures PROGRAM NAME=VALUE: one of the awk programs on all systems' results.
figures() {
    awk -f "$TOP/bench/figures.awk" -f "$TOP/bench/$1.awk" -v "$2" \
        "${FILES[@]}"
}

table() {
    figures tables "table=$1"
}

# measured KEY: whether a part with such keys was.
measured() {
    grep -q "^$1/" "${FILES[@]}"
}

# plot NAME [WIDTH]: draw it as benchmarks-NAME.svg; print the page's line for it.
plot() {
    local file=benchmarks-$1.svg
    [[ $PLOTS ]] || return 0
    {
        printf 'set terminal svg size %d,460 background "white" %s\n' \
            "${2:-900}" 'font "sans-serif,13"'
        printf 'set output "%s"\n' "$OUTPUT/$file"
        cat "$TOP/bench/style.gp"
        figures plots "plot=$1"
    } >"$WORK/$1.gp"
    gnuplot "$WORK/$1.gp" 2>"$WORK/gnuplot.out" || {
        progress "the plot $1 is left out: $(head -n 3 "$WORK/gnuplot.out")"
        return 0
    }
    printf '\n![%s](%s)\n' "$1" "$file"
}

# told FILE NAME: a fact of a system.
told() {
    sed -n "s/^$2\t//p" "$1"
}

page_head() {
    local file
    cat <<END
# Benchmarks

\`bench/all\` measured devid and what else gives OpenSSL keys of a TPM or of a
PKCS#11 token, one after the other on one machine, and wrote this page.

| system | when | machine | software | a rate |
|---|---|---|---|---|
END
    for file in "$RESULTS_DIR"/*/facts; do
        echo "| $(told "$file" name) | $(told "$file" when) |" \
            "$(told "$file" machine) | $(told "$file" software) |" \
            "$(told "$file" took) |"
    done
    cat <<END

A figure is the median of what was measured; a ratio that of each round's, whose
figures were taken side by side. Rates are of seconds of load on a machine whose
cores client, server and device share; other programs
$(table others).
CPU time is disturbed less than rates are. *fails*: the program did not do it.

- *persistent*: the key is at a persistent handle of the TPM. *blob*: it is in its
  file, and devid loads it for each signature and flushes it after, because a TPM
  with nothing before it has three slots for everybody. tpm2-openssl has the same
  blob, and keeps it loaded, in the configuration that asks least of the TPM.
- The TPM is swtpm, a program, which signs a hundred times faster than a chip; what
  a slow one makes of it is in [A slow TPM](#a-slow-tpm). The token is SoftHSM's;
  all have the same key on it.
END
}

page_counts() {
    cat <<END

## TPM commands and C_* calls

What reaches the TPM, or the token's module, with a P-256 key. They do not depend
on how fast the machine is; a chip takes some 10 to 100 ms for each.

$(table counts)

nginx's start is its master's; a worker loads the key when it is first asked.

$(table which)
END
}

page_handshakes() {
    cat <<END

## TLS handshakes at nginx
$(plot handshakes)

$(table tls)

A handshake is a TCP connection, a full TLS 1.3 handshake with X25519, one request
and its answer; no client certificate, no resumption. Handshakes a second are with
the most clients. *Of the device*: against the signatures a second that the least
program gets from the same TPM or token, as many at a time as nginx has workers;
for a blob with ContextLoad and FlushContext. *Of software*: against the same
nginx with a key in a file. CPU time is for each handshake.
END
}

page_curl() {
    cat <<END

## Cold start: one curl
$(plot curl 700)

$(table curl)

From the program's start to its end, with mutual TLS: nothing is loaded before.
END
}

page_threads() {
    cat <<END

## Threads of one process
$(plot threads)

$(table threads)

EVP_DigestSign with one key in all threads, signatures a second, as libssl calls
it. *Bare* is TPM2_Sign or C_Sign by the least program, as many at a time.
END
}

page_checks() {
    cat <<END

## Checked signatures

$(table checks)

One signature, and the same under \`check-signatures = always\`, which verifies it in
software before it leaves the process: the process's own CPU time, and the rate of
always against auto. By auto, RSA signatures are checked, and those of an EC key in
a file where no resource manager keeps other clients apart, as here.
END
}

page_delay() {
    cat <<END

## A slow TPM
$(plot delay)

$(table delay)

Before swtpm stands a proxy that holds each command back for so many ms, as a chip
does. nginx's start is \`nginx -t\`.
END
}

page_keys() {
    cat <<END

## Many keys

How long \`nginx -t\` takes with so many P-256 keys, each with a certificate:
$(plot keys 700)

$(table start)

Memory (PSS: what processes share is divided among them) of nginx's master and of
its one worker with one key, after a handshake; and what each further key takes of
both:

$(table memory)
END
}

page_large() {
    cat <<END

## A large token

C_* calls and time of a curl, and of \`openssl pkey\` that finds the key by a URI with
its label, on a token with that key alone and on one with 2,000 other private keys
beside it; in brackets what of it is CPU time:

$(table large)
END
}

page_end() {
    cat <<'END'

## Again

```sh
swtpm-ci/install && swtpm-ci/install --bench
bench/all
```

It builds devid, optimized, in `build-bench`. `--suite trixie` measures on Debian 13
as well, in a chroot; `--only` takes some parts, `--quick` shows in some minutes
that all runs. Nothing else should run meanwhile: a rate beside which other
programs took more than 5 % of the cores is measured once more, and the less
disturbed counts.
END
}

write_page() {
    local part
    page_head
    ! measured counts || page_counts
    ! measured tls || page_handshakes
    for part in curl threads checks delay keys large; do
        ! measured "$part" || "page_$part"
    done
    page_end
}

# write_readme: put the short table between README.md's two comments.
write_readme() {
    local begin='<!-- bench/all writes this -->' end='<!-- to here -->'
    grep -qxF "$begin" "$README" || {
        progress "README.md has no line \"$begin\": it stays as it is"
        return
    }
    figures readme x= >"$WORK/readme.table"
    awk -v begin="$begin" -v end="$end" -v table="$WORK/readme.table" '
        $0 == end { inside = 0 }
        !inside { print }
        $0 == begin {
            inside = 1
            while ((getline line < table) > 0)
                print line
        }' "$README" >"$WORK/README.md"
    cat "$WORK/README.md" >"$README"
    progress "Written: the table of README.md"
}

# write_report: of all systems that have results.
write_report() {
    shopt -s nullglob
    FILES=("$RESULTS_DIR"/*/*.tsv)
    ((${#FILES[@]})) || fail "there are no results in $RESULTS_DIR"
    PLOTS=1
    command -v gnuplot >/dev/null || {
        PLOTS=''
        progress "gnuplot is not installed: no plots; swtpm-ci/install --bench"
    }
    mkdir -p "$OUTPUT"
    write_page >"$WORK/benchmarks.md"
    cat "$WORK/benchmarks.md" >"$OUTPUT/benchmarks.md"
    progress "Written: $OUTPUT/benchmarks.md"
    [[ $OUTPUT != "$TOP/docs" ]] || write_readme
}
