/* SPDX-License-Identifier: Apache-2.0 */
/* Part of devid.h, which is what others include. What the rest stands on:
 * errors, and the engine with its settings. */
#ifndef DEVID_FACE_ENGINE_H
#define DEVID_FACE_ENGINE_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What may be ignored is said so at the call; everything else is checked. */
#define DEVID_CHECK __attribute__((warn_unused_result))

/* ---- errors ---------------------------------------------------------- */

enum devid_err {
    DEVID_OK = 0,
    DEVID_ERR_USAGE,     /* the caller asked for what makes no sense */
    DEVID_ERR_INPUT,     /* a file, a URI or a value is malformed */
    DEVID_ERR_NO_DEVICE, /* the device cannot be reached */
    DEVID_ERR_NOT_FOUND, /* no such key, parent, index or object */
    DEVID_ERR_WRONG_KEY, /* the device holds another key, or is another */
    DEVID_ERR_EXISTS,    /* handle or name already taken */
    DEVID_ERR_ALG,       /* algorithm, hash or scheme not possible here */
    DEVID_ERR_AUTH,      /* authorisation missing or wrong */
    DEVID_ERR_LOCKED,    /* the device refuses authorisations for a while */
    DEVID_ERR_BUSY,      /* no room or no turn within the time allowed */
    DEVID_ERR_DEVICE,    /* any other answer of the device */
    DEVID_ERR_SYSTEM,    /* memory, files, libcrypto */
};

#define DEVID_ERROR_TEXT_SIZE 768

/* Why a call failed. Lives on the caller's stack; zero it or leave it. */
struct devid_error {
    uint32_t device_rc; /* raw TSS2_RC or CK_RV; 0 where no device spoke */
    char text[DEVID_ERROR_TEXT_SIZE]; /* one sentence, never a secret */
};

/* ---- the engine ------------------------------------------------------ */

/*
 * Settings by name, so that openssl.cnf, the environment and command lines
 * share one table. A setting's environment variable wins over devid_set().
 */
struct devid_setting {
    const char *name; /* as in openssl.cnf: "tcti" */
    const char *env;  /* "DEVID_TCTI" */
    const char *help; /* one line */
};

/* The table of settings, ended by a row whose name is NULL. */
const struct devid_setting *devid_settings(void);

struct devid;

/*
 * Make an engine. Opens and touches no device.
 *
 * libctx  borrowed, may be NULL (the default context): where hashing and
 *         software verification are fetched, always with provider!=devid
 * engine  out
 *
 * Environment variables are read here and never again.
 * Returns DEVID_OK, DEVID_ERR_INPUT (a bad value in the environment) or
 * _SYSTEM. Cost: no device command.
 */
DEVID_CHECK enum devid_err
devid_new(OSSL_LIB_CTX *libctx, struct devid **engine, struct devid_error *err);

/*
 * Give a setting its value, before the first key is opened. Ignored, after a
 * check of the value, where the environment gave one.
 *
 * Returns DEVID_OK, DEVID_ERR_INPUT (unknown name or bad value).
 */
DEVID_CHECK enum devid_err devid_set(struct devid *engine, const char *name,
                                     const char *value,
                                     struct devid_error *err);

/* Drop the caller's reference; open keys hold their own. NULL-safe. */
void devid_free(struct devid **engine);

/* The engine's library context, borrowed. */
OSSL_LIB_CTX *devid_libctx(const struct devid *engine);

/*
 * Close the device connections that this process opened: at a program's end.
 * Idempotent; a child never closes what its parent opened.
 * Cost: one FlushContext a loaded key where no resource manager does it.
 */
void devid_shutdown(void);

/* ---- memory for secrets ---------------------------------------------- */

/*
 * Zeroed pages of their own, kept out of core dumps and locked into memory, as
 * far as the user's limit lets them be. NULL: there is no memory.
 */
void *devid_locked_new(size_t size);
/* Wiped first; NULL-safe; sets NULL. `size` as it was asked for. */
void devid_locked_free(void **memory, size_t size);

/* ---- code of others -------------------------------------------------- */

/*
 * A PKCS#11 module runs in the caller's process, which its crash ends. While
 * one runs on the calling thread the engine notes it here, for a handler of
 * SIGSEGV that says whose code it was; who calls a module himself may do so.
 *
 * module  its file or name; borrowed until devid_foreign_leave()
 * call    "C_Initialize"; a literal; NULL where it is not known
 */
void devid_foreign_enter(const char *module, const char *call);
void devid_foreign_leave(void);
/* For signal handlers: the module, or NULL, and the call. */
const char *devid_foreign_module(const char **call);

#ifdef __cplusplus
}
#endif

#endif
