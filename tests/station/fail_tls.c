/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To be preloaded: SSL_new fails while the file that DEVID_FAIL_TLS names is
 * there.
 */
#include <dlfcn.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((visibility("default"))) SSL *SSL_new(SSL_CTX *ctx)
{
    SSL *(*real)(SSL_CTX *) = NULL;
    void *found = dlsym(RTLD_NEXT, "SSL_new");
    const char *file = getenv("DEVID_FAIL_TLS");

    if (file && access(file, F_OK) == 0)
        return NULL;
    memcpy(&real, &found, sizeof(real));
    return real(ctx);
}
