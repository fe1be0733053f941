/* xds_load ADDRESS COUNT NODE PREFIX - so many proxies, each on a connection of its own, ask for
 * all they need over delta ADS and acknowledge it. Prints "ready"; then for each line on stdin
 * waits until every one of them was sent endpoints, and prints after how many ms half of them and
 * all of them had been. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>

#include "common/base/arena.h"
#include "common/base/assert.h"
#include "common/base/mono.h"
#include "envoy/service/discovery/v3/discovery.pb-c.h"
#include "services/xdsd/core/snapshot.h"

typedef Envoy__Service__Discovery__V3__DeltaDiscoveryRequest request_message;
typedef Envoy__Service__Discovery__V3__DeltaDiscoveryResponse response_message;

enum { QUEUE = 16, NAMES_MAX = 64, ARENA_BYTES = 16 * 1024 * 1024, TEXT_BYTES = 256 };

enum tag_kind { TAG_SENT, TAG_GOT };

struct tag {
    enum tag_kind kind;
    struct proxy *proxy;
};

static struct proxy {
    char id[TEXT_BYTES];
    grpc_channel *channel;
    grpc_call *call;
    grpc_metadata_array metadata;
    grpc_byte_buffer *got, *queue[QUEUE];
    size_t queued;
    bool is_sending, has_begun, has_endpoints, was_pushed;
    struct tag sent, got_tag;
} * proxies;

static size_t count, ready, pushed;
static const char *node_name;
static struct cu_mono begun;
static uint64_t half_ms;
static grpc_completion_queue *queue;
static struct cu_arena *arena;

/* ---- sending ---- */

static void start(struct proxy *p, const grpc_op *ops, size_t n, struct tag *tag)
{
    grpc_call_error error = grpc_call_start_batch(p->call, ops, n, tag, NULL);
    CU_ASSERT(error == GRPC_CALL_OK);
}

static void pump(struct proxy *p)
{
    grpc_op ops[2] = {{.op = GRPC_OP_SEND_INITIAL_METADATA}};
    size_t n = p->has_begun ? 0 : 1;
    if (p->is_sending || !p->queued)
        return;
    ops[n] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE};
    ops[n].data.send_message.send_message = p->queue[0];
    p->is_sending = p->has_begun = true;
    start(p, ops, n + 1, &p->sent);
}

static void send_request(struct proxy *p, request_message *message)
{
    size_t len = envoy__service__discovery__v3__delta_discovery_request__get_packed_size(message);
    grpc_slice slice = grpc_slice_malloc(len);
    (void)envoy__service__discovery__v3__delta_discovery_request__pack(message,
                                                                       GRPC_SLICE_START_PTR(slice));
    CU_ASSERT(p->queued < QUEUE);
    p->queue[p->queued++] = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    pump(p);
}

static void ask(struct proxy *p, enum xds_type type, char **names, size_t n, char *nonce)
{
    request_message message = ENVOY__SERVICE__DISCOVERY__V3__DELTA_DISCOVERY_REQUEST__INIT;
    message.type_url = (char *)(uintptr_t)xds_type_url(type);
    message.resource_names_subscribe = names;
    message.n_resource_names_subscribe = n;
    message.response_nonce = nonce;
    send_request(p, &message);
}

/* A google.protobuf.Struct with node_name alone. */
static size_t metadata_of(const char *name, uint8_t bytes[TEXT_BYTES])
{
    uint8_t n = (uint8_t)strlen(name);
    int len = snprintf((char *)bytes, TEXT_BYTES, "\x0a%c\x0a\x09node_name\x12%c\x1a%c%s", n + 15,
                       n + 2, n, name);
    CU_ASSERT(n < 100 && len > 0);
    return (size_t)len;
}

static void begin(struct proxy *p, const char *address, const char *prefix, size_t number)
{
    static char empty[] = "";
    uint8_t metadata[TEXT_BYTES];
    grpc_arg own = {.type = GRPC_ARG_INTEGER,
                    .key = (char *)(uintptr_t) "grpc.use_local_subchannel_pool",
                    .value.integer = 1};
    grpc_channel_args args = {1, &own};
    grpc_channel_credentials *none = grpc_insecure_credentials_create();
    request_message message = ENVOY__SERVICE__DISCOVERY__V3__DELTA_DISCOVERY_REQUEST__INIT;
    Envoy__Config__Core__V3__Node node = ENVOY__CONFIG__CORE__V3__NODE__INIT;
    (void)snprintf(p->id, sizeof p->id, "%s%zu", prefix, number);
    p->sent = (struct tag){TAG_SENT, p};
    p->got_tag = (struct tag){TAG_GOT, p};
    p->channel = grpc_channel_create(address, none, &args);
    grpc_channel_credentials_release(none);
    p->call = grpc_channel_create_call(
        p->channel, NULL, GRPC_PROPAGATE_DEFAULTS, queue,
        grpc_slice_from_static_string("/envoy.service.discovery.v3.AggregatedDiscoveryService/"
                                      "DeltaAggregatedResources"),
        NULL, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
    node.id = p->id;
    node.metadata = (ProtobufCBinaryData){metadata_of(node_name, metadata), metadata};
    message.node = &node;
    message.type_url = (char *)(uintptr_t)xds_type_url(XDS_CLUSTER);
    message.response_nonce = empty;
    grpc_metadata_array_init(&p->metadata);
    send_request(p, &message);
    grpc_op ops[2] = {{.op = GRPC_OP_RECV_INITIAL_METADATA}, {.op = GRPC_OP_RECV_MESSAGE}};
    ops[0].data.recv_initial_metadata.recv_initial_metadata = &p->metadata;
    ops[1].data.recv_message.recv_message = &p->got;
    start(p, ops, 2, &p->got_tag);
}

/* ---- receiving ---- */

static void on_clusters(struct proxy *p, const response_message *message)
{
    static char none[] = "", roots[] = "roots", leaf[] = "leaf:web";
    char *names[NAMES_MAX], *secrets[] = {roots, leaf};
    size_t n = 0;
    for (size_t i = 0; i < message->n_resources && n < NAMES_MAX; i++)
        if (strcmp(message->resources[i]->name, "local_app") != 0)
            names[n++] = message->resources[i]->name;
    ask(p, XDS_ENDPOINT, names, n, none);
    ask(p, XDS_SECRET, secrets, 2, none);
    ask(p, XDS_LISTENER, NULL, 0, none);
}

static void on_endpoints(struct proxy *p)
{
    ready += !p->has_endpoints;
    p->has_endpoints = true;
    pushed += !p->was_pushed;
    p->was_pushed = true;
    if (pushed == (count + 1) / 2)
        half_ms = cu_mono_ms_between(begun, cu_mono_now());
}

static void on_message(struct proxy *p)
{
    grpc_byte_buffer_reader reader;
    enum xds_type type;
    CU_ASSERT(p->got && grpc_byte_buffer_reader_init(&reader, p->got));
    grpc_slice all = grpc_byte_buffer_reader_readall(&reader);
    cu_arena_reset(arena);
    response_message *message = envoy__service__discovery__v3__delta_discovery_response__unpack(
        cu_arena_allocator(arena), GRPC_SLICE_LENGTH(all), GRPC_SLICE_START_PTR(all));
    CU_ASSERT(message && xds_type_find(message->type_url, &type));
    if (type == XDS_CLUSTER)
        on_clusters(p, message);
    else if (type == XDS_ENDPOINT)
        on_endpoints(p);
    ask(p, type, NULL, 0, message->nonce);
    grpc_slice_unref(all);
    grpc_byte_buffer_reader_destroy(&reader);
    grpc_byte_buffer_destroy(p->got);
    p->got = NULL;
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
    op.data.recv_message.recv_message = &p->got;
    start(p, &op, 1, &p->got_tag);
}

static void on_sent(struct proxy *p)
{
    grpc_byte_buffer_destroy(p->queue[0]);
    memmove(p->queue, p->queue + 1, --p->queued * sizeof *p->queue);
    p->is_sending = false;
    pump(p);
}

static void turn(void)
{
    grpc_event event = grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
    struct tag *tag = event.tag;
    CU_ASSERT(event.type == GRPC_OP_COMPLETE && event.success);
    if (tag->kind == TAG_SENT)
        on_sent(tag->proxy);
    else
        on_message(tag->proxy);
}

static void wait_for_all(void)
{
    while (pushed < count)
        turn();
    (void)printf("%llu %llu\n", (unsigned long long)half_ms,
                 (unsigned long long)cu_mono_ms_between(begun, cu_mono_now()));
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    char line[16];
    if (argc != 5)
        return 2;
    count = strtoul(argv[2], NULL, 10);
    node_name = argv[3];
    grpc_init();
    queue = grpc_completion_queue_create_for_next(NULL);
    arena = cu_arena_new(ARENA_BYTES);
    proxies = cu_alloc(count * sizeof *proxies);
    for (size_t i = 0; i < count; i++)
        begin(&proxies[i], argv[1], argv[4], i);
    while (ready < count)
        turn();
    (void)printf("ready\n");
    (void)fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        begun = cu_mono_now();
        pushed = 0;
        for (size_t i = 0; i < count; i++)
            proxies[i].was_pushed = false;
        wait_for_all();
    }
    return 0;
}
