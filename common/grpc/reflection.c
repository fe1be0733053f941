/* grpc.reflection.v1 and v1alpha over the descriptors of proto/ (proto/schema.h). */
#include <stdio.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/grpc/internal.h"
#include "curia/internal/v1/schema.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "proto/schema.h"

enum { NAME_BYTES = 512, SERVICES_MAX = 32 };

typedef Curia__Internal__V1__SchemaFile schema_file;
typedef Grpc__Reflection__V1__ServerReflectionRequest reflection_request;
typedef Grpc__Reflection__V1__ServerReflectionResponse reflection_response;

/* ---- what a file declares ---- */

/* `symbol` is "PACKAGE.NAME" or, with `member`, "PACKAGE.NAME.MEMBER". */
static bool is_named(const char *symbol, const schema_file *file, const char *name,
                     const char *member)
{
    char full[NAME_BYTES];
    (void)snprintf(full, sizeof full, "%s%s%s%s%s", file->package, *file->package ? "." : "", name,
                   member ? "." : "", member ? member : "");
    return strcmp(full, symbol) == 0;
}

static bool has_leaf(const char *symbol, const schema_file *file, const char *parent,
                     Curia__Internal__V1__SchemaLeaf **leaves, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (parent ? is_named(symbol, file, parent, leaves[i]->name)
                   : is_named(symbol, file, leaves[i]->name, NULL))
            return true;
    return false;
}

static bool declares(const schema_file *file, const char *symbol)
{
    for (size_t i = 0; i < file->n_service; i++) {
        const Curia__Internal__V1__SchemaService *service = file->service[i];
        if (is_named(symbol, file, service->name, NULL) ||
            has_leaf(symbol, file, service->name, service->method, service->n_method))
            return true;
    }
    for (size_t i = 0; i < file->n_message_type; i++) {
        const Curia__Internal__V1__SchemaMessage *message = file->message_type[i];
        if (is_named(symbol, file, message->name, NULL) ||
            has_leaf(symbol, file, message->name, message->nested_type, message->n_nested_type) ||
            has_leaf(symbol, file, message->name, message->enum_type, message->n_enum_type))
            return true;
    }
    return has_leaf(symbol, file, NULL, file->enum_type, file->n_enum_type);
}

typedef bool is_wanted(const schema_file *file, const char *what);

static bool is_called(const schema_file *file, const char *name)
{
    return strcmp(file->name, name) == 0;
}

/* ---- answers ---- */

static void send_error(struct exported *x, reflection_response *out, enum cu_grpc_status status,
                       const char *text)
{
    Grpc__Reflection__V1__ErrorResponse error = GRPC__REFLECTION__V1__ERROR_RESPONSE__INIT;
    error.error_code = (int32_t)status;
    error.error_message = (char *)(uintptr_t)text;
    out->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
    out->error_response = &error;
    export_send(x, &out->base);
}

static void send_bytes(struct exported *x, reflection_response *out, ProtobufCBinaryData bytes)
{
    Grpc__Reflection__V1__FileDescriptorResponse files =
        GRPC__REFLECTION__V1__FILE_DESCRIPTOR_RESPONSE__INIT;
    files.n_file_descriptor_proto = 1;
    files.file_descriptor_proto = &bytes;
    out->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
    out->file_descriptor_response = &files;
    export_send(x, &out->base);
}

static void send_file(struct exported *x, reflection_response *out, is_wanted *wanted,
                      const char *what)
{
    Curia__Internal__V1__SchemaSet *set =
        curia__internal__v1__schema_set__unpack(NULL, cu_schema_len, cu_schema);
    CU_ASSERT(set); /* ours */
    bool found = false;
    for (size_t i = 0; i < set->n_file && !found; i++) {
        schema_file *file =
            curia__internal__v1__schema_file__unpack(NULL, set->file[i].len, set->file[i].data);
        CU_ASSERT(file);
        found = wanted(file, what);
        if (found)
            send_bytes(x, out, set->file[i]);
        curia__internal__v1__schema_file__free_unpacked(file, NULL);
    }
    curia__internal__v1__schema_set__free_unpacked(set, NULL);
    if (!found)
        send_error(x, out, CU_GRPC_NOT_FOUND, "there is no such file or symbol");
}

static const char *const builtin_services[] = {"grpc.health.v1.Health",
                                               "grpc.reflection.v1.ServerReflection",
                                               "grpc.reflection.v1alpha.ServerReflection"};

static void send_services(struct exported *x, reflection_response *out)
{
    Grpc__Reflection__V1__ServiceResponse rows[SERVICES_MAX], *pointers[SERVICES_MAX];
    Grpc__Reflection__V1__ListServiceResponse list =
        GRPC__REFLECTION__V1__LIST_SERVICE_RESPONSE__INIT;
    const ProtobufCServiceDescriptor *const *at = x->export->o.services;
    size_t count = 0;
    for (; *at; at++) {
        CU_ASSERT(count + CU_COUNT(builtin_services) < SERVICES_MAX);
        grpc__reflection__v1__service_response__init(&rows[count]);
        rows[count++].name = (char *)(uintptr_t)(*at)->name;
    }
    for (size_t i = 0; i < CU_COUNT(builtin_services); i++) {
        grpc__reflection__v1__service_response__init(&rows[count]);
        rows[count++].name = (char *)(uintptr_t)builtin_services[i];
    }
    for (size_t i = 0; i < count; i++)
        pointers[i] = &rows[i];
    list.n_service = count;
    list.service = pointers;
    out->message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
    out->list_services_response = &list;
    export_send(x, &out->base);
}

static void answer(struct exported *x, reflection_request *in)
{
    reflection_response out = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;
    out.valid_host = in->host;
    out.original_request = in;
    /* A newer client may send a case that this build has no name for: everything else is refused.
     */
    if (in->message_request_case ==
        GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES)
        send_services(x, &out);
    else if (in->message_request_case ==
             GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME)
        send_file(x, &out, is_called, in->file_by_filename);
    else if (
        in->message_request_case ==
        GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL)
        send_file(x, &out, declares, in->file_containing_symbol);
    else
        send_error(x, &out, CU_GRPC_UNIMPLEMENTED, "there are no extensions");
}

static void message(struct exported *x, struct cu_bytes bytes)
{
    reflection_request *in = grpc__reflection__v1__server_reflection_request__unpack(
        NULL, bytes.len, bytes.len ? bytes.data : (const uint8_t *)"");
    x->has_request = true;
    /* Questions before the last answer has left: who does not read gets nothing more. */
    if (!in || !cu_grpc_call_can_send(x->call))
        export_fail(x, in ? CU_GRPC_RESOURCE_EXHAUSTED : CU_GRPC_INVALID_ARGUMENT,
                    in ? "read the last answer first" : "the request does not parse");
    else
        answer(x, in);
    if (in)
        grpc__reflection__v1__server_reflection_request__free_unpacked(in, NULL);
}

static void half_closed(struct exported *x)
{
    cu_grpc_call_finish(x->call, CU_GRPC_OK, "", (struct cu_bytes){0});
}

const struct exported_kind exported_reflection = {message, half_closed, NULL};
