/* json_fuzz.c - bodies: what is read by a shape is written, read again, and written the same; a
 * transaction's body and those of the mesh are parsed as agentd does. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "common/json/scan.h"
#include "common/json/text.h"
#include "services/agentd/core/mesh.h"
#include "services/agentd/core/shapes.h"
#include "services/agentd/core/txn.h"

enum { ARENA_BYTES = 4 * 1024 * 1024, MAX_VALUE_BYTES = 512 };

static bool read_operation(struct cu_bytes text, struct cu_arena *arena, struct cu_buf *ret_text)
{
    struct cu_diag diag = {0};
    struct cu_bytes value;
    Curia__V1__KvOperation op;
    curia__v1__kv_operation__init(&op);
    if (cu_json_check(text, &value, &diag)) {
        if (!diag.text[0])
            abort(); /* refused without a sentence */
        return false;
    }
    if (cu_json_read(value, &agent_shape_kv_operation, arena, &op.base, &diag))
        return false;
    if ((int)op.verb == AGENT_UNKNOWN_VERB)
        op.verb = CURIA__V1__KV_VERB__KV_SET; /* it has no name to be printed */
    cu_json_write(ret_text, &agent_shape_kv_operation, &op.base);
    return true;
}

static void check_indent(struct cu_bytes compact)
{
    struct cu_buf pretty = {0};
    struct cu_bytes value;
    cu_json_indent(&pretty, compact);
    if (cu_json_check(cu_buf_bytes(&pretty), &value, NULL))
        abort(); /* indenting broke it */
    cu_buf_deinit(&pretty);
}

typedef bool read_and_write(struct cu_bytes text, struct cu_arena *arena, struct cu_buf *ret_text);

static bool read_entry(struct cu_bytes text, struct cu_arena *arena, struct cu_buf *ret_text)
{
    Curia__V1__ConfigEntry entry;
    struct agent_fault fault = {0};
    bool parsed = agent_entry_parse(text, arena, &entry, &fault);
    if (!parsed && (!fault.status || !fault.text[0]))
        abort(); /* refused without a sentence */
    if (parsed)
        agent_entry_write(ret_text, &entry);
    return parsed;
}

static bool read_intention(struct cu_bytes text, struct cu_arena *arena, struct cu_buf *ret_text)
{
    Curia__V1__Intention intention;
    struct agent_fault fault = {0};
    bool parsed = agent_intention_parse(text, arena, &intention, &fault);
    if (!parsed && (!fault.status || !fault.text[0]))
        abort();
    if (parsed)
        agent_intention_write(ret_text, &intention);
    return parsed;
}

/* What is read and shown is read again, and shown the same. */
static bool check_stable(read_and_write *read, struct cu_bytes text, struct cu_arena *arena)
{
    struct cu_buf once = {0}, twice = {0};
    bool parsed = read(text, arena, &once);
    if (parsed && (!read(cu_buf_bytes(&once), arena, &twice) ||
                   !cu_bytes_equal(cu_buf_bytes(&once), cu_buf_bytes(&twice))))
        abort();
    cu_buf_deinit(&once);
    cu_buf_deinit(&twice);
    return parsed;
}

bool fuzz_one(const uint8_t *data, size_t len)
{
    struct cu_bytes text = {data, len};
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    struct cu_buf once = {0}, twice = {0};
    struct agent_txn txn;
    struct agent_fault fault;

    bool parsed = read_operation(text, arena, &once);
    if (parsed) {
        if (!read_operation(cu_buf_bytes(&once), arena, &twice) ||
            !cu_bytes_equal(cu_buf_bytes(&once), cu_buf_bytes(&twice)))
            abort();
        check_indent(cu_buf_bytes(&once));
    }
    parsed |= check_stable(read_entry, text, arena);
    parsed |= check_stable(read_intention, text, arena);
    parsed |= agent_txn_parse(text, MAX_VALUE_BYTES, arena, &txn, &fault);
    cu_buf_deinit(&once);
    cu_buf_deinit(&twice);
    cu_arena_free(arena);
    return parsed;
}
