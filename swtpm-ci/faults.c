/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults that tpm-proxy makes.
 */
#include "faults.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <tss2/tss2_tpm2_types.h>

#include "command_log.h"
#include "commands.h"

enum {
    LINE_SIZE = 256,
    HANDLE_LEN = 4,
    SIZE_LEN = 4, /* of an authorisation area, or of parameters */
    HOLD_STEP_MS = 5,
    MS_PER_S = 1000,
    NS_PER_MS = 1000000
};

/* ---- the file -------------------------------------------------------- */

static const struct {
    const char *word;
    enum fault_kind kind;
    bool takes_number;
} kinds[] = {
    {"refuse", FAULT_REFUSE, true},  {"delay", FAULT_DELAY, true},
    {"hold", FAULT_HOLD, false},     {"lose", FAULT_LOSE, false},
    {"garble", FAULT_GARBLE, false}, {"cut", FAULT_CUT, false},
};

static bool parse_number(const char *text, uint32_t *number)
{
    char *end = NULL;
    unsigned long value;

    if (!text)
        return false;
    errno = 0;
    value = strtoul(text, &end, 0);
    if (end == text || *end || errno || value > UINT32_MAX)
        return false;
    *number = (uint32_t)value;
    return true;
}

/* "after=2" and "times=1", in any order. */
static bool parse_limits(char **rest, struct fault *rule)
{
    const char *word;

    while ((word = strtok_r(NULL, " \t\n", rest))) {
        bool ok = false;

        if (strncmp(word, "after=", 6) == 0)
            ok = parse_number(word + 6, &rule->after);
        else if (strncmp(word, "times=", 6) == 0)
            ok = parse_number(word + 6, &rule->times);
        if (!ok)
            return false;
    }
    return true;
}

static bool parse_rule(char *line, struct fault *rule)
{
    char *rest = NULL;
    const char *word = strtok_r(line, " \t\n", &rest);
    size_t i = 0;

    *rule = (struct fault){.times = UINT32_MAX};
    while (word && i < sizeof(kinds) / sizeof(*kinds) &&
           strcmp(kinds[i].word, word) != 0)
        i++;
    if (!word || i == sizeof(kinds) / sizeof(*kinds))
        return false;
    rule->kind = kinds[i].kind;
    if (rule->kind == FAULT_CUT)
        return !strtok_r(NULL, " \t\n", &rest);
    word = strtok_r(NULL, " \t\n", &rest);
    if (!word || strlen(word) >= sizeof(rule->command))
        return false;
    memcpy(rule->command, word, strlen(word) + 1);
    if (kinds[i].takes_number &&
        !parse_number(strtok_r(NULL, " \t\n", &rest), &rule->number))
        return false;
    return parse_limits(&rest, rule);
}

/* A test must not pass because its fault was misspelt. */
static void read_rules(struct faults *faults, FILE *file)
{
    char line[LINE_SIZE];
    char copy[LINE_SIZE];

    faults->count = 0;
    while (fgets(line, sizeof(line), file)) {
        memcpy(copy, line, sizeof(copy));
        if (faults->count == FAULTS_MAX)
            errx(EXIT_FAILURE, "%s has more than %d rules", faults->path,
                 (int)FAULTS_MAX);
        if (!parse_rule(copy, &faults->rules[faults->count]))
            errx(EXIT_FAILURE, "this line of %s is no rule: %s", faults->path,
                 line);
        faults->count++;
    }
}

static bool is_read(const struct faults *faults, const struct stat *now)
{
    const struct stat *read = &faults->read;

    return read->st_ino == now->st_ino && read->st_size == now->st_size &&
           read->st_mtim.tv_sec == now->st_mtim.tv_sec &&
           read->st_mtim.tv_nsec == now->st_mtim.tv_nsec;
}

static void refresh(struct faults *faults)
{
    struct stat now = {0};
    FILE *file;

    if (!faults->path)
        return;
    /* There is no file, and so no fault, between two faults. */
    file = fopen(faults->path, "re");
    if (!file) {
        faults->count = 0;
        faults->read = now;
        return;
    }
    if (fstat(fileno(file), &now) == 0 && !is_read(faults, &now)) {
        read_rules(faults, file);
        faults->read = now;
    }
    (void)fclose(file);
}

bool faults_cut(struct faults *faults)
{
    refresh(faults);
    for (size_t i = 0; i < faults->count; i++) {
        if (faults->rules[i].kind == FAULT_CUT)
            return true;
    }
    return false;
}

/* ---- a command ------------------------------------------------------- */

static uint16_t get_u16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/* The scheme of a TPM2_Sign: TPM 2.0 Part 3, TPM2_Sign, its parameters. */
static const char *sign_scheme(const uint8_t *command, size_t len)
{
    size_t at = TPM_HEADER_LEN + HANDLE_LEN;

    if (get_u16(command) == TPM2_ST_SESSIONS) {
        if (at + SIZE_LEN > len)
            return "";
        at += SIZE_LEN + get_u32(command + at);
    }
    if (at + 2 > len)
        return "";
    at += 2U + get_u16(command + at); /* the digest */
    if (at + 2 > len)
        return "";
    switch (get_u16(command + at)) {
    case TPM2_ALG_RSASSA:
        return "RSASSA";
    case TPM2_ALG_RSAPSS:
        return "RSAPSS";
    case TPM2_ALG_ECDSA:
        return "ECDSA";
    default:
        return "";
    }
}

static bool matches(const struct fault *rule, const uint8_t *command,
                    size_t len)
{
    const uint32_t code = get_u32(command + TPM_CODE_AT);
    const char *name = tpm_command_name(code);
    size_t name_len;

    if (strcmp(rule->command, "*") == 0)
        return true;
    name_len = name ? strlen(name) : 0;
    if (!name || strncmp(rule->command, name, name_len) != 0)
        return false;
    if (rule->command[name_len] == '\0')
        return true;
    return rule->command[name_len] == '/' && code == TPM2_CC_Sign &&
           strcmp(rule->command + name_len + 1, sign_scheme(command, len)) == 0;
}

/* Counts the command; true where the rule strikes it. */
static bool strikes(struct fault *rule, const uint8_t *command, size_t len)
{
    if (rule->kind == FAULT_CUT || !matches(rule, command, len))
        return false;
    if (rule->after > 0) {
        rule->after--;
        return false;
    }
    if (rule->times == 0)
        return false;
    if (rule->times != UINT32_MAX)
        rule->times--;
    return true;
}

static void sleep_ms(uint32_t ms)
{
    struct timespec left = {.tv_sec = ms / MS_PER_S,
                            .tv_nsec = (long)(ms % MS_PER_S) * NS_PER_MS};

    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        continue;
}

/* Until the file that asks for it is no longer there. */
static void hold(const struct faults *faults)
{
    char sign[PATH_MAX];
    struct stat now;
    int fd;

    (void)snprintf(sign, sizeof(sign), "%s.held", faults->path);
    fd = open(sign, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        err(EXIT_FAILURE, "cannot write %s", sign);
    (void)close(fd);
    while (stat(faults->path, &now) == 0 && is_read(faults, &now))
        sleep_ms(HOLD_STEP_MS);
    (void)unlink(sign);
}

struct fault_effect faults_strike(struct faults *faults, const uint8_t *command,
                                  size_t len)
{
    struct fault_effect effect = {0};

    for (size_t i = 0; i < faults->count; i++) {
        struct fault *rule = &faults->rules[i];

        if (!strikes(rule, command, len))
            continue;
        switch (rule->kind) {
        case FAULT_REFUSE:
            effect.refusal = rule->number;
            break;
        case FAULT_DELAY:
            sleep_ms(rule->number);
            break;
        case FAULT_HOLD:
            hold(faults);
            break;
        case FAULT_LOSE:
            effect.lose = true;
            break;
        case FAULT_GARBLE:
            effect.garble = true;
            break;
        case FAULT_CUT: /* strikes() leaves it out */
            break;
        }
    }
    return effect;
}

/* ---- an answer ------------------------------------------------------- */

size_t faults_refusal(uint32_t code, uint8_t *response)
{
    const uint8_t header[TPM_HEADER_LEN] = {
        TPM2_ST_NO_SESSIONS >> 8,
        TPM2_ST_NO_SESSIONS & 0xff,
        0,
        0,
        0,
        TPM_HEADER_LEN,
        (uint8_t)(code >> 24),
        (uint8_t)(code >> 16),
        (uint8_t)(code >> 8),
        (uint8_t)code,
    };

    memcpy(response, header, sizeof(header));
    return sizeof(header);
}

/* Those whose answer has a handle before its parameters. */
static size_t handles_len(uint32_t command)
{
    static const uint32_t with_handle[] = {
        TPM2_CC_ContextLoad,  TPM2_CC_CreateLoaded,      TPM2_CC_CreatePrimary,
        TPM2_CC_HMAC_Start,   TPM2_CC_HashSequenceStart, TPM2_CC_Load,
        TPM2_CC_LoadExternal, TPM2_CC_StartAuthSession};

    for (size_t i = 0; i < sizeof(with_handle) / sizeof(*with_handle); i++) {
        if (with_handle[i] == command)
            return HANDLE_LEN;
    }
    return 0;
}

void faults_garble(uint32_t command, uint8_t *response, size_t len)
{
    const size_t at = TPM_HEADER_LEN + handles_len(command);
    size_t last = len - 1;

    if (get_u32(response + TPM_CODE_AT) != TPM2_RC_SUCCESS)
        return;
    if (get_u16(response) == TPM2_ST_SESSIONS && at + SIZE_LEN <= len)
        last = at + SIZE_LEN - 1 + get_u32(response + at);
    if (last >= TPM_HEADER_LEN && last < len)
        response[last] ^= 1;
}
