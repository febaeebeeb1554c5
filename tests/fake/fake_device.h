/* SPDX-License-Identifier: Apache-2.0 */
/* The fake's inside: one device a process. */
#ifndef DEVID_FAKE_DEVICE_H
#define DEVID_FAKE_DEVICE_H

#include "fake_backend.h"

#include <pthread.h>

#define FAKE_SLOTS 8
#define FAKE_SCRIPT_MAX 8

#define FAKE_AUTH_MAX 32

/* What the device knows of a key beside its numbers. */
struct fake_attributes {
    bool decrypt;
    uint8_t auth_len; /* 0: none */
    uint8_t auth[FAKE_AUTH_MAX];
};

/* A key that is open. */
struct fake_key {
    struct devid_public pub;
    EVP_PKEY *pkey;  /* a blob's; NULL: in the device, at `handle` */
    uint32_t handle; /* of a reference */
    struct fake_attributes attributes; /* of a blob */
    struct devid_secret *auth;         /* what was given */
};

/* A key inside the device. */
struct fake_slot {
    uint32_t handle; /* 0: free */
    EVP_PKEY *pkey;
    struct fake_attributes attributes;
};

struct fake_answer {
    enum devid_err code;
    uint32_t device_rc;
    char text[200];
};

struct fake_device {
    pthread_mutex_t lock; /* guards all below */
    struct fake_calls calls;
    struct fake_slot slots[FAKE_SLOTS];
    struct fake_answer script[FAKE_SCRIPT_MAX];
    unsigned script_len;
    unsigned spoilt; /* so many signatures more come out wrong */
    bool doubtful;
    struct devid_key_limits limits;
    uint8_t cert[4096];
    size_t cert_len;
    int random; /* the one byte that it knows; -1: all */
};
extern struct fake_device fake_device;

void fake_lock(void);
void fake_unlock(void);

/* Count a call that does not reach the device. */
void fake_count(unsigned *call);

/* Count a call to the device and give it its scripted answer, if any. */
enum devid_err fake_answer(unsigned *call, struct devid_error *err);

/* The slot of a handle, 0 for a free one; NULL where there is none. */
struct fake_slot *fake_find_slot(uint32_t handle);

/* DEVID_ERR_NOT_FOUND with its sentence. */
enum devid_err fake_no_such_handle(uint32_t handle, struct devid_error *err);

/* The part of the table that has to do with keys. */
void fake_key_free(void **key);
enum devid_err fake_key_open(void *state, const struct devid_keyfile *file,
                             void **key, struct devid_public *pub,
                             struct devid_key_limits *limits,
                             struct devid_error *err);
enum devid_err fake_key_find(void *state, const char *uri,
                             struct devid_keyfile *file,
                             struct devid_error *err);
enum devid_err fake_key_create(void *state, const struct devid_key_spec *spec,
                               struct devid_keyfile *file,
                               struct devid_error *err);
enum devid_err fake_sign(void *key, const struct devid_tbs *tbs,
                         struct devid_sig *sig, struct devid_error *err);
enum devid_err fake_decrypt(void *key, const struct devid_ciphertext *c,
                            struct devid_block *block, struct devid_error *err);
enum devid_err fake_derive(void *key, const struct devid_public *peer,
                           struct devid_shared *shared,
                           struct devid_error *err);
void fake_key_set_auth(void *key, struct devid_secret *auth);
void fake_key_info(const void *key, struct devid_key_info *info);

#endif
