/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a device keeps what a station gave it: the TPM's NV, and the folder of
 * the identity, for programs.
 */
#ifndef DEVID_TOOLS_KEEP_H
#define DEVID_TOOLS_KEEP_H

#include "certificates.h"
#include "identity.h"

#define KEEP_FOLDER "/var/lib/devid/idevid"

struct keep_spec {
    const char *folder;
    bool nv_optional;  /* a chip without room keeps them on disk alone */
    bool replace_ours; /* also a certificate of our key by somebody else */
};

/*
 * Write the certificates of a TPM's keys to their NV indices, that of the IAK
 * first. The same one is left alone, one of another key is replaced, and said.
 *
 * in_nv  out: false where the chip has no room, and need not have
 *
 * Prints the sentence on failure: EXIT_NO_ROOM, EXIT_DEVICE, EXIT_FAILED.
 */
enum exit_code keep_in_nv(struct devid *engine, const struct keep_spec *spec,
                          const struct certificates *certificates,
                          const struct certificates_owner *owner, bool *in_nv);

/* Write the certificate beside the key of a token. */
enum exit_code keep_on_token(struct devid *engine, const struct devid_key *key,
                             const struct keep_spec *spec, X509 *cert);

/*
 * Make the folder hold key.pem, the key's reference; cert.pem; chain.pem, the
 * certificate and those between it and the last of `ca`; ca.pem, that one and
 * the anchors; combined.pem, key and chain; unit.json; iak.pem, of a TPM.
 *
 * unit  what is known of the unit: {"unit": ID, "serial": ..., ...}; NULL:
 *       there is to be no unit.json
 */
enum exit_code keep_on_disk(const struct devid_key *key,
                            const struct keep_spec *spec,
                            const struct certificates *certificates,
                            const json_t *unit, bool *changed);

/*
 * unit.json of the folder, the caller's. NULL: there is none; nothing is
 * printed.
 */
json_t *keep_read_unit(const char *folder);

#endif
