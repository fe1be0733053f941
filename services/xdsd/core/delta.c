/* Delta: only what changed travels, by name and version (mesh.md 6.5). */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/xdsd/core/stream_state.h"

typedef Envoy__Service__Discovery__V3__DeltaDiscoveryRequest delta_request;
typedef Envoy__Service__Discovery__V3__DeltaDiscoveryResponse delta_response;

/* ---- requests ---- */

/* What the proxy has from before: another server's, or ours of an earlier stream. */
static enum cu_err take_initial(struct xds_channel *channel, const delta_request *request,
                                struct cu_diag *diag)
{
    if (request->n_initial_resource_versions > XDS_NAMES_MAX)
        return cu_fail(diag, CU_E_OVERLOADED, "more than %d resources of one type", XDS_NAMES_MAX);
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && i < request->n_initial_resource_versions; i++) {
        const char *name = request->initial_resource_versions[i]->key;
        const char *version = request->initial_resource_versions[i]->value;
        if (!channel->is_wildcard)
            err = xds_channel_subscribe(channel, name, diag);
        else if (strlen(name) > XDS_NAME_BYTES_MAX)
            err = cu_fail(diag, CU_E_OVERLOADED, "a resource name is longer than %d bytes",
                          XDS_NAME_BYTES_MAX);
        if (err)
            break;
        struct xds_name *entry = xds_channel_name(channel, name);
        entry->is_had = true;
        /* A longer one is not ours: never equal, so it is sent anew. */
        if (!entry->is_stale && strlen(version) < sizeof entry->version)
            memcpy(entry->version, version, strlen(version) + 1);
    }
    return err;
}

/* Asked for again what it has: it has lost it (a cluster or listener was built anew). */
static enum cu_err take_names(struct xds_channel *channel, const delta_request *request,
                              bool is_first, struct cu_diag *diag)
{
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && i < request->n_resource_names_subscribe; i++) {
        const char *name = request->resource_names_subscribe[i];
        struct xds_name *old = cu_map_get(&channel->names, cu_bytes_of(name));
        if (strcmp(name, "*") == 0)
            channel->is_wildcard = true;
        else if (!(err = xds_channel_subscribe(channel, name, diag)) && old && !is_first)
            old->version[0] = '\0';
    }
    for (size_t i = 0; !err && i < request->n_resource_names_unsubscribe; i++)
        xds_channel_unsubscribe(channel, request->resource_names_unsubscribe[i]);
    return err;
}

enum cu_err xds_stream_delta_request(struct xds_stream *stream, const delta_request *request,
                                     enum xds_heard *ret_heard, struct xds_nack *ret_nack,
                                     struct cu_diag *diag)
{
    enum xds_type type;
    bool is_known;
    enum cu_err err = xds_stream_type(request->type_url, &type, &is_known, diag);
    *ret_heard = XDS_HEARD_UNKNOWN;
    if (err || !is_known)
        return err;
    struct xds_channel *channel = &stream->channels[type];
    bool is_first = !channel->is_registered;
    *ret_heard = XDS_HEARD_ASK;
    if (*request->response_nonce) {
        bool is_last = channel->is_waiting && strcmp(request->response_nonce, channel->nonce) == 0;
        *ret_heard = is_last ? XDS_HEARD_ACK : XDS_HEARD_STALE;
        if (is_last)
            xds_channel_settle(channel);
        if (request->error_detail) {
            *ret_heard = is_last ? XDS_HEARD_NACK : XDS_HEARD_STALE;
            xds_nack_fill(ret_nack, type, request->error_detail->message);
            return CU_OK;
        }
    }
    if (is_first) {
        channel->is_registered = true;
        channel->is_wildcard =
            xds_type_is_wildcard(type) && request->n_resource_names_subscribe == 0;
        err = take_initial(channel, request, diag);
    }
    return err ? err : take_names(channel, request, is_first, diag);
}

/* ---- responses ---- */

/* A response being put together. */
struct building {
    struct xds_stream *stream;
    struct xds_channel *channel;
    enum xds_type type;
    delta_response message;
    Envoy__Service__Discovery__V3__Resource *resources;
    Envoy__Service__Discovery__V3__Resource **pointers;
    Google__Protobuf__Any *anys;
    char **removed;
};

static bool is_news(const struct xds_channel *channel, const struct xds_resource *resource)
{
    const struct xds_name *entry = cu_map_get(&channel->names, cu_bytes_of(resource->name));
    return xds_channel_wants(channel, resource->name) &&
           !(entry && entry->is_had && strcmp(entry->version, resource->version) == 0);
}

static void add(struct building *b, const struct xds_resource *resource)
{
    size_t i = b->message.n_resources++;
    Google__Protobuf__Any *any = &b->anys[i];
    Envoy__Service__Discovery__V3__Resource *out = &b->resources[i];
    google__protobuf__any__init(any);
    any->type_url = (char *)(uintptr_t)xds_type_url(b->type);
    any->value = (ProtobufCBinaryData){resource->bytes.len, resource->bytes.data};
    envoy__service__discovery__v3__resource__init(out);
    out->name = resource->name;
    out->version = (char *)(uintptr_t)resource->version;
    out->resource = any;
    b->pointers[i] = out;
    struct xds_name *entry = xds_channel_name(b->channel, resource->name);
    entry->is_pending = true;
    entry->is_removal = entry->is_stale = false;
    memcpy(entry->pending, resource->version, sizeof entry->pending);
}

/* A parent that is sent makes the proxy build it anew: what hangs on it has to come again. */
static void resend(struct xds_channel *children, const char *name)
{
    struct xds_name *entry = xds_channel_name(children, name);
    entry->is_stale = true; /* also where it asks for it only later */
    entry->version[0] = '\0';
}

static void mark_children(struct building *b, const struct xds_resource *resource)
{
    if (b->type == XDS_CLUSTER)
        resend(&b->stream->channels[XDS_ENDPOINT], resource->name);
    for (char **route = resource->routes; b->type == XDS_LISTENER && route && *route; route++)
        resend(&b->stream->channels[XDS_ROUTE], *route);
}

static void finish(struct building *b, struct cu_buf *out)
{
    b->message.type_url = (char *)(uintptr_t)xds_type_url(b->type);
    b->message.resources = b->pointers;
    b->message.removed_resources = b->removed;
    b->message.nonce = (char *)(uintptr_t)xds_channel_begin(b->stream, b->channel);
    size_t len =
        envoy__service__discovery__v3__delta_discovery_response__get_packed_size(&b->message);
    (void)envoy__service__discovery__v3__delta_discovery_response__pack(&b->message,
                                                                        cu_buf_extend(out, len));
}

static struct building begin(struct xds_stream *stream, enum xds_type type, size_t resources,
                             size_t removed)
{
    struct building b = {.stream = stream, .channel = &stream->channels[type], .type = type};
    envoy__service__discovery__v3__delta_discovery_response__init(&b.message);
    b.resources = cu_alloc((resources + 1) * sizeof *b.resources);
    b.pointers = cu_alloc((resources + 1) * sizeof(void *));
    b.anys = cu_alloc((resources + 1) * sizeof *b.anys);
    b.removed = cu_alloc((removed + 1) * sizeof(char *));
    return b;
}

static void end(struct building *b)
{
    for (size_t i = 0; i < b->message.n_removed_resources; i++)
        free(b->removed[i]);
    free(b->resources);
    free(b->pointers);
    free(b->anys);
    free(b->removed);
}

/* The first answer of a type is sent even if there is nothing in it, but for one that is empty
 * because the proxy has none of it where that is no answer (mesh.md 6.4, rule 6). */
static bool says_nothing_new(const struct xds_channel *channel, const struct xds_snapshot *snapshot,
                             enum xds_type type, size_t count)
{
    return channel->has_sent ||
           (xds_type_is_wildcard(type) && count == 0 && !xds_snapshot_may_be_empty(snapshot, type));
}

static bool send_new(struct xds_stream *stream, enum xds_type type, struct cu_buf *out)
{
    struct xds_channel *channel = &stream->channels[type];
    size_t count;
    const struct xds_resource *all = xds_snapshot_resources(stream->snapshot, type, &count);
    if (!channel->is_registered || channel->is_waiting)
        return false;
    struct building b = begin(stream, type, count, 0);
    for (size_t i = 0; i < count; i++)
        if (is_news(channel, &all[i])) {
            add(&b, &all[i]);
            mark_children(&b, &all[i]);
        }
    bool says =
        b.message.n_resources > 0 || !says_nothing_new(channel, stream->snapshot, type, count);
    if (says)
        finish(&b, out);
    end(&b);
    return says;
}

/* What the proxy has and the snapshot has not. Of types that are asked for by name removals are not
 * told: a name that is subscribed may come back. */
static bool send_removals(struct xds_stream *stream, enum xds_type type, struct cu_buf *out)
{
    struct xds_channel *channel = &stream->channels[type];
    size_t at = 0, count;
    struct cu_bytes key;
    void *value;
    (void)xds_snapshot_resources(stream->snapshot, type, &count);
    if (!channel->is_registered || channel->is_waiting || !channel->is_wildcard)
        return false;
    if (count == 0 && !xds_snapshot_may_be_empty(stream->snapshot, type) && !channel->has_sent)
        return false;
    struct building b = begin(stream, type, 0, channel->names.count);
    while (cu_map_next(&channel->names, &at, &key, &value)) {
        struct xds_name *entry = value;
        char *name = cu_alloc(key.len + 1);
        memcpy(name, key.data, key.len);
        if (entry->is_had && !xds_snapshot_find(stream->snapshot, type, name)) {
            b.removed[b.message.n_removed_resources++] = name;
            entry->is_pending = entry->is_removal = true;
        } else {
            free(name);
        }
    }
    bool says = b.message.n_removed_resources > 0;
    if (says)
        finish(&b, out);
    end(&b);
    return says;
}

bool xds_delta_next(struct xds_stream *stream, struct cu_buf *out)
{
    if (send_new(stream, XDS_SECRET, out) || send_new(stream, XDS_CLUSTER, out) ||
        send_new(stream, XDS_ENDPOINT, out))
        return true;
    if (xds_stream_waits(stream, XDS_CLUSTER, XDS_ENDPOINT))
        return false;
    if (send_new(stream, XDS_LISTENER, out) || send_removals(stream, XDS_LISTENER, out) ||
        send_new(stream, XDS_ROUTE, out))
        return true;
    if (xds_stream_waits(stream, XDS_LISTENER, XDS_ROUTE))
        return false;
    return send_removals(stream, XDS_CLUSTER, out);
}
