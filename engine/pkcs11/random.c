/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers of a token: C_GenerateRandom, which asks for no login. */
#include "find.h"

struct random_request {
    uint8_t *bytes;
    size_t len;
};

static enum devid_err random_op(struct p11_session *session, void *arg,
                                struct devid_error *err)
{
    const struct random_request *r = arg;
    CK_RV rv = session->f->C_GenerateRandom(session->handle, r->bytes,
                                            (CK_ULONG)r->len);

    return rv == CKR_OK ? DEVID_OK : p11_fail(err, rv, "give random numbers");
}

enum devid_err p11_random(void *state, const char *device, uint8_t *bytes,
                          size_t len, struct devid_error *err)
{
    const struct p11_state *self = state;
    struct random_request request = {.bytes = bytes, .len = len};
    struct p11_token *token = NULL;
    struct p11_uri uri;
    const char *call = NULL;
    const char *inside = devid_foreign_module(&call);
    bool ask = false;
    enum devid_err e;

    /* What it holds while it waits, it would wait for. */
    if (inside != NULL)
        return devid_fail(err, DEVID_ERR_USAGE, 0,
                          "the PKCS#11 module %.200s itself asks OpenSSL for "
                          "random numbers, so they cannot come from a token: "
                          "take random-source out",
                          inside);
    e = p11_open_uri(self, device, &uri, &token, &ask, err);
    if (e != DEVID_OK)
        return e;
    e = p11_run(token, P11_READ, random_op, &request, err);
    p11_uri_clear(&uri);
    return e;
}
