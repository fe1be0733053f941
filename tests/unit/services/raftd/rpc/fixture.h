/* fixture.h - raftds in this process, each with its own disk, listeners and catalogd's connection.
 *
 * Everything turns on one loop, as the daemons' main() would have it; waits are for conditions.
 * Server k of a fixture listens on 127.A.B.k, A and B drawn from the process id. */
#ifndef TESTS_RAFTD_FIXTURE_H
#define TESTS_RAFTD_FIXTURE_H

#include "common/daemon/daemon.h"
#include "curia/internal/v1/log.pb-c.h"
#include "services/raftd/core/raft.h"

enum { FIXTURE_SERVERS = 3, FIXTURE_WAIT_MS = 40000 };

struct fixture_server {
    struct fixture *fixture;
    unsigned number; /* from 1 */
    struct cu_env env;
    void *state; /* NULL: not running */
    bool is_ready;
    char failed[CU_DIAG_BYTES * 2];
    char dir[256], node_id[40], ip[32];
    struct cu_client *catalogd; /* a client on its local socket */
};

struct fixture {
    struct cu_loop *loop;
    struct cu_rpc *rpc; /* of the clients */
    unsigned count;
    const char *extra; /* more configuration, as members of the JSON object; "" */
    struct fixture_server servers[FIXTURE_SERVERS];
};

/* The address of host 1..254 in this process's network. Returns `ip`. */
const char *fixture_ip(unsigned host, char ip[32]);

struct fixture *fixture_new(unsigned count, const char *extra);
void fixture_free(struct fixture *fixture);

void fixture_start(struct fixture *fixture, unsigned number);
CU_MUST_USE enum cu_err fixture_try_start(struct fixture *fixture, unsigned number,
                                          struct cu_diag *diag);
void fixture_stop(struct fixture *fixture, unsigned number); /* its disk stays */

/* Turns the loop until condition(arg); fails the test after FIXTURE_WAIT_MS. */
void fixture_wait(struct fixture *fixture, bool (*condition)(void *arg), void *arg,
                  const char *what);

/* One call to the end. *ret_reply: unpacked, protobuf_c_message_free_unpacked(); NULL on an error.
 */
enum cu_err fixture_call(struct fixture *fixture, struct cu_client *client, const char *method,
                         const ProtobufCMessage *in, void *ret_reply);

/* The same, left under way: ends in *done with err and reply. */
struct fixture_answer {
    struct fixture *fixture;
    const char *method;
    bool is_done;
    enum cu_err err;
    char text[256];
    ProtobufCMessage *reply; /* fixture_answer_deinit() */
};
struct cu_call *fixture_begin(struct fixture *fixture, struct cu_client *client, const char *method,
                              const ProtobufCMessage *in, struct fixture_answer *answer);
void fixture_end(struct fixture *fixture, struct fixture_answer *answer); /* waits for it */
void fixture_answer_deinit(struct fixture_answer *answer);

/* What tests say over and over. */
void fixture_attach(struct fixture *fixture, unsigned number); /* with an empty state */
Curia__Internal__V1__LogStatusReply *fixture_status(struct fixture *fixture, unsigned number);
unsigned fixture_wait_leader(struct fixture *fixture); /* its number */
/* Proposes through a server; waits for the reply and expects that nothing was refused or lost. */
void fixture_propose(struct fixture *fixture, unsigned number, uint64_t seq, const char *body);
/* One server, attached, that leads. */
struct fixture *fixture_sole(const char *extra);
/* What server 1's attached catalogd is answered; the caller frees it. */
Curia__Internal__V1__FollowReply *fixture_follow(struct fixture *fixture, uint64_t after,
                                                 uint64_t durable, uint32_t wait_ms);
/* Follows from the beginning until `want` commands with that body have come; returns the index. */
uint64_t fixture_wait_entry(struct fixture *fixture, unsigned number, const char *want);

#endif
