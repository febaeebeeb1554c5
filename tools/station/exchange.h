/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request to the station and what becomes of it: JSON in, a decision, jobs
 * of the ledger, JSON out. No HTTP in it: the server, the offline commands and
 * the fuzzer drive it alike.
 *
 * An exchange goes by steps. Each ends with an answer, or with a job that is to
 * be committed before the next.
 */
#ifndef DEVID_STATION_EXCHANGE_H
#define DEVID_STATION_EXCHANGE_H

#include <jansson.h>

#include "context.h"

#define EXCHANGE_CODE_SIZE 48

struct exchange;
struct fleet;

enum step {
    STEP_ANSWERED, /* status and answer are there */
    STEP_COMMIT,   /* job is to be committed, then comes the next step */
};

typedef enum step exchange_step(struct exchange *x);

#define PAGE_LOCATION_SIZE 80

/* An answer for a browser. */
struct page {
    bool wanted;                       /* what is refused is a page, too */
    bool keeps;                        /* the same for everybody, for a while */
    char location[PAGE_LOCATION_SIZE]; /* "": it leads nowhere else */
    char *text;                        /* while it is written; by malloc */
    size_t len;
};

struct exchange {
    const struct context *context;
    exchange_step *next; /* begins with one of those below */
    /* what was asked; the caller's */
    const char *peer;  /* an address; or NULL */
    const char *token; /* the batch's; NULL: none was given */
    const char *batch; /* its name, from an operator who needs no token */
    unsigned challenge_seconds; /* 0: as the configuration has it */
    char unit_id[LEDGER_ID_SIZE];
    char label[LEDGER_TEXT_SIZE]; /* of EST; "": none was given */
    bool again;                   /* EST's simplereenroll */
    const char *basic; /* name and secret in base64; NULL: none were given */
    const char *ocsp_path; /* an OCSP request in base64; NULL: in the body */
    struct devid_bytes unique; /* TLS 1.2's tls-unique, or empty */
    struct devid_bytes body;
    struct devid_bytes client_cert; /* that TLS has verified; DER, or empty */
    const char *query;              /* the URL's, still encoded; or NULL */
    struct fleet *fleet;            /* what pages show; NULL: there are none */
    struct ledger_job job;
    /* the answer */
    int status; /* of HTTP */
    json_t *answer;
    uint8_t *bytes; /* in its place, OPENSSL_malloc: of that type */
    size_t bytes_len;
    const char *type;
    bool plain;         /* a refusal is a sentence alone, without JSON */
    unsigned max_age_s; /* the answer may be kept; 0: it may not */
    unsigned retry_s;   /* after which to ask again; 0: not said */
    char code[EXCHANGE_CODE_SIZE];       /* "" where nothing was refused */
    char serial[LEDGER_TEXT_SIZE];       /* of the unit, for the log */
    char message[DEVID_ERROR_TEXT_SIZE]; /* why, for the log */
    char detail[80];                     /* for the job's, if made here */
    bool revoked;                        /* the lists are to be made anew */
    struct page page;
    char who[LEDGER_TEXT_SIZE]; /* an operator, for the log; "" where `peer`
                                 * says it */
    /* between steps */
    bool is_new; /* the row was made by this request */
    struct devid_issued iak, idevid;
};

/* POST /v1/units */
exchange_step exchange_units;
/* POST /v1/units/ID/activate */
exchange_step exchange_activate;
/* POST /v1/units/ID/state */
exchange_step exchange_state;
/* POST /v1/units/ID/retire */
exchange_step exchange_retire;
/* GET /v1/station */
exchange_step exchange_station;
/* POST /ocsp, GET /ocsp/BASE64 */
exchange_step exchange_ocsp;
/* EST, RFC 7030: POST .../simpleenroll, .../simplereenroll */
exchange_step exchange_est;
/* GET .../cacerts, .../csrattrs */
exchange_step exchange_cacerts;
exchange_step exchange_csrattrs;

/* From its first step to its answer, in the caller's thread. */
void exchange_drive(struct exchange *x);
void exchange_clear(struct exchange *x);

/* ---- for the steps ----------------------------------------------------- */

/* Answer; takes over `answer`. A NULL one is memory's end. */
enum step exchange_answer(struct exchange *x, int status, json_t *answer);

/* Answer that there is nothing: 204. */
enum step exchange_answer_nothing(struct exchange *x);

/* Answer with a refusal. */
enum step exchange_refuse(struct exchange *x, int status, const char *code,
                          const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same, once it is written down in the ledger. */
enum step exchange_refuse_on_record(struct exchange *x, int status,
                                    const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The station's own fault. */
enum step exchange_fail(struct exchange *x, const struct devid_error *err);

/* A job's outcome that is neither DONE nor AGAIN. */
enum step exchange_refuse_job(struct exchange *x);

/* The unit of unit_id, into job.unit; false: refused, *step says it. */
bool exchange_find(struct exchange *x, enum step *step);

/* Sign the certificates of the unit in job.unit, record them, answer. */
exchange_step exchange_issue;
/* On which list of revoked certificates a unit's are, by its id. */
unsigned exchange_shard(const struct context *context, const char *id);
/* What every answer that has certificates says. */
enum step exchange_answer_issued(struct exchange *x);

/* Bytes of its own in place of what is there. False: out of memory. */
bool blob_set(struct ledger_blob *blob, const void *data, size_t len);

/* sha256 in hex. */
/*
 * The key of a PKCS#10 request, as SubjectPublicKeyInfo by OPENSSL_malloc,
 * where the request's signature holds; else a sentence. NULL: all is well.
 */
const char *pkcs10_open(struct devid_bytes der, uint8_t **spki, size_t *len);

void sha256_hex(const void *data, size_t len, char hex[65]);
int64_t now_ms(void);
/* "2026-11-22T08:00:00Z" */
#define TIME_TEXT_SIZE 24
void time_text(int64_t ms, char text[TIME_TEXT_SIZE]);

/*
 * "{serial}" and others in a template of station.conf, as this unit has them;
 * `special` are characters that a backslash is put before. NULL: out of
 * memory. OPENSSL_free.
 */
char *template_fill(const char *text, const struct ledger_unit *unit,
                    const char *special);

#endif
