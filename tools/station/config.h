/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the station's folder says of it: station.conf, an INI file in OpenSSL's
 * syntax. Unknown sections and settings are refused.
 */
#ifndef DEVID_STATION_CONFIG_H
#define DEVID_STATION_CONFIG_H

#include <stdbool.h>

#include "args.h"

#define STATION_DIR "/var/lib/devid-station"
#define STATION_CONF "station.conf"

/*
 * What [est] and [est.LABEL] say of the LDevIDs of a label: [est] is that of
 * "", and what the others begin with.
 */
struct est_label {
    char *name;
    bool manual; /* a person approves the first of each key */
    unsigned lifetime_s;
    unsigned retry_s; /* after which who waits asks again */
    char *csrattrs;   /* object identifiers, by commas; NULL: none */
};

/* A name and its value, each the configuration's. */
struct config_pair {
    const char *name;
    const char *value;
};

/*
 * Texts are the configuration's own; NULL where a setting is not there and has
 * no default. Names of files are absolute: in station.conf they are relative
 * to the folder.
 */
struct config {
    char *dir; /* absolute */
    /* [station] */
    char *name;
    char *ledger;    /* a file, or postgresql://... */
    char *chain_key; /* signs the audit log's head: a file or URI */
    char *vendors;   /* file or folder of TPM vendors' certificates */
    char *ek_list;   /* file: a sha256 in hex of an EK's SPKI a line */
    char *operators; /* file: certificates of who may use the pages */
    /* [ca] */
    char *ca_key; /* a file or URI */
    char *ca_cert;
    char *ca_chain; /* those above it */
    char *subject;  /* before the serialNumber: "/O=Acme/CN={model}" */
    char *san;      /* "DNS:{serial}.acme.example, ..." */
    char *ocsp_url;
    char *ocsp_key; /* a file or URI */
    char *ocsp_cert;
    unsigned ocsp_minutes; /* that an answer is valid for */
    char *crl_url;
    unsigned crl_shards;
    unsigned crl_hours; /* that a list is valid for */
    char *escrow_cert;
    /* [server] */
    char *address; /* numeric; of IPv6 without brackets */
    unsigned port;
    unsigned http_port; /* 0: none, lists and OCSP over TLS alone */
    char *server_key;   /* a file or URI */
    char *server_cert;
    unsigned loops;               /* 0: as the key needs */
    unsigned workers;             /* 0: as the CA's key needs */
    unsigned connections;         /* in total */
    unsigned address_connections; /* of one address */
    unsigned queue;               /* requests that wait for a worker */
    /* [policy] */
    bool allow_sha1;
    bool allow_expired;
    bool allow_no_eku;
    bool allow_no_iak_proof;
    bool allow_other_templates;
    bool allow_pkcs10;
    unsigned challenge_seconds;
    /* [est] and [est.LABEL] */
    struct est_label *labels;
    unsigned label_count; /* 0: no EST */
    char *est_users;      /* file of names and secrets; NULL: none */
    /* [device]: the provider's settings */
    struct config_pair *device; /* ended by a NULL name */
    /* [stations]: others on the ledger, with files of their public keys */
    struct config_pair *stations; /* ended by a NULL name */
    void *file;                   /* what the texts lie in */
};

/*
 * Read station.conf in the folder that --dir names (ROW_DIR). Prints the
 * sentence on failure; cleared either way.
 */
enum exit_code config_load(const struct args *args, struct config *config);

/* Prints the sentence where a setting stands in the file twice. */
enum exit_code config_check_twice(const char *path);
void config_clear(struct config *config);

/* NULL: there is no such label. */
const struct est_label *config_label(const struct config *config,
                                     const char *name);

/* The absolute name of a file in the folder; OPENSSL_free. */
char *config_path(const char *dir, const char *name);
/* The folder that --dir names, absolute or as it was typed; borrowed. */
const char *config_dir(const struct args *args);

#endif
