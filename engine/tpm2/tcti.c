/* SPDX-License-Identifier: Apache-2.0 */
/* The link to the TPM: what kind it is, opening it, saying why it fails. */
#include "tpm2.h"

#include <dlfcn.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#define TCTI_NAME_SIZE 192

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* "pcap:" only records: what matters is the TCTI behind it. */
static const char *innermost(const char *tcti)
{
    while (starts_with(tcti, "pcap:"))
        tcti += strlen("pcap:");
    return tcti;
}

void tpm2_tcti_classify(struct tpm2_conn *conn)
{
    const char *tcti = innermost(conn->tcti);

    conn->uses_glib = starts_with(tcti, "tabrmd");
    conn->has_rm = conn->uses_glib || starts_with(tcti, "device:/dev/tpmrm");
    if (conn->shared != NULL)
        conn->managed = false; /* what stays loaded, all children would share */
    else if (strcmp(conn->sharing, "auto") == 0)
        conn->managed = conn->has_rm;
    else
        conn->managed = strcmp(conn->sharing, "managed") == 0;
    conn->exclusive =
        !conn->has_rm && !conn->managed && conn->shared == NULL &&
        (starts_with(tcti, "device") || starts_with(tcti, "mssim"));
}

/* The library's name is all before the first colon, as TctiLdr reads it. */
static bool library_name(const char *tcti, char *name, size_t size)
{
    size_t len = strcspn(tcti, ":");

    if (len == 0 || len >= size)
        return false;
    memcpy(name, tcti, len);
    name[len] = '\0';
    return true;
}

void tpm2_tcti_preload(struct tpm2_conn *conn)
{
    char name[TCTI_NAME_SIZE];
    char file[TCTI_NAME_SIZE + 32];

    if (conn->library != NULL || !library_name(conn->tcti, name, sizeof(name)))
        return;
    (void)snprintf(file, sizeof(file), "libtss2-tcti-%s.so.0", name);
    conn->library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (conn->library == NULL)
        conn->library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
}

/*
 * The file descriptors that a child must close unspoken, or the resource
 * manager never sees its parent leave. The swtpm TCTI reports one that it
 * has closed already.
 */
static void remember_fds(struct tpm2_conn *conn)
{
    TSS2_TCTI_POLL_HANDLE handles[TPM2_POLL_FDS_MAX];
    size_t count = TPM2_POLL_FDS_MAX;

    conn->fd_count = 0;
    if (!starts_with(conn->tcti, "device") &&
        !starts_with(conn->tcti, "mssim") && !conn->uses_glib)
        return;
    if (Tss2_Tcti_GetPollHandles(conn->tcti_ctx, handles, &count) != 0)
        return;
    for (size_t i = 0; i < count && i < TPM2_POLL_FDS_MAX; i++)
        conn->fds[conn->fd_count++] = handles[i].fd;
}

TSS2_RC tpm2_tcti_open(struct tpm2_conn *conn)
{
    TSS2_RC rc;

    /* tpm2-tss 3.2 has no call for this, and prints what we say better. */
    (void)setenv("TSS2_LOG", "all+none", 0);
    tpm2_tcti_preload(conn);
    if (conn->stranded)
        return TSS2_TCTI_RC_NOT_SUPPORTED; /* it would wait for an answer */
    rc = Tss2_TctiLdr_Initialize(conn->tcti, &conn->tcti_ctx);
    if (rc != TSS2_RC_SUCCESS) {
        conn->tcti_ctx = NULL;
        return rc;
    }
    rc = Esys_Initialize(&conn->esys, tpm2_answers_of(conn), NULL);
    if (rc != TSS2_RC_SUCCESS) {
        conn->esys = NULL;
        Tss2_TctiLdr_Finalize(&conn->tcti_ctx);
        return rc;
    }
    conn->instance++;
    remember_fds(conn);
    return TSS2_RC_SUCCESS;
}

void tpm2_tcti_close(struct tpm2_conn *conn)
{
    if (conn->esys != NULL)
        Esys_Finalize(&conn->esys);
    if (conn->tcti_ctx != NULL)
        Tss2_TctiLdr_Finalize(&conn->tcti_ctx);
    conn->esys = NULL;
    conn->tcti_ctx = NULL;
    conn->fd_count = 0;
}

static const char *user_name(char *buf, size_t size)
{
    struct passwd entry;
    struct passwd *found = NULL;
    char space[1024];

    if (getpwuid_r(geteuid(), &entry, space, sizeof(space), &found) == 0 &&
        found != NULL)
        (void)snprintf(buf, size, "%s", found->pw_name);
    else
        (void)snprintf(buf, size, "uid %u", (unsigned)geteuid());
    return buf;
}

/* The group to join, as the device's file has it. */
static const char *group_name(const char *path, char *buf, size_t size)
{
    struct stat st;
    struct group entry;
    struct group *found = NULL;
    char space[1024];

    if (stat(path, &st) == 0 &&
        getgrgid_r(st.st_gid, &entry, space, sizeof(space), &found) == 0 &&
        found != NULL)
        (void)snprintf(buf, size, "%s", found->gr_name);
    else
        (void)snprintf(buf, size, "tss");
    return buf;
}

static enum devid_err device_fail(const char *path, TSS2_RC rc,
                                  struct devid_error *err)
{
    char user[64];
    char group[64];

    if (*path == '\0')
        path = "/dev/tpm0";
    if (access(path, F_OK) != 0 && errno != EACCES) {
        return devid_fail(err, DEVID_ERR_NO_DEVICE, rc,
                          "there is no TPM at %s (%s): set tcti, or "
                          "DEVID_TCTI, to where it is",
                          path, strerror(errno));
    }
    if (access(path, R_OK | W_OK) != 0) {
        return devid_fail(err, DEVID_ERR_NO_DEVICE, rc,
                          "user %s may not open the TPM at %s: add the user "
                          "to group %s",
                          user_name(user, sizeof(user)), path,
                          group_name(path, group, sizeof(group)));
    }
    return devid_fail(err, DEVID_ERR_NO_DEVICE, rc,
                      "the TPM at %s does not open: another program holds it, "
                      "or it is no TPM (%s); /dev/tpmrm0 can be shared",
                      path, Tss2_RC_Decode(rc));
}

enum devid_err tpm2_tcti_fail(const struct tpm2_conn *conn, TSS2_RC rc,
                              struct devid_error *err)
{
    char name[TCTI_NAME_SIZE] = "";
    const char *tcti = innermost(conn->tcti);

    if (!library_name(tcti, name, sizeof(name)) || conn->library == NULL) {
        return devid_fail(err, DEVID_ERR_NO_DEVICE, rc,
                          "'%.200s' is no TCTI string that works here: there "
                          "is no TCTI library for '%s'; give device:, swtpm:, "
                          "mssim: or tabrmd: with its options, such as "
                          "device:/dev/tpmrm0",
                          conn->tcti, name);
    }
    if (conn->stranded) {
        return devid_fail(err, DEVID_ERR_NO_DEVICE, rc,
                          "this process was forked from one that had used "
                          "tpm2-abrmd already, and abrmd's client library "
                          "(GLib) does not survive a fork: use "
                          "device:/dev/tpmrm0, or let the parent not sign");
    }
    if (strcmp(name, "device") == 0)
        return device_fail(tcti[6] == ':' ? tcti + 7 : "", rc, err);
    if (rc == TSS2_TCTI_RC_BAD_VALUE) {
        return devid_fail(err, DEVID_ERR_NO_DEVICE, rc,
                          "the TCTI %s does not take the options in '%.200s': "
                          "swtpm and mssim take host=127.0.0.1,port=2321, "
                          "tabrmd takes bus_type=system",
                          name, conn->tcti);
    }
    return devid_fail(err, DEVID_ERR_NO_DEVICE, rc,
                      "no TPM answers at %.200s (%s): start it, or set tcti, "
                      "or DEVID_TCTI, to where it is",
                      conn->tcti, Tss2_RC_Decode(rc));
}
