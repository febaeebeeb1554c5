/* SPDX-License-Identifier: Apache-2.0 */
/*
 * haproxy: files of patterns, one a line, for ACLs.
 * Source: HAProxy 2.6 Configuration Manual, 7.1 and 7.3.4.
 */
#include <stdio.h>

#include "message.h"
#include "patterns.h"
#include "report.h"

static void add_file(struct pages *pages, const char *name, json_t *keys)
{
    BIO *out = pages_add(pages, name);
    const char *key;
    json_t *value;

    if (BIO_puts(out, "# Made by devid trust write, which replaces it.\n") < 0)
        die_no_memory();
    json_object_foreach(keys, key, value)
    {
        if (BIO_printf(out, "%s\n", key) < 0)
            die_no_memory();
    }
}

enum exit_code haproxy_pages(const struct patterns *patterns,
                             struct pages *pages)
{
    add_file(pages, "sha256.lst", patterns->sha256);
    add_file(pages, "sha1.lst", patterns->sha1_alone);
    add_file(pages, "subject.lst", patterns->subjects);
    add_file(pages, "serial.lst", patterns->serials);
    add_file(pages, "revoked.lst", patterns->revoked);
    return EXIT_DONE;
}

void haproxy_lines(const char *folder, bool crl)
{
    printf("# haproxy: behind the certificate of a frontend's bind line\n"
           "# ca-file %s/ca.pem verify optional ca-ignore-err all "
           "crt-ignore-err all\n",
           folder);
    if (crl)
        printf("# and, for OpenSSL's own check in addition, which needs a list "
               "of every CA of a\n"
               "# chain, and refuses all clients when one has run out\n"
               "# crl-file %s/crl.pem\n",
               folder);
    printf("# in that frontend\n"
           "http-request set-var(txn.devid_issuer) ssl_c_i_dn(,0,rfc2253)\n"
           "http-request set-var(txn.devid_serial) "
           "ssl_c_serial,hex,concat(/,txn.devid_issuer)\n"
           "acl devid_named ssl_c_der,sha2(256),hex,lower -m str -f "
           "%s/sha256.lst\n"
           "acl devid_named ssl_c_sha1,hex,lower -m str -f %s/sha1.lst\n"
           "acl devid_named ssl_c_s_dn(,0,rfc2253) -m str -f %s/subject.lst\n"
           "acl devid_named var(txn.devid_serial) -m str -f %s/serial.lst\n"
           "acl devid_revoked var(txn.devid_serial) -m str -f "
           "%s/revoked.lst\n"
           "# what trusted devices alone may have; more conditions may follow "
           "each\n"
           "http-request deny deny_status 403 if !{ ssl_c_used }\n"
           "http-request deny deny_status 403 if { ssl_c_verify gt 0 }\n"
           "http-request deny deny_status 403 if !devid_named\n"
           "http-request deny deny_status 403 if devid_revoked\n"
           "# and after each change\n"
           "# systemctl reload haproxy\n",
           folder, folder, folder, folder, folder);
}
