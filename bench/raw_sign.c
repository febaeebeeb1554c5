/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the TPM itself can do: TPM2_Sign as fast as it answers, by the least
 * program that ESYS allows. With --handle the key is persistent; with --parent
 * it is a blob, whose saved context is loaded for each signature and flushed
 * after it, as a TPM with three slots for everybody asks for.
 */
#include "measure.h"

#include <err.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tss2/tss2_esys.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

enum {
    EXIT_USAGE = 2,
    DIGEST_LEN = 32
};

struct signer {
    TSS2_TCTI_CONTEXT *tcti;
    ESYS_CONTEXT *esys;
    ESYS_TR key;
    TPMS_CONTEXT *context; /* of a blob; NULL: the key is persistent */
    TPMT_SIG_SCHEME scheme;
};

struct options {
    const char *tcti;
    const char *handle; /* or parent; the other is NULL */
    const char *parent;
    const char *algorithm;
    size_t clients;
    double seconds;
    struct cpu_watch watch;
};

static const char usage[] =
    "Usage: raw_sign --tcti TCTI [options]\n"
    "Signs with TPM2_Sign as often as the TPM can; prints the rate.\n"
    "\n"
    "  --handle HANDLE   with the key at this persistent handle, or\n"
    "  --parent HANDLE   with a new key under this one, its context saved:\n"
    "                    ContextLoad, Sign, FlushContext\n"
    "  --algorithm NAME  ec-p256 (ECDSA) or rsa-2048 (RSA-PSS)\n"
    "  --clients N       so many at a time, 1 (the default) to 16\n"
    "  --seconds N       how long (default: 5)\n"
    "  --watch NAME=PID  also print the CPU time a signature of this process\n"
    "  --help            this text\n";

static void check(TSS2_RC rc, const char *what)
{
    if (rc != TSS2_RC_SUCCESS)
        errx(EXIT_FAILURE, "the TPM did not %s: %s", what, Tss2_RC_Decode(rc));
}

static void sign(struct signer *self)
{
    static const TPMT_TK_HASHCHECK ticket = {.tag = TPM2_ST_HASHCHECK,
                                             .hierarchy = TPM2_RH_NULL};
    static const TPM2B_DIGEST digest = {.size = DIGEST_LEN,
                                        .buffer = "what there is to be signed"};
    TPMT_SIGNATURE *signature = NULL;

    check(Esys_Sign(self->esys, self->key, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                    ESYS_TR_NONE, &digest, &self->scheme, &ticket, &signature),
          "sign");
    Esys_Free(signature);
}

static void sign_persistent(void *arg)
{
    sign(arg);
}

static void sign_blob(void *arg)
{
    struct signer *self = arg;

    check(Esys_ContextLoad(self->esys, self->context, &self->key),
          "load a context");
    sign(self);
    check(Esys_FlushContext(self->esys, self->key), "flush a context");
}

static ESYS_TR open_handle(struct signer *self, const char *text)
{
    ESYS_TR object = ESYS_TR_NONE;
    char *end;
    const unsigned long handle = strtoul(text, &end, 0);

    if (*end != '\0' || handle > UINT32_MAX)
        errx(EXIT_FAILURE, "\"%s\" is no handle", text);
    check(Esys_TR_FromTPMPublic(self->esys, (TPM2_HANDLE)handle, ESYS_TR_NONE,
                                ESYS_TR_NONE, ESYS_TR_NONE, &object),
          "read a handle");
    return object;
}

/* The same attributes that devid keygen gives a key. */
static TPM2B_PUBLIC template_of(bool is_ec)
{
    TPM2B_PUBLIC template = {0};
    TPMT_PUBLIC *area = &template.publicArea;

    area->type = is_ec ? TPM2_ALG_ECC : TPM2_ALG_RSA;
    area->nameAlg = TPM2_ALG_SHA256;
    area->objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                             TPMA_OBJECT_SENSITIVEDATAORIGIN |
                             TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA |
                             TPMA_OBJECT_SIGN_ENCRYPT;
    /* Symmetric algorithm and scheme come first in both. */
    area->parameters.asymDetail.symmetric.algorithm = TPM2_ALG_NULL;
    area->parameters.asymDetail.scheme.scheme = TPM2_ALG_NULL;
    if (is_ec) {
        area->parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
        area->parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
    } else {
        area->parameters.rsaDetail.keyBits = 2048;
    }
    return template;
}

/* A blob of our own, whose context is saved and which is not loaded. */
static void make_blob(struct signer *self, const char *parent_handle,
                      bool is_ec)
{
    const ESYS_TR parent = open_handle(self, parent_handle);
    const TPM2B_PUBLIC template = template_of(is_ec);
    const TPM2B_SENSITIVE_CREATE sensitive = {0};
    const TPM2B_DATA outside = {0};
    const TPML_PCR_SELECTION pcrs = {0};
    TPM2B_PRIVATE *private_part = NULL;
    TPM2B_PUBLIC *public_part = NULL;

    check(Esys_Create(self->esys, parent, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                      ESYS_TR_NONE, &sensitive, &template, &outside, &pcrs,
                      &private_part, &public_part, NULL, NULL, NULL),
          "create a key");
    check(Esys_Load(self->esys, parent, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                    ESYS_TR_NONE, private_part, public_part, &self->key),
          "load a key");
    Esys_Free(private_part);
    Esys_Free(public_part);
    check(Esys_ContextSave(self->esys, self->key, &self->context),
          "save a context");
    check(Esys_FlushContext(self->esys, self->key), "flush a context");
}

__attribute__((noreturn)) static void show_usage(FILE *stream, int status)
{
    (void)fputs(usage, stream);
    exit(status);
}

static struct options parse_options(int argc, char **argv)
{
    static const struct option known[] = {
        {"tcti", required_argument, NULL, 't'},
        {"handle", required_argument, NULL, 'k'},
        {"parent", required_argument, NULL, 'p'},
        {"algorithm", required_argument, NULL, 'a'},
        {"clients", required_argument, NULL, 'c'},
        {"seconds", required_argument, NULL, 's'},
        {"watch", required_argument, NULL, 'w'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {
        .algorithm = "ec-p256", .clients = 1, .seconds = 5};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 't')
            options.tcti = optarg;
        else if (option == 'k')
            options.handle = optarg;
        else if (option == 'p')
            options.parent = optarg;
        else if (option == 'a')
            options.algorithm = optarg;
        else if (option == 'c')
            options.clients = measure_clients(optarg);
        else if (option == 's')
            options.seconds = measure_seconds(optarg);
        else if (option == 'w')
            cpu_watch_add(&options.watch, optarg);
        else if (option == 'h')
            show_usage(stdout, EXIT_SUCCESS);
        else
            show_usage(stderr, EXIT_USAGE);
    }
    if (options.tcti == NULL || optind < argc ||
        (options.handle == NULL) == (options.parent == NULL))
        show_usage(stderr, EXIT_USAGE);
    return options;
}

/* A client with a link to the TPM of its own. */
static void open_signer(struct signer *self, const struct options *options)
{
    const bool is_ec = strcmp(options->algorithm, "ec-p256") == 0;

    self->scheme.scheme = is_ec ? TPM2_ALG_ECDSA : TPM2_ALG_RSAPSS;
    self->scheme.details.any.hashAlg = TPM2_ALG_SHA256;
    check(Tss2_TctiLdr_Initialize(options->tcti, &self->tcti), "answer");
    check(Esys_Initialize(&self->esys, self->tcti, NULL), "answer");
    if (options->handle != NULL)
        self->key = open_handle(self, options->handle);
    else
        make_blob(self, options->parent, is_ec);
}

static void close_signer(struct signer *self)
{
    Esys_Free(self->context);
    Esys_Finalize(&self->esys);
    Tss2_TctiLdr_Finalize(&self->tcti);
}

int main(int argc, char **argv)
{
    struct options options = parse_options(argc, argv);
    struct signer signers[MEASURE_CLIENTS_MAX] = {0};
    void *args[MEASURE_CLIENTS_MAX];

    /* The sentence of check() says it. */
    (void)setenv("TSS2_LOG", "all+none", 0);
    for (size_t i = 0; i < options.clients; i++) {
        open_signer(&signers[i], &options);
        args[i] = &signers[i];
    }
    measure_run(options.handle != NULL ? sign_persistent : sign_blob, args,
                options.clients, options.seconds, &options.watch);
    for (size_t i = 0; i < options.clients; i++)
        close_signer(&signers[i]);
    return EXIT_SUCCESS;
}
