/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EST (RFC 7030, RFC 8951): what the parts of a request for an LDevID share.
 */
#ifndef DEVID_STATION_EST_H
#define DEVID_STATION_EST_H

#include "exchange.h"

/* Who asks: the unit is in the exchange's job. */
struct est_client {
    bool by_secret; /* not by a certificate */
    /* The LDevID under which it asks; without id: the IDevID, or a secret. */
    struct ledger_ldevid ldevid;
};

/*
 * Find the unit that asks, and whether it may. False: refused, *step says it.
 *
 * named  the serialNumber in the request's subject, by which a user who is no
 *        unit says for whom he asks; or ""
 */
bool est_find_client(struct exchange *x, const char *named,
                     struct est_client *client, enum step *step);
void est_client_clear(struct est_client *client);

/* What stands in a file of NAME:SECRET lines; false: not that secret. Prints
 * the sentence where the file does not serve. */
bool est_secret_is(const char *path, const char *name, const char *secret);

/* A request, PKCS#10. */
struct est_request {
    uint8_t *der; /* OPENSSL_malloc */
    size_t der_len;
    X509_REQ *req;
    struct devid_public pub;
    char key_digest[65];
    char serial[LEDGER_TEXT_SIZE]; /* in its subject; or "" */
};
/* A sentence where the body is none, its signature does not hold, or its key
 * is not to be certified; NULL: all is well. Cleared either way. */
const char *est_request_open(struct devid_bytes body,
                             struct est_request *request);
void est_request_clear(struct est_request *request);
/* The serialNumber of a name; "" where it has none, or one that no certificate
 * of a unit has. */
void est_serial_of(const X509_NAME *name, char serial[LEDGER_TEXT_SIZE]);
/*
 * Whether its names are those of a certificate: RFC 7030, 3.3.2 and 4.2.2.
 * A sentence; NULL: they are.
 *
 * exactly  an empty subject does not do
 */
const char *est_check_names(const struct est_request *request,
                            struct devid_bytes cert, bool exactly);
/* Whether it was made for this connection, where it says so: RFC 7030, 3.5. */
const char *est_check_binding(const struct est_request *request,
                              struct devid_bytes unique);

/* Whether station.conf has the label that is asked; false: refused. */
bool est_has_label(struct exchange *x, enum step *step);

/* Answer with certificates alone, as PKCS#7. */
enum step est_answer_certs(struct exchange *x, STACK_OF(X509) * certs);

#endif
