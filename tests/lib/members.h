/* members.h - members of gossip in a test's words. */
#ifndef TESTS_LIB_MEMBERS_H
#define TESTS_LIB_MEMBERS_H

#include "common/base/arena.h"
#include "proto/curia/internal/v1/members.pb-c.h"

#define MEMBER_ID   "11111111-1111-1111-1111-111111111111"
#define CLIENT_TAGS "role=node,dc=dc1,id=" MEMBER_ID ",vsn=2,build=1.9.8:"
#define SERVER_TAGS                                                                                \
    "role=consul,dc=dc1,id=" MEMBER_ID ",vsn=2,build=1.9.8:1a2b3c4d,port=8300,raft_vsn=3,"         \
    "read_replica=1"

/* Status 0 is alive. */
struct member {
    const char *name, *address, *tags; /* "k=v,k2=v2" */
    Curia__Internal__V1__MemberStatus status;
};

/* In the arena; speaks protocol 1 to 5, 2 now. */
Curia__Internal__V1__Member *member_of(struct cu_arena *arena, const struct member *member);

#endif
