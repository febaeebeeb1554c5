/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of requests to the station, and what stands in their base64. */
#include "fuzz.h"

#include "body.h"

#include <openssl/crypto.h>
#include <string.h>

struct out {
    char *serial, *model, *mac, *state, *reason;
    struct devid_bytes request, creation, ek_public, pkcs10, answer, escrow;
    struct body_list ek_chain;
    bool new_owner;
};

#define MEMBER(kind, name)                                                     \
    {                                                                          \
#name, kind, false, offsetof(struct out, name)                         \
    }

static const struct body_member members[] = {
    MEMBER(BODY_TEXT, serial),    MEMBER(BODY_TEXT, model),
    MEMBER(BODY_TEXT, mac),       MEMBER(BODY_TEXT, state),
    MEMBER(BODY_TEXT, reason),    MEMBER(BODY_BYTES, request),
    MEMBER(BODY_BYTES, creation), MEMBER(BODY_BYTES, ek_public),
    MEMBER(BODY_BYTES, pkcs10),   MEMBER(BODY_BYTES, answer),
    MEMBER(BODY_BYTES, escrow),   MEMBER(BODY_LIST, ek_chain),
    MEMBER(BODY_FLAG, new_owner), {NULL, BODY_FLAG, false, 0},
};

/* What was taken goes back into the same base64. */
static void write_anew(const struct devid_bytes *bytes)
{
    json_t *text = body_base64(bytes->data, bytes->len);
    json_t *body = json_pack("{s:o}", "answer", text);
    char *json = json_dumps(body, JSON_COMPACT);
    struct out again = {0};
    struct devid_error err = {0};

    must(json != NULL);
    must(body_parse(json, strlen(json), members, &again, &err) == DEVID_OK);
    must(again.answer.len == bytes->len &&
         memcmp(again.answer.data, bytes->data, bytes->len) == 0);
    body_clear(members, &again);
    free(json);
    json_decref(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct devid_error err = {0};
    struct out out = {0};
    struct devid_tcg_csr csr;

    if (body_parse(data, size, members, &out, &err) != DEVID_OK) {
        must(err.text[0] != '\0');
    } else if (out.request.len > 0) {
        write_anew(&out.request);
        if (devid_tcg_csr_decode(out.request, NULL, &csr, &err) != DEVID_OK)
            must(err.text[0] != '\0');
    }
    body_clear(members, &out);
    must(out.serial == NULL && out.request.data == NULL &&
         out.ek_chain.count == 0);
    must_leave_no_error();
    return 0;
}
