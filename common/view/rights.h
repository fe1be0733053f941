/* rights.h - what a token may do, for a daemon that guards something of its own (http-api.md 4.2).
 *
 * Equal tokens share one question to a catalogd, and its answer for as long as it is fresh. */
#ifndef CU_VIEW_RIGHTS_H
#define CU_VIEW_RIGHTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/acl/authorizer.h"
#include "common/base/err.h"
#include "common/loop/loop.h"

struct cu_view;
struct cu_log;
struct cu_metrics;
struct cu_rights;
struct rights_token;

enum {
    CU_RIGHTS_TTL_MS = 30 * 1000, /* the reference's acl.token_ttl */
    CU_RIGHTS_TOKENS_MAX = 4096,  /* whose answers are kept; the one used longest ago makes room */
    CU_RIGHTS_TOKEN_BYTES_MAX = 512, /* a longer one is nobody's */
    CU_RIGHTS_ASK_MS = 10 * 1000,
};

/* What is done when no catalogd can say. */
enum cu_down_policy {
    CU_DOWN_EXTEND_CACHE, /* the last answer, however old, for another ttl; nothing without one */
    CU_DOWN_ASYNC_CACHE,  /* the last answer at once, even when one could say: asked meanwhile */
    CU_DOWN_ALLOW,
    CU_DOWN_DENY,
    CU_DOWN_POLICY_COUNT
};
/* By the reference's words, "extend-cache" and so on. */
bool cu_down_policy_find(const char *words, enum cu_down_policy *ret_policy);

struct cu_rights_options {
    struct cu_view *view; /* must live longer */
    struct cu_loop *loop;
    struct cu_log *log;         /* may be NULL */
    struct cu_metrics *metrics; /* may be NULL */
    bool is_enabled;            /* false: everybody may do everything, and no token is looked at */
    bool is_allowed_by_default; /* acl.default_policy */
    enum cu_down_policy down_policy;
    uint64_t token_ttl_ms;    /* 0: each time it is asked */
    const char *node;         /* for the master token of the agent; copied */
    const char *agent_master; /* NULL or empty: there is none; copied */
};

struct cu_rights *cu_rights_new(const struct cu_rights_options *options);
/* Whoever still asks is forgotten, without an answer. Not from within a `done`. Takes NULL. */
void cu_rights_free(struct cu_rights *rights);

/* Good without any catalogd: `agent` of this node, and all nodes to be read. NULL or empty: none.
 */
void cu_rights_set_agent_master(struct cu_rights *rights, const char *token);

/* One question. Lives in its owner until `done` or cu_rights_cancel(); zero-initialise, fill the
 * first part.
 *
 * With CU_OK `authorizer` is set: borrowed, take a reference to keep it. DENIED: the token is
 * unknown or expired, `text` says so ("ACL not found"), and `authorizer` is NULL. INTERNAL: it is a
 * name of the root ("Cannot resolve root ACL"). What a catalogd does not say is no error: the down
 * policy answers. `text` is never NULL; `accessor` is the token's, empty when nobody knows. */
struct cu_rights_ask {
    const char *token; /* NULL or empty: the anonymous one; only needed by cu_rights_ask() itself */
    void (*done)(void *arg, enum cu_err err, const char *text, struct cu_authorizer *authorizer,
                 const char *accessor);
    void *arg;

    struct cu_rights_ask *next, **at; /* of the rights */
};

/* `done` is called once, and may be before this returns. */
void cu_rights_ask(struct cu_rights *rights, struct cu_rights_ask *ask);
/* Forgets a question; does nothing when it has been answered. */
void cu_rights_cancel(struct cu_rights_ask *ask);

/* How long an equal question would get an equal answer, as things are kept: who guards something
 * open asks again then. Of a token of which nothing is kept: the ttl. */
uint64_t cu_rights_fresh_ms(const struct cu_rights *rights, const char *token);
/* ACLs are on. */
bool cu_rights_is_enabled(const struct cu_rights *rights);

#endif
