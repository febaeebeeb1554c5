# SPDX-License-Identifier: Apache-2.0
#
# The tables of bench/token's page; read after figures.awk, whose functions they
# use. Of the kinds of keys "token" and "copied" are devid's.

function shown(kind) {
    return kind == "token" ? "devid" : kind == "copied" ? "devid, copied" : kind
}

function cpu(key) {
    return median(key, "own_cpu_us")
}

# What SoftHSM takes for a signature beyond what OpenSSL takes, and what
# EVP_DigestSign has around a signature.
function excess(alg) {
    return cpu("bare/" alg "/1") - cpu("plain/" alg)
}

function around(alg) {
    return cpu("evp/" alg "/software/1") - cpu("plain/" alg)
}

function signature_row(alg, ours) {
    ours = cpu("evp/" alg "/token/1") - cpu("bare/" alg "/1") - around(alg)
    print "| " alg " | " number(cpu("plain/" alg)) " | " \
        number(cpu("bare/" alg "/1")) " | " \
        number(cpu("evp/" alg "/software/1")) " | " \
        number(cpu("evp/" alg "/token/1")) " | " number(ours) " |"
}

function token_handshake_row(alg, kind, workers, ours, soft, base, most, had) {
    ours = "nginx/" alg "/" kind "/" workers
    soft = "nginx/" alg "/software/" workers
    if (n[ours, "rate"] == 0)
        return
    base = median(soft, "nginx_cpu_us")
    most = base / (base + excess(alg))
    had = base / median(ours, "nginx_cpu_us")
    print "| " alg " | " workers " | " shown(kind) " | " \
        number(median(ours, "rate")) " | " number(median(soft, "rate")) " | " \
        ratio(ours, soft) " | " number(median(ours, "nginx_cpu_us")) " | " \
        number(base) " | " sprintf("%.2f | %.2f | %.2f |", had, most, had / most)
}

function first_row(alg, kind, key) {
    key = "first/" alg "/" kind
    if (n[key, "first_ms"] > 0)
        print "| " alg " | " shown(kind) " | " number(median(key, "first_ms")) \
            " | " number(median(key, "next_ms")) " |"
}

function threads_row(alg, kind, ours, bare) {
    ours = "evp/" alg "/" kind "/16"
    bare = "bare/" alg "/16"
    if (n[ours, "rate"] > 0)
        print "| " alg " | " shown(kind) " | " number(median(ours, "rate")) \
            " | " number(median(bare, "rate")) " | " ratio(ours, bare) " | " \
            number(cpu(ours)) " | " number(cpu(bare)) " | " \
            sprintf("%.2f | %.2f |", cpu(bare) / cpu(ours), \
                    cpu(bare) / (cpu(bare) + around(alg)))
}

function token_rows(row, kinds, workers, a, k, w, algs, list) {
    split("ec-p256 rsa-2048", algs, " ")
    for (a = 1; a <= 2; a++)
        for (w = 1; w <= workers; w++)
            for (k = 1; k <= split(kinds, list, " "); k++) {
                if (row == "signature") signature_row(algs[a])
                if (row == "handshake")
                    token_handshake_row(algs[a], list[k], w)
                if (row == "first") first_row(algs[a], list[k])
                if (row == "threads") threads_row(algs[a], list[k])
            }
}

END {
    if (table == "token-signature") {
        head("| key | OpenSSL's own, CPU µs | C_Sign, CPU µs | " \
             "EVP_DigestSign, software, CPU µs | EVP_DigestSign, devid, CPU µs " \
             "| devid's part, CPU µs |")
        token_rows("signature", "token", 1)
    } else if (table == "token-handshakes") {
        head("| key | workers | with | handshakes/s | in software | ratio | " \
             "nginx, CPU µs | in software | ratio by CPU | at most | " \
             "part of it |")
        token_rows("handshake", "token copied pkcs11-provider", 2)
    } else if (table == "token-first") {
        head("| key | with | first, ms | second, ms |")
        token_rows("first", "software token copied pkcs11-provider", 1)
    } else if (table == "token-threads") {
        head("| key | with | signatures/s | bare C_Sign/s | ratio | CPU µs | " \
             "bare, CPU µs | ratio by CPU | at most |")
        token_rows("threads", "token copied pkcs11-provider", 1)
    }
}
