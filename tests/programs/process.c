/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that uses keys through OpenSSL's API alone, in the ways that are
 * hard on what stands behind a key. OPENSSL_CONF says where devid is.
 *
 * usage: process_test fork|fork-first|leak|threads|keys KEY-FILE...
 *
 * Each signature is verified by OpenSSL's default provider. Whatever hangs is
 * ended by an alarm. Exits with 0 where all went well.
 */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    KEYS_MAX = 16,
    THREADS = 8,
    SIGNATURES = 20, /* of each thread */
    FORKS = 24,
    CHILD_S = 30, /* until the alarm */
    PARENT_S = 100,
    SIGNATURE_MAX = 512
};

struct key {
    EVP_PKEY *pkey;
    EVP_PKEY *verifier; /* the public key, of the default provider */
};

struct keys {
    size_t count;
    struct key key[KEYS_MAX];
};

/* Global, for a program that never frees what it loads does not lose it. */
static struct keys keys;

static void complain(const char *what)
{
    (void)fprintf(stderr, "process %ld: %s\n", (long)getpid(), what);
    ERR_print_errors_fp(stderr);
}

/* ---- keys ------------------------------------------------------------ */

static EVP_PKEY *verifier_of(EVP_PKEY *pkey)
{
    unsigned char *der = NULL;
    const int len = i2d_PUBKEY(pkey, &der);
    const unsigned char *at = der;
    EVP_PKEY *verifier = NULL;

    if (len > 0)
        verifier = d2i_PUBKEY_ex(NULL, &at, len, NULL, "provider=default");
    OPENSSL_free(der);
    return verifier;
}

static bool load(struct key *key, const char *path)
{
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return false;
    key->pkey = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    (void)fclose(file); /* read only: nothing to lose */
    if (key->pkey != NULL)
        key->verifier = verifier_of(key->pkey);
    return key->verifier != NULL;
}

static void unload(struct key *key)
{
    EVP_PKEY_free(key->pkey);
    EVP_PKEY_free(key->verifier);
    *key = (struct key){0};
}

static bool sign_and_verify(const struct key *key)
{
    static atomic_uint counter;
    unsigned char text[sizeof(unsigned)];
    unsigned char sig[SIGNATURE_MAX];
    const unsigned number = atomic_fetch_add(&counter, 1);
    size_t len = sizeof(sig);
    EVP_MD_CTX *signing = EVP_MD_CTX_new();
    EVP_MD_CTX *verifying = EVP_MD_CTX_new();
    bool good;

    memcpy(text, &number, sizeof(text));
    good =
        EVP_DigestSignInit(signing, NULL, EVP_sha256(), NULL, key->pkey) == 1 &&
        EVP_DigestSign(signing, sig, &len, text, sizeof(text)) == 1;
    if (!good)
        complain("no signature");
    if (good &&
        (EVP_DigestVerifyInit(verifying, NULL, EVP_sha256(), NULL,
                              key->verifier) != 1 ||
         EVP_DigestVerify(verifying, sig, len, text, sizeof(text)) != 1)) {
        complain("a wrong signature");
        good = false;
    }
    EVP_MD_CTX_free(signing);
    EVP_MD_CTX_free(verifying);
    return good;
}

/* ---- threads --------------------------------------------------------- */

/* A thread's work: the keys in turn, from a place of its own. */
struct work {
    pthread_t thread;
    size_t first;
    size_t signatures; /* 0: until it is told to stop */
    bool good;
};

static atomic_bool stop;
static atomic_uint signed_by_threads;

static void *sign_in_turn(void *arg)
{
    struct work *work = arg;

    work->good = true;
    for (size_t i = 0; work->good; i++) {
        if (work->signatures ? i == work->signatures : atomic_load(&stop))
            break;
        work->good = sign_and_verify(&keys.key[(work->first + i) % keys.count]);
        atomic_fetch_add(&signed_by_threads, 1);
    }
    return NULL;
}

static bool start(struct work *work)
{
    return pthread_create(&work->thread, NULL, sign_in_turn, work) == 0;
}

static bool join(struct work *work)
{
    return pthread_join(work->thread, NULL) == 0 && work->good;
}

static bool sign_in_threads(void)
{
    struct work work[THREADS];
    bool good = true;

    for (size_t i = 0; i < THREADS; i++) {
        work[i] = (struct work){.first = i, .signatures = SIGNATURES};
        if (!start(&work[i]))
            return false;
    }
    for (size_t i = 0; i < THREADS; i++)
        good = join(&work[i]) && good;
    return good;
}

/* ---- forks ----------------------------------------------------------- */

/* Ends as programs do, or as those that take care not to clean up. */
static void be_a_child(bool politely)
{
    bool good;

    alarm(CHILD_S);
    good = sign_and_verify(&keys.key[0]);
    if (!politely)
        _exit(good ? EXIT_SUCCESS : EXIT_FAILURE);
    unload(&keys.key[0]);
    exit(good ? EXIT_SUCCESS : EXIT_FAILURE);
}

static bool child_signs(bool politely)
{
    const pid_t child = fork();
    int status = -1;

    if (child == 0)
        be_a_child(politely);
    if (child < 0 || waitpid(child, &status, 0) != child)
        return false;
    if (status != 0)
        (void)fprintf(stderr, "a child ended with status 0x%x\n", status);
    return status == 0;
}

/* Forks while another thread signs. Where the TPM is said to be managed, what
 * a child does not clean up stays; so there it is polite. */
static bool fork_while_signing(void)
{
    const char *sharing = getenv("DEVID_TPM2_SHARING");
    const bool polite = sharing != NULL && strcmp(sharing, "managed") == 0;
    struct work work = {.first = 0};
    bool good = start(&work);

    while (good && atomic_load(&signed_by_threads) == 0)
        (void)usleep(1000);
    for (unsigned i = 0; i < FORKS && good; i++)
        good = child_signs(polite || i % 2 == 0);
    atomic_store(&stop, true);
    good = join(&work) && good;
    (void)printf("%u signatures beside %d forks\n",
                 atomic_load(&signed_by_threads), FORKS);
    return sign_and_verify(&keys.key[0]) && good;
}

/* As a server does: its children sign first, itself afterwards. */
static bool fork_first(void)
{
    bool good = true;

    for (unsigned i = 0; i < FORKS && good; i++)
        good = child_signs(true);
    return good && sign_and_verify(&keys.key[0]);
}

/* ---- main ------------------------------------------------------------ */

static bool sign_once(void)
{
    return sign_and_verify(&keys.key[0]);
}

static const struct mode {
    const char *name;
    bool (*run)(void);
    bool leaks; /* ends by return from main, with its keys loaded */
} modes[] = {
    {"fork", fork_while_signing, false}, {"fork-first", fork_first, false},
    {"leak", sign_once, true},           {"threads", sign_in_threads, false},
    {"keys", sign_in_threads, false},
};

static const struct mode *find_mode(const char *name)
{
    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        if (strcmp(modes[i].name, name) == 0)
            return &modes[i];
    }
    return NULL;
}

int main(int argc, char **argv)
{
    const struct mode *mode = argc > 2 ? find_mode(argv[1]) : NULL;
    bool good;

    if (mode == NULL || argc - 2 > KEYS_MAX) {
        (void)fprintf(stderr,
                      "usage: process_test "
                      "fork|fork-first|leak|threads|keys KEY-FILE...\n");
        return 2;
    }
    alarm(PARENT_S);
    for (int i = 2; i < argc; i++) {
        if (!load(&keys.key[keys.count], argv[i])) {
            complain(argv[i]);
            return EXIT_FAILURE;
        }
        keys.count++;
    }
    good = mode->run();
    if (mode->leaks)
        return good ? EXIT_SUCCESS : EXIT_FAILURE;
    for (size_t i = 0; i < keys.count; i++)
        unload(&keys.key[i]);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
