/* The server on real sockets, with a handler that answers as the test says (hops.md 3). */
#include "services/agentd/io/http.h"

#include <stdio.h>
#include <string.h>

#include "services/agentd/io/response.h"
#include "tests/lib/fake_catalog.h"
#include "tests/lib/suite.h"
#include "tests/lib/web.h"

enum { BODY_LIMIT = 1000, CLIENTS_MAX = 4 };

#define HOST "Host: x\r\n"

/* ---- the handler ---- */

static struct cu_loop *loop;
static struct agent_http *http;
static struct agent_rq *held[16];
static size_t held_count;
static unsigned begun, handled, gone, ended;

static bool wants(const struct agent_rq *rq, const char *target)
{
    return cu_bytes_equal(rq->target, cu_bytes_of(target));
}

static void answer(struct agent_rq *rq, const char *text)
{
    agent_rq_answer(rq, 200, agent_response_copy(cu_bytes_of(text)));
}

static void on_begin(void *context, struct agent_rq *rq)
{
    (void)context;
    begun++;
    rq->body_limit = BODY_LIMIT;
    rq->will_wait = wants(rq, "/wait");
    if (rq->content_length > BODY_LIMIT)
        agent_rq_answer(rq, 413, agent_response_copy(cu_bytes_of("too large")));
}

static void on_handle(void *context, struct agent_rq *rq)
{
    char text[64];
    (void)context;
    handled++;
    if (wants(rq, "/hold") || wants(rq, "/wait")) {
        held[held_count++] = rq;
        return;
    }
    (void)snprintf(text, sizeof text, "%s %zu of %llu", rq->method, rq->body.len,
                   (unsigned long long)rq->body_seen);
    answer(rq, text);
}

static void on_gone(void *context, struct agent_rq *rq)
{
    (void)context;
    gone++;
    for (size_t i = 0; i < held_count; i++)
        if (held[i] == rq)
            held[i] = held[--held_count];
}

static void on_end(void *context, struct agent_rq *rq)
{
    (void)context;
    (void)rq;
    ended++;
}

static const struct agent_http_handler handler = {on_begin, on_handle, on_gone, on_end};

/* ---- the server ---- */

static void open_server(size_t memory_bytes)
{
    struct cu_diag diag = {0};
    loop = cu_loop_new();
    struct agent_http_options options = {.loop = loop,
                                         .memory_bytes = memory_bytes,
                                         .max_per_client = CLIENTS_MAX,
                                         .rq_size = sizeof(struct agent_rq),
                                         .handler = &handler};
    ck_assert_int_eq(agent_http_new(&options, &http, &diag), CU_OK);
    enum cu_err err = agent_http_bind(http, web_address(), WEB_PORT, &diag);
    ck_assert_msg(!err, "%s", diag.text);
}

static void close_server(void)
{
    agent_http_free(http);
    cu_loop_free(loop);
}

/* ---- the claims ---- */

START_TEST(a_connection_is_kept_for_many_requests)
{
    open_server(AGENT_MEMORY_MIN_BYTES);
    struct web_client *client = web_dial(loop);
    for (int i = 0; i < 100; i++) {
        web_forget(client);
        web_say(client, "GET /now HTTP/1.1\r\n" HOST "\r\n");
        FAKE_WAIT(loop, web_hears(client, "GET 0 of 0"));
        ck_assert(!client->closed);
        ck_assert(strstr(client->reply, "\r\nDate: ") != NULL);
    }
    ck_assert_uint_eq(agent_http_connections(http), 1);
    web_hang_up(client);
    FAKE_WAIT(loop, agent_http_connections(http) == 0);
    close_server();
}
END_TEST

START_TEST(requests_sent_together_are_answered_in_order)
{
    open_server(AGENT_MEMORY_MIN_BYTES);
    struct web_client *client = web_dial(loop);
    web_say(client, "GET /now HTTP/1.1\r\n" HOST "\r\nPUT /now HTTP/1.1\r\n" HOST
                    "Content-Length: 2\r\n\r\nabDELETE /now HTTP/1.1\r\n" HOST "\r\n");
    FAKE_WAIT(loop, web_hears(client, "DELETE 0 of 0"));
    ck_assert(strstr(client->reply, "GET 0 of 0") < strstr(client->reply, "PUT 2 of 2"));
    ck_assert(strstr(client->reply, "PUT 2 of 2") < strstr(client->reply, "DELETE 0 of 0"));
    web_hang_up(client);
    close_server();
}
END_TEST

/* That the library takes "yes, but no answer yet" is in its source, not in its manual. */
START_TEST(an_answer_may_come_some_turns_later_without_suspending)
{
    open_server(AGENT_MEMORY_MIN_BYTES);
    struct web_client *clients[CLIENTS_MAX];
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        clients[i] = web_dial(loop);
        web_say(clients[i], "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    }
    FAKE_WAIT(loop, held_count == CLIENTS_MAX);
    ck_assert_uint_eq(agent_http_suspended(http), 0);
    while (held_count)
        answer(held[--held_count], "late");
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        FAKE_WAIT(loop, web_hears(clients[i], "late"));
        web_hang_up(clients[i]);
    }
    ck_assert_uint_eq(handled, CLIENTS_MAX);
    close_server();
}
END_TEST

START_TEST(what_takes_long_is_suspended_and_then_answered)
{
    open_server(AGENT_MEMORY_MIN_BYTES);
    struct web_client *client = web_dial(loop);
    web_say(client, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    FAKE_WAIT(loop, agent_http_suspended(http) == 1);
    answer(held[0], "late");
    FAKE_WAIT(loop, web_hears(client, "late"));
    ck_assert_uint_eq(agent_http_suspended(http), 0);
    web_forget(client);
    web_say(client, "GET /now HTTP/1.1\r\n" HOST "\r\n");
    FAKE_WAIT(loop, web_hears(client, "GET 0 of 0"));
    web_hang_up(client);
    close_server();
}
END_TEST

START_TEST(a_long_poll_is_suspended_at_once_and_a_pipelined_request_waits_behind_it)
{
    open_server(AGENT_MEMORY_MIN_BYTES);
    struct web_client *client = web_dial(loop);
    web_say(client, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    FAKE_WAIT(loop, held_count == 1);
    ck_assert_uint_eq(agent_http_suspended(http), 1);
    web_say(client, "GET /now HTTP/1.1\r\n" HOST "\r\n");
    for (int i = 0; i < 10; i++)
        fake_turn(loop);
    ck_assert_uint_eq(gone, 0);
    answer(held[0], "woken");
    FAKE_WAIT(loop, web_hears(client, "woken") && web_hears(client, "GET 0 of 0"));
    web_hang_up(client);
    close_server();
}
END_TEST

START_TEST(a_hang_up_during_a_long_poll_is_told)
{
    open_server(AGENT_MEMORY_MIN_BYTES);
    struct web_client *client = web_dial(loop);
    web_say(client, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    FAKE_WAIT(loop, agent_http_suspended(http) == 1);
    web_hang_up(client);
    FAKE_WAIT(loop, gone == 1 && ended == 1 && agent_http_connections(http) == 0);
    ck_assert_uint_eq(agent_http_suspended(http), 0);
    close_server();
}
END_TEST

START_TEST(a_server_that_ends_tells_those_who_wait)
{
    open_server(AGENT_MEMORY_MIN_BYTES);
    struct web_client *wait = web_dial(loop), *hold = web_dial(loop);
    web_say(wait, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    web_say(hold, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    FAKE_WAIT(loop, held_count == 2);
    close_server();
    ck_assert_uint_eq(gone, 2);
    ck_assert_uint_eq(ended, begun);
    web_hang_up(wait);
    web_hang_up(hold);
}
END_TEST

START_TEST(a_body_at_the_limit_is_whole_and_one_byte_more_is_told_by_its_length)
{
    char body[BODY_LIMIT + 2], request[BODY_LIMIT + 200];
    open_server(AGENT_MEMORY_MIN_BYTES);
    for (int len = BODY_LIMIT; len <= BODY_LIMIT + 1; len++) {
        struct web_client *client = web_dial(loop);
        memset(body, 'b', (size_t)len);
        body[len] = 0;
        (void)snprintf(request, sizeof request,
                       "PUT /now HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n%s", len, body);
        web_say(client, request);
        FAKE_WAIT(loop, web_hears(client, len == BODY_LIMIT ? "PUT 1000 of 1000" : "413 "));
        if (len > BODY_LIMIT)
            ck_assert(web_hears(client, "Connection: close"));
        web_hang_up(client);
    }
    close_server();
}
END_TEST

START_TEST(a_chunked_body_is_counted_beyond_the_limit_and_dropped)
{
    char body[BODY_LIMIT + 1];
    open_server(AGENT_MEMORY_MIN_BYTES);
    struct web_client *client = web_dial(loop);
    memset(body, 'b', BODY_LIMIT);
    body[BODY_LIMIT] = 0;
    web_say(client, "PUT /now HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3e8\r\n");
    web_say(client, body);
    web_say(client, "\r\n1\r\nb\r\n0\r\n\r\n");
    FAKE_WAIT(loop, web_hears(client, "PUT 1000 of 1001"));
    web_forget(client);
    web_say(client, "PUT /now HTTP/1.1\r\n" HOST
                    "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
    FAKE_WAIT(loop, web_hears(client, "PUT 3 of 3"));
    web_hang_up(client);
    close_server();
}
END_TEST

START_TEST(one_connection_more_than_a_client_may_have_gets_a_429) /* http 34 */
{
    open_server(AGENT_MEMORY_MIN_BYTES);
    struct web_client *clients[CLIENTS_MAX], *more;
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        clients[i] = web_dial(loop);
    FAKE_WAIT(loop, agent_http_connections(http) == CLIENTS_MAX);
    more = web_dial(loop);
    FAKE_WAIT(loop, web_hears(more, "429 Too Many Requests") && more->closed);
    ck_assert(web_hears(more,
                        "\r\n\r\nYour IP is issuing too many concurrent connections, please rate "
                        "limit your calls\n"));
    ck_assert_uint_eq(agent_http_refused(http), 1);
    web_hang_up(more);
    web_hang_up(clients[0]);
    FAKE_WAIT(loop, agent_http_connections(http) == CLIENTS_MAX - 1);
    more = web_dial(loop);
    web_say(more, "GET /now HTTP/1.1\r\n" HOST "\r\n");
    FAKE_WAIT(loop, web_hears(more, "GET 0 of 0"));
    web_hang_up(more);
    for (size_t i = 1; i < CLIENTS_MAX; i++)
        web_hang_up(clients[i]);
    close_server();
}
END_TEST

START_TEST(a_new_limit_holds_for_the_next_connection)
{
    open_server(AGENT_MEMORY_MIN_BYTES);
    struct web_client *first = web_dial(loop), *second;
    FAKE_WAIT(loop, agent_http_connections(http) == 1);
    agent_http_set_limit(http, 1);
    second = web_dial(loop);
    FAKE_WAIT(loop, web_hears(second, "429 "));
    web_say(first, "GET /now HTTP/1.1\r\n" HOST "\r\n");
    FAKE_WAIT(loop, web_hears(first, "GET 0 of 0"));
    web_hang_up(first);
    web_hang_up(second);
    close_server();
}
END_TEST

START_TEST(a_head_larger_than_the_memory_of_a_connection_is_431) /* http 26 */
{
    char head[9001];
    open_server(AGENT_MEMORY_MIN_BYTES);
    struct web_client *client = web_dial(loop);
    memset(head, 'h', sizeof head - 1);
    head[sizeof head - 1] = 0;
    web_say(client, "GET /now HTTP/1.1\r\n" HOST "X: ");
    web_say(client, head);
    web_say(client, "\r\n\r\n");
    FAKE_WAIT(loop, web_hears(client, "431 Request Header Fields Too Large") && client->closed);
    web_hang_up(client);
    close_server();
}
END_TEST

START_TEST(the_target_comes_as_it_was_sent_and_the_heads_that_matter_are_found)
{
    open_server(AGENT_MEMORY_MIN_BYTES);
    struct web_client *client = web_dial(loop);
    web_say(client, "GET /hold HTTP/1.1\r\nx-CONSUL-token: t\r\n" HOST "Cache-Control: a\r\n\r\n");
    FAKE_WAIT(loop, held_count == 1);
    ck_assert_str_eq(held[0]->headers[AGENT_H_TOKEN], "t");
    ck_assert_str_eq(held[0]->headers[AGENT_H_CACHE_CONTROL], "a");
    ck_assert_ptr_null(held[0]->headers[AGENT_H_ACCEPT_ENCODING]);
    char text[AGENT_ADDRESS_BYTES];
    ck_assert_int_eq(strncmp(agent_rq_address(held[0], text), "127.", 4), 0);
    answer(held[--held_count], "x");
    FAKE_WAIT(loop, web_hears(client, "200 OK"));
    web_hang_up(client);
    close_server();
}
END_TEST

START_TEST(a_request_line_without_a_target_harms_nobody)
{
    static const char *const lines[] = {"GET\r\n\r\n",
                                        "\r\n\r\n",
                                        "GET \r\n\r\n",
                                        "G E T /\r\n\r\n",
                                        "GET /a b HTTP/1.1\r\n\r\n",
                                        "\x01\x02\r\n\r\n"};
    open_server(AGENT_MEMORY_MIN_BYTES);
    for (size_t i = 0; i < CU_COUNT(lines); i++) {
        struct web_client *bad = web_dial(loop), *good = web_dial(loop);
        web_say(bad, lines[i]);
        web_say(good, "GET /now HTTP/1.1\r\n" HOST "\r\n");
        FAKE_WAIT(loop, web_hears(good, "GET 0 of 0"));
        web_hang_up(bad);
        web_hang_up(good);
        FAKE_WAIT(loop, agent_http_connections(http) == 0);
    }
    close_server();
}
END_TEST

START_TEST(a_long_head_is_read_at_once_while_others_wait)
{
    char head[6001];
    open_server(AGENT_MEMORY_MIN_BYTES);
    struct web_client *waits = web_dial(loop), *client = web_dial(loop);
    web_say(waits, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    FAKE_WAIT(loop, held_count == 1);
    memset(head, 'h', sizeof head - 1);
    head[sizeof head - 1] = 0;
    web_say(client, "GET /now?");
    web_say(client, head);
    web_say(client, " HTTP/1.1\r\n" HOST "\r\n");
    FAKE_WAIT(loop, web_hears(client, "GET 0 of 0"));
    web_hang_up(waits);
    web_hang_up(client);
    close_server();
}
END_TEST

START_TEST(a_busy_port_is_named)
{
    struct cu_diag diag = {0};
    open_server(AGENT_MEMORY_MIN_BYTES);
    ck_assert_int_eq(agent_http_bind(http, web_address(), WEB_PORT, &diag), CU_E_CONFLICT);
    ck_assert_ptr_nonnull(strstr(diag.text, web_address()));
    ck_assert_ptr_nonnull(strstr(diag.text, "8500"));
    ck_assert_int_eq(agent_http_bind(http, "nonsense", WEB_PORT, &diag), CU_E_INVALID);
    close_server();
}
END_TEST

START_TEST(a_unix_socket_is_served_and_a_stale_one_replaced)
{
    char path[128];
    struct cu_diag diag = {0};
    open_server(AGENT_MEMORY_MIN_BYTES);
    (void)snprintf(path, sizeof path, "unix://%s/http.sock", suite_tmpdir());
    ck_assert_int_eq(agent_http_bind(http, path, 0, &diag), CU_OK);
    ck_assert_int_eq(agent_http_bind(http, path, 0, &diag), CU_E_CONFLICT);
    close_server();
}
END_TEST

SUITE_MAIN("services/agentd/io/http", a_connection_is_kept_for_many_requests,
           requests_sent_together_are_answered_in_order,
           an_answer_may_come_some_turns_later_without_suspending,
           what_takes_long_is_suspended_and_then_answered,
           a_long_poll_is_suspended_at_once_and_a_pipelined_request_waits_behind_it,
           a_hang_up_during_a_long_poll_is_told, a_server_that_ends_tells_those_who_wait,
           a_body_at_the_limit_is_whole_and_one_byte_more_is_told_by_its_length,
           a_chunked_body_is_counted_beyond_the_limit_and_dropped,
           one_connection_more_than_a_client_may_have_gets_a_429,
           a_new_limit_holds_for_the_next_connection,
           a_head_larger_than_the_memory_of_a_connection_is_431,
           the_target_comes_as_it_was_sent_and_the_heads_that_matter_are_found,
           a_request_line_without_a_target_harms_nobody,
           a_long_head_is_read_at_once_while_others_wait, a_busy_port_is_named,
           a_unix_socket_is_served_and_a_stale_one_replaced)
