/* definition_fuzz.c - definitions of services and checks, and the other shapes of agentd: what one
 * reads is written, read again, and written the same; canonical text is its own canonical text. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "common/json/canonical.h"
#include "common/json/scan.h"
#include "services/agentd/core/acl.h"
#include "services/agentd/core/check_spec.h"
#include "services/agentd/core/connect.h"
#include "services/agentd/core/definition.h"
#include "services/agentd/core/persisted.h"
#include "services/agentd/core/shapes.h"
#include "services/agentd/core/sidecar.h"

enum { ARENA_BYTES = 4 * 1024 * 1024 };

static bool read_shape(struct cu_bytes text, const struct cu_json_shape *shape,
                       struct cu_arena *arena, struct cu_buf *ret_text)
{
    struct cu_diag diag = {0};
    struct cu_bytes value;
    ProtobufCMessage *message = cu_arena_alloc(arena, shape->descriptor->sizeof_message);
    if (!message || cu_json_check(text, &value, &diag))
        return false;
    protobuf_c_message_init(shape->descriptor, message);
    if (cu_json_read(value, shape, arena, message, &diag)) {
        if (!diag.text[0])
            abort(); /* refused without a sentence */
        return false;
    }
    (void)protobuf_c_message_get_packed_size(message); /* every pointer is good */
    cu_json_write(ret_text, shape, message);
    return true;
}

static bool check_shape(struct cu_bytes text, const struct cu_json_shape *shape)
{
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    struct cu_buf once = {0}, twice = {0};
    bool good = read_shape(text, shape, arena, &once);
    if (good && (!read_shape(cu_buf_bytes(&once), shape, arena, &twice) ||
                 !cu_bytes_equal(cu_buf_bytes(&once), cu_buf_bytes(&twice))))
        abort();
    cu_buf_deinit(&once);
    cu_buf_deinit(&twice);
    cu_arena_free(arena);
    return good;
}

static void check_canonical(struct cu_bytes text)
{
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    struct cu_bytes value, once, twice;
    if (cu_json_check(text, &value, NULL) == CU_OK &&
        cu_json_canonical(value, arena, &once) == CU_OK &&
        (cu_json_check(once, &value, NULL) || cu_json_canonical(value, arena, &twice) ||
         !cu_bytes_equal(once, twice)))
        abort();
    cu_arena_free(arena);
}

/* As agentd does with what is sent to it, and with what its files hold. */
static void define(struct cu_bytes text)
{
    static const struct agent_definition_rules rules = {.node = "n", .may_run_scripts = true};
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    Curia__V1__ServiceDefinition service;
    Curia__V1__CheckSpec check;
    struct agent_service_def service_def;
    struct agent_check_def check_def;
    struct agent_fault fault = {0};
    Curia__V1__ServiceDefinition *sidecar = NULL;
    if (agent_service_read(text, arena, &service, &fault) &&
        agent_service_define(&service, &rules, arena, &service_def, &fault) &&
        protobuf_c_message_get_packed_size(&service_def.service->base) == 0)
        abort(); /* it has a name */
    if (agent_service_read(text, arena, &service, &fault) &&
        agent_sidecar_read(&service, &rules, arena, &sidecar, &fault) && sidecar &&
        !agent_sidecar_define(sidecar, 1, &rules, arena, &service_def, &fault))
        abort(); /* whatever its port is */
    if (agent_check_read(text, arena, &check, &fault) &&
        agent_check_define(&check, &rules, arena, &check_def, &fault) &&
        agent_check_kind(check_def.spec) == AGENT_CHECK_NONE)
        abort(); /* what was accepted runs somehow */
    cu_arena_free(arena);
}

/* Bodies of /v1/acl that are more than a shape. */
static void read_acls(struct cu_bytes text)
{
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    struct agent_fault fault = {0};
    Curia__V1__AclToken token = CURIA__V1__ACL_TOKEN__INIT;
    Curia__V1__AclTokenSetRequest set = CURIA__V1__ACL_TOKEN_SET_REQUEST__INIT;
    Curia__V1__AclAuthorizeRequest asked = CURIA__V1__ACL_AUTHORIZE_REQUEST__INIT;
    set.token = &token;
    if (!agent_acl_token_parse(text, arena, &set, &fault) && !fault.text[0])
        abort(); /* refused without a sentence */
    if (set.has_expiration_ttl == (set.expiration_ttl_ms == 0))
        abort(); /* a while of nothing is none */
    (void)protobuf_c_message_get_packed_size(&set.base);
    if (agent_acl_questions_parse(text, arena, &asked, &fault)) {
        if (asked.n_questions > AGENT_QUESTIONS_MAX)
            abort();
        (void)protobuf_c_message_get_packed_size(&asked.base);
    }
    cu_arena_free(arena);
}

static void read_files(struct cu_bytes text)
{
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    Curia__Internal__V1__PersistedService service;
    Curia__Internal__V1__PersistedCheck check;
    Curia__Internal__V1__PersistedCheckState state;
    struct cu_diag diag = {0};
    if ((agent_service_file_read(text, arena, &service, &diag) && !diag.text[0]) ||
        (agent_check_file_read(text, arena, &check, &diag) && !diag.text[0]) ||
        (agent_state_file_read(text, arena, &state, &diag) && !diag.text[0]))
        abort(); /* refused without a sentence */
    cu_arena_free(arena);
}

bool fuzz_one(const uint8_t *data, size_t len)
{
    struct cu_bytes text = {data, len};
    bool parsed = false;
    check_canonical(text);
    define(text);
    read_files(text);
    read_acls(text);
    for (size_t i = 0; i < agent_shape_count; i++)
        if (agent_shapes[i] != &agent_shape_kv_operation && /* json_fuzz.c: its verb has no name */
            agent_shapes[i] != &agent_shape_issued_cert &&  /* written only: times are not read */
            agent_shapes[i] != &agent_shape_acl_token &&    /* likewise */
            agent_shapes[i] != &agent_shape_acl_token_stub &&
            agent_shapes[i]->form == CU_JSON_FORM_OBJECT)
            parsed |= check_shape(text, agent_shapes[i]);
    return parsed;
}
