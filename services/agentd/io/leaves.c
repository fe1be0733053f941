#include "services/agentd/io/leaves.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/map.h"
#include "common/tls/cert.h"
#include "curia/v1/connect.pb-c.h"
#include "services/agentd/core/renewal.h"

enum { ROOTS_WAIT_MS = 600 * 1000, ROOTS_RETRY_MS = 1000 };

struct leaf {
    struct leaf *next, *prev; /* the one asked for last comes first */
    struct agent_leaves *leaves;
    struct cu_buf key; /* in the map */
    char *service, *token;
    Curia__V1__IssuedCert cert; /* its texts are ours; cert_pem "": none yet */
    char issuer_key_id[CU_COLON_HEX_BYTES];
    struct cu_mono issued, used;
    /* On its way. */
    char *next_key, *csr;
    Curia__V1__CaSignRequest request;
    struct cu_view_call call;
    bool is_asking;
    unsigned failures;
    struct cu_timer renewal;
    struct agent_leaf_read *readers;
};

struct agent_leaves {
    struct agent_leaves_options o;
    struct cu_map by_key;
    struct leaf *first, *last;
    struct cu_random random;
    struct cu_counter *issued, *failed;
    /* The roots, watched while there are leaves. */
    struct cu_view_read roots;
    struct cu_timer roots_retry;
    bool is_watching;
    char *trust_domain; /* NULL: not known yet */
    char *signing_key_id;
};

/* ---- readers ---- */

static void let_go(struct agent_leaf_read *read)
{
    *read->at = read->next;
    if (read->next)
        read->next->at = read->at;
    read->leaf = NULL;
    cu_timer_close(&read->deadline);
}

static void answer(struct agent_leaf_read *read, const struct agent_leaf_answer *said)
{
    let_go(read);
    read->done(read->arg, said);
}

static bool has_cert(const struct leaf *leaf)
{
    return leaf->cert.modify_index > 0;
}

static struct agent_leaf_answer cert_of(const struct leaf *leaf, bool is_hit)
{
    struct cu_mono now = cu_loop_now(leaf->leaves->o.loop);
    return (struct agent_leaf_answer){
        .cert = &leaf->cert, .is_hit = is_hit, .age_ms = cu_mono_ms_between(leaf->issued, now)};
}

static void out_of_time(void *arg)
{
    struct agent_leaf_read *read = arg;
    struct agent_leaf_answer said = cert_of(read->leaf, true);
    answer(read, &said);
}

/* Those who hang on it now; who comes while they are told is not among them. */
static void tell_all(struct leaf *leaf, const struct agent_leaf_answer *said)
{
    struct agent_leaf_read *list = leaf->readers;
    leaf->readers = NULL;
    if (list)
        list->at = &list;
    while (list)
        answer(list, said);
}

void agent_leaf_cancel(struct agent_leaf_read *read)
{
    if (read->leaf)
        let_go(read);
}

/* ---- the list ---- */

static void unlink_leaf(struct leaf *leaf)
{
    struct agent_leaves *leaves = leaf->leaves;
    *(leaf->prev ? &leaf->prev->next : &leaves->first) = leaf->next;
    *(leaf->next ? &leaf->next->prev : &leaves->last) = leaf->prev;
}

static void link_first(struct leaf *leaf)
{
    struct agent_leaves *leaves = leaf->leaves;
    leaf->prev = NULL;
    leaf->next = leaves->first;
    *(leaf->next ? &leaf->next->prev : &leaves->last) = leaf;
    leaves->first = leaf;
}

static void drop_request(struct leaf *leaf)
{
    cu_secret_free(leaf->next_key);
    free(leaf->csr);
    leaf->next_key = leaf->csr = NULL;
    leaf->is_asking = false;
}

static char *const nothing = (char *)(uintptr_t)protobuf_c_empty_string;

static void free_text(char **text)
{
    if (*text != nothing)
        free(*text);
    *text = nothing;
}

static void drop_cert(struct leaf *leaf)
{
    Curia__V1__IssuedCert *cert = &leaf->cert;
    if (cert->private_key_pem != nothing)
        cu_secret_free(cert->private_key_pem);
    free_text(&cert->serial_number);
    free_text(&cert->cert_pem);
    free_text(&cert->service_uri);
    curia__v1__issued_cert__init(cert);
}

static void free_leaf(struct leaf *leaf)
{
    CU_ASSERT(!leaf->readers);
    (void)cu_map_del(&leaf->leaves->by_key, cu_buf_bytes(&leaf->key));
    unlink_leaf(leaf);
    cu_view_call_cancel(&leaf->call);
    cu_timer_close(&leaf->renewal);
    drop_request(leaf);
    drop_cert(leaf);
    cu_buf_deinit(&leaf->key);
    free(leaf->service);
    free(leaf->token);
    free(leaf);
}

/* Room for one more; false: somebody waits for each. */
static bool make_room(struct agent_leaves *leaves)
{
    struct leaf *leaf = leaves->last;
    if (leaves->by_key.count < leaves->o.limit)
        return true;
    while (leaf && leaf->readers)
        leaf = leaf->prev;
    if (leaf)
        free_leaf(leaf);
    return leaf != NULL;
}

/* ---- signing ---- */

/* The old one is given out as long as there is one. */
static void failed(struct leaf *leaf, enum cu_err err, const char *text)
{
    struct agent_leaves *leaves = leaf->leaves;
    cu_count(leaves->failed, 1);
    drop_request(leaf);
    if (!has_cert(leaf)) {
        struct agent_leaf_answer said = {.err = err, .text = text};
        tell_all(leaf, &said);
        free_leaf(leaf);
        return;
    }
    leaf->failures++;
    cu_warn(leaves->o.log, "leaf.renew", "service=\"%s\" failures=%u reason=\"%s\"", leaf->service,
            leaf->failures, text);
    cu_timer_set_ms(&leaf->renewal, agent_renewal_retry_ms(&leaves->random, leaf->failures));
}

static void take(struct leaf *leaf, const Curia__V1__CaSignReply *reply,
                 const struct cu_cert_facts *facts)
{
    struct agent_leaves *leaves = leaf->leaves;
    Curia__V1__IssuedCert *cert = &leaf->cert;
    drop_cert(leaf);
    cert->serial_number = cu_strdup(reply->serial_number);
    cert->cert_pem = cu_strdup(reply->cert);
    cert->private_key_pem = leaf->next_key;
    cert->service = leaf->service;
    cert->service_uri = cu_strdup(reply->service_uri);
    cert->valid_after_s = reply->valid_after_s;
    cert->valid_before_s = reply->valid_before_s;
    cert->create_index = cert->modify_index = reply->index;
    leaf->next_key = NULL;
    memcpy(leaf->issuer_key_id, facts->issuer_key_id, sizeof leaf->issuer_key_id);
    leaf->issued = cu_loop_now(leaves->o.loop);
    leaf->failures = 0;
    drop_request(leaf);
    cu_count(leaves->issued, 1);
    cu_timer_set_ms(&leaf->renewal,
                    agent_renewal_after_ms(&leaves->random, cert->valid_after_s,
                                           cert->valid_before_s, (int64_t)cu_wall_ms()));
    struct agent_leaf_answer said = cert_of(leaf, false);
    tell_all(leaf, &said);
}

static void signed_one(void *arg, const struct cu_answer *answer)
{
    struct leaf *leaf = arg;
    const Curia__V1__CaSignReply *reply = (const Curia__V1__CaSignReply *)answer->message;
    struct cu_cert_facts facts;
    struct cu_diag diag = {0};
    if (answer->err)
        failed(leaf, answer->err, answer->text);
    else if (!reply->index || cu_cert_read(reply->cert, &facts, &diag))
        failed(leaf, CU_E_INTERNAL, "the catalog signed nothing that can be read");
    else
        take(leaf, reply, &facts);
}

/* Once the roots are known; until then it waits for them. */
static void ask(struct leaf *leaf)
{
    struct agent_leaves *leaves = leaf->leaves;
    struct cu_diag diag = {0};
    if (leaf->is_asking || !leaves->trust_domain)
        return;
    enum cu_err err = cu_service_csr_new(leaves->trust_domain, leaves->o.datacenter, leaf->service,
                                         &leaf->next_key, &leaf->csr, &diag);
    if (err) {
        failed(leaf, err, diag.text);
        return;
    }
    leaf->is_asking = true;
    curia__v1__ca_sign_request__init(&leaf->request);
    leaf->request.csr = leaf->csr;
    leaf->call = (struct cu_view_call){
        .service = &curia__v1__connect_ca__descriptor,
        .method = "Sign",
        .request = &leaf->request.base,
        .timeout_ms = AGENT_LEAF_SIGN_MS,
        .repeatable = true, /* a certificate too many harms nobody */
        .token = *leaf->token ? leaf->token : NULL,
        .origin = {leaves->o.node_name, "agentd", ""},
        .done = signed_one,
        .arg = leaf,
    };
    cu_view_call(leaves->o.view, &leaf->call);
}

static void renew(void *arg)
{
    struct leaf *leaf = arg;
    struct cu_mono now = cu_loop_now(leaf->leaves->o.loop);
    if (!leaf->readers && cu_mono_ms_between(leaf->used, now) > AGENT_LEAF_UNUSED_MS)
        free_leaf(leaf);
    else
        ask(leaf);
}

/* ---- roots ---- */

/* All of them that matters here: the trust domain, and whose signatures are in force. */
static unsigned keep_roots(const ProtobufCMessage *message, unsigned format, struct cu_buf *out)
{
    const Curia__V1__CaRootsReply *reply = (const Curia__V1__CaRootsReply *)message;
    const char *key_id = "";
    (void)format;
    for (size_t i = 0; i < reply->n_roots; i++)
        if (reply->roots[i]->active)
            key_id = reply->roots[i]->signing_key_id;
    cu_buf_append(out, reply->trust_domain, strlen(reply->trust_domain) + 1);
    cu_buf_append(out, key_id, strlen(key_id) + 1);
    return 0;
}

static const struct cu_view_method roots_method = {&curia__v1__connect_ca__descriptor, "Roots",
                                                   keep_roots};

static void roots_come(void *arg, const struct cu_view_answer *answer);

static void ask_roots(struct agent_leaves *leaves, uint64_t index)
{
    Curia__V1__CaRootsRequest request = CURIA__V1__CA_ROOTS_REQUEST__INIT;
    leaves->is_watching = true;
    leaves->roots = (struct cu_view_read){.method = &roots_method,
                                          .request = &request.base,
                                          .mode = CU_VIEW_DEFAULT,
                                          .index = index,
                                          .wait_ms = index ? ROOTS_WAIT_MS : 0,
                                          .done = roots_come,
                                          .arg = leaves};
    cu_view_read(leaves->o.view, &leaves->roots);
}

static void retry_roots(void *arg)
{
    struct agent_leaves *leaves = arg;
    if (!leaves->is_watching)
        ask_roots(leaves, 0);
}

/* Who has no leaf yet asks; who has one of another root does so in its own time. */
static void look_at_roots(struct agent_leaves *leaves)
{
    for (struct leaf *leaf = leaves->first, *next; leaf; leaf = next) {
        next = leaf->next;
        if (!has_cert(leaf))
            ask(leaf);
        else if (!leaf->is_asking && *leaves->signing_key_id &&
                 strcmp(leaf->issuer_key_id, leaves->signing_key_id) != 0)
            cu_timer_set_ms(&leaf->renewal, agent_renewal_spread_ms(&leaves->random));
    }
}

static void fail_waiting(struct agent_leaves *leaves, enum cu_err err, const char *text)
{
    for (struct leaf *leaf = leaves->first, *next; leaf; leaf = next) {
        next = leaf->next;
        if (!has_cert(leaf) && !leaf->is_asking)
            failed(leaf, err, text);
    }
}

static void take_roots(struct agent_leaves *leaves, const struct cu_view_answer *answer)
{
    const char *trust_domain = (const char *)answer->body->bytes;
    const char *key_id = trust_domain + strlen(trust_domain) + 1;
    if (!*trust_domain) {
        fail_waiting(leaves, CU_E_INVALID, "Connect must be enabled in order to use this endpoint");
        return;
    }
    bool is_same = leaves->trust_domain && strcmp(leaves->trust_domain, trust_domain) == 0 &&
                   strcmp(leaves->signing_key_id, key_id) == 0;
    if (is_same)
        return;
    free(leaves->trust_domain);
    free(leaves->signing_key_id);
    leaves->trust_domain = cu_strdup(trust_domain);
    leaves->signing_key_id = cu_strdup(key_id);
    look_at_roots(leaves);
}

static void roots_come(void *arg, const struct cu_view_answer *answer)
{
    struct agent_leaves *leaves = arg;
    leaves->is_watching = false;
    if (answer->err) {
        if (!leaves->trust_domain)
            fail_waiting(leaves, answer->err, answer->text);
        if (leaves->first)
            cu_timer_set_ms(&leaves->roots_retry, ROOTS_RETRY_MS);
        return;
    }
    take_roots(leaves, answer);
    if (leaves->first && !leaves->is_watching)
        ask_roots(leaves, answer->index);
}

/* ---- reading ---- */

static struct leaf *new_leaf(struct agent_leaves *leaves, struct cu_buf *key,
                             const struct agent_leaf_read *read)
{
    struct leaf *leaf = cu_alloc(sizeof *leaf);
    leaf->leaves = leaves;
    leaf->key = *key;
    *key = (struct cu_buf){0};
    leaf->service = cu_strdup(read->service);
    leaf->token = cu_strdup(read->token ? read->token : "");
    curia__v1__issued_cert__init(&leaf->cert);
    cu_timer_init(&leaf->renewal, leaves->o.loop, renew, leaf);
    (void)cu_map_put(&leaves->by_key, cu_buf_bytes(&leaf->key), leaf); /* there was none */
    link_first(leaf);
    return leaf;
}

/* NULL: there is no room. */
static struct leaf *leaf_of(struct agent_leaves *leaves, const struct agent_leaf_read *read)
{
    struct cu_buf key = {0};
    const char *token = read->token ? read->token : "";
    cu_buf_append(&key, token, strlen(token) + 1);
    cu_buf_append(&key, read->service, strlen(read->service) + 1);
    struct leaf *leaf = cu_map_get(&leaves->by_key, cu_buf_bytes(&key));
    if (leaf) {
        unlink_leaf(leaf);
        link_first(leaf);
    } else if (make_room(leaves)) {
        leaf = new_leaf(leaves, &key, read);
    }
    cu_buf_deinit(&key);
    return leaf;
}

static void hang_on(struct leaf *leaf, struct agent_leaf_read *read)
{
    read->leaf = leaf;
    read->next = leaf->readers;
    read->at = &leaf->readers;
    if (read->next)
        read->next->at = &read->next;
    leaf->readers = read;
    cu_timer_init(&read->deadline, leaf->leaves->o.loop, out_of_time, read);
    if (has_cert(leaf))
        cu_timer_set_ms(&read->deadline, read->wait_ms);
}

void agent_leaf_read(struct agent_leaves *leaves, struct agent_leaf_read *read)
{
    struct leaf *leaf = leaf_of(leaves, read);
    if (!leaf) {
        struct agent_leaf_answer said = {.err = CU_E_OVERLOADED,
                                         .text = "This agent is asked for too many leaves at once"};
        read->done(read->arg, &said);
        return;
    }
    leaf->used = cu_loop_now(leaves->o.loop);
    if (has_cert(leaf) && leaf->cert.modify_index != read->index) {
        struct agent_leaf_answer said = cert_of(leaf, true);
        read->done(read->arg, &said);
        return;
    }
    hang_on(leaf, read);
    if (!has_cert(leaf))
        ask(leaf); /* from here on both may be gone */
    if (!leaves->is_watching) {
        cu_timer_cancel(&leaves->roots_retry);
        ask_roots(leaves, 0);
    }
}

size_t agent_leaves_count(const struct agent_leaves *leaves)
{
    return leaves->by_key.count;
}

/* ---- life ---- */

struct agent_leaves *agent_leaves_new(const struct agent_leaves_options *options)
{
    struct agent_leaves *leaves = cu_alloc(sizeof *leaves);
    leaves->o = *options;
    cu_random_bytes(&leaves->random.state, sizeof leaves->random.state);
    leaves->issued = cu_metrics_counter(options->metrics, "leaf.signed");
    leaves->failed = cu_metrics_counter(options->metrics, "leaf.failed");
    cu_timer_init(&leaves->roots_retry, options->loop, retry_roots, leaves);
    return leaves;
}

void agent_leaves_free(struct agent_leaves *leaves)
{
    if (!leaves)
        return;
    while (leaves->first) {
        while (leaves->first->readers)
            let_go(leaves->first->readers);
        free_leaf(leaves->first);
    }
    if (leaves->is_watching)
        cu_view_cancel(&leaves->roots);
    cu_timer_close(&leaves->roots_retry);
    cu_map_deinit(&leaves->by_key);
    free(leaves->trust_domain);
    free(leaves->signing_key_id);
    free(leaves);
}
