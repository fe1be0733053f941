#include "services/agentd/io/runner.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/err.h"
#include "tests/lib/suite.h"

static struct cu_loop *loop;
static struct agent_runners runners;
static char output[8192];
static enum agent_status status;
static unsigned results;

static void on_result(void *arg, const char *check_id, enum agent_status result, const char *text)
{
    (void)arg;
    ck_assert_str_eq(check_id, "c");
    status = result;
    (void)snprintf(output, sizeof output, "%s", text);
    results++;
}

/* A server that says one thing and hangs up; "" holds the line. */
static struct {
    int fd;
    unsigned port;
    struct cu_fd_watch watch;
    const char *answer;
    char heard[8192];
} server;

static struct cu_fd_watch caller;

static void answer(void *arg, unsigned what)
{
    (void)arg;
    (void)what;
    ssize_t got = recv(caller.fd, server.heard, sizeof server.heard - 1, 0);
    ck_assert_int_ge(got, 0);
    server.heard[got] = 0;
    ck_assert_int_ge(send(caller.fd, server.answer, strlen(server.answer), MSG_NOSIGNAL), 0);
    cu_fd_watch_close(&caller);
    (void)close(caller.fd);
}

static void serve(void *arg, unsigned what)
{
    (void)arg;
    (void)what;
    int fd = accept(server.fd, NULL, NULL);
    ck_assert_int_ge(fd, 0);
    if (!*server.answer)
        return; /* holds the line */
    cu_fd_watch_init(&caller, loop, fd, answer, NULL);
    cu_fd_watch_set(&caller, CU_FD_READ);
}

static void open_server(const char *answer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    loop = cu_loop_new();
    server.answer = answer;
    server.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(server.fd, (struct sockaddr *)&address, len), 0);
    ck_assert_int_eq(listen(server.fd, 16), 0);
    ck_assert_int_eq(getsockname(server.fd, (struct sockaddr *)&address, &len), 0);
    server.port = ntohs(address.sin_port);
    cu_fd_watch_init(&server.watch, loop, server.fd, serve, NULL);
    cu_fd_watch_set(&server.watch, CU_FD_READ);
    agent_runners_init(&runners, loop, on_result, NULL, suite_seed());
}

static void stop_listening(void)
{
    cu_fd_watch_close(&server.watch);
    (void)close(server.fd);
}

static void close_all(void)
{
    agent_runners_deinit(&runners);
    cu_loop_free(loop);
}

/* Runs until there are so many results. */
static void run(const Curia__V1__CheckSpec *spec, unsigned count)
{
    struct agent_runner *runner = agent_runner_new(&runners, "c", spec, 4096);
    struct cu_mono end = cu_mono_add_ms(cu_mono_now(), 15000);
    results = 0;
    while (results < count && cu_mono_before(cu_mono_now(), end))
        cu_loop_turn(loop, true);
    ck_assert_uint_eq(results, count);
    agent_runner_free(runner);
}

static Curia__V1__CheckSpec http(char url[64])
{
    Curia__V1__CheckSpec spec = CURIA__V1__CHECK_SPEC__INIT;
    (void)snprintf(url, 64, "http://127.0.0.1:%u/health", server.port);
    spec.http = url;
    spec.interval_ns = 1;
    return spec;
}

static const struct {
    const char *answer, *output; /* behind the URL */
    enum agent_status status;
} answers[] = {
    /* agent 31 */
    {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine", "200 OK Output: fine", AGENT_PASSING},
    {"HTTP/1.0 299 Odd\r\n\r\n", "299 Odd Output: ", AGENT_PASSING},
    {"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n",
     "429 Too Many Requests Output: ", AGENT_WARNING},
    {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
     "404 Not Found Output: ", AGENT_CRITICAL},
};

START_TEST(an_answer_is_mapped_by_its_status)
{
    for (size_t i = 0; i < CU_COUNT(answers); i++) {
        char url[64], want[256];
        open_server(answers[i].answer);
        Curia__V1__CheckSpec spec = http(url);
        run(&spec, 1);
        (void)snprintf(want, sizeof want, "HTTP GET %s: %s", url, answers[i].output);
        ck_assert_str_eq(output, want);
        ck_assert_int_eq(status, answers[i].status);
        ck_assert_ptr_nonnull(strstr(server.heard, "GET /health HTTP/1.1\r\n"));
        ck_assert_ptr_nonnull(strstr(server.heard, "User-Agent: Consul Health Check\r\n"));
        ck_assert_ptr_nonnull(strstr(server.heard, "Accept: text/plain, text/*, */*\r\n"));
        stop_listening();
        close_all();
    }
}
END_TEST

START_TEST(method_headers_and_body_are_its_own) /* agent 31 */
{
    char url[64];
    Curia__V1__CheckSpec__HeaderEntry host = CURIA__V1__CHECK_SPEC__HEADER_ENTRY__INIT, own = host;
    Curia__V1__CheckSpec__HeaderEntry *headers[] = {&host, &own};
    Curia__V1__HeaderValues host_values = CURIA__V1__HEADER_VALUES__INIT, values = host_values;
    char *hosts[] = {"example.com"}, *texts[] = {"a", "b"};
    open_server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    Curia__V1__CheckSpec spec = http(url);
    host_values.values = hosts;
    host_values.n_values = 1;
    values.values = texts;
    values.n_values = 2;
    host.key = "Host";
    host.value = &host_values;
    own.key = "X-Own";
    own.value = &values;
    spec.header = headers;
    spec.n_header = 2;
    spec.method = "POST";
    spec.body = "{\"a\":1}";
    run(&spec, 1);
    ck_assert_ptr_nonnull(strstr(server.heard, "POST /health HTTP/1.1\r\n"));
    ck_assert_ptr_nonnull(strstr(server.heard, "Host: example.com\r\n"));
    ck_assert_ptr_nonnull(strstr(server.heard, "X-Own: a\r\n"));
    ck_assert_ptr_nonnull(strstr(server.heard, "X-Own: b\r\n"));
    ck_assert_ptr_nonnull(strstr(server.heard, "\r\n\r\n{\"a\":1}"));
    ck_assert_ptr_null(strstr(server.heard, "Expect"));
    ck_assert_ptr_nonnull(strstr(output, "HTTP POST http://"));
    stop_listening();
    close_all();
}
END_TEST

START_TEST(a_server_that_does_not_answer_is_critical)
{
    char url[64], want[256];
    open_server("");
    Curia__V1__CheckSpec spec = http(url);
    spec.timeout_ns = 200000000;
    run(&spec, 1);
    (void)snprintf(want, sizeof want,
                   "Get \"%s\": context deadline exceeded (Client.Timeout exceeded while awaiting "
                   "headers)",
                   url);
    ck_assert_str_eq(output, want);
    ck_assert_int_eq(status, AGENT_CRITICAL);
    stop_listening();
    run(&spec, 1);
    (void)snprintf(want, sizeof want,
                   "Get \"%s\": dial tcp 127.0.0.1:%u: connect: connection refused", url,
                   server.port);
    ck_assert_str_eq(output, want);
    close_all();
}
END_TEST

START_TEST(a_tcp_check_connects_and_no_more) /* agent 33 */
{
    char address[64], want[256];
    Curia__V1__CheckSpec spec = CURIA__V1__CHECK_SPEC__INIT;
    open_server("");
    (void)snprintf(address, sizeof address, "127.0.0.1:%u", server.port);
    spec.tcp = address;
    spec.interval_ns = 1;
    run(&spec, 1);
    (void)snprintf(want, sizeof want, "TCP connect %s: Success", address);
    ck_assert_str_eq(output, want);
    ck_assert_int_eq(status, AGENT_PASSING);
    stop_listening();
    run(&spec, 1);
    (void)snprintf(want, sizeof want, "dial tcp %s: connect: connection refused", address);
    ck_assert_str_eq(output, want);
    ck_assert_int_eq(status, AGENT_CRITICAL);
    close_all();
}
END_TEST

START_TEST(runs_follow_each_other_at_the_interval_and_never_overlap) /* agent 27 */
{
    Curia__V1__CheckSpec spec = CURIA__V1__CHECK_SPEC__INIT;
    char *args[] = {"/bin/sh", "-c", "sleep 0.7"};
    open_server("");
    spec.script_args = args;
    spec.n_script_args = 3;
    spec.interval_ns = 1000000000;
    struct agent_runner *runner = agent_runner_new(&runners, "c", &spec, 4096);
    struct cu_mono at[3] = {{0}};
    for (unsigned i = 0; i < 3; i++) {
        results = 0;
        while (!results)
            cu_loop_turn(loop, true);
        at[i] = cu_mono_now();
    }
    for (unsigned i = 1; i < 3; i++) /* 700 ms of the run behind 1 s of the interval */
        ck_assert_uint_ge(cu_mono_ms_between(at[i - 1], at[i]), 1690);
    agent_runner_free(runner);
    stop_listening();
    close_all();
}
END_TEST

START_TEST(the_first_run_is_spread_over_the_interval) /* agent 26 */
{
    enum { CHECKS = 1000, PARTS = 10 };
    Curia__V1__CheckSpec spec = CURIA__V1__CHECK_SPEC__INIT;
    char *args[] = {"/bin/true"};
    unsigned parts[PARTS] = {0};
    struct cu_random random = {suite_seed()};
    spec.script_args = args;
    spec.n_script_args = 1;
    spec.interval_ns = 100000000000;
    for (int i = 0; i < CHECKS; i++) /* what agent_runner_new() draws */
        parts[cu_random_below(&random, (uint64_t)agent_check_interval_ms(&spec)) * PARTS /
              (uint64_t)agent_check_interval_ms(&spec)]++;
    double chi = 0;
    for (int i = 0; i < PARTS; i++)
        chi += (parts[i] - CHECKS / (double)PARTS) * (parts[i] - CHECKS / (double)PARTS) /
               (CHECKS / (double)PARTS);
    ck_assert_double_lt(chi, 27.88); /* 9 degrees of freedom, p = 0.001 */
}
END_TEST

SUITE_MAIN("services/agentd/io/runner", an_answer_is_mapped_by_its_status,
           method_headers_and_body_are_its_own, a_server_that_does_not_answer_is_critical,
           a_tcp_check_connects_and_no_more,
           runs_follow_each_other_at_the_interval_and_never_overlap,
           the_first_run_is_spread_over_the_interval)
