#include "services/curia/http.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "services/curia/command.h"
#include "tests/lib/suite.h"

static struct cli_args args;
static struct cu_diag diag;

static struct cli_http *connect_with(const char *a, const char *b)
{
    char *argv[] = {(char *)(uintptr_t)a, (char *)(uintptr_t)b};
    memset(&args, 0, sizeof args);
    cli_args_allow(&args, cli_client_flags);
    cli_args_allow(&args, cli_server_flags);
    cli_args_allow(&args, cli_namespace_flags);
    ck_assert(cli_args_parse(&args, !!a + !!b, argv));
    diag.text[0] = '\0';
    return cli_http_new(&args, &diag);
}

/* A server for one request: answers 200 with `body`, and keeps what it was asked. */
struct fixture {
    int fd;
    char address[64];
    FILE *asked;
};

static struct fixture serve(const char *status, const char *body)
{
    struct fixture f = {.asked = tmpfile()};
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    f.fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert(!bind(f.fd, (struct sockaddr *)&at, len) && !listen(f.fd, 1) &&
              !getsockname(f.fd, (struct sockaddr *)&at, &len));
    (void)snprintf(f.address, sizeof f.address, "127.0.0.1:%d", ntohs(at.sin_port));
    if (fork())
        return f;
    char text[8192];
    int fd = accept(f.fd, NULL, NULL);
    ssize_t got = read(fd, text, sizeof text - 1);
    (void)fwrite(text, 1, got > 0 ? (size_t)got : 0, f.asked);
    (void)fflush(f.asked);
    (void)dprintf(fd, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", status, strlen(body), body);
    _exit(0);
}

static const char *asked(struct fixture *f)
{
    static char text[8192];
    rewind(f->asked);
    text[fread(text, 1, sizeof text - 1, f->asked)] = '\0';
    (void)fclose(f->asked);
    (void)close(f->fd);
    return text;
}

static long get(struct cli_http *http, const char *key, const char *query, struct cli_reply *reply)
{
    enum cu_err err = cli_http_do(http,
                                  &(struct cli_request){.method = "GET",
                                                        .path = "/v1/kv/",
                                                        .key = cu_bytes_of(key),
                                                        .query = query,
                                                        .is_read = true},
                                  reply, &diag);
    return err ? -1 : reply->status;
}

START_TEST(keys_are_encoded_and_scope_is_added_to_reads) /* cli 17 */
{
    struct fixture f = serve("200 OK", "hi");
    ck_assert_int_eq(setenv("CONSUL_HTTP_ADDR", f.address, 1), 0);
    struct cli_http *http = connect_with("-datacenter=d c", "-stale");
    struct cli_reply reply;
    ck_assert_int_eq(get(http, "a b/c?d", "recurse=", &reply), 200);
    ck_assert_uint_eq(reply.body.len, 2);
    cu_buf_deinit(&reply.body);
    cli_http_free(http);
    ck_assert_ptr_nonnull(
        strstr(asked(&f), "GET /v1/kv/a%20b/c%3Fd?recurse=&dc=d%20c&stale= HTTP/1.1\r\n"));
}
END_TEST

START_TEST(a_token_file_beats_the_token_and_an_empty_one_falls_back) /* cli 13 */
{
    char path[512], flag[540];
    (void)snprintf(path, sizeof path, "%s/token", suite_tmpdir());
    (void)snprintf(flag, sizeof flag, "-token-file=%s", path);
    for (int is_empty = 0; is_empty < 2; is_empty++) {
        FILE *file = fopen(path, "w");
        ck_assert(file && fputs(is_empty ? " \n" : " of-file\n", file) >= 0 && !fclose(file));
        struct fixture f = serve("200 OK", "");
        ck_assert_int_eq(setenv("CONSUL_HTTP_ADDR", f.address, 1), 0);
        struct cli_http *http = connect_with("-token=plain", flag);
        ck_assert_str_eq(cli_http_token(http), is_empty ? "plain" : "of-file");
        struct cli_reply reply;
        ck_assert_int_eq(get(http, "k", NULL, &reply), 200);
        cu_buf_deinit(&reply.body);
        cli_http_free(http);
        ck_assert_ptr_nonnull(strstr(asked(&f), is_empty ? "X-Consul-Token: plain\r\n"
                                                         : "X-Consul-Token: of-file\r\n"));
    }
    ck_assert_ptr_null(connect_with("-token-file=/no/such", NULL));
    ck_assert_ptr_nonnull(strstr(diag.text, "no such file or directory"));
}
END_TEST

START_TEST(a_refused_connection_is_said_as_go_says_it) /* cli.md 2.3 */
{
    struct cli_http *http = connect_with("-http-addr=127.0.0.1:1", NULL);
    struct cli_reply reply;
    ck_assert_int_eq(get(http, "x", NULL, &reply), -1);
    ck_assert_str_eq(diag.text,
                     "Get \"http://127.0.0.1:1/v1/kv/x\": dial tcp 127.0.0.1:1: connect: "
                     "connection refused");
    cu_buf_deinit(&reply.body);
    cli_http_free(http);
}
END_TEST

START_TEST(an_unknown_scheme_and_a_foreign_namespace_are_refused) /* cli 12, 2.1 */
{
    ck_assert_ptr_null(connect_with("-http-addr=ftp://x", NULL));
    ck_assert_str_eq(diag.text, "Unknown protocol scheme: ftp");
    ck_assert_ptr_null(connect_with("-namespace=team", NULL));
    ck_assert_ptr_nonnull(strstr(diag.text, "\"team\" does not exist"));
    struct cli_http *http = connect_with("-namespace=default", NULL);
    ck_assert_ptr_nonnull(http);
    cli_http_free(http);
}
END_TEST

START_TEST(an_unexpected_status_is_named_with_its_trimmed_body) /* cli.md 2.3 */
{
    struct cli_reply reply = {.status = 403};
    cu_buf_text(&reply.body, "ACL not found\n");
    cli_http_unexpected(&reply, true, &diag);
    ck_assert_str_eq(diag.text, "Unexpected response code: 403 (ACL not found)");
    cli_http_unexpected(&reply, false, &diag);
    ck_assert_str_eq(diag.text, "Unexpected response code: 403");
    cu_buf_deinit(&reply.body);
}
END_TEST

SUITE_MAIN("curia/http", keys_are_encoded_and_scope_is_added_to_reads,
           a_token_file_beats_the_token_and_an_empty_one_falls_back,
           a_refused_connection_is_said_as_go_says_it,
           an_unknown_scheme_and_a_foreign_namespace_are_refused,
           an_unexpected_status_is_named_with_its_trimmed_body)
