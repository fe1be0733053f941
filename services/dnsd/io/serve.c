#include "services/dnsd/io/serve.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/dnsd/io/counts.h"
#include "services/dnsd/io/parked.h"

struct dns_server {
    struct dns_server_options options;
    struct dns_udp *udps[DNS_LISTENERS_MAX];
    size_t udp_count;
    struct dns_tcp *tcp;
    struct dns_upstream *upstream;
    struct dns_scratch *scratch;
    struct dns_writer writer;
    struct dns_chase no_chase; /* of a question's first try */
    struct cu_random random;
    struct dns_counts counts;
    struct dns_parked *parked;
    size_t parked_count;
    uint64_t next_round, round;      /* of confirming: of queries that come now; under way, or 0 */
    uint8_t late[DNS_MESSAGE_BYTES]; /* an answer that was waited for */
};

/* ---- answering ---- */

static struct dns_ask ask_of(struct dns_server *server, const struct dns_query *query,
                             enum dns_transport transport)
{
    return (struct dns_ask){.zone = server->options.zone,
                            .settings = &server->options.live->settings,
                            .query = query,
                            .transport = transport,
                            .now_s = (uint32_t)(cu_wall_ms() / 1000),
                            .scratch = server->scratch};
}

static size_t count_and_end(struct dns_server *server, const struct dns_query *query,
                            const struct dns_answer *answer, struct cu_mono since)
{
    dns_count_answer(&server->counts, query, answer, since);
    return server->writer.len;
}

static size_t fail(struct dns_server *server, const struct dns_query *query, struct cu_mono since,
                   uint8_t *out)
{
    struct dns_answer answer = dns_answer_failed(query, &server->writer, out);
    cu_count(server->counts.failed, 1);
    return count_and_end(server, query, &answer, since);
}

/* ---- what waits ---- */

static void release(struct dns_parked *parked)
{
    struct dns_server *server = parked->server;
    for (size_t i = 0; i < DNS_CHASE_NAMES; i++)
        dns_upstream_cancel(parked->calls[i].call);
    *(parked->prev ? &parked->prev->next : &server->parked) = parked->next;
    if (parked->next)
        parked->next->prev = parked->prev;
    server->parked_count--;
    cu_arena_free(parked->arena);
    free((void *)(uintptr_t)parked->bytes.data);
    free(parked);
}

static void send_back(struct dns_parked *parked, struct cu_bytes bytes)
{
    struct dns_server *server = parked->server;
    const struct dns_from *from = &parked->from;
    if (from->transport == DNS_OVER_UDP)
        dns_udp_send(from->udp, &parked->udp_peer, bytes);
    else
        dns_tcp_send(server->tcp, from->tcp_peer, bytes);
    release(parked);
}

static void send_failure(struct dns_parked *parked)
{
    struct dns_server *server = parked->server;
    size_t len = fail(server, &parked->query, parked->since, server->late);
    send_back(parked, (struct cu_bytes){server->late, len});
}

static struct dns_parked *park(struct dns_server *server, const struct dns_query *query,
                               struct cu_bytes bytes, const struct dns_from *from)
{
    struct dns_parked *parked = cu_alloc(sizeof *parked);
    parked->server = server;
    parked->from = *from;
    if (from->transport == DNS_OVER_UDP)
        parked->udp_peer = *from->udp_peer;
    parked->bytes = (struct cu_bytes){cu_memdup(bytes.data, bytes.len), bytes.len};
    parked->query = *query;
    for (size_t i = 0; i < DNS_CHASE_NAMES; i++)
        parked->calls[i].parked = parked;
    parked->next = server->parked;
    if (server->parked)
        server->parked->prev = parked;
    server->parked = parked;
    server->parked_count++;
    return parked;
}

/* ---- recursors ---- */

static struct dns_upstream_question upstream_question(const struct dns_server *server,
                                                      struct cu_bytes query)
{
    const struct dns_live_conf *live = server->options.live;
    return (struct dns_upstream_question){.query = query,
                                          .recursors = live->recursors,
                                          .recursor_count = live->recursor_count,
                                          .timeout_ms = live->recursor_timeout_ms};
}

/* A recursor's answer as it is; but a client over UDP gets no more than it can take. */
static void relayed(void *arg, struct cu_bytes reply)
{
    struct dns_parked *parked = ((struct dns_parked_call *)arg)->parked;
    struct dns_server *server = parked->server;
    parked->calls[0].call = NULL;
    if (reply.len == 0) {
        send_failure(parked);
    } else if (reply.len > dns_ask_max_bytes(&parked->query, parked->from.transport)) {
        struct dns_answer answer =
            dns_answer_too_large(&parked->query, &server->writer, server->late);
        size_t len = count_and_end(server, &parked->query, &answer, parked->since);
        send_back(parked, (struct cu_bytes){server->late, len});
    } else {
        send_back(parked, reply);
    }
}

/* False: too much is asked already. */
static bool forward(struct dns_parked *parked)
{
    struct dns_server *server = parked->server;
    struct dns_upstream_question question = upstream_question(server, parked->bytes);
    question.transport = parked->from.transport;
    cu_count(server->counts.forwarded, 1);
    parked->calls[0].call =
        dns_upstream_ask(server->upstream, &question, relayed, &parked->calls[0]);
    return parked->calls[0].call;
}

static void go_on(struct dns_parked *parked);

static void chased(void *arg, struct cu_bytes reply)
{
    struct dns_parked_call *call = arg;
    struct dns_parked *parked = call->parked;
    struct dns_chased *name = &parked->chase.names[call - parked->calls];
    call->call = NULL;
    name->is_done = true;
    if (reply.len > 0 && dns_chase_take(name, reply, parked->arena))
        cu_count(parked->server->counts.malformed, 1); /* what came before that is used */
    if (--parked->open == 0)
        go_on(parked);
}

/* Asks for the hosts that are wanted, all at once. False: nobody could be asked. */
static bool chase(struct dns_parked *parked)
{
    struct dns_server *server = parked->server;
    if (!parked->arena)
        parked->arena = cu_arena_new(DNS_CHASED_BYTES);
    for (size_t i = 0; i < parked->chase.count; i++) {
        struct dns_chased *name = &parked->chase.names[i];
        uint8_t query[DNS_CHASE_QUERY_BYTES];
        if (name->is_done)
            continue;
        struct dns_upstream_question question =
            upstream_question(server, (struct cu_bytes){query, dns_chase_question(name, 0, query)});
        question.takes_any_rcode = true;
        cu_count(server->counts.chased, 1);
        parked->calls[i].call =
            dns_upstream_ask(server->upstream, &question, chased, &parked->calls[i]);
        name->is_done = !parked->calls[i].call;
        parked->open += !name->is_done;
    }
    return parked->open > 0;
}

/* ---- a query that has waited ---- */

static struct dns_answer answer_parked(struct dns_parked *parked)
{
    struct dns_server *server = parked->server;
    struct dns_ask ask = ask_of(server, &parked->query, parked->from.transport);
    ask.view = parked->has_view ? server->options.view : NULL;
    ask.random = parked->random;
    ask.chase = &parked->chase;
    return dns_answer(&ask, &server->writer, server->late);
}

/* The same question again, with what is known now. It ends: the names that may be asked for are
 * limited, and each is asked for once. */
static void go_on(struct dns_parked *parked)
{
    struct dns_server *server = parked->server;
    struct dns_answer answer = answer_parked(parked);
    while (answer.outcome == DNS_WANTS) {
        if (chase(parked))
            return;
        answer = answer_parked(parked);
    }
    if (answer.outcome == DNS_FORWARD) {
        if (!forward(parked))
            send_failure(parked);
        return;
    }
    size_t len = count_and_end(server, &parked->query, &answer, parked->since);
    send_back(parked, (struct cu_bytes){server->late, len});
}

/* ---- confirming ---- */

static void start_round(struct dns_server *server)
{
    server->round = server->next_round++;
    server->options.confirm(server->options.arg);
}

static struct dns_parked *find_in_round(const struct dns_server *server, uint64_t round)
{
    struct dns_parked *parked = server->parked;
    while (parked && parked->round != round)
        parked = parked->next;
    return parked;
}

void dns_server_confirmed(struct dns_server *server, bool is_good)
{
    uint64_t round = server->round;
    struct dns_parked *parked;
    server->round = 0;
    while ((parked = find_in_round(server, round))) {
        parked->round = 0;
        parked->has_view = is_good;
        go_on(parked);
    }
    if (find_in_round(server, server->next_round))
        start_round(server);
}

/* ---- a query that comes ---- */

static size_t refuse(struct dns_server *server, const struct dns_query *query, struct cu_mono since,
                     uint8_t *out)
{
    cu_count(server->counts.refused, 1);
    return fail(server, query, since, out);
}

/* What is known of the view, where the question is about it. */
static enum dns_trust trust(struct dns_server *server, const struct dns_query *query)
{
    if (dns_whose(server->options.zone, query) == DNS_OUTSIDE)
        return DNS_TRUSTED;
    enum dns_trust trust = server->options.trust(server->options.arg);
    if (trust == DNS_TRUSTED_STALE)
        cu_count(server->counts.stale, 1);
    return trust;
}

static size_t wait_for_round(struct dns_server *server, struct dns_parked *parked)
{
    parked->round = server->next_round;
    if (!server->round)
        start_round(server);
    return DNS_LATER;
}

/* Answers into `out`, or keeps the query and returns DNS_LATER. */
static size_t serve_query(struct dns_server *server, const struct dns_query *query,
                          struct cu_bytes bytes, const struct dns_from *from, uint8_t *out)
{
    struct cu_mono since = cu_mono_now();
    struct dns_ask ask = ask_of(server, query, from->transport);
    enum dns_trust how = trust(server, query);
    ask.view = how == DNS_TRUSTED || how == DNS_TRUSTED_STALE ? server->options.view : NULL;
    ask.random.state = cu_random_u64(&server->random);
    ask.chase = &server->no_chase;
    server->no_chase.count = 0;
    struct dns_answer answer = {.outcome = DNS_WANTS};
    if (how != DNS_UNCONFIRMED)
        answer = dns_answer(&ask, &server->writer, out);
    if (answer.outcome == DNS_ANSWERED)
        return count_and_end(server, query, &answer, since);
    if (server->parked_count == DNS_PARKED_MAX)
        return refuse(server, query, since, out);
    struct dns_parked *parked = park(server, query, bytes, from);
    parked->since = since;
    parked->random = ask.random;
    parked->has_view = ask.view;
    if (how == DNS_UNCONFIRMED)
        return wait_for_round(server, parked);
    parked->chase = server->no_chase;
    if (answer.outcome == DNS_FORWARD ? forward(parked) : chase(parked))
        return DNS_LATER;
    release(parked);
    return refuse(server, query, since, out);
}

static size_t serve(struct dns_server *server, struct cu_bytes bytes, const struct dns_from *from,
                    uint8_t *out)
{
    struct dns_query query;
    enum dns_verdict verdict = dns_query_parse(bytes, &query);
    cu_count(from->transport == DNS_OVER_UDP ? server->counts.udp : server->counts.tcp, 1);
    switch (verdict) {
    case DNS_GOOD:
        return serve_query(server, &query, bytes, from, out);
    case DNS_IGNORE:
        cu_count(server->counts.ignored, 1);
        return 0;
    case DNS_MALFORMED:
    case DNS_UNKNOWN_OP:
        break;
    }
    struct dns_answer answer = dns_answer_verdict(verdict, &query, &server->writer, out);
    cu_count(server->counts.malformed, 1);
    cu_count(server->counts.rcodes[answer.rcode], 1);
    return server->writer.len;
}

static size_t take_udp(void *arg, struct dns_udp *udp, const struct dns_udp_peer *peer,
                       struct cu_bytes bytes, uint8_t *out)
{
    const struct dns_from from = {.transport = DNS_OVER_UDP, .udp = udp, .udp_peer = peer};
    return serve(arg, bytes, &from, out);
}

static size_t take_tcp(void *arg, struct dns_tcp_peer peer, struct cu_bytes bytes, uint8_t *out)
{
    const struct dns_from from = {.transport = DNS_OVER_TCP, .tcp_peer = peer};
    return serve(arg, bytes, &from, out);
}

/* ---- the whole ---- */

struct dns_server *dns_server_new(const struct dns_server_options *options)
{
    struct dns_server *server = cu_alloc(sizeof *server);
    server->options = *options;
    server->next_round = 1;
    cu_random_bytes(&server->random.state, sizeof server->random.state);
    dns_counts_init(&server->counts, options->metrics, options->node_name);
    server->scratch = dns_scratch_new();
    server->upstream = dns_upstream_new(options->loop, &server->counts);
    server->tcp = dns_tcp_new(options->loop, &server->counts, take_tcp, server);
    return server;
}

enum cu_err dns_server_listen(struct dns_server *server, const char *ip, unsigned port,
                              struct cu_diag *diag)
{
    CU_ASSERT(server->udp_count < DNS_LISTENERS_MAX);
    enum cu_err err = dns_udp_open(&(struct dns_udp_options){.loop = server->options.loop,
                                                             .lost = server->counts.udp_lost,
                                                             .take = take_udp,
                                                             .arg = server},
                                   ip, port, &server->udps[server->udp_count], diag);
    if (err)
        return err;
    server->udp_count++;
    return dns_tcp_listen(server->tcp, ip, port, diag);
}

void dns_server_drain(struct dns_server *server)
{
    dns_tcp_stop_listening(server->tcp);
    for (size_t i = 0; i < server->udp_count; i++)
        dns_udp_stop(server->udps[i]);
}

void dns_server_free(struct dns_server *server)
{
    if (!server)
        return;
    while (server->parked)
        release(server->parked);
    for (size_t i = 0; i < server->udp_count; i++)
        dns_udp_close(server->udps[i]);
    dns_tcp_free(server->tcp);
    dns_upstream_free(server->upstream);
    dns_scratch_free(server->scratch);
    free(server);
}

size_t dns_server_parked(const struct dns_server *server)
{
    return server->parked_count;
}

size_t dns_server_connections(const struct dns_server *server)
{
    return dns_tcp_connections(server->tcp);
}

size_t dns_server_asking(const struct dns_server *server)
{
    return dns_upstream_open(server->upstream);
}
