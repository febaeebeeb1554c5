/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URIs of the TPM back end. Pure.
 *
 *   tpm2:                      the device
 *   tpm2:handle=0x81020000     a persistent key
 *   tpm2:handle=0x81020000;auth=required   one with an auth value
 *   tpm2:nv=0x01c90200         a certificate in NV
 *   handle:0x81020000          as tpm2-openssl spells either
 */
#ifndef DEVID_URI_H
#define DEVID_URI_H

#include "devid.h"

enum devid_tpm2_uri_kind {
    DEVID_TPM2_DEVICE,
    DEVID_TPM2_KEY,
    DEVID_TPM2_NV,
};

struct devid_tpm2_uri {
    enum devid_tpm2_uri_kind kind;
    uint32_t handle;    /* persistent 0x81xxxxxx, or NV index 0x01xxxxxx */
    bool auth_required; /* the key has an auth value: ask when it is loaded */
};

/* Returns DEVID_OK or DEVID_ERR_INPUT with what is wrong and where. */
DEVID_CHECK enum devid_err devid_tpm2_uri_parse(const char *text,
                                                struct devid_tpm2_uri *uri,
                                                struct devid_error *err);

/*
 * A handle as people type it: hexadecimal with 0x, 1 to 8 digits, nothing
 * else. `what` names the value in the sentence.
 */
DEVID_CHECK enum devid_err devid_handle_parse(const char *text,
                                              const char *what,
                                              uint32_t *handle,
                                              struct devid_error *err);

#endif
