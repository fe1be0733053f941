#include "services/agentd/core/persisted.h"

#include <stdio.h>
#include <string.h>

#include "services/agentd/core/md5.h"
#include "services/agentd/core/shapes.h"
#include "services/agentd/core/shapes_rows.h"

#define PROW(type, ...) CU_JSON_FIELD(Curia__Internal__V1__##type, __VA_ARGS__)

// clang-format off
static const struct cu_json_field service_rows[] = {
    PROW(PersistedService, "Token",   token,   CU_JSON_TEXT,   CU_JSON_ZERO),
    PROW(PersistedService, "Service", service, CU_JSON_OBJECT, CU_JSON_NULL, .shape = &agent_shape_bare_service),
    PROW(PersistedService, "Source",  source,  CU_JSON_TEXT,   CU_JSON_ZERO),
    PROW(PersistedService, "LocallyRegisteredAsSidecar", locally_registered_as_sidecar, CU_JSON_BOOL, CU_JSON_OMIT),
};
static const struct cu_json_field check_rows[] = {
    PROW(PersistedCheck, "Check",   check,    CU_JSON_OBJECT, CU_JSON_NULL, .shape = &agent_shape_bare_check),
    PROW(PersistedCheck, "ChkType", chk_type, CU_JSON_OBJECT, CU_JSON_NULL, .shape = &agent_shape_bare_check_type),
    PROW(PersistedCheck, "Token",   token,    CU_JSON_TEXT,   CU_JSON_ZERO),
    PROW(PersistedCheck, "Source",  source,   CU_JSON_TEXT,   CU_JSON_ZERO),
};
static const struct cu_json_field state_rows[] = {
    PROW(PersistedCheckState, "CheckID", check_id, CU_JSON_TEXT, CU_JSON_ZERO),
    PROW(PersistedCheckState, "Output",  output,   CU_JSON_TEXT, CU_JSON_ZERO),
    PROW(PersistedCheckState, "Status",  status,   CU_JSON_TEXT, CU_JSON_ZERO),
    PROW(PersistedCheckState, "Expires", expires,  CU_JSON_I64,  CU_JSON_ZERO),
};
/* clang-format on */
const struct cu_json_shape agent_shape_persisted_service =
    SHAPE("agent.persistedService", curia__internal__v1__persisted_service__descriptor,
          service_rows, .ignores_unknown = true);
const struct cu_json_shape agent_shape_persisted_check =
    SHAPE("agent.persistedCheck", curia__internal__v1__persisted_check__descriptor, check_rows,
          .ignores_unknown = true);
const struct cu_json_shape agent_shape_persisted_state =
    SHAPE("agent.persistedCheckState", curia__internal__v1__persisted_check_state__descriptor,
          state_rows, .ignores_unknown = true);

/* ---- names ---- */

static char *file_name(const char *folder, const char *id, char name[AGENT_FILE_NAME_BYTES])
{
    char digest[AGENT_MD5_TEXT_BYTES];
    (void)snprintf(name, AGENT_FILE_NAME_BYTES, "%s/%s", folder,
                   agent_md5_text(cu_bytes_of(id), digest));
    return name;
}
_Static_assert(sizeof "checks/state/" + AGENT_MD5_TEXT_BYTES - 1 <= AGENT_FILE_NAME_BYTES,
               "the longest name fits");

char *agent_service_file(const char *id, char name[AGENT_FILE_NAME_BYTES])
{
    return file_name("services", id, name);
}

char *agent_check_file(const char *id, char name[AGENT_FILE_NAME_BYTES])
{
    return file_name("checks", id, name);
}

char *agent_state_file(const char *id, char name[AGENT_FILE_NAME_BYTES])
{
    return file_name("checks/state", id, name);
}

/* ---- writing ---- */

static const char *source_name(enum agent_source source)
{
    return source == AGENT_FROM_AGENT ? "local" : "remote";
}

bool agent_source_parse(const char *text, enum agent_source *ret_source)
{
    if (strcmp(text, "remote") != 0 && strcmp(text, "local") != 0)
        return false;
    *ret_source = strcmp(text, "local") == 0 ? AGENT_FROM_AGENT : AGENT_FROM_API;
    return true;
}

void agent_service_write(const struct agent_local_service *service, struct cu_buf *out)
{
    Curia__Internal__V1__PersistedService file = CURIA__INTERNAL__V1__PERSISTED_SERVICE__INIT;
    file.token = service->token;
    file.service = (Curia__V1__Service *)(uintptr_t)agent_local_registered(service);
    file.source = (char *)source_name(service->source);
    file.locally_registered_as_sidecar = service->is_sidecar;
    cu_json_write(out, &agent_shape_persisted_service, &file.base);
}

void agent_check_write(const struct agent_local_check *check, struct cu_buf *out)
{
    Curia__Internal__V1__PersistedCheck file = CURIA__INTERNAL__V1__PERSISTED_CHECK__INIT;
    file.check = check->check;
    file.chk_type = check->spec;
    file.token = check->token;
    file.source = (char *)source_name(check->source);
    cu_json_write(out, &agent_shape_persisted_check, &file.base);
}

void agent_state_write(const Curia__V1__Check *check, int64_t expires_s, struct cu_buf *out)
{
    Curia__Internal__V1__PersistedCheckState file =
        CURIA__INTERNAL__V1__PERSISTED_CHECK_STATE__INIT;
    file.check_id = check->check_id;
    file.output = check->output;
    file.status = check->status;
    file.expires = expires_s;
    cu_json_write(out, &agent_shape_persisted_state, &file.base);
}

/* ---- reading ---- */

static enum cu_err read_file(struct cu_bytes text, const struct cu_json_shape *shape,
                             struct cu_arena *arena, ProtobufCMessage *message,
                             struct cu_diag *diag)
{
    struct cu_diag why = {0};
    enum cu_err err = cu_json_read_text(text, shape, arena, message, &why);
    return err ? cu_fail(diag, CU_E_CORRUPT, "%s", why.text) : CU_OK;
}

enum cu_err agent_service_file_read(struct cu_bytes text, struct cu_arena *arena,
                                    Curia__Internal__V1__PersistedService *ret,
                                    struct cu_diag *diag)
{
    curia__internal__v1__persisted_service__init(ret);
    enum cu_err err = read_file(text, &agent_shape_persisted_service, arena, &ret->base, diag);
    if (!err && (!ret->service || !*ret->service->id || !*ret->service->service))
        err = cu_fail(diag, CU_E_CORRUPT, "it names no service");
    return err;
}

enum cu_err agent_check_file_read(struct cu_bytes text, struct cu_arena *arena,
                                  Curia__Internal__V1__PersistedCheck *ret, struct cu_diag *diag)
{
    enum agent_status status;
    curia__internal__v1__persisted_check__init(ret);
    enum cu_err err = read_file(text, &agent_shape_persisted_check, arena, &ret->base, diag);
    if (!err && (!ret->check || !*ret->check->check_id))
        err = cu_fail(diag, CU_E_CORRUPT, "it names no check");
    if (!err && !agent_status_parse(ret->check->status, &status))
        err = cu_fail(diag, CU_E_CORRUPT, "\"%.40s\" is no status", ret->check->status);
    return err;
}

enum cu_err agent_state_file_read(struct cu_bytes text, struct cu_arena *arena,
                                  Curia__Internal__V1__PersistedCheckState *ret,
                                  struct cu_diag *diag)
{
    enum agent_status status;
    curia__internal__v1__persisted_check_state__init(ret);
    enum cu_err err = read_file(text, &agent_shape_persisted_state, arena, &ret->base, diag);
    if (!err && !agent_status_parse(ret->status, &status))
        err = cu_fail(diag, CU_E_CORRUPT, "\"%.40s\" is no status", ret->status);
    return err;
}
