/* SPDX-License-Identifier: Apache-2.0 */
/* What devid_set() takes; the table of them is devid_settings(). */
#ifndef DEVID_SETTINGS_H
#define DEVID_SETTINGS_H

#include "backend.h"

/* Where each stands in devid_settings(). */
enum setting {
    SETTING_TCTI,
    SETTING_SHARING,
    SETTING_OPEN,
    SETTING_PARENT_NAME,
    SETTING_LOCK_TIMEOUT,
    SETTING_CHECK,
    SETTING_AUTH,
    SETTING_PARENT_AUTH,
    SETTING_OWNER_AUTH,
    SETTING_ENDORSEMENT_AUTH,
    SETTING_LOCKOUT_AUTH,
    SETTING_PIN,
    SETTING_PIN_PROGRAM,
    SETTING_MODULE,
    SETTING_COPY_KEYS,
    SETTING_RANDOM,
    SETTING_COUNT,
};

/*
 * May the setting have this value? `where` says in the sentence whose it is:
 * the setting's name, or that of an environment variable.
 *
 * Returns DEVID_OK, DEVID_ERR_INPUT.
 */
DEVID_CHECK enum devid_err devid_setting_check(size_t which, const char *value,
                                               const char *where,
                                               struct devid_error *err);
/* DEVID_ERR_INPUT: there is no setting of that name; these there are. */
enum devid_err devid_setting_unknown(const char *name, struct devid_error *err);

#endif
