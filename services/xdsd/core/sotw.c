/* State of the world: a response of clusters or listeners is the whole set (mesh.md 6.4). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/xdsd/core/stream_state.h"

typedef Envoy__Service__Discovery__V3__DiscoveryRequest sotw_request;
typedef Envoy__Service__Discovery__V3__DiscoveryResponse sotw_response;

/* ---- requests ---- */

/* Names that the request does not repeat are given up. */
static bool drop_others(struct xds_channel *channel, const sotw_request *request)
{
    size_t at = 0;
    struct cu_bytes key;
    bool has_dropped = false;
    for (size_t i = 0; i < request->n_resource_names; i++) {
        struct xds_name *entry =
            cu_map_get(&channel->names, cu_bytes_of(request->resource_names[i]));
        if (entry)
            entry->is_named = true;
    }
    for (void *value; cu_map_next(&channel->names, &at, &key, &value);) {
        struct xds_name *entry = value;
        if (entry->is_subscribed && !entry->is_named) {
            entry->is_subscribed = false;
            channel->subscribed--;
            has_dropped = true;
        }
        entry->is_named = false;
        if (xds_name_is_idle(entry))
            xds_name_free(cu_map_del(&channel->names, key));
    }
    return has_dropped;
}

/* The names become those of the request; *ret_changed: they were others. */
static enum cu_err take_names(struct xds_channel *channel, const sotw_request *request,
                              bool *ret_changed, struct cu_diag *diag)
{
    enum cu_err err = CU_OK;
    *ret_changed = false;
    if (request->n_resource_names > XDS_NAMES_MAX)
        return cu_fail(diag, CU_E_OVERLOADED, "more than %d resources of one type", XDS_NAMES_MAX);
    bool has_dropped = drop_others(channel, request);
    size_t before = channel->subscribed;
    for (size_t i = 0; !err && i < request->n_resource_names; i++)
        err = xds_channel_subscribe(channel, request->resource_names[i], diag);
    *ret_changed = has_dropped || channel->subscribed != before;
    return err;
}

enum cu_err xds_stream_sotw_request(struct xds_stream *stream, const sotw_request *request,
                                    enum xds_heard *ret_heard, struct xds_nack *ret_nack,
                                    struct cu_diag *diag)
{
    enum xds_type type;
    bool is_known, has_changed;
    enum cu_err err = xds_stream_type(request->type_url, &type, &is_known, diag);
    *ret_heard = XDS_HEARD_UNKNOWN;
    if (err || !is_known)
        return err;
    struct xds_channel *channel = &stream->channels[type];
    bool is_first = !channel->is_registered;
    *ret_heard = XDS_HEARD_ASK;
    if (*request->response_nonce) {
        if (strcmp(request->response_nonce, channel->nonce) != 0) {
            /* A first request after a reconnect may still name a nonce of the old stream. */
            *ret_heard = XDS_HEARD_STALE;
            if (!is_first)
                return CU_OK;
        } else if (channel->is_waiting) {
            *ret_heard = request->error_detail ? XDS_HEARD_NACK : XDS_HEARD_ACK;
            xds_channel_settle(channel);
        } else {
            channel->is_forced = true; /* said twice: it waits for what it asked for (rule 4) */
        }
    }
    if (*ret_heard == XDS_HEARD_NACK)
        xds_nack_fill(ret_nack, type, request->error_detail->message);
    channel->is_registered = true;
    channel->is_wildcard = xds_type_is_wildcard(type) && request->n_resource_names == 0;
    err = take_names(channel, request, &has_changed, diag);
    if (!err && has_changed) {
        channel->is_forced = true;
        if (*ret_heard == XDS_HEARD_ACK)
            *ret_heard = XDS_HEARD_ASK;
    }
    return err;
}

/* ---- responses ---- */

/* A response being put together. */
struct building {
    struct xds_channel *channel;
    enum xds_type type;
    sotw_response message;
    Google__Protobuf__Any *anys, **pointers;
    bool is_news;
};

static void add(struct building *b, const struct xds_resource *resource)
{
    size_t i = b->message.n_resources++;
    google__protobuf__any__init(&b->anys[i]);
    b->anys[i].type_url = (char *)(uintptr_t)xds_type_url(b->type);
    b->anys[i].value = (ProtobufCBinaryData){resource->bytes.len, resource->bytes.data};
    b->pointers[i] = &b->anys[i];
}

static void add_current(struct building *b, struct xds_snapshot *snapshot)
{
    size_t count;
    const struct xds_resource *all = xds_snapshot_resources(snapshot, b->type, &count);
    for (size_t i = 0; i < count; i++) {
        if (!xds_channel_wants(b->channel, all[i].name))
            continue;
        struct xds_name *entry = xds_channel_name(b->channel, all[i].name);
        b->is_news = b->is_news || !entry->is_had || strcmp(entry->version, all[i].version) != 0;
        entry->is_pending = true;
        entry->is_removal = false;
        memcpy(entry->pending, all[i].version, sizeof entry->pending);
        xds_name_keep(entry, snapshot);
        add(b, &all[i]);
    }
}

/* What the proxy has and the snapshot has not. `keep`: it stays in the set, as the snapshot that
 * brought it had it, since listeners and routes of the proxy may still name it. */
static bool add_gone(struct building *b, const struct xds_snapshot *snapshot, bool keep)
{
    size_t at = 0;
    struct cu_bytes key;
    void *value;
    bool any = false;
    while (cu_map_next(&b->channel->names, &at, &key, &value)) {
        struct xds_name *entry = value;
        char name[XDS_NAME_BYTES_MAX + 1];
        if (!entry->is_had || entry->is_pending || key.len > XDS_NAME_BYTES_MAX)
            continue;
        memcpy(name, key.data, key.len);
        name[key.len] = '\0';
        if (xds_snapshot_find(snapshot, b->type, name))
            continue;
        const struct xds_resource *old =
            entry->from ? xds_snapshot_find(entry->from, b->type, name) : NULL;
        any = true;
        if (keep && old) {
            add(b, old);
        } else {
            entry->is_pending = entry->is_removal = true;
            b->is_news = true;
        }
    }
    return any;
}

static void unmark(struct xds_channel *channel)
{
    size_t at = 0;
    struct cu_bytes key;
    void *value;
    while (cu_map_next(&channel->names, &at, &key, &value))
        ((struct xds_name *)value)->is_pending = false;
}

static void pack(struct xds_stream *stream, struct building *b, struct cu_buf *out)
{
    char version[XDS_NONCE_BYTES];
    (void)snprintf(version, sizeof version, "%08x",
                   (unsigned)xds_snapshot_number(stream->snapshot));
    b->message.version_info = version;
    b->message.type_url = (char *)(uintptr_t)xds_type_url(b->type);
    b->message.resources = b->pointers;
    b->message.nonce = (char *)(uintptr_t)xds_channel_begin(stream, b->channel);
    size_t len = envoy__service__discovery__v3__discovery_response__get_packed_size(&b->message);
    (void)envoy__service__discovery__v3__discovery_response__pack(&b->message,
                                                                  cu_buf_extend(out, len));
}

/* Rule 6: no empty set where it is no answer. */
static bool is_no_answer(const struct xds_stream *stream, const struct building *b)
{
    return xds_type_is_wildcard(b->type) && b->message.n_resources == 0 &&
           !xds_snapshot_may_be_empty(stream->snapshot, b->type);
}

/* `keep`: what is gone stays in the set for now. Returns whether something was said. */
static bool send_set(struct xds_stream *stream, enum xds_type type, bool keep, struct cu_buf *out)
{
    struct xds_channel *channel = &stream->channels[type];
    struct building b = {.channel = channel, .type = type};
    size_t count;
    if (!channel->is_registered || channel->is_waiting)
        return false;
    (void)xds_snapshot_resources(stream->snapshot, type, &count);
    count += channel->names.count;
    b.anys = cu_alloc((count + 1) * sizeof *b.anys);
    b.pointers = cu_alloc((count + 1) * sizeof *b.pointers);
    envoy__service__discovery__v3__discovery_response__init(&b.message);
    add_current(&b, stream->snapshot);
    (void)add_gone(&b, stream->snapshot, keep);
    bool says =
        (b.is_news || channel->is_forced || !channel->has_sent) && !is_no_answer(stream, &b);
    if (says) {
        /* A cluster that is built anew waits for its endpoints (rule 7). */
        if (type == XDS_CLUSTER)
            stream->channels[XDS_ENDPOINT].is_forced = true;
        pack(stream, &b, out);
    } else {
        unmark(channel);
    }
    free(b.anys);
    free(b.pointers);
    return says;
}

bool xds_sotw_next(struct xds_stream *stream, struct cu_buf *out)
{
    if (send_set(stream, XDS_SECRET, false, out) || send_set(stream, XDS_CLUSTER, true, out) ||
        send_set(stream, XDS_ENDPOINT, false, out))
        return true;
    if (xds_stream_waits(stream, XDS_CLUSTER, XDS_ENDPOINT))
        return false;
    if (send_set(stream, XDS_LISTENER, false, out) || send_set(stream, XDS_ROUTE, false, out))
        return true;
    if (xds_stream_waits(stream, XDS_LISTENER, XDS_ROUTE))
        return false;
    return send_set(stream, XDS_CLUSTER, false, out);
}
