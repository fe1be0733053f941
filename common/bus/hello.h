/* hello.h - the first frame each way, and the last: HELLO and GOAWAY (contracts 1.5), CREDIT. */
#ifndef CU_BUS_HELLO_H
#define CU_BUS_HELLO_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"

enum {
    CU_BUS_MAJOR = 1, /* of the bus; another one is refused */
    CU_HELLO_TEXT_MAX_BYTES = 127,
    CU_HELLO_FOLLOWS_MAX = 64,
    CU_CLUSTER_ID_BYTES = 16,
    CU_HELLO_PRIORS_MAX = 16,
};

struct cu_hello {
    uint32_t bus_major;
    uint32_t feature_level;
    char suite_version[CU_HELLO_TEXT_MAX_BYTES + 1];
    char daemon[CU_HELLO_TEXT_MAX_BYTES + 1];
    char node_id[CU_HELLO_TEXT_MAX_BYTES + 1];
    char datacenter[CU_HELLO_TEXT_MAX_BYTES + 1];
    uint8_t cluster_id[CU_CLUSTER_ID_BYTES];
    bool has_cluster_id;
    size_t prior_count; /* earlier ids of the same log (contracts 3.10) */
    uint8_t prior_ids[CU_HELLO_PRIORS_MAX][CU_CLUSTER_ID_BYTES];
    uint32_t call_credit, follow_credit;
    uint64_t byte_credit;
    uint32_t max_message_bytes;
    /* Methods that count as follows here, "Log.Follow"; borrowed by append, copied by parse. */
    size_t follow_count;
    char *follows[CU_HELLO_FOLLOWS_MAX];
};

void cu_hello_append(struct cu_buf *out, const struct cu_hello *hello); /* a whole frame */

/* CU_E_INVALID: no HELLO, or a text over the limit. Texts are cut at NUL. */
CU_MUST_USE enum cu_err cu_hello_parse(struct cu_bytes payload, struct cu_hello *ret_hello);
void cu_hello_deinit(struct cu_hello *hello); /* frees a parsed one's follows */

/* Whether the two may talk; *ret_why (constant) says what differs. `raftds`: both are raftd and
 * this one is strict about its cluster: an id that both know, as their own or an earlier one, is
 * enough, for one of them may have to be told that it was recovered from. */
bool cu_hello_agree(const struct cu_hello *ours, const struct cu_hello *theirs, bool raftds,
                    const char **ret_why);

void cu_goaway_append(struct cu_buf *out, enum cu_err err, const char *text);
CU_MUST_USE enum cu_err cu_goaway_parse(struct cu_bytes payload, enum cu_err *ret_err,
                                        struct cu_diag *ret_text);

void cu_credit_append(struct cu_buf *out, uint64_t bytes);
CU_MUST_USE enum cu_err cu_credit_parse(struct cu_bytes payload, uint64_t *ret_bytes);

#endif
