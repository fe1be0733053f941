/* Answers about a service: which instances, in which order, and how many there is room for
 * (dns.md 4.2, 5.2, 5.3, 7). */
#include <string.h>

#include "common/base/hash.h"
#include "services/dnsd/core/hosts.h"
#include "services/dnsd/core/reply.h"

enum {
    UDP_ANSWERS_MAX = 8, /* without EDNS */
    TCP_ANSWERS_MAX = 4096,
    TCP_SRV_MAX = 1024,
    TCP_BYTES = 65523,
    SPARE_BYTES = 7, /* of the size that the client names */
    SRV_BYTES = 6,   /* in front of the target */
    POINTER_BYTES = 2,
    LEAST_ANSWER_BYTES = POINTER_BYTES + DNS_RR_BYTES + 4,
};
_Static_assert((int)TCP_ANSWERS_MAX < (int)DNS_ITEMS_MAX,
               "one more is gathered, to know if there is more");

struct service {
    struct dns_reply *r;
    struct dns_scratch *scratch;
    const struct dns_group *group;
    unsigned type;
    uint32_t ttl_s;
    size_t room;                    /* answers that may be told; one more is gathered */
    const struct dns_address *host; /* the first address that is a name */
};

/* ---- which instances ---- */

static uint64_t hash_of(const void *data, size_t len, uint64_t seed)
{
    return cu_table_hash(data, len) ^ seed * 0x9e3779b97f4a7c15u;
}

static bool same_address(const struct dns_item *a, const struct dns_item *b)
{
    return dns_address_equal(a->address, b->address);
}

static bool same_instance(const struct dns_item *a, const struct dns_item *b)
{
    return a->instance->node == b->instance->node && a->instance->port == b->instance->port &&
           dns_address_equal(&a->instance->at.plain, &b->instance->at.plain);
}

static bool same_target(const struct dns_item *a, const struct dns_item *b)
{
    return cu_bytes_equal(a->target, b->target);
}

static bool same_node(const struct dns_item *a, const struct dns_item *b)
{
    return a->instance->node == b->instance->node;
}

/* Its own address, else its node's. A service that is called by its own name would lead in a
 * circle: then the node's, too (dns.md 5.2). */
static const struct dns_address *address_of(const struct service *s,
                                            const struct dns_instance *instance)
{
    const struct dns_address *own = dns_endpoint_pick(&instance->at, s->type);
    const struct dns_address *of_node = dns_endpoint_pick(&instance->node->at, s->type);
    if (own->kind == DNS_NO_ADDRESS)
        return of_node;
    bool is_circle = own->kind == DNS_HOST_NAME && dns_address_is_ip(of_node) &&
                     cu_bytes_equal(own->name, s->r->question.name);
    return is_circle && s->type != DNS_SRV ? of_node : own;
}

static struct cu_bytes target_of(const struct dns_item *item)
{
    const struct dns_instance *instance = item->instance;
    if (item->address->kind == DNS_HOST_NAME)
        return item->address->name;
    if (item->address == dns_endpoint_pick(&instance->node->at, DNS_SRV))
        return dns_name_bytes(&instance->node->name);
    return instance->addr_name;
}

static void gather_srv(struct service *s, struct dns_item *item)
{
    size_t index = s->scratch->count;
    item->target = target_of(item);
    if (item->target.len == 0)
        return; /* its node's name makes no domain name */
    uint64_t node = hash_of(&item->instance->node, sizeof item->instance->node, 1);
    if (dns_scratch_seen(s->scratch, DNS_SEEN_ITEM, node ^ item->instance->port, same_instance,
                         item, index))
        return;
    item->is_new_target = !dns_scratch_seen(s->scratch, DNS_SEEN_TARGET,
                                            hash_of(item->target.data, item->target.len, 2),
                                            same_target, item, index);
    item->is_new_node = !dns_scratch_seen(s->scratch, DNS_SEEN_NODE, node, same_node, item, index);
    s->scratch->count++;
}

static void gather_address(struct service *s, struct dns_item *item)
{
    if (item->address->kind == DNS_HOST_NAME && !s->host)
        s->host = item->address;
    if (!dns_address_suits(item->address, s->type))
        return;
    struct cu_bytes ip = dns_address_ip(item->address);
    if (!dns_scratch_seen(s->scratch, DNS_SEEN_ITEM, hash_of(ip.data, ip.len, 3), same_address,
                          item, s->scratch->count))
        s->scratch->count++;
}

/* Instances in random order, each answer once, until there is one more than there is room for. */
static void gather(struct service *s, uint32_t healthy)
{
    const struct dns_settings *settings = s->r->ask->settings;
    struct cu_random random = s->r->ask->random;
    uint32_t index;
    size_t most = s->room + 1;
    if (s->type != DNS_SRV && settings->a_record_limit && settings->a_record_limit < most)
        most = settings->a_record_limit;
    dns_scratch_begin(s->scratch, most);
    dns_scratch_shuffle(s->scratch, healthy);
    while (s->scratch->count < most && dns_scratch_draw(s->scratch, &random, &index)) {
        struct dns_item *item = &s->scratch->items[s->scratch->count];
        const struct dns_instance *instance = s->group->members[index].instance;
        if (!instance->node->has_row)
            continue;
        *item = (struct dns_item){.instance = instance, .address = address_of(s, instance)};
        if (item->address->kind == DNS_NO_ADDRESS)
            continue;
        if (s->type == DNS_SRV)
            gather_srv(s, item);
        else
            gather_address(s, item);
    }
}

/* Of a host CNAME, A and AAAA are told, so many without EDNS (dns.md 12.2). */
static bool keep_of_host(const struct dns_ask *ask, const struct dns_record *record, size_t kept)
{
    return record->type != DNS_TXT && (ask->query->has_edns || kept < DNS_CHASED_WITHOUT_EDNS);
}

static size_t keep_records(const struct dns_ask *ask, struct dns_record *records, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (keep_of_host(ask, &records[i], kept))
            records[kept++] = records[i];
    return kept;
}

static void find_hosts(struct service *s)
{
    for (size_t i = 0; i < s->scratch->count; i++) {
        struct dns_item *item = &s->scratch->items[i];
        size_t count = 0;
        if (item->address->kind != DNS_HOST_NAME || !item->is_new_target)
            continue;
        dns_host_records(s->r->ask, item->address->name, &item->chain, &count);
        item->chain_count =
            (uint32_t)keep_records(s->r->ask, (struct dns_record *)(uintptr_t)item->chain, count);
    }
}

/* ---- what is written of them ---- */

static void put_texts(struct service *s, const struct dns_node *node)
{
    const struct dns_owner owner = {dns_name_bytes(&node->name), 0};
    for (size_t i = 0; node->name.len && i < node->text_count; i++)
        dns_put_txt(s->r->w, &owner, s->ttl_s, node->texts[i]);
}

/* When something is cut, one address a target is kept, and the CNAMEs that lead to it. */
static void put_chain(struct service *s, const struct dns_item *item, bool is_cut)
{
    for (uint32_t i = 0; i < item->chain_count; i++) {
        const struct dns_record *record = &item->chain[i];
        const struct dns_owner owner = {record->owner, 0};
        dns_reply_put(s->r, &owner, record, s->ttl_s);
        if (is_cut && record->type != DNS_CNAME)
            return;
    }
}

static void put_additional(struct service *s, const struct dns_item *item, bool is_cut)
{
    const struct dns_owner target = {item->target, item->target_at};
    if (item->is_new_target && dns_address_is_ip(item->address))
        dns_put_address(s->r->w, &target, s->ttl_s, dns_address_ip(item->address));
    else if (item->is_new_target)
        put_chain(s, item, is_cut);
    if (!is_cut && item->is_new_node && s->r->ask->settings->adds_node_meta)
        put_texts(s, item->instance->node);
}

static void put_answer(struct service *s, struct dns_item *item)
{
    const struct dns_instance *instance = item->instance;
    if (s->type != DNS_SRV) {
        dns_put_address(s->r->w, &s->r->question, s->ttl_s, dns_address_ip(item->address));
        return;
    }
    struct dns_owner target = dns_put_srv(
        s->r->w, &s->r->question, s->ttl_s,
        &(struct dns_srv){instance->weights[instance->health], instance->port, item->target});
    item->target_at = target.at;
}

/* The first `count` answers; false: there is no room for them. */
static bool put_all(struct service *s, size_t count, bool is_cut)
{
    dns_writer_rewind(s->r->w, &s->r->start);
    dns_put_section(s->r->w, DNS_ANSWER);
    for (size_t i = 0; i < count; i++)
        put_answer(s, &s->scratch->items[i]);
    dns_put_section(s->r->w, DNS_ADDITIONAL);
    for (size_t i = 0; s->type == DNS_SRV && i < count; i++)
        put_additional(s, &s->scratch->items[i], is_cut);
    return !s->r->w->failed;
}

/* ---- how many there is room for ---- */

static size_t record_bytes(struct cu_bytes owner, size_t data, bool is_compressed)
{
    return (is_compressed ? POINTER_BYTES : owner.len) + DNS_RR_BYTES + data;
}

static size_t chain_bytes(const struct dns_item *item, bool is_compressed)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < item->chain_count; i++) {
        const struct dns_record *record = &item->chain[i];
        bytes += record_bytes(record->owner, record->data.len, is_compressed);
        if (record->type != DNS_CNAME)
            break;
    }
    return bytes;
}

/* What an item takes when something is cut; compressed, about. */
static size_t item_bytes(const struct service *s, const struct dns_item *item, bool is_compressed)
{
    struct cu_bytes question = s->r->question.name;
    if (s->type != DNS_SRV)
        return record_bytes(question, dns_address_ip(item->address).len, is_compressed);
    size_t bytes = record_bytes(question, SRV_BYTES + item->target.len, is_compressed);
    if (!item->is_new_target)
        return bytes;
    if (!dns_address_is_ip(item->address))
        return bytes + chain_bytes(item, is_compressed);
    return bytes + record_bytes(item->target, dns_address_ip(item->address).len, is_compressed);
}

static size_t fitting(const struct service *s, size_t most, bool is_compressed)
{
    size_t bytes = s->r->start.len, count = 0;
    while (count < most) {
        bytes += item_bytes(s, &s->scratch->items[count], is_compressed);
        if (bytes > s->r->w->limit)
            break;
        count++;
    }
    return count ? count : 1;
}

/* The most of [1, count] that there is room for: by halves, when the estimate was too good. */
static bool put_most(struct service *s, size_t count)
{
    size_t good = 0;
    if (put_all(s, count, true))
        return true;
    for (size_t bad = count; good + 1 < bad;) {
        size_t middle = (good + bad) / 2;
        if (put_all(s, middle, true))
            good = middle;
        else
            bad = middle;
    }
    return good > 0 && put_all(s, good, true);
}

/* One answer is told even if it is too long by itself; of what belongs to it what there is room
 * for. */
static void put_one(struct service *s)
{
    struct dns_writer *w = s->r->w;
    size_t limit = w->limit;
    struct dns_item *item = &s->scratch->items[0];
    dns_writer_rewind(w, &s->r->start);
    if (limit < DNS_ROOM_BYTES)
        dns_writer_set_limit(w, DNS_ROOM_BYTES);
    dns_put_section(w, DNS_ANSWER);
    put_answer(s, item);
    dns_put_section(w, DNS_ADDITIONAL);
    if (w->len < limit)
        dns_writer_set_limit(w, limit);
    struct dns_mark mark = dns_writer_mark(w);
    put_additional(s, item, true);
    if (w->failed)
        dns_writer_rewind(w, &mark);
}

/* The rules of dns.md 7, steps 2 to 4. */
static void put_fitting(struct service *s, bool is_small)
{
    size_t gathered = s->scratch->count;
    bool is_over = gathered > s->room;
    size_t most = is_over ? s->room : gathered;
    if (!is_over && put_all(s, most, false))
        return;
    if (!is_over && most > 1)
        most--;
    /* Where the small limit has cut, the reference measures without compression. */
    bool is_compressed = s->r->ask->settings->compresses && !(is_small && is_over);
    most = fitting(s, most, is_compressed);
    if (!put_most(s, most)) {
        put_one(s);
        most = 1;
    }
    s->r->is_cut = most < gathered;
}

/* No address at all: the first instance's host. */
static void put_host(struct service *s)
{
    const struct dns_ask *ask = s->r->ask;
    const struct dns_record *chain;
    size_t count, told = 1;
    const struct dns_record cname = {s->r->question.name, DNS_CNAME, 0, s->host->name};
    dns_host_records(ask, s->host->name, &chain, &count);
    count = keep_records(ask, (struct dns_record *)(uintptr_t)chain, count);
    dns_put_section(s->r->w, DNS_ANSWER);
    dns_reply_put(s->r, &s->r->question, &cname, s->ttl_s);
    while (told <= count && told < s->room) {
        const struct dns_owner owner = {chain[told - 1].owner, 0};
        if (!dns_reply_record(s->r, &owner, &chain[told - 1], s->ttl_s))
            break;
        told++;
    }
    s->r->is_cut = told <= count;
}

/* ---- the whole ---- */

static size_t room_of(const struct dns_ask *ask, unsigned type, bool is_small)
{
    uint32_t limit = ask->settings->udp_answer_limit;
    if (ask->transport == DNS_OVER_TCP)
        return type == DNS_SRV ? TCP_SRV_MAX : TCP_ANSWERS_MAX;
    if (is_small)
        return limit && limit < UDP_ANSWERS_MAX ? limit : UDP_ANSWERS_MAX;
    return dns_ask_max_bytes(ask->query, DNS_OVER_UDP) / LEAST_ANSWER_BYTES;
}

static void put_service(struct service *s, uint32_t healthy)
{
    const struct dns_ask *ask = s->r->ask;
    bool is_small = dns_ask_max_bytes(ask->query, ask->transport) == DNS_UDP_BYTES;
    s->room = room_of(ask, s->type, is_small);
    size_t spare = ask->transport == DNS_OVER_UDP ? SPARE_BYTES : DNS_MESSAGE_BYTES - TCP_BYTES;
    dns_writer_set_limit(s->r->w, s->r->max_bytes - spare);
    gather(s, healthy);
    if (s->type == DNS_SRV)
        find_hosts(s);
    if (s->scratch->count > 0)
        put_fitting(s, is_small);
    else if (s->host)
        put_host(s);
    else
        dns_reply_no_data(s->r);
    s->r->sets_tc = s->r->is_cut && ask->settings->truncates;
}

void dns_reply_service(struct dns_reply *r, enum dns_group_kind kind)
{
    const struct dns_ask *ask = r->ask;
    if (dns_reply_is_local(r) && !ask->view) {
        r->rcode = DNS_SERVFAIL;
        return;
    }
    struct service s = {.r = r, .scratch = ask->scratch, .type = ask->query->type};
    if (dns_reply_is_local(r))
        s.group = dns_view_group(ask->view, kind, r->form.name, r->form.tag);
    uint32_t healthy = s.group ? dns_group_healthy(s.group, ask->settings->only_passing) : 0;
    s.ttl_s = dns_settings_ttl(ask->settings, r->form.name);
    if (healthy > 0)
        put_service(&s, healthy);
    else
        dns_reply_no_name(r);
}
