#include <string.h>

#include "common/base/assert.h"
#include "services/raftd/core/state.h"

/* ---- configurations along the log ---- */

void raft_log_note_change(struct raft *r, const struct raft_entry *entry)
{
    struct raft_configuration_body body;
    if (raft_configuration_decode(raft_entry_body(entry), &body)) {
        r->has_failed =
            true; /* what peers send is decoded before it is appended: this is the disk */
        return;
    }
    body.configuration.index = entry->index;
    r->changes = raft_grow(r->changes, &r->change_cap, r->change_count + 1, sizeof *r->changes);
    r->changes[r->change_count++] = (struct raft_change){.configuration = body.configuration,
                                                         .cluster = body.cluster,
                                                         .prior = body.prior,
                                                         .prior_last_index = body.prior_last_index};
    raft_configuration_changed(r);
}

/* The oldest gives way, as in the state (catalogd). */
static void add_lineage(struct raft_header *header, const struct raft_change *change)
{
    if (raft_id_is_none(change->prior))
        return;
    if (header->lineage_count == RAFT_LINEAGE_MAX)
        memmove(header->lineage, header->lineage + 1,
                --header->lineage_count * sizeof *header->lineage);
    header->lineage[header->lineage_count++] =
        (struct raft_lineage){.cluster = change->prior, .last_index = change->prior_last_index};
}

struct raft_header raft_header_at(const struct raft *r, uint64_t index, uint64_t term)
{
    struct raft_header header = r->start;
    for (uint32_t i = 0; i < r->change_count; i++) {
        const struct raft_change *change = &r->changes[i];
        if (change->configuration.index > index)
            break;
        header.configuration = change->configuration;
        if (!raft_id_is_none(change->cluster))
            header.position.cluster = change->cluster;
        add_lineage(&header, change);
    }
    header.position.index = index;
    header.position.term = term;
    return header;
}

struct raft_id raft_cluster_at(const struct raft *r, uint64_t index)
{
    struct raft_id cluster = r->start.position.cluster;
    for (uint32_t i = 0; i < r->change_count && r->changes[i].configuration.index <= index; i++) {
        if (!raft_id_is_none(r->changes[i].cluster))
            cluster = r->changes[i].cluster;
    }
    return cluster;
}

/* Up to where the log tells its lineage: not beyond the entry of a recovery that may still be lost.
 */
static uint64_t lineage_end(const struct raft *r)
{
    for (uint32_t i = 0; i < r->change_count; i++) {
        if (!raft_id_is_none(r->changes[i].prior) && r->changes[i].configuration.index > r->commit)
            return r->changes[i].configuration.index - 1;
    }
    return UINT64_MAX;
}

/* Until the entry of a recovery is known to be committed a position under the earlier id is judged
 * as before (consensus.md 17). */
bool raft_in_lineage(const struct raft *r, struct raft_id cluster, uint64_t index)
{
    if (raft_id_equal(cluster, raft_own_cluster(r)))
        return true;
    if (r->recovery.is_aside)
        return false;
    if (raft_id_equal(cluster, r->cluster)) /* whatever of it is in this log was then committed */
        return true;
    struct raft_header now = raft_header_at(r, lineage_end(r), 0);
    if (raft_id_equal(cluster, now.position.cluster))
        return true;
    for (uint32_t i = 0; i < now.lineage_count; i++) {
        if (raft_id_equal(now.lineage[i].cluster, cluster))
            return index <= now.lineage[i].last_index;
    }
    return false;
}

/* ---- peers ---- */

/* Before there is a configuration the promise's counts, and before that the set that should be. */
static struct raft_configuration effective(const struct raft *r)
{
    if (r->latest.count)
        return r->latest;
    if (r->promise.round)
        return r->promise.configuration;
    struct raft_configuration wanted = {.count = r->bootstrap_count};
    for (uint32_t i = 0; i < r->bootstrap_count; i++)
        wanted.servers[i] = (struct raft_server){.id = r->bootstrap[i], .is_voter = true};
    return wanted;
}

static void rebuild_peers(struct raft *r)
{
    struct raft_configuration servers = effective(r);
    struct raft_peer peers[RAFT_SERVERS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < servers.count; i++) {
        const struct raft_server *server = &servers.servers[i];
        if (raft_id_equal(server->id, r->self))
            continue;
        const struct raft_peer *old = raft_peer_find(r, server->id);
        peers[count] = old ? *old : (struct raft_peer){.id = server->id, .next = r->last_index + 1};
        peers[count].incarnation = server->incarnation;
        peers[count].is_voter = server->is_voter;
        count++;
    }
    memcpy(r->peers, peers, count * sizeof *peers);
    r->peer_count = count;
}

void raft_configuration_changed(struct raft *r)
{
    struct raft_header now = raft_header_at(r, UINT64_MAX, 0);
    r->latest = now.configuration;
    r->cluster = now.position.cluster;
    r->prior =
        now.lineage_count ? now.lineage[now.lineage_count - 1].cluster : (struct raft_id){{0}};
    if (raft_lacks_recovery_entry(r)) {
        r->latest = r->recovery.configuration;
        r->prior = r->cluster;
    }
    rebuild_peers(r);
    if (raft_is_own_incarnation(r))
        r->told_refused = false;
}

struct raft_peer *raft_peer_find(struct raft *r, struct raft_id id)
{
    for (uint32_t i = 0; i < r->peer_count; i++) {
        if (raft_id_equal(r->peers[i].id, id))
            return &r->peers[i];
    }
    return NULL;
}

const struct raft_server *raft_server_find(const struct raft_configuration *configuration,
                                           struct raft_id id)
{
    for (uint32_t i = 0; i < configuration->count; i++) {
        if (raft_id_equal(configuration->servers[i].id, id))
            return &configuration->servers[i];
    }
    return NULL;
}

/* ---- this server in it ---- */

bool raft_is_member(const struct raft *r)
{
    return raft_server_find(&r->latest, r->self) != NULL;
}

bool raft_is_voter(const struct raft *r)
{
    const struct raft_server *server = raft_server_find(&r->latest, r->self);
    return server && server->is_voter;
}

static uint32_t voters(const struct raft *r)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < r->latest.count; i++)
        count += r->latest.servers[i].is_voter;
    return count;
}

uint32_t raft_quorum(const struct raft *r)
{
    return voters(r) / 2 + 1;
}

bool raft_is_sole_voter(const struct raft *r)
{
    return raft_is_voter(r) && voters(r) == 1;
}

/* Contracts 3.6: what stands below the floor is nowhere but in the catalogd's durable state. */
bool raft_is_below_floor(const struct raft *r)
{
    return r->durable < r->start.position.index;
}

/* A log that was set aside stands for nothing. */
bool raft_lacks_state(const struct raft *r)
{
    return r->recovery.is_aside || raft_is_below_floor(r);
}

bool raft_is_own_incarnation(const struct raft *r)
{
    const struct raft_server *server = raft_server_find(&r->latest, r->self);
    return !server || !server->incarnation || server->incarnation == r->incarnation;
}

bool raft_counts_itself(const struct raft *r)
{
    return raft_is_voter(r) && raft_is_own_incarnation(r) && !raft_lacks_state(r);
}

struct raft_id raft_own_cluster(const struct raft *r)
{
    return raft_id_is_none(r->recovery.cluster) ? r->cluster : r->recovery.cluster;
}

struct raft_id raft_spoken_cluster(const struct raft *r)
{
    return raft_id_is_none(r->cluster) && r->promise.round ? r->promise.cluster
                                                           : raft_own_cluster(r);
}
