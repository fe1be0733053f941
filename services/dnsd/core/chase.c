#include "services/dnsd/core/chase.h"

#include <string.h>

enum { RECORDS_READ_MAX = 1024 /* of a reply, before the others are not looked at */ };

const struct dns_chased *dns_chase_find(struct dns_chase *chase, struct cu_bytes name)
{
    for (size_t i = 0; i < chase->count; i++)
        if (cu_bytes_equal(dns_name_bytes(&chase->names[i].name), name))
            return chase->names[i].is_done ? &chase->names[i] : NULL;
    if (chase->count == DNS_CHASE_NAMES)
        return NULL;
    struct dns_chased *wanted = &chase->names[chase->count++];
    wanted->name.len = (uint8_t)name.len;
    memcpy(wanted->name.bytes, name.data, name.len);
    wanted->is_done = false;
    wanted->records = NULL;
    wanted->count = 0;
    return NULL;
}

bool dns_chase_is_open(const struct dns_chase *chase)
{
    for (size_t i = 0; i < chase->count; i++)
        if (!chase->names[i].is_done)
            return true;
    return false;
}

size_t dns_chase_question(const struct dns_chased *chased, uint16_t id,
                          uint8_t query[DNS_CHASE_QUERY_BYTES])
{
    const uint8_t header[DNS_HEADER_BYTES] = {
        (uint8_t)(id >> 8), (uint8_t)id, DNS_RD >> 8, 0, 0, 1 /* question */};
    static const uint8_t question[DNS_QUESTION_BYTES] = {0, DNS_A, 0, DNS_IN};
    size_t len = chased->name.len;
    memcpy(query, header, sizeof header);
    memcpy(query + DNS_HEADER_BYTES, chased->name.bytes, len);
    memcpy(query + DNS_HEADER_BYTES + len, question, sizeof question);
    return DNS_HEADER_BYTES + len + sizeof question;
}

/* ---- the reply ---- */

static struct cu_bytes keep(struct cu_arena *arena, struct cu_bytes bytes)
{
    return (struct cu_bytes){cu_arena_memdup(arena, bytes.data, bytes.len), bytes.len};
}

/* The data of a record, which `data` reads alone; len 0: of no use, or malformed. */
static struct cu_bytes data_of(unsigned type, struct cu_bytes data, struct cu_bytes message,
                               struct cu_arena *arena)
{
    struct cu_reader r = {data.data, data.data + data.len, false};
    struct dns_name name;
    if ((type == DNS_A && data.len == 4) || (type == DNS_AAAA && data.len == 16))
        return keep(arena, data);
    if (type == DNS_CNAME && dns_name_read(&r, message, true, &name) && cu_reader_left(&r) == 0)
        return keep(arena, dns_name_bytes(&name));
    return (struct cu_bytes){0};
}

static bool take_record(struct dns_chased *chased, struct cu_reader *r, struct cu_bytes message,
                        struct cu_arena *arena)
{
    struct dns_name owner;
    if (!dns_name_read(r, message, true, &owner))
        return false;
    unsigned type = cu_read_u16be(r), class = cu_read_u16be(r);
    uint32_t ttl_s = cu_read_u32be(r);
    struct cu_bytes data = cu_read_bytes(r, cu_read_u16be(r));
    if (r->failed)
        return false;
    struct cu_bytes kept = data_of(type, data, message, arena);
    struct cu_bytes name = keep(arena, dns_name_bytes(&owner));
    if (class == DNS_IN && kept.data && name.data)
        chased->records[chased->count++] =
            (struct dns_record){name, (enum dns_type)type, ttl_s, kept};
    return true;
}

enum cu_err dns_chase_take(struct dns_chased *chased, struct cu_bytes reply, struct cu_arena *arena)
{
    struct cu_reader r = cu_reader_of(reply);
    struct dns_name name;
    chased->is_done = true;
    (void)cu_read_u32be(&r); /* id and flags: looked at before */
    unsigned questions = cu_read_u16be(&r), answers = cu_read_u16be(&r);
    unsigned most = answers < DNS_CHASE_RECORDS ? answers : DNS_CHASE_RECORDS;
    chased->records = cu_arena_alloc(arena, (most + 1) * sizeof *chased->records);
    (void)cu_read_u32be(&r);
    if (r.failed || !chased->records || questions != 1 || !dns_name_read(&r, reply, false, &name))
        return CU_E_INVALID;
    (void)cu_read_u32be(&r); /* type and class */
    bool good = !r.failed;
    for (unsigned i = 0; good && i < answers && i < RECORDS_READ_MAX; i++) {
        if (chased->count == DNS_CHASE_RECORDS)
            break;
        good = take_record(chased, &r, reply, arena);
    }
    return good ? CU_OK : CU_E_INVALID;
}
