/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "devid.h"
#include "message.h"
#include "open.h"
#include "output.h"

enum {
    KEY,
    SUBJECT,
    SAN,
    KEY_USAGE,
    EXT_KEY_USAGE,
    HASH,
    OUTFORM
};

static const struct option_row options[] = {
    [KEY] = {"key", "KEY", "the key: its file, or its URI", true, false},
    [SUBJECT] = {"subject", "NAME",
                 "the distinguished name, such as /O=Acme/CN=unit-0001, in "
                 "UTF-8",
                 true, false},
    [SAN] = {"san", "NAME",
             "a subject alternative name: DNS:name, IP:address, URI:uri, "
             "email:address or otherName:OID;UTF8:text; may be repeated",
             false, true},
    [KEY_USAGE] = {"key-usage", "LIST",
                   "key usages to ask for, such as "
                   "digitalSignature,keyAgreement",
                   false, false},
    [EXT_KEY_USAGE] = {"ext-key-usage", "LIST",
                       "extended key usages to ask for, such as "
                       "serverAuth,clientAuth",
                       false, false},
    [HASH] = {"hash", "NAME", "the hash to sign with; the default fits the key",
              false, false},
    [OUTFORM] = {"outform", "FORM", "pem (the default) or der", false, false},
    {0},
};

static enum exit_code write_request(const struct output *out, bool der_form,
                                    const uint8_t *der, size_t len)
{
    enum exit_code code;
    char *text = NULL;
    long text_len;
    BIO *bio;

    if (der_form)
        return output_write(out, der, len);
    bio = BIO_new(BIO_s_mem());
    if (!bio || !PEM_write_bio(bio, PEM_STRING_X509_REQ, "", der, (long)len))
        die_no_memory();
    text_len = BIO_get_mem_data(bio, &text);
    code = output_write(out, text, (size_t)text_len);
    BIO_free(bio);
    return code;
}

static enum exit_code make_request(const struct args *args,
                                   const struct output *out, bool der_form)
{
    const char **sans = args_list(args, SAN);
    const struct devid_csr_spec spec = {
        .subject = args_text(args, SUBJECT),
        .sans = sans,
        .key_usage = args_text(args, KEY_USAGE),
        .ext_key_usage = args_text(args, EXT_KEY_USAGE),
        .hash = args_text(args, HASH),
    };
    struct devid *engine = NULL;
    struct devid_key *key = NULL;
    struct devid_error err;
    uint8_t *der = NULL;
    size_t len = 0;
    enum exit_code code;

    code = engine_open_key(args, args_text(args, KEY), &engine, &key);
    if (code != EXIT_DONE)
        goto out;
    if (devid_csr_create(key, &spec, &der, &len, &err)) {
        code = fail_engine(&err);
        goto out;
    }
    code = write_request(out, der_form, der, len);

out:
    OPENSSL_free(der);
    devid_key_free(&key);
    devid_free(&engine);
    free(sans);
    return code;
}

static enum exit_code run(const struct args *args)
{
    const char *form = args_text(args, OUTFORM);
    bool der_form = form && strcmp(form, "der") == 0;
    struct output out;
    enum exit_code code;

    if (form && !der_form && strcmp(form, "pem") != 0)
        return wrong_use("csr", "--outform is pem or der, not %s", form);
    code =
        output_open(&out, args_text(args, ROW_OUT), args_flag(args, ROW_FORCE));
    if (code != EXIT_DONE)
        return code;
    code = make_request(args, &out, der_form);
    output_close(&out);
    return code;
}

const struct command csr_command = {
    .name = "csr",
    .operands = "",
    .help = "make a certificate request, signed by the key",
    .example = "  devid csr --key key.pem --subject /O=Acme/CN=unit-0001 "
               "--san DNS:unit-0001.local \\\n"
               "      --ext-key-usage serverAuth --out unit.csr\n",
    .options = options,
    .common = TAKES(ROW_TCTI) | TAKES(ROW_MODULE) | TAKES(ROW_AUTH_SOURCE) |
              TAKES(ROW_PARENT_AUTH_SOURCE) | TAKES(ROW_OUT) | TAKES(ROW_FORCE),
    .run = run,
};
