# SPDX-License-Identifier: Apache-2.0
#
# The tables of bench/all's page, of the name `table`; after figures.awk.

# ---- rows ----------------------------------------------------------------

function head(text, columns, parts, i) {
    columns = split(text, parts, /\|/) - 2
    print text
    for (i = 0; i < columns; i++)
        printf "|---"
    print "|"
}

# A head whose columns after `text` are a part of the keys, before `more`.
function head_over(text, place, before, more, i) {
    for (i = 1; i <= length_of[place]; i++)
        text = text " " before " " list[place, i] " |"
    head(text (more == "" ? "" : " " more))
}

function row_head(sys, kind) {
    return "| " named(sys) " | " LABEL[kind]
}

function counts_row(sys, alg, kind, cases, parts, i, line) {
    line = row_head(sys, kind)
    for (i = 1; i <= split(cases, parts, " "); i++)
        line = line " | " \
            whole(sys, "counts/" alg "/" kind "/" parts[i], "calls")
    print line " |"
}

function which_row(sys, alg, kind, key, text) {
    key = "counts/" alg "/" kind "/next"
    if (!has(sys, key, "list"))
        return
    text = v[sys, key, "list", 1]
    gsub(/,/, " ", text)
    print row_head(sys, kind) " | " alg " | " text " |"
}

function tls_row(sys, alg, kind, workers, most, base, key, line, i) {
    most = list["tls5", length_of["tls5"]]
    key = "tls/" alg "/" kind "/" workers "/"
    base = "tls/" alg "/software/" workers "/"
    line = row_head(sys, kind) " | " workers " | " \
        whole(sys, key most, "rate") " | " (bare_of(kind) == "" ? "-" : \
        ratio(sys, key most, "bare/" alg "/" bare_of(kind) "/" workers, "rate"))
    for (i = 1; i <= length_of["tls5"]; i++)
        line = line " | " \
            ratio(sys, key list["tls5", i], base list["tls5", i], "rate")
    print line " | " whole(sys, key most, "nginx_cpu_us") " | " \
        whole(sys, key most, "tpm_cpu_us") " |"
}

function curl_row(sys, kind, alg, line, a, key) {
    line = row_head(sys, kind)
    for (a = 1; a <= length_of["curl2"]; a++) {
        alg = list["curl2", a]
        key = "curl/" alg "/" kind
        line = line " | " whole(sys, key, "ms") " | " \
            ratio(sys, key, "curl/" alg "/software", "ms") " | " \
            cell(sys, key, "cpu_ms")
    }
    print line " |"
}

function over_row(sys, kind, start, place, metric, line, i) {
    line = row_head(sys, kind)
    for (i = 1; i <= length_of[place]; i++)
        line = line " | " cell(sys, start list[place, i], metric)
    print line " |"
}

# kB a key: what the most keys take more than one, divided.
function memory_row(sys, kind, most, few, many) {
    most = list["keys3", length_of["keys3"]]
    few = "keys/" kind "/1"
    many = "keys/" kind "/" most
    print row_head(sys, kind) " | " whole(sys, few, "master_kb") " | " \
        whole(sys, few, "worker_kb") " | " \
        (has(sys, many, "worker_kb") && most > 1 ? \
         number((memory(sys, many) - memory(sys, few)) / (most - 1)) : \
         "fails") " |"
}

function memory(sys, key) {
    return median(sys, key, "master_kb") + median(sys, key, "worker_kb")
}

# What check-signatures = always takes more of the process's own CPU.
function checks_row(sys, kind, line, a, key) {
    line = row_head(sys, kind)
    for (a = 1; a <= length_of["checks2"]; a++) {
        key = "checks/" list["checks2", a] "/" kind
        line = line " | " cell(sys, key "/auto", "own_cpu_us") " | " \
            cell(sys, key "/always", "own_cpu_us") " | " \
            ratio(sys, key "/always", key "/auto", "rate")
    }
    print line " |"
}

function delay_rows(sys, kind, what, parts, i, d, line) {
    split("next,first,curl,start", parts, ",")
    what["next"] = "handshake"
    what["first"] = "a worker's first"
    what["curl"] = "a whole curl"
    what["start"] = "nginx's start"
    for (i = 1; i <= 4; i++) {
        line = row_head(sys, kind) " | " what[parts[i]]
        for (d = 1; d <= length_of["delay3"]; d++)
            line = line " | " whole(sys, "delay/" kind "/" \
                                    list["delay3", d] "/" parts[i], "ms")
        print line " |"
    }
}

function large_row(sys, kind, size, line, i, key, parts) {
    line = row_head(sys, kind)
    split("curl uri", parts, " ")
    for (i = 1; i <= 2; i++)
        for (size = 1; size <= 2; size++) {
            key = "large/" kind "/" (size == 1 ? "few" : "many") "/" parts[i]
            line = line " | " whole(sys, key, "calls") ", " \
                whole(sys, key, "ms") " ms (" whole(sys, key, "cpu_ms") ")"
        }
    print line " |"
}

# ---- tables --------------------------------------------------------------

# The part of bench/all that a table's rows come from.
function part_of(row) {
    return row == "which" ? "counts" : \
        row == "start" || row == "memory" ? "keys" : row
}

# The kinds that a table has, of each system that was asked for it.
function rows(row, kinds, alg, workers, s, k, parts, count) {
    count = split(kinds, parts, " ")
    for (s = 1; s <= systems; s++)
        for (k = 1; k <= count; k++) {
            if (!present(SYSTEMS[s], parts[k]) || \
                !((SYSTEMS[s], part_of(row)) in asked))
                continue
            if (row == "counts")
                counts_row(SYSTEMS[s], alg, parts[k], \
                           "start first next curl req dgst")
            if (row == "which") which_row(SYSTEMS[s], alg, parts[k])
            if (row == "tls") tls_row(SYSTEMS[s], alg, parts[k], workers)
            if (row == "curl") curl_row(SYSTEMS[s], parts[k])
            if (row == "start")
                over_row(SYSTEMS[s], parts[k], "keys/" parts[k] "/", "keys3", "ms")
            if (row == "memory") memory_row(SYSTEMS[s], parts[k])
            if (row == "threads")
                over_row(SYSTEMS[s], parts[k], \
                         "threads/" alg "/" parts[k] "/", "threads4", "rate")
            if (row == "checks") checks_row(SYSTEMS[s], parts[k])
            if (row == "delay") delay_rows(SYSTEMS[s], parts[k])
            if (row == "large") large_row(SYSTEMS[s], parts[k])
        }
}

function all_kinds(from, text, i) {
    for (i = from; i <= 7; i++)
        text = text " " KINDS[i]
    return text
}

# What "others" says: how much of the cores other programs took.
function disturbance() {
    if (!others_count)
        return "were not looked at"
    median_of(others, others_count)
    return sprintf("took %.0f %% of the cores' time in the median " \
                   "measurement, %.0f %% in the worst", \
                   median_of(others, others_count), others[others_count])
}

# One table of each algorithm, under its name.
function tls_tables(a, w) {
    for (a = 1; a <= length_of["tls2"]; a++) {
        print "### " toupper(list["tls2", a]) "\n"
        head_over("| system | with | workers | handshakes/s | of the device |", \
                  "tls5", "of software, clients:", "nginx, CPU µs | TPM, CPU µs |")
        for (w = 1; w <= length_of["tls4"]; w++)
            rows("tls", all_kinds(1), list["tls2", a], list["tls4", w])
        print ""
    }
}

function threads_tables(a) {
    for (a = 1; a <= length_of["threads2"]; a++) {
        print "### " toupper(list["threads2", a]) "\n"
        head_over("| system | with |", "threads4", "threads:")
        rows("threads", "bare-tpm persistent blob tpm2-openssl software " \
             "bare-token token pkcs11-provider libp11", list["threads2", a])
        print ""
    }
}

function curl_table(text, a) {
    text = "| system | with |"
    for (a = 1; a <= length_of["curl2"]; a++)
        text = text " " list["curl2", a] ", ms | of software | CPU, ms |"
    head(text)
    rows("curl", all_kinds(1))
}

function checks_table(text, a) {
    text = "| system | with |"
    for (a = 1; a <= length_of["checks2"]; a++)
        text = text " " list["checks2", a] ", CPU µs, auto | always | rate |"
    head(text)
    rows("checks", "persistent blob token")
}

function counts_table() {
    head("| system | with | nginx's start | a worker's first handshake | " \
         "each further one | curl | openssl req | openssl dgst -sign |")
    rows("counts", all_kinds(2), "ec-p256")
}

function which_table(a) {
    head("| system | with | key | at each further handshake |")
    for (a = 1; a <= length_of["counts2"]; a++)
        rows("which", all_kinds(2), list["counts2", a])
}

function keys_table(row) {
    if (row == "start")
        head_over("| system | with |", "keys3", "ms, keys:")
    else
        head("| system | with | master, kB | worker, kB | each key, kB |")
    rows(row, "software blob tpm2-openssl token pkcs11-provider libp11")
}

END {
    if (table == "counts") counts_table()
    if (table == "which") which_table()
    if (table == "tls") tls_tables()
    if (table == "curl") curl_table()
    if (table == "threads") threads_tables()
    if (table == "checks") checks_table()
    if (table == "start" || table == "memory") keys_table(table)
    if (table == "delay") {
        head_over("| system | with | what |", "delay3", "ms, delay:")
        rows("delay", "persistent blob tpm2-openssl")
    }
    if (table == "large") {
        head("| system | with | curl, one key | many | " \
             "a search by URI, one key | many |")
        rows("large", "token pkcs11-provider libp11")
    }
    if (table == "others") print disturbance()
}
