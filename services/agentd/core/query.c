#include "services/agentd/core/query.h"

#include <ctype.h>
#include <string.h>

#include "services/agentd/core/target.h"

static size_t count_params(struct cu_bytes raw)
{
    size_t count = 1;
    for (size_t i = 0; i < raw.len; i++)
        count += raw.data[i] == '&' || raw.data[i] == ';';
    return count;
}

static enum cu_err unescape(struct cu_bytes escaped, struct cu_arena *arena,
                            struct cu_bytes *ret_text)
{
    uint8_t *text = cu_arena_alloc(arena, escaped.len + 1); /* and a NUL */
    if (!text)
        return CU_E_TOO_LARGE;
    ret_text->data = text;
    return agent_unescape(escaped, true, text, &ret_text->len);
}

static enum cu_err parse_param(struct cu_bytes raw, struct cu_arena *arena,
                               struct agent_param *ret_param)
{
    const uint8_t *equals = memchr(raw.data, '=', raw.len);
    size_t name_len = equals ? (size_t)(equals - raw.data) : raw.len;
    struct cu_bytes value = {equals ? equals + 1 : raw.data + raw.len,
                             equals ? raw.len - name_len - 1 : 0};
    enum cu_err err = unescape((struct cu_bytes){raw.data, name_len}, arena, &ret_param->name);
    return err ? err : unescape(value, arena, &ret_param->value);
}

enum cu_err agent_query_parse(struct cu_bytes raw, struct cu_arena *arena,
                              struct agent_query *ret_query)
{
    struct agent_query query = {0};
    if (raw.len == 0) {
        *ret_query = query;
        return CU_OK;
    }
    query.params = cu_arena_alloc(arena, count_params(raw) * sizeof *query.params);
    if (!query.params)
        return CU_E_TOO_LARGE;
    for (size_t at = 0; at < raw.len;) {
        size_t end = at;
        while (end < raw.len && raw.data[end] != '&' && raw.data[end] != ';')
            end++;
        if (end > at) {
            enum cu_err err = parse_param((struct cu_bytes){raw.data + at, end - at}, arena,
                                          &query.params[query.count++]);
            if (err)
                return err;
        }
        at = end + 1;
    }
    *ret_query = query;
    return CU_OK;
}

const struct cu_bytes *agent_query_get(const struct agent_query *query, const char *name)
{
    if (query->count == 0) /* most requests, asked for a dozen names each */
        return NULL;
    size_t len = strlen(name);
    for (size_t i = 0; i < query->count; i++)
        if (query->params[i].name.len == len && memcmp(query->params[i].name.data, name, len) == 0)
            return &query->params[i].value;
    return NULL;
}

struct cu_bytes agent_query_value(const struct agent_query *query, const char *name)
{
    const struct cu_bytes *value = agent_query_get(query, name);
    return value ? *value : (struct cu_bytes){(const uint8_t *)"", 0};
}

bool agent_query_has(const struct agent_query *query, const char *name)
{
    return agent_query_get(query, name) != NULL;
}

size_t agent_query_count(const struct agent_query *query, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < query->count; i++)
        count += cu_bytes_equal(query->params[i].name, cu_bytes_of(name));
    return count;
}

static void escape(struct cu_buf *out, struct cu_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (isalnum(c) || (c && strchr("-_.~", c)))
            cu_buf_u8(out, c);
        else if (c == ' ')
            cu_buf_u8(out, '+');
        else
            cu_buf_printf(out, "%%%02X", c);
    }
}

/* The parameter that follows `last` in the order (name, place), or NULL. */
static const struct agent_param *next_sorted(const struct agent_query *query,
                                             const struct agent_param *last)
{
    const struct agent_param *best = NULL;
    for (const struct agent_param *p = query->params; p < query->params + query->count; p++) {
        int beyond = last ? cu_bytes_compare(p->name, last->name) : 1;
        if (beyond < 0 || (beyond == 0 && p <= last))
            continue;
        if (!best || cu_bytes_compare(p->name, best->name) < 0)
            best = p;
    }
    return best;
}

void agent_query_encode(struct cu_buf *out, const struct agent_query *query)
{
    const struct agent_param *at = next_sorted(query, NULL);
    for (bool first = true; at; at = next_sorted(query, at), first = false) {
        if (!first)
            cu_buf_u8(out, '&');
        escape(out, at->name);
        cu_buf_u8(out, '=');
        escape(out, at->value);
    }
}
