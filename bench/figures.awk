# SPDX-License-Identifier: Apache-2.0
#
# The tables of bench/run's page.
#
# Usage: awk -f figures.awk -v table=NAME -v cores=N RESULTS
#
# RESULTS has lines "KEY METRIC VALUE", one for each round, in order. A figure
# is the median of the rounds; beside it stand the lowest and the highest. A
# ratio is the median of the rounds' ratios, as what is compared was measured
# side by side.

{
    v[$1, $2, ++n[$1, $2]] = $3
}

# The values of one name, sorted, as s[1] to s[count]; returns the count.
function sort_values(key, metric, i, j, x, count) {
    count = n[key, metric]
    for (i = 1; i <= count; i++) {
        x = v[key, metric, i] + 0
        for (j = i; j > 1 && s[j - 1] > x; j--)
            s[j] = s[j - 1]
        s[j] = x
    }
    return count
}

function median(key, metric, count) {
    count = sort_values(key, metric)
    if (count == 0)
        return 0
    return count % 2 ? s[(count + 1) / 2] : (s[count / 2] + s[count / 2 + 1]) / 2
}

function number(x) {
    return sprintf(x < 100 && x > -100 ? "%.1f" : "%.0f", x)
}

# "2951 (2900 to 3011)", or "fails" where there is nothing.
function cell(key, metric, count, middle) {
    middle = median(key, metric)
    count = n[key, metric]
    if (count == 0)
        return "fails"
    return number(middle) " (" number(s[1]) " to " number(s[count]) ")"
}

# A new name: a / b or a - b of two others, round by round.
function combine(name, how, a, a_metric, b, b_metric, i) {
    n[name, how] = 0
    for (i = 1; i <= n[a, a_metric] && i <= n[b, b_metric]; i++)
        v[name, how, ++n[name, how]] = how == "ratio" \
            ? v[a, a_metric, i] / v[b, b_metric, i] \
            : v[a, a_metric, i] - v[b, b_metric, i]
    return name
}

function ratio(a, b) {
    if (n[a, "rate"] == 0 || n[b, "rate"] == 0)
        return "-"
    return sprintf("%.2f", median(combine("tmp", "ratio", a, "rate", b, "rate"),
                                  "ratio"))
}

function difference(a, b, metric) {
    return cell(combine("tmp", "difference", a, metric, b, metric), "difference")
}

function smaller(a, b) {
    return a < b ? a : b
}

# CPU time of one handshake with a key in software, and one TPM2_Sign by the
# least program: what no provider can do without. RSA in software is dearer
# than the rest of its handshake, so nginx's share is that with a P-256 key.
function least_cpu(alg, place, workers, raw) {
    raw = "raw/" alg "/" place "/1"
    return median("nginx/ec-p256/software/" workers, "nginx_cpu_us") + \
           median("nginx/" alg "/software/" workers, "client_cpu_us") + \
           median(raw, "tpm_cpu_us") + median(raw, "own_cpu_us")
}

# Handshakes a second that no provider could exceed on this machine: the TPM's
# rate; all cores busy; every worker busy, which waits for its signature.
function bound(alg, place, workers, cpu, wait) {
    cpu = cores * 1e6 / least_cpu(alg, place, workers)
    wait = workers * 1e6 / \
        (median("nginx/ec-p256/software/" workers, "nginx_cpu_us") + \
         median("raw/" alg "/" place "/1", "median_us"))
    return smaller(median("raw/" alg "/" place "/" workers, "rate"), \
                   smaller(cpu, wait))
}

# ---- the tables ----------------------------------------------------------

function head(text, columns, i) {
    columns = split(text, parts, /\|/) - 2
    print text
    for (i = 0; i < columns; i++)
        printf "|---"
    print "|"
}

function raw_row(alg, place, workers, key) {
    key = "raw/" alg "/" place "/"
    print "| " alg " | " place " | " cell(key 1, "rate") " | " \
        cell(key 2, "rate") " | " cell(key 1, "median_us") " | " \
        number(median(key 1, "tpm_cpu_us")) " |"
}

function overhead_row(alg, place, workers, raw, ours) {
    raw = "raw/" alg "/" place "/1"
    ours = "provider/" alg "/" place
    print "| " alg " | " place " | " cell(raw, "median_us") " | " \
        cell(ours, "median_us") " | " difference(ours, raw, "median_us") \
        " | " number(median(raw, "own_cpu_us")) " | " \
        number(median(ours, "own_cpu_us")) " | " \
        difference(ours, raw, "own_cpu_us") " |"
}

function handshake_row(alg, place, workers, ours, base) {
    base = "nginx/" alg "/"
    ours = base place "/" workers
    print "| " alg " | " place " | " workers " | " cell(ours, "rate") " | " \
        ratio(ours, "raw/" alg "/" place "/" workers) " | " \
        ratio(ours, base "software/" workers) " | " \
        ratio(ours, base "tpm2-openssl/" workers) " |"
}

function bound_row(alg, place, workers, ours, most) {
    ours = "nginx/" alg "/" place "/" workers
    most = bound(alg, place, workers)
    print "| " alg " | " place " | " workers " | " \
        number(median(ours, "rate")) " | " number(most) " | " \
        sprintf("%.2f", median(ours, "rate") / most) " | " \
        cell("beside/" alg "/" place "/" workers, "rate") " | " \
        ratio(ours, "beside/" alg "/" place "/" workers) " |"
}

function cpu_row(alg, kind, workers, key, sum) {
    key = "nginx/" alg "/" kind "/" workers
    if (n[key, "rate"] == 0)
        return
    sum = median(key, "tpm_cpu_us") + median(key, "nginx_cpu_us") + \
        median(key, "client_cpu_us")
    print "| " alg " | " kind " | " workers " | " cell(key, "rate") " | " \
        number(median(key, "tpm_cpu_us")) " | " \
        number(median(key, "nginx_cpu_us")) " | " \
        number(median(key, "client_cpu_us")) " | " number(sum) " | " \
        sprintf("%.0f %%", median(key, "rate") * sum / cores / 1e4) " |"
}

function chip_row(place, workers, ours, raw) {
    ours = "chip/ec-p256/" place "/" workers
    raw = "chip-raw/ec-p256/" place "/" workers
    print "| ec-p256 | " place " | " workers " | " cell(raw, "rate") " | " \
        cell(ours, "rate") " | " ratio(ours, raw) " |"
}

# How much of the cores other programs took, over all measurements.
function others(name, parts, i) {
    n["all", "others"] = 0
    for (name in n) {
        split(name, parts, SUBSEP)
        if (parts[2] == "others_pct")
            for (i = 1; i <= n[name]; i++)
                v["all", "others", ++n["all", "others"]] = v[name, i]
    }
    i = median("all", "others")
    return sprintf("took %.0f %% of the cores' time in the median " \
                   "measurement, %.0f %% in the worst", i, s[n["all", "others"]])
}

# A row for each algorithm and kind of key, and for 1 worker up to `most`.
function rows(row, kinds, most, a, k, w, algs, list) {
    split("ec-p256 rsa-2048", algs, " ")
    for (a = 1; a <= 2; a++)
        for (k = 1; k <= split(kinds, list, " "); k++)
            for (w = 1; w <= most; w++) {
                if (row == "raw") raw_row(algs[a], list[k], w)
                if (row == "overhead") overhead_row(algs[a], list[k], w)
                if (row == "handshake") handshake_row(algs[a], list[k], w)
                if (row == "bound") bound_row(algs[a], list[k], w)
                if (row == "cpu") cpu_row(algs[a], list[k], w)
            }
}

END {
    if (table == "raw") {
        head("| key | where | TPM2_Sign/s, one client | two clients | " \
             "median, µs | swtpm's CPU, µs |")
        rows("raw", "persistent blob", 1)
    } else if (table == "overhead") {
        head("| key | where | raw, µs | devid, µs | difference, µs | " \
             "raw, CPU µs | devid, CPU µs | difference, CPU µs |")
        rows("overhead", "persistent blob", 1)
    } else if (table == "handshakes") {
        head("| key | where | workers | devid, handshakes/s | " \
             "of raw TPM2_Sign | of a software key | of tpm2-openssl |")
        rows("handshake", "persistent blob", 2)
    } else if (table == "bounds") {
        head("| key | where | workers | devid, handshakes/s | " \
             "at most possible | devid's part | TPM2_Sign/s beside TLS | " \
             "devid's part |")
        rows("bound", "persistent blob", 2)
    } else if (table == "cpu") {
        head("| key | where | workers | handshakes/s | swtpm, µs | " \
             "nginx, µs | client, µs | sum, µs | CPU in use |")
        rows("cpu", "software persistent blob tpm2-openssl", 2)
    } else if (table == "others") {
        print others()
    } else if (table == "chip") {
        head("| key | where | workers | TPM2_Sign/s | handshakes/s | ratio |")
        for (k = 1; k <= split("persistent blob", list, " "); k++)
            for (w = 1; w <= 2; w++)
                chip_row(list[k], w)
    }
}
