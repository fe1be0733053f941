/* url_fuzz.c - request targets: a cleaned path is clean and escapes back to itself, parameters
 * encode and parse to the same, and read options and keys are taken as agentd does. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "services/agentd/core/kv.h"
#include "services/agentd/core/options.h"
#include "services/agentd/core/target.h"

enum { ARENA_BYTES = 16 * 1024 * 1024 };

static const struct agent_waits waits = {300000, 600000};

static void check_path(struct cu_bytes path, struct cu_arena *arena)
{
    struct cu_buf clean = {0}, again = {0}, escaped = {0};
    struct agent_target target;
    if (!agent_path_is_clean(path, &clean)) {
        if (clean.len == 0 || !agent_path_is_clean(cu_buf_bytes(&clean), &again))
            abort();
        path = cu_buf_bytes(&clean);
    }
    agent_path_escape(&escaped, path);
    if (agent_target_parse(cu_buf_bytes(&escaped), arena, &target) ||
        !cu_bytes_equal(target.path, path))
        abort();
    (void)agent_path_is_printable(path);
    cu_buf_deinit(&clean);
    cu_buf_deinit(&again);
    cu_buf_deinit(&escaped);
}

static void check_query(const struct agent_query *query, struct cu_arena *arena)
{
    struct cu_buf once = {0}, twice = {0};
    struct agent_query read;
    agent_query_encode(&once, query);
    if (agent_query_parse(cu_buf_bytes(&once), arena, &read))
        abort();
    agent_query_encode(&twice, &read);
    if (!cu_bytes_equal(cu_buf_bytes(&once), cu_buf_bytes(&twice)))
        abort();
    cu_buf_deinit(&once);
    cu_buf_deinit(&twice);
}

static void use_query(const struct agent_query *query, struct cu_bytes path)
{
    struct agent_options options;
    struct agent_fault fault;
    enum agent_kv_read kind;
    Curia__V1__KvPutRequest request = CURIA__V1__KV_PUT_REQUEST__INIT;
    if (!agent_options_parse(query, NULL, &waits, &options, &fault) && fault.status != 400)
        abort();
    if (agent_options_parse(query, NULL, &waits, &options, &fault) &&
        options.wait_ms > waits.max_ms)
        abort();
    (void)agent_kv_read_parse(query, path, &kind, &fault);
    (void)agent_kv_put_parse(query, path, path, &request, &fault);
    (void)agent_kv_delete_parse(query, path, &request, &fault);
}

bool fuzz_one(const uint8_t *data, size_t len)
{
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    struct agent_target target;
    struct agent_query query;
    bool parsed = agent_target_parse((struct cu_bytes){data, len}, arena, &target) == CU_OK;

    if (parsed)
        check_path(target.path, arena);
    parsed = parsed && agent_query_parse(target.query, arena, &query) == CU_OK;
    if (parsed) {
        check_query(&query, arena);
        use_query(&query, target.path);
    }
    cu_arena_free(arena);
    return parsed;
}
