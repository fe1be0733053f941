/* xds_fuzz.c - discovery requests, as a proxy could send them, between snapshots that change:
 *
 *     u8 variant, then steps: u8 kind (snapshot, request, answer), and what it needs
 *
 * Whatever comes, a response holds only what the newest snapshot has, nothing of a type follows an
 * unanswered response of it, listeners wait for clusters, and what is answered comes to an end. */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "google/protobuf/any.pb-c.h"
#include "services/xdsd/core/node.h"
#include "services/xdsd/core/stream.h"

typedef Envoy__Service__Discovery__V3__DeltaDiscoveryRequest delta_request;
typedef Envoy__Service__Discovery__V3__DeltaDiscoveryResponse delta_response;
typedef Envoy__Service__Discovery__V3__DiscoveryRequest sotw_request;
typedef Envoy__Service__Discovery__V3__DiscoveryResponse sotw_response;

enum { ARENA_BYTES = 64 * 1024 * 1024, NONCE_BYTES = 16, RESPONSES_MAX = 64, NAMES = 4 };
enum step { STEP_SNAPSHOT, STEP_REQUEST, STEP_ANSWER, STEP_KINDS };

static struct proxy {
    struct xds_stream *stream;
    enum xds_variant variant;
    struct xds_snapshot *snapshot;
    uint64_t snapshots;
    struct cu_arena *arena;
    bool is_waiting[XDS_TYPE_COUNT];
    char nonce[XDS_TYPE_COUNT][NONCE_BYTES];
    bool has_ended;
} p;

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* ---- snapshots: of each type some of a, b, c, d, in one of two contents ---- */

static void set_snapshot(uint32_t bits)
{
    static const bool may_be_empty[XDS_TYPE_COUNT];
    struct xds_snapshot *snapshot = xds_snapshot_new(++p.snapshots, may_be_empty);
    for (unsigned t = 0; t < XDS_TYPE_COUNT; t++)
        for (unsigned n = 0; n < NAMES; n++) {
            char name[2] = {(char)('a' + n), 0};
            Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
            any.type_url = bits >> (t + n) & 1 ? "one" : "two";
            if (n > 0 && !(bits >> (t * NAMES + n) & 1))
                continue;
            require(!xds_snapshot_add(snapshot, (enum xds_type)t, name, &any.base));
            if (t == XDS_LISTENER)
                xds_snapshot_names_route(snapshot, name);
        }
    xds_snapshot_seal(snapshot);
    xds_stream_set(p.stream, snapshot);
    xds_snapshot_unref(p.snapshot);
    p.snapshot = snapshot;
}

/* ---- responses ---- */

static void began(const char *url, const char *nonce)
{
    enum xds_type type;
    require(xds_type_find(url, &type) && !p.is_waiting[type]);
    require(type != XDS_LISTENER || (!p.is_waiting[XDS_CLUSTER] && !p.is_waiting[XDS_ENDPOINT]));
    require(strlen(nonce) < NONCE_BYTES);
    p.is_waiting[type] = true;
    (void)snprintf(p.nonce[type], NONCE_BYTES, "%s", nonce);
}

static bool is_current(const char *url, const char *name, const Google__Protobuf__Any *any)
{
    enum xds_type type;
    require(xds_type_find(url, &type) && strcmp(any->type_url, url) == 0);
    const struct xds_resource *now = xds_snapshot_find(p.snapshot, type, name);
    return now && now->bytes.len == any->value.len &&
           (any->value.len == 0 || memcmp(now->bytes.data, any->value.data, any->value.len) == 0);
}

static void check_delta(const struct cu_buf *out)
{
    delta_response *message = envoy__service__discovery__v3__delta_discovery_response__unpack(
        cu_arena_allocator(p.arena), out->len, out->data);
    enum xds_type type;
    require(message && xds_type_find(message->type_url, &type));
    began(message->type_url, message->nonce);
    for (size_t i = 0; i < message->n_resources; i++)
        require(is_current(message->type_url, message->resources[i]->name,
                           message->resources[i]->resource));
    for (size_t i = 0; i < message->n_removed_resources; i++)
        require(!xds_snapshot_find(p.snapshot, type, message->removed_resources[i]));
}

static void check_sotw(const struct cu_buf *out)
{
    sotw_response *message = envoy__service__discovery__v3__discovery_response__unpack(
        cu_arena_allocator(p.arena), out->len, out->data);
    require(message != NULL);
    began(message->type_url, message->nonce);
}

static unsigned read_responses(void)
{
    unsigned count = 0;
    struct cu_buf out = {0};
    while (p.snapshot && !p.has_ended && xds_stream_next(p.stream, &out)) {
        require(++count <= RESPONSES_MAX);
        if (p.variant == XDS_DELTA)
            check_delta(&out);
        else
            check_sotw(&out);
        cu_buf_clear(&out);
    }
    cu_buf_deinit(&out);
    return count;
}

/* ---- requests ---- */

static enum cu_err tell(ProtobufCMessage *request)
{
    enum xds_heard heard = XDS_HEARD_UNKNOWN;
    struct xds_nack nack = {0};
    struct cu_diag diag;
    enum cu_err err =
        p.variant == XDS_DELTA
            ? xds_stream_delta_request(p.stream, (delta_request *)request, &heard, &nack, &diag)
            : xds_stream_sotw_request(p.stream, (sotw_request *)request, &heard, &nack, &diag);
    require(heard != XDS_HEARD_NACK || !strstr(nack.reason, "-----BEGIN"));
    return err;
}

/* Whether this answers a response that is under way. */
static void note_answer(const char *url, const char *nonce)
{
    enum xds_type type;
    if (xds_type_find(url, &type) && p.is_waiting[type] && strcmp(nonce, p.nonce[type]) == 0)
        p.is_waiting[type] = false;
}

static bool give_request(struct cu_bytes bytes)
{
    const ProtobufCMessageDescriptor *kind =
        p.variant == XDS_DELTA ? &envoy__service__discovery__v3__delta_discovery_request__descriptor
                               : &envoy__service__discovery__v3__discovery_request__descriptor;
    ProtobufCMessage *request =
        protobuf_c_message_unpack(kind, cu_arena_allocator(p.arena), bytes.len, bytes.data);
    struct xds_node node = {0};
    struct cu_diag diag;
    if (!request)
        return false;
    delta_request *delta = (delta_request *)request;
    sotw_request *sotw = (sotw_request *)request;
    Envoy__Config__Core__V3__Node *from = p.variant == XDS_DELTA ? delta->node : sotw->node;
    if (from && !xds_node_read(from, &node, &diag))
        require(*node.id && strlen(node.name) < XDS_NODE_TEXT_BYTES);
    p.has_ended = tell(request) != CU_OK;
    if (p.variant == XDS_DELTA)
        note_answer(delta->type_url, delta->response_nonce);
    else
        note_answer(sotw->type_url, sotw->response_nonce);
    return true;
}

static void answer(enum xds_type type, bool refuses)
{
    delta_request delta = ENVOY__SERVICE__DISCOVERY__V3__DELTA_DISCOVERY_REQUEST__INIT;
    sotw_request sotw = ENVOY__SERVICE__DISCOVERY__V3__DISCOVERY_REQUEST__INIT;
    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
    if (!p.is_waiting[type])
        return;
    delta.type_url = sotw.type_url = (char *)(uintptr_t)xds_type_url(type);
    delta.response_nonce = sotw.response_nonce = p.nonce[type];
    delta.error_detail = sotw.error_detail = refuses ? &status : NULL;
    p.is_waiting[type] = false;
    p.has_ended = tell(p.variant == XDS_DELTA ? &delta.base : &sotw.base) != CU_OK;
}

/* ---- all of it ---- */

static bool step(struct cu_reader *r)
{
    uint8_t kind = cu_read_u8(r), more = cu_read_u8(r);
    switch (kind % STEP_KINDS) {
    case STEP_SNAPSHOT:
        set_snapshot(cu_read_u32le(r));
        break;
    case STEP_REQUEST:
        if (!give_request(cu_read_bytes(r, cu_read_u16le(r))))
            return false;
        break;
    default:
        answer((enum xds_type)(more % XDS_TYPE_COUNT), more & 0x80);
    }
    (void)read_responses();
    return !r->failed;
}

/* What is answered comes to an end. */
static void settle(void)
{
    for (unsigned round = 0; p.snapshot && !p.has_ended; round++) {
        require(round < RESPONSES_MAX);
        unsigned said = read_responses();
        for (unsigned t = 0; t < XDS_TYPE_COUNT; t++)
            answer((enum xds_type)t, false);
        if (!said && !read_responses())
            break;
    }
    require(p.has_ended || !p.snapshot || xds_stream_is_settled(p.stream));
}

bool fuzz_one(const uint8_t *data, size_t len)
{
    struct cu_reader r = cu_reader_of((struct cu_bytes){data, len});
    memset(&p, 0, sizeof p);
    p.variant = cu_read_u8(&r) & 1 ? XDS_SOTW : XDS_DELTA;
    p.stream = xds_stream_new(p.variant);
    p.arena = cu_arena_new(ARENA_BYTES);
    bool good = len > 1;
    while (good && !p.has_ended && cu_reader_left(&r) > 0)
        good = step(&r);
    settle();
    xds_stream_free(p.stream);
    xds_snapshot_unref(p.snapshot);
    cu_arena_free(p.arena);
    return good;
}
