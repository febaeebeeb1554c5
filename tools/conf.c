/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "commands.h"
#include "message.h"
#include "paths.h"

enum {
    KEY,
    CERT,
    CA,
    OPENSSL_CNF
};

static const struct option_row options[] = {
    [KEY] = {"key", "FILE",
             "the key file; the default is /var/lib/devid/unit/key.pem", false,
             false},
    [CERT] = {"cert", "FILE",
              "the certificate and its chain; for haproxy the key stands "
              "before it in the same file; the default is cert.pem, for "
              "haproxy combined.pem, in /var/lib/devid/unit",
              false, false},
    [CA] = {"ca", "FILE",
            "the certificates of the CA that the peer's certificate must come "
            "from; a server without it asks for none",
            false, false},
    [OPENSSL_CNF] = {"openssl-conf", "FILE",
                     "where the output of 'devid conf openssl' was saved; the "
                     "default is /etc/devid/openssl.cnf",
                     false, false},
    {0},
};

/* What a configuration is made of: absolute paths. */
struct setup {
    char key[PATH_MAX];
    char cert[PATH_MAX];
    char ca[PATH_MAX]; /* "": none */
    char openssl_cnf[PATH_MAX];
    const char *tcti;        /* NULL: none is set */
    const char *parent_name; /* of the TPM's storage key; NULL: none is set */
    const char *module;      /* of tokens; NULL: none is set */
};

/* openssl.cnf takes some characters for its own: config(5). */
static void print_openssl_value(const char *value)
{
    for (; *value; value++) {
        if (strchr("\\$\"'#`", *value))
            putchar('\\');
        putchar(*value);
    }
    putchar('\n');
}

static enum exit_code conf_openssl(const struct setup *setup)
{
    char module[PATH_MAX];
    enum exit_code code = path_of_module(module);

    if (code != EXIT_DONE)
        return code;
    if (access(module, R_OK))
        note("there is no %s yet", module);
    printf("# For programs that are to find keys in this machine's TPM: save "
           "this, and set\n"
           "# OPENSSL_CONF to the file's name in their environment. devid.so "
           "opens nothing\n"
           "# until a program loads such a key.\n"
           "openssl_conf = openssl_init\n\n"
           "[openssl_init]\n"
           "providers = providers\n\n"
           "[providers]\n"
           "default = default_provider\n"
           "devid = devid_provider\n\n"
           "[default_provider]\n"
           "activate = 1\n\n"
           "[devid_provider]\n"
           "module = %s\n"
           "activate = 1\n",
           module);
    if (setup->tcti) {
        printf("tcti = ");
        print_openssl_value(setup->tcti);
    }
    if (setup->parent_name)
        printf("tpm2-parent-name = %s\n", setup->parent_name);
    if (setup->module) {
        printf("pkcs11-module = ");
        print_openssl_value(setup->module);
    }
    puts("\n# 'openssl req' asks for this section.\n"
         "[req]\n"
         "distinguished_name = req_name\n"
         "string_mask = utf8only\n"
         "utf8 = yes\n\n"
         "[req_name]");
    return EXIT_DONE;
}

static enum exit_code conf_nginx(const struct setup *setup)
{
    printf("# nginx reads OPENSSL_CONF from the environment that it is "
           "started in. Under\n"
           "# systemd: 'systemctl edit nginx', these two lines, 'systemctl "
           "restart nginx'.\n"
           "#     [Service]\n"
           "#     Environment=OPENSSL_CONF=%s\n"
           "# In nginx.conf, outside of all blocks, so that it outlasts an "
           "upgrade of the\n"
           "# running nginx:\n"
           "#     env OPENSSL_CONF;\n"
           "# The rest belongs into its http block.\n"
           "server {\n"
           "    listen 8443 ssl;\n"
           "    server_name _;\n\n"
           "    ssl_certificate %s;\n"
           "    ssl_certificate_key %s;\n"
           "    ssl_protocols TLSv1.2 TLSv1.3;\n",
           setup->openssl_cnf, setup->cert, setup->key);
    if (*setup->ca)
        printf("\n    # Clients show a certificate of this CA.\n"
               "    ssl_client_certificate %s;\n"
               "    ssl_verify_client on;\n",
               setup->ca);
    printf("\n    location / {\n"
           "        default_type text/plain;\n"
           "        return 200 \"$ssl_protocol $ssl_client_verify "
           "$ssl_client_s_dn\\n\";\n"
           "    }\n"
           "}\n");
    return EXIT_DONE;
}

static enum exit_code conf_curl(const struct setup *setup)
{
    printf("OPENSSL_CONF=%s \\\n"
           "curl --key %s \\\n"
           "     --cert %s \\\n",
           setup->openssl_cnf, setup->key, setup->cert);
    if (*setup->ca)
        printf("     --cacert %s \\\n", setup->ca);
    puts("     https://localhost:8443/");
    return EXIT_DONE;
}

static enum exit_code conf_haproxy(const struct setup *setup)
{
    printf("# haproxy reads OPENSSL_CONF from the environment that it is "
           "started in. Under\n"
           "# systemd: 'systemctl edit haproxy', these two lines, 'systemctl "
           "restart haproxy'.\n"
           "#     [Service]\n"
           "#     Environment=OPENSSL_CONF=%s\n"
           "# Key and certificate are in one file, made by\n"
           "#     cat %s cert.pem > %s\n"
           "frontend devid\n"
           "    mode http\n"
           "    timeout client 30s\n"
           "    bind :8443 ssl crt %s ssl-min-ver TLSv1.2",
           setup->openssl_cnf, setup->key, setup->cert, setup->cert);
    if (*setup->ca)
        printf(" ca-file %s verify required", setup->ca);
    puts("\n    http-request return status 200 content-type text/plain "
         "lf-string \"%[ssl_fc_protocol] %[ssl_c_s_dn]\\n\"");
    return EXIT_DONE;
}

static const struct configured {
    const char *name;
    enum exit_code (*print)(const struct setup *setup);
    const char *cert; /* default */
} programs[] = {
    {"openssl", conf_openssl, "/var/lib/devid/unit/cert.pem"},
    {"nginx", conf_nginx, "/var/lib/devid/unit/cert.pem"},
    {"curl", conf_curl, "/var/lib/devid/unit/cert.pem"},
    {"haproxy", conf_haproxy, "/var/lib/devid/unit/combined.pem"},
};

static const struct configured *program_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
        if (strcmp(programs[i].name, name) == 0)
            return &programs[i];
    }
    return NULL;
}

/* What the tool itself would use, were it to open the TPM now. */
static const char *tcti_in_use(const struct args *args)
{
    const char *tcti = args_text(args, ROW_TCTI);

    if (!tcti)
        tcti = getenv("DEVID_TCTI");
    if (!tcti)
        tcti = getenv("TPM2TOOLS_TCTI");
    return tcti;
}

/* The same for tokens; a name alone is for p11-kit to find. */
static enum exit_code find_token_module(const struct args *args,
                                        char path[PATH_MAX],
                                        const char **module)
{
    const char *given = args_text(args, ROW_MODULE);

    if (!given)
        given = getenv("DEVID_PKCS11_MODULE");
    *module = given;
    if (!given || !strchr(given, '/'))
        return EXIT_DONE;
    *module = path;
    return path_for_configuration(given, path);
}

static enum exit_code fill_path(const struct args *args, int row,
                                const char *standard, char path[PATH_MAX])
{
    const char *given = args_text(args, row);

    return path_for_configuration(given ? given : standard, path);
}

static enum exit_code run(const struct args *args)
{
    const struct configured *program = program_by_name(args->operands[0]);
    struct setup setup = {
        .tcti = tcti_in_use(args),
        .parent_name = getenv("DEVID_TPM2_PARENT_NAME"),
    };
    char module[PATH_MAX];

    if (!program)
        return wrong_use("conf",
                         "devid has no configuration for %s; it has them for "
                         "openssl, nginx, curl and haproxy",
                         args->operands[0]);
    if (fill_path(args, KEY, "/var/lib/devid/unit/key.pem", setup.key) ||
        fill_path(args, CERT, program->cert, setup.cert) ||
        fill_path(args, OPENSSL_CNF, "/etc/devid/openssl.cnf",
                  setup.openssl_cnf) ||
        find_token_module(args, module, &setup.module))
        return EXIT_FAILED;
    if (args_text(args, CA) && fill_path(args, CA, "", setup.ca))
        return EXIT_FAILED;
    return program->print(&setup);
}

const struct command conf_command = {
    .name = "conf",
    .operands = "PROGRAM",
    .help = "print a configuration: openssl, nginx, curl or haproxy",
    .example = "  devid conf openssl > /etc/devid/openssl.cnf\n"
               "  devid conf nginx --key key.pem --cert cert.pem\n",
    .options = options,
    .common = TAKES(ROW_TCTI) | TAKES(ROW_MODULE),
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
