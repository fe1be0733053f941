#include "services/raftd/io/peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/endpoint.h"
#include "common/base/num.h"
#include "services/raftd/io/wire.h"

/* Unanswered requests on one connection. The core's own windows are smaller; what a peer that takes
 * no bytes could pile up is not. */
enum { CALLS_MAX = 128 };

enum line { LINE_CONTROL, LINE_ENTRIES, LINE_COUNT };

struct peer {
    struct raft_peers *peers;
    struct raft_id id;
    char ip[64];
    uint16_t port;
    char address[CU_ENDPOINT_BYTES];
    struct cu_client *lines[LINE_COUNT];
    size_t open[LINE_COUNT];
};

struct raft_peers {
    struct raft_peers_options options;
    struct peer *items[RAFT_PEERS_MAX];
    size_t count;
    struct cu_counter *lost, *malformed, *passed_over;
    struct cu_log_limit limit, said_full;
    struct cu_arena *arena; /* of the message being packed */
};

/* A request under way. */
struct pending {
    struct peer *peer;
    enum line line;
};

static struct peer *find(const struct raft_peers *peers, struct raft_id id)
{
    for (size_t i = 0; i < peers->count; i++)
        if (raft_id_equal(peers->items[i]->id, id))
            return peers->items[i];
    return NULL;
}

/* ---- connections ---- */

static void on_state(void *arg, struct cu_client *client, bool is_up)
{
    struct peer *peer = arg;
    char id[CU_UUID_BYTES];
    const char *line = client == peer->lines[LINE_CONTROL] ? "control" : "entries";
    cu_debug(peer->peers->options.log, "raft.peer", "id=%s address=%s line=%s state=%s",
             cu_format_uuid(peer->id.bytes, id), peer->address, line, is_up ? "up" : "down");
}

static void hang_up(struct peer *peer)
{
    for (int line = 0; line < LINE_COUNT; line++) {
        struct cu_client *client = peer->lines[line];
        peer->lines[line] = NULL;
        cu_client_free(client);
    }
}

static void dial(struct peer *peer)
{
    char url[CU_ENDPOINT_BYTES];
    (void)cu_endpoint_url(peer->ip, peer->port, url);
    for (int line = 0; line < LINE_COUNT; line++)
        peer->lines[line] = cu_client_new(peer->peers->options.rpc, url, on_state, peer);
}

static bool is_up(const struct peer *peer)
{
    return cu_client_is_up(peer->lines[LINE_CONTROL]) || cu_client_is_up(peer->lines[LINE_ENTRIES]);
}

/* Ids come and go over the years, and the book knows them all: who was put longest ago, and cannot
 * be reached, goes. */
static bool make_room(struct raft_peers *peers)
{
    size_t at = 0;
    while (at < peers->count && is_up(peers->items[at]))
        at++;
    if (at == peers->count)
        return false;
    hang_up(peers->items[at]);
    free(peers->items[at]);
    peers->count--;
    memmove(&peers->items[at], &peers->items[at + 1], (peers->count - at) * sizeof(struct peer *));
    return true;
}

static struct peer *add(struct raft_peers *peers, struct raft_id id, const char *address)
{
    if (peers->count == RAFT_PEERS_MAX && !make_room(peers)) {
        cu_count(peers->passed_over, 1);
        cu_log_limited(peers->options.log, &peers->said_full, CU_LOG_WARN, "raft.peers",
                       "address=%s text=\"connected to %d other servers: this one is passed over\"",
                       address, RAFT_PEERS_MAX);
        return NULL;
    }
    struct peer *peer = cu_alloc(sizeof *peer);
    *peer = (struct peer){.peers = peers, .id = id};
    peers->items[peers->count++] = peer;
    return peer;
}

void raft_peers_put(struct raft_peers *peers, struct raft_id id, const char *ip, uint16_t port)
{
    struct peer *peer = find(peers, id);
    char address[sizeof peer->address];
    if (raft_id_equal(id, peers->options.self))
        return;
    (void)cu_endpoint_text(ip, port, address);
    if (peer && !strcmp(peer->address, address))
        return;
    if (!peer)
        peer = add(peers, id, address);
    if (!peer)
        return;
    hang_up(peer);
    (void)snprintf(peer->ip, sizeof peer->ip, "%s", ip);
    peer->port = port;
    memcpy(peer->address, address, sizeof address);
    dial(peer);
}

/* ---- requests ---- */

static enum line line_of(enum raft_message_kind kind)
{
    return kind == RAFT_MSG_APPEND ? LINE_ENTRIES : LINE_CONTROL;
}

static bool answers(const struct peer *peer, const struct raft_message *message)
{
    return raft_id_equal(message->from, peer->id) &&
           (message->kind % 2 == 0 || message->kind == RAFT_MSG_IGNORED);
}

static void read_answer(struct peer *peer, const struct cu_answer *answer)
{
    struct raft_peers *peers = peer->peers;
    struct raft_message *message = NULL;
    struct cu_diag diag = {{0}};
    if (answer->err) {
        cu_count(peers->lost, 1);
        return;
    }
    enum cu_err err =
        raft_wire_read_message((const raft_pb_message *)answer->message, &message, &diag);
    if (!err && !answers(peer, message)) {
        err = cu_fail(&diag, CU_E_INVALID, "an answer of another server or kind");
        raft_message_deinit(message);
        free(message);
    }
    if (err) {
        cu_count(peers->malformed, 1);
        cu_log_limited(peers->options.log, &peers->limit, CU_LOG_WARN, "raft.malformed",
                       "peer=%s error=\"%s\"", peer->address, diag.text);
        return;
    }
    peers->options.answered(peers->options.context, message);
}

static void on_answer(void *arg, const struct cu_answer *answer)
{
    struct pending *pending = arg;
    pending->peer->open[pending->line]--;
    read_answer(pending->peer, answer);
    free(pending);
}

static void request(struct peer *peer, const struct raft_message *message)
{
    enum line line = line_of(message->kind);
    if (peer->open[line] >= CALLS_MAX) {
        cu_count(peer->peers->lost, 1);
        return;
    }
    struct pending *pending = cu_alloc(sizeof *pending);
    *pending = (struct pending){peer, line};
    peer->open[line]++;
    cu_arena_reset(peer->peers->arena);
    (void)cu_client_call(peer->lines[line],
                         &(struct cu_call_spec){
                             .service = &curia__internal__v1__raft__descriptor,
                             .method = "Step",
                             .in = &raft_wire_message(peer->peers->arena, message)->base,
                             .timeout_ms = RAFT_ANSWER_MS,
                         },
                         on_answer, pending); /* nobody cancels it: an answer always comes */
}

void raft_peers_send(struct raft_peers *peers, struct raft_message *message)
{
    struct peer *peer = find(peers, message->to);
    if (peer)
        request(peer, message);
    else
        cu_count(peers->lost, 1);
    raft_message_deinit(message);
    free(message);
}

/* ---- questions ---- */

const char *raft_peers_address(const struct raft_peers *peers, struct raft_id id)
{
    const struct peer *peer = find(peers, id);
    return peer ? peer->address : "";
}

bool raft_peers_has_ip(const struct raft_peers *peers, const char *ip)
{
    for (size_t i = 0; i < peers->count; i++)
        if (!strcmp(peers->items[i]->ip, ip))
            return true;
    return false;
}

size_t raft_peers_count(const struct raft_peers *peers)
{
    return peers->count;
}

struct cu_client *raft_peers_client(struct raft_peers *peers, struct raft_id id)
{
    struct peer *peer = find(peers, id);
    return peer ? peer->lines[LINE_ENTRIES] : NULL;
}

/* ---- life ---- */

struct raft_peers *raft_peers_new(const struct raft_peers_options *options)
{
    struct raft_peers *peers = cu_alloc(sizeof *peers);
    peers->options = *options;
    peers->arena = cu_arena_new(RAFT_WIRE_ARENA_BYTES);
    peers->lost = cu_metrics_counter(options->metrics, "raft.rpc.lost");
    peers->malformed = cu_metrics_counter(options->metrics, "raft.rpc.malformed");
    peers->passed_over = cu_metrics_counter(options->metrics, "raft.peers.passed_over");
    return peers;
}

void raft_peers_free(struct raft_peers *peers)
{
    if (!peers)
        return;
    for (size_t i = 0; i < peers->count; i++) {
        hang_up(peers->items[i]);
        free(peers->items[i]);
    }
    cu_arena_free(peers->arena);
    free(peers);
}
