#include "services/xdsd/core/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/xdsd/core/stream_state.h"

struct xds_stream *xds_stream_new(enum xds_variant variant)
{
    struct xds_stream *stream = cu_alloc(sizeof *stream);
    stream->variant = variant;
    return stream;
}

void xds_stream_free(struct xds_stream *stream)
{
    if (!stream)
        return;
    for (size_t t = 0; t < XDS_TYPE_COUNT; t++) {
        size_t at = 0;
        struct cu_bytes key;
        void *name;
        while (cu_map_next(&stream->channels[t].names, &at, &key, &name))
            xds_name_free(name);
        cu_map_deinit(&stream->channels[t].names);
    }
    xds_snapshot_unref(stream->snapshot);
    free(stream);
}

void xds_stream_set(struct xds_stream *stream, struct xds_snapshot *snapshot)
{
    (void)xds_snapshot_ref(snapshot);
    xds_snapshot_unref(stream->snapshot);
    stream->snapshot = snapshot;
}

bool xds_stream_next(struct xds_stream *stream, struct cu_buf *out)
{
    if (!stream->snapshot)
        return false;
    return stream->variant == XDS_DELTA ? xds_delta_next(stream, out) : xds_sotw_next(stream, out);
}

/* ---- names ---- */

void xds_name_keep(struct xds_name *name, struct xds_snapshot *from)
{
    (void)xds_snapshot_ref(from);
    xds_snapshot_unref(name->from);
    name->from = from;
}

void xds_name_free(struct xds_name *name)
{
    if (!name)
        return;
    xds_snapshot_unref(name->from);
    free(name);
}

struct xds_name *xds_channel_name(struct xds_channel *channel, const char *name)
{
    struct cu_bytes key = cu_bytes_of(name);
    struct xds_name *entry = cu_map_get(&channel->names, key);
    if (!entry) {
        entry = cu_alloc(sizeof *entry);
        void *old = cu_map_put(&channel->names, key, entry);
        CU_ASSERT(!old);
    }
    return entry;
}

bool xds_name_is_idle(const struct xds_name *name)
{
    return !name->is_subscribed && !name->is_had && !name->is_pending && !name->is_stale;
}

bool xds_channel_wants(const struct xds_channel *channel, const char *name)
{
    const struct xds_name *entry = cu_map_get(&channel->names, cu_bytes_of(name));
    return channel->is_wildcard || (entry && entry->is_subscribed);
}

static void forget_if_idle(struct xds_channel *channel, const char *name)
{
    struct xds_name *entry = cu_map_get(&channel->names, cu_bytes_of(name));
    if (entry && xds_name_is_idle(entry))
        xds_name_free(cu_map_del(&channel->names, cu_bytes_of(name)));
}

enum cu_err xds_channel_subscribe(struct xds_channel *channel, const char *name,
                                  struct cu_diag *diag)
{
    if (strlen(name) > XDS_NAME_BYTES_MAX)
        return cu_fail(diag, CU_E_OVERLOADED, "a resource name is longer than %d bytes",
                       XDS_NAME_BYTES_MAX);
    struct xds_name *entry = xds_channel_name(channel, name);
    if (entry->is_subscribed)
        return CU_OK;
    if (channel->subscribed >= XDS_NAMES_MAX) {
        forget_if_idle(channel, name);
        return cu_fail(diag, CU_E_OVERLOADED, "more than %d resources of one type", XDS_NAMES_MAX);
    }
    entry->is_subscribed = true;
    channel->subscribed++;
    return CU_OK;
}

void xds_channel_unsubscribe(struct xds_channel *channel, const char *name)
{
    struct xds_name *entry = cu_map_get(&channel->names, cu_bytes_of(name));
    if (!entry || !entry->is_subscribed)
        return;
    entry->is_subscribed = false;
    entry->is_had = false; /* the proxy forgets it, too */
    entry->version[0] = '\0';
    channel->subscribed--;
    forget_if_idle(channel, name);
}

/* ---- responses and their answers ---- */

const char *xds_channel_begin(struct xds_stream *stream, struct xds_channel *channel)
{
    (void)snprintf(channel->nonce, sizeof channel->nonce, "%08x", (unsigned)++stream->last_nonce);
    channel->is_waiting = true;
    channel->has_sent = true;
    channel->is_forced = false;
    return channel->nonce;
}

void xds_channel_settle(struct xds_channel *channel)
{
    size_t at = 0;
    struct cu_bytes key;
    void *value;
    channel->is_waiting = false;
    while (cu_map_next(&channel->names, &at, &key, &value)) {
        struct xds_name *entry = value;
        if (!entry->is_pending)
            continue;
        entry->is_pending = false;
        entry->is_had = !entry->is_removal;
        if (entry->is_had)
            memcpy(entry->version, entry->pending, sizeof entry->version);
        else
            entry->version[0] = '\0';
        if (!entry->is_had && !entry->is_subscribed && !entry->is_stale)
            xds_name_free(cu_map_del(&channel->names, key));
    }
}

bool xds_stream_waits(const struct xds_stream *stream, enum xds_type a, enum xds_type b)
{
    return stream->channels[a].is_waiting || stream->channels[b].is_waiting;
}

bool xds_stream_is_settled(const struct xds_stream *stream)
{
    for (size_t t = 0; t < XDS_TYPE_COUNT; t++)
        if (stream->channels[t].is_waiting)
            return false;
    return stream->snapshot != NULL;
}

/* ---- requests ---- */

enum cu_err xds_stream_type(const char *url, enum xds_type *ret_type, bool *ret_known,
                            struct cu_diag *diag)
{
    if (*url == '\0')
        return cu_fail(diag, CU_E_INVALID, "type URL is required for ADS");
    *ret_known = xds_type_find(url, ret_type);
    return CU_OK;
}

/* Envoy quotes the whole message when a constraint is violated; what names the resource stands
 * before "goo.gle/debug", what names the field behind the last ": Proto constraint". Nothing behind
 * the head of a PEM block is kept (mesh.md 11.3). */
void xds_nack_fill(struct xds_nack *nack, enum xds_type type, const char *message)
{
    const char *debug = strstr(message, "goo.gle/debug"), *pem = strstr(message, "-----BEGIN");
    const char *field = NULL, *at = message;
    size_t len = strlen(message);
    nack->type = type;
    if (debug)
        len = (size_t)(debug - message);
    if (pem && (size_t)(pem - message) < len)
        len = (size_t)(pem - message);
    while ((at = strstr(at, ": Proto constraint"))) {
        field = at;
        at++;
    }
    if (field && (size_t)(field - message) > len && !strstr(field, "-----BEGIN"))
        (void)snprintf(nack->reason, sizeof nack->reason, "%.*s%.200s",
                       (int)(len < XDS_REASON_BYTES / 2 ? len : XDS_REASON_BYTES / 2), message,
                       field);
    else
        (void)snprintf(nack->reason, sizeof nack->reason, "%.*s",
                       (int)(len < sizeof nack->reason ? len : sizeof nack->reason - 1), message);
}
