/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The station's verdict on a request: engine/attest.h, with the vendors'
 * certificates of a folder.
 *
 *     station REQUEST VENDORS
 *
 * Prints the reason, "trusted" or another, then the product's model and serial
 * and the Names of IAK and IDevID.
 */
#include "attest.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    REQUEST_MAX = 16384
};

static void print_name(const struct devid_tpm_name *name)
{
    for (size_t i = 0; i < name->len; i++)
        (void)printf("%02x", name->data[i]);
    (void)printf("\n");
}

static size_t read_file(const char *path, uint8_t *data)
{
    FILE *file = fopen(path, "rb");
    size_t len;

    if (file == NULL)
        err(1, "%s", path);
    len = fread(data, 1, REQUEST_MAX, file);
    (void)fclose(file);
    return len;
}

int main(int argc, char **argv)
{
    static uint8_t data[REQUEST_MAX];
    struct devid_trust *trust = NULL;
    struct devid_attest_policy policy = {0};
    struct devid_attest_request request = {0};
    struct devid_attest_verdict verdict = {0};
    struct devid_tcg_csr csr;
    struct devid_error why = {0};

    if (argc != 3)
        errx(2, "usage: station REQUEST VENDORS");
    if (devid_tcg_csr_decode(
            (struct devid_bytes){data, read_file(argv[1], data)}, NULL, &csr,
            &why) != DEVID_OK ||
        devid_trust_new(NULL, &trust, &why) != DEVID_OK ||
        devid_trust_add(trust, argv[2], NULL, &why) != DEVID_OK)
        errx(1, "%s", why.text);
    policy.trust = trust;
    request.csr = &csr;
    (void)printf("%s\n", devid_attest_reason_name(
                             devid_attest_verify(&request, &policy, &verdict)));
    (void)printf("%.*s %.*s\n", (int)csr.prodModel.len, csr.prodModel.data,
                 (int)csr.prodSerial.len, csr.prodSerial.data);
    print_name(&verdict.iak_name);
    print_name(&verdict.idevid_name);
    if (verdict.reason != DEVID_ATTEST_TRUSTED)
        (void)printf("%s\n", verdict.error.text);
    devid_trust_free(&trust);
    return 0;
}
