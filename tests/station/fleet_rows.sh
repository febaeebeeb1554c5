# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Many units at once, for tests and measurements of the station's pages: rows
# and entries as a line makes them, written behind the log, which verifies no
# more.

# fleet_rows COUNT PREFIX BATCH: SQL for so many units PREFIX0000000 and so on,
# of a batch, the last of them enrolled now and each two seconds after the one
# before. Of a hundred one is retired, ten have their certificates installed,
# four have none; two were refused something on the way.
fleet_rows() {
    awk -v count="$1" -v prefix="$2" -v batch="$3" -v now="$(date +%s)" '
        function state(i) {
            if (i % 100 == 7) return "retired"
            if (i % 10 == 3) return "installed"
            return i % 25 == 9 ? "certified" : "tested"
        }
        function began(i) { return (now - (count - i) * 2) * 1000 }
        function id(i) {
            # Not every awk has integers of more than 32 bits.
            return sprintf("%06x%06x%020x", began(i) / 16777216, \
                began(i) % 16777216, i)
        }
        # So many rows a statement, or it is slow, or too long.
        function row(table, columns, values) {
            if (pending != table || rows == 400) {
                if (pending) print ";"
                printf "INSERT INTO %s (%s) VALUES\n", table, columns
                rows = 0
            } else
                print ","
            printf "(%s)", values
            pending = table
            rows++
        }
        function entry(i, seq, ms, event, revision, detail) {
            row("audit", "station, seq, time_ms, event, subject, revision, " \
                "serial, peer, detail, row_digest, hash", \
                sprintf("\047rows %s\047, %d, %.0f, \047%s\047, \047%s\047, %d, " \
                    "\047%s%07d\047, \04710.0.0.7\047, \047%s\047, \047\047, " \
                    "\047\047", prefix, 3 * i + seq, ms, event, id(i), \
                    revision, prefix, i, detail))
        }
        BEGIN {
            print "BEGIN;"
            for (i = 0; i < count; i++)
                row("unit", "id, serial, model, batch, operator_name, " \
                    "station, ek_digest, iak_name, idevid_name, state, " \
                    "attested, generation, enrolled_ms, changed_ms, " \
                    "challenge_digest, challenge_expires_ms, hw_serial, " \
                    "reason, revision", \
                    sprintf("\047%s\047, \047%s%07d\047, \047Gate\047, " \
                        "\047%s\047, \047Kim\047, \047line-1\047, " \
                        "\047ek %s %d\047, \047iak %s %d\047, " \
                        "\047idevid %s %d\047, \047%s\047, 1, 1, %.0f, %.0f, " \
                        "\047\047, 0, \047\047, 0, 3", id(i), prefix, i, \
                        batch, prefix, i, prefix, i, prefix, i, state(i), \
                        began(i), began(i) + 1000 + (i * 7919) % 40000))
            for (i = 0; i < count; i++) {
                entry(i, 1, began(i), "enrol", 1, "")
                if (state(i) != "certified")
                    entry(i, 2, began(i) + 1000 + (i * 7919) % 40000, \
                        "issue", 2, "")
                if (i % 50 == 48)
                    entry(i, 3, began(i), "refuse", 0, "state: not yet")
            }
            print "; COMMIT;"
        }'
}
