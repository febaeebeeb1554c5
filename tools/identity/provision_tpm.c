/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps that a TPM takes part in, all of them in one process and over one
 * connection, so that nothing is asked of it twice.
 */
#include <string.h>

#include "message.h"
#include "provision.h"

static enum exit_code make_request(struct provision *p,
                                   struct step_request *request)
{
    const struct devid_identity_spec spec = {
        .algorithm = args_text(p->args, PROVISION_ALGORITHM),
        .ek = args_text(p->args, PROVISION_EK),
    };
    const struct devid_identity_request *fields = &request->fields;
    struct devid_error err;
    enum devid_err e;

    progress_step(&p->progress, "keys");
    e = devid_identity_open(p->engine, &spec, &p->identity, &err);
    if (e == DEVID_OK)
        e = step_request(p->identity, args_text(p->args, PROVISION_SERIAL),
                         args_text(p->args, PROVISION_MODEL), request, &err);
    if (e == DEVID_ERR_AUTH && provision_lock_resume(p)) {
        progress_done(&p->progress, "locked already: unit %s", p->unit.id);
        return EXIT_DONE;
    }
    if (e != DEVID_OK)
        return step_fail(e, &err);
    p->idevid = fields->idevid;
    p->iak = fields->iak;
    provision_set_id(p, &fields->ek);
    progress_done(&p->progress, "EK %s at 0x%08x, IAK and IDevID %s",
                  fields->ek_kind, fields->ek_handle,
                  p->idevid.alg != NULL ? p->idevid.alg->name : "RSA");
    return EXIT_DONE;
}

static enum exit_code enrol(struct provision *p,
                            const struct step_request *request)
{
    const struct line_enrolment enrolment = {
        .serial = args_text(p->args, PROVISION_SERIAL),
        .model = args_text(p->args, PROVISION_MODEL),
        .mac = args_text(p->args, PROVISION_MAC),
        .operator_name = args_text(p->args, PROVISION_OPERATOR),
        .new_owner = args_flag(p->args, PROVISION_NEW_OWNER),
        .request = request,
    };
    enum exit_code code;

    progress_step(&p->progress, "enrol");
    line_unit_clear(&p->unit);
    code = line_enrol(p->http, &enrolment, &p->unit, NULL);
    if (code == EXIT_DONE)
        progress_done(&p->progress, "unit %s", p->unit.id);
    return code;
}

static enum exit_code answer(struct provision *p)
{
    struct devid_activation challenge = {0};
    struct devid_field secret = {0};
    struct devid_error err;
    enum exit_code code;
    enum devid_err e;

    progress_step(&p->progress, "activate");
    if (!step_challenge_parse(p->unit.challenge, p->unit.challenge_len,
                              &challenge))
        return fail_with(EXIT_UNTRUSTED,
                         "the station's challenge is no credential blob as "
                         "tpm2_makecredential writes it");
    e = devid_identity_activate(p->identity, &challenge, &secret, &err);
    if (e != DEVID_OK)
        return step_fail(e, &err);
    code = line_activate(p->http, &p->unit, &secret, &p->certificates);
    devid_field_free(&secret);
    if (code == EXIT_DONE)
        code = provision_check(p, true);
    if (code == EXIT_DONE)
        progress_done(&p->progress, "the certificates are this device's");
    return code;
}

/* An answer that came too late has another challenge, once. */
static enum exit_code certify(struct provision *p,
                              const struct step_request *request)
{
    enum exit_code code = enrol(p, request);

    if (code == EXIT_DONE)
        code = answer(p);
    if (code != EXIT_REFUSED || strcmp(http_refusal(p->http), "answer") != 0)
        return code;
    note("another challenge is asked for");
    code = enrol(p, request);
    return code == EXIT_DONE ? answer(p) : code;
}

static enum exit_code keep(struct provision *p)
{
    const struct certificates_owner owner = {.idevid = &p->idevid,
                                             .iak = &p->iak};
    struct devid_key *key = NULL;
    struct devid_error err;
    enum exit_code code;
    bool in_nv = false;

    progress_step(&p->progress, "nv");
    code = keep_in_nv(p->engine, &p->keep, &p->certificates, &owner, &in_nv);
    if (code != EXIT_DONE)
        return code;
    progress_done(&p->progress, "%s",
                  in_nv ? "certificates at 0x01c90100 and 0x01c90200"
                        : "no room: certificates on disk alone");
    if (devid_key_from_reference(p->engine, DEVID_IDEVID_URI, &p->idevid, &key,
                                 &err))
        return fail_engine(&err);
    code = provision_folder(p, key);
    devid_key_free(&key);
    return code;
}

enum exit_code provision_tpm(struct provision *p)
{
    struct step_request request = {0};
    enum exit_code code = make_request(p, &request);

    if (code == EXIT_DONE && !p->resumed)
        code = certify(p, &request);
    if (code == EXIT_DONE && !p->resumed)
        code = keep(p);
    step_request_clear(&request);
    return code;
}
