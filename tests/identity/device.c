/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device under test: makes the calls of engine/identity.h and puts what they
 * give into files, a field a file, for a script to check.
 *
 *     device [--algorithm A] [--ek E] STEP... DIR
 *
 * A step is request, sign (of the SHA-256 or SHA-384 digest in DIR/digest),
 * activate (DIR/challenge, as tpm2_makecredential writes it; answers into
 * DIR/answer), certs (DIR/iak.der and DIR/idevid.der into NV) or a shell
 * command behind "!". Exits with the engine's code, 0 to 12, and its sentence.
 */
#include "identity.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    EXIT_USAGE = 20,
    FILE_MAX = 8192,
    /* tpm2_makecredential: magic, version, then two sized structures. */
    CHALLENGE_HEADER = 8,
};

struct device {
    struct devid *engine;
    struct devid_identity *identity;
    const char *dir;
};

static size_t read_file(const struct device *d, const char *name,
                        uint8_t data[FILE_MAX])
{
    char path[4096];
    FILE *file;
    size_t len;

    (void)snprintf(path, sizeof(path), "%s/%s", d->dir, name);
    file = fopen(path, "rb");
    if (file == NULL)
        err(EXIT_USAGE, "%s", path);
    len = fread(data, 1, FILE_MAX, file);
    (void)fclose(file);
    return len;
}

static void write_file(const struct device *d, const char *name,
                       const struct devid_field *field)
{
    char path[4096];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s", d->dir, name);
    file = fopen(path, "wb");
    if (file == NULL ||
        (field->len > 0 && fwrite(field->data, field->len, 1, file) != 1) ||
        fclose(file) != 0)
        err(EXIT_USAGE, "%s", path);
}

static enum devid_err do_request(struct device *d, struct devid_error *why)
{
    struct devid_identity_request r;
    enum devid_err e = devid_identity_request(d->identity, &r, why);

    if (e == DEVID_OK) {
        write_file(d, "ekPub", &r.ekPub);
        write_file(d, "ekCert", &r.ekCert.bytes);
        write_file(d, "attestPub", &r.attestPub);
        write_file(d, "atCreateTkt", &r.atCreateTkt);
        write_file(d, "creation", &r.creation);
        write_file(d, "atCertifyInfo", &r.atCertifyInfo);
        write_file(d, "atCertifyInfoSig", &r.atCertifyInfoSig);
        write_file(d, "signingPub", &r.signingPub);
        write_file(d, "sgnCertifyInfo", &r.sgnCertifyInfo);
        write_file(d, "sgnCertifyInfoSig", &r.sgnCertifyInfoSig);
        (void)printf("EK %s at 0x%08x, certificate at 0x%08x\n", r.ek_kind,
                     r.ek_handle, r.ekCert.index);
        for (size_t i = 0; i < r.ek_chain_count; i++)
            (void)printf("chain at 0x%08x: %zu bytes\n", r.ek_chain[i].index,
                         r.ek_chain[i].bytes.len);
    }
    devid_identity_request_clear(&r);
    return e;
}

static enum devid_err do_sign(struct device *d, struct devid_error *why)
{
    uint8_t digest[FILE_MAX];
    size_t len = read_file(d, "digest", digest);
    struct devid_field signature;
    enum devid_err e = devid_identity_sign(
        d->identity, devid_hash_by_name(len == 32 ? "SHA256" : "SHA384"),
        digest, &signature, why);

    if (e == DEVID_OK)
        write_file(d, "signature", &signature);
    devid_field_free(&signature);
    return e;
}

static size_t sized(const uint8_t *data)
{
    return (size_t)data[0] << 8 | data[1];
}

static enum devid_err do_activate(struct device *d, struct devid_error *why)
{
    uint8_t data[FILE_MAX] = {0};
    size_t len = read_file(d, "challenge", data);
    const uint8_t *credential = data + CHALLENGE_HEADER;
    const uint8_t *secret = credential + 2 + sized(credential);
    struct devid_activation challenge = {
        .credential = credential + 2,
        .credential_len = sized(credential),
        .secret = secret + 2,
        .secret_len = sized(secret),
    };
    struct devid_field answer;
    enum devid_err e;

    if (len < CHALLENGE_HEADER + 4)
        errx(EXIT_USAGE, "the challenge is too short");
    e = devid_identity_activate(d->identity, &challenge, &answer, why);
    if (e == DEVID_OK)
        write_file(d, "answer", &answer);
    devid_field_free(&answer);
    return e;
}

static enum devid_err do_certs(struct device *d, struct devid_error *why)
{
    static const char *const places[][2] = {
        {"iak.der", DEVID_IAK_CERT_URI},
        {"idevid.der", DEVID_IDEVID_CERT_URI},
    };
    enum devid_err e = DEVID_OK;

    for (size_t i = 0; e == DEVID_OK && i < 2; i++) {
        uint8_t der[FILE_MAX];
        struct devid_cert_spec spec = {
            .uri = places[i][1],
            .der = der,
            .len = read_file(d, places[i][0], der),
        };

        e = devid_cert_write(d->engine, &spec, why);
    }
    return e;
}

static enum devid_err step(struct device *d, const char *name,
                           struct devid_error *why)
{
    if (*name == '!') {
        if (system(name + 1) != 0)
            errx(EXIT_USAGE, "this failed: %s", name + 1);
        return DEVID_OK;
    }
    if (strcmp(name, "request") == 0)
        return do_request(d, why);
    if (strcmp(name, "sign") == 0)
        return do_sign(d, why);
    if (strcmp(name, "activate") == 0)
        return do_activate(d, why);
    if (strcmp(name, "certs") == 0)
        return do_certs(d, why);
    errx(EXIT_USAGE, "no step: %s", name);
}

int main(int argc, char **argv)
{
    struct devid_identity_spec spec = {.device = getenv("DEVICE_URI")};
    struct devid_error why = {0};
    struct device d = {.dir = argv[argc - 1]};
    enum devid_err e;
    int i = 1;

    for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
        if (strcmp(argv[i], "--algorithm") == 0)
            spec.algorithm = argv[i + 1];
        else
            spec.ek = argv[i + 1];
    }
    e = devid_new(NULL, &d.engine, &why);
    if (e == DEVID_OK)
        e = devid_identity_open(d.engine, &spec, &d.identity, &why);
    for (; e == DEVID_OK && i < argc - 1; i++)
        e = step(&d, argv[i], &why);
    if (e != DEVID_OK)
        warnx("%s", why.text);
    devid_identity_free(&d.identity);
    devid_free(&d.engine);
    devid_shutdown();
    return (int)e;
}
