/* http.h - the agent's HTTP API as a client sees it: flags and environment of cli.md 2. */
#ifndef CLI_HTTP_H
#define CLI_HTTP_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "services/curia/flag.h"

struct cli_http;

/* Reads flags (groups C, S, N as far as they are allowed) before the environment. On failure
 * returns NULL with the cause in `diag` (without a prefix: the command knows it). */
struct cli_http *cli_http_new(const struct cli_args *args, struct cu_diag *diag);
void cli_http_free(struct cli_http *http); /* takes NULL */

/* The token that its requests bear; empty: none. Borrowed. */
const char *cli_http_token(const struct cli_http *http);

/* The token that flags and environment name, "" for none; yours (free). CU_E_IO: its file cannot be
 * read. */
CU_MUST_USE enum cu_err cli_token(const struct cli_args *args, char **ret_token,
                                  struct cu_diag *diag);

struct cli_request {
    const char *method;  /* "GET" */
    const char *path;    /* "/v1/kv/" */
    struct cu_bytes key; /* appended to the path, percent-encoded but for '/' */
    const char *query;   /* "recurse=&cas=3", encoded; NULL: none. dc, ns and stale are added */
    struct cu_bytes body;
    bool is_read; /* `stale` may be added */
};

struct cli_reply {
    long status;
    struct cu_buf body; /* cu_buf_deinit(), in any case */
};

/* CU_OK: there was an answer of any status. CU_E_IO: none, `diag` has the cause as Go prints it
 * (cli.md 2.3). */
CU_MUST_USE enum cu_err cli_http_do(struct cli_http *http, const struct cli_request *request,
                                    struct cli_reply *ret_reply, struct cu_diag *diag);

/* An answer without an end, handed on as it comes. */
struct cli_stream {
    bool (*bytes)(void *arg, struct cu_bytes bytes); /* false: enough */
    bool (*goes_on)(void *arg);                      /* asked about once a second; false: enough */
    void *arg;
};

/* Returns when the answer ends or the stream has enough. CU_E_IO: no answer, or a status other than
 * 200, as `diag` says it. */
CU_MUST_USE enum cu_err cli_http_stream(struct cli_http *http, const struct cli_request *request,
                                        const struct cli_stream *stream, struct cu_diag *diag);

/* "Unexpected response code: 500 (text)"; without the text when `with_body` is false. */
void cli_http_unexpected(const struct cli_reply *reply, bool with_body, struct cu_diag *diag);

/* Appends text percent-encoded; '/' stays when `keep_slash`. */
void cli_http_escape(struct cu_buf *out, struct cu_bytes text, bool keep_slash);

#endif
