#include "services/xdsd/core/node.h"

#include <string.h>

#include "common/base/buf.h"

/* ---- google.protobuf.Struct, as far as it is needed ----
 *
 * The metadata is read as bytes: unpacked it could nest as deep as a request is long. */

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };
enum { STRUCT_FIELDS = 1, ENTRY_KEY = 1, ENTRY_VALUE = 2, VALUE_STRING = 3 };

static uint64_t read_varint(struct cu_reader *r)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = cu_read_u8(r);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    r->failed = true;
    return 0;
}

/* The next field that is bytes; others are passed over. */
static bool next_bytes(struct cu_reader *r, uint64_t *ret_field, struct cu_bytes *ret_bytes)
{
    while (!r->failed && cu_reader_left(r) > 0) {
        uint64_t tag = read_varint(r), len;
        switch (tag & 7) {
        case WIRE_VARINT:
            (void)read_varint(r);
            break;
        case WIRE_64:
            (void)cu_read_u64le(r);
            break;
        case WIRE_32:
            (void)cu_read_u32le(r);
            break;
        case WIRE_BYTES:
            len = read_varint(r);
            if (r->failed || len > cu_reader_left(r))
                return false;
            *ret_field = tag >> 3;
            *ret_bytes = cu_read_bytes(r, (size_t)len);
            return true;
        default:
            return false;
        }
    }
    return false;
}

static bool find(struct cu_bytes message, uint64_t field, struct cu_bytes *ret_bytes)
{
    struct cu_reader r = cu_reader_of(message);
    uint64_t at;
    bool found = false;
    for (struct cu_bytes bytes; next_bytes(&r, &at, &bytes);)
        if (at == field) { /* the last one counts */
            *ret_bytes = bytes;
            found = true;
        }
    return found;
}

/* A member that is a text. */
static bool find_member(struct cu_bytes object, const char *name, struct cu_bytes *ret_text)
{
    struct cu_reader r = cu_reader_of(object);
    struct cu_bytes entry, key, value;
    for (uint64_t field; next_bytes(&r, &field, &entry);)
        if (field == STRUCT_FIELDS && find(entry, ENTRY_KEY, &key) &&
            cu_bytes_equal(key, cu_bytes_of(name)))
            return find(entry, ENTRY_VALUE, &value) && find(value, VALUE_STRING, ret_text);
    return false;
}

/* ---- the node ---- */

static enum cu_err copy(struct cu_bytes from, const char *what, char to[XDS_NODE_TEXT_BYTES],
                        struct cu_diag *diag)
{
    if (from.len >= XDS_NODE_TEXT_BYTES || (from.len && memchr(from.data, 0, from.len)))
        return cu_fail(diag, CU_E_INVALID, "%s is longer than %d bytes, or no text", what,
                       XDS_NODE_TEXT_BYTES - 1);
    if (from.len)
        memcpy(to, from.data, from.len);
    to[from.len] = '\0';
    return CU_OK;
}

static enum cu_err check_version(const Envoy__Config__Core__V3__Node *node, struct cu_diag *diag)
{
    const Envoy__Config__Core__V3__BuildVersion *build = node->user_agent_build_version;
    bool is_known =
        strcmp(node->user_agent_name, "envoy") == 0 &&
        node->user_agent_version_type_case ==
            ENVOY__CONFIG__CORE__V3__NODE__USER_AGENT_VERSION_TYPE_USER_AGENT_BUILD_VERSION &&
        build && build->version;
    if (!is_known || build->version->major_number > XDS_ENVOY_MAJOR_MIN ||
        (build->version->major_number == XDS_ENVOY_MAJOR_MIN &&
         build->version->minor_number >= XDS_ENVOY_MINOR_MIN))
        return CU_OK;
    return cu_fail(diag, CU_E_INVALID, "Envoy %u.%u.%u is too old and is not supported by Curia",
                   build->version->major_number, build->version->minor_number,
                   build->version->patch);
}

enum cu_err xds_node_read(const Envoy__Config__Core__V3__Node *node, struct xds_node *ret_node,
                          struct cu_diag *diag)
{
    struct cu_bytes name = {0};
    struct cu_bytes metadata = {node->metadata.data, node->metadata.len};
    (void)find_member(metadata, "node_name", &name);
    enum cu_err err = *node->id ? CU_OK : cu_fail(diag, CU_E_INVALID, "node.id is required");
    if (!err)
        err = copy(cu_bytes_of(node->id), "node.id", ret_node->id, diag);
    if (!err)
        err = copy(name, "node.metadata.node_name", ret_node->name, diag);
    return err ? err : check_version(node, diag);
}
