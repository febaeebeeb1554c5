/* SPDX-License-Identifier: Apache-2.0 */
/* A file in the folder of vendors' certificates: PEM, DER, or something else.
 */
#include "fuzz.h"

#include "as_file.h"
#include "attest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_as_file(0, data, size);
    struct devid_trust *trust = NULL;
    struct devid_trust_count first = {0};
    struct devid_trust_count again = {0};
    struct devid_error err = {0};

    must(devid_trust_new(NULL, &trust, &err) == DEVID_OK);
    if (devid_trust_add(trust, path, &first, &err) == DEVID_OK) {
        must(first.roots + first.intermediates + first.known > 0);
        must(devid_trust_add(trust, path, &again, &err) == DEVID_OK);
        must(again.roots == 0 && again.intermediates == 0);
        must(again.known == first.roots + first.intermediates + first.known);
    } else {
        must(err.text[0] != '\0');
    }
    devid_trust_free(&trust);
    must_leave_no_error();
    return 0;
}
