/* SPDX-License-Identifier: Apache-2.0 */
/* The settings: their names, and what they may be. */
#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LOCK_TIMEOUT_MAX_S 3600

static const struct devid_setting settings[] = {
    [SETTING_TCTI] = {"tcti", "DEVID_TCTI",
                      "where the TPM is, as a TCTI string: device:/dev/tpmrm0"},
    [SETTING_SHARING] = {"tpm2-sharing", "DEVID_TPM2_SHARING",
                         "auto, managed (a resource manager stands before the "
                         "TPM) or bare"},
    [SETTING_OPEN] = {"tpm2-open", "DEVID_TPM2_OPEN",
                      "late (at the first signature) or early (when a key is "
                      "loaded, for children that may not)"},
    [SETTING_PARENT_NAME] = {"tpm2-parent-name", "DEVID_TPM2_PARENT_NAME",
                             "the Name of the TPM's storage key, in hex: a key "
                             "of another one in its place is refused"},
    [SETTING_LOCK_TIMEOUT] = {"lock-timeout", "DEVID_LOCK_TIMEOUT",
                              "seconds to wait for a busy device"},
    [SETTING_CHECK] = {"check-signatures", "DEVID_CHECK_SIGNATURES",
                       "auto (RSA, and where another key may have signed) or "
                       "always"},
    [SETTING_AUTH] = {"auth-source", "DEVID_AUTH_SOURCE",
                      "where the auth value of keys is: file:PATH or env:NAME"},
    [SETTING_PARENT_AUTH] = {"parent-auth-source", "DEVID_PARENT_AUTH_SOURCE",
                             "where the auth value of the keys' parent is"},
    [SETTING_OWNER_AUTH] = {"owner-auth-source", "DEVID_OWNER_AUTH_SOURCE",
                            "where the owner hierarchy's auth value is"},
    [SETTING_ENDORSEMENT_AUTH] =
        {"endorsement-auth-source", "DEVID_ENDORSEMENT_AUTH_SOURCE",
         "where the endorsement hierarchy's auth value is"},
    [SETTING_LOCKOUT_AUTH] = {"lockout-auth-source",
                              "DEVID_LOCKOUT_AUTH_SOURCE",
                              "where the lockout hierarchy's auth value is"},
    [SETTING_PIN] = {"pin-source", "DEVID_PIN_SOURCE",
                     "where a token's PIN is: file:PATH or env:NAME; or ask, "
                     "for the program's passphrase"},
    [SETTING_PIN_PROGRAM] = {"pin-program", "DEVID_PIN_PROGRAM",
                             "yes (pin-source=|PROGRAM in a URI runs that "
                             "program, in a key file never) or no"},
    [SETTING_MODULE] = {"pkcs11-module", "DEVID_PKCS11_MODULE",
                        "the PKCS#11 module's file, where a key's URI names "
                        "none; a key file's must be this one, or p11-kit's"},
    [SETTING_COPY_KEYS] = {"pkcs11-copy-keys", "DEVID_PKCS11_COPY_KEYS",
                           "yes (a token signs with a copy of the key in its "
                           "session, which some do faster) or no"},
    [SETTING_RANDOM] = {"random-source", "DEVID_RANDOM_SOURCE",
                        "the device that DEVID-SEED takes random numbers from: "
                        "tpm2: or a token's URI"},
    [SETTING_COUNT] = {NULL, NULL, NULL},
};

const struct devid_setting *devid_settings(void)
{
    return settings;
}

/* What can be but one of a few words. */
static const struct {
    const char *words[3];
    const char *text;
} choices[] = {
    [SETTING_SHARING] = {{"auto", "managed", "bare"}, "auto, managed or bare"},
    [SETTING_OPEN] = {{"early", "late"}, "early or late"},
    [SETTING_CHECK] = {{"auto", "always"}, "auto or always"},
    [SETTING_PIN_PROGRAM] = {{"yes", "no"}, "yes or no"},
    [SETTING_COPY_KEYS] = {{"yes", "no"}, "yes or no"},
};

static enum devid_err check_choice(enum setting which, const char *value,
                                   const char *where, struct devid_error *err)
{
    for (size_t i = 0; i < 3 && choices[which].words[i] != NULL; i++) {
        if (strcmp(value, choices[which].words[i]) == 0)
            return DEVID_OK;
    }
    return devid_fail(err, DEVID_ERR_INPUT, 0, "%s is '%s': it must be %s",
                      where, value, choices[which].text);
}

/* Where a secret is read from. */
static enum devid_err check_source(const char *value, const char *where,
                                   const char *more, struct devid_error *err)
{
    if ((strncmp(value, "file:", 5) == 0 && value[5] != '\0') ||
        (strncmp(value, "env:", 4) == 0 && value[4] != '\0'))
        return DEVID_OK;
    /* Not shown: it may be the secret itself, put in the wrong place. */
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "%s must be file:PATH or env:NAME, where the secret is "
                      "read from%s; the secret itself never stands there",
                      where, more);
}

/* A whole one. Not shown where it is wrong: a URI may have a PIN in it. */
static enum devid_err check_device(const char *value, const char *where,
                                   struct devid_error *err)
{
    if (strcmp(value, "tpm2:") == 0 ||
        (strncmp(value, "pkcs11:", 7) == 0 && value[7] != '\0'))
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "%s must be a device: tpm2: or a token's URI such as "
                      "pkcs11:token=factory",
                      where);
}

/* Hash and digest, as a TPM gives them; several where there are commas. */
static enum devid_err check_names(const char *value, const char *where,
                                  struct devid_error *err)
{
    bool good = true;

    for (const char *at = value; good && at != NULL;) {
        const char *end = at + strspn(at, "0123456789abcdefABCDEF");
        size_t bytes = (size_t)(end - at) / 2;

        good = (end - at) % 2 == 0 && (*end == '\0' || *end == ',') &&
               ((strncmp(at, "0004", 4) == 0 && bytes == 2 + 20) ||
                (strncasecmp(at, "000b", 4) == 0 && bytes == 2 + 32) ||
                (strncasecmp(at, "000c", 4) == 0 && bytes == 2 + 48) ||
                (strncasecmp(at, "000d", 4) == 0 && bytes == 2 + 64));
        at = *end == ',' ? end + 1 : NULL;
    }
    if (good)
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "%s is '%.140s': it must be the Name of a TPM key in "
                      "hex, such as 000b and a SHA-256, as devid show "
                      "tpm2:handle=0x81000001 has it; several with a comma "
                      "between them",
                      where, value);
}

static enum devid_err check_seconds(const char *value, const char *where,
                                    struct devid_error *err)
{
    char *end = NULL;
    unsigned long seconds;

    errno = 0;
    seconds = strtoul(value, &end, 10);
    if (*value >= '0' && *value <= '9' && *end == '\0' && errno == 0 &&
        seconds <= LOCK_TIMEOUT_MAX_S)
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "%s is '%s': it must be a number of seconds from 0 to "
                      "%d",
                      where, value, LOCK_TIMEOUT_MAX_S);
}

enum devid_err devid_setting_check(size_t which, const char *value,
                                   const char *where, struct devid_error *err)
{
    switch ((enum setting)which) {
    case SETTING_TCTI:
        if (*value != '\0')
            return DEVID_OK;
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "%s is empty: give a TCTI string such as "
                          "device:/dev/tpmrm0, or leave it out",
                          where);
    case SETTING_SHARING:
    case SETTING_OPEN:
    case SETTING_CHECK:
    case SETTING_PIN_PROGRAM:
    case SETTING_COPY_KEYS:
        return check_choice((enum setting)which, value, where, err);
    case SETTING_PARENT_NAME:
        return check_names(value, where, err);
    case SETTING_LOCK_TIMEOUT:
        return check_seconds(value, where, err);
    case SETTING_MODULE:
        if (*value != '\0')
            return DEVID_OK;
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "%s is empty: give the file of a PKCS#11 module, or "
                          "leave it out",
                          where);
    case SETTING_RANDOM:
        return check_device(value, where, err);
    case SETTING_PIN:
        if (strcmp(value, "ask") == 0)
            return DEVID_OK;
        return check_source(value, where, ", or ask", err);
    case SETTING_AUTH:
    case SETTING_PARENT_AUTH:
    case SETTING_OWNER_AUTH:
    case SETTING_ENDORSEMENT_AUTH:
    case SETTING_LOCKOUT_AUTH:
        return check_source(value, where, "", err);
    case SETTING_COUNT:
        break;
    }
    return devid_fail(err, DEVID_ERR_INPUT, 0, "%s is no setting", where);
}

enum devid_err devid_setting_unknown(const char *name, struct devid_error *err)
{
    char known[512] = "";
    size_t len = 0;

    for (size_t i = 0; i < SETTING_COUNT && len < sizeof(known); i++)
        len += (size_t)snprintf(known + len, sizeof(known) - len, "%s%s",
                                i == 0                   ? ""
                                : i == SETTING_COUNT - 1 ? " and "
                                                         : ", ",
                                settings[i].name);
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "there is no setting '%s': devid has %s", name, known);
}
