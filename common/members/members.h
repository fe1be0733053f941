/* members.h - follows gossipd's records from where it stands (contracts 5.5): who is alive, failed,
 * left, reaped. Absence says nothing: only records do, and what was said stays true while gossipd
 * is away. */
#ifndef CU_MEMBERS_MEMBERS_H
#define CU_MEMBERS_MEMBERS_H

#include "common/loop/loop.h"
#include "common/rpc/client.h"
#include "curia/internal/v1/members.pb-c.h"

struct cu_members;
struct cu_log;

struct cu_members_options {
    struct cu_rpc *rpc;
    struct cu_loop *loop;
    struct cu_log *log; /* may be NULL */
    const char *url;    /* of gossipd: "ipc:///..."; copied */
    /* One record; borrowed. */
    void (*record)(void *arg, const Curia__Internal__V1__MemberRecord *record);
    /* gossipd was restarted: the last record of every member comes again, then told(). Who is not
     * among them, nobody knows any more. May be NULL. */
    void (*anew)(void *arg);
    /* All that is known has been told, in however many answers. `complete`: gossipd has joined, and
     * one exchange of all members is done. May be NULL. */
    void (*told)(void *arg, bool complete);
    /* gossipd answers, or does no longer. May be NULL. */
    void (*well)(void *arg, bool is_well);
    void *arg;
};

struct cu_members *cu_members_new(const struct cu_members_options *options);
void cu_members_free(struct cu_members *members); /* takes NULL */

/* A tag of a member; "" when it has none of that name. Borrowed. */
const char *cu_member_tag(const Curia__Internal__V1__Member *member, const char *name);
/* One that is a number of at least 1 and at most `max`; 0 when it is none. */
uint64_t cu_member_number(const Curia__Internal__V1__Member *member, const char *name,
                          uint64_t max);
/* Whether it is a server (gossip.md 23.2): of role consul, with a port, a build and a protocol
 * version; each of these that is no number, or another tag of a server that is none, makes it
 * something else. `datacenter` NULL: of any. */
bool cu_member_is_server(const Curia__Internal__V1__Member *member, const char *datacenter);

#endif
