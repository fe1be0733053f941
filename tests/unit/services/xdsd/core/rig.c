#include "tests/unit/services/xdsd/core/rig.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

typedef Envoy__Service__Discovery__V3__DeltaDiscoveryRequest delta_request;
typedef Envoy__Service__Discovery__V3__DiscoveryRequest sotw_request;

enum { NAMES = 32 };

static const char *const words[XDS_TYPE_COUNT] = {
    [XDS_SECRET] = "secret",     [XDS_CLUSTER] = "cluster", [XDS_ENDPOINT] = "endpoint",
    [XDS_LISTENER] = "listener", [XDS_ROUTE] = "route",
};

struct rig *rig_new(enum xds_variant variant)
{
    struct rig *rig = cu_alloc(sizeof *rig);
    rig->stream = xds_stream_new(variant);
    rig->variant = variant;
    return rig;
}

void rig_free(struct rig *rig)
{
    xds_stream_free(rig->stream);
    free(rig);
}

/* The content of a resource is the type URL of an Any: any message will do here. */
static void add(struct xds_snapshot *snapshot, char *text)
{
    char word[32], name[64], content[64], route[64];
    int fields = sscanf(text, " %31s %63[^=]=%63[^>, ]>%63s", word, name, content, route);
    ck_assert_int_ge(fields, 3);
    size_t type = 0;
    while (strcmp(words[type], word) != 0)
        ck_assert_uint_lt(++type, XDS_TYPE_COUNT);
    Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
    any.type_url = content;
    ck_assert_int_eq(xds_snapshot_add(snapshot, (enum xds_type)type, name, &any.base), CU_OK);
    if (fields == 4)
        xds_snapshot_names_route(snapshot, route);
}

static struct xds_snapshot *parse(uint64_t number, const char *resources)
{
    static const bool may_be_empty[XDS_TYPE_COUNT];
    struct xds_snapshot *snapshot = xds_snapshot_new(number, may_be_empty);
    char *copy = cu_strdup(resources), *rest = NULL;
    for (char *part = strtok_r(copy, ",", &rest); part; part = strtok_r(NULL, ",", &rest))
        add(snapshot, part);
    xds_snapshot_seal(snapshot);
    free(copy);
    return snapshot;
}

void rig_set(struct rig *rig, const char *resources)
{
    struct xds_snapshot *snapshot = parse(++rig->snapshots, resources);
    xds_stream_set(rig->stream, snapshot);
    xds_snapshot_unref(snapshot);
}

/* The version that a content has: as the snapshot makes it. */
static void version_of(enum xds_type type, const char *content, char version[XDS_VERSION_BYTES])
{
    char text[128];
    (void)snprintf(text, sizeof text, "%s x=%s", words[type], content);
    struct xds_snapshot *snapshot = parse(0, text);
    memcpy(version, xds_snapshot_find(snapshot, type, "x")->version, XDS_VERSION_BYTES);
    xds_snapshot_unref(snapshot);
}

static enum cu_err tell_sotw(struct rig *rig, enum xds_type type, const char *names,
                             const char *nonce, const char *error)
{
    sotw_request request = ENVOY__SERVICE__DISCOVERY__V3__DISCOVERY_REQUEST__INIT;
    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
    char *copy = cu_strdup(names), *rest = NULL, *list[NAMES];
    for (char *name = strtok_r(copy, " ", &rest); name; name = strtok_r(NULL, " ", &rest))
        list[request.n_resource_names++] = name;
    request.resource_names = list;
    request.type_url = (char *)(uintptr_t)xds_type_url(type);
    request.response_nonce = (char *)(uintptr_t)nonce;
    status.message = (char *)(uintptr_t)error;
    request.error_detail = error ? &status : NULL;
    enum cu_err err =
        xds_stream_sotw_request(rig->stream, &request, &rig->heard, &rig->nack, &rig->diag);
    free(copy);
    return err;
}

static enum cu_err tell_delta(struct rig *rig, enum xds_type type, const char *names,
                              const char *nonce, const char *error)
{
    typedef Envoy__Service__Discovery__V3__DeltaDiscoveryRequest__InitialResourceVersionsEntry pair;
    delta_request request = ENVOY__SERVICE__DISCOVERY__V3__DELTA_DISCOVERY_REQUEST__INIT;
    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
    char *copy = cu_strdup(names), *rest = NULL, *in[NAMES], *out[NAMES];
    char versions[NAMES][XDS_VERSION_BYTES];
    pair pairs[NAMES], *initial[NAMES];
    for (char *name = strtok_r(copy, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
        char *equals = strchr(name, '=');
        if (*name == '-') {
            out[request.n_resource_names_unsubscribe++] = name + 1;
        } else if (equals) {
            size_t i = request.n_initial_resource_versions++;
            *equals = '\0';
            envoy__service__discovery__v3__delta_discovery_request__initial_resource_versions_entry__init(
                &pairs[i]);
            version_of(type, equals + 1, versions[i]);
            pairs[i].key = name;
            pairs[i].value = versions[i];
            initial[i] = &pairs[i];
            if (!xds_type_is_wildcard(type))
                in[request.n_resource_names_subscribe++] = name;
        } else {
            in[request.n_resource_names_subscribe++] = name;
        }
    }
    request.type_url = (char *)(uintptr_t)xds_type_url(type);
    request.resource_names_subscribe = in;
    request.resource_names_unsubscribe = out;
    request.initial_resource_versions = initial;
    request.response_nonce = (char *)(uintptr_t)nonce;
    status.message = (char *)(uintptr_t)error;
    request.error_detail = error ? &status : NULL;
    enum cu_err err =
        xds_stream_delta_request(rig->stream, &request, &rig->heard, &rig->nack, &rig->diag);
    free(copy);
    return err;
}

static enum cu_err tell(struct rig *rig, enum xds_type type, const char *names, const char *nonce,
                        const char *error)
{
    return (rig->variant == XDS_DELTA ? tell_delta : tell_sotw)(rig, type, names, nonce, error);
}

enum cu_err rig_ask(struct rig *rig, enum xds_type type, const char *names)
{
    return tell(rig, type, names, "", NULL);
}

void rig_ack(struct rig *rig)
{
    ck_assert_int_eq(tell(rig, rig->type, "", rig->nonce, NULL), CU_OK);
    ck_assert_int_eq(rig->heard, XDS_HEARD_ACK);
}

void rig_ack_with(struct rig *rig, const char *names)
{
    ck_assert_int_eq(tell(rig, rig->type, names, rig->nonce, NULL), CU_OK);
}

void rig_nack(struct rig *rig, const char *reason)
{
    ck_assert_int_eq(tell(rig, rig->type, "", rig->nonce, reason), CU_OK);
    ck_assert_int_eq(rig->heard, XDS_HEARD_NACK);
}

/* Appends " BEFORE a BETWEEN b". */
static void say(struct rig *rig, const char *before, const char *a, const char *b)
{
    size_t len = strlen(rig->said);
    (void)snprintf(rig->said + len, sizeof rig->said - len, "%s%s%s%s%s", len ? " " : "", before, a,
                   *b ? "=" : "", b);
}

/* The content of a packed Any whose only field is its type URL. */
static void content_of(ProtobufCBinaryData bytes, char content[64])
{
    Google__Protobuf__Any *any = google__protobuf__any__unpack(NULL, bytes.len, bytes.data);
    ck_assert_ptr_nonnull(any);
    (void)snprintf(content, 64, "%s", any->type_url);
    google__protobuf__any__free_unpacked(any, NULL);
}

static void take_delta(struct rig *rig, const struct cu_buf *bytes)
{
    Envoy__Service__Discovery__V3__DeltaDiscoveryResponse *in =
        envoy__service__discovery__v3__delta_discovery_response__unpack(NULL, bytes->len,
                                                                        bytes->data);
    ck_assert_ptr_nonnull(in);
    ck_assert(xds_type_find(in->type_url, &rig->type));
    (void)snprintf(rig->nonce, sizeof rig->nonce, "%s", in->nonce);
    for (size_t i = 0; i < in->n_resources; i++) {
        char content[64];
        ck_assert_str_eq(in->resources[i]->resource->type_url, in->type_url);
        content_of(in->resources[i]->resource->value, content);
        say(rig, "", in->resources[i]->name, content);
    }
    for (size_t i = 0; i < in->n_removed_resources; i++)
        say(rig, "-", in->removed_resources[i], "");
    envoy__service__discovery__v3__delta_discovery_response__free_unpacked(in, NULL);
}

static void take_sotw(struct rig *rig, const struct cu_buf *bytes)
{
    Envoy__Service__Discovery__V3__DiscoveryResponse *in =
        envoy__service__discovery__v3__discovery_response__unpack(NULL, bytes->len, bytes->data);
    ck_assert_ptr_nonnull(in);
    ck_assert(xds_type_find(in->type_url, &rig->type));
    (void)snprintf(rig->nonce, sizeof rig->nonce, "%s", in->nonce);
    for (size_t i = 0; i < in->n_resources; i++) {
        char content[64];
        content_of(in->resources[i]->value, content);
        say(rig, "", content, "");
    }
    envoy__service__discovery__v3__discovery_response__free_unpacked(in, NULL);
}

const char *rig_read(struct rig *rig)
{
    static char text[600];
    struct cu_buf bytes = {0};
    rig->said[0] = '\0';
    rig->has_response = xds_stream_next(rig->stream, &bytes);
    if (!rig->has_response)
        return "";
    (rig->variant == XDS_DELTA ? take_delta : take_sotw)(rig, &bytes);
    cu_buf_deinit(&bytes);
    (void)snprintf(text, sizeof text, "%s: %s", words[rig->type], rig->said);
    return text;
}
