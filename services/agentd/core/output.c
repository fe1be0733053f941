#include "services/agentd/core/output.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/json/utf8.h"

void agent_output_begin(struct agent_output *output, size_t limit)
{
    CU_ASSERT(limit);
    if (output->limit != limit) {
        free(output->ring);
        output->ring = cu_alloc(limit);
    }
    output->limit = limit;
    output->total = 0;
}

void agent_output_deinit(struct agent_output *output)
{
    free(output->ring);
    *output = (struct agent_output){0};
}

void agent_output_add(struct agent_output *output, struct cu_bytes bytes)
{
    size_t skipped = bytes.len > output->limit ? bytes.len - output->limit : 0;
    output->total += skipped;
    for (size_t at = skipped; at < bytes.len;) {
        size_t place = output->total % output->limit;
        size_t room = output->limit - place, left = bytes.len - at;
        size_t len = left < room ? left : room;
        memcpy(output->ring + place, bytes.data + at, len);
        output->total += len;
        at += len;
    }
}

void agent_output_clean(struct cu_bytes bytes, struct cu_buf *out)
{
    while (bytes.len) {
        uint32_t rune;
        size_t size = cu_utf8_next(bytes, &rune);
        cu_utf8_append(out, rune == 0 ? CU_UTF8_BAD : rune);
        bytes.data += size;
        bytes.len -= size;
    }
}

void agent_output_raw(const struct agent_output *output, struct cu_buf *out)
{
    size_t place = output->total % output->limit;
    if (output->total > output->limit)
        cu_buf_append(out, output->ring + place, output->limit - place);
    cu_buf_append(out, output->ring, output->total > output->limit ? place : output->total);
}

void agent_output_text(const struct agent_output *output, bool with_notice, struct cu_buf *out)
{
    struct cu_buf whole = {0};
    agent_output_raw(output, &whole);
    if (with_notice && output->total > output->limit)
        cu_buf_printf(out, "Captured %zu of %zu bytes\n...\n", output->limit, output->total);
    agent_output_clean(cu_buf_bytes(&whole), out);
    cu_buf_deinit(&whole);
}

void agent_output_note(struct cu_bytes note, size_t limit, struct cu_buf *out)
{
    size_t len = note.len < limit ? note.len : limit;
    agent_output_clean((struct cu_bytes){note.data, len}, out);
    if (note.len > limit)
        cu_buf_printf(out, " ... (captured %zu of %zu bytes)", limit, note.len);
}
