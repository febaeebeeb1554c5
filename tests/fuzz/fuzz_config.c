/* SPDX-License-Identifier: Apache-2.0 */
/* A station's station.conf. */
#include "fuzz.h"

#include "as_file.h"
#include "config.h"

#include <string.h>

static enum exit_code run(const struct args *args)
{
    struct config config;

    if (config_load(args, &config) != EXIT_DONE)
        return EXIT_FAILED;
    must(config.name != NULL && strlen(config.name) <= 64);
    must(config.ledger != NULL && config.ca_key != NULL);
    must(config.port >= 1 && config.port <= 65535);
    must(config.crl_shards >= 1 && config.connections >= 1);
    for (const struct config_pair *p = config.device; p->name != NULL; p++)
        must(p->value != NULL);
    for (unsigned i = 0; i < config.label_count; i++) {
        const struct est_label *label = &config.labels[i];

        must(config_label(&config, label->name) == label);
        must(label->lifetime_s > 0 && label->retry_s > 0);
    }
    must(config_label(&config, "/") == NULL);
    config_clear(&config);
    return EXIT_DONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct option_row none[] = {{0}};
    static const struct command command = {
        .name = "fuzz", .options = none, .common = TAKES(ROW_DIR), .run = run};
    char name[] = "fuzz";
    char option[] = "--dir";
    char dir[256];
    char *argv[] = {name, option, dir, NULL};
    struct args args;

    /* OpenSSL reads other files where it is told so: not these. */
    if (memmem(data, size, "include", strlen("include")) != NULL)
        return 0;
    (void)strncpy(dir, fuzz_as_folder(0, STATION_CONF, data, size),
                  sizeof(dir) - 1);
    dir[sizeof(dir) - 1] = '\0';
    must(args_parse(&command, 3, argv, &args) == ARGS_RUN);
    (void)run(&args);
    args_clear(&args);
    must_leave_no_error();
    return 0;
}
