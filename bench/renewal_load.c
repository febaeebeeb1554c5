/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a fleet comes to renew: devices as devid renew and its timer have it,
 * each by itself, second by second. Nothing is measured here, and the same
 * numbers come out each time.
 *
 *   renewal_load DEVICES LIFETIME SPREAD
 *
 * LIFETIME is a certificate's, in seconds: it is due at two thirds of that,
 * less up to a twelfth, by the device. SPREAD: the timer goes off each hour, at
 * a second of it below this one, by the device.
 *
 * Prints a line for each case, of requests a second that are answered: "CASE
 * mean=1.5 second=12 minute=8.1 hour=4.0 day=2.0", the busiest of each kind in
 * the days that are looked at; and of outage how many minutes those take that
 * waited for the station, "backlog=29".
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HOUR = 3600,
    DAY = 24 * HOUR,
    DAYS = 84,
    SECONDS = DAYS * DAY
};

struct fleet {
    long devices;
    int64_t lifetime;
    int64_t spread;
};

struct scenario {
    const char *name;
    int64_t first_s; /* devices get their first certificate within that */
    int64_t down_s;  /* the station does not answer from then */
    int64_t up_s;    /* until then */
    int64_t from_s;  /* what is looked at */
    int64_t to_s;
};

static uint32_t *answered; /* in each second */

/* Numbers that look random, the same for the same place: splitmix64. */
static uint64_t mix(uint64_t at)
{
    at += UINT64_C(0x9e3779b97f4a7c15);
    at = (at ^ at >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    at = (at ^ at >> 27) * UINT64_C(0x94d049bb133111eb);
    return at ^ at >> 31;
}

/* From 0 to `below`, of the device's own numbers. */
static int64_t draw(long device, unsigned which, int64_t below)
{
    uint64_t number = mix((uint64_t)device * 4 + which) >> 11;

    return below > 0 ? (int64_t)(number % (uint64_t)below) : 0;
}

/* The timer's next turn at `at` or behind it. */
static int64_t next_turn(int64_t at, int64_t offset)
{
    int64_t turns = (at - offset + HOUR - 1) / HOUR;

    return at <= offset ? offset : turns * HOUR + offset;
}

static void live(const struct fleet *fleet, const struct scenario *scenario,
                 long device)
{
    const int64_t early = draw(device, 0, fleet->lifetime / 12 + 1);
    const int64_t offset = draw(device, 1, fleet->spread);
    int64_t at = draw(device, 2, scenario->first_s);

    for (;;) {
        at += fleet->lifetime / 3 * 2 - early;
        at = next_turn(at, offset);
        /* What finds no station comes again with the next turn. */
        while (at >= scenario->down_s && at < scenario->up_s)
            at += HOUR;
        if (at >= SECONDS)
            return;
        answered[at]++;
    }
}

/* The busiest stretch of so many seconds, in requests a second. */
static double busiest(const struct scenario *scenario, int64_t length)
{
    uint64_t sum = 0;
    uint64_t most = 0;

    for (int64_t at = scenario->from_s; at < scenario->to_s; at++) {
        sum += answered[at];
        if (at - length >= scenario->from_s)
            sum -= answered[at - length];
        if (sum > most)
            most = sum;
    }
    return (double)most / (double)length;
}

static double mean_of(const struct scenario *scenario)
{
    uint64_t sum = 0;

    for (int64_t at = scenario->from_s; at < scenario->to_s; at++)
        sum += answered[at];
    return (double)sum / (double)(scenario->to_s - scenario->from_s);
}

/* Until the busiest minute behind the outage's end is over for good. */
static long backlog_minutes(const struct scenario *scenario, double usual)
{
    int64_t last = scenario->up_s;

    for (int64_t minute = scenario->up_s; minute + 60 <= scenario->to_s;
         minute += 60) {
        uint64_t sum = 0;
        for (int64_t at = minute; at < minute + 60; at++)
            sum += answered[at];
        if ((double)sum / 60 > 4 * usual)
            last = minute + 60;
    }
    return (long)((last - scenario->up_s) / 60);
}

static void run(const struct fleet *fleet, const struct scenario *scenario)
{
    memset(answered, 0, SECONDS * sizeof(*answered));
    for (long device = 0; device < fleet->devices; device++)
        live(fleet, scenario, device);
    printf("%s mean=%.2f second=%.0f minute=%.2f hour=%.2f day=%.2f",
           scenario->name, mean_of(scenario), busiest(scenario, 1),
           busiest(scenario, 60), busiest(scenario, HOUR),
           busiest(scenario, DAY));
    if (scenario->up_s > 0)
        printf(" backlog=%ld", backlog_minutes(scenario, mean_of(scenario)));
    putchar('\n');
}

static int64_t number(const char *text)
{
    char *end = NULL;
    long long value = strtoll(text, &end, 10);

    if (*end || value < 1) {
        fprintf(stderr, "renewal_load: %s is no number above 0\n", text);
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    struct fleet fleet;

    if (argc != 4) {
        fprintf(stderr, "usage: renewal_load DEVICES LIFETIME SPREAD\n");
        return 2;
    }
    fleet.devices = (long)number(argv[1]);
    fleet.lifetime = number(argv[2]);
    fleet.spread = number(argv[3]);
    answered = calloc(SECONDS, sizeof(*answered));
    if (!answered || fleet.spread > HOUR || fleet.lifetime > DAYS * DAY / 4) {
        fprintf(stderr, "renewal_load: SPREAD is at most an hour, LIFETIME "
                        "three weeks\n");
        return 2;
    }
    const int64_t turn = fleet.lifetime / 3 * 2;
    const struct scenario scenarios[] = {
        /* Devices that came over months: any moment is as good as any. */
        {"steady", turn, 0, 0, 56 * DAY, 77 * DAY},
        /* All within an hour: a fleet that is switched on. */
        {"first", HOUR, 0, 0, 0, turn + DAY},
        {"fourth", HOUR, 0, 0, 4 * turn - 4 * fleet.lifetime / 12, 4 * turn},
        /* A day without a station, in the steady state. */
        {"outage", turn, 56 * DAY, 57 * DAY, 57 * DAY, 64 * DAY},
    };
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(*scenarios); i++)
        run(&fleet, &scenarios[i]);
    free(answered);
    return 0;
}
