#include "services/agentd/core/registration.h"

#include <string.h>
#include <strings.h>

#include "common/json/scan.h"
#include "curia/v1/agent.pb-c.h"
#include "services/agentd/core/shapes.h"
#include "services/agentd/core/shapes_rows.h"

// clang-format off
static const char *const ignored[] = {"Token", "CreateIndex", "ModifyIndex", NULL};

static const struct cu_json_field registration[] = {
#define F(json, member, codec, ...) ROW(CatalogRegistration, json, member, codec, CU_JSON_ZERO, __VA_ARGS__)
    F("Datacenter",      datacenter,       CU_JSON_TEXT),
    F("ID",              id,               CU_JSON_TEXT),
    F("Node",            node,             CU_JSON_TEXT),
    F("Address",         address,          CU_JSON_TEXT),
    F("TaggedAddresses", tagged_addresses, CU_JSON_OBJECT, .shape = &agent_shape_string_map),
    F("NodeMeta",        node_meta,        CU_JSON_OBJECT, .shape = &agent_shape_string_map),
    F("Service",         service,          CU_JSON_OBJECT, .shape = &agent_shape_node_service),
    F("Check",           check,            CU_JSON_OBJECT, .shape = &agent_shape_check),
    LIST(CatalogRegistration, "Checks", checks, CU_JSON_OBJECT, CU_JSON_ZERO, .shape = &agent_shape_check),
    F("SkipNodeUpdate",  skip_node_update, CU_JSON_BOOL),
#undef F
};
const struct cu_json_shape agent_shape_catalog_registration =
    SHAPE("structs.RegisterRequest", curia__v1__catalog_registration__descriptor, registration,
          .ignored = ignored);

static const struct cu_json_field deregistration[] = {
#define F(json, member) ROW(CatalogDeregistration, json, member, CU_JSON_TEXT, CU_JSON_ZERO)
    F("Datacenter", datacenter),
    F("Node",       node),
    F("Address",    address),
    F("ServiceID",  service_id),
    F("CheckID",    check_id),
#undef F
};
const struct cu_json_shape agent_shape_catalog_deregistration =
    SHAPE("structs.DeregisterRequest", curia__v1__catalog_deregistration__descriptor,
          deregistration, .ignored = ignored);
/* clang-format on */

static bool out_of_memory(struct agent_fault *fault)
{
    return agent_refuse(fault, 500, "request is too large");
}

/* http-api.md 1.7: the one unknown member that gets an explanation. */
static bool bad_body(struct agent_fault *fault, const char *why)
{
    static const char namespace[] = "json: unknown field \"Namespace\"";
    bool is_namespace = strncasecmp(why, namespace, sizeof namespace) == 0;
    return agent_refuse(fault, 400, "Request decode failed: %s%s", why,
                        is_namespace ? " - Namespaces are a Consul Enterprise feature" : "");
}

/* `null` leaves all of it empty. */
static bool decode(struct cu_bytes body, const struct cu_json_shape *shape, struct cu_arena *arena,
                   ProtobufCMessage *message, struct agent_fault *fault)
{
    struct cu_diag diag = {0};
    struct cu_bytes value;
    if (cu_json_check(body, &value, &diag))
        return bad_body(fault, diag.text);
    if (cu_json_kind(value) == CU_JSON_KIND_NULL)
        return true;
    enum cu_err err = cu_json_read(value, shape, arena, message, &diag);
    if (err == CU_E_TOO_LARGE)
        return out_of_memory(fault);
    return err ? bad_body(fault, diag.text) : true;
}

static bool is_here(const char *asked, const char *datacenter, struct agent_fault *fault)
{
    if (asked[0] == '\0' || strcmp(asked, datacenter) == 0)
        return true;
    return agent_refuse(fault, 500, "No path to datacenter");
}

/* The node's part, and the one check before the others: the order of 3.5. */
static bool take(Curia__V1__CatalogRegistration *body, struct cu_arena *arena,
                 Curia__V1__RegisterRequest *request)
{
    Curia__V1__Node *node = cu_arena_alloc(arena, sizeof *node);
    size_t count = body->n_checks + (body->check != NULL);
    Curia__V1__Check **checks = cu_arena_alloc(arena, count * sizeof(void *) + 1);
    if (!node || !checks)
        return false;
    curia__v1__node__init(node);
    node->id = body->id;
    node->node = body->node;
    node->address = body->address;
    node->tagged_addresses = body->tagged_addresses;
    node->meta = body->node_meta;
    request->node = node;
    request->service = body->service;
    request->skip_node_update = body->skip_node_update;
    request->checks = checks;
    if (body->check)
        checks[request->n_checks++] = body->check;
    for (size_t i = 0; i < body->n_checks; i++)
        checks[request->n_checks++] = body->checks[i];
    return true;
}

bool agent_registration_parse(struct cu_bytes body, const char *datacenter, struct cu_arena *arena,
                              Curia__V1__RegisterRequest *ret_request, struct agent_fault *fault)
{
    Curia__V1__CatalogRegistration *read = cu_arena_alloc(arena, sizeof *read);
    curia__v1__register_request__init(ret_request);
    if (!read)
        return out_of_memory(fault);
    curia__v1__catalog_registration__init(read);
    if (!decode(body, &agent_shape_catalog_registration, arena, &read->base, fault) ||
        !is_here(read->datacenter, datacenter, fault))
        return false;
    if (!take(read, arena, ret_request))
        return out_of_memory(fault);
    ret_request->node->datacenter = (char *)(uintptr_t)datacenter;
    return true;
}

bool agent_deregistration_parse(struct cu_bytes body, const char *datacenter,
                                struct cu_arena *arena, Curia__V1__DeregisterRequest *ret_request,
                                struct agent_fault *fault)
{
    Curia__V1__CatalogDeregistration *read = cu_arena_alloc(arena, sizeof *read);
    curia__v1__deregister_request__init(ret_request);
    if (!read)
        return out_of_memory(fault);
    curia__v1__catalog_deregistration__init(read);
    if (!decode(body, &agent_shape_catalog_deregistration, arena, &read->base, fault) ||
        !is_here(read->datacenter, datacenter, fault))
        return false;
    ret_request->node = read->node;
    ret_request->service_id = read->service_id;
    ret_request->check_id = read->check_id;
    return true;
}
