/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A back end for tests: a scripted device with software keys, behind the same
 * table as real hardware. It answers to the TPM's URI schemes and lacks what
 * TPMs lack: by itself it pads RSA with SHA-1, -256, -384 and -512 and with
 * PSS salts of the digest's length; the rest takes a key that may decrypt.
 * One device a process.
 */
#ifndef DEVID_FAKE_BACKEND_H
#define DEVID_FAKE_BACKEND_H

#include "backend.h"

/* For devid_new_with. */
extern const struct devid_backend *const fake_backends[];

/* What has been asked since fake_reset. */
struct fake_calls {
    unsigned open;
    unsigned close;
    unsigned key_open;
    unsigned key_free;
    unsigned key_find;
    unsigned key_create;
    unsigned sign;
    unsigned decrypt;
    unsigned derive;
    unsigned remove;
    unsigned list;
    unsigned cert_read;
    unsigned whoami;
    unsigned random;
};
struct fake_calls fake_calls(void);

/* Empty memory, nothing counted, no answer scripted. */
void fake_reset(void);

/*
 * Script the next call to the device (key_find, key_create, sign,
 * decrypt, derive, remove, list, cert_read, whoami, random): it fails with this
 * and does nothing. Up to eight are kept, in order.
 */
void fake_fail_next(enum devid_err code, uint32_t device_rc, const char *text);

/*
 * The next `count` signatures are wrong by a bit; all until fake_reset are said
 * to be `doubtful`, or not.
 */
void fake_spoil(unsigned count, bool doubtful);

/* From now on the device's random bytes are all of this value; -1: random. */
void fake_set_random(int value);

/* What keys opened from now on may do. */
void fake_set_limits(const struct devid_key_limits *limits);

/* The certificate that the device holds at tpm2:nv=0x01c90200. */
void fake_set_cert(const uint8_t *der, size_t len);

#endif
