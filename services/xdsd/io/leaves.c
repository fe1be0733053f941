#include "services/xdsd/io/leaves.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/map.h"
#include "common/base/random.h"
#include "common/tls/cert.h"
#include "curia/v1/connect.pb-c.h"

struct xds_leaf {
    struct xds_leaves *leaves;
    unsigned refs;
    char *service, *token;
    /* In force. */
    char *cert_pem, *key_pem, *root_id;
    uint64_t number;
    /* On its way. */
    char *next_key, *next_root_id, *csr;
    Curia__V1__CaSignRequest request;
    struct cu_view_call call;
    bool is_asking;
    uint64_t retry_ms;
    struct cu_timer timer; /* the next time to ask */
};

struct xds_leaves {
    struct xds_leaves_options o;
    struct cu_map all; /* by service */
    struct cu_random random;
    struct cu_counter *issued, *failed;
    struct cu_log_limit said;
};

struct xds_leaves *xds_leaves_new(const struct xds_leaves_options *options)
{
    struct xds_leaves *leaves = cu_alloc(sizeof *leaves);
    leaves->o = *options;
    cu_random_bytes(&leaves->random.state, sizeof leaves->random.state);
    leaves->issued = cu_metrics_counter(options->env->metrics, "xds.leaf.signed");
    leaves->failed = cu_metrics_counter(options->env->metrics, "xds.leaf.failed");
    return leaves;
}

void xds_leaves_free(struct xds_leaves *leaves)
{
    if (!leaves)
        return;
    CU_ASSERT(leaves->all.count == 0);
    cu_map_deinit(&leaves->all);
    free(leaves);
}

/* ---- asking ---- */

static void drop_request(struct xds_leaf *leaf)
{
    cu_secret_free(leaf->next_key);
    free(leaf->next_root_id);
    free(leaf->csr);
    leaf->next_key = leaf->next_root_id = leaf->csr = NULL;
    leaf->is_asking = false;
}

/* Somewhere in the second half of `ms`. */
static uint64_t spread(struct xds_leaves *leaves, uint64_t ms)
{
    return ms / 2 + cu_random_below(&leaves->random, ms / 2 + 1);
}

static void failed(struct xds_leaf *leaf, const char *why)
{
    struct xds_leaves *leaves = leaf->leaves;
    cu_count(leaves->failed, 1);
    cu_log_limited(leaves->o.env->log, &leaves->said, CU_LOG_WARN, "leaf.failed",
                   "service=%s error=\"%.300s\"", leaf->service, why);
    drop_request(leaf);
    cu_timer_set_ms(&leaf->timer, spread(leaves, leaf->retry_ms));
    leaf->retry_ms =
        2 * leaf->retry_ms < XDS_LEAF_RETRY_MAX_MS ? 2 * leaf->retry_ms : XDS_LEAF_RETRY_MAX_MS;
}

/* Between 60 % and 90 % of what is left of it; where that is minutes only, 10 % sooner, as there is
 * little time to try again. */
static uint64_t renew_after_ms(struct xds_leaves *leaves, int64_t not_after_s)
{
    enum { SOONEST_MS = 1000, SHORT_MS = 10 * 60 * 1000 };
    int64_t left_ms = not_after_s * 1000 - (int64_t)cu_wall_ms();
    uint64_t tenth = left_ms > 0 ? (uint64_t)left_ms / 10 : 0;
    uint64_t first = left_ms < SHORT_MS ? 5 : 6;
    uint64_t after_ms = first * tenth + cu_random_below(&leaves->random, 3 * tenth + 1);
    return after_ms > SOONEST_MS ? after_ms : SOONEST_MS;
}

static void take(struct xds_leaf *leaf, const Curia__V1__CaSignReply *reply)
{
    struct xds_leaves *leaves = leaf->leaves;
    free(leaf->cert_pem);
    free(leaf->root_id);
    cu_secret_free(leaf->key_pem);
    leaf->cert_pem = cu_strdup(reply->cert);
    leaf->key_pem = leaf->next_key;
    leaf->root_id = leaf->next_root_id;
    leaf->next_key = leaf->next_root_id = NULL;
    leaf->number++;
    leaf->retry_ms = XDS_LEAF_RETRY_MIN_MS;
    drop_request(leaf);
    cu_count(leaves->issued, 1);
    cu_debug(leaves->o.env->log, "leaf.signed", "service=%s serial=%s", leaf->service,
             reply->serial_number);
    cu_timer_set_ms(&leaf->timer, renew_after_ms(leaves, reply->valid_before_s));
    leaves->o.signed_one(leaves->o.arg);
}

static void answered(void *arg, const struct cu_answer *answer)
{
    struct xds_leaf *leaf = arg;
    const Curia__V1__CaSignReply *reply = (const Curia__V1__CaSignReply *)answer->message;
    if (answer->err)
        failed(leaf, answer->text);
    else if (!*reply->cert)
        failed(leaf, "an empty certificate");
    else
        take(leaf, reply);
}

static void ask(void *arg)
{
    struct xds_leaf *leaf = arg;
    struct xds_roots roots = xds_view_roots(leaf->leaves->o.view);
    struct cu_diag diag = {0};
    if (!roots.trust_domain || leaf->is_asking)
        return; /* xds_leaves_moved() comes back */
    cu_timer_cancel(&leaf->timer);
    leaf->is_asking = true;
    if (cu_service_csr_new(roots.trust_domain, leaf->leaves->o.env->datacenter, leaf->service,
                           &leaf->next_key, &leaf->csr, &diag)) {
        failed(leaf, diag.text);
        return;
    }
    leaf->next_root_id = cu_strdup(roots.active_id);
    curia__v1__ca_sign_request__init(&leaf->request);
    leaf->request.csr = leaf->csr;
    leaf->call = (struct cu_view_call){.service = &curia__v1__connect_ca__descriptor,
                                       .method = "Sign",
                                       .request = &leaf->request.base,
                                       .timeout_ms = XDS_LEAF_CALL_MS,
                                       .repeatable = true, /* a second certificate does no harm */
                                       .token = leaf->token,
                                       .done = answered,
                                       .arg = leaf};
    cu_view_call(leaf->leaves->o.calls, &leaf->call);
}

/* ---- holding ---- */

struct xds_leaf *xds_leaf_hold(struct xds_leaves *leaves, const char *service)
{
    struct cu_bytes key = cu_bytes_of(service);
    struct xds_leaf *leaf = cu_map_get(&leaves->all, key);
    if (leaf) {
        leaf->refs++;
        return leaf;
    }
    leaf = cu_alloc(sizeof *leaf);
    leaf->leaves = leaves;
    leaf->refs = 1;
    leaf->service = cu_strdup(service);
    leaf->retry_ms = XDS_LEAF_RETRY_MIN_MS;
    cu_timer_init(&leaf->timer, leaves->o.env->loop, ask, leaf);
    (void)cu_map_put(&leaves->all, key, leaf);
    cu_timer_set_ms(&leaf->timer, 0);
    return leaf;
}

void xds_leaf_release(struct xds_leaf *leaf)
{
    if (!leaf || --leaf->refs > 0)
        return;
    if (leaf->is_asking)
        cu_view_call_cancel(&leaf->call);
    (void)cu_map_del(&leaf->leaves->all, cu_bytes_of(leaf->service));
    drop_request(leaf);
    cu_timer_close(&leaf->timer);
    cu_secret_free(leaf->key_pem);
    cu_secret_free(leaf->token);
    free(leaf->cert_pem);
    free(leaf->root_id);
    free(leaf->service);
    free(leaf);
}

bool xds_leaf_pems(const struct xds_leaf *leaf, const char **ret_cert, const char **ret_key)
{
    *ret_cert = leaf->cert_pem;
    *ret_key = leaf->key_pem;
    return leaf->number > 0;
}

const char *xds_leaf_service(const struct xds_leaf *leaf)
{
    return leaf->service;
}

/* A request that is on its way keeps its own: it is packed, but may be sent again. */
void xds_leaf_set_token(struct xds_leaf *leaf, const char *token)
{
    if (leaf->token && strcmp(leaf->token, token) == 0)
        return;
    char *old = leaf->token;
    leaf->token = cu_strdup(token);
    if (leaf->is_asking)
        leaf->call.token = leaf->token;
    cu_secret_free(old);
}

uint64_t xds_leaf_number(const struct xds_leaf *leaf)
{
    return leaf->number;
}

void xds_leaves_moved(struct xds_leaves *leaves)
{
    struct xds_roots roots = xds_view_roots(leaves->o.view);
    struct cu_bytes key;
    size_t at = 0;
    if (!roots.active_id)
        return;
    for (void *value; cu_map_next(&leaves->all, &at, &key, &value);) {
        struct xds_leaf *leaf = value;
        if (leaf->is_asking)
            continue;
        if (leaf->root_id && strcmp(leaf->root_id, roots.active_id) != 0) {
            free(leaf->root_id); /* once: the timer is set for it */
            leaf->root_id = cu_strdup(roots.active_id);
            cu_timer_set_ms(&leaf->timer, cu_random_below(&leaves->random, XDS_LEAF_SPREAD_MS));
        } else if (!cu_timer_is_set(&leaf->timer)) { /* there was no root as it was due */
            cu_timer_set_ms(&leaf->timer, 0);
        }
    }
}

size_t xds_leaves_count(const struct xds_leaves *leaves)
{
    return leaves->all.count;
}
