#include "services/agentd/core/params.h"

#include <string.h>

#include "curia/v1/catalog.pb-c.h"

/* Entries of all maps of strings lie alike. */
typedef Curia__V1__ListNodesRequest__NodeMetaEntry meta_entry;

struct binding {
    const struct agent_params *params;
    const struct agent_asked *asked;
    struct cu_arena *arena;
    uint8_t *request;
    bool is_full;
};

static char *text(struct binding *b, struct cu_bytes from)
{
    char *copy = cu_arena_alloc(b->arena, from.len + 1);
    if (!copy)
        b->is_full = true;
    else if (from.len)
        memcpy(copy, from.data, from.len);
    return copy;
}

static void set_text(struct binding *b, size_t offset, struct cu_bytes from)
{
    char *copy = from.len ? text(b, from) : NULL;
    if (copy)
        memcpy(b->request + offset, &copy, sizeof(char *));
}

static void set_list(struct binding *b, size_t offset, size_t count_offset, const void *list,
                     size_t count)
{
    memcpy(b->request + offset, &list, sizeof(void *));
    memcpy(b->request + count_offset, &count, sizeof(size_t));
}

static void bind_near(struct binding *b)
{
    struct cu_bytes near = agent_query_value(b->asked->query, "near");
    if (cu_bytes_equal(near, cu_bytes_of("_agent")))
        near = cu_bytes_of(b->asked->node_name);
    set_text(b, b->params->near, near);
}

static void bind_tags(struct binding *b)
{
    const struct agent_query *query = b->asked->query;
    size_t count = agent_query_count(query, "tag"), n = 0;
    if (count == 0)
        return;
    char **tags = cu_arena_alloc(b->arena, count * sizeof(char *));
    for (size_t i = 0; i < query->count && tags; i++)
        if (cu_bytes_equal(query->params[i].name, cu_bytes_of("tag")))
            tags[n++] = text(b, query->params[i].value);
    if (tags)
        set_list(b, b->params->tags, b->params->n_tags, tags, n);
    else
        b->is_full = true;
}

/* "key:value", or a key whose value is empty. */
static void read_meta(struct binding *b, struct cu_bytes pair, meta_entry *entry)
{
    const uint8_t *colon = pair.len ? memchr(pair.data, ':', pair.len) : NULL;
    size_t key_len = colon ? (size_t)(colon - pair.data) : pair.len;
    struct cu_bytes value = {colon ? colon + 1 : NULL, colon ? pair.len - key_len - 1 : 0};
    entry->key = text(b, (struct cu_bytes){pair.data, key_len});
    entry->value = text(b, value);
}

/* Keeps the list sorted and each key once, so that equal questions are the same bytes. */
static size_t insert_meta(meta_entry **list, size_t count, meta_entry *entry)
{
    size_t at = count;
    while (at > 0 && strcmp(list[at - 1]->key, entry->key) > 0)
        at--;
    if (at > 0 && strcmp(list[at - 1]->key, entry->key) == 0) {
        list[at - 1] = entry;
        return count;
    }
    memmove(list + at + 1, list + at, (count - at) * sizeof *list);
    list[at] = entry;
    return count + 1;
}

static void bind_meta(struct binding *b)
{
    const struct agent_query *query = b->asked->query;
    size_t count = agent_query_count(query, "node-meta"), n = 0;
    if (count == 0)
        return;
    meta_entry **list = cu_arena_alloc(b->arena, count * sizeof(void *));
    b->is_full |= !list;
    for (size_t i = 0; i < query->count && !b->is_full; i++) {
        if (!cu_bytes_equal(query->params[i].name, cu_bytes_of("node-meta")))
            continue;
        meta_entry *entry = cu_arena_alloc(b->arena, sizeof *entry);
        b->is_full |= !entry;
        if (!entry)
            return;
        protobuf_c_message_init(b->params->meta_entry, entry);
        read_meta(b, query->params[i].value, entry);
        if (!b->is_full)
            n = insert_meta(list, n, entry);
    }
    if (!b->is_full)
        set_list(b, b->params->meta, b->params->n_meta, list, n);
}

bool agent_bool_parse(struct cu_bytes value, bool *ret_value)
{
    static const struct {
        const char *text;
        bool value;
    } words[] = {{"1", true},    {"t", true},      {"T", true},      {"TRUE", true},
                 {"true", true}, {"True", true},   {"0", false},     {"f", false},
                 {"F", false},   {"FALSE", false}, {"false", false}, {"False", false}};
    for (size_t i = 0; i < CU_COUNT(words); i++)
        if (cu_bytes_equal(value, cu_bytes_of(words[i].text))) {
            *ret_value = words[i].value;
            return true;
        }
    return false;
}

static bool bind_passing(struct binding *b)
{
    protobuf_c_boolean set;
    bool passing = true;
    const struct cu_bytes *value = agent_query_get(b->asked->query, "passing");
    if (!value)
        return true;
    if (value->len && !agent_bool_parse(*value, &passing))
        return false;
    set = passing;
    memcpy(b->request + b->params->passing, &set, sizeof set);
    return true;
}

ProtobufCMessage *agent_params_bind(const struct agent_params *params,
                                    const struct agent_asked *asked, struct cu_arena *arena,
                                    bool *ret_bad_passing)
{
    const protobuf_c_boolean yes = true;
    struct binding b = {params, asked, arena, NULL, false};
    b.request = cu_arena_alloc(arena, params->request->sizeof_message);
    if (!b.request)
        return NULL;
    protobuf_c_message_init(params->request, b.request);
    if (params->tail)
        set_text(&b, params->tail, asked->tail);
    if (params->near)
        bind_near(&b);
    if (params->filter)
        set_text(&b, params->filter, agent_query_value(asked->query, "filter"));
    if (params->meta)
        bind_meta(&b);
    if (params->tags)
        bind_tags(&b);
    *ret_bad_passing = params->passing && !bind_passing(&b);
    if (params->flag)
        memcpy(b.request + params->flag, &yes, sizeof yes);
    return b.is_full ? NULL : (ProtobufCMessage *)b.request;
}
