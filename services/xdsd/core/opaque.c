#include "services/xdsd/core/opaque.h"

#include <string.h>
#include <strings.h>

#include "common/base/num.h"
#include "common/json/scan.h"

enum { NS_PER_MS = 1000000 };

/* What a value is read as, and where it goes. */
enum kind { TEXT, NUMBER, DURATION_MS, BLOCK };

struct row {
    const char *name;
    enum kind kind;
    void *to;
    const struct row *block; /* of BLOCK: ended by a row without a name */
    bool *is_there;          /* of BLOCK: set when it is an object */
};

static struct cu_bytes unwrapped(struct cu_bytes value)
{
    struct cu_bytes only, more;
    if (cu_json_kind(value) != CU_JSON_KIND_ARRAY)
        return value;
    struct cu_json_walk walk = cu_json_walk(value);
    if (!cu_json_next_element(&walk, &only) || cu_json_next_element(&walk, &more))
        return value;
    return only;
}

/* The characters of a text or number; NULL: it is neither. */
static const char *characters(struct cu_bytes value, struct cu_arena *arena)
{
    struct cu_bytes text = value;
    enum cu_json_kind kind = cu_json_kind(value);
    if (kind == CU_JSON_KIND_STRING ? cu_json_unquote(value, arena, &text) != CU_OK
                                    : kind != CU_JSON_KIND_NUMBER)
        return NULL;
    if (text.len && memchr(text.data, 0, text.len))
        return NULL;
    return cu_arena_printf(arena, "%.*s", (int)text.len, (const char *)text.data);
}

static void set_number(const char *text, struct xds_number *to)
{
    uint64_t value;
    if (!cu_parse_u64(text, strlen(text), &value) && value <= UINT32_MAX)
        *to = (struct xds_number){true, (uint32_t)value};
}

/* "10s", or a number of nanoseconds, as Go reads a duration. */
static void set_duration(const char *text, uint64_t *to_ms)
{
    int64_t ns;
    struct cu_diag diag;
    bool good = !cu_parse_i64(text, strlen(text), &ns) || !cu_parse_duration_ns(text, &ns, &diag);
    if (good && ns >= NS_PER_MS)
        *to_ms = (uint64_t)(ns / NS_PER_MS);
}

static void read_block(struct cu_bytes object, struct cu_arena *arena, const struct row *rows);

static void read_value(struct cu_bytes value, struct cu_arena *arena, const struct row *row)
{
    if (row->kind == BLOCK) {
        if (cu_json_kind(value) != CU_JSON_KIND_OBJECT)
            return;
        if (row->is_there)
            *row->is_there = true;
        read_block(value, arena, row->block);
        return;
    }
    const char *text = characters(value, arena);
    if (!text)
        return;
    if (row->kind == TEXT && *text)
        *(const char **)row->to = text;
    else if (row->kind == NUMBER)
        set_number(text, row->to);
    else if (row->kind == DURATION_MS)
        set_duration(text, row->to);
}

static void read_block(struct cu_bytes object, struct cu_arena *arena, const struct row *rows)
{
    struct cu_json_walk walk = cu_json_walk(object);
    struct cu_bytes quoted, value;
    while (cu_json_next_member(&walk, &quoted, &value)) {
        const char *name = characters(quoted, arena);
        for (const struct row *row = rows; name && row->name; row++)
            if (strcasecmp(row->name, name) == 0)
                read_value(unwrapped(value), arena, row);
    }
}

static void read_all(struct cu_bytes json, struct cu_arena *arena, const struct row *rows)
{
    struct cu_bytes object;
    struct cu_diag diag;
    if (json.len && !cu_json_check(json, &object, &diag) &&
        cu_json_kind(object) == CU_JSON_KIND_OBJECT)
        read_block(object, arena, rows);
}

void xds_read_proxy_keys(struct cu_bytes json, struct cu_arena *arena, struct xds_proxy_keys *keys)
{
    const struct row rows[] = {
        {.name = "protocol", .kind = TEXT, .to = &keys->protocol},
        {.name = "bind_address", .kind = TEXT, .to = &keys->bind_address},
        {.name = "bind_port", .kind = NUMBER, .to = &keys->bind_port},
        {.name = "local_connect_timeout_ms", .kind = NUMBER, .to = &keys->local_connect_timeout_ms},
        {0},
    };
    read_all(json, arena, rows);
}

void xds_read_upstream_keys(struct cu_bytes json, struct cu_arena *arena,
                            struct xds_upstream *upstream, const char **ret_protocol)
{
    struct xds_number timeout_ms = {0};
    const struct row limits[] = {
        {.name = "max_connections", .kind = NUMBER, .to = &upstream->limits.max_connections},
        {.name = "max_pending_requests",
         .kind = NUMBER,
         .to = &upstream->limits.max_pending_requests},
        {.name = "max_concurrent_requests",
         .kind = NUMBER,
         .to = &upstream->limits.max_concurrent_requests},
        {0},
    };
    const struct row passive[] = {
        {.name = "interval",
         .kind = DURATION_MS,
         .to = &upstream->passive_health_check.interval_ms},
        {.name = "max_failures",
         .kind = NUMBER,
         .to = &upstream->passive_health_check.max_failures},
        {.name = "enforcing_consecutive_5xx",
         .kind = NUMBER,
         .to = &upstream->passive_health_check.enforcing_consecutive_5xx},
        {.name = "max_ejection_percent",
         .kind = NUMBER,
         .to = &upstream->passive_health_check.max_ejection_percent},
        {.name = "base_ejection_time",
         .kind = DURATION_MS,
         .to = &upstream->passive_health_check.base_ejection_time_ms},
        {0},
    };
    const struct row rows[] = {
        {.name = "protocol", .kind = TEXT, .to = ret_protocol},
        {.name = "connect_timeout_ms", .kind = NUMBER, .to = &timeout_ms},
        {.name = "limits", .kind = BLOCK, .block = limits},
        {.name = "passive_health_check",
         .kind = BLOCK,
         .block = passive,
         .is_there = &upstream->passive_health_check.is_set},
        {0},
    };
    read_all(json, arena, rows);
    if (timeout_ms.value > 0)
        upstream->connect_timeout_ms = timeout_ms.value;
}
