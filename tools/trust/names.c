/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include <ctype.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "report.h"

enum {
    SHA1_DIGITS = 40,
    SHA256_DIGITS = 64,
    SERIAL_DIGITS_MAX = 40, /* RFC 5280, 4.1.2.2: 20 octets */
    NAME_MAX_LEN = 2000
};

static char *copy(const char *text)
{
    char *made = strdup(text);

    if (!made)
        die_no_memory();
    return made;
}

/* ---- of certificates ----------------------------------------------------- */

char *name_text(const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data = NULL;
    char *text;

    /* nginx and haproxy print names with these flags. */
    if (!bio || X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) < 0 ||
        BIO_write(bio, "", 1) != 1)
        die_no_memory();
    (void)BIO_get_mem_data(bio, &data);
    text = copy(data);
    BIO_free(bio);
    return text;
}

char *serial_text(const ASN1_INTEGER *serial)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(serial, NULL);
    char *hex = number ? BN_bn2hex(number) : NULL;
    char *text;

    if (!hex)
        die_no_memory();
    text = copy(strcmp(hex, "0") == 0 ? "00" : hex);
    OPENSSL_free(hex);
    BN_free(number);
    return text;
}

static char *digest_text(const X509 *cert, const EVP_MD *md)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    char *text;

    if (X509_digest(cert, md, digest, &len) != 1)
        die_no_memory();
    text = calloc(2 * (size_t)len + 1, 1);
    if (!text)
        die_no_memory();
    for (unsigned i = 0; i < len; i++)
        (void)snprintf(text + 2 * (size_t)i, 3, "%02x", digest[i]);
    return text;
}

void names_of_cert(const X509 *cert, struct names *names)
{
    *names = (struct names){
        .subject = name_text(X509_get_subject_name(cert)),
        .issuer = name_text(X509_get_issuer_name(cert)),
        .serial = serial_text(X509_get0_serialNumber(cert)),
        .sha256 = digest_text(cert, EVP_sha256()),
        .sha1 = digest_text(cert, EVP_sha1()),
    };
}

void names_clear(struct names *names)
{
    free(names->subject);
    free(names->issuer);
    free(names->serial);
    free(names->sha256);
    free(names->sha1);
    *names = (struct names){0};
}

/* ---- as typed ------------------------------------------------------------ */

/* One character, spelt as OpenSSL spells it: what is not ASCII in hex. */
static size_t put_character(char *at, unsigned char c)
{
    if (c >= 0x80)
        return (size_t)sprintf(at, "\\%02X", c);
    *at = (char)c;
    return 1;
}

enum exit_code name_read(const char *command, const char *typed, char **text)
{
    size_t len = strlen(typed);
    bool after_comma = false;
    char *at;

    *text = NULL;
    if (*typed == '/' || !strchr(typed, '=') || len > NAME_MAX_LEN)
        return wrong_use(command,
                         "'%.80s' is no name of a certificate: it is written "
                         "as in RFC 4514, the last part first, such as "
                         "CN=unit-0001,O=Acme",
                         typed);
    *text = at = calloc(3 * len + 1, 1);
    if (!at)
        die_no_memory();
    for (const char *c = typed; *c; c++) {
        bool escapes = *c == '\\' && c[1] != '\0';

        if (*c == ' ' && after_comma)
            continue; /* "CN=unit-0001, O=Acme" */
        after_comma = *c == ',';
        if (escapes)
            at += put_character(at, (unsigned char)*c++);
        at += put_character(at, (unsigned char)*c);
    }
    return EXIT_DONE;
}

/* The digits alone, in small letters; NULL: there is something else. */
static char *hex_digits(const char *typed)
{
    char *digits = calloc(strlen(typed) + 2, 1);
    char *at = digits;

    if (!digits)
        die_no_memory();
    for (const char *c = typed; *c; c++) {
        if (*c == ':')
            continue;
        if (!isxdigit((unsigned char)*c)) {
            free(digits);
            return NULL;
        }
        *at++ = (char)tolower((unsigned char)*c);
    }
    return digits;
}

enum exit_code serial_read(const char *command, const char *typed, char **text)
{
    const char *number = strncmp(typed, "0x", 2) == 0 ? typed + 2 : typed;
    char *digits = hex_digits(number);
    const char *from = digits;

    *text = NULL;
    while (from && *from == '0')
        from++;
    if (!from || *number == '\0' || strlen(from) > SERIAL_DIGITS_MAX) {
        free(digits);
        return wrong_use(command,
                         "'%.80s' is no serial number of a certificate: at "
                         "most 40 hexadecimal digits, as openssl x509 -noout "
                         "-serial prints it",
                         typed);
    }
    *text = calloc(strlen(from) + 3, 1);
    if (!*text)
        die_no_memory();
    (void)sprintf(*text, "%s%s",
                  *from == '\0'           ? "00"
                  : strlen(from) % 2 != 0 ? "0"
                                          : "",
                  from);
    for (char *c = *text; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    free(digits);
    return EXIT_DONE;
}

enum exit_code fingerprint_read(const char *command, const char *typed,
                                struct names *names)
{
    char *digits = hex_digits(typed);
    size_t len = digits ? strlen(digits) : 0;

    if (len == SHA256_DIGITS) {
        names->sha256 = digits;
        return EXIT_DONE;
    }
    if (len == SHA1_DIGITS) {
        names->sha1 = digits;
        return EXIT_DONE;
    }
    free(digits);
    return wrong_use(command,
                     "'%.80s' is no fingerprint of a certificate: 64 "
                     "hexadecimal digits of SHA-256, or 40 of SHA-1, as "
                     "openssl x509 -noout -fingerprint -sha256 prints them",
                     typed);
}

/* ---- entries ------------------------------------------------------------- */

static const struct criterion {
    const char *word;
    const char *members[2];
    bool both; /* are needed; else one of them is enough */
} criteria[] = {
    [BY_FINGERPRINT] = {"fingerprint", {"sha256", "sha1"}, false},
    [BY_SERIAL] = {"serial", {"serial", "issuer"}, true},
    [BY_SUBJECT] = {"subject", {"subject", "subject"}, true},
};

enum by by_of_word(const char *word)
{
    for (int i = 0; i < BY_ANY; i++) {
        if (strcmp(criteria[i].word, word) == 0)
            return (enum by)i;
    }
    return BY_ANY;
}

enum by device_by(const json_t *device)
{
    return by_of_word(report_get(device, "by"));
}

json_t *device_new(const struct names *names, enum by by, const char *note)
{
    json_t *device = report_new();

    report_text(device, "by", criteria[by].word);
    if (by == BY_SERIAL) {
        report_text(device, "serial", names->serial);
        report_text(device, "issuer", names->issuer);
    }
    if (by == BY_FINGERPRINT) {
        report_text(device, "sha256", names->sha256);
        report_text(device, "sha1", names->sha1);
    }
    report_text(device, "subject", names->subject);
    report_text(device, "note", note);
    return device;
}

static bool are_digits(const char *text, size_t len, const char *kind)
{
    return *text == '\0' ||
           (strlen(text) == len && strspn(text, kind) == strlen(text));
}

/* What a line of a configuration can hold, and begins as a name does. */
static bool is_name(const char *text)
{
    if (*text == '\0')
        return true;
    for (const char *c = text; *c; c++) {
        if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f)
            return false;
    }
    return isalnum((unsigned char)*text) && strchr(text, '=') &&
           strlen(text) / 3 <= NAME_MAX_LEN;
}

const char *device_wrong(const json_t *device)
{
    static const char small[] = "0123456789abcdef";
    static const char large[] = "0123456789ABCDEF";
    const struct criterion *c;
    const char *serial = report_get(device, "serial");
    int has;

    if (device_by(device) == BY_ANY)
        return "does not say \"by\": \"fingerprint\", \"serial\" or "
               "\"subject\"";
    c = &criteria[device_by(device)];
    has = (*report_get(device, c->members[0]) != '\0') +
          (*report_get(device, c->members[1]) != '\0');
    if (has == 0 || (c->both && has == 1))
        return "lacks what it goes by: a fingerprint \"sha256\" or \"sha1\", "
               "a \"serial\" with its \"issuer\", or a \"subject\"";
    if (!are_digits(report_get(device, "sha256"), SHA256_DIGITS, small) ||
        !are_digits(report_get(device, "sha1"), SHA1_DIGITS, small))
        return "has a fingerprint that is not 64 (\"sha256\") or 40 (\"sha1\") "
               "hexadecimal digits in small letters";
    if (!are_digits(serial, strlen(serial), large) || strlen(serial) % 2 != 0)
        return "has a serial number that is not pairs of hexadecimal digits "
               "in capital letters";
    if (!is_name(report_get(device, "subject")) ||
        !is_name(report_get(device, "issuer")))
        return "has a subject or an issuer that is not written as in RFC 4514, "
               "such as CN=unit-0001,O=Acme, with \\C3\\BC for what is not "
               "ASCII";
    return NULL;
}

static bool is_same(const json_t *device, const char *member, const char *name)
{
    return name != NULL && strcmp(report_get(device, member), name) == 0;
}

bool device_names(const json_t *device, const struct names *names, enum by by)
{
    enum by own = device_by(device);

    if (by != BY_ANY && by != own)
        return false;
    if (own == BY_SUBJECT)
        return is_same(device, "subject", names->subject);
    if (own == BY_SERIAL)
        return is_same(device, "serial", names->serial) &&
               (!names->issuer || is_same(device, "issuer", names->issuer));
    if (*report_get(device, "sha256") != '\0' && names->sha256)
        return is_same(device, "sha256", names->sha256);
    return is_same(device, "sha1", names->sha1);
}

const char *device_text(const json_t *device, char *room, size_t size)
{
    enum by by = device_by(device);
    const char *sha256 = report_get(device, "sha256");

    if (by == BY_SUBJECT)
        return report_get(device, "subject");
    if (by == BY_SERIAL)
        (void)snprintf(room, size, "%s of %s", report_get(device, "serial"),
                       report_get(device, "issuer"));
    else
        (void)snprintf(room, size, "%s",
                       *sha256 != '\0' ? sha256 : report_get(device, "sha1"));
    return room;
}
