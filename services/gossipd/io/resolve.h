/* resolve.h - what people write where a member is to be joined, as addresses: "[name/]host[:port]".
 * Names are looked up on a worker, "gossip-names". */
#ifndef GOSSIP_IO_RESOLVE_H
#define GOSSIP_IO_RESOLVE_H

#include "common/base/err.h"
#include "common/loop/loop.h"
#include "services/gossipd/core/gossip.h"

struct gossip_resolver;

struct gossip_resolver *gossip_resolver_new(struct cu_loop *loop);
/* Takes NULL. Waits for a look-up under way; nobody is told of it. */
void gossip_resolver_free(struct gossip_resolver *resolver);

/* What came of it, borrowed until the callback returns. */
struct gossip_resolved {
    uint32_t count;
    const struct gossip_join_target *targets; /* each address once; at most GOSSIP_JOIN_MAX */
    uint32_t failed_count;
    const char *const *failures; /* a sentence for each entry that came to nothing */
};

typedef void gossip_on_resolved(void *arg, const struct gossip_resolved *resolved);

/* `entries` are copied. Called back exactly once, never from within, unless the resolver is freed
 * first. */
void gossip_resolve(struct gossip_resolver *resolver, const char *const *entries, size_t count,
                    uint16_t default_port, gossip_on_resolved *on_resolved, void *arg);

/* The parts of an entry. CU_E_INVALID: malformed, or a form that is not built, with the sentence.
 */
struct gossip_entry {
    char name[GOSSIP_NAME_MAX_BYTES + 1]; /* "": none */
    char host[256];
    uint16_t port; /* 0: none */
};
CU_MUST_USE enum cu_err gossip_entry_parse(const char *text, struct gossip_entry *ret_entry,
                                           struct cu_diag *diag);

#endif
