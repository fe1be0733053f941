#include "services/dnsd/core/view.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/map.h"
#include "services/dnsd/core/group.h"
#include "services/dnsd/core/reverse.h"

enum { WEIGHT_MAX = 65535 };

/* What a check says, of a node (instance NULL) or of an instance. */
struct check {
    struct dns_node *node;
    struct dns_instance *instance;
    enum dns_health health;
};

struct dns_view {
    const struct dns_zone *zone;
    struct cu_map nodes, instances, checks; /* by key */
    struct dns_groups groups;
    struct dns_reverse reverse;
    struct dns_view_counts counts; /* with a row */
};

static struct cu_bytes copy(struct cu_bytes bytes)
{
    return (struct cu_bytes){cu_memdup(bytes.data, bytes.len), bytes.len};
}

static void free_bytes(struct cu_bytes bytes)
{
    free((void *)(uintptr_t)bytes.data);
}

/* ---- nodes ---- */

static struct dns_node *node_of(struct dns_view *view, struct cu_bytes key)
{
    struct dns_node *node = cu_map_get(&view->nodes, key);
    if (!node) {
        node = cu_alloc(sizeof *node);
        node->key = copy(key);
        (void)cu_map_put(&view->nodes, key, node);
    }
    return node;
}

static void clear_node(struct dns_view *view, struct dns_node *node)
{
    if (!node->has_row)
        return;
    dns_reverse_del(&view->reverse, &node->at.plain, DNS_REVERSE_NODE, node);
    dns_endpoint_deinit(&node->at);
    for (size_t i = 0; i < node->text_count; i++)
        free_bytes(node->texts[i]);
    free(node->texts);
    node->texts = NULL;
    node->text_count = 0;
    node->has_row = false;
    view->counts.nodes--;
}

static void free_node(struct dns_view *view, struct dns_node *node)
{
    clear_node(view, node);
    free_bytes(node->key);
    free(node);
}

static bool has_checks(const uint32_t checks[DNS_HEALTH_COUNT])
{
    return checks[DNS_PASSING] || checks[DNS_WARNING] || checks[DNS_OTHER] || checks[DNS_CRITICAL];
}

static void drop_node_if_unused(struct dns_view *view, struct dns_node *node)
{
    if (node->has_row || node->first || has_checks(node->checks))
        return;
    (void)cu_map_del(&view->nodes, node->key);
    free_node(view, node);
}

static bool is_plain(const char *name)
{
    return *name &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") ==
               strlen(name);
}

static void init_endpoint(struct dns_endpoint *at, const char *address, const char *ipv4,
                          const char *ipv6)
{
    dns_address_init(&at->plain, address ? address : "");
    dns_address_init(&at->ipv4, ipv4 ? ipv4 : "");
    dns_address_init(&at->ipv6, ipv6 ? ipv6 : "");
}

static struct dns_name name_under(const char *front, const struct dns_name *end)
{
    struct dns_name name;
    if (dns_name_of_text(cu_bytes_of(front), &name) || dns_name_append(&name, end))
        name.len = 0;
    return name;
}

void dns_view_put_node(struct dns_view *view, struct cu_bytes key,
                       const struct dns_node_facts *facts)
{
    struct dns_node *node = node_of(view, key);
    clear_node(view, node);
    node->has_row = true;
    view->counts.nodes++;
    init_endpoint(&node->at, facts->address, facts->lan_ipv4, facts->lan_ipv6);
    node->name = name_under(facts->name, &view->zone->node_end);
    node->is_plain = is_plain(facts->name);
    node->texts = cu_alloc((facts->text_count + 1) * sizeof *node->texts);
    for (size_t i = 0; i < facts->text_count; i++)
        node->texts[node->text_count++] = copy(facts->texts[i]);
    dns_reverse_add(&view->reverse, &node->at.plain, DNS_REVERSE_NODE, node);
}

void dns_view_del_node(struct dns_view *view, struct cu_bytes key)
{
    struct dns_node *node = cu_map_get(&view->nodes, key);
    if (!node)
        return;
    clear_node(view, node);
    drop_node_if_unused(view, node);
}

/* ---- instances ---- */

static struct cu_bytes node_part(struct cu_bytes key)
{
    const uint8_t *nul = key.len ? memchr(key.data, 0, key.len) : NULL;
    return (struct cu_bytes){key.data, nul ? (size_t)(nul - key.data) : key.len};
}

static struct dns_instance *instance_of(struct dns_view *view, struct cu_bytes key)
{
    struct dns_instance *instance = cu_map_get(&view->instances, key);
    if (instance)
        return instance;
    instance = cu_alloc(sizeof *instance);
    instance->key = copy(key);
    struct dns_node *node = instance->node = node_of(view, node_part(key));
    instance->next = node->first;
    if (node->first)
        node->first->prev = instance;
    node->first = instance;
    (void)cu_map_put(&view->instances, key, instance);
    return instance;
}

static void clear_instance(struct dns_view *view, struct dns_instance *instance)
{
    if (!instance->has_row)
        return;
    dns_groups_leave(&view->groups, instance);
    dns_reverse_del(&view->reverse, &instance->at.plain, DNS_REVERSE_INSTANCE, instance);
    dns_endpoint_deinit(&instance->at);
    free_bytes(instance->addr_name);
    free(instance->service);
    free(instance->seats);
    instance->addr_name = (struct cu_bytes){0};
    instance->service = NULL;
    instance->seats = NULL;
    instance->has_row = false;
    view->counts.instances--;
}

static void drop_instance_if_unused(struct dns_view *view, struct dns_instance *instance)
{
    struct dns_node *node = instance->node;
    if (instance->has_row || has_checks(instance->checks))
        return;
    if (instance->prev)
        instance->prev->next = instance->next;
    else
        node->first = instance->next;
    if (instance->next)
        instance->next->prev = instance->prev;
    (void)cu_map_del(&view->instances, instance->key);
    free_bytes(instance->key);
    free(instance);
    drop_node_if_unused(view, node);
}

/* HEX.addr.DC.DOMAIN, as SRV names an address of its own (dns.md 5.3). */
static struct cu_bytes addr_name(const struct dns_zone *zone, const struct dns_address *address)
{
    static const char digits[] = "0123456789abcdef";
    char hex[2 * 16 + 1] = "";
    if (!dns_address_is_ip(address))
        return (struct cu_bytes){0};
    struct cu_bytes ip = dns_address_ip(address);
    for (size_t i = 0; i < ip.len; i++) {
        hex[2 * i] = digits[ip.data[i] >> 4];
        hex[2 * i + 1] = digits[ip.data[i] & 0xf];
    }
    struct dns_name name = name_under(hex, &zone->addr_end);
    return name.len ? copy(dns_name_bytes(&name)) : (struct cu_bytes){0};
}

static uint16_t bounded(int32_t number)
{
    return (uint16_t)(number < 0 ? 0 : number > WEIGHT_MAX ? WEIGHT_MAX : number);
}

static void join(struct dns_view *view, struct dns_instance *instance, enum dns_group_kind kind,
                 const char *service, const char *tag)
{
    uint8_t key[DNS_GROUP_KEY_BYTES];
    size_t len = dns_group_key(key, kind, cu_bytes_of(service), cu_bytes_of(tag));
    if (len)
        dns_groups_join(&view->groups, (struct cu_bytes){key, len}, instance);
}

static enum dns_health worst(const struct dns_instance *instance)
{
    int health = DNS_CRITICAL;
    while (health > DNS_PASSING && !instance->checks[health] && !instance->node->checks[health])
        health--;
    return (enum dns_health)health;
}

void dns_view_put_instance(struct dns_view *view, struct cu_bytes key,
                           const struct dns_instance_facts *facts)
{
    struct dns_instance *instance = instance_of(view, key);
    clear_instance(view, instance);
    instance->has_row = true;
    view->counts.instances++;
    init_endpoint(&instance->at, facts->address, facts->lan_ipv4, facts->lan_ipv6);
    instance->addr_name = addr_name(view->zone, dns_endpoint_pick(&instance->at, DNS_SRV));
    instance->service = cu_strdup(facts->service);
    instance->port = bounded(facts->port);
    instance->weights[DNS_PASSING] = bounded(facts->weight_passing);
    instance->weights[DNS_WARNING] = bounded(facts->weight_warning);
    instance->weights[DNS_OTHER] = 1;
    instance->health = worst(instance);
    instance->seats = cu_alloc((facts->tag_count + 2) * sizeof *instance->seats);
    join(view, instance, DNS_BY_SERVICE, facts->service, "");
    if (facts->connects_to)
        join(view, instance, DNS_BY_CONNECT, facts->connects_to, "");
    for (size_t i = 0; i < facts->tag_count; i++)
        if (*facts->tags[i])
            join(view, instance, DNS_BY_SERVICE, facts->service, facts->tags[i]);
    dns_reverse_add(&view->reverse, &instance->at.plain, DNS_REVERSE_INSTANCE, instance);
}

void dns_view_del_instance(struct dns_view *view, struct cu_bytes key)
{
    struct dns_instance *instance = cu_map_get(&view->instances, key);
    if (!instance)
        return;
    clear_instance(view, instance);
    drop_instance_if_unused(view, instance);
}

/* ---- checks ---- */

static void set_health(struct dns_node *node, struct dns_instance *instance)
{
    if (instance) {
        dns_groups_set_health(instance, worst(instance));
        return;
    }
    for (instance = node->first; instance; instance = instance->next)
        dns_groups_set_health(instance, worst(instance));
}

static uint32_t *tally(const struct check *check)
{
    return check->instance ? check->instance->checks : check->node->checks;
}

static void drop_check(struct dns_view *view, struct check *check)
{
    tally(check)[check->health]--;
    set_health(check->node, check->instance);
    if (check->instance)
        drop_instance_if_unused(view, check->instance);
    else
        drop_node_if_unused(view, check->node);
    free(check);
}

/* node NUL id, as the key of the instance that a check names. */
static struct dns_instance *checked_instance(struct dns_view *view, struct cu_bytes node,
                                             struct cu_bytes id)
{
    uint8_t *key = cu_alloc(node.len + 1 + id.len);
    memcpy(key, node.data, node.len);
    for (size_t i = 0; i < id.len; i++)
        key[node.len + 1 + i] =
            id.data[i] >= 'A' && id.data[i] <= 'Z' ? (uint8_t)(id.data[i] + 'a' - 'A') : id.data[i];
    struct dns_instance *instance =
        instance_of(view, (struct cu_bytes){key, node.len + 1 + id.len});
    free(key);
    return instance;
}

void dns_view_put_check(struct dns_view *view, struct cu_bytes key, struct cu_bytes service_id,
                        enum dns_health health)
{
    struct cu_bytes node_key = node_part(key);
    struct check *check = cu_alloc(sizeof *check);
    check->node = node_of(view, node_key);
    check->instance = service_id.len ? checked_instance(view, node_key, service_id) : NULL;
    check->health = health;
    tally(check)[health]++;
    set_health(check->node, check->instance);
    struct check *before = cu_map_put(&view->checks, key, check);
    if (before)
        drop_check(view, before); /* after it is counted anew: nothing goes and comes back */
}

void dns_view_del_check(struct dns_view *view, struct cu_bytes key)
{
    struct check *check = cu_map_del(&view->checks, key);
    if (check)
        drop_check(view, check);
}

/* ---- the whole ---- */

struct dns_view *dns_view_new(const struct dns_zone *zone)
{
    struct dns_view *view = cu_alloc(sizeof *view);
    view->zone = zone;
    return view;
}

static void free_all_checks(struct dns_view *view)
{
    size_t at = 0;
    struct cu_bytes key;
    void *check;
    while (cu_map_next(&view->checks, &at, &key, &check))
        free(check);
    cu_map_deinit(&view->checks);
}

void dns_view_free(struct dns_view *view)
{
    size_t at = 0;
    struct cu_bytes key;
    void *value;
    if (!view)
        return;
    free_all_checks(view);
    while (cu_map_next(&view->instances, &at, &key, &value)) {
        struct dns_instance *instance = value;
        clear_instance(view, instance);
        free_bytes(instance->key);
        free(instance);
    }
    cu_map_deinit(&view->instances);
    at = 0;
    while (cu_map_next(&view->nodes, &at, &key, &value))
        free_node(view, value);
    cu_map_deinit(&view->nodes);
    dns_groups_deinit(&view->groups);
    dns_reverse_deinit(&view->reverse);
    free(view);
}

const struct dns_node *dns_view_node(const struct dns_view *view, struct cu_bytes name)
{
    const struct dns_node *node = cu_map_get(&view->nodes, name);
    return node && node->has_row ? node : NULL;
}

const struct dns_group *dns_view_group(const struct dns_view *view, enum dns_group_kind kind,
                                       struct cu_bytes service, struct cu_bytes tag)
{
    uint8_t key[DNS_GROUP_KEY_BYTES];
    size_t len = dns_group_key(key, kind, service, tag);
    return len ? dns_groups_find(&view->groups, (struct cu_bytes){key, len}) : NULL;
}

void dns_view_reverse(const struct dns_view *view, struct cu_bytes ip,
                      const struct dns_node **ret_node, const struct dns_instance **ret_instance)
{
    dns_reverse_find(&view->reverse, ip, ret_node, ret_instance);
}

struct dns_view_counts dns_view_counts(const struct dns_view *view)
{
    struct dns_view_counts counts = view->counts;
    counts.checks = view->checks.count;
    return counts;
}
