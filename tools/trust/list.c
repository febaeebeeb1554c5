/* SPDX-License-Identifier: Apache-2.0 */
/* devid trust list: what is accepted, and how old the lists of revoked are. */
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "crls.h"
#include "message.h"
#include "names.h"
#include "report.h"
#include "trust.h"

enum {
    FILE_ROW
};

static const struct option_row options[] = {
    [FILE_ROW] = TRUST_FILE_ROW,
    {0},
};

static json_t *describe_cas(const struct trust *trust)
{
    json_t *list = report_array();
    char room[32];

    for (int i = 0; i < sk_X509_num(trust->ca); i++) {
        X509 *ca = sk_X509_value(trust->ca, i);
        json_t *report = report_new();
        struct names names;

        names_of_cert(ca, &names);
        report_text(report, "subject", names.subject);
        report_text(report, "sha256", names.sha256);
        report_text(report, "not_after",
                    time_text(X509_get0_notAfter(ca), room));
        report_append(list, report);
        names_clear(&names);
    }
    return list;
}

static void describe_crl(json_t *report, X509_CRL *crl)
{
    char *issuer = name_text(X509_CRL_get_issuer(crl));
    char room[32];

    report_text(report, "issuer", issuer);
    report_text(report, "this_update",
                time_text(X509_CRL_get0_lastUpdate(crl), room));
    report_text(report, "next_update",
                time_text(X509_CRL_get0_nextUpdate(crl), room));
    report_number(report, "revoked",
                  sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)) > 0
                      ? sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl))
                      : 0);
    report_flag(report, "over", crl_is_over(crl, time(NULL)));
    free(issuer);
}

static json_t *describe_crls(const struct trust *trust, const struct crls *crls)
{
    json_t *list = report_array();
    const json_t *url;
    size_t i;

    json_array_foreach(trust->crls, i, url)
    {
        json_t *report = report_new();
        X509_CRL *crl = crls_get(crls, json_string_value(url));

        report_text(report, "url", json_string_value(url));
        if (crl)
            describe_crl(report, crl);
        report_append(list, report);
    }
    return list;
}

static const char *device_column(const json_t *device, char *room, size_t size)
{
    return device_text(device, room, size);
}

static const char *state_column(const json_t *crl, char *room, size_t size)
{
    (void)room;
    (void)size;
    if (!json_object_get(crl, "issuer"))
        return "never fetched";
    return json_is_true(json_object_get(crl, "over")) ? "out of date" : "valid";
}

static void print_part(const json_t *report, const char *member,
                       const struct report_column *columns)
{
    const json_t *list = json_object_get(report, member);

    if (!list)
        return;
    (void)printf("%s:\n", member);
    report_print_columns(list, columns);
    putchar('\n');
}

static void print_text(const json_t *report)
{
    static const struct report_column cas[] = {
        {"CA", "subject", NULL}, {"UNTIL", "not_after", NULL}, {0}};
    static const struct report_column crls[] = {{"URL", "url", NULL},
                                                {"STATE", NULL, state_column},
                                                {"NEXT", "next_update", NULL},
                                                {"REVOKED", "revoked", NULL},
                                                {0}};
    static const struct report_column devices[] = {
        {"BY", "by", NULL},
        {"WHICH", NULL, device_column},
        {"NOTE", "note", NULL},
        {0}};

    if (json_object_size(report) == 0)
        puts("nobody is accepted: the list is empty");
    print_part(report, "cas", cas);
    print_part(report, "crls", crls);
    print_part(report, "devices", devices);
}

static enum exit_code run(const struct args *args)
{
    struct trust trust;
    struct crls crls = {0};
    json_t *report;
    enum exit_code code = trust_open(trust_path(args, FILE_ROW), false, &trust);

    if (code == EXIT_DONE)
        code = crls_open(&trust, &crls);
    if (code == EXIT_DONE) {
        report = report_new();
        report_value(report, "cas", describe_cas(&trust));
        report_value(report, "crls", describe_crls(&trust, &crls));
        report_value(report, "devices", json_incref(trust.devices));
        if (args_flag(args, ROW_JSON))
            report_print_json(report);
        else
            print_text(report);
        json_decref(report);
    }
    crls_close(&crls);
    trust_close(&trust);
    return code;
}

const struct command trust_list_action = {
    .name = "trust list",
    .operands = "",
    .help = "show what is accepted, and how old the lists of revoked are",
    .example = "  devid trust list\n",
    .options = options,
    .common = TAKES(ROW_JSON),
    .run = run,
};
