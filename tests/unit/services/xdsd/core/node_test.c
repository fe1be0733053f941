#include "services/xdsd/core/node.h"

#include <string.h>

#include "common/base/buf.h"
#include "tests/lib/suite.h"

typedef Envoy__Config__Core__V3__Node node_message;

static node_message message;
static struct xds_node node;
static struct cu_diag diag;

static void begin(void)
{
    envoy__config__core__v3__node__init(&message);
    message.id = "web-sidecar-proxy";
    memset(&node, 0, sizeof node);
}

static enum cu_err read_metadata(const void *bytes, size_t len)
{
    message.metadata = (ProtobufCBinaryData){len, (uint8_t *)(uintptr_t)bytes};
    return xds_node_read(&message, &node, &diag);
}

/* An entry of a struct: name, a text. Lengths below 128. */
static void add_text(struct cu_buf *out, const char *name, const char *value)
{
    size_t n = strlen(name), v = strlen(value);
    cu_buf_u8(out, 0x0a);
    cu_buf_u8(out, (uint8_t)(n + v + 6));
    cu_buf_u8(out, 0x0a);
    cu_buf_u8(out, (uint8_t)n);
    cu_buf_text(out, name);
    cu_buf_u8(out, 0x12);
    cu_buf_u8(out, (uint8_t)(v + 2));
    cu_buf_u8(out, 0x1a);
    cu_buf_u8(out, (uint8_t)v);
    cu_buf_text(out, value);
}

START_TEST(the_node_is_named_in_the_metadata)
{
    struct cu_buf metadata = {0};
    begin();
    add_text(&metadata, "namespace", "default");
    add_text(&metadata, "node_name", "n1");
    add_text(&metadata, "partition", "default");
    ck_assert_int_eq(read_metadata(metadata.data, metadata.len), CU_OK);
    ck_assert_str_eq(node.id, "web-sidecar-proxy");
    ck_assert_str_eq(node.name, "n1");
    begin();
    ck_assert_int_eq(read_metadata(NULL, 0), CU_OK);
    ck_assert_str_eq(node.name, "");
    for (size_t len = 0; len < metadata.len; len++) { /* cut anywhere: no name, no harm */
        begin();
        ck_assert_int_eq(read_metadata(metadata.data, len), CU_OK);
    }
    cu_buf_deinit(&metadata);
}
END_TEST

START_TEST(metadata_that_is_no_struct_names_no_node)
{
    static const struct {
        const char *bytes;
        size_t len;
    } table[] = {
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11},
        {"\x0a\x7f", 2},
        {"\x0b\x0c", 2},
        {"\x0a\x0d\x0a\x09node_name\x12\x00", 15},
        {"\x0a\x11\x0a\x09node_name\x12\x04\x12\x02n1", 19}, /* a value of another kind */
    };
    for (size_t i = 0; i < CU_COUNT(table); i++) {
        begin();
        ck_assert_int_eq(read_metadata(table[i].bytes, table[i].len), CU_OK);
        ck_assert_str_eq(node.name, "");
    }
}
END_TEST

START_TEST(ids_have_a_limit)
{
    char text[XDS_NODE_TEXT_BYTES + 1];
    memset(text, 'a', sizeof text);
    begin();
    text[XDS_NODE_TEXT_BYTES - 1] = '\0';
    message.id = text;
    ck_assert_int_eq(read_metadata(NULL, 0), CU_OK);
    text[XDS_NODE_TEXT_BYTES - 1] = 'a';
    text[XDS_NODE_TEXT_BYTES] = '\0';
    ck_assert_int_eq(read_metadata(NULL, 0), CU_E_INVALID);
    message.id = "";
    ck_assert_int_eq(read_metadata(NULL, 0), CU_E_INVALID);
    ck_assert_str_eq(diag.text, "node.id is required");
}
END_TEST

START_TEST(an_envoy_that_is_too_old_is_refused) /* mesh.md 2.10, item 105 */
{
    static const struct {
        const char *name;
        uint32_t major, minor;
        enum cu_err want;
    } table[] = {
        {"envoy", 1, 26, CU_OK},        {"envoy", 1, 40, CU_OK},        {"envoy", 2, 0, CU_OK},
        {"envoy", 1, 25, CU_E_INVALID}, {"envoy", 0, 99, CU_E_INVALID}, {"other", 1, 2, CU_OK},
    };
    Envoy__Config__Core__V3__BuildVersion build = ENVOY__CONFIG__CORE__V3__BUILD_VERSION__INIT;
    Envoy__Type__V3__SemanticVersion version = ENVOY__TYPE__V3__SEMANTIC_VERSION__INIT;
    build.version = &version;
    for (size_t i = 0; i < CU_COUNT(table); i++) {
        begin();
        message.user_agent_name = (char *)(uintptr_t)table[i].name;
        message.user_agent_version_type_case =
            ENVOY__CONFIG__CORE__V3__NODE__USER_AGENT_VERSION_TYPE_USER_AGENT_BUILD_VERSION;
        message.user_agent_build_version = &build;
        version.major_number = table[i].major;
        version.minor_number = table[i].minor;
        ck_assert_int_eq(read_metadata(NULL, 0), table[i].want);
        if (table[i].want == CU_E_INVALID)
            ck_assert_ptr_nonnull(strstr(diag.text, "is too old and is not supported by Curia"));
    }
}
END_TEST

SUITE_MAIN("services/xdsd/core/node", the_node_is_named_in_the_metadata,
           metadata_that_is_no_struct_names_no_node, ids_have_a_limit,
           an_envoy_that_is_too_old_is_refused)
