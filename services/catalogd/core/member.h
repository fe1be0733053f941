/* member.h - what the catalog shall hold of a member of gossip (agent.md 12, http-api.md 3.10):
 * decided from its record and from what the catalog holds. Pure. */
#ifndef CATALOG_MEMBER_H
#define CATALOG_MEMBER_H

#include "proto/curia/internal/v1/members.pb-c.h"
#include "proto/curia/internal/v1/state.pb-c.h"
#include "services/catalogd/core/view.h"

typedef Curia__Internal__V1__Member catalog_member;

/* The service that servers are in the catalog. */
#define CATALOG_SERVER_SERVICE "consul"

struct catalog_member_self {
    const char *name, *datacenter;
};

/* What the catalog holds under the member's name; NULL: nothing. */
struct catalog_member_seen {
    const Curia__V1__Node *node;
    const Curia__V1__Check *serf;
    const Curia__V1__Service *server;
};

enum catalog_member_deed {
    CATALOG_MEMBER_KEEP, /* all is as it shall be, or it is not ours to say */
    CATALOG_MEMBER_REGISTER,
    CATALOG_MEMBER_DEREGISTER,
};

/* ret_command: with REGISTER, in the arena. Errors: TOO_LARGE the arena is full. */
CU_MUST_USE enum cu_err catalog_member_decide(const struct catalog_member_self *self,
                                              const catalog_member *member,
                                              const struct catalog_member_seen *seen,
                                              struct cu_arena *arena,
                                              enum catalog_member_deed *ret_deed,
                                              Curia__Internal__V1__RegisterCommand **ret_command);

/* Reads what the catalog holds. Errors as of catalog_view_get(). */
CU_MUST_USE enum cu_err catalog_member_look(const struct catalog_view *view, const char *name,
                                            struct cu_arena *arena,
                                            struct catalog_member_seen *ret_seen);

const char *catalog_member_tag(const catalog_member *member, const char *key); /* "": none */
/* gossip.md 23.2: a server of Consul's kind in this datacenter, ours or the reference's. */
bool catalog_member_is_server(const struct catalog_member_self *self, const catalog_member *member);

#endif
