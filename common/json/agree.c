/* agree.c - a shape against its message's descriptor; declared in shape.h. */
#include "common/json/shape.h"

#include <string.h>

/* The protobuf type each codec prints. */
static const ProtobufCType types[] = {
    [CU_JSON_BOOL] = PROTOBUF_C_TYPE_BOOL,      [CU_JSON_I32] = PROTOBUF_C_TYPE_INT32,
    [CU_JSON_U32] = PROTOBUF_C_TYPE_UINT32,     [CU_JSON_I64] = PROTOBUF_C_TYPE_INT64,
    [CU_JSON_U64] = PROTOBUF_C_TYPE_UINT64,     [CU_JSON_NS] = PROTOBUF_C_TYPE_INT64,
    [CU_JSON_DURATION] = PROTOBUF_C_TYPE_INT64, [CU_JSON_TEXT] = PROTOBUF_C_TYPE_STRING,
    [CU_JSON_KEY] = PROTOBUF_C_TYPE_BYTES,      [CU_JSON_BASE64] = PROTOBUF_C_TYPE_BYTES,
    [CU_JSON_OPAQUE] = PROTOBUF_C_TYPE_BYTES,   [CU_JSON_ENUM] = PROTOBUF_C_TYPE_ENUM,
    [CU_JSON_NUMBERED] = PROTOBUF_C_TYPE_ENUM,  [CU_JSON_OBJECT] = PROTOBUF_C_TYPE_MESSAGE,
    [CU_JSON_TIME] = PROTOBUF_C_TYPE_INT64,     [CU_JSON_TIME_MS] = PROTOBUF_C_TYPE_UINT64,
};
_Static_assert(CU_COUNT(types) == CU_JSON_CODEC_COUNT, "a type for each codec");

static bool is_hidden(const struct cu_json_shape *shape, const char *member)
{
    for (const char *const *hidden = shape->hidden; hidden && *hidden; hidden++)
        if (strcmp(*hidden, member) == 0)
            return true;
    return false;
}

static enum cu_err check_row(const struct cu_json_field *row, const ProtobufCFieldDescriptor *field,
                             struct cu_diag *diag)
{
    bool list = field->label == PROTOBUF_C_LABEL_REPEATED;
    if (types[row->codec] != field->type)
        return cu_fail(diag, CU_E_INVALID, "%s: the codec is not for its type", field->name);
    if (row->count_offset != (list ? field->quantifier_offset : 0))
        return cu_fail(diag, CU_E_INVALID, "%s: list or not a list", field->name);
    if (row->codec == CU_JSON_OBJECT &&
        (!row->shape || row->shape->descriptor != field->descriptor))
        return cu_fail(diag, CU_E_INVALID, "%s: the shape is of another message", field->name);
    if (row->codec == CU_JSON_ENUM && !row->names)
        return cu_fail(diag, CU_E_INVALID, "%s: no names", field->name);
    return row->codec == CU_JSON_OBJECT ? cu_json_shape_agrees(row->shape, diag) : CU_OK;
}

static enum cu_err check_form(const struct cu_json_shape *shape, struct cu_diag *diag)
{
    const struct cu_json_field *rows = shape->fields;
    bool entry = shape->count == 2 && strcmp(rows[0].name, "key") == 0 &&
                 rows[0].codec == CU_JSON_TEXT && !rows[0].count_offset;
    bool wrapper = shape->count == 1 && rows[0].count_offset;
    if (shape->form == CU_JSON_FORM_ENTRY && !entry)
        return cu_fail(diag, CU_E_INVALID, "%s: not the rows of an entry", shape->go_name);
    if (shape->form == CU_JSON_FORM_WRAPPER && !wrapper)
        return cu_fail(diag, CU_E_INVALID, "%s: not the row of a wrapper", shape->go_name);
    return CU_OK;
}

enum cu_err cu_json_shape_agrees(const struct cu_json_shape *shape, struct cu_diag *diag)
{
    size_t rows = 0;
    for (unsigned i = 0; i < shape->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &shape->descriptor->fields[i];
        const struct cu_json_field *row = NULL;
        for (size_t n = 0; n < shape->count; n++)
            if (shape->fields[n].offset == field->offset)
                row = &shape->fields[n];
        if (!row && !is_hidden(shape, field->name))
            return cu_fail(diag, CU_E_INVALID, "%s: neither printed nor hidden", field->name);
        enum cu_err err = row ? check_row(row, field, diag) : CU_OK;
        if (err)
            return err;
        rows += row != NULL;
    }
    if (rows != shape->count)
        return cu_fail(diag, CU_E_INVALID, "a row is of no member, or one has two");
    return check_form(shape, diag);
}
