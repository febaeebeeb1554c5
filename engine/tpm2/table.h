/* SPDX-License-Identifier: Apache-2.0 */
/* What backend.c has in the table: see backend.h. Part of tpm2.h. */
#ifndef DEVID_TPM2_TABLE_H
#define DEVID_TPM2_TABLE_H

#include "../backend.h"

struct tpm2_state {
    const struct devid *engine; /* borrowed: it outlives its back ends */
    struct tpm2_conn *conn;
};

enum devid_err tpm2_key_open(void *state, const struct devid_keyfile *file,
                             void **key, struct devid_public *pub,
                             struct devid_key_limits *limits,
                             struct devid_error *err);
void tpm2_key_free(void **key);
void tpm2_key_set_auth(void *key, struct devid_secret *auth);
enum devid_err tpm2_key_find(void *state, const char *uri,
                             struct devid_keyfile *file,
                             struct devid_error *err);
enum devid_err tpm2_key_create(void *state, const struct devid_key_spec *spec,
                               struct devid_keyfile *file,
                               struct devid_error *err);
enum devid_err tpm2_key_adopt(void *state, const char *parent,
                              struct devid_keyfile *file,
                              struct devid_error *err);
enum devid_err tpm2_key_import(void *state, const struct devid_key_spec *spec,
                               const EVP_PKEY *pkey, struct devid_keyfile *file,
                               struct devid_error *err);
enum devid_err tpm2_policy_sign(void *key, const struct devid_policy_spec *spec,
                                struct devid_policy *policy,
                                struct devid_error *err);
enum devid_err tpm2_sign(void *key, const struct devid_tbs *tbs,
                         struct devid_sig *sig, struct devid_error *err);
enum devid_err tpm2_decrypt(void *key, const struct devid_ciphertext *c,
                            struct devid_block *block, struct devid_error *err);
enum devid_err tpm2_derive(void *key, const struct devid_public *peer,
                           struct devid_shared *shared,
                           struct devid_error *err);
void tpm2_key_info(const void *key, struct devid_key_info *info);
enum devid_err tpm2_remove(void *state, const char *uri,
                           struct devid_error *err);
enum devid_err tpm2_list(void *state, const char *device, devid_object_fn *fn,
                         void *arg, struct devid_error *err);
enum devid_err tpm2_cert_read(void *state, const char *uri, uint8_t **der,
                              size_t *len, struct devid_error *err);
enum devid_err tpm2_nv_bytes(void *state, const char *uri, uint8_t **data,
                             size_t *len, struct devid_error *err);
enum devid_err tpm2_whoami(void *state, const char *device,
                           struct devid_device_info *info,
                           struct devid_error *err);
enum devid_err tpm2_random(void *state, const char *device, uint8_t *bytes,
                           size_t len, struct devid_error *err);

enum devid_err tpm2_device_state(void *state, const char *device,
                                 struct devid_device_state *out,
                                 struct devid_error *err);
enum devid_err tpm2_cert_write(void *state, const struct devid_cert_spec *spec,
                               struct devid_error *err);

/* inventory.c: what a handle or index is, by the TCG's registry; or NULL. */
const char *tpm2_role_of(uint32_t handle);

/* nv.c: read an index whole, with the connection open. */
DEVID_CHECK enum devid_err tpm2_nv_read(struct tpm2_conn *conn, uint32_t index,
                                        uint8_t **data, size_t *len,
                                        struct devid_error *err);
/* As much of it as the area says, once the index is open. */
DEVID_CHECK enum devid_err tpm2_nv_read_chunks(struct tpm2_conn *conn,
                                               ESYS_TR index,
                                               const TPMS_NV_PUBLIC *area,
                                               uint8_t *out,
                                               struct devid_error *err);
/* What the chip's NV takes: asked once. Borrowed from the connection. */
const struct tpm2_nv_limits *tpm2_nv_limits(struct tpm2_conn *conn);
/* One page of a capability; nothing past it is asked for. */
DEVID_CHECK enum devid_err tpm2_capability(struct tpm2_conn *conn,
                                           TPM2_CAP capability, UINT32 first,
                                           UINT32 count,
                                           TPMS_CAPABILITY_DATA **data,
                                           struct devid_error *err);

#endif
