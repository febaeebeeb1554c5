# SPDX-License-Identifier: Apache-2.0
#
# A plot of bench/all's page, of the name `plot`, as a script for gnuplot; after
# figures.awk. What a system lacks is drawn from the first that has it, and its
# label says so.

# The first system that has it, or "".
function home(key, metric, s) {
    for (s = 1; s <= systems; s++)
        if (has(SYSTEMS[s], key, metric))
            return SYSTEMS[s]
    return ""
}

function label_of(kind, sys) {
    return LABEL[kind] (sys == SYSTEMS[1] ? "" : " (" named(sys) ")")
}

# One line of the panel: `points` as "x y\n", with the kind's own style.
function series(kind, sys, points) {
    if (points == "")
        return
    data = data "$d" ++drawn " << END\n" points "END\n"
    commands = commands (commands == "" ? "plot " : ", \\\n     ") "$d" drawn \
        " using 1:2 with linespoints ls " STYLE[kind] \
        " title \"" label_of(kind, sys) "\""
}

# Ends a panel, with a title and the axes' names.
function panel(title, x, y) {
    printf "%s", data
    if (commands != "")
        print "set title \"" title "\"\nset xlabel \"" x "\"\nset ylabel \"" y \
            "\"\n" commands
    data = commands = ""
}

# x and y of a metric over a place in the keys, "" where there is none.
function points_over(sys, before, place, metric, after, text, i, x, key) {
    for (i = 1; i <= length_of[place]; i++) {
        x = list[place, i]
        key = before x after
        if (has(sys, key, metric))
            text = text x " " median(sys, key, metric) "\n"
    }
    return text
}

# Ratios to the key in software, by clients; two workers, or as many as there
# are.
function plot_handshakes(a, k, alg, workers, i, x, sys, points, key, base) {
    workers = length_of["tls4"] > 1 ? list["tls4", 2] : list["tls4", 1]
    print "set multiplot layout 1," length_of["tls2"]
    print "set logscale x 2\nset yrange [0:*]"
    for (a = 1; a <= length_of["tls2"]; a++) {
        alg = list["tls2", a]
        for (k = 2; k <= 7; k++) {
            key = "tls/" alg "/" KINDS[k] "/" workers "/"
            base = "tls/" alg "/software/" workers "/"
            sys = home(key list["tls5", 1], "rate")
            points = ""
            for (i = 1; sys != "" && i <= length_of["tls5"]; i++) {
                x = list["tls5", i]
                if (has(sys, key x, "rate"))
                    points = points x " " \
                        ratio(sys, key x, base x, "rate") "\n"
            }
            series(KINDS[k], sys, points)
        }
        panel(toupper(alg) " at nginx, " workers " workers", "clients", \
              "handshakes/s, of a software key's")
    }
}

function plot_threads(a, k, alg, kinds, count, key, sys) {
    count = split("software bare-token token pkcs11-provider libp11 bare-tpm " \
                  "persistent blob tpm2-openssl", kinds, " ")
    print "set multiplot layout 1," length_of["threads2"]
    print "set logscale x 2\nset logscale y"
    for (a = 1; a <= length_of["threads2"]; a++) {
        alg = list["threads2", a]
        for (k = 1; k <= count; k++) {
            key = "threads/" alg "/" kinds[k] "/"
            sys = home(key "1", "rate")
            series(kinds[k], sys, points_over(sys, key, "threads4", "rate", ""))
        }
        panel(toupper(alg) ", EVP\\\\_DigestSign", "threads", "signatures/s")
    }
}

function plot_keys(k, key, sys) {
    print "set logscale x\nset yrange [0:*]"
    for (k = 1; k <= 7; k++) {
        key = "keys/" KINDS[k] "/"
        sys = home(key "1", "ms")
        series(KINDS[k], sys, points_over(sys, key, "keys3", "ms", ""))
    }
    panel("nginx's start", "keys", "ms")
}

function plot_delay(k, what, parts, titles, i, key, sys) {
    split("next curl", parts, " ")
    split("a handshake at nginx;a whole curl with mutual TLS", titles, ";")
    print "set multiplot layout 1,2\nset yrange [0:*]"
    for (i = 1; i <= 2; i++) {
        for (k = 2; k <= 4; k++) {
            key = "delay/" KINDS[k] "/"
            what = "/" parts[i]
            sys = home(key list["delay3", 1] what, "ms")
            series(KINDS[k], sys, \
                   points_over(sys, key, "delay3", "ms", what))
        }
        panel(titles[i], "the TPM's answer to each command, ms later", "ms")
    }
}

# A box for each kind, from the first system that has it.
function plot_curl(k, a, key, sys, shown, rows, names) {
    print "set style data histograms\nset style histogram clustered gap 1"
    print "set style fill solid 0.8 border -1\nset boxwidth 0.9"
    print "set yrange [0:*]\nset xtics rotate by -20 nomirror\nset key top left"
    for (k = 1; k <= 7; k++) {
        key = "curl/" list["curl2", 1] "/" KINDS[k]
        sys = home(key, "ms")
        if (sys == "")
            continue
        rows = rows "\"" label_of(KINDS[k], sys) "\""
        for (a = 1; a <= length_of["curl2"]; a++)
            rows = rows " " median(sys, "curl/" list["curl2", a] "/" KINDS[k], \
                                   "ms")
        rows = rows "\n"
    }
    print "$d << END\n" rows "END"
    print "set title \"One curl with mutual TLS, from start to end\"" \
        "\nset ylabel \"ms\""
    for (a = 1; a <= length_of["curl2"]; a++)
        shown = shown (a > 1 ? ", " : "plot ") "$d using " (a + 1) \
            (a == 1 ? ":xtic(1)" : "") " title \"" list["curl2", a] "\""
    print shown
}

END {
    split("software 1 persistent 2 blob 3 tpm2-openssl 4 token 5 " \
          "pkcs11-provider 6 libp11 7 bare-tpm 8 bare-token 9", styles, " ")
    for (i = 1; i in styles; i += 2)
        STYLE[styles[i]] = styles[i + 1]
    if (plot == "handshakes") plot_handshakes()
    if (plot == "threads") plot_threads()
    if (plot == "keys") plot_keys()
    if (plot == "delay") plot_delay()
    if (plot == "curl") plot_curl()
}
