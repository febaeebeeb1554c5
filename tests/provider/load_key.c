/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that loads a key as nginx does, makes one of its own, and prints
 * who offers each. Linked to the libcrypto of the system, and once more with
 * one of its own inside, as node and others are.
 */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/provider.h>

#include <stdio.h>

static void print_offer(const char *what, EVP_PKEY *pkey)
{
    printf("%s: %s\n", what,
           pkey == NULL
               ? "none"
               : OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(pkey)));
    EVP_PKEY_free(pkey);
}

int main(int argc, char **argv)
{
    FILE *f = argc == 2 ? fopen(argv[1], "re") : NULL;

    if (f == NULL) {
        (void)fprintf(stderr, "Usage: load_key FILE\n");
        return 2;
    }
    print_offer("loaded", PEM_read_PrivateKey(f, NULL, NULL, NULL));
    (void)fclose(f); /* read only: nothing to lose */
    ERR_print_errors_fp(stdout);
    print_offer("made", EVP_EC_gen("P-256"));
    ERR_print_errors_fp(stdout);
    return 0;
}
