/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <string.h>

#include "identities.h"
#include "message.h"
#include "report.h"

/* A metric that is a number of seconds among the facts. */
static const struct metric {
    const char *name;
    const char *help;
    const char *member;
} times[] = {
    {"devid_identity_not_before_seconds",
     "When the certificate begins to be valid, since 1970.", "not_before"},
    {"devid_identity_not_after_seconds",
     "When the certificate expires, since 1970.", "not_after"},
    {"devid_identity_next_renewal_seconds",
     "When the certificate is to be renewed, since 1970.", "next_renewal"},
    {"devid_identity_last_attempt_seconds",
     "When its CA was asked last, since 1970.", "last_attempt"},
    {"devid_identity_last_success_seconds",
     "When its CA has given a certificate last, since 1970.", "last_success"},
};

static void print(BIO *out, const char *text)
{
    if (BIO_puts(out, text) < 0)
        die_no_memory();
}

static void print_head(BIO *out, const char *name, const char *help)
{
    if (BIO_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name) <
        0)
        die_no_memory();
}

/* In quotes, where a backslash, a quote and a line's end are escaped. */
static void print_label(BIO *out, const char *name, const char *value)
{
    if (BIO_printf(out, "%s=\"", name) < 0)
        die_no_memory();
    for (; *value != '\0'; value++) {
        char escaped[] = {'\\', *value, '\0'};
        bool escapes = strchr("\\\"\n", *value) != NULL;

        if (*value == '\n')
            escaped[1] = 'n';
        print(out, escapes ? escaped : escaped + 1);
    }
    print(out, "\"");
}

static void print_value(BIO *out, const char *name, const json_t *identity,
                        json_int_t value)
{
    print(out, name);
    print(out, "{");
    print_label(out, "identity", report_get(identity, "identity"));
    if (BIO_printf(out, "} %lld\n", (long long)value) < 0)
        die_no_memory();
}

static void print_times(BIO *out, const json_t *identities,
                        const struct metric *metric)
{
    const json_t *identity;
    size_t i;

    print_head(out, metric->name, metric->help);
    json_array_foreach(identities, i, identity)
    {
        const json_t *value = json_object_get(identity, metric->member);

        if (value != NULL)
            print_value(out, metric->name, identity, json_integer_value(value));
    }
}

/* The state in words, and what the certificate says, as labels. */
static void print_info(BIO *out, const json_t *identities)
{
    static const char *const labels[] = {"state",  "protocol", "key",
                                         "serial", "subject",  "issuer"};
    const json_t *identity;
    size_t i;

    print_head(out, "devid_identity_info",
               "What the identity is; its value is always 1.");
    json_array_foreach(identities, i, identity)
    {
        print(out, "devid_identity_info{");
        print_label(out, "identity", report_get(identity, "identity"));
        for (size_t j = 0; j < sizeof(labels) / sizeof(*labels); j++) {
            print(out, ",");
            print_label(out, labels[j], report_get(identity, labels[j]));
        }
        print(out, "} 1\n");
    }
}

static void print_flags(BIO *out, const json_t *identities)
{
    const json_t *identity;
    size_t i;

    print_head(out, "devid_identity_ok",
               "Whether the identity is valid and its renewal in time.");
    json_array_foreach(identities, i, identity)
    {
        print_value(out, "devid_identity_ok", identity,
                    json_is_true(json_object_get(identity, "ok")));
    }
    print_head(out, "devid_identity_renewal_failed",
               "Whether the last attempt to renew it has failed.");
    json_array_foreach(identities, i, identity)
    {
        print_value(out, "devid_identity_renewal_failed", identity,
                    json_object_get(identity, "last_error") != NULL);
    }
    print_head(out, "devid_identity_programs",
               "How many programs that run now are known to use it.");
    json_array_foreach(identities, i, identity)
    {
        print_value(
            out, "devid_identity_programs", identity,
            (json_int_t)json_array_size(json_object_get(identity, "used_by")));
    }
}

void status_print_prometheus(BIO *out, const json_t *identities)
{
    print_info(out, identities);
    print_flags(out, identities);
    for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++)
        print_times(out, identities, &times[i]);
    print_head(out, "devid_status_time_seconds",
               "When devid status looked at all this, since 1970.");
    if (BIO_printf(out, "devid_status_time_seconds %lld\n",
                   (long long)identity_now()) < 0)
        die_no_memory();
}
