#include "services/catalogd/io/comparer.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/random.h"
#include "services/catalogd/core/compare.h"
#include "services/catalogd/io/header.h"
#include "services/catalogd/io/scrub.h"

/* Another catalogd in a round. */
struct asked {
    struct catalog_comparer *comparer;
    struct cu_client *client;
    struct cu_call *call;
    char *address;
    bool is_done;
    struct catalog_mark marks[CATALOG_MARKS_MAX];
    size_t count; /* 0: it said nothing that can be compared */
};

struct catalog_comparer {
    struct catalog_shell *shell;
    struct cu_timer timer;
    bool is_round;
    struct asked *asked[CATALOG_PEERS_MAX];
    size_t count, quorum;
    uint64_t index;
    char text[CU_DIAG_BYTES];
};

static void end_round(struct catalog_comparer *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct asked *asked = c->asked[i];
        if (asked->call)
            cu_call_cancel(asked->call);
        cu_client_free(asked->client);
        free(asked->address);
        free(asked);
    }
    c->count = 0;
    c->is_round = false;
}

static void rest(struct catalog_comparer *c)
{
    uint64_t jitter;
    cu_random_bytes(&jitter, sizeof(jitter));
    cu_timer_set_ms(&c->timer, CATALOG_COMPARE_MS - jitter % (CATALOG_COMPARE_MS / 4));
}

/* ---- the judgement ---- */

static void describe(const struct catalog_comparer *c, const struct catalog_verdict *v,
                     char text[CU_DIAG_BYTES])
{
    (void)snprintf(
        text, CU_DIAG_BYTES,
        "at index %llu its hash is %016llx%016llx, that of %s and %zu more is %016llx%016llx",
        (unsigned long long)v->index, (unsigned long long)v->own.hi, (unsigned long long)v->own.lo,
        c->asked[v->peer]->address, v->votes - 1, (unsigned long long)v->other.hi,
        (unsigned long long)v->other.lo);
}

static void disagreed(struct catalog_comparer *c, const struct catalog_verdict *v)
{
    bool is_news = c->text[0] == '\0';
    describe(c, v, c->text);
    cu_count(c->shell->count.compare_differs, 1);
    if (!is_news)
        return;
    cu_error(c->shell->env->log, "state.differs",
             "text=\"%s\" advice=\"no quorum tells which one is right: each now adds up its own "
             "rows; if both do, stop the catalogd that you trust less and remove its "
             "catalog/state.db\"",
             c->text);
    catalog_scrub_now(c->shell->scrub);
}

static void outvoted(struct catalog_comparer *c, const struct catalog_verdict *v)
{
    describe(c, v, c->text);
    cu_count(c->shell->count.compare_differs, 1);
    catalog_shell_disown(c->shell, c->text);
}

static void act_on(struct catalog_comparer *c, const struct catalog_verdict *v)
{
    switch (v->agreement) {
    case CATALOG_UNCOMPARED:
        break;
    case CATALOG_AGREED:
        c->text[0] = '\0';
        c->index = v->index;
        cu_count(c->shell->count.compare_agreed, 1);
        break;
    case CATALOG_DISAGREED:
        disagreed(c, v);
        break;
    case CATALOG_OUTVOTED:
        outvoted(c, v);
        break;
    case CATALOG_AGREEMENT_COUNT:
        break;
    }
}

static size_t own_marks(const struct catalog_comparer *c,
                        struct catalog_mark marks[CATALOG_MARKS_MAX])
{
    const struct catalog_facts *facts = catalog_shell_facts(c->shell);
    return catalog_marks_list(catalog_applier_marks(c->shell->applier),
                              &(struct catalog_mark){facts->position.index, facts->hash}, marks);
}

static void judge(struct catalog_comparer *c)
{
    struct catalog_mark marks[CATALOG_MARKS_MAX];
    struct catalog_claim own = {marks, own_marks(c, marks)}, others[CATALOG_PEERS_MAX];
    for (size_t i = 0; i < c->count; i++)
        others[i] = (struct catalog_claim){c->asked[i]->marks, c->asked[i]->count};
    struct catalog_verdict verdict = catalog_compare(&own, others, c->count, c->quorum);
    act_on(c, &verdict);
}

static void finish(struct catalog_comparer *c)
{
    struct catalog_replica_status status;
    catalog_replica_status(c->shell->replica, &status);
    if (!status.is_pulling && c->count > 0)
        judge(c);
    end_round(c);
    rest(c);
}

/* ---- asking ---- */

static void finish_when_all_are_done(struct catalog_comparer *c)
{
    for (size_t i = 0; i < c->count; i++)
        if (!c->asked[i]->is_done)
            return;
    cu_timer_set_ms(&c->timer, 0); /* not from inside a client that ends with the round */
}

static bool take_mark(const Curia__Internal__V1__HashMark *mark, struct asked *asked)
{
    if (mark->hash.len != CATALOG_HASH_BYTES || asked->count == CATALOG_MARKS_MAX)
        return false;
    if (asked->count > 0 && mark->index >= asked->marks[asked->count - 1].index)
        return false; /* not in order */
    asked->marks[asked->count++] =
        (struct catalog_mark){mark->index, catalog_hash_of_bytes(mark->hash.data)};
    return true;
}

static void take_reply(struct asked *asked, const Curia__Internal__V1__StateHashReply *reply)
{
    struct catalog_id cluster = catalog_id_of(reply->cluster_id);
    const struct catalog_facts *facts = catalog_shell_facts(asked->comparer->shell);
    if (!catalog_id_equal(&cluster, &facts->position.cluster))
        return;
    for (size_t i = 0; i < reply->n_marks; i++)
        if (!take_mark(reply->marks[i], asked)) {
            asked->count = 0;
            return;
        }
}

static void on_hash(void *arg, const struct cu_answer *answer)
{
    struct asked *asked = arg;
    asked->call = NULL;
    asked->is_done = true;
    if (!answer->err)
        take_reply(asked, (const void *)answer->message);
    finish_when_all_are_done(asked->comparer);
}

static void on_state(void *arg, struct cu_client *client, bool is_up)
{
    struct asked *asked = arg;
    if (!is_up || asked->call || asked->is_done)
        return;
    Curia__Internal__V1__StateHashRequest in = CURIA__INTERNAL__V1__STATE_HASH_REQUEST__INIT;
    asked->call =
        cu_client_call(client,
                       &(struct cu_call_spec){.service = &curia__internal__v1__state__descriptor,
                                              .method = "Hash",
                                              .in = &in.base,
                                              .timeout_ms = CATALOG_COMPARE_ANSWER_MS},
                       on_hash, asked);
}

static void ask(struct catalog_comparer *c, const char *address)
{
    if (!address[0] || c->count == CATALOG_PEERS_MAX)
        return;
    struct asked *asked = cu_alloc(sizeof(*asked));
    asked->comparer = c;
    asked->address = cu_strdup(address);
    c->asked[c->count++] = asked;
    char url[300];
    (void)snprintf(url, sizeof(url), "tcp://%s", address);
    asked->client = cu_client_new(c->shell->env->rpc, url, on_state, asked);
}

/* ---- who ---- */

static void ask_servers(struct catalog_comparer *c,
                        const Curia__Internal__V1__LogStatusReply *status)
{
    size_t voters = 0, count = status->configuration ? status->configuration->n_servers : 0;
    for (size_t i = 0; i < count; i++) {
        const Curia__Internal__V1__Server *server = status->configuration->servers[i];
        voters += server->voter;
        if (!server->voter || strcmp(server->id, status->node_id) == 0)
            continue;
        char *address = catalog_conf_address_of(&c->shell->conf, server->id, server->address);
        ask(c, address);
        free(address);
    }
    c->quorum = voters / 2 + 1;
}

static void begin_answers(struct catalog_comparer *c)
{
    c->is_round = true;
    cu_timer_set_ms(&c->timer, CATALOG_COMPARE_ANSWER_MS);
}

static void on_status(void *arg, const struct cu_answer *answer)
{
    struct catalog_comparer *c = arg;
    if (c->shell->is_stopping)
        return;
    if (answer->err)
        rest(c);
    else {
        ask_servers(c, (const void *)answer->message);
        begin_answers(c);
    }
}

static void ask_raftd(struct catalog_comparer *c)
{
    Curia__Internal__V1__LogStatusRequest in = CURIA__INTERNAL__V1__LOG_STATUS_REQUEST__INIT;
    (void)cu_client_call(c->shell->raftd,
                         &(struct cu_call_spec){.service = &curia__internal__v1__log__descriptor,
                                                .method = "Status",
                                                .in = &in.base,
                                                .timeout_ms = CATALOG_COMPARE_ANSWER_MS},
                         on_status, c);
}

static void on_timer(void *arg)
{
    struct catalog_comparer *c = arg;
    struct catalog_shell *shell = c->shell;
    if (c->is_round) {
        finish(c);
    } else if (shell->conf.follow[0] == '\0') {
        ask_raftd(c);
    } else {
        c->quorum = 1;
        ask(c, shell->attached_address ? shell->attached_address : "");
        begin_answers(c);
    }
}

/* ---- life ---- */

void catalog_comparer_forget(struct catalog_comparer *comparer)
{
    comparer->text[0] = '\0';
    comparer->index = 0;
}

uint64_t catalog_comparer_index(const struct catalog_comparer *comparer)
{
    return comparer->index;
}

const char *catalog_comparer_text(const struct catalog_comparer *comparer)
{
    return comparer->text;
}

struct catalog_comparer *catalog_comparer_new(struct catalog_shell *shell)
{
    struct catalog_comparer *c = cu_alloc(sizeof(*c));
    c->shell = shell;
    cu_timer_init(&c->timer, shell->env->loop, on_timer, c);
    rest(c);
    return c;
}

void catalog_comparer_free(struct catalog_comparer *comparer)
{
    if (!comparer)
        return;
    end_round(comparer);
    cu_timer_close(&comparer->timer);
    free(comparer);
}
