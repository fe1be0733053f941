/* pair.h - a key and what is known of it, as the HTTP API gives it. */
#ifndef CLI_KV_PAIR_H
#define CLI_KV_PAIR_H

#include <jansson.h>

#include "services/curia/client.h"

struct kv_pair {
    const char *key; /* borrowed from the JSON */
    uint64_t flags, create_index, modify_index, lock_index;
    const char *session; /* "" when none */
    struct cu_buf value; /* decoded */
    const char *value_base64;
};

/* Reads one element of the reply of GET /v1/kv; `value` is yours. CU_E_INVALID. */
CU_MUST_USE enum cu_err kv_pair_read(json_t *json, struct kv_pair *ret_pair, struct cu_diag *diag);

/* Standard base64 with padding. CU_E_INVALID with Go's sentence. */
CU_MUST_USE enum cu_err kv_base64_decode(const char *text, struct cu_buf *out,
                                         struct cu_diag *diag);

/* The pairs under a prefix (recurse) or one key. CU_E_NOT_FOUND: status 404. The list is yours. */
CU_MUST_USE enum cu_err kv_fetch(struct cli_http *http, const char *key, bool recurse,
                                 json_t **ret_list, struct cu_diag *diag);

/* What an argument stands for: "@FILE", "-" (stdin) or itself (cli.md 1.5). CU_E_IO. */
CU_MUST_USE enum cu_err kv_data_source(const char *argument, struct cu_buf *out,
                                       struct cu_diag *diag);

/* A key as the commands take it, without one leading slash. */
const char *kv_strip(const char *key);

#endif
