#include "tests/unit/services/xdsd/core/rows.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "curia/v1/config.pb-c.h"
#include "curia/v1/connect.pb-c.h"

enum { ARENA_BYTES = 64 * 1024 * 1024, UPSTREAMS = 16, SOURCES = 16 };

struct rows rows_new(bool default_allow)
{
    return (struct rows){xds_view_new("dc1", default_allow), cu_arena_new(ARENA_BYTES)};
}

void rows_free(struct rows *rows)
{
    xds_view_free(rows->view);
    cu_arena_free(rows->arena);
}

static struct cu_bytes key_of(struct rows *rows, const char *first, const char *second)
{
    struct cu_buf key = {0};
    cu_buf_append(&key, "default\0default", sizeof "default\0default");
    cu_buf_text(&key, first);
    if (*second) {
        cu_buf_u8(&key, 0);
        cu_buf_text(&key, second);
    }
    struct cu_bytes out = {cu_arena_memdup(rows->arena, key.data, key.len), key.len};
    cu_buf_deinit(&key);
    return out;
}

enum cu_err rows_put(struct rows *rows, enum xds_topic topic, const char *first, const char *second,
                     const ProtobufCMessage *message)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = cu_arena_alloc(rows->arena, len + 1);
    (void)protobuf_c_message_pack(message, bytes);
    return xds_view_put(rows->view, topic, key_of(rows, first, second),
                        (struct cu_bytes){bytes, len});
}

void rows_del(struct rows *rows, enum xds_topic topic, const char *first, const char *second)
{
    xds_view_del(rows->view, topic, key_of(rows, first, second));
}

static char *text(const char *from)
{
    return (char *)(uintptr_t)from;
}

void rows_node(struct rows *rows, const char *node, const char *address)
{
    Curia__V1__Node row = CURIA__V1__NODE__INIT;
    row.node = text(node);
    row.address = text(address);
    ck_assert_int_eq(rows_put(rows, XDS_NODES, node, "", &row.base), CU_OK);
}

void rows_root(struct rows *rows, const char *id, const char *pem, bool is_active)
{
    Curia__V1__CaRoot row = CURIA__V1__CA_ROOT__INIT;
    row.id = text(id);
    row.root_cert = text(pem);
    row.external_trust_domain = "11111111-2222-3333-4444-555555555555";
    row.active = is_active;
    ck_assert_int_eq(rows_put(rows, XDS_CA_ROOTS, id, "", &row.base), CU_OK);
}

void rows_check(struct rows *rows, const char *node, const char *id, const char *service_id,
                const char *status)
{
    Curia__V1__Check row = CURIA__V1__CHECK__INIT;
    row.check_id = text(id);
    row.service_id = text(service_id);
    row.status = text(status);
    ck_assert_int_eq(rows_put(rows, XDS_CHECKS, node, id, &row.base), CU_OK);
}

void rows_client(struct rows *rows, const char *node, const char *id, const char *service,
                 const char *config, const char *const *upstreams)
{
    Curia__V1__Service row = CURIA__V1__SERVICE__INIT;
    Curia__V1__Proxy proxy = CURIA__V1__PROXY__INIT;
    Curia__V1__Upstream all[UPSTREAMS], *list[UPSTREAMS];
    char names[UPSTREAMS][64];
    row.kind = "connect-proxy";
    row.id = text(id);
    row.service = text(id);
    row.port = 21000;
    row.proxy = &proxy;
    proxy.destination_service_name = text(service);
    proxy.local_service_port = 8080;
    proxy.config = (ProtobufCBinaryData){strlen(config), (uint8_t *)text(config)};
    for (; upstreams && *upstreams; upstreams++) {
        Curia__V1__Upstream *one = &all[proxy.n_upstreams];
        int at = 0;
        curia__v1__upstream__init(one);
        ck_assert_int_eq(
            sscanf(*upstreams, "%63s %d %n", names[proxy.n_upstreams], &one->local_bind_port, &at),
            2);
        one->destination_name = names[proxy.n_upstreams];
        one->config =
            (ProtobufCBinaryData){strlen(*upstreams + at), (uint8_t *)text(*upstreams + at)};
        list[proxy.n_upstreams++] = one;
    }
    proxy.upstreams = list;
    ck_assert_int_eq(rows_put(rows, XDS_SERVICES, node, id, &row.base), CU_OK);
}

void rows_sidecar(struct rows *rows, const char *node, const char *id, const char *service)
{
    rows_client(rows, node, id, service, "", NULL);
}

void rows_protocol(struct rows *rows, const char *service, const char *protocol)
{
    Curia__V1__ConfigEntry row = CURIA__V1__CONFIG_ENTRY__INIT;
    Curia__V1__ServiceDefaults defaults = CURIA__V1__SERVICE_DEFAULTS__INIT;
    row.kind = "service-defaults";
    row.name = text(service);
    row.service_defaults = &defaults;
    defaults.protocol = text(protocol);
    ck_assert_int_eq(rows_put(rows, XDS_ENTRIES, row.kind, service, &row.base), CU_OK);
}

void rows_intentions(struct rows *rows, const char *destination, const char *const *sources)
{
    Curia__V1__ConfigEntry row = CURIA__V1__CONFIG_ENTRY__INIT;
    Curia__V1__ServiceIntentions intentions = CURIA__V1__SERVICE_INTENTIONS__INIT;
    Curia__V1__SourceIntention all[SOURCES], *list[SOURCES];
    char words[SOURCES][2][64];
    for (; *sources; sources++) {
        size_t i = intentions.n_sources++;
        curia__v1__source_intention__init(&all[i]);
        ck_assert_int_eq(sscanf(*sources, "%63s %63s", words[i][0], words[i][1]), 2);
        all[i].name = words[i][0];
        all[i].action = words[i][1];
        all[i].precedence =
            (strcmp(words[i][0], "*") == 0 ? 8u : 9u) - (strcmp(destination, "*") == 0 ? 3u : 0u);
        list[i] = &all[i];
    }
    intentions.sources = list;
    row.kind = "service-intentions";
    row.name = text(destination);
    row.service_intentions = &intentions;
    ck_assert_int_eq(rows_put(rows, XDS_ENTRIES, row.kind, destination, &row.base), CU_OK);
}

struct xds_proxy rows_proxy(struct rows *rows, const char *node, const char *id)
{
    struct xds_proxy proxy;
    size_t left_out;
    ck_assert_int_eq(xds_view_proxy(rows->view, node, id, rows->arena, &proxy, &left_out),
                     XDS_FOUND);
    return proxy;
}
