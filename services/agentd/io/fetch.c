#include "services/agentd/io/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "common/base/assert.h"

enum {
    LINE_BYTES = 256,
    REASON_BYTES = 512,
    FAILURE_BYTES = 1024,
    REDIRECTS = 10,
    GRPC_STATUS_BYTES = 16
};

struct agent_fetches {
    struct cu_loop *loop;
    CURLM *multi;
    struct cu_timer timer;
    struct cu_turn_hook sweep; /* tells who is done, outside of libcurl */
};

/* A socket of libcurl that we watch. */
struct socket_watch {
    struct agent_fetches *fetches;
    struct cu_fd_watch watch;
};

struct agent_fetch {
    struct agent_fetches *fetches;
    CURL *easy;
    struct curl_slist *headers;
    agent_fetch_done *done;
    void *arg;
    char *url, *method;
    bool only_connects, follows;
    struct agent_output body;
    char status_line[LINE_BYTES], grpc_status[GRPC_STATUS_BYTES];
};

/* ---- libcurl and the loop ---- */

static void kick(struct agent_fetches *f, curl_socket_t fd, int events)
{
    int running;
    (void)curl_multi_socket_action(f->multi, fd, events, &running); /* each fetch tells its own */
    cu_loop_at_turn_end(f->loop, &f->sweep);
}

static void on_timer(void *arg)
{
    kick(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int set_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct agent_fetches *f = arg;
    (void)multi;
    if (timeout_ms < 0)
        cu_timer_cancel(&f->timer);
    else
        cu_timer_set_ms(&f->timer, (uint64_t)timeout_ms);
    return 0;
}

static void on_socket(void *arg, unsigned what)
{
    struct socket_watch *watch = arg;
    int events =
        (what & CU_FD_READ ? CURL_CSELECT_IN : 0) | (what & CU_FD_WRITE ? CURL_CSELECT_OUT : 0);
    kick(watch->fetches, watch->watch.fd, events); /* may free the watch */
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *of_socket)
{
    struct agent_fetches *f = arg;
    struct socket_watch *watch = of_socket;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch)
            cu_fd_watch_close(&watch->watch);
        free(watch);
        return 0;
    }
    if (!watch) {
        watch = cu_alloc(sizeof *watch);
        watch->fetches = f;
        cu_fd_watch_init(&watch->watch, f->loop, fd, on_socket, watch);
        (void)curl_multi_assign(f->multi, fd, watch); /* the socket is known: it was named to us */
    }
    cu_fd_watch_set(&watch->watch, (what & CURL_POLL_IN ? CU_FD_READ : 0u) |
                                       (what & CURL_POLL_OUT ? CU_FD_WRITE : 0u));
    return 0;
}

/* ---- failures ---- */

/* "host:port" of an URL, for sentences. */
static void authority(const char *url, char text[LINE_BYTES])
{
    const char *start = strstr(url, "://");
    start = start ? start + 3 : url;
    size_t len = strcspn(start, "/?#");
    (void)snprintf(text, LINE_BYTES, "%.*s", (int)len, start);
}

static const char *dial_reason(CURLcode code, long os_errno)
{
    if (code == CURLE_OPERATION_TIMEDOUT || os_errno == ETIMEDOUT)
        return "i/o timeout";
    if (os_errno == ECONNREFUSED)
        return "connect: connection refused";
    if (os_errno == ENETUNREACH)
        return "connect: network is unreachable";
    if (os_errno == EHOSTUNREACH)
        return "connect: no route to host";
    return NULL;
}

/* The words of the reference where clients look for them, libcurl's elsewhere. */
static void dial_failure(struct agent_fetch *fetch, CURLcode code, char text[REASON_BYTES])
{
    char peer[LINE_BYTES];
    long os_errno = 0;
    (void)curl_easy_getinfo(fetch->easy, CURLINFO_OS_ERRNO, &os_errno);
    const char *reason = dial_reason(code, os_errno);
    authority(fetch->url, peer);
    if (code == CURLE_COULDNT_RESOLVE_HOST)
        (void)snprintf(text, REASON_BYTES, "dial tcp: lookup %.*s: no such host",
                       (int)strcspn(peer, ":"), peer);
    else
        (void)snprintf(text, REASON_BYTES, "dial tcp %s: %s", peer,
                       reason ? reason : curl_easy_strerror(code));
}

/* "Get", "Post": as the reference writes a method in its sentences. */
static const char *capital(const char *method, char text[LINE_BYTES])
{
    (void)snprintf(text, LINE_BYTES, "%.32s", method);
    for (char *at = text + (*text != 0); *at; at++)
        *at = (char)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
    return text;
}

static bool has_connected(struct agent_fetch *fetch)
{
    double seconds = 0;
    (void)curl_easy_getinfo(fetch->easy, CURLINFO_CONNECT_TIME, &seconds);
    return seconds > 0;
}

static void failure_text(struct agent_fetch *fetch, CURLcode code, char text[FAILURE_BYTES])
{
    char reason[REASON_BYTES], method[LINE_BYTES];
    bool dialling = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
                    (code == CURLE_OPERATION_TIMEDOUT && !has_connected(fetch));
    if (dialling)
        dial_failure(fetch, code, reason);
    else if (code == CURLE_OPERATION_TIMEDOUT)
        (void)snprintf(reason, sizeof reason,
                       "context deadline exceeded (Client.Timeout exceeded while awaiting "
                       "headers)");
    else if (code == CURLE_TOO_MANY_REDIRECTS)
        (void)snprintf(reason, sizeof reason, "stopped after %d redirects", REDIRECTS);
    else
        (void)snprintf(reason, sizeof reason, "%s", curl_easy_strerror(code));
    if (fetch->only_connects)
        (void)snprintf(text, FAILURE_BYTES, "%s", reason);
    else
        (void)snprintf(text, FAILURE_BYTES, "%s \"%.300s\": %s", capital(fetch->method, method),
                       fetch->url, reason);
}

/* ---- one fetch ---- */

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct agent_fetch *fetch = arg;
    agent_output_add(&fetch->body, (struct cu_bytes){(const uint8_t *)data, size * count});
    return size * count;
}

/* The status line behind the version, and gRPC's status among headers and trailers. */
static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
    static const char grpc[] = "grpc-status:";
    struct agent_fetch *fetch = arg;
    size_t len = size * count, end = len;
    while (end && (data[end - 1] == '\n' || data[end - 1] == '\r'))
        end--;
    if (end > 5 && memcmp(data, "HTTP/", 5) == 0) {
        const char *blank = memchr(data, ' ', end);
        size_t skip = blank ? (size_t)(blank - data) + 1 : end;
        (void)snprintf(fetch->status_line, sizeof fetch->status_line, "%.*s", (int)(end - skip),
                       data + skip);
    } else if (end > sizeof grpc - 1 && strncasecmp(data, grpc, sizeof grpc - 1) == 0) {
        size_t skip = sizeof grpc - 1;
        while (skip < end && data[skip] == ' ')
            skip++;
        (void)snprintf(fetch->grpc_status, sizeof fetch->grpc_status, "%.*s", (int)(end - skip),
                       data + skip);
    }
    return len;
}

static void add_line(struct agent_fetch *fetch, const char *line)
{
    struct curl_slist *longer = curl_slist_append(fetch->headers, line);
    CU_ASSERT(longer); /* else out of memory */
    fetch->headers = longer;
}

static void add_header(struct agent_fetch *fetch, const char *name, const char *value)
{
    struct cu_buf line = {0};
    if (*value)
        cu_buf_printf(&line, "%s: %s", name, value);
    else
        cu_buf_printf(&line, "%s;", name); /* how libcurl is told of one without a value */
    cu_buf_u8(&line, 0);
    add_line(fetch, (const char *)line.data);
    cu_buf_deinit(&line);
}

static void set_headers(struct agent_fetch *fetch, const struct agent_fetch_request *request)
{
    bool has_agent = false, has_accept = false;
    for (size_t i = 0; i < request->header_count; i++) {
        const struct agent_fetch_header *header = &request->headers[i];
        has_agent |= strcasecmp(header->name, "User-Agent") == 0;
        has_accept |= strcasecmp(header->name, "Accept") == 0;
        add_header(fetch, header->name, header->value);
    }
    if (!has_agent)
        add_header(fetch, "User-Agent", "Consul Health Check");
    if (!has_accept)
        add_header(fetch, "Accept", "text/plain, text/*, */*");
    add_line(fetch, "Expect:"); /* libcurl's own is not sent */
    (void)curl_easy_setopt(fetch->easy, CURLOPT_HTTPHEADER, fetch->headers);
}

static void set_method(struct agent_fetch *fetch, const struct agent_fetch_request *request)
{
    CURL *easy = fetch->easy;
    if (strcmp(request->method, "HEAD") == 0) {
        (void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (request->body.len) {
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)request->body.len);
        (void)curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, (const char *)request->body.data);
    }
    if (request->body.len || strcmp(request->method, "GET") != 0)
        (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, fetch->method);
}

static void set_options(struct agent_fetch *fetch, const struct agent_fetch_request *request)
{
    CURL *easy = fetch->easy;
    (void)curl_easy_setopt(easy, CURLOPT_URL, fetch->url);
    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, fetch);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* it is this node's own that is checked */
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    (void)curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                           request->is_http2 ? (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE
                                             : (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, request->follows ? 1L : 0L);
    (void)curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)REDIRECTS);
    if (request->only_connects)
        (void)curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    if (request->skips_verify) {
        (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, fetch);
}

struct agent_fetch *agent_fetch_new(struct agent_fetches *fetches,
                                    const struct agent_fetch_request *request,
                                    agent_fetch_done *done, void *arg)
{
    struct agent_fetch *fetch = cu_alloc(sizeof *fetch);
    fetch->fetches = fetches;
    fetch->done = done;
    fetch->arg = arg;
    fetch->url = cu_strdup(request->url);
    fetch->method = cu_strdup(request->method);
    fetch->only_connects = request->only_connects;
    fetch->follows = request->follows;
    agent_output_begin(&fetch->body, request->output_limit);
    fetch->easy = curl_easy_init();
    CU_ASSERT(fetch->easy); /* else out of memory */
    set_options(fetch, request);
    set_method(fetch, request);
    set_headers(fetch, request);
    (void)curl_multi_add_handle(fetches->multi, fetch->easy); /* a new handle is always taken */
    return fetch;
}

void agent_fetch_free(struct agent_fetch *fetch)
{
    if (!fetch)
        return;
    (void)curl_multi_remove_handle(fetch->fetches->multi, fetch->easy);
    curl_easy_cleanup(fetch->easy);
    curl_slist_free_all(fetch->headers);
    agent_output_deinit(&fetch->body);
    free(fetch->url);
    free(fetch->method);
    free(fetch);
}

static void finish(struct agent_fetch *fetch, CURLcode code)
{
    char failure[FAILURE_BYTES];
    long status = 0;
    struct agent_fetch_result result = {
        .body = &fetch->body, .status_line = fetch->status_line, .grpc_status = fetch->grpc_status};
    (void)curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
    result.status = (unsigned)status;
    if (code) {
        failure_text(fetch, code, failure);
        result.failure = failure;
    }
    fetch->done(fetch->arg, &result); /* frees it, as a rule */
}

/* One message at a time: a callback may end other fetches, whose messages libcurl then drops. */
static void sweep(void *arg)
{
    struct agent_fetches *f = arg;
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(f->multi, &left));) {
        char *fetch;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &fetch);
        finish((struct agent_fetch *)fetch, code);
    }
}

struct agent_fetches *agent_fetches_new(struct cu_loop *loop)
{
    struct agent_fetches *f = cu_alloc(sizeof *f);
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT); /* counted: may be called again */
    CU_ASSERT(code == CURLE_OK);
    f->loop = loop;
    f->multi = curl_multi_init();
    CU_ASSERT(f->multi);
    f->sweep = (struct cu_turn_hook){.fn = sweep, .arg = f};
    cu_timer_init(&f->timer, loop, on_timer, f);
    (void)curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    (void)curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f);
    (void)curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    (void)curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f);
    return f;
}

void agent_fetches_free(struct agent_fetches *f)
{
    if (!f)
        return;
    (void)curl_multi_cleanup(f->multi);
    cu_turn_hook_cancel(f->loop, &f->sweep);
    cu_timer_close(&f->timer);
    free(f);
    curl_global_cleanup();
}
