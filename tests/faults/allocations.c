/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The n-th allocation fails, for every n, in a program that loads a key, signs
 * with it, or makes one through the provider: allocations of devid and of
 * OpenSSL, which both ask OPENSSL_malloc. OPENSSL_CONF says where devid is,
 * DEVID_TEST_DEVICE in which device a key is made.
 *
 * usage: allocations [--whole] [--verbose] [--report FILE] NAME KEY-FILE
 *
 * Each n is a process of its own. It ends well where the program was told of an
 * error, or came to the right result all the same, and where it then does the
 * same without a fault; it crashes, loses memory or is told nothing otherwise.
 * What OpenSSL does so in its own code is known by the table `known`; the rest
 * is a failure. Without --whole each place in the source fails once.
 */
#include "allocations.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

enum {
    PLACES_MAX = 30000,
    PLACE_SIZE = 56,
    PEM_SIZE = 8192,
    SIGNATURE_MAX = 512,
    CHILD_S = 60,
    ENTRY_SIZE = 80
};

static const char *const end_words[END_COUNT] = {
    [END_TOLD] = "an error",         [END_RIGHT] = "the right result",
    [END_UNTOLD] = "no error",       [END_WRONG] = "a wrong result",
    [END_AFTER] = "the next failed", [END_LEAK] = "memory lost",
    [END_CRASH] = "a crash",         [END_BROKEN] = "broken before",
};

/* Shared with the children. */
static struct seen {
    unsigned count;
    char entry[ENTRY_SIZE]; /* of the allocation that failed last */
    char places[PLACES_MAX][PLACE_SIZE]; /* "engine/key.c:12" */
} * seen;

static bool counting;
static bool recording;   /* places, of the process that fails none */
static unsigned fail_at; /* 0: none */
static unsigned at;
static char pem[PEM_SIZE];

/* ---- the allocator --------------------------------------------------- */

static bool fails(const char *file, int line)
{
    if (!counting)
        return false;
    at++;
    if (recording && at <= PLACES_MAX) {
        (void)snprintf(seen->places[at - 1], PLACE_SIZE, "%s:%d",
                       place_in_tree(file), line);
        seen->count = at;
    }
    if (at != fail_at)
        return false;
    stack_entry(seen->entry, sizeof(seen->entry));
    return true;
}

static void *allocate(size_t size, const char *file, int line)
{
    return size == 0 || fails(file, line) ? NULL : malloc(size);
}

static void *reallocate(void *old, size_t size, const char *file, int line)
{
    if (size == 0) {
        free(old);
        return NULL;
    }
    return fails(file, line) ? NULL : realloc(old, size);
}

static void release(void *old, const char *file, int line)
{
    (void)file;
    (void)line;
    free(old);
}

/* ---- what the program does ------------------------------------------- */

static EVP_PKEY *load(void)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *pkey =
        bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    return pkey;
}

static bool sign(EVP_PKEY *pkey, unsigned char *sig, size_t *len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool done =
        ctx != NULL &&
        EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pkey) == 1 &&
        EVP_DigestSign(ctx, sig, len, (const unsigned char *)"text", 4) == 1;

    EVP_MD_CTX_free(ctx);
    return done;
}

/* By OpenSSL's own provider. */
static bool verifies(EVP_PKEY *pkey, const unsigned char *sig, size_t len)
{
    unsigned char *der = NULL;
    const int n = i2d_PUBKEY(pkey, &der);
    const unsigned char *p = der;
    EVP_PKEY *pub = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good;

    if (n > 0)
        pub = d2i_PUBKEY_ex(NULL, &p, n, NULL, "provider=default");
    good =
        pub != NULL &&
        EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pub) == 1 &&
        EVP_DigestVerify(ctx, sig, len, (const unsigned char *)"text", 4) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pub);
    OPENSSL_free(der);
    return good;
}

static bool signs(EVP_PKEY *pkey)
{
    unsigned char sig[SIGNATURE_MAX];
    size_t len = sizeof(sig);

    return sign(pkey, sig, &len) && verifies(pkey, sig, len);
}

static enum end failed(void)
{
    return ERR_peek_error() != 0 ? END_TOLD : END_UNTOLD;
}

static enum end do_load(void)
{
    EVP_PKEY *pkey;
    enum end end;

    counting = true;
    pkey = load();
    counting = false;
    if (pkey == NULL)
        return failed();
    end = signs(pkey) ? END_RIGHT : END_WRONG;
    EVP_PKEY_free(pkey);
    return end;
}

static enum end do_sign(void)
{
    EVP_PKEY *pkey = load();
    unsigned char sig[SIGNATURE_MAX];
    size_t len = sizeof(sig);
    enum end end = END_BROKEN;
    bool done;

    if (pkey != NULL) {
        counting = true;
        done = sign(pkey, sig, &len);
        counting = false;
        end = !done                      ? failed()
              : verifies(pkey, sig, len) ? END_RIGHT
                                         : END_WRONG;
    }
    EVP_PKEY_free(pkey);
    return end;
}

static enum end do_keygen(void)
{
    const char *device = getenv("DEVID_TEST_DEVICE");
    EVP_PKEY_CTX *ctx;
    EVP_PKEY *pkey = NULL;
    enum end end;

    counting = true;
    ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", "provider=devid");
    if (ctx == NULL || EVP_PKEY_keygen_init(ctx) != 1 ||
        (device != NULL && EVP_PKEY_CTX_ctrl_str(ctx, "device", device) != 1) ||
        EVP_PKEY_generate(ctx, &pkey) != 1)
        pkey = NULL;
    counting = false;
    EVP_PKEY_CTX_free(ctx);
    if (pkey == NULL)
        return failed();
    end = signs(pkey) ? END_RIGHT : END_WRONG;
    EVP_PKEY_free(pkey);
    return end;
}

static const struct work {
    const char *name;
    enum end (*run)(void);
} works[] = {{"load", do_load}, {"sign", do_sign}, {"keygen", do_keygen}};

/* ---- one process ----------------------------------------------------- */

__attribute__((noreturn)) static void child(const struct work *work, unsigned n)
{
    enum end end;

    (void)alarm(CHILD_S);
    (void)signal(SIGSEGV, stack_crashed);
    fail_at = n;
    recording = n == 0;
    if (OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) != 1)
        _exit(END_BROKEN);
    end = work->run();
    ERR_clear_error();
    fail_at = 0;
    if (n != 0 && (end == END_TOLD || end == END_RIGHT) &&
        work->run() != END_RIGHT) {
        end = END_AFTER;
        ERR_print_errors_fp(stderr);
    }
    ERR_clear_error();
    if (end <= END_RIGHT && __lsan_do_recoverable_leak_check != NULL &&
        __lsan_do_recoverable_leak_check() != 0)
        end = END_LEAK;
    /* The provider goes, and with it what is loaded in the device. */
    OPENSSL_cleanup();
    _exit((int)end);
}

static enum end run_one(const struct work *work, unsigned n)
{
    int status = 0;
    pid_t pid;

    seen->entry[0] = '\0';
    (void)fflush(NULL);
    pid = fork();
    if (pid == 0)
        child(work, n);
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return END_BROKEN;
    return WIFEXITED(status) && WEXITSTATUS(status) < END_COUNT
               ? (enum end)WEXITSTATUS(status)
               : END_CRASH;
}

/* ---- all of them ----------------------------------------------------- */

static unsigned ends[END_COUNT];
static unsigned excused;
static unsigned ours; /* in code of devid's */
static unsigned failures;

static bool was_before(unsigned n)
{
    for (unsigned i = 1; i < n; i++) {
        if (strcmp(seen->places[i - 1], seen->places[n - 1]) == 0)
            return true;
    }
    return false;
}

static void sweep(const struct work *work, bool whole, bool verbose)
{
    unsigned tried = 0;
    enum end end = run_one(work, 0);
    const unsigned count = seen->count;

    if (end != END_RIGHT || count == 0) {
        (void)printf("FAIL %s: without a fault it ends with %s\n", work->name,
                     end_words[end]);
        failures++;
        return;
    }
    for (unsigned n = 1; n <= count; n++) {
        const char *place = seen->places[n - 1];

        if (!whole && was_before(n))
            continue;
        tried++;
        ours += place_is_ours(place);
        end = run_one(work, n);
        ends[end]++;
        if (verbose)
            (void)printf("%s %u %s: %s\n", work->name, n, place,
                         end_words[end]);
        if (end <= END_RIGHT)
            continue;
        if (place_is_known(place, end, seen->entry)) {
            excused++;
            continue;
        }
        failures++;
        (void)printf("FAIL %s, allocation %u at %s in %s: %s\n", work->name, n,
                     place, seen->entry, end_words[end]);
    }
    (void)printf("%s: %u of %u allocations failed\n", work->name, tried, count);
}

static void report(const char *path, const char *name)
{
    FILE *file = fopen(path, "ae");

    if (file == NULL) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    (void)fprintf(file,
                  "a failed allocation ends in an error or in the right "
                  "result\tfaults.allocations-%s\t%u failed (%u in code of "
                  "devid's): %u said so, %u came to the right result, %u in "
                  "code of OpenSSL's that does neither; %u failures\n",
                  name, ends[END_TOLD] + ends[END_RIGHT] + excused + failures,
                  ours, ends[END_TOLD], ends[END_RIGHT], excused, failures);
    if (fclose(file) != 0)
        perror(path);
}

static void read_key(const char *path)
{
    FILE *file = fopen(path, "re");

    if (file == NULL || fread(pem, 1, sizeof(pem) - 1, file) == 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    (void)fclose(file); /* read only */
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"whole", no_argument, NULL, 'w'},
        {"verbose", no_argument, NULL, 'v'},
        {"report", required_argument, NULL, 'r'},
        {NULL, 0, NULL, 0},
    };
    const char *path = NULL;
    bool whole = false;
    bool verbose = false;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        whole |= option == 'w';
        verbose |= option == 'v';
        path = option == 'r' ? optarg : path;
    }
    if (argc != optind + 2 ||
        CRYPTO_set_mem_functions(allocate, reallocate, release) != 1)
        return 2;
    read_key(argv[optind + 1]);
    seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (seen == MAP_FAILED)
        return EXIT_FAILURE;
    for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++)
        sweep(&works[i], whole, verbose);
    (void)printf("%u told, %u right, %u known of OpenSSL, %u failures; %u of "
                 "them in code of devid's\n",
                 ends[END_TOLD], ends[END_RIGHT], excused, failures, ours);
    if (path != NULL)
        report(path, argv[optind]);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
