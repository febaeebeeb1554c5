# SPDX-License-Identifier: Apache-2.0
#
# The short table of README.md, of what bench/all measured; after figures.awk. A
# cell is of the last system that has such a provider and was asked for that part.

function system_of(kind, part, s) {
    for (s = systems; s >= 1; s--)
        if (present(SYSTEMS[s], kind) && \
            (part == "" || (SYSTEMS[s], part) in asked))
            return SYSTEMS[s]
    return ""
}

# A row: `what`, and for each column its cell, "-" where it has no sense, or where
# no system was asked.
function row(part, what, how, c, line, sys) {
    line = "| " what
    for (c = 1; c <= columns; c++) {
        sys = system_of(COLUMN[c], part)
        line = line " | " (sys == "" ? "-" : value(how, sys, COLUMN[c]))
    }
    print line " |"
}

function on_tpm(kind) {
    return kind == "persistent" || kind == "blob" || kind == "tpm2-openssl"
}

# kB that the most keys take more than one, for each.
function key_kb(sys, kind, most, few, many) {
    most = list["keys3", length_of["keys3"]]
    few = "keys/" kind "/1"
    many = "keys/" kind "/" most
    if (!has(sys, many, "worker_kb") || most < 2)
        return "fails"
    return sprintf("%.0f", \
        (median(sys, many, "worker_kb") + median(sys, many, "master_kb") - \
         median(sys, few, "worker_kb") - median(sys, few, "master_kb")) / \
        (most - 1))
}

function tls(sys, kind, alg, key, most, base) {
    most = "/2/" list["tls5", length_of["tls5"]]
    key = "tls/" alg "/" kind most
    base = "tls/" alg "/software" most
    return has(sys, key, "rate") ? ratio(sys, key, base, "rate") : "fails"
}

function value(how, sys, kind, slow) {
    if (how == "handshake")
        return whole(sys, "counts/ec-p256/" kind "/next", "calls")
    if (how == "start")
        return whole(sys, "counts/ec-p256/" kind "/start", "calls")
    if (how == "curl")
        return whole(sys, "counts/ec-p256/" kind "/curl", "calls")
    if (how == "ec" || how == "rsa")
        return tls(sys, kind, how == "ec" ? "ec-p256" : "rsa-2048")
    if (how == "ms")
        return whole(sys, "curl/ec-p256/" kind, "ms")
    if (how == "keys" || how == "memory") {
        if (kind == "persistent")
            return "-"
        return how == "memory" ? key_kb(sys, kind) : \
            whole(sys, "keys/" kind "/" list["keys3", length_of["keys3"]], "ms")
    }
    if (!on_tpm(kind))
        return how == "large" ? whole(sys, "large/" kind "/many/uri", "calls") : "-"
    slow = "delay/" kind "/" list["delay3", 3] "/next"
    return how == "slow" ? whole(sys, slow, "ms") : "-"
}

function measured(part) {
    return length_of[part 1] > 0
}

function table_of(text, c) {
    print text
    for (c = 0; c <= columns; c++)
        printf "|---"
    print "|"
    if (measured("counts")) {
        row("counts", "device calls: nginx's start", "start")
        row("counts", "each handshake there", "handshake")
        row("counts", "a whole curl", "curl")
    }
    if (measured("tls"))
        row("tls", "EC handshakes at nginx, of a software key's", "ec")
    if (("tls2", "rsa-2048") in seen)
        row("tls", "RSA handshakes, of a software key's", "rsa")
    if (measured("curl"))
        row("curl", "a whole curl, ms", "ms")
    if (measured("keys")) {
        row("keys", "nginx's start with " list["keys3", length_of["keys3"]] \
            " keys, ms", "keys")
        row("keys", "memory of each of those, kB", "memory")
    }
    if (measured("delay") && length_of["delay3"] > 2)
        row("delay", "a handshake where the TPM takes " list["delay3", 3] \
            " ms a command, ms", "slow")
    if (measured("large"))
        row("large", "calls to find a key among 2,000", "large")
}

END {
    count = split("persistent blob tpm2-openssl token pkcs11-provider libp11",
                  kinds, " ")
    text = "| |"
    for (i = 1; i <= count; i++) {
        if (system_of(kinds[i], "") == "")
            continue
        COLUMN[++columns] = kinds[i]
        text = text " " LABEL[kinds[i]] " |"
    }
    table_of(text)
}
