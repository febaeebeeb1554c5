/* SPDX-License-Identifier: Apache-2.0 */
/* The TPM as it says it is, among the facts. */
#include "tpm.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "open.h"
#include "report.h"
#include "state.h"
#include "tpm_check.h"

/* ---- looking ------------------------------------------------------------- */

static void put_properties(json_t *facts,
                           const struct devid_device_state *state)
{
    json_t *properties = report_new();
    char name[16];

    for (size_t i = 0; i < state->property_count; i++) {
        (void)snprintf(name, sizeof(name), "0x%03x", state->properties[i].id);
        report_number(properties, name, state->properties[i].value);
    }
    report_value(facts, "properties", properties);
}

static json_t *describe_key(const struct devid_state_key *key)
{
    json_t *report = report_new();
    char handle[16];

    (void)snprintf(handle, sizeof(handle), "0x%08x", key->handle);
    report_text(report, "handle", handle);
    report_text(report, "role", key->role);
    report_text(report, "name", key->name);
    report_flag(report, "read", key->was_read);
    report_text(report, "attributes", key->attributes);
    report_flag(report, "no_da", key->no_da);
    report_flag(report, "policy", key->has_auth_policy);
    if (key->has_public)
        report_value(report, "public", look_at_public(&key->public_key));
    return report;
}

static void put_held(json_t *facts, const struct devid_device_state *state)
{
    json_t *keys = report_array();
    json_t *indices = report_array();
    char index[16];

    for (size_t i = 0; i < state->key_count; i++)
        report_append(keys, describe_key(&state->keys[i]));
    for (size_t i = 0; i < state->nv_count; i++) {
        (void)snprintf(index, sizeof(index), "0x%08x", state->nv_indices[i]);
        report_append_text(indices, index);
    }
    report_value(facts, "keys", keys);
    report_value(facts, "nv", indices);
}

static void put_clock(json_t *facts, const struct devid_state_clock *clock)
{
    json_t *report = report_new();

    if (clock->known) {
        report_number(report, "ms", (json_int_t)clock->clock_ms);
        report_number(report, "resets", clock->resets);
        report_number(report, "restarts", clock->restarts);
        report_flag(report, "safe", clock->safe);
    }
    report_value(facts, "clock", report);
}

/*
 * Intel's TPM is a part of its management engine, whose version the kernel
 * knows: "0:12.0.35.1427", a line a firmware partition.
 */
static void look_at_engine_version(const struct doctor *doctor, json_t *facts)
{
    char *text = read_text(doctor, "/sys/class/mei/mei0/fw_ver");
    char *rest = text;
    char *line = text ? next_line(&rest) : NULL;
    char *version = line ? strchr(line, ':') : NULL;

    if (version)
        report_text(facts, "csme", version + 1);
    free(text);
}

/* Which sleep the machine has: "s2idle [deep]". */
static void look_at_sleep(const struct doctor *doctor, json_t *facts)
{
    char *text = read_text(doctor, "/sys/power/mem_sleep");
    char *rest = text;

    if (text)
        report_text(facts, "sleep", next_line(&rest));
    free(text);
}

static void look_tpm(struct doctor *doctor, json_t *facts)
{
    struct devid_device_state state;
    struct devid_error err = {0};

    look_at_engine_version(doctor, facts);
    look_at_sleep(doctor, facts);
    /* The TPM here is not that of another system's files. */
    if (*doctor->root || is_token_uri(args_text(doctor->args, ROW_DEVICE))) {
        report_flag(facts, "not_asked", true);
        return;
    }
    if (!doctor->engine) {
        report_text(facts, "error", doctor->engine_error);
        return;
    }
    if (devid_device_state(doctor->engine, args_text(doctor->args, ROW_DEVICE),
                           &state, &err)) {
        report_text(facts, "error", err.text);
    } else {
        report_text(facts, "device", state.device);
        report_flag(facts, "managed", state.managed);
        put_properties(facts, &state);
        put_held(facts, &state);
        report_text(facts, "parent_name", getenv("DEVID_TPM2_PARENT_NAME"));
        put_clock(facts, &state.clock);
    }
    devid_device_state_clear(&state);
}

/* ---- reading ------------------------------------------------------------- */

bool tpm_property(const json_t *tpm, enum tpm_property id, uint32_t *value)
{
    const json_t *found;
    char name[16];

    (void)snprintf(name, sizeof(name), "0x%03x", (unsigned)id);
    found = json_object_get(json_object_get(tpm, "properties"), name);
    *value = (uint32_t)json_integer_value(found);
    return json_is_integer(found);
}

void tpm_manufacturer(const json_t *tpm, char *text, size_t size)
{
    uint32_t word = 0;
    size_t len = 0;

    (void)tpm_property(tpm, PT_MANUFACTURER, &word);
    for (int shift = 24; shift >= 0; shift -= 8) {
        char c = (char)(word >> shift);

        if (isgraph((unsigned char)c) && len + 1 < size)
            text[len++] = c;
    }
    text[len] = '\0';
}

bool tpm_is_software(const json_t *tpm)
{
    char maker[8];

    /* libtpms says IBM with "SW   TPM", the reference code MSFT, XYZZ before.
     */
    tpm_manufacturer(tpm, maker, sizeof(maker));
    return strcmp(maker, "IBM") == 0 || strcmp(maker, "XYZZ") == 0;
}

const struct theme tpm_theme = {
    .name = "tpm",
    .look = look_tpm,
    .judge = judge_tpm,
};
