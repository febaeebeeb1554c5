/* SPDX-License-Identifier: Apache-2.0 */
#include "nearest.h"

#include <string.h>

enum {
    WORD_MAX_LEN = 32,
    STEPS_MAX = 2 /* more is another word */
};

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* Letters to insert, drop or change (Levenshtein); both words are short. */
static int distance(const char *a, const char *b)
{
    int row[WORD_MAX_LEN + 1];
    int b_len = (int)strlen(b);

    for (int j = 0; j <= b_len; j++)
        row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= b_len; j++) {
            int change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = smaller(change, smaller(row[j], row[j - 1]) + 1);
        }
    }
    return row[b_len];
}

void nearest_offer(struct nearest *nearest, const char *word, const void *what)
{
    int steps;

    if (strlen(nearest->mistyped) > WORD_MAX_LEN)
        return;
    steps = distance(word, nearest->mistyped);
    if (steps > STEPS_MAX || (nearest->word && steps >= nearest->steps))
        return;
    nearest->word = word;
    nearest->found = what;
    nearest->steps = steps;
}
