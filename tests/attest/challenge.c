/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: challenge SPKI RANGE NAME SECRET BLOB
 *
 * A credential for the EK whose SubjectPublicKeyInfo (DER) is in the file SPKI
 * and the object whose Name is in the file NAME, in the form that
 * tpm2_activatecredential reads, into the file BLOB. Prints the Name that the
 * EK has by the template of RANGE, low or high.
 */
#include "attest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM 4096

struct file {
    size_t len;
    uint8_t data[ROOM];
};

static void leave(const char *why)
{
    (void)fprintf(stderr, "challenge: %s\n", why);
    exit(1);
}

static void read_whole(const char *path, struct file *file)
{
    FILE *f = fopen(path, "rbe");

    if (f == NULL)
        leave(path);
    file->len = fread(file->data, 1, sizeof(file->data), f);
    (void)fclose(f); /* read only: nothing to lose */
}

static void write_blob(const char *path, const struct devid_credential *c)
{
    /* tpm2-tools' magic and version */
    static const uint8_t head[] = {0xba, 0xdc, 0xc0, 0xde, 0, 0, 0, 1};
    FILE *f = fopen(path, "wbe");

    if (f == NULL || fwrite(head, sizeof(head), 1, f) != 1 ||
        fwrite(c->id_object, c->id_object_len, 1, f) != 1 ||
        fwrite(c->secret, c->secret_len, 1, f) != 1 || fclose(f) != 0)
        leave(path);
}

int main(int argc, char **argv)
{
    static struct file spki, name, secret;
    struct devid_tpm_name object = {0};
    struct devid_credential credential;
    struct devid_error err = {0};
    struct devid_ek_area area;
    struct devid_public ek;
    struct devid_challenge challenge = {.ek = &ek, .name = &object};

    if (argc != 6)
        leave("usage: challenge SPKI RANGE NAME SECRET BLOB");
    read_whole(argv[1], &spki);
    read_whole(argv[3], &name);
    read_whole(argv[4], &secret);
    if (name.len > sizeof(object.data))
        leave("the Name is too long");
    object.len = name.len;
    memcpy(object.data, name.data, name.len);
    challenge.secret = (struct devid_bytes){secret.data, secret.len};
    if (devid_public_from_spki(spki.data, spki.len, &ek, &err) != DEVID_OK ||
        devid_ek_public_area(
            &ek, strcmp(argv[2], "low") == 0 ? DEVID_EK_LOW : DEVID_EK_HIGH,
            NULL, &area, &err) != DEVID_OK ||
        devid_make_credential(&challenge, &credential, &err) != DEVID_OK)
        leave(err.text);
    write_blob(argv[5], &credential);
    for (size_t i = 0; i < area.name.len; i++)
        (void)printf("%02x", area.name.data[i]);
    (void)printf("\n");
    return 0;
}
