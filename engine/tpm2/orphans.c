/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run that was killed leaves in a bare TPM the key that it was making, or
 * sessions. That nothing is left behind costs no question where nothing is: a
 * TPM gives out its lowest free handle, so one that is not the lowest says that
 * there is something else. It may belong to others, and is looked at.
 *
 * A key of the TCG's identity is flushed: whoever uses it can make it again. A
 * session has no owner's name, but a policy session of ours stands at one of
 * few digests; it is flushed where it stays there for a while.
 */
#include "identity.h"

#include <string.h>
#include <time.h>

/* Nobody's next command takes a chip so long. */
#define ORPHAN_AGE_MS 500

/* Is its handle one of the first, up to that number, of its range? */
static bool is_lowest(struct tpm2_conn *conn, ESYS_TR object, uint32_t lowest)
{
    TPM2_HANDLE handle = 0;

    return Esys_TR_GetTpmHandle(conn->esys, object, &handle) ==
               TSS2_RC_SUCCESS &&
           (handle & TPM2_HR_HANDLE_MASK) <= lowest;
}

void tpm2_orphans_objects(struct tpm2_conn *conn, OSSL_LIB_CTX *libctx,
                          ESYS_TR object)
{
    TPMS_CAPABILITY_DATA *data = NULL;
    TPM2_HANDLE mine = 0;

    if (conn->has_rm || (object != ESYS_TR_NONE && is_lowest(conn, object, 0)))
        return;
    if (object != ESYS_TR_NONE)
        (void)Esys_TR_GetTpmHandle(conn->esys, object, &mine);
    if (tpm2_capability(conn, TPM2_CAP_HANDLES, TPM2_TRANSIENT_MIN,
                        TPM2_MAX_CAP_HANDLES, &data, NULL) != DEVID_OK)
        return;
    for (UINT32 i = 0; i < data->data.handles.count; i++) {
        ESYS_TR found = ESYS_TR_NONE;
        TPM2B_PUBLIC pub;

        if (data->data.handles.handle[i] == mine ||
            tpm2_read_handle(conn, data->data.handles.handle[i], &found, &pub,
                             NULL) != DEVID_OK)
            continue; /* gone already */
        if (!tpm2_is_identity_key(&pub, libctx) ||
            Esys_FlushContext(conn->esys, found) != TSS2_RC_SUCCESS)
            (void)Esys_TR_Close(conn->esys, &found);
    }
    Esys_Free(data);
}

/* ---- sessions -------------------------------------------------------- */

struct suspect {
    ESYS_TR session;
    TPM2B_DIGEST digest;
};

static bool same(const TPM2B_DIGEST *a, const TPM2B_DIGEST *b)
{
    return a->size == b->size && memcmp(a->buffer, b->buffer, a->size) == 0;
}

/* At the beginning, in a branch, or at the end of one of our policies. */
static bool is_on_our_way(const TPM2B_DIGEST *digest, OSSL_LIB_CTX *libctx)
{
    static const TPMI_ALG_HASH hashes[] = {TPM2_ALG_SHA256, TPM2_ALG_SHA384,
                                           TPM2_ALG_SHA512};
    const TPM2B_DIGEST zeros = {.size = digest->size};

    if (same(digest, &zeros))
        return true;
    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
        struct tpm2_tcg_policy policy = {.hash = hashes[i]};

        if (tpm2_tcg_policy(TPM2_ROLE_IAK, false, libctx, &policy, NULL) !=
            DEVID_OK)
            continue;
        for (UINT32 j = 0; j < policy.branches.count; j++) {
            if (same(digest, &policy.branches.digests[j]))
                return true;
        }
        if (same(digest, &policy.digest))
            return true;
        if (tpm2_tcg_policy(TPM2_ROLE_IDEVID, false, libctx, &policy, NULL) ==
                DEVID_OK &&
            same(digest, &policy.digest))
            return true;
    }
    return false;
}

static bool get_digest(struct tpm2_conn *conn, ESYS_TR session,
                       TPM2B_DIGEST *digest)
{
    TPM2B_DIGEST *answer = NULL;

    if (Esys_PolicyGetDigest(conn->esys, session, ESYS_TR_NONE, ESYS_TR_NONE,
                             ESYS_TR_NONE, &answer) != TSS2_RC_SUCCESS)
        return false;
    *digest = *answer;
    Esys_Free(answer);
    return true;
}

static bool is_mine(struct tpm2_conn *conn, const struct tpm2_identity *id,
                    TPM2_HANDLE handle)
{
    for (size_t i = 0; i < id->session_count; i++) {
        TPM2_HANDLE mine = 0;

        if (Esys_TR_GetTpmHandle(conn->esys, id->sessions[i], &mine) ==
                TSS2_RC_SUCCESS &&
            ((mine ^ handle) & TPM2_HR_HANDLE_MASK) == 0)
            return true;
    }
    return false;
}

static size_t find_suspects(struct tpm2_conn *conn,
                            const struct tpm2_identity *id,
                            struct suspect *suspects, size_t max)
{
    TPMS_CAPABILITY_DATA *data = NULL;
    size_t count = 0;

    if (tpm2_capability(conn, TPM2_CAP_HANDLES, TPM2_LOADED_SESSION_FIRST,
                        TPM2_MAX_CAP_HANDLES, &data, NULL) != DEVID_OK)
        return 0;
    for (UINT32 i = 0; i < data->data.handles.count && count < max; i++) {
        TPM2_HANDLE handle = data->data.handles.handle[i];
        struct suspect *s = &suspects[count];

        if (handle < TPM2_POLICY_SESSION_FIRST || is_mine(conn, id, handle) ||
            Esys_TR_FromTPMPublic(conn->esys, handle, ESYS_TR_NONE,
                                  ESYS_TR_NONE, ESYS_TR_NONE,
                                  &s->session) != TSS2_RC_SUCCESS)
            continue;
        if (get_digest(conn, s->session, &s->digest) &&
            is_on_our_way(&s->digest, id->libctx))
            count++;
        else
            (void)Esys_TR_Close(conn->esys, &s->session);
    }
    Esys_Free(data);
    return count;
}

void tpm2_orphans_sessions(struct tpm2_conn *conn,
                           const struct tpm2_identity *id)
{
    const struct timespec age = {.tv_nsec = ORPHAN_AGE_MS * 1000000L};
    const size_t others = id->session_count;
    struct suspect suspects[8];
    size_t count;

    if (conn->has_rm || (others > 0 && is_lowest(conn, id->sessions[others - 1],
                                                 (uint32_t)others - 1)))
        return;
    count = find_suspects(conn, id, suspects,
                          sizeof(suspects) / sizeof(suspects[0]));
    if (count > 0)
        (void)nanosleep(&age, NULL); /* shorter where a signal comes */
    for (size_t i = 0; i < count; i++) {
        TPM2B_DIGEST now;

        if (!get_digest(conn, suspects[i].session, &now) ||
            !same(&now, &suspects[i].digest) ||
            Esys_FlushContext(conn->esys, suspects[i].session) !=
                TSS2_RC_SUCCESS)
            (void)Esys_TR_Close(conn->esys, &suspects[i].session);
    }
}

void tpm2_orphans_hmac(struct tpm2_conn *conn)
{
    TPMS_CAPABILITY_DATA *data = NULL;

    if (conn->has_rm ||
        tpm2_capability(conn, TPM2_CAP_HANDLES, TPM2_LOADED_SESSION_FIRST,
                        TPM2_MAX_CAP_HANDLES, &data, NULL) != DEVID_OK)
        return;
    for (UINT32 i = 0; i < data->data.handles.count; i++) {
        ESYS_TR session = ESYS_TR_NONE;

        if (data->data.handles.handle[i] < TPM2_POLICY_SESSION_FIRST &&
            Esys_TR_FromTPMPublic(conn->esys, data->data.handles.handle[i],
                                  ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                  &session) == TSS2_RC_SUCCESS &&
            Esys_FlushContext(conn->esys, session) != TSS2_RC_SUCCESS)
            (void)Esys_TR_Close(conn->esys, &session);
    }
    Esys_Free(data);
}
