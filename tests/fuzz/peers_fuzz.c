/* peers_fuzz.c - raft/peers.json: what is accepted names each server once, and one votes. */
#include <stdlib.h>

#include "services/raftd/io/peers_file.h"
#include "tests/fuzz/fuzz.h"

bool fuzz_one(const uint8_t *data, size_t len)
{
    struct raft_configuration set;
    struct cu_diag diag = {0};
    if (raft_peers_file_parse((struct cu_bytes){data, len}, &set, &diag)) {
        if (!*diag.text)
            abort(); /* a refusal without a sentence */
        return false;
    }
    unsigned voters = 0;
    for (uint32_t i = 0; i < set.count; i++) {
        voters += set.servers[i].is_voter;
        for (uint32_t k = 0; k < i; k++)
            if (raft_id_equal(set.servers[i].id, set.servers[k].id))
                abort();
    }
    if (!set.count || set.count > RAFT_SERVERS_MAX || !voters)
        abort();
    return true;
}
