/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who sits on the bus may show a key of his own in the place of the storage
 * key, and open what is salted to it. That key's Name, once recorded, tells.
 * Source: TPM 2.0 Part 1, 16 (Names).
 */
#include "tpm2.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NAME_HEX_SIZE (2 * sizeof(TPM2B_NAME) + 1)

void tpm2_name_hex(const TPM2B_NAME *name, char *text, size_t size)
{
    *text = '\0';
    for (size_t i = 0; i < name->size && 2 * i + 3 <= size; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", name->name[i]);
}

/* One of several, with commas between them; the setting's form is checked. */
static bool is_listed(const char *list, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = list; at != NULL;) {
        if (strncasecmp(at, name, len) == 0 &&
            (at[len] == '\0' || at[len] == ','))
            return true;
        at = strchr(at, ',');
        if (at != NULL)
            at++;
    }
    return false;
}

enum devid_err tpm2_parent_check(struct tpm2_conn *conn, ESYS_TR object,
                                 const char *where, struct devid_error *err)
{
    TPM2B_PUBLIC pub;
    TPM2B_NAME name = {0};
    char text[NAME_HEX_SIZE];
    enum devid_err e;

    if (*conn->parent_name == '\0')
        return DEVID_OK;
    if (!tpm2_object_public(conn, object, &pub))
        return devid_fail(err, DEVID_ERR_SYSTEM, 0,
                          "this version of tpm2-tss does not show which key it "
                          "has read, so tpm2-parent-name cannot be compared: "
                          "use version 3 or 4, or take the setting out");
    /* By the library context that ESYS salts sessions in. */
    e = tpm2_public_name(&pub.publicArea, NULL, &name, err);
    if (e != DEVID_OK)
        return e;
    tpm2_name_hex(&name, text, sizeof(text));
    if (is_listed(conn->parent_name, text))
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_WRONG_KEY, 0,
                      "%s shows a storage key whose Name is %s, and "
                      "tpm2-parent-name says %.280s: somebody between here and "
                      "the TPM shows a key of his own, or this is another TPM, "
                      "or it was cleared; where that is so, and you know it, "
                      "change the setting",
                      where, text, conn->parent_name);
}
