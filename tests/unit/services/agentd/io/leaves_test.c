/* mesh.md 1.11: leaves are made once, renewed in time, and the key is new each time. */
#include "services/agentd/io/leaves.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/tls/cert.h"
#include "curia/v1/connect.pb-c.h"
#include "tests/lib/fake_catalog.h"
#include "tests/lib/suite.h"

#define TD "11111111-2222-3333-4444-555555555555.consul"

enum { LEAVES_MAX = 4 };

static struct cu_loop *loop;
static struct cu_rpc *rpc, *server;
static struct cu_view *view;
static struct cu_metrics *metrics;
static struct agent_leaves *leaves;

/* ---- a CA ---- */

static char *root_key, *root_pem;
static int64_t life_s;
static const char *trust_domain, *refuses; /* refuses: with this sentence */
static unsigned signed_count;
static struct cu_rq *held; /* who waits for other roots */

static void roots(void *context, struct cu_rq *rq)
{
    const Curia__V1__CaRootsRequest *in = (const Curia__V1__CaRootsRequest *)rq->in;
    Curia__V1__CaRootsReply reply = CURIA__V1__CA_ROOTS_REPLY__INIT;
    Curia__V1__ReadMeta meta = CURIA__V1__READ_META__INIT;
    Curia__V1__CaRoot root = CURIA__V1__CA_ROOT__INIT, *list[] = {&root};
    struct cu_cert_facts facts;
    (void)context;
    if (in->read && in->read->index) {
        held = rq;
        return;
    }
    ck_assert_int_eq(cu_cert_read(root_pem, &facts, NULL), CU_OK);
    root.signing_key_id = facts.key_id;
    root.active = true;
    meta.index = 5;
    meta.known_leader = true;
    reply.meta = &meta;
    reply.trust_domain = (char *)trust_domain;
    reply.roots = list;
    reply.n_roots = *trust_domain ? 1 : 0;
    cu_rq_reply(rq, &reply.base, 5);
}

static void sign(void *context, struct cu_rq *rq)
{
    const Curia__V1__CaSignRequest *in = (const Curia__V1__CaSignRequest *)rq->in;
    Curia__V1__CaSignReply reply = CURIA__V1__CA_SIGN_REPLY__INIT;
    struct cu_cert_facts facts;
    int64_t now_s = (int64_t)(cu_wall_ms() / 1000);
    char uri[CU_SPIFFE_URI_BYTES];
    (void)context;
    if (refuses) {
        cu_rq_fail(rq, CU_E_OVERLOADED, "%s", refuses);
        return;
    }
    signed_count++;
    ck_assert_int_eq(cu_csr_uri(in->csr, uri, NULL), CU_OK);
    struct cu_leaf_terms terms = {.root_pem = root_pem,
                                  .root_key_pem = root_key,
                                  .common_name = "x",
                                  .serial = signed_count,
                                  .validity = {now_s, now_s + life_s}};
    ck_assert_int_eq(cu_leaf_sign(&terms, in->csr, &reply.cert, NULL), CU_OK);
    ck_assert_int_eq(cu_cert_read(reply.cert, &facts, NULL), CU_OK);
    reply.serial_number = facts.serial;
    reply.service_uri = uri;
    reply.valid_after_s = now_s;
    reply.valid_before_s = now_s + life_s;
    reply.index = 100 + signed_count;
    cu_rq_reply(rq, &reply.base, reply.index);
    free(reply.cert);
}

static void unused(void *context, struct cu_rq *rq)
{
    (void)context;
    cu_rq_fail(rq, CU_E_INTERNAL, "nobody asks this");
}

/* clang-format off */
static const struct cu_method methods[] = {
    CU_METHOD(Roots,     CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, 64 * KIB, MIB, roots),
    CU_METHOD(Config,    CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, 64 * KIB, MIB, unused),
    CU_METHOD(SetConfig, CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, 64 * KIB, MIB, unused),
    CU_METHOD(Sign,      CU_CALL, ROUTE_ANY, CALLER_AGENT, NO_PERM, 64 * KIB, MIB, sign),
};
/* clang-format on */
static const struct cu_service ca = {&curia__v1__connect_ca__descriptor, methods,
                                     CU_COUNT(methods)};

/* ---- its life ---- */

static void open_all(int64_t life)
{
    char url[300];
    struct cu_diag diag = {0};
    (void)snprintf(url, sizeof url, "ipc://%s/catalogd.sock", suite_tmpdir());
    const char *urls[] = {url};
    struct cu_rpc_options options = {
        .node_id = "11111111-2222-3333-4444-555555555555", .node_name = "n1", .datacenter = "dc1"};
    life_s = life;
    trust_domain = TD;
    root_key = cu_key_new();
    ck_assert_int_eq(cu_root_new(root_key, "r", "spiffe://" TD, 1, (int64_t)(cu_wall_ms() / 1000),
                                 &root_pem, &diag),
                     CU_OK);
    options.loop = loop = cu_loop_new();
    metrics = cu_metrics_new();
    options.daemon = "catalogd";
    server = cu_rpc_new(&options);
    cu_rpc_add_service(server, &ca, NULL);
    ck_assert_msg(!cu_rpc_listen(server, url, &diag), "%s", diag.text);
    options.daemon = "agentd";
    rpc = cu_rpc_new(&options);
    view = cu_view_new(&(struct cu_view_options){.rpc = rpc,
                                                 .loop = loop,
                                                 .catalogs = urls,
                                                 .catalog_count = 1,
                                                 .hold_ms = 5000,
                                                 .kept_limit_bytes = 1 << 20});
    leaves = agent_leaves_new(&(struct agent_leaves_options){.view = view,
                                                             .loop = loop,
                                                             .metrics = metrics,
                                                             .datacenter = "dc1",
                                                             .node_name = "n1",
                                                             .limit = LEAVES_MAX});
}

static void close_all(void)
{
    agent_leaves_free(leaves);
    cu_view_free(view);
    cu_rpc_free(rpc);
    cu_rpc_free(server);
    cu_metrics_free(metrics);
    cu_loop_free(loop);
    cu_secret_free(root_key);
    free(root_pem);
}

/* ---- a reader ---- */

struct reader {
    struct agent_leaf_read read;
    bool is_done, is_hit;
    enum cu_err err;
    char *text, *cert, *key, *uri;
    uint64_t index;
};

static void done(void *arg, const struct agent_leaf_answer *answer)
{
    struct reader *reader = arg;
    ck_assert(!reader->is_done);
    reader->is_done = true;
    reader->err = answer->err;
    reader->is_hit = answer->is_hit;
    if (answer->err) {
        reader->text = cu_strdup(answer->text);
        return;
    }
    reader->cert = cu_strdup(answer->cert->cert_pem);
    reader->key = cu_strdup(answer->cert->private_key_pem);
    reader->uri = cu_strdup(answer->cert->service_uri);
    reader->index = answer->cert->modify_index;
}

static void start(struct reader *reader, const char *service, uint64_t index, uint64_t wait_ms)
{
    *reader = (struct reader){.read = {.service = service, .index = index, .wait_ms = wait_ms}};
    reader->read.done = done;
    reader->read.arg = reader;
    agent_leaf_read(leaves, &reader->read);
}

static void end(struct reader *reader)
{
    agent_leaf_cancel(&reader->read);
    free(reader->text);
    free(reader->cert);
    free(reader->uri);
    cu_secret_free(reader->key);
}

/* ---- */

START_TEST(a_leaf_is_made_once_for_all_who_ask) /* mesh 4, http 228 */
{
    struct reader a, b, c, other;
    open_all(3600);
    start(&a, "web", 0, 0);
    start(&b, "web", 0, 0);
    start(&other, "db/1", 0, 0);
    FAKE_WAIT(loop, a.is_done && b.is_done && other.is_done);
    ck_assert_uint_eq(signed_count, 2);
    ck_assert_str_eq(a.cert, b.cert);
    ck_assert(!a.is_hit && strstr(a.key, "BEGIN EC PRIVATE KEY"));
    ck_assert_str_eq(a.uri, "spiffe://" TD "/ns/default/dc/dc1/svc/web");
    ck_assert_str_eq(other.uri, "spiffe://" TD "/ns/default/dc/dc1/svc/db%2F1");
    ck_assert_str_ne(a.key, other.key);
    start(&c, "web", 0, 0); /* from memory, at once */
    ck_assert(c.is_done && c.is_hit);
    ck_assert_str_eq(c.cert, a.cert);
    ck_assert_uint_eq(agent_leaves_count(leaves), 2);
    end(&a), end(&b), end(&c), end(&other);
    close_all();
}
END_TEST

START_TEST(who_has_it_waits_for_another) /* mesh 7 */
{
    struct reader a, b;
    open_all(3600);
    start(&a, "web", 0, 0);
    FAKE_WAIT(loop, a.is_done);
    start(&b, "web", a.index, 50);
    ck_assert(!b.is_done);
    FAKE_WAIT(loop, b.is_done);
    ck_assert_uint_eq(b.index, a.index);
    end(&b);
    start(&b, "web", a.index, 3600000);
    end(&b); /* who goes away leaves nothing */
    end(&a);
    close_all();
}
END_TEST

START_TEST(it_is_renewed_before_it_ends_with_another_key)
{
    struct reader a, b;
    open_all(4);
    start(&a, "web", 0, 0);
    FAKE_WAIT(loop, a.is_done);
    start(&b, "web", a.index, 60000);
    FAKE_WAIT(loop, b.is_done);
    ck_assert_uint_gt(b.index, a.index);
    ck_assert_str_ne(b.key, a.key);
    end(&a), end(&b);
    close_all();
}
END_TEST

START_TEST(a_refusal_is_told_and_not_kept) /* mesh 18 */
{
    struct reader a, b;
    open_all(3600);
    refuses = "Rate limit reached, try again later";
    start(&a, "web", 0, 0);
    FAKE_WAIT(loop, a.is_done);
    ck_assert_int_eq(a.err, CU_E_OVERLOADED);
    ck_assert_str_eq(a.text, refuses);
    ck_assert_uint_eq(agent_leaves_count(leaves), 0);
    refuses = NULL;
    start(&b, "web", 0, 0);
    FAKE_WAIT(loop, b.is_done);
    ck_assert_int_eq(b.err, CU_OK);
    end(&a), end(&b);
    close_all();
}
END_TEST

START_TEST(a_refused_renewal_keeps_the_old_one) /* mesh 19 */
{
    struct reader a, b;
    open_all(3);
    start(&a, "web", 0, 0);
    FAKE_WAIT(loop, a.is_done);
    refuses = "Rate limit reached, try again later";
    struct cu_counter *failed = cu_metrics_counter(metrics, "leaf.failed");
    FAKE_WAIT(loop, failed->value > 0);
    start(&b, "web", 0, 0);
    ck_assert(b.is_done && b.is_hit);
    ck_assert_str_eq(b.cert, a.cert);
    refuses = NULL;
    end(&a), end(&b);
    close_all();
}
END_TEST

START_TEST(without_a_ca_there_are_no_leaves)
{
    struct reader a;
    open_all(3600);
    trust_domain = "";
    start(&a, "web", 0, 0);
    FAKE_WAIT(loop, a.is_done);
    ck_assert_int_eq(a.err, CU_E_INVALID);
    ck_assert_str_eq(a.text, "Connect must be enabled in order to use this endpoint");
    end(&a);
    trust_domain = TD; /* and then there is one */
    start(&a, "web", 0, 0);
    FAKE_WAIT(loop, a.is_done);
    ck_assert_int_eq(a.err, CU_OK);
    end(&a);
    close_all();
}
END_TEST

START_TEST(the_least_recently_asked_for_makes_room)
{
    struct reader reader;
    char name[16];
    open_all(3600);
    for (unsigned i = 0; i <= LEAVES_MAX; i++) {
        (void)snprintf(name, sizeof name, "s%u", i);
        start(&reader, name, 0, 0);
        FAKE_WAIT(loop, reader.is_done);
        ck_assert_int_eq(reader.err, CU_OK);
        end(&reader);
    }
    ck_assert_uint_eq(agent_leaves_count(leaves), LEAVES_MAX);
    start(&reader, "s1", 0, 0);
    ck_assert(reader.is_done && reader.is_hit);
    end(&reader);
    start(&reader, "s0", 0, 0);
    ck_assert(!reader.is_done);
    end(&reader);
    close_all();
}
END_TEST

START_TEST(a_name_that_fits_no_certificate_is_refused)
{
    struct reader reader;
    char name[CU_SPIFFE_PART_BYTES + 1];
    open_all(3600);
    memset(name, 'a', sizeof name);
    name[CU_SPIFFE_PART_BYTES] = '\0';
    start(&reader, name, 0, 0);
    FAKE_WAIT(loop, reader.is_done);
    ck_assert_str_eq(reader.text, "the name is too long for a certificate");
    end(&reader);
    name[CU_SPIFFE_PART_BYTES - 1] = '\0';
    start(&reader, name, 0, 0);
    FAKE_WAIT(loop, reader.is_done);
    ck_assert_int_eq(reader.err, CU_OK);
    end(&reader);
    close_all();
}
END_TEST

SUITE_MAIN("services/agentd/io/leaves", a_leaf_is_made_once_for_all_who_ask,
           who_has_it_waits_for_another, it_is_renewed_before_it_ends_with_another_key,
           a_refusal_is_told_and_not_kept, a_refused_renewal_keeps_the_old_one,
           without_a_ca_there_are_no_leaves, the_least_recently_asked_for_makes_room,
           a_name_that_fits_no_certificate_is_refused)
