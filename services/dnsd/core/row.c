#include "services/dnsd/core/row.h"

#include <string.h>
#include <strings.h>

#include "curia/v1/catalog.pb-c.h"

const char *const dns_topics[DNS_TOPIC_COUNT] = {"nodes", "services", "checks"};

/* What is behind partition NUL namespace NUL. */
static bool user_part(struct cu_bytes key, struct cu_bytes *ret_user)
{
    for (int part = 0; part < 2; part++) {
        const uint8_t *nul = key.len ? memchr(key.data, 0, key.len) : NULL;
        if (!nul)
            return false;
        key.len -= (size_t)(nul + 1 - key.data);
        key.data = nul + 1;
    }
    *ret_user = key;
    return key.len > 0;
}

/* ---- TXT (RFC 1464) ---- */

static void escape_key(struct cu_buf *out, const char *key)
{
    size_t len = strlen(key), front = strspn(key, " "), back = len;
    while (back > front && key[back - 1] == ' ')
        back--;
    for (size_t i = 0; i < len; i++) {
        if (key[i] == '`' || key[i] == '=' || (key[i] == ' ' && (i < front || i >= back)))
            cu_buf_u8(out, '`');
        cu_buf_u8(out, (uint8_t)key[i]);
    }
}

static void escape_value(struct cu_buf *out, const char *value)
{
    for (; *value; value++) {
        if (*value == '`')
            cu_buf_u8(out, '`');
        cu_buf_u8(out, (uint8_t)*value);
    }
}

struct cu_bytes dns_row_text(struct cu_arena *arena, const char *key, const char *value)
{
    static const char bare[] = "rfc1035-"; /* the value alone is the text */
    struct cu_buf text = {0};
    if (!strncasecmp(key, bare, sizeof bare - 1)) {
        cu_buf_text(&text, value);
    } else {
        escape_key(&text, key);
        cu_buf_u8(&text, '=');
        escape_value(&text, value);
    }
    struct cu_bytes result = {cu_arena_memdup(arena, text.data, text.len), text.len};
    cu_buf_deinit(&text);
    return result;
}

/* ---- nodes ---- */

static const char *tagged(const Curia__V1__StringMap *map, const char *tag)
{
    for (size_t i = 0; map && i < map->n_entries; i++)
        if (!strcmp(map->entries[i]->key, tag))
            return map->entries[i]->value;
    return NULL;
}

static enum cu_err put_node(struct dns_view *view, struct cu_bytes key, struct cu_bytes row,
                            struct cu_arena *arena)
{
    Curia__V1__Node *node = curia__v1__node__unpack(cu_arena_allocator(arena), row.len, row.data);
    if (!node)
        return CU_E_INVALID;
    size_t count = node->meta ? node->meta->n_entries : 0;
    struct dns_node_facts facts = {.name = node->node,
                                   .address = node->address,
                                   .lan_ipv4 = tagged(node->tagged_addresses, "lan_ipv4"),
                                   .lan_ipv6 = tagged(node->tagged_addresses, "lan_ipv6"),
                                   .texts = cu_arena_alloc(arena, (count + 1) * sizeof key)};
    for (size_t i = 0; facts.texts && i < count; i++) {
        struct cu_bytes text =
            dns_row_text(arena, node->meta->entries[i]->key, node->meta->entries[i]->value);
        if (!text.data)
            return CU_E_INVALID;
        facts.texts[facts.text_count++] = text;
    }
    if (!facts.texts)
        return CU_E_INVALID;
    dns_view_put_node(view, key, &facts);
    return CU_OK;
}

/* ---- services ---- */

static const char *service_tagged(const Curia__V1__ServiceAddresses *map, const char *tag)
{
    for (size_t i = 0; map && i < map->n_entries; i++)
        if (!strcmp(map->entries[i]->key, tag) && map->entries[i]->value)
            return map->entries[i]->value->address;
    return NULL;
}

/* The service that `.connect` finds this instance under (dns.md 4). */
static const char *connects_to(const Curia__V1__Service *service)
{
    if (!strcmp(service->kind, "connect-proxy") && service->proxy &&
        *service->proxy->destination_service_name)
        return service->proxy->destination_service_name;
    return service->connect && service->connect->native ? service->service : NULL;
}

static enum cu_err put_service(struct dns_view *view, struct cu_bytes key, struct cu_bytes row,
                               struct cu_arena *arena)
{
    Curia__V1__Service *service =
        curia__v1__service__unpack(cu_arena_allocator(arena), row.len, row.data);
    if (!service || !memchr(key.data, 0, key.len))
        return CU_E_INVALID;
    dns_view_put_instance(view, key,
                          &(struct dns_instance_facts){
                              .service = service->service,
                              .address = service->address,
                              .lan_ipv4 = service_tagged(service->tagged_addresses, "lan_ipv4"),
                              .lan_ipv6 = service_tagged(service->tagged_addresses, "lan_ipv6"),
                              .port = service->port,
                              .weight_passing = service->weights ? service->weights->passing : 1,
                              .weight_warning = service->weights ? service->weights->warning : 1,
                              .connects_to = connects_to(service),
                              .tags = (const char *const *)service->tags,
                              .tag_count = service->n_tags});
    return CU_OK;
}

/* ---- checks ---- */

static enum dns_health health_of(const char *status)
{
    static const char *const words[DNS_HEALTH_COUNT] = {
        [DNS_PASSING] = "passing", [DNS_WARNING] = "warning", [DNS_CRITICAL] = "critical"};
    for (int health = 0; health < DNS_HEALTH_COUNT; health++)
        if (words[health] && !strcmp(words[health], status))
            return (enum dns_health)health;
    return DNS_OTHER;
}

static enum cu_err put_check(struct dns_view *view, struct cu_bytes key, struct cu_bytes row,
                             struct cu_arena *arena)
{
    Curia__V1__Check *check =
        curia__v1__check__unpack(cu_arena_allocator(arena), row.len, row.data);
    if (!check || !memchr(key.data, 0, key.len))
        return CU_E_INVALID;
    dns_view_put_check(view, key, cu_bytes_of(check->service_id), health_of(check->status));
    return CU_OK;
}

/* ---- all of them ---- */

static const struct {
    enum cu_err (*put)(struct dns_view *view, struct cu_bytes key, struct cu_bytes row,
                       struct cu_arena *arena);
    void (*del)(struct dns_view *view, struct cu_bytes key);
} topics[DNS_TOPIC_COUNT] = {
    [DNS_NODES] = {put_node, dns_view_del_node},
    [DNS_SERVICES] = {put_service, dns_view_del_instance},
    [DNS_CHECKS] = {put_check, dns_view_del_check},
};

enum cu_err dns_row_put(struct dns_view *view, enum dns_topic topic, struct cu_bytes key,
                        struct cu_bytes row, struct cu_arena *arena)
{
    struct cu_bytes user;
    if (!user_part(key, &user))
        return CU_E_INVALID;
    cu_arena_reset(arena);
    enum cu_err err = topics[topic].put(view, user, row, arena);
    if (err)
        topics[topic].del(view, user); /* what it was before is not true any more */
    return err;
}

void dns_row_del(struct dns_view *view, enum dns_topic topic, struct cu_bytes key)
{
    struct cu_bytes user;
    if (user_part(key, &user))
        topics[topic].del(view, user);
}
