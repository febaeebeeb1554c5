/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys across fork, as a server's master and its workers use them: the master
 * opens the key and never asks the device. Runs first, since what a process
 * has connected its children cannot use (and tpm2-abrmd's client, GLib, is of
 * no use at all in a child whose parent has used it).
 */
#include "contract.h"

#include <openssl/crypto.h>

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PEM_MAX 8192
#define CHILDREN 3

static void expect_good_end(pid_t child)
{
    int status = -1;

    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* In a child: make a key and write its file into the pipe. */
static int make_key(int to)
{
    const struct devid_key_spec spec = {.device = contract_device,
                                        .algorithm = "ec-p256"};
    struct devid_key *key = NULL;
    char *pem = NULL;
    size_t len = 0;
    bool ok = devid_key_create(engine, &spec, &key, NULL) == DEVID_OK &&
              devid_key_to_pem(key, &pem, &len, NULL) == DEVID_OK &&
              write(to, pem, len) == (ssize_t)len;

    OPENSSL_free(pem);
    devid_key_free(&key);
    devid_shutdown();
    return ok ? 0 : 1;
}

/* A key that another process has made; this one has connected nothing. */
static struct devid_key *foreign_key(void)
{
    struct devid_key *key = NULL;
    struct devid_error err = {0};
    char pem[PEM_MAX];
    int fds[2];
    ssize_t n;
    pid_t child;

    assert_int_equal(pipe(fds), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(make_key(fds[1]));
    expect_good_end(child);
    n = read(fds[0], pem, sizeof(pem));
    assert_true(n > 0);
    assert_int_equal(close(fds[0]), 0);
    assert_int_equal(close(fds[1]), 0);
    assert_int_equal(devid_key_from_pem(engine, pem, (size_t)n, &key, &err),
                     DEVID_OK);
    return key;
}

static pid_t sign_in_child(struct devid_key *key)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        enum devid_err e = sign_some(key);

        devid_key_free(&key);
        devid_shutdown();
        _exit(e == DEVID_OK ? 0 : 1);
    }
    return child;
}

static void children_sign_with_a_key_that_their_parent_opened(void **state)
{
    struct devid_key *key = foreign_key();
    pid_t children[CHILDREN];
    size_t i;

    (void)state;
    for (i = 0; i < CHILDREN; i++)
        children[i] = sign_in_child(key);
    for (i = 0; i < CHILDREN; i++)
        expect_good_end(children[i]);
    devid_key_free(&key);
}

static void a_parent_signs_after_its_children(void **state)
{
    struct devid_key *key = foreign_key();

    (void)state;
    expect_good_end(sign_in_child(key));
    expect_works(key);
    devid_key_free(&key);
}

/* From here on the process has been connected. */
static void a_childs_exit_takes_nothing_from_its_parent(void **state)
{
    struct devid_key *key = new_key("ec-p256");
    pid_t child;

    (void)state;
    expect_works(key);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        devid_key_free(&key);
        devid_shutdown();
        _exit(0);
    }
    expect_good_end(child);
    expect_works(key);
    devid_key_free(&key);
}

int contract_fork(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(children_sign_with_a_key_that_their_parent_opened),
        CONTRACT_TEST(a_parent_signs_after_its_children),
        CONTRACT_TEST(a_childs_exit_takes_nothing_from_its_parent),
    };

    return cmocka_run_group_tests_name("fork", tests, NULL, NULL);
}
