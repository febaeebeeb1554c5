/* SPDX-License-Identifier: Apache-2.0 */
/* Files that come to a station on a stick: requests, and lists of EKs. */
#include "fuzz.h"

#include "as_file.h"
#include "context.h"
#include "offline.h"

#include <openssl/crypto.h>
#include <string.h>

static void as_request(const char *path)
{
    struct file file;

    if (offline_open(path, &file) != EXIT_DONE) {
        must(file.data == NULL && file.der == NULL);
        return;
    }
    must(file.der != NULL ? file.der_len > 0 : file.csr.contents.len > 0);
    offline_close(&file);
}

static void as_ek_list(const char *path)
{
    static const char zero[] = "0000000000000000000000000000000000000000"
                               "000000000000000000000000";
    struct ek_list *list = NULL;

    if (ek_list_read(path, &list) == EXIT_DONE)
        (void)ek_list_has(list, zero);
    else
        must(list == NULL);
    ek_list_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_as_file(0, data, size);

    as_request(path);
    as_ek_list(path);
    must_leave_no_error();
    return 0;
}
