/* dnsreply_fuzz.c - replies of recursors: the input is a query's length, the query, a reply. What
 * is taken of a reply is written again and reads as the same records. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "services/dnsd/core/forward.h"
#include "services/dnsd/core/writer.h"
#include "tests/unit/services/dnsd/core/sample.h"

enum { ARENA_BYTES = 256 * 1024 };

static struct dns_writer w;
static uint8_t message[DNS_MESSAGE_BYTES];

static void put(const struct dns_record *record)
{
    const struct dns_owner owner = {record->owner, 0};
    if (record->type == DNS_CNAME)
        dns_put_name(&w, &owner, DNS_CNAME, record->ttl_s, record->data);
    else
        dns_put_address(&w, &owner, record->ttl_s, record->data);
}

static void check_again(const struct dns_chased *chased, struct cu_arena *arena)
{
    struct dns_chased again = {.name = chased->name};
    const struct dns_query query = {.name = chased->name, .type = DNS_A};
    dns_writer_begin(&w, message, sizeof message, true);
    (void)dns_put_question(&w, &query);
    dns_put_section(&w, DNS_ANSWER);
    for (size_t i = 0; i < chased->count; i++)
        put(&chased->records[i]);
    dns_writer_end(&w, 0, DNS_QR);
    if (w.failed || dns_chase_take(&again, (struct cu_bytes){message, w.len}, arena) ||
        again.count != chased->count)
        abort();
    for (size_t i = 0; i < again.count; i++) {
        const struct dns_record *a = &again.records[i], *b = &chased->records[i];
        if (a->type != b->type || a->ttl_s != b->ttl_s || !cu_bytes_equal(a->owner, b->owner) ||
            !cu_bytes_equal(a->data, b->data))
            abort();
    }
}

bool fuzz_one(const uint8_t *data, size_t len)
{
    size_t sent_len = len ? data[0] : 0;
    if (len < 1 + sent_len)
        return false;
    struct cu_bytes sent = {data + 1, sent_len};
    struct cu_bytes reply = {data + 1 + sent_len, len - 1 - sent_len};
    bool parsed = dns_reply_check(sent, reply) != DNS_REPLY_FOREIGN;
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    struct dns_chased chased = {.name = {8, "\1x\4test"}};
    enum cu_err err = dns_chase_take(&chased, reply, arena);
    parsed = parsed && !err; /* what came before an error is used, too */
    if (!chased.is_done || chased.count > DNS_CHASE_RECORDS)
        abort();
    if (chased.records)
        check_again(&chased, arena);
    cu_arena_free(arena);
    return parsed && chased.count > 0;
}
