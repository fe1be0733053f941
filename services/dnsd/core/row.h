/* row.h - rows of the catalog, as its change feed brings them, put into the view. */
#ifndef DNS_ROW_H
#define DNS_ROW_H

#include "common/base/arena.h"
#include "services/dnsd/core/view.h"

enum dns_topic { DNS_NODES, DNS_SERVICES, DNS_CHECKS, DNS_TOPIC_COUNT };
extern const char *const dns_topics[DNS_TOPIC_COUNT]; /* "nodes", "services", "checks" */

enum { DNS_ROW_ARENA_BYTES = 4 * 1024 * 1024 }; /* what a row takes unpacked, at most */

/* `key` is the row's in its table (proto/curia/v1/catalog.proto), `row` the packed message; `arena`
 * is reset. CU_E_INVALID: not a key or not a message of that topic; the view then has no such row.
 */
CU_MUST_USE enum cu_err dns_row_put(struct dns_view *view, enum dns_topic topic,
                                    struct cu_bytes key, struct cu_bytes row,
                                    struct cu_arena *arena);
void dns_row_del(struct dns_view *view, enum dns_topic topic, struct cu_bytes key);

/* A pair of node metadata as TXT says it (RFC 1464; dns.md 5.4). Data NULL: the arena is full. */
struct cu_bytes dns_row_text(struct cu_arena *arena, const char *key, const char *value);

#endif
