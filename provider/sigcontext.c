/* SPDX-License-Identifier: Apache-2.0 */
/* A signature's context: its life, and the copies that OpenSSL makes of it. */
#include "sig.h"

#include <openssl/crypto.h>

void *prov_sig_new(void *vctx, const char *properties)
{
    struct prov_sig *self = OPENSSL_zalloc(sizeof(*self));

    if (self != NULL && properties != NULL)
        self->properties = OPENSSL_strdup(properties);
    if (self == NULL || (properties != NULL && self->properties == NULL)) {
        OPENSSL_free(self);
        prov_raise_memory(vctx);
        return NULL;
    }
    self->ctx = vctx;
    self->salt_len = PROV_SALT_DIGEST_MAX;
    return self;
}

void prov_sig_free(void *vsig)
{
    struct prov_sig *self = vsig;

    if (self == NULL)
        return;
    devid_key_free(&self->key);
    OPENSSL_free(self->peer);
    EVP_MD_CTX_free(self->md);
    OPENSSL_free(self->properties);
    OPENSSL_free(self);
}

const struct devid_public *prov_sig_public(const struct prov_sig *self)
{
    return self->key != NULL ? devid_key_public(self->key) : self->peer;
}

/* EVP_DigestSignFinal works on a copy: nothing may be shared but the key. */
void *prov_sig_dup(void *vsig)
{
    const struct prov_sig *from = vsig;
    struct prov_sig *self =
        prov_sig_new((void *)(uintptr_t)from->ctx, from->properties);

    if (self == NULL)
        return NULL; /* prov_sig_new raised */
    self->hash = from->hash;
    self->mgf1 = from->mgf1;
    self->pss = from->pss;
    self->salt_len = from->salt_len;
    if (from->key != NULL)
        self->key = devid_key_up_ref(from->key);
    if (from->peer != NULL)
        self->peer = OPENSSL_memdup(from->peer, sizeof(*from->peer));
    if (from->md != NULL)
        self->md = EVP_MD_CTX_new();
    if ((from->peer != NULL && self->peer == NULL) ||
        (from->md != NULL &&
         (self->md == NULL || EVP_MD_CTX_copy_ex(self->md, from->md) != 1))) {
        prov_sig_free(self);
        prov_raise_memory(from->ctx);
        return NULL;
    }
    return self;
}
