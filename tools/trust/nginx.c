/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nginx: maps from what it knows of a client's certificate to $devid_trusted.
 * Source: ngx_http_map_module, ngx_http_ssl_module.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "patterns.h"
#include "report.h"

/*
 * Buckets of nginx's hash tables: an element is a pointer, a length of two
 * bytes and the key, in steps of eight; a bucket ends in a pointer. Room for
 * eight of the longest, of twice as many buckets as keys, is room for all.
 */
enum {
    ELEMENT = 8 + 2 + 8,
    PER_BUCKET = 8,
    LINE = 64,
    BUCKET_MAX = 32768,
    TABLE_MIN = 2048,
    DEPTH = 8
};

struct sizes {
    size_t longest;
    size_t most;
};

static void print(BIO *out, const char *text)
{
    if (BIO_puts(out, text) < 0)
        die_no_memory();
}

/* In double quotes, where a backslash and a quote are to be escaped. */
static void print_key(BIO *out, const char *key)
{
    print(out, "    \"");
    for (; *key; key++) {
        if ((*key == '\\' || *key == '"') && BIO_write(out, "\\", 1) != 1)
            die_no_memory();
        if (BIO_write(out, key, 1) != 1)
            die_no_memory();
    }
    print(out, "\" 1;\n");
}

/* A map knows no case, and takes no key twice. */
static bool is_new(json_t *seen, const char *key)
{
    char *small = strdup(key);
    bool found;

    if (!small)
        die_no_memory();
    for (char *c = small; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    found = json_object_get(seen, small) != NULL;
    if (!found && json_object_set_new(seen, small, json_true()) != 0)
        die_no_memory();
    free(small);
    return !found;
}

static void print_map(BIO *out, const char *head, json_t *keys,
                      struct sizes *sizes)
{
    json_t *seen = report_new();
    const char *key;
    json_t *value;

    print(out, head);
    print(out, " {\n    default 0;\n");
    json_object_foreach(keys, key, value)
    {
        if (!is_new(seen, key))
            continue;
        print_key(out, key);
        if (strlen(key) > sizes->longest)
            sizes->longest = strlen(key);
    }
    if (json_object_size(keys) > sizes->most)
        sizes->most = json_object_size(keys);
    print(out, "}\n");
    json_decref(seen);
}

static void print_hash(BIO *out, const struct sizes *sizes)
{
    size_t bucket = PER_BUCKET * (ELEMENT + sizes->longest) + LINE;
    size_t table = 2 * sizes->most;

    bucket = bucket / LINE * LINE;
    if (BIO_printf(out, "map_hash_bucket_size %zu;\nmap_hash_max_size %zu;\n",
                   bucket > BUCKET_MAX ? (size_t)BUCKET_MAX : bucket,
                   table < TABLE_MIN ? (size_t)TABLE_MIN : table) < 0)
        die_no_memory();
}

enum exit_code nginx_pages(const struct patterns *patterns, struct pages *pages)
{
    struct sizes sizes = {0};
    BIO *out;

    if (patterns->without_sha1 > 0)
        return fail("nginx knows certificates by their SHA-1 alone, and %zu in "
                    "the list have a SHA-256 only: add them by 'devid trust "
                    "add --cert FILE'",
                    patterns->without_sha1);
    out = pages_add(pages, "map.conf");
    print(out, "# Made by devid trust write, which replaces it.\n");
    print_map(out, "map $ssl_client_fingerprint $devid_by_fingerprint",
              patterns->sha1, &sizes);
    print_map(out, "map $ssl_client_s_dn $devid_by_subject", patterns->subjects,
              &sizes);
    print_map(out, "map $ssl_client_serial/$ssl_client_i_dn $devid_by_serial",
              patterns->serials, &sizes);
    print_map(out, "map $ssl_client_serial/$ssl_client_i_dn $devid_revoked",
              patterns->revoked, &sizes);
    print(out, "map $ssl_client_verify:$devid_revoked:$devid_by_fingerprint"
               "$devid_by_subject$devid_by_serial $devid_trusted {\n"
               "    default 0;\n"
               "    ~^SUCCESS:0:.*1 1;\n"
               "}\n");
    print_hash(pages_add(pages, "hash.conf"), &sizes);
    if (BIO_printf(pages_add(pages, "server.conf"),
                   "ssl_client_certificate %s/ca.pem;\n"
                   "ssl_verify_client optional;\n"
                   "ssl_verify_depth %d;\n"
                   "error_page 495 =403 @devid_untrusted;\n"
                   "location @devid_untrusted {\n    return 403;\n}\n",
                   pages->folder, (int)DEPTH) < 0)
        die_no_memory();
    print(pages_add(pages, "require.conf"),
          "if ($devid_trusted = 0) {\n    return 403;\n}\n");
    return EXIT_DONE;
}

void nginx_lines(const char *folder, bool crl)
{
    printf("# nginx: in its http block (hash.conf not where map_hash_bucket_"
           "size and\n"
           "# map_hash_max_size are set already, to no less than it says)\n"
           "include %s/hash.conf;\n"
           "include %s/map.conf;\n"
           "# in a server block, beside ssl_certificate\n"
           "include %s/server.conf;\n"
           "# in each location that is for trusted devices alone, or in the "
           "server block\n"
           "include %s/require.conf;\n",
           folder, folder, folder, folder);
    if (crl)
        printf("# OpenSSL's own check in addition: it needs a list of every CA "
               "of a chain, and\n"
               "# refuses all clients when one has run out\n"
               "# ssl_crl %s/crl.pem;\n",
               folder);
    printf("# and after each change\n"
           "# nginx -s reload\n");
}
