#include "services/dnsd/core/writer.h"

#include <string.h>

#include "common/base/assert.h"

enum { SRV_PRIORITY = 1, TEXT_BYTES = 255, POINTER_BITS = 0xc000, SUBNET_BYTES = 4 };

/* ---- bytes ---- */

/* Room for `len` bytes at the end; NULL: it would pass the limit. */
static uint8_t *extend(struct dns_writer *w, size_t len)
{
    if (w->failed || w->limit - w->len < len) {
        w->failed = true;
        return NULL;
    }
    uint8_t *at = w->data + w->len;
    w->len += len;
    return at;
}

static void set_u16(uint8_t *at, unsigned v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

static void put_u16(struct dns_writer *w, unsigned v)
{
    uint8_t *at = extend(w, 2);
    if (at)
        set_u16(at, v);
}

static void put_u32(struct dns_writer *w, uint32_t v)
{
    put_u16(w, v >> 16);
    put_u16(w, v & 0xffff);
}

static void put_bytes(struct dns_writer *w, struct cu_bytes bytes)
{
    uint8_t *at = extend(w, bytes.len);
    if (at && bytes.len)
        memcpy(at, bytes.data, bytes.len);
}

/* ---- compression (RFC 1035 4.1.4) ----
 *
 * The table has every place where a name or the end of one begins. Most answers need no search:
 * their owners are known places. So what is written whole is noted as late and comes into the
 * table with the first name that is looked for. */

static uint8_t hash_label(uint8_t hash, const uint8_t *label)
{
    unsigned h = hash;
    for (size_t i = 0; i <= label[0]; i++)
        h = h * 31 + label[i];
    return (uint8_t)(h ^ h >> 8);
}

/* The hash of the name's end that begins at each label, computed from the right. */
static size_t hash_ends(const uint8_t *name, const uint8_t *starts[DNS_LABELS],
                        uint8_t hashes[DNS_LABELS])
{
    size_t count = 0;
    for (; *name; name += *name + 1u)
        starts[count++] = name;
    uint8_t hash = 0;
    for (size_t i = count; i-- > 0;)
        hashes[i] = hash = hash_label(hash, starts[i]);
    return count;
}

static void remember(struct dns_writer *w, size_t at, uint8_t hash)
{
    if (at > DNS_POINTER_MAX || w->place_count == DNS_WRITER_NAMES)
        return;
    w->places[w->place_count++] =
        (struct dns_place){.at = (uint16_t)at, .next = w->heads[hash], .head = hash};
    w->heads[hash] = w->place_count;
}

/* Whether the name written at `at`, which may end in a pointer, is `name`. */
static bool is_written(const struct dns_writer *w, size_t at, const uint8_t *name)
{
    for (;;) {
        while (w->data[at] >= 0xc0) /* pointers that we wrote: always backwards */
            at = (w->data[at] & 0x3fu) << 8 | w->data[at + 1];
        if (w->data[at] != *name)
            return false;
        if (!*name)
            return true;
        if (memcmp(w->data + at, name, *name + 1u) != 0)
            return false;
        at += *name + 1u;
        name += *name + 1u;
    }
}

/* A place where `name` lies already; 0: none (the header is there). */
static size_t find_place(const struct dns_writer *w, const uint8_t *name, uint8_t hash)
{
    for (unsigned i = w->heads[hash]; i; i = w->places[i - 1].next)
        if (is_written(w, w->places[i - 1].at, name))
            return w->places[i - 1].at;
    return 0;
}

/* Enters the ends of a name that lies whole in the message, up to one that is known. */
static void enter(struct dns_writer *w, size_t at)
{
    const uint8_t *starts[DNS_LABELS], *name = w->data + at;
    uint8_t hashes[DNS_LABELS];
    size_t count = hash_ends(name, starts, hashes);
    for (size_t i = 0; i < count && !find_place(w, starts[i], hashes[i]); i++)
        remember(w, at + (size_t)(starts[i] - name), hashes[i]);
}

static void fill_table(struct dns_writer *w)
{
    if (!w->has_table)
        memset(w->heads, 0, sizeof w->heads);
    w->has_table = true;
    for (size_t i = 0; i < w->late_count; i++)
        enter(w, w->late[i]);
    w->late_count = 0;
}

static void note_late(struct dns_writer *w, size_t at)
{
    if (w->compresses && !w->failed && at <= DNS_POINTER_MAX && w->late_count < DNS_WRITER_LATE)
        w->late[w->late_count++] = (uint16_t)at;
}

static void put_whole_name(struct dns_writer *w, struct cu_bytes name)
{
    size_t at = w->len;
    put_bytes(w, name);
    note_late(w, at);
}

static void put_compressed(struct dns_writer *w, struct cu_bytes name)
{
    const uint8_t *starts[DNS_LABELS];
    uint8_t hashes[DNS_LABELS];
    size_t start = w->len, place = 0, known = 0;
    fill_table(w);
    size_t count = hash_ends(name.data, starts, hashes);
    while (known < count && !(place = find_place(w, starts[known], hashes[known])))
        known++;
    size_t whole = known < count ? (size_t)(starts[known] - name.data) : name.len;
    put_bytes(w, (struct cu_bytes){name.data, whole});
    if (known < count)
        put_u16(w, POINTER_BITS | (unsigned)place);
    for (size_t i = 0; !w->failed && i < known; i++)
        remember(w, start + (size_t)(starts[i] - name.data), hashes[i]);
}

static void put_name(struct dns_writer *w, struct cu_bytes name)
{
    if (w->compresses)
        put_compressed(w, name);
    else
        put_bytes(w, name);
}

static void put_owner(struct dns_writer *w, const struct dns_owner *owner)
{
    if (w->compresses && owner->at && owner->name.len > 1)
        put_u16(w, POINTER_BITS | (unsigned)owner->at);
    else
        put_name(w, owner->name);
}

static struct dns_owner owner_at(const struct dns_writer *w, struct cu_bytes name, size_t at)
{
    return (struct dns_owner){name, at <= DNS_POINTER_MAX && !w->failed ? at : 0};
}

/* ---- the message ---- */

void dns_writer_begin(struct dns_writer *w, uint8_t *data, size_t limit, bool compresses)
{
    CU_ASSERT(limit >= DNS_HEADER_BYTES && limit <= DNS_MESSAGE_BYTES);
    w->data = data;
    w->len = DNS_HEADER_BYTES;
    w->limit = limit;
    w->failed = w->has_table = false;
    w->compresses = compresses;
    w->section = DNS_QUESTION;
    memset(w->counts, 0, sizeof w->counts);
    w->place_count = w->late_count = 0;
}

void dns_writer_end(struct dns_writer *w, uint16_t id, unsigned flags)
{
    set_u16(w->data, id);
    set_u16(w->data + 2, flags);
    for (size_t i = 0; i < DNS_SECTION_COUNT; i++)
        set_u16(w->data + 4 + 2 * i, w->counts[i]);
}

struct dns_mark dns_writer_mark(const struct dns_writer *w)
{
    struct dns_mark mark = {.len = w->len, .section = w->section};
    CU_ASSERT(!w->failed);
    memcpy(mark.counts, w->counts, sizeof mark.counts);
    return mark;
}

void dns_writer_rewind(struct dns_writer *w, const struct dns_mark *mark)
{
    CU_ASSERT(mark->len <= w->len);
    w->len = mark->len;
    w->section = mark->section;
    w->failed = false;
    memcpy(w->counts, mark->counts, sizeof w->counts);
    while (w->late_count && w->late[w->late_count - 1] >= mark->len)
        w->late_count--;
    /* Places are entered late, so their order is not that of the message: look at all. */
    size_t kept = 0;
    for (size_t i = 0; i < w->place_count; i++)
        kept += w->places[i].at < mark->len;
    if (kept == w->place_count)
        return;
    memset(w->heads, 0, sizeof w->heads);
    size_t count = w->place_count;
    w->place_count = 0;
    for (size_t i = 0; i < count; i++)
        if (w->places[i].at < mark->len)
            remember(w, w->places[i].at, w->places[i].head);
}

void dns_writer_set_limit(struct dns_writer *w, size_t limit)
{
    CU_ASSERT(limit >= w->len && limit <= DNS_MESSAGE_BYTES);
    w->limit = limit;
}

struct dns_owner dns_put_question(struct dns_writer *w, const struct dns_query *query)
{
    size_t at = w->len;
    put_whole_name(w, dns_name_bytes(&query->name));
    put_u16(w, query->type);
    put_u16(w, query->class);
    w->counts[DNS_QUESTION]++;
    return owner_at(w, dns_name_bytes(&query->name), at);
}

void dns_put_section(struct dns_writer *w, enum dns_section section)
{
    CU_ASSERT(section >= w->section);
    w->section = section;
}

/* ---- records ---- */

/* Owner, type, class, TTL and the length of the data, which end() knows. Returns where the data
 * begins. */
static size_t begin(struct dns_writer *w, const struct dns_owner *owner, unsigned type,
                    uint32_t ttl_s)
{
    put_owner(w, owner);
    put_u16(w, type);
    put_u16(w, DNS_IN);
    put_u32(w, ttl_s);
    put_u16(w, 0);
    return w->len;
}

static void end(struct dns_writer *w, size_t data)
{
    if (w->failed)
        return;
    set_u16(w->data + data - 2, (unsigned)(w->len - data));
    w->counts[w->section]++;
}

void dns_put_address(struct dns_writer *w, const struct dns_owner *owner, uint32_t ttl_s,
                     struct cu_bytes ip)
{
    size_t data = begin(w, owner, ip.len == 4 ? DNS_A : DNS_AAAA, ttl_s);
    put_bytes(w, ip);
    end(w, data);
}

void dns_put_name(struct dns_writer *w, const struct dns_owner *owner, enum dns_type type,
                  uint32_t ttl_s, struct cu_bytes name)
{
    size_t data = begin(w, owner, type, ttl_s);
    put_name(w, name);
    end(w, data);
}

void dns_put_txt(struct dns_writer *w, const struct dns_owner *owner, uint32_t ttl_s,
                 struct cu_bytes value)
{
    size_t data = begin(w, owner, DNS_TXT, ttl_s);
    size_t done = 0;
    do {
        size_t len = value.len - done < TEXT_BYTES ? value.len - done : TEXT_BYTES;
        uint8_t *at = extend(w, 1);
        if (at)
            *at = (uint8_t)len;
        put_bytes(w, (struct cu_bytes){value.data + done, len});
        done += len;
    } while (done < value.len);
    end(w, data);
}

struct dns_owner dns_put_srv(struct dns_writer *w, const struct dns_owner *owner, uint32_t ttl_s,
                             const struct dns_srv *srv)
{
    size_t data = begin(w, owner, DNS_SRV, ttl_s);
    put_u16(w, SRV_PRIORITY);
    put_u16(w, srv->weight);
    put_u16(w, srv->port);
    size_t at = w->len;
    put_whole_name(w, srv->target);
    end(w, data);
    return owner_at(w, srv->target, at);
}

void dns_put_soa(struct dns_writer *w, const struct dns_owner *owner, uint32_t ttl_s,
                 const struct dns_soa *soa)
{
    size_t data = begin(w, owner, DNS_SOA, ttl_s);
    put_name(w, soa->mname);
    put_name(w, soa->rname);
    put_u32(w, soa->serial);
    put_u32(w, soa->refresh_s);
    put_u32(w, soa->retry_s);
    put_u32(w, soa->expire_s);
    put_u32(w, soa->minimum_s);
    end(w, data);
}

size_t dns_opt_bytes(const struct dns_query *query)
{
    size_t subnet = query->has_subnet ? 2u + 2u + SUBNET_BYTES + query->subnet.len : 0;
    return query->has_edns ? 1 + DNS_RR_BYTES + subnet : 0;
}

static void put_subnet(struct dns_writer *w, const struct dns_subnet *subnet, unsigned scope_bits)
{
    put_u16(w, DNS_OPTION_SUBNET);
    put_u16(w, SUBNET_BYTES + (unsigned)subnet->len);
    put_u16(w, subnet->family);
    put_u16(w, (unsigned)subnet->bits << 8 | scope_bits);
    put_bytes(w, (struct cu_bytes){subnet->address, subnet->len});
}

void dns_put_opt(struct dns_writer *w, const struct dns_query *query, unsigned scope_bits)
{
    static const uint8_t root[1] = {0};
    if (!query->has_edns)
        return;
    dns_put_section(w, DNS_ADDITIONAL);
    put_bytes(w, (struct cu_bytes){root, sizeof root});
    put_u16(w, DNS_OPT);
    put_u16(w, query->udp_bytes);
    put_u32(w, 0); /* RCODE as in the header, version 0, no DO */
    put_u16(w, 0);
    size_t data = w->len;
    if (query->has_subnet)
        put_subnet(w, &query->subnet, scope_bits);
    end(w, data);
}
