/* SPDX-License-Identifier: Apache-2.0 */
/* Objects on a token, by their attributes. */
#include "pkcs11.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#define CANDIDATES_MAX 4
#define VALUE_MAX 65536

void p11_query_from_uri(const struct p11_uri *uri, CK_OBJECT_CLASS class,
                        struct p11_query *query)
{
    const CK_ATTRIBUTE *id = p11_kit_uri_get_attribute(uri->kit, CKA_ID);
    const CK_ATTRIBUTE *label = p11_kit_uri_get_attribute(uri->kit, CKA_LABEL);

    memset(query, 0, sizeof(*query));
    query->class = class;
    if (id != NULL) {
        query->id = id->pValue;
        query->id_len = id->ulValueLen;
    }
    if (label != NULL) {
        query->label = label->pValue;
        query->label_len = label->ulValueLen;
    }
}

/* PKCS#11 takes pointers to what it does not change. */
static CK_ATTRIBUTE attribute(CK_ATTRIBUTE_TYPE type, const void *value,
                              size_t len)
{
    CK_ATTRIBUTE a = {type, (void *)(uintptr_t)value, len};

    return a;
}

enum devid_err p11_find(struct p11_session *session,
                        const struct p11_query *query,
                        CK_OBJECT_HANDLE *objects, CK_ULONG max,
                        CK_ULONG *count, struct devid_error *err)
{
    const CK_BBOOL on_token = CK_TRUE;
    CK_ATTRIBUTE template[4];
    CK_ULONG given = 0;
    CK_ULONG n = 0;
    CK_RV rv;

    *count = 0;
    /* No copy of a key that a session has. */
    template[n++] = attribute(CKA_TOKEN, &on_token, sizeof(on_token));
    if (query->class != P11_ANY_CLASS)
        template[n++] =
            attribute(CKA_CLASS, &query->class, sizeof(query->class));
    if (query->id != NULL)
        template[n++] = attribute(CKA_ID, query->id, query->id_len);
    if (query->label != NULL)
        template[n++] = attribute(CKA_LABEL, query->label, query->label_len);
    rv = session->f->C_FindObjectsInit(session->handle, template, n);
    if (rv == CKR_OK) {
        rv = session->f->C_FindObjects(session->handle, objects, max, &given);
        /* A session whose search fails is closed by who took it. */
        if (rv == CKR_OK)
            rv = session->f->C_FindObjectsFinal(session->handle);
    }
    if (rv == CKR_OK && given <= max) {
        *count = given;
        return DEVID_OK;
    }
    return rv != CKR_OK ? p11_fail(err, rv, "look for an object")
                        : p11_fail_excess(err, given, max, "objects");
}

static const char *class_name(CK_OBJECT_CLASS class)
{
    switch (class) {
    case CKO_PRIVATE_KEY:
        return "private key";
    case CKO_PUBLIC_KEY:
        return "public key";
    default: /* not an enum */
        return "certificate";
    }
}

static size_t put_id(char *text, size_t size, const struct p11_object *object)
{
    size_t used = 0;

    for (size_t i = 0; i < object->id_len && used + 4 < size; i++)
        used +=
            (size_t)snprintf(text + used, size - used, "%%%02X", object->id[i]);
    return used;
}

/* Two keys fit: say which, so that the URI can be made to fit one. */
static enum devid_err ambiguous(struct p11_session *session,
                                const struct p11_query *query, const char *uri,
                                struct devid_error *err)
{
    CK_OBJECT_HANDLE found[CANDIDATES_MAX + 1];
    CK_ULONG count = 0;
    char list[400] = "";
    char shown[256];
    size_t used = 0;
    enum devid_err e =
        p11_find(session, query, found, CANDIDATES_MAX + 1, &count, err);

    if (e != DEVID_OK)
        return e;
    for (CK_ULONG i = 0; i < count && i < CANDIDATES_MAX; i++) {
        struct p11_object object;
        char id[100] = "";
        int n;

        if (p11_object_read(session, found[i], &object, NULL) != DEVID_OK)
            continue;
        (void)put_id(id, sizeof(id), &object);
        n = snprintf(list + used, sizeof(list) - used, "%sid=%s;object=%.40s",
                     used == 0 ? "" : ", ", id, object.label);
        if (n > 0 && (size_t)n < sizeof(list) - used)
            used += (size_t)n;
    }
    p11_uri_show(uri, shown, sizeof(shown));
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "more than one %s fits the URI '%.200s': %s%s; add the "
                      "id of the one that is meant",
                      class_name(query->class), shown, list,
                      count > CANDIDATES_MAX ? " and others" : "");
}

enum devid_err p11_find_one(struct p11_session *session,
                            const struct p11_query *query, const char *uri,
                            CK_OBJECT_HANDLE *object, struct devid_error *err)
{
    CK_OBJECT_HANDLE found[2];
    CK_ULONG count = 0;
    char shown[256];
    enum devid_err e = p11_find(session, query, found, 2, &count, err);

    if (e != DEVID_OK)
        return e;
    if (count > 1)
        return ambiguous(session, query, uri, err);
    if (count == 1) {
        *object = found[0];
        return DEVID_OK;
    }
    if (query->class == CKO_PRIVATE_KEY) {
        e = p11_check_hidden(session, class_name(query->class), err);
        if (e != DEVID_OK)
            return e;
    }
    p11_uri_show(uri, shown, sizeof(shown));
    return devid_fail(err, DEVID_ERR_NOT_FOUND, 0,
                      "the token '%s' has no %s that fits '%.250s'",
                      session->token->label, class_name(query->class), shown);
}

/* ---- reading --------------------------------------------------------- */

/* Some modules say how long a value is that had no room: it is not there. */
static size_t length_of(const CK_ATTRIBUTE *a, size_t room)
{
    return a->ulValueLen > room ? 0 : a->ulValueLen;
}

/* What an object lacks or hides it answers with a length of -1. */
static bool is_partial(CK_RV rv)
{
    return rv == CKR_OK || rv == CKR_ATTRIBUTE_TYPE_INVALID ||
           rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_BUFFER_TOO_SMALL;
}

enum devid_err p11_object_read(struct p11_session *session,
                               CK_OBJECT_HANDLE handle,
                               struct p11_object *object,
                               struct devid_error *err)
{
    CK_BBOOL each_time = CK_FALSE;
    CK_ATTRIBUTE all[9];
    CK_ULONG n = 0;
    CK_RV rv;

    memset(object, 0, sizeof(*object));
    object->handle = handle;
    object->type = CK_UNAVAILABLE_INFORMATION;
#define ROW(type, field) attribute(type, object->field, sizeof(object->field))
    all[n++] = attribute(CKA_CLASS, &object->class, sizeof(object->class));
    all[n++] = attribute(CKA_KEY_TYPE, &object->type, sizeof(object->type));
    all[n++] = ROW(CKA_ID, id);
    all[n++] = attribute(CKA_LABEL, object->label, sizeof(object->label) - 1);
    all[n++] = ROW(CKA_EC_PARAMS, params);
    all[n++] = ROW(CKA_EC_POINT, point);
    all[n++] = ROW(CKA_MODULUS, modulus);
    all[n++] = ROW(CKA_PUBLIC_EXPONENT, exponent);
#undef ROW
    all[n++] =
        attribute(CKA_ALWAYS_AUTHENTICATE, &each_time, sizeof(each_time));
    rv = session->f->C_GetAttributeValue(session->handle, handle, all, n);
    if (!is_partial(rv))
        return p11_fail(err, rv, "describe an object");
    object->id_len = length_of(&all[2], sizeof(object->id));
    object->label[length_of(&all[3], sizeof(object->label) - 1)] = '\0';
    object->params_len = length_of(&all[4], sizeof(object->params));
    object->point_len = length_of(&all[5], sizeof(object->point));
    object->modulus_len = length_of(&all[6], sizeof(object->modulus));
    object->exponent_len = length_of(&all[7], sizeof(object->exponent));
    /* A token of before v2.20 does not know it, and asks once. */
    object->always_authenticate =
        length_of(&all[8], 1) == 1 && each_time != CK_FALSE;
    return DEVID_OK;
}

enum devid_err p11_object_value(struct p11_session *session,
                                CK_OBJECT_HANDLE handle, uint8_t **value,
                                size_t *len, struct devid_error *err)
{
    CK_ATTRIBUTE a = {CKA_VALUE, NULL, 0};
    CK_RV rv = session->f->C_GetAttributeValue(session->handle, handle, &a, 1);
    size_t room = length_of(&a, VALUE_MAX);

    *value = NULL;
    *len = 0;
    if (rv != CKR_OK || room == 0)
        return rv != CKR_OK
                   ? p11_fail(err, rv, "say how long an object is")
                   : devid_fail(err, DEVID_ERR_DEVICE, 0,
                                "the token's object is empty or larger than "
                                "%d bytes",
                                VALUE_MAX);
    *value = OPENSSL_malloc(room);
    if (*value == NULL)
        return devid_no_memory(err);
    a.pValue = *value;
    rv = session->f->C_GetAttributeValue(session->handle, handle, &a, 1);
    if (rv == CKR_OK && a.ulValueLen <= room) {
        *len = a.ulValueLen;
        return DEVID_OK;
    }
    OPENSSL_free(*value);
    *value = NULL;
    return rv != CKR_OK ? p11_fail(err, rv, "hand out an object")
                        : p11_fail_excess(err, a.ulValueLen, room, "bytes");
}

enum devid_err p11_object_words(struct p11_session *session,
                                CK_OBJECT_HANDLE handle, char *text,
                                size_t size, struct devid_error *err)
{
    static const struct {
        CK_ATTRIBUTE_TYPE type;
        bool wanted;
        const char *words;
    } rows[] = {
        {CKA_SENSITIVE, true, "sensitive"},
        {CKA_ALWAYS_SENSITIVE, true, "always sensitive"},
        {CKA_EXTRACTABLE, false, "not extractable"},
        {CKA_NEVER_EXTRACTABLE, true, "never extractable"},
        {CKA_LOCAL, true, "made on the token"},
        {CKA_LOCAL, false, "imported, was once outside"},
        {CKA_SIGN, true, "sign"},
        {CKA_DECRYPT, true, "decrypt"},
        {CKA_DERIVE, true, "derive"},
        {CKA_ALWAYS_AUTHENTICATE, true, "asks for its PIN each time"},
    };
    enum {
        N = sizeof(rows) / sizeof(rows[0])
    };
    CK_ATTRIBUTE all[N];
    CK_BBOOL values[N] = {0};
    size_t used = 0;
    CK_RV rv;

    *text = '\0';
    for (size_t i = 0; i < N; i++)
        all[i] = attribute(rows[i].type, &values[i], sizeof(values[i]));
    rv = session->f->C_GetAttributeValue(session->handle, handle, all, N);
    if (!is_partial(rv))
        return p11_fail(err, rv, "describe an object");
    for (size_t i = 0; i < N; i++) {
        int n;

        if (length_of(&all[i], 1) != 1 || (values[i] != 0) != rows[i].wanted)
            continue;
        n = snprintf(text + used, size - used, "%s%s", used == 0 ? "" : ", ",
                     rows[i].words);
        if (n > 0 && (size_t)n < size - used)
            used += (size_t)n;
    }
    return DEVID_OK;
}
