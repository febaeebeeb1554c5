/* SPDX-License-Identifier: Apache-2.0 */
/*
 * devid doctor --from: a dump that another machine wrote, up to a NUL, and
 * behind it the data of known vulnerabilities; without them those of the tree.
 */
#include "fuzz.h"

#include "args.h"
#include "as_file.h"
#include "commands.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = size > 0 ? memchr(data, '\0', size) : NULL;
    size_t dump_len = nul != NULL ? (size_t)(nul - data) : size;
    char words[][16] = {"doctor", "--from", "--advisories", "--json"};
    char dump[64];
    char advisories[256] = FUZZ_ADVISORIES;
    char *argv[] = {words[0],   words[1], dump, words[2],
                    advisories, words[3], NULL};
    int argc = size > 0 && data[0] % 2 == 0 ? 5 : 6; /* without --json, with */
    struct args args;
    enum exit_code code;

    fuzz_silence_output();
    (void)snprintf(dump, sizeof(dump), "%s", fuzz_as_file(0, data, dump_len));
    if (nul != NULL)
        (void)snprintf(advisories, sizeof(advisories), "%s",
                       fuzz_as_file(1, nul + 1, size - dump_len - 1));
    must(args_parse(&doctor_command, argc, argv, &args) == ARGS_RUN);
    code = doctor_command.run(&args);
    must(code == EXIT_DONE || code == EXIT_FAILED);
    args_clear(&args);
    must_leave_no_error();
    return 0;
}
