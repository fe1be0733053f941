#include "services/xdsd/core/build.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The limit is ours: what is registered is bounded far below it. */
void *xds_room(struct cu_arena *arena, size_t bytes)
{
    void *room = cu_arena_alloc(arena, bytes ? bytes : 1);
    CU_ASSERT(room);
    memset(room, 0, bytes);
    return room;
}

void *xds_new(struct cu_arena *arena, size_t size, void (*init)(ProtobufCMessage *message))
{
    void *message = xds_room(arena, size);
    init(message);
    return message;
}

char *xds_text(struct cu_arena *arena, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    CU_ASSERT(len >= 0);
    char *text = xds_room(arena, (size_t)len + 1);
    (void)vsnprintf(text, (size_t)len + 1, fmt, again);
    va_end(again);
    va_end(args);
    return text;
}

void *xds_list1(struct cu_arena *arena, void *item)
{
    void **list = xds_room(arena, sizeof *list);
    list[0] = item;
    return list;
}

Google__Protobuf__Any *xds_any(struct cu_arena *arena, const ProtobufCMessage *message)
{
    Google__Protobuf__Any *any = XDS_NEW(arena, Google__Protobuf__Any, google__protobuf__any__init);
    size_t len = protobuf_c_message_get_packed_size(message);
    any->type_url = xds_text(arena, "type.googleapis.com/%s", message->descriptor->name);
    any->value = (ProtobufCBinaryData){len, xds_room(arena, len)};
    (void)protobuf_c_message_pack(message, any->value.data);
    return any;
}

Google__Protobuf__Duration *xds_duration(struct cu_arena *arena, uint64_t ms)
{
    Google__Protobuf__Duration *duration =
        XDS_NEW(arena, Google__Protobuf__Duration, google__protobuf__duration__init);
    duration->seconds = (int64_t)(ms / 1000);
    duration->nanos = (int32_t)(ms % 1000 * 1000000);
    return duration;
}

Google__Protobuf__UInt32Value *xds_u32(struct cu_arena *arena, uint32_t value)
{
    Google__Protobuf__UInt32Value *wrapper =
        XDS_NEW(arena, Google__Protobuf__UInt32Value, google__protobuf__uint32_value__init);
    wrapper->value = value;
    return wrapper;
}

Google__Protobuf__BoolValue *xds_true(struct cu_arena *arena)
{
    Google__Protobuf__BoolValue *wrapper =
        XDS_NEW(arena, Google__Protobuf__BoolValue, google__protobuf__bool_value__init);
    wrapper->value = true;
    return wrapper;
}

Envoy__Config__Core__V3__Address *xds_address(struct cu_arena *arena, const char *ip, uint32_t port)
{
    Envoy__Config__Core__V3__Address *address =
        XDS_NEW(arena, Envoy__Config__Core__V3__Address, envoy__config__core__v3__address__init);
    Envoy__Config__Core__V3__SocketAddress *socket =
        XDS_NEW(arena, Envoy__Config__Core__V3__SocketAddress,
                envoy__config__core__v3__socket_address__init);
    socket->address = (char *)(uintptr_t)ip;
    socket->port_specifier_case =
        ENVOY__CONFIG__CORE__V3__SOCKET_ADDRESS__PORT_SPECIFIER_PORT_VALUE;
    socket->port_value = port;
    address->address_case = ENVOY__CONFIG__CORE__V3__ADDRESS__ADDRESS_SOCKET_ADDRESS;
    address->socket_address = socket;
    return address;
}

Envoy__Config__Core__V3__ConfigSource *xds_ads(struct cu_arena *arena)
{
    Envoy__Config__Core__V3__ConfigSource *source = XDS_NEW(
        arena, Envoy__Config__Core__V3__ConfigSource, envoy__config__core__v3__config_source__init);
    source->config_source_specifier_case =
        ENVOY__CONFIG__CORE__V3__CONFIG_SOURCE__CONFIG_SOURCE_SPECIFIER_ADS;
    source->ads = XDS_NEW(arena, Envoy__Config__Core__V3__AggregatedConfigSource,
                          envoy__config__core__v3__aggregated_config_source__init);
    source->resource_api_version = ENVOY__CONFIG__CORE__V3__API_VERSION__V3;
    return source;
}

Envoy__Type__Matcher__V3__StringMatcher *xds_exact(struct cu_arena *arena, const char *text)
{
    Envoy__Type__Matcher__V3__StringMatcher *matcher =
        XDS_NEW(arena, Envoy__Type__Matcher__V3__StringMatcher,
                envoy__type__matcher__v3__string_matcher__init);
    matcher->match_pattern_case = ENVOY__TYPE__MATCHER__V3__STRING_MATCHER__MATCH_PATTERN_EXACT;
    matcher->exact = (char *)(uintptr_t)text;
    return matcher;
}

Envoy__Type__Matcher__V3__StringMatcher *xds_regex(struct cu_arena *arena, const char *regex)
{
    Envoy__Type__Matcher__V3__StringMatcher *matcher = xds_exact(arena, NULL);
    matcher->match_pattern_case =
        ENVOY__TYPE__MATCHER__V3__STRING_MATCHER__MATCH_PATTERN_SAFE_REGEX;
    matcher->safe_regex = XDS_NEW(arena, Envoy__Type__Matcher__V3__RegexMatcher,
                                  envoy__type__matcher__v3__regex_matcher__init);
    matcher->safe_regex->regex = (char *)(uintptr_t)regex;
    return matcher;
}

Envoy__Config__Listener__V3__Filter *xds_filter(struct cu_arena *arena, const char *name,
                                                const ProtobufCMessage *config)
{
    Envoy__Config__Listener__V3__Filter *out = XDS_NEW(arena, Envoy__Config__Listener__V3__Filter,
                                                       envoy__config__listener__v3__filter__init);
    out->name = (char *)(uintptr_t)name;
    out->config_type_case = ENVOY__CONFIG__LISTENER__V3__FILTER__CONFIG_TYPE_TYPED_CONFIG;
    out->typed_config = xds_any(arena, config);
    return out;
}

bool xds_is_ip(const char *text)
{
    uint8_t bytes[16];
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static const char *const protocols[XDS_PROTOCOL_COUNT] = {
    [XDS_TCP] = "tcp", [XDS_HTTP] = "http", [XDS_HTTP2] = "http2", [XDS_GRPC] = "grpc"};

enum xds_protocol xds_protocol_of(const char *text)
{
    for (size_t i = 0; i < XDS_PROTOCOL_COUNT; i++)
        if (strcasecmp(protocols[i], text) == 0)
            return (enum xds_protocol)i;
    return XDS_TCP;
}
