#include "services/curia/http.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "common/base/assert.h"
#include "services/curia/command.h"

enum { TOKEN_FILE_BYTES = 64 * 1024, REPLY_BYTES = 1024 * 1024 * 1024 };

struct cli_http {
    CURL *curl;
    struct cu_buf base;   /* "http://127.0.0.1:8500" with its NUL */
    struct cu_buf common; /* "dc=x&stale=" with its NUL */
    char *socket;         /* of unix:// */
    char *token;          /* NULL: none */
    char *server_name;    /* what TLS asks for and verifies; NULL: the host of the address */
    struct curl_slist *headers, *connect_to;
    bool is_stale;
};

/* clang-format off */
const struct cli_flag cli_client_flags[] = {
    {"ca-file",         CLI_TEXT, "File with the certificates to trust. Also CONSUL_CACERT.", NULL},
    {"ca-path",         CLI_TEXT, "Folder with the certificates to trust. Also CONSUL_CAPATH.", NULL},
    {"client-cert",     CLI_TEXT, "Client certificate. Also CONSUL_CLIENT_CERT.", NULL},
    {"client-key",      CLI_TEXT, "Key of the client certificate. Also CONSUL_CLIENT_KEY.", NULL},
    {"http-addr",       CLI_TEXT, "Address and port of the agent, with http://, https:// or unix://. Also CONSUL_HTTP_ADDR.", NULL},
    {"tls-server-name", CLI_TEXT, "Name to ask for and to verify. Also CONSUL_TLS_SERVER_NAME.", NULL},
    {"token",           CLI_TEXT, "ACL token. Also CONSUL_HTTP_TOKEN.", NULL},
    {"token-file",      CLI_TEXT, "File with the ACL token. Also CONSUL_HTTP_TOKEN_FILE.", NULL},
    {0},
};
const struct cli_flag cli_server_flags[] = {
    {"datacenter", CLI_TEXT, "Datacenter to ask; default: the agent's own.", NULL},
    {"stale",      CLI_BOOL, "Let any server answer, even without a leader.", NULL},
    {0},
};
const struct cli_flag cli_namespace_flags[] = {
    {"namespace", CLI_TEXT, "Namespace: only `default`. Also CONSUL_NAMESPACE.", NULL},
    {0},
};
/* clang-format on */

/* Flag, then environment; NULL: neither. An empty variable is not set. */
static const char *setting(const struct cli_args *args, const char *flag, const char *variable)
{
    const char *value = flag && cli_allows(args, flag) ? cli_text(args, flag) : NULL;
    if (!value && variable) {
        value = getenv(variable);
        if (value && !*value)
            value = NULL;
    }
    return value;
}

void cli_http_escape(struct cu_buf *out, struct cu_bytes text, bool keep_slash)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (isalnum(c) || (c && strchr("-._~", c)) || (keep_slash && c == '/'))
            cu_buf_u8(out, c);
        else
            cu_buf_printf(out, "%%%02X", c);
    }
}

static enum cu_err choose_address(struct cli_http *http, const struct cli_args *args,
                                  struct cu_diag *diag)
{
    const char *address = setting(args, "http-addr", "CONSUL_HTTP_ADDR");
    const char *ssl = getenv("CONSUL_HTTP_SSL"), *scheme = "http";
    bool use_ssl = false;
    if (ssl && *ssl && !cli_parse_bool(ssl, &use_ssl))
        (void)fprintf(stderr, "[WARN] client: could not parse CONSUL_HTTP_SSL: %s\n", ssl);
    if (use_ssl)
        scheme = "https";
    address = address ? address : "127.0.0.1:8500";
    const char *rest = strstr(address, "://");
    if (rest && !strncmp(address, "unix://", 7)) {
        http->socket = cu_strdup(rest + 3);
        address = "127.0.0.1";
    } else if (rest) {
        size_t len = (size_t)(rest - address);
        if ((len != 4 || strncmp(address, "http", 4) != 0) &&
            (len != 5 || strncmp(address, "https", 5) != 0))
            return cu_fail(diag, CU_E_INVALID, "Unknown protocol scheme: %.*s", (int)len, address);
        scheme = len == 5 ? "https" : "http";
        address = rest + 3;
    }
    cu_buf_printf(&http->base, "%s://%s", scheme, address);
    while (http->base.len && http->base.data[http->base.len - 1] == '/')
        http->base.len--;
    cu_buf_u8(&http->base, 0);
    return CU_OK;
}

static void add_token(struct cli_http *http, const char *token)
{
    struct cu_buf header = {0};
    cu_buf_printf(&header, "X-Consul-Token: %s", token);
    cu_buf_u8(&header, 0);
    http->token = cu_strdup(token);
    http->headers = curl_slist_append(http->headers, (const char *)header.data);
    cu_buf_deinit(&header);
}

static enum cu_err read_token_file(const char *path, char text[TOKEN_FILE_BYTES],
                                   struct cu_diag *diag)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return cu_fail(diag, CU_E_IO, "Error loading token file: open %s: %s", path,
                       errno == ENOENT ? "no such file or directory" : strerror(errno));
    size_t len = fread(text, 1, TOKEN_FILE_BYTES - 1, file);
    (void)fclose(file); /* only read */
    while (len && isspace((unsigned char)text[len - 1]))
        len--;
    text[len] = '\0';
    return CU_OK;
}

/* The file wins over the token; an empty file falls back to it (cli.md 2.2). */
enum cu_err cli_token(const struct cli_args *args, char **ret_token, struct cu_diag *diag)
{
    const char *token = setting(args, "token", "CONSUL_HTTP_TOKEN");
    const char *path = setting(args, "token-file", "CONSUL_HTTP_TOKEN_FILE");
    char *text = cu_alloc(TOKEN_FILE_BYTES);
    enum cu_err err = path ? read_token_file(path, text, diag) : CU_OK;
    const char *start = text + strspn(text, " \t\r\n");
    if (*start)
        token = start;
    *ret_token = err ? NULL : cu_strdup(token ? token : "");
    free(text);
    return err;
}

static enum cu_err choose_token(struct cli_http *http, const struct cli_args *args,
                                struct cu_diag *diag)
{
    char *token;
    enum cu_err err = cli_token(args, &token, diag);
    if (!err && *token)
        add_token(http, token);
    free(token);
    return err;
}

static enum cu_err choose_scope(struct cli_http *http, const struct cli_args *args,
                                struct cu_diag *diag)
{
    const char *dc = setting(args, "datacenter", NULL);
    const char *ns = setting(args, "namespace", "CONSUL_NAMESPACE");
    if (ns && *ns && strcmp(ns, "default") != 0)
        return cu_fail(diag, CU_E_INVALID,
                       "namespace \"%s\" does not exist: there is only "
                       "\"default\"",
                       ns);
    if (dc && *dc) {
        cu_buf_text(&http->common, "&dc=");
        cli_http_escape(&http->common, cu_bytes_of(dc), false);
    }
    if (ns && *ns)
        cu_buf_text(&http->common, "&ns=default");
    cu_buf_u8(&http->common, 0);
    http->is_stale = cli_allows(args, "stale") && cli_bool(args, "stale");
    return CU_OK;
}

/* TLS asks for and verifies the host of the URL: the name takes its place there (set_url()), while
 * the address is connected to and stays in the Host header. */
static void choose_server_name(struct cli_http *http, const char *name)
{
    const char *base = (const char *)http->base.data, *host = strstr(base, "://") + 3;
    const char *bracket = strchr(host, ']');
    struct cu_buf to = {0}, header = {0};
    if (strncmp(base, "https", 5) != 0)
        return;
    http->server_name = cu_strdup(name);
    cu_buf_printf(&to, "::%s%s", host, strchr(bracket ? bracket : host, ':') ? "" : ":");
    cu_buf_printf(&header, "Host: %s", host);
    cu_buf_u8(&to, 0);
    cu_buf_u8(&header, 0);
    http->connect_to = curl_slist_append(NULL, (const char *)to.data);
    http->headers = curl_slist_append(http->headers, (const char *)header.data);
    (void)curl_easy_setopt(http->curl, CURLOPT_CONNECT_TO, http->connect_to);
    cu_buf_deinit(&to);
    cu_buf_deinit(&header);
}

static void choose_tls(struct cli_http *http, const struct cli_args *args)
{
    const char *verify = getenv("CONSUL_HTTP_SSL_VERIFY"), *text;
    bool yes = true;
    if ((text = setting(args, "ca-file", "CONSUL_CACERT")))
        (void)curl_easy_setopt(http->curl, CURLOPT_CAINFO, text);
    if ((text = setting(args, "ca-path", "CONSUL_CAPATH")))
        (void)curl_easy_setopt(http->curl, CURLOPT_CAPATH, text);
    if ((text = setting(args, "client-cert", "CONSUL_CLIENT_CERT")))
        (void)curl_easy_setopt(http->curl, CURLOPT_SSLCERT, text);
    if ((text = setting(args, "client-key", "CONSUL_CLIENT_KEY")))
        (void)curl_easy_setopt(http->curl, CURLOPT_SSLKEY, text);
    if ((text = setting(args, "tls-server-name", "CONSUL_TLS_SERVER_NAME")))
        choose_server_name(http, text);
    if (verify && *verify && cli_parse_bool(verify, &yes) && !yes) {
        (void)curl_easy_setopt(http->curl, CURLOPT_SSL_VERIFYPEER, 0L);
        (void)curl_easy_setopt(http->curl, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    const char *auth = getenv("CONSUL_HTTP_AUTH");
    if (auth && *auth)
        (void)curl_easy_setopt(http->curl, CURLOPT_USERPWD, auth);
}

struct cli_http *cli_http_new(const struct cli_args *args, struct cu_diag *diag)
{
    struct cli_http *http = cu_alloc(sizeof *http);
    http->curl = curl_easy_init();
    CU_ASSERT(http->curl);
    enum cu_err err = choose_address(http, args, diag);
    if (!err)
        err = choose_token(http, args, diag);
    if (!err)
        err = choose_scope(http, args, diag);
    if (err) {
        cli_http_free(http);
        return NULL;
    }
    choose_tls(http, args);
    http->headers = curl_slist_append(http->headers, "Expect:"); /* one round trip, not two */
    http->headers = curl_slist_append(http->headers, "Content-Type:");
    (void)curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, http->headers);
    (void)curl_easy_setopt(http->curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(http->curl, CURLOPT_PATH_AS_IS, 1L); /* a key may hold ".." */
    if (http->socket)
        (void)curl_easy_setopt(http->curl, CURLOPT_UNIX_SOCKET_PATH, http->socket);
    return http;
}

void cli_http_free(struct cli_http *http)
{
    if (!http)
        return;
    curl_easy_cleanup(http->curl);
    curl_slist_free_all(http->headers);
    curl_slist_free_all(http->connect_to);
    cu_buf_deinit(&http->base);
    cu_buf_deinit(&http->common);
    free(http->socket);
    free(http->token);
    free(http->server_name);
    free(http);
}

const char *cli_http_token(const struct cli_http *http)
{
    return http->token ? http->token : "";
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct cu_buf *body = arg;
    if (body->len + size * count > REPLY_BYTES)
        return 0;
    cu_buf_append(body, data, size * count);
    return size * count;
}

static void build_url(const struct cli_http *http, const struct cli_request *request,
                      struct cu_buf *url)
{
    cu_buf_text(url, (const char *)http->base.data);
    cu_buf_text(url, request->path);
    cli_http_escape(url, request->key, true);
    size_t mark = url->len;
    if (request->query && *request->query)
        cu_buf_printf(url, "&%s", request->query);
    cu_buf_text(url, (const char *)http->common.data);
    if (http->is_stale && request->is_read)
        cu_buf_text(url, "&stale=");
    if (url->len > mark)
        url->data[mark] = '?';
    cu_buf_u8(url, 0);
}

static void set_url(const struct cli_http *http, const struct cu_buf *url)
{
    const char *text = (const char *)url->data;
    struct cu_buf named = {0};
    if (http->server_name) {
        cu_buf_printf(&named, "https://%s%s", http->server_name,
                      text + strlen((const char *)http->base.data));
        cu_buf_u8(&named, 0);
        text = (const char *)named.data;
    }
    (void)curl_easy_setopt(http->curl, CURLOPT_URL, text); /* curl has a copy */
    cu_buf_deinit(&named);
}

/* As Go says it: `Get "URL": dial tcp HOST:PORT: connect: connection refused` (cli.md 2.3). */
static enum cu_err no_answer(const struct cli_http *http, const struct cli_request *request,
                             const char *url, CURLcode code, struct cu_diag *diag)
{
    long error = 0;
    char where[256], why[128];
    const char *host = strstr((const char *)http->base.data, "://") + 3;
    (void)curl_easy_getinfo(http->curl, CURLINFO_OS_ERRNO, &error);
    (void)snprintf(where, sizeof where, "%s %s", http->socket ? "unix" : "tcp",
                   http->socket ? http->socket : host);
    (void)snprintf(why, sizeof why, "%s", error ? strerror((int)error) : curl_easy_strerror(code));
    why[0] = (char)tolower((unsigned char)why[0]);
    char method[8];
    (void)snprintf(method, sizeof method, "%c%s", request->method[0], request->method + 1);
    for (char *at = method + 1; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    if (code == CURLE_COULDNT_CONNECT)
        return cu_fail(diag, CU_E_IO, "%s \"%s\": dial %s: connect: %s", method, url, where, why);
    if (code == CURLE_COULDNT_RESOLVE_HOST)
        return cu_fail(diag, CU_E_IO, "%s \"%s\": dial tcp: lookup %.*s: no such host", method, url,
                       (int)strcspn(host, ":"), host);
    if (code == CURLE_GOT_NOTHING)
        return cu_fail(diag, CU_E_IO, "%s \"%s\": EOF", method, url);
    return cu_fail(diag, CU_E_IO, "%s \"%s\": %s", method, url, why);
}

enum cu_err cli_http_do(struct cli_http *http, const struct cli_request *request,
                        struct cli_reply *ret_reply, struct cu_diag *diag)
{
    *ret_reply = (struct cli_reply){0};
    struct cu_buf url = {0};
    build_url(http, request, &url);
    CURL *curl = http->curl;
    set_url(http, &url);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &ret_reply->body);
    if (strcmp(request->method, "GET") != 0) {
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                               request->body.data ? (const char *)request->body.data : "");
    } else {
        (void)curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    }
    (void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    CURLcode code = curl_easy_perform(curl);
    enum cu_err err = CU_OK;
    if (code)
        err = no_answer(http, request, (const char *)url.data, code, diag);
    else
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &ret_reply->status);
    cu_buf_deinit(&url);
    return err;
}

struct streaming {
    struct cli_http *http;
    const struct cli_stream *stream;
    struct cli_reply reply; /* what came with another status than 200 */
    bool has_enough;
};

static size_t on_stream(char *data, size_t size, size_t count, void *arg)
{
    struct streaming *s = arg;
    (void)curl_easy_getinfo(s->http->curl, CURLINFO_RESPONSE_CODE, &s->reply.status);
    if (s->reply.status != 200)
        return on_body(data, size, count, &s->reply.body);
    struct cu_bytes bytes = {(const uint8_t *)data, size * count};
    s->has_enough = !s->stream->bytes(s->stream->arg, bytes);
    return s->has_enough ? 0 : size * count;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct streaming *s = arg;
    s->has_enough = s->has_enough || !s->stream->goes_on(s->stream->arg);
    return s->has_enough;
}

enum cu_err cli_http_stream(struct cli_http *http, const struct cli_request *request,
                            const struct cli_stream *stream, struct cu_diag *diag)
{
    struct streaming s = {.http = http, .stream = stream};
    struct cu_buf url = {0};
    enum cu_err err = CU_OK;
    CURL *curl = http->curl;
    build_url(http, request, &url);
    set_url(http, &url);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_stream);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &s);
    (void)curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &s);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    CURLcode code = curl_easy_perform(curl);
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &s.reply.status);
    if (s.reply.status && s.reply.status != 200) {
        cli_http_unexpected(&s.reply, true, diag);
        err = CU_E_IO;
    } else if (code && !s.has_enough && !s.reply.status) {
        err = no_answer(http, request, (const char *)url.data, code, diag);
    }
    cu_buf_deinit(&url);
    cu_buf_deinit(&s.reply.body);
    return err;
}

void cli_http_unexpected(const struct cli_reply *reply, bool with_body, struct cu_diag *diag)
{
    size_t len = reply->body.len;
    while (len && isspace(reply->body.data[len - 1]))
        len--;
    if (with_body)
        (void)cu_fail(diag, CU_E_IO, "Unexpected response code: %ld (%.*s)", reply->status,
                      (int)(len > 400 ? 400 : len), len ? (const char *)reply->body.data : "");
    else
        (void)cu_fail(diag, CU_E_IO, "Unexpected response code: %ld", reply->status);
}
