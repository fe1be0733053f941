#include "services/catalogd/io/ca.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/assert.h"
#include "common/base/num.h"
#include "common/base/random.h"
#include "common/tls/cert.h"
#include "proto/curia/v1/connect.pb-c.h"
#include "services/catalogd/core/ca.h"
#include "services/catalogd/core/bookmark.h"
#include "services/catalogd/io/ca_terms.h"
#include "services/catalogd/rpc/read.h"
#include "services/catalogd/rpc/write.h"

enum { PROPOSE_MS = 10000, ARENA_BYTES = 1024 * 1024, SIGNINGS_MAX = 1024 };

/* A request on its way: it waits for a slot, then for its place in the log. */
struct signing {
    struct signing *next, *prev;
    struct catalog_ca *ca;
    struct cu_rq *rq;
    struct cu_timer slot;
    struct catalog_write *write;
    struct cu_spiffe id;
    char uri[CU_SPIFFE_URI_BYTES];
};

struct catalog_ca {
    struct catalog_shell *shell;
    bool is_making; /* a root is on its way */
    struct signing *signings;
    size_t count;
    struct cu_mono next_slot;
};

/* What signs now; all in the arena. */
struct authority {
    const char *trust_domain, *root_id, *root_pem, *key_pem;
    struct catalog_ca_terms terms;
    uint64_t roots_index; /* of the table: 0 where nothing was ever written */
};

/* ---- the state ---- */

static struct catalog_ca_terms terms_of(const Curia__V1__CaConfig *config)
{
    struct cu_bytes json = {0};
    if (config)
        json = (struct cu_bytes){config->config.data, config->config.len};
    return catalog_ca_terms_of(json);
}

/* CU_E_NOT_READY: there is no snapshot to read now, or no root yet. */
static enum cu_err look(struct catalog_shell *shell, struct cu_arena *arena,
                        struct authority *ret_authority)
{
    const struct catalog_backend *snapshot = catalog_readers_snapshot(shell->readers);
    struct catalog_bookmark bookmark;
    Curia__V1__CaRootsReply roots = CURIA__V1__CA_ROOTS_REPLY__INIT;
    Curia__V1__CaConfig *config = NULL;
    uint64_t index;
    if (!snapshot || catalog_bookmark_read(snapshot, arena, &bookmark))
        return CU_E_NOT_READY;
    struct catalog_view view = catalog_view_of(snapshot, &bookmark);
    enum cu_err err = catalog_ca_roots(&view, arena, &roots, &index);
    if (!err)
        err = catalog_ca_config(&view, arena, &config, &index);
    if (err)
        return err;
    *ret_authority = (struct authority){.trust_domain = roots.trust_domain,
                                        .root_id = roots.active_root_id,
                                        .roots_index = view.roots_index,
                                        .terms = terms_of(config)};
    for (size_t i = 0; i < roots.n_roots; i++)
        if (roots.roots[i]->active)
            ret_authority->root_pem = roots.roots[i]->root_cert;
    return ret_authority->root_pem
               ? catalog_ca_key(&view, roots.active_root_id, arena, &ret_authority->key_pem)
               : CU_OK;
}

/* ---- the first root ---- */

static void made(void *arg, enum cu_err err, const struct catalog_outcome *outcome)
{
    struct catalog_ca *ca = arg;
    ca->is_making = false;
    if (err)
        cu_debug(ca->shell->env->log, "ca.root", "error=%s", cu_err_name(err));
    else if (outcome->result->error)
        cu_error(ca->shell->env->log, "ca.root", "why=\"%s\"", outcome->result->text);
    else if (outcome->result->applied)
        cu_info(ca->shell->env->log, "ca.root", "made=true");
}

static const char *cluster_id_of(const struct catalog_shell *shell, char made_up[CU_UUID_BYTES])
{
    uint8_t bytes[16];
    if (*shell->conf.ca_cluster_id)
        return shell->conf.ca_cluster_id;
    cu_uuid_random(bytes);
    return cu_format_uuid(bytes, made_up);
}

static void random_uid(char uid[9])
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    uint8_t bytes[8];
    cu_random_bytes(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        uid[i] = digits[bytes[i] % 36];
    uid[8] = '\0';
}

static void fill_root(const char *pem, const char *cluster_id, Curia__V1__CaRoot *root,
                      struct cu_cert_facts *facts)
{
    enum cu_err err = cu_cert_read(pem, facts, NULL);
    CU_ASSERT(!err); /* made a moment ago */
    curia__v1__ca_root__init(root);
    root->id = facts->id;
    root->name = "Consul CA Root Cert";
    root->serial_number = facts->serial_number;
    root->signing_key_id = facts->key_id;
    root->external_trust_domain = (char *)(uintptr_t)cluster_id;
    root->not_before_s = facts->validity.not_before_s;
    root->not_after_s = facts->validity.not_after_s;
    root->root_cert = (char *)(uintptr_t)pem;
    root->active = true;
    root->private_key_type = "ec";
    root->private_key_bits = 256;
}

static void propose_root(struct catalog_ca *ca, const char *cluster_id, const char *pem,
                         const char *key_pem)
{
    struct catalog_shell *shell = ca->shell;
    Curia__V1__CaRoot root, *roots[] = {&root};
    Curia__V1__CaConfig config = CURIA__V1__CA_CONFIG__INIT;
    struct cu_cert_facts facts;
    Curia__Internal__V1__CaSetCommand set = CURIA__INTERNAL__V1__CA_SET_COMMAND__INIT;
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    fill_root(pem, cluster_id, &root, &facts);
    config.provider = "consul";
    config.cluster_id = (char *)(uintptr_t)cluster_id;
    config.config = (ProtobufCBinaryData){strlen(shell->conf.ca_config),
                                          (uint8_t *)(uintptr_t)shell->conf.ca_config};
    set.config = &config;
    set.roots = roots;
    set.n_roots = 1;
    set.signing_key = (ProtobufCBinaryData){strlen(key_pem), (uint8_t *)(uintptr_t)key_pem};
    command.actor = "anonymous";
    command.cause = "duty";
    command.ca_set = &set;
    ca->is_making = true;
    (void)catalog_write_start(
        shell, &command, cu_mono_add_ms(cu_loop_now(shell->env->loop), PROPOSE_MS), true, made, ca);
}

static void make_root(struct catalog_ca *ca)
{
    char made_up[CU_UUID_BYTES], uid[9], common_name[CU_COMMON_NAME_BYTES];
    char trust_domain[CU_SPIFFE_PART_BYTES], uri[CU_SPIFFE_URI_BYTES];
    struct cu_diag diag = {0};
    char *pem = NULL, *key_pem = cu_key_new();
    const char *cluster_id = cluster_id_of(ca->shell, made_up);
    random_uid(uid);
    (void)snprintf(trust_domain, sizeof trust_domain, "%.200s.consul", cluster_id);
    (void)snprintf(uri, sizeof uri, "spiffe://%s", trust_domain);
    cu_ca_common_name(uid, "consul", trust_domain, common_name);
    enum cu_err err = cu_root_new(key_pem, common_name, uri, 1, (int64_t)time(NULL), &pem, &diag);
    if (err)
        cu_error(ca->shell->env->log, "ca.root", "why=\"%s\"", diag.text);
    else
        propose_root(ca, cluster_id, pem, key_pem);
    free(pem);
    cu_secret_free(key_pem);
}

void catalog_ca_duty(void *context)
{
    struct catalog_shell *shell = context;
    struct authority authority;
    if (!shell->conf.connect_enabled || shell->ca->is_making)
        return;
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    if (look(shell, arena, &authority) == CU_OK && !authority.root_pem)
        make_root(shell->ca);
    cu_arena_free(arena);
}

/* ---- leaves ---- */

static void forget(struct signing *signing)
{
    struct catalog_ca *ca = signing->ca;
    if (signing->prev)
        signing->prev->next = signing->next;
    else
        ca->signings = signing->next;
    if (signing->next)
        signing->next->prev = signing->prev;
    ca->count--;
    cu_timer_close(&signing->slot);
    free(signing);
}

static void fail(struct signing *signing, enum cu_err err, const char *text)
{
    cu_rq_fail(signing->rq, err, "%s", text);
    forget(signing);
}

static void gone(void *arg)
{
    struct signing *signing = arg;
    if (signing->write)
        catalog_write_let_go(signing->ca->shell, signing->write);
    forget(signing);
}

static void reply(struct signing *signing, const char *cert_pem, uint64_t index)
{
    Curia__V1__CaSignReply out = CURIA__V1__CA_SIGN_REPLY__INIT;
    struct cu_cert_facts facts;
    enum cu_err err = cu_cert_read(cert_pem, &facts, NULL);
    CU_ASSERT(!err); /* made a moment ago */
    out.serial_number = facts.serial;
    out.cert = (char *)(uintptr_t)cert_pem;
    if (signing->id.kind == CU_SPIFFE_SERVICE) {
        out.service = signing->id.name;
        out.service_uri = signing->uri;
    } else {
        out.agent = signing->id.name;
        out.agent_uri = signing->uri;
    }
    out.valid_after_s = facts.validity.not_before_s;
    out.valid_before_s = facts.validity.not_after_s;
    out.index = index;
    cu_rq_reply(signing->rq, &out.base, index);
    forget(signing);
}

static void issue(struct signing *signing, uint64_t index)
{
    const Curia__V1__CaSignRequest *in = (const Curia__V1__CaSignRequest *)signing->rq->in;
    char common_name[CU_COMMON_NAME_BYTES], *pem = NULL;
    struct authority authority;
    struct cu_diag diag = {0};
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    enum cu_err err = look(signing->ca->shell, arena, &authority);
    if (!err && (!authority.root_pem || !authority.key_pem))
        err =
            cu_fail(&diag, CU_E_NOT_READY,
                    "CA is uninitialized and unable to sign certificates yet: no root certificate");
    if (!err) {
        int64_t from_s = (int64_t)time(NULL) - CATALOG_LEAF_BACKDATE_S;
        cu_spiffe_common_name(&signing->id, common_name);
        struct cu_leaf_terms terms = {.root_pem = authority.root_pem,
                                      .root_key_pem = authority.key_pem,
                                      .common_name = common_name,
                                      .serial = index,
                                      .validity = {from_s, from_s + authority.terms.leaf_ttl_s}};
        err = cu_leaf_sign(&terms, in->csr, &pem, &diag);
    }
    cu_arena_free(arena);
    if (err)
        fail(signing, err, *diag.text ? diag.text : cu_err_words(err));
    else
        reply(signing, pem, index);
    free(pem);
}

static void placed(void *arg, enum cu_err err, const struct catalog_outcome *outcome)
{
    struct signing *signing = arg;
    signing->write = NULL;
    if (err)
        fail(signing, err, catalog_error_text(signing->ca->shell, err));
    else
        issue(signing, outcome->shown_index);
}

static void has_slot(void *arg)
{
    struct signing *signing = arg;
    struct catalog_shell *shell = signing->ca->shell;
    Curia__Internal__V1__CaIssueCommand body = CURIA__INTERNAL__V1__CA_ISSUE_COMMAND__INIT;
    Curia__Internal__V1__Origin origin;
    Curia__Internal__V1__Command command;
    catalog_command_init(signing->rq, "", &origin, &command);
    body.name = signing->id.name;
    command.ca_issue = &body;
    /* `placed` may run before this returns, and then the signing is gone. */
    struct catalog_write *write =
        catalog_write_start(shell, &command, signing->rq->deadline, false, placed, signing);
    if (write)
        signing->write = write;
}

/* ---- what may be signed ---- */

static enum cu_err check_id(struct catalog_ca *ca, const struct cu_spiffe *id,
                            struct catalog_ca_terms *ret_terms, struct cu_diag *diag)
{
    struct authority authority;
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    enum cu_err err = look(ca->shell, arena, &authority);
    if (!err)
        *ret_terms = authority.terms;
    if (id->kind == CU_SPIFFE_SIGNING)
        err = cu_fail(diag, CU_E_INVALID, "SPIFFE ID in CSR must be a service or agent ID");
    else if (!err && !authority.root_pem)
        err =
            cu_fail(diag, CU_E_NOT_READY,
                    "CA is uninitialized and unable to sign certificates yet: no root certificate");
    else if (!err && strcmp(id->datacenter, ca->shell->env->datacenter) != 0)
        err = cu_fail(diag, CU_E_INVALID,
                      "SPIFFE ID in CSR from a different datacenter: %s, we are %s", id->datacenter,
                      ca->shell->env->datacenter);
    else if (!err && strcasecmp(id->host, authority.trust_domain) != 0)
        err = cu_fail(diag, CU_E_INVALID,
                      "SPIFFE ID in CSR from a different trust domain: %s, we are %s", id->host,
                      authority.trust_domain);
    else if (err)
        err = cu_fail(diag, err, "%s", cu_err_words(err));
    cu_arena_free(arena);
    return err;
}

/* Slots lie evenly apart; who would wait too long for one is refused. */
static bool take_slot(struct catalog_ca *ca, const struct catalog_ca_terms *terms,
                      uint64_t *ret_wait_ms)
{
    *ret_wait_ms = 0;
    if (ca->count >= SIGNINGS_MAX)
        return false;
    if (terms->csr_per_second <= 0)
        return !terms->csr_concurrent || ca->count < terms->csr_concurrent;
    struct cu_mono now = cu_loop_now(ca->shell->env->loop);
    struct cu_mono at = cu_mono_before(now, ca->next_slot) ? ca->next_slot : now;
    *ret_wait_ms = cu_mono_ms_between(now, at);
    if (*ret_wait_ms > CATALOG_CSR_WAIT_MS)
        return false;
    ca->next_slot = cu_mono_add_ms(at, (uint64_t)(1000 / terms->csr_per_second));
    return true;
}

void catalog_ca_sign(struct catalog_ca *ca, struct cu_rq *rq)
{
    const Curia__V1__CaSignRequest *in = (const Curia__V1__CaSignRequest *)rq->in;
    char uri[CU_SPIFFE_URI_BYTES];
    struct cu_spiffe id;
    struct cu_diag diag = {0};
    uint64_t wait_ms;
    struct catalog_ca_terms terms = {0};
    enum cu_err err = ca->shell->conf.connect_enabled
                          ? CU_OK
                          : cu_fail(&diag, CU_E_INVALID,
                                    "Connect must be enabled in order to use "
                                    "this endpoint");
    if (!err)
        err = cu_csr_uri(in->csr, uri, &diag);
    if (!err)
        err = cu_spiffe_parse(uri, &id, &diag);
    if (!err &&
        id.kind != CU_SPIFFE_SIGNING) /* mesh.md 1.8: before it is said what else is wrong */
        err = cu_rq_permit(rq, id.kind == CU_SPIFFE_SERVICE ? SERVICE_WRITE : NODE_WRITE,
                           cu_bytes_of(id.name), &diag);
    if (!err)
        err = check_id(ca, &id, &terms, &diag);
    if (!err && !take_slot(ca, &terms, &wait_ms))
        err = cu_fail(&diag, CU_E_OVERLOADED, "Rate limit reached, try again later");
    if (err) {
        catalog_refuse(ca->shell, rq, err, diag.text);
        return;
    }
    struct signing *signing = cu_alloc(sizeof *signing);
    *signing = (struct signing){.ca = ca, .rq = rq, .id = id, .next = ca->signings};
    memcpy(signing->uri, uri, sizeof uri);
    if (signing->next)
        signing->next->prev = signing;
    ca->signings = signing;
    ca->count++;
    cu_timer_init(&signing->slot, ca->shell->env->loop, has_slot, signing);
    cu_rq_on_gone(rq, gone, signing);
    cu_timer_set_ms(&signing->slot, wait_ms);
}

/* ---- life ---- */

struct catalog_ca *catalog_ca_new(struct catalog_shell *shell)
{
    struct catalog_ca *ca = cu_alloc(sizeof *ca);
    ca->shell = shell;
    return ca;
}

void catalog_ca_free(struct catalog_ca *ca)
{
    if (!ca)
        return;
    while (ca->signings)
        fail(ca->signings, CU_E_NOT_READY, "the catalog is being stopped");
    free(ca);
}
