/* answer_fuzz.c - what a checked gRPC service answers, and lines of daemons' logs: an answer is
 * judged with words, a line is shown as one line, in JSON as one object. */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/json/scan.h"
#include "services/agentd/core/grpc.h"
#include "services/agentd/core/log_line.h"
#include "tests/fuzz/fuzz.h"

static bool try_answer(struct cu_bytes body)
{
    struct cu_buf output = {0};
    enum agent_status status = agent_grpc_result("127.0.0.1:1/web", 200, "0", body, &output);
    if (output.len == 0 || (status != AGENT_PASSING && status != AGENT_CRITICAL))
        abort();
    cu_buf_deinit(&output);
    return status == AGENT_PASSING;
}

static void try_line(const char *line)
{
    struct cu_buf text = {0}, json = {0};
    struct cu_bytes value;
    agent_log_line_show(line, false, &text);
    agent_log_line_show(line, true, &json);
    if (text.len == 0 || text.data[text.len - 1] != '\n' || json.len == 0)
        abort();
    if (line[0] != '{' && cu_json_check(cu_buf_bytes(&json), &value, NULL))
        abort(); /* one that begins so is JSON already */
    (void)agent_log_line_counts(line, agent_log_gravity(line));
    cu_buf_deinit(&text);
    cu_buf_deinit(&json);
}

bool fuzz_one(const uint8_t *data, size_t len)
{
    char *line = cu_alloc(len + 1); /* with its NUL, and one line: as they are read */
    if (len)
        memcpy(line, data, len);
    line[strcspn(line, "\n")] = '\0';
    try_line(line);
    free(line);
    return try_answer((struct cu_bytes){data, len});
}
