/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: issue CA KEY EK SPKI KIND OUT [COUNT]
 *
 * The certificate of an IDevID or IAK (KIND) whose public key is in SPKI (DER),
 * in a TPM whose EK certificate is in EK (DER), by a CA with a certificate
 * (DER) and a key (PEM, of any provider), into OUT (DER). COUNT of them, the
 * last of which is written, tell what one costs.
 */
#include "attest.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROOM 8192

static void leave(const char *why)
{
    (void)fprintf(stderr, "issue: %s\n", why);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static struct devid_bytes read_whole(const char *path)
{
    uint8_t *data = malloc(ROOM);
    FILE *f = fopen(path, "rbe");
    struct devid_bytes b = {data, 0};

    if (f == NULL || data == NULL)
        leave(path);
    b.len = fread(data, 1, ROOM, f);
    (void)fclose(f); /* read only: nothing to lose */
    return b;
}

static EVP_PKEY *read_key(const char *path)
{
    BIO *bio = BIO_new_file(path, "r");
    EVP_PKEY *key =
        bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

    BIO_free(bio);
    if (key == NULL)
        leave(path);
    return key;
}

static double seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void issue_all(const struct devid_issuer *issuer,
                      const struct devid_issue *what, int count,
                      struct devid_issued *issued)
{
    struct devid_error err = {0};
    double start = seconds();

    for (int i = 0; i < count; i++) {
        OPENSSL_free(issued->der);
        if (devid_issuer_issue(issuer, what, issued, &err) != DEVID_OK)
            leave(err.text);
    }
    if (count > 1)
        (void)printf("%.1f microseconds of CPU each\n",
                     (seconds() - start) * 1e6 / count);
}

int main(int argc, char **argv)
{
    struct devid_issuer_spec spec = {.subject = "/O=Acme",
                                     .crl_url = "http://ca.example/{shard}.crl",
                                     .shards = 4};
    struct devid_issue what = {.serial = "SN-123", .shard = 2};
    struct devid_hw_module module;
    struct devid_issued issued = {.der = NULL};
    struct devid_issuer *issuer = NULL;
    struct devid_error err = {0};
    struct devid_public pub;
    struct devid_bytes spki;
    FILE *out;

    if (argc < 7)
        leave("usage: issue CA KEY EK SPKI KIND OUT [COUNT]");
    spec.ca = read_whole(argv[1]);
    spec.key = read_key(argv[2]);
    spki = read_whole(argv[4]);
    if (devid_issuer_new(&spec, &issuer, &err) != DEVID_OK ||
        devid_hw_module_from_ek(read_whole(argv[3]), NULL, &module, &err) !=
            DEVID_OK ||
        devid_public_from_spki(spki.data, spki.len, &pub, &err) != DEVID_OK)
        leave(err.text);
    what.kind =
        strcmp(argv[5], "iak") == 0 ? DEVID_CERT_IAK : DEVID_CERT_IDEVID;
    what.pub = &pub;
    what.module = &module;
    issue_all(issuer, &what, argc > 7 ? (int)strtol(argv[7], NULL, 10) : 1,
              &issued);
    out = fopen(argv[6], "wbe");
    if (out == NULL || fwrite(issued.der, issued.len, 1, out) != 1 ||
        fclose(out) != 0)
        leave(argv[6]);
    OPENSSL_free(issued.der);
    devid_issuer_free(&issuer);
    EVP_PKEY_free(spec.key);
    return 0;
}
