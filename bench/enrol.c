/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enrol --url URL --ca FILE --token FILE --root FILE --devices N --clients N
 *       --seconds S [--fresh]
 *
 * Enrols devices at a station as fast as it will: each is two requests and the
 * answer to a challenge. The devices, whose TPMs are software keys, are made
 * beforehand, and their vendor's certificate is written to --root; then a line
 * "ready" is printed, and one is awaited on standard input: whose CPU time is
 * to be watched, as "station=PID". --fresh: a new connection for each device.
 * Prints what measure.h says.
 */
#include "devices.h"
#include "measure.h"

#include <curl/curl.h>
#include <err.h>
#include <getopt.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    const char *url, *ca, *token, *root, *prefix;
    size_t devices, clients;
    double seconds;
    bool fresh;
} options = {.prefix = "SN", .devices = 1000, .clients = 8, .seconds = 3};

static struct bench_device *devices;
static atomic_size_t next_device;

struct client {
    CURL *curl;
    struct curl_slist *headers;
    char answer[65536];
    size_t len;
};

/* ---- HTTP -------------------------------------------------------------- */

static size_t on_data(char *data, size_t size, size_t count, void *arg)
{
    struct client *client = arg;

    if (client->len + count >= sizeof(client->answer))
        return 0;
    memcpy(client->answer + client->len, data, count);
    client->len += count;
    client->answer[client->len] = '\0';
    return size * count;
}

static json_t *post(struct client *client, const char *path, const char *body)
{
    char url[512];
    long status = 0;
    CURLcode code;
    json_t *answer;

    (void)snprintf(url, sizeof(url), "%s%s", options.url, path);
    client->len = 0;
    curl_easy_setopt(client->curl, CURLOPT_URL, url);
    curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, body);
    code = curl_easy_perform(client->curl);
    if (code != CURLE_OK)
        errx(EXIT_FAILURE, "%s: %s", url, curl_easy_strerror(code));
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    answer = json_loads(client->answer, 0, NULL);
    if (status / 100 != 2 || answer == NULL)
        errx(EXIT_FAILURE, "%s answered %ld: %s", url, status, client->answer);
    return answer;
}

static void open_client(struct client *client)
{
    char header[256];
    char token[200];
    FILE *file = fopen(options.token, "re");

    if (file == NULL || fgets(token, sizeof(token), file) == NULL)
        err(EXIT_FAILURE, "%s", options.token);
    (void)fclose(file);
    token[strcspn(token, "\n")] = '\0';
    (void)snprintf(header, sizeof(header), "Authorization: Bearer %s", token);
    client->headers = curl_slist_append(NULL, header);
    client->headers =
        curl_slist_append(client->headers, "Content-Type: application/json");
    client->curl = curl_easy_init();
    if (client->curl == NULL || client->headers == NULL)
        errx(EXIT_FAILURE, "libcurl cannot be set up");
    curl_easy_setopt(client->curl, CURLOPT_CAINFO, options.ca);
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, client->headers);
    curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, client);
    curl_easy_setopt(client->curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(client->curl, CURLOPT_NOSIGNAL, 1L);
    if (options.fresh)
        curl_easy_setopt(client->curl, CURLOPT_SSL_SESSIONID_CACHE, 0L);
}

/* ---- one device ---------------------------------------------------------- */

static const char *text_of(const json_t *answer, const char *name)
{
    const char *text = json_string_value(json_object_get(answer, name));

    if (text == NULL)
        errx(EXIT_FAILURE, "the station's answer has no %s", name);
    return text;
}

static void enrol_one(void *arg)
{
    struct client *client = arg;
    size_t i = atomic_fetch_add(&next_device, 1);
    uint8_t challenge[1024];
    uint8_t secret[32];
    char encoded[64];
    char path[128];
    char body[128];
    const char *text;
    json_t *answer;
    int len;

    if (i >= options.devices)
        errx(EXIT_FAILURE, "%zu devices are too few: give --devices more",
             options.devices);
    /* A connection serves one device and is closed behind it. */
    curl_easy_setopt(client->curl, CURLOPT_FRESH_CONNECT,
                     options.fresh ? 1L : 0L);
    answer = post(client, "/v1/units", devices[i].body);
    curl_easy_setopt(client->curl, CURLOPT_FRESH_CONNECT, 0L);
    text = text_of(answer, "challenge");
    if (strlen(text) > sizeof(challenge))
        errx(EXIT_FAILURE, "the challenge is too long");
    len = EVP_DecodeBlock(challenge, (const unsigned char *)text,
                          (int)strlen(text));
    for (const char *end = text + strlen(text); end > text && end[-1] == '=';
         end--)
        len--; /* it counts what was filled up */
    if (len < 0)
        errx(EXIT_FAILURE, "the challenge is no base64");
    device_answer(&devices[i], challenge, (size_t)len, secret);
    (void)EVP_EncodeBlock((unsigned char *)encoded, secret, sizeof(secret));
    (void)snprintf(path, sizeof(path), "/v1/units/%s/activate",
                   text_of(answer, "unit"));
    (void)snprintf(body, sizeof(body), "{\"answer\":\"%s\"}", encoded);
    json_decref(answer);
    answer = post(client, path, body);
    (void)text_of(answer, "idevid");
    (void)text_of(answer, "iak");
    json_decref(answer);
}

/* ---- the command line ------------------------------------------------------
 */

static void parse(int argc, char **argv)
{
    static const struct option table[] = {
        {"url", required_argument, NULL, 'u'},
        {"ca", required_argument, NULL, 'a'},
        {"token", required_argument, NULL, 't'},
        {"root", required_argument, NULL, 'r'},
        {"prefix", required_argument, NULL, 'p'},
        {"devices", required_argument, NULL, 'd'},
        {"clients", required_argument, NULL, 'c'},
        {"seconds", required_argument, NULL, 's'},
        {"fresh", no_argument, NULL, 'f'},
        {NULL, 0, NULL, 0},
    };
    int found;

    while ((found = getopt_long(argc, argv, "", table, NULL)) != -1) {
        switch (found) {
        case 'u':
            options.url = optarg;
            break;
        case 'a':
            options.ca = optarg;
            break;
        case 't':
            options.token = optarg;
            break;
        case 'r':
            options.root = optarg;
            break;
        case 'p':
            options.prefix = optarg;
            break;
        case 'd':
            options.devices = strtoul(optarg, NULL, 10);
            break;
        case 'c':
            options.clients = measure_clients(optarg);
            break;
        case 's':
            options.seconds = measure_seconds(optarg);
            break;
        case 'f':
            options.fresh = true;
            break;
        default: /* getopt has said it */
            exit(2);
        }
    }
    if (!options.url || !options.ca || !options.token || !options.root)
        errx(2, "--url, --ca, --token and --root are wanted");
}

int main(int argc, char **argv)
{
    static struct client clients[MEASURE_CLIENTS_MAX];
    void *args[MEASURE_CLIENTS_MAX];
    struct cpu_watch watch = {0};
    char line[64];

    parse(argc, argv);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        errx(EXIT_FAILURE, "libcurl cannot be set up");
    devices = devices_make(options.devices, options.prefix, options.root);
    (void)puts("ready");
    (void)fflush(stdout);
    if (fgets(line, sizeof(line), stdin) == NULL)
        errx(EXIT_FAILURE, "nobody said when to begin");
    line[strcspn(line, "\n")] = '\0';
    cpu_watch_add(&watch, line);
    for (size_t i = 0; i < options.clients; i++) {
        open_client(&clients[i]);
        args[i] = &clients[i];
    }
    measure_run(enrol_one, args, options.clients, options.seconds, &watch);
    return 0;
}
