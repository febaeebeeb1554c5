/* SPDX-License-Identifier: Apache-2.0 */
/* What a TPM's properties mean: chip, lockout, hierarchies, room, clock. */
#include "tpm_check.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "rule.h"
#include "tpm.h"

/* TPMA_PERMANENT and TPMA_STARTUP_CLEAR: TPM 2.0 Part 2, 8.6 and 8.7. */
#define OWNER_AUTH_SET (1u << 0)
#define ENDORSEMENT_AUTH_SET (1u << 1)
#define LOCKOUT_AUTH_SET (1u << 2)
#define IN_LOCKOUT (1u << 9)
#define PH_ENABLE (1u << 0)
#define SH_ENABLE (1u << 1)
#define EH_ENABLE (1u << 2)

/* Before this an LDevID, an SRK and their successors may find no place. */
#define FEW_PERSISTENT 2u
/* A certificate of 1 kB and some bytes must fit into an index. */
#define SMALL_INDEX 1024u
/* The manufacturer's own, where owner or maker set none: a second chance. */
#define FEW_TRIES 3u

/* ---- the chip ------------------------------------------------------------ */

static const char *vendor_string(struct doctor *doctor, const json_t *tpm)
{
    char text[20] = "";
    size_t len = 0;

    for (int i = 0; i < 4; i++) {
        uint32_t word = 0;

        (void)tpm_property(tpm, (enum tpm_property)(PT_VENDOR_STRING_1 + i),
                           &word);
        for (int shift = 24; shift >= 0; shift -= 8) {
            char c = (char)(word >> shift);

            if (isprint((unsigned char)c))
                text[len++] = c;
        }
    }
    while (len > 0 && text[len - 1] == ' ')
        len--;
    text[len] = '\0';
    return words(doctor, "%s", text);
}

static void judge_chip(struct doctor *doctor, const json_t *tpm)
{
    struct chip chip;
    const char *text;

    if (!chip_of(doctor, &chip))
        return;
    text = words(doctor, "%s %s, firmware %s, specification 2.0 revision %s",
                 chip.maker, vendor_string(doctor, tpm), chip.firmware,
                 chip.revision);
    if (tpm_is_software(tpm))
        is_note(doctor, "tpm.software",
                words(doctor, "a TPM in software: %s", text),
                "for tests and virtual machines; its keys are as safe as its "
                "state file",
                NULL);
    else
        is_ok(doctor, "tpm.chip", text);
    if (fact_flag(tpm, "managed"))
        is_ok(doctor, "tpm.resource_manager",
              "a resource manager shares it among programs");
    else
        is_note(doctor, "tpm.resource_manager",
                "no resource manager stands before it",
                "three objects are all that it holds at a time; use persistent "
                "keys, or /dev/tpmrm0",
                NULL);
}

/* ---- dictionary attacks -------------------------------------------------- */

static void judge_lockout(struct doctor *doctor, const json_t *tpm)
{
    uint32_t permanent = 0;
    uint32_t counter = 0;
    uint32_t most = 0;
    uint32_t interval = 0;
    uint32_t recovery = 0;
    const char *numbers;

    (void)tpm_property(tpm, PT_PERMANENT, &permanent);
    if (!tpm_property(tpm, PT_LOCKOUT_COUNTER, &counter) ||
        !tpm_property(tpm, PT_MAX_AUTH_FAIL, &most))
        return;
    (void)tpm_property(tpm, PT_LOCKOUT_INTERVAL, &interval);
    (void)tpm_property(tpm, PT_LOCKOUT_RECOVERY, &recovery);
    numbers = words(doctor,
                    "%u of %u wrong authorisations, one is forgiven "
                    "each %u s",
                    counter, most, interval);
    if ((permanent & IN_LOCKOUT) != 0)
        is_bad(doctor, "tpm.lockout",
               words(doctor, "the TPM is locked: %s", numbers),
               "keys without noDA, those of an identity among them, sign "
               "nothing until it forgives",
               "tpm2_dictionarylockout --clear-lockout, with the lockout "
               "hierarchy's value where it has one; or wait");
    else if (counter > 0)
        is_warning(doctor, "tpm.lockout", numbers,
                   "somebody gave a wrong value: a program with an old one "
                   "locks the TPM in the end",
                   "look for the program; tpm2_dictionarylockout "
                   "--clear-lockout");
    else
        is_ok(doctor, "tpm.lockout", numbers);
    if (most <= FEW_TRIES)
        is_note(doctor, "tpm.lockout.tries",
                words(doctor, "%u wrong authorisations lock the TPM", most),
                "a program with an old value does so at once, for keys without "
                "noDA",
                "tpm2_dictionarylockout --setup-parameters --max-tries=32 "
                "--recovery-time=600 --lockout-recovery-time=86400");
}

/* Ours have noDA; the TCG's IDevID and IAK do not, by their templates. */
static void judge_keys(struct doctor *doctor, const json_t *tpm)
{
    const json_t *key;
    size_t i;

    json_array_foreach(json_object_get(tpm, "keys"), i, key)
    {
        const char *handle = report_get(key, "handle");
        const char *role = report_get(key, "role");

        if (fact_flag(key, "no_da") || !fact_flag(key, "read") ||
            strcmp(role, "EK") == 0)
            continue;
        if (*role)
            is_note(doctor, "tpm.key.da",
                    words(doctor, "the %s at %s has no noDA", role, handle),
                    "as its template has it: a locked TPM keeps it from "
                    "working",
                    NULL);
        else
            is_warning(doctor, "tpm.key.da",
                       words(doctor, "the key at %s has no noDA", handle),
                       "wrong values for any key lock it, and so a server that "
                       "signs with it stops",
                       words(doctor,
                             "make a new one: devid keygen --persist; "
                             "then devid delete tpm2:handle=%s",
                             handle));
    }
}

/* ---- hierarchies --------------------------------------------------------- */

static void judge_hierarchies(struct doctor *doctor, const json_t *tpm)
{
    uint32_t permanent = 0;
    uint32_t startup = 0;

    if (!tpm_property(tpm, PT_PERMANENT, &permanent) ||
        !tpm_property(tpm, PT_STARTUP_CLEAR, &startup))
        return;
    is_ok(doctor, "tpm.auth",
          words(doctor,
                "authorisation values: owner %s, endorsement %s, "
                "lockout %s",
                permanent & OWNER_AUTH_SET ? "set" : "empty",
                permanent & ENDORSEMENT_AUTH_SET ? "set" : "empty",
                permanent & LOCKOUT_AUTH_SET ? "set" : "empty"));
    if ((permanent & OWNER_AUTH_SET) != 0)
        is_note(doctor, "tpm.auth.owner",
                "the owner hierarchy has an authorisation value",
                "persistent keys, and keys without a persistent parent, need "
                "it to be made",
                "give --owner-auth-source file:PATH to devid");
    if ((permanent & LOCKOUT_AUTH_SET) == 0)
        is_note(doctor, "tpm.auth.lockout",
                "the lockout hierarchy has no authorisation value",
                "whoever opens the TPM can clear it, and all keys with it",
                "tpm2_changeauth -c lockout NEW-VALUE, and keep the value");
    if ((startup & SH_ENABLE) == 0)
        is_bad(doctor, "tpm.hierarchy.owner", "the owner hierarchy is disabled",
               "no key in it can be made or used until the next start",
               "restart the machine; look in its firmware's setup");
    if ((startup & EH_ENABLE) == 0)
        is_bad(doctor, "tpm.hierarchy.endorsement",
               "the endorsement hierarchy is disabled",
               "the device cannot prove its identity",
               "restart the machine; look in its firmware's setup");
    if ((startup & PH_ENABLE) == 0)
        is_ok(doctor, "tpm.hierarchy.platform",
              "the platform hierarchy is closed (phEnable is clear)");
    else if (!tpm_is_software(tpm))
        is_note(doctor, "tpm.hierarchy.platform",
                "the platform hierarchy is enabled (phEnable is set)",
                "as it is where the firmware has given it a random value at "
                "start; ask its maker whether it does",
                NULL);
}

/* ---- room ---------------------------------------------------------------- */

/* What programs that were killed leave in a bare TPM. */
static void judge_slots(struct doctor *doctor, const json_t *tpm)
{
    uint32_t left = 0;

    if (tpm_property(tpm, PT_HR_TRANSIENT_AVAIL, &left) && left == 0)
        is_bad(doctor, "tpm.slots", "all slots for loaded keys are filled",
               "no key can be loaded, and even persistent ones may fail",
               "tpm2_flushcontext -t; then use /dev/tpmrm0, which empties them "
               "by itself");
}

static void judge_room(struct doctor *doctor, const json_t *tpm)
{
    uint32_t used = 0;
    uint32_t left = 0;
    uint32_t indices = (uint32_t)json_array_size(json_object_get(tpm, "nv"));
    uint32_t index_max = 0;
    uint32_t buffer = 0;

    (void)tpm_property(tpm, PT_HR_PERSISTENT, &used);
    if (tpm_property(tpm, PT_HR_PERSISTENT_AVAIL, &left)) {
        const char *room = words(
            doctor, "%u persistent keys, room for about %u more", used, left);

        if (left == 0)
            is_bad(doctor, "tpm.room.persistent", room,
                   "devid keygen --persist, and making an identity, fail",
                   "devid list; devid delete tpm2:handle=...");
        else if (left < FEW_PERSISTENT)
            is_warning(doctor, "tpm.room.persistent", room,
                       "a renewed key needs a place beside the old one",
                       "devid list; devid delete tpm2:handle=...");
        else
            is_ok(doctor, "tpm.room.persistent", room);
    }
    if (!tpm_property(tpm, PT_NV_INDEX_MAX, &index_max) ||
        !tpm_property(tpm, PT_NV_BUFFER_MAX, &buffer))
        return;
    if (index_max < SMALL_INDEX)
        is_warning(
            doctor, "tpm.room.nv",
            words(doctor, "an NV index holds %u bytes at most", index_max),
            "a certificate may not fit", "use EC keys: ec-p256");
    else
        is_ok(doctor, "tpm.room.nv",
              words(doctor,
                    "%u NV indices; one holds up to %u bytes, read and "
                    "written by %u",
                    indices, index_max, buffer));
}

/* ---- clock --------------------------------------------------------------- */

static void judge_clock(struct doctor *doctor, const json_t *tpm)
{
    const json_t *clock = json_object_get(tpm, "clock");
    const char *time;

    if (!json_object_get(clock, "ms"))
        return;
    time = words(doctor,
                 "its clock: %" JSON_INTEGER_FORMAT
                 " hours of power, %" JSON_INTEGER_FORMAT
                 " resets, %" JSON_INTEGER_FORMAT " restarts",
                 fact_number(clock, "ms") / 3600000,
                 fact_number(clock, "resets"), fact_number(clock, "restarts"));
    if (fact_flag(clock, "safe"))
        is_ok(doctor, "tpm.clock", time);
    else
        is_note(doctor, "tpm.clock", words(doctor, "%s; not safe", time),
                "power went without a shutdown: the clock may have gone back "
                "by up to an hour, which counts where a policy asks for it",
                NULL);
}

/* A TPM that nobody asked for is missing; one that was named is broken. */
static bool is_expected(const struct doctor *doctor)
{
    const json_t *access = facts_of(doctor, "access");
    const json_t *file;
    size_t i;

    if (strcmp(report_get(access, "tcti_from"), "the default") != 0)
        return true;
    json_array_foreach(json_object_get(access, "devices"), i, file)
    {
        if (fact_flag(file, "exists"))
            return true;
    }
    return false;
}

static void judge_silence(struct doctor *doctor, const char *error)
{
    const char *what = words(doctor, "the TPM was not asked: %s", error);

    if (is_expected(doctor))
        is_bad(doctor, "tpm", what, "keys in it do not work for this user",
               NULL);
    else
        is_note(doctor, "tpm", what, "nothing is known of it", NULL);
}

void judge_tpm(struct doctor *doctor, const json_t *tpm)
{
    const char *error = report_get(tpm, "error");

    if (fact_flag(tpm, "not_asked"))
        return;
    if (*error) {
        judge_silence(doctor, error);
        return;
    }
    if (!json_object_get(tpm, "properties"))
        return;
    judge_chip(doctor, tpm);
    judge_lockout(doctor, tpm);
    judge_keys(doctor, tpm);
    judge_storage_key(doctor, tpm);
    judge_hierarchies(doctor, tpm);
    judge_room(doctor, tpm);
    judge_slots(doctor, tpm);
    judge_clock(doctor, tpm);
}
