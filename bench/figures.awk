# SPDX-License-Identifier: Apache-2.0
#
# The figures of bench/all, for tables.awk, plots.awk and readme.awk, which are
# read after it: awk -f figures.awk -f tables.awk -v table=NAME SYSTEM/PART.tsv...
#
# A file has lines "KEY METRIC VALUE", one for each round, in order. A figure is
# the median of the rounds; a ratio that of each round's, as what is compared was
# measured side by side. Which algorithms, workers and others there are, the
# results say.

BEGIN {
    FS = OFS = "\t"
    split("software persistent blob tpm2-openssl token pkcs11-provider libp11",
          KINDS, " ")
    split("software;devid, TPM, persistent;devid, TPM, blob;tpm2-openssl;" \
          "devid, token;pkcs11-provider;libp11", labels, ";")
    for (i = 1; i <= 7; i++)
        LABEL[KINDS[i]] = labels[i]
    LABEL["bare-tpm"] = "bare TPM2_Sign"
    LABEL["bare-token"] = "bare C_Sign"
}

FNR == 1 {
    sys = FILENAME
    sub(/\/[^\/]*$/, "", sys)
    sub(/.*\//, "", sys)
    if (!(sys in known))
        SYSTEMS[++systems] = sys
    known[sys] = 1
}

{
    v[sys, $1, $2, ++n[sys, $1, $2]] = $3
    depth = split($1, part, "/")
    for (i = 1; i <= depth; i++)
        note(part[1] i, part[i])
    asked[sys, part[1]] = 1
    if ($2 == "others_pct")
        others[++others_count] = $3
}

# Values of one place in the keys, in the order in which they came.
function note(place, value) {
    if (!((place, value) in seen)) {
        seen[place, value] = 1
        list[place, ++length_of[place]] = value
    }
}

# The values x[1] to x[count], sorted; returns the median.
function median_of(x, count, i, j, y) {
    for (i = 2; i <= count; i++) {
        y = x[i] + 0
        for (j = i; j > 1 && x[j - 1] + 0 > y; j--)
            x[j] = x[j - 1]
        x[j] = y
    }
    return count % 2 ? x[(count + 1) / 2] : (x[count / 2] + x[count / 2 + 1]) / 2
}

function has(sys, key, metric) {
    return n[sys, key, metric] > 0
}

function median(sys, key, metric, x, i) {
    for (i = 1; i <= n[sys, key, metric]; i++)
        x[i] = v[sys, key, metric, i]
    return median_of(x, n[sys, key, metric])
}

function number(x) {
    return sprintf(x < 100 && x > -100 ? "%.1f" : "%.0f", x)
}

# The median, or "fails" where there is nothing.
function cell(sys, key, metric) {
    return has(sys, key, metric) ? number(median(sys, key, metric)) : "fails"
}

function whole(sys, key, metric) {
    return has(sys, key, metric) ? \
        sprintf("%.0f", median(sys, key, metric)) : "fails"
}

# a / b of a metric, round by round.
function ratio(sys, a, b, metric, x, count, i) {
    for (i = 1; i <= n[sys, a, metric] && i <= n[sys, b, metric]; i++)
        if (v[sys, b, metric, i] > 0)
            x[++count] = v[sys, a, metric, i] / v[sys, b, metric, i]
    return count ? sprintf("%.2f", median_of(x, count)) : "-"
}

function is_peer(kind) {
    return kind == "tpm2-openssl" || kind == "pkcs11-provider" || \
        kind == "libp11"
}

# Whether a kind was there at all, and so fails where it has no result.
function present(sys, kind) {
    return !is_peer(kind) || has(sys, "present/" kind, "yes")
}

# What to hold a kind against: the device by itself.
function bare_of(kind) {
    if (kind == "software")
        return ""
    if (kind == "persistent")
        return kind
    return kind == "blob" || kind == "tpm2-openssl" ? "blob" : "token"
}

# debian-12 as people write it.
function named(sys) {
    sub(/^debian-/, "Debian ", sys)
    return sys
}
